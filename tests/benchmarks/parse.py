"""How fast responses become one frame, beside the loop that one would write, and one by one.

Run it: ``python tests/benchmarks/parse.py``. The bodies are the sandbox's: 10,000 of 15 rows, as of
a month, and 2,000 of a year, some 200 rows, in both formats, as the API writes them. Each way is
taken three times in turn, and the best counts, so that what else the machine does weighs on all
alike. Report the ratios, not the seconds. About a minute.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from typing import Any, Final

import polars as pl
from starlette.responses import JSONResponse

from optimove_analysis.client.responses import Reader, parse
from optimove_analysis.sandbox.world import World

CUSTOMERS: Final = 2_000
SHORT: Final = 10_000
ROWS_OF_SHORT: Final = 15
TIMES: Final = 3

Body = tuple[str, bytes, date | None]


def bodies_of(world: World, *, engagement_metrics: bool) -> tuple[list[Body], list[Body]]:
    """Return short and long bodies of one format."""
    span = (world.first, world.last)
    years = [
        (one, world.interactions(one, *span, engagement_metrics=engagement_metrics))
        for one in world.customer_ids(CUSTOMERS)
    ]
    long: list[Body] = [(one, body(rows), world.last) for one, rows in years if rows]
    parts: Iterator[Body] = (
        (one, body(part), world.last) for one, rows in years for part in cut(rows)
    )
    return list(islice(parts, SHORT)), long


def cut(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield as many rows at a time as a short body has."""
    for start in range(0, len(rows) - ROWS_OF_SHORT + 1, ROWS_OF_SHORT):
        yield rows[start : start + ROWS_OF_SHORT]


def body(rows: list[dict[str, Any]]) -> bytes:
    """Write a response as the sandbox does."""
    return bytes(JSONResponse(rows).body)


def loop(bodies: list[Body]) -> pl.DataFrame:
    """Read responses as one would without this package, and without its checks."""
    frames = [pl.DataFrame(json.loads(content)) for _, content, _ in bodies]
    return pl.concat(frames, how="vertical_relaxed")


def one_by_one(bodies: list[Body]) -> pl.DataFrame:
    """Read responses with the exact reader alone."""
    return Reader(few=sys.maxsize).read(bodies)


WAYS: Final[dict[str, Callable[[list[Body]], pl.DataFrame]]] = {
    "parse": parse,
    "exact reader alone": one_by_one,
    "loop of json.loads": loop,
}


def measure(bodies: list[Body]) -> None:
    """Print what each way takes."""
    frame = parse(bodies)
    if not frame.equals(one_by_one(bodies)):
        raise AssertionError("the two readers differ")
    rows = frame.height
    del frame
    seconds = dict.fromkeys(WAYS, float("inf"))
    for _ in range(TIMES):
        for name, way in WAYS.items():
            gc.collect()
            start = time.perf_counter()
            way(bodies)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    for name, taken in seconds.items():
        ratio = taken / seconds["parse"]
        sys.stdout.write(f"  {name:<20}{rows / taken / 1e6:6.2f} Mrow/s, {ratio:5.1f} x the time\n")


def main() -> None:
    """Print all measurements."""
    world = World(customers=CUSTOMERS)
    for engagement_metrics in (False, True):
        layout = "engagement metrics" if engagement_metrics else "channel interactions"
        for bodies in bodies_of(world, engagement_metrics=engagement_metrics):
            size = sum(len(content) for _, content, _ in bodies) / 1e6
            sys.stdout.write(f"{layout}: {len(bodies):,} bodies, {size:.0f} MB\n")
            measure(bodies)


if __name__ == "__main__":
    main()
