"""How fast an audience whose answers are kept becomes a frame, against a user's own loop.

Run it: ``python tests/benchmarks/warm_audience.py [--customers 10000]``. The peer is what a user
would write: a loop of ``CachedSession.get``, ``pl.DataFrame(response.json())`` and one ``concat``,
over the very same cache file. Both are timed in one run, in turn, several times; of the medians
the ratio counts. The plan of the same audience is timed beside them. Under a minute.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl
from requests_cache import CachedSession
from requests_cache.backends.sqlite import SQLiteCache

from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.backend import BODIES
from optimove_analysis.client.cache import Entry
from optimove_analysis.client.endpoints import INTERACTIONS_PATH
from optimove_analysis.client.request_key import key_of
from optimove_analysis.sandbox.world import World

FIRST, LAST = date(2025, 3, 1), date(2025, 3, 31)
UPDATED = date(2025, 12, 31)


@dataclass(frozen=True, slots=True)
class Measured:
    """Median seconds of each way, over the same answers."""

    customers: int
    rows: int
    ours: float
    loop: float
    plan: float

    @property
    def ratio(self) -> float:
        """How many times as long the loop takes."""
        return self.loop / self.ours

    def __str__(self) -> str:
        return (
            f"{self.customers:,} kept customers, {self.rows:,} rows: client {self.ours:.2f} s, "
            f"loop of CachedSession.get {self.loop:.2f} s, ratio {self.ratio:.1f}; "
            f"plan {self.plan * 1_000:.0f} ms"
        )


def params(customer: str, first: date = FIRST, last: date = LAST) -> dict[str, str]:
    """Return a customer's request."""
    return {"CustomerID": customer, "StartDate": first.isoformat(), "EndDate": last.isoformat()}


def fill(client: OptimoveClient, ids: list[str], first: date = FIRST, last: date = LAST) -> None:
    """Keep an answer for each customer, as a fetch would."""
    world = World(seed=7, customers=len(ids))
    fetched_at = datetime.now().astimezone() - timedelta(days=1)
    for one, known in zip(ids, world.customer_ids(len(ids)), strict=True):
        body = json.dumps(world.interactions(known, first, last), separators=(",", ":")).encode()
        asked = params(one, first, last)
        client.cache.write(INTERACTIONS_PATH, asked, Entry(body, fetched_at, UPDATED))


def key(request: Any, **_: object) -> str:
    """Return the cache's key of a request, as requests-cache lets a user define it."""
    return key_of(INTERACTIONS_PATH, dict(parse_qsl(urlsplit(request.url).query)))


def loop(path: Path, ids: list[str]) -> pl.DataFrame:
    """Do what a user would write."""
    url = "http://127.0.0.1:9/current/" + INTERACTIONS_PATH
    backend = SQLiteCache(path, serializer=BODIES)
    frames = []
    with CachedSession(backend=backend, key_fn=key, only_if_cached=True) as session:
        for one in ids:
            response = session.get(url, params=params(one))
            frames.append(pl.DataFrame(response.json()))
    backend.responses.close()  # type: ignore[no-untyped-call] # requests-cache has no types
    backend.redirects.close()  # type: ignore[no-untyped-call]
    return pl.concat([frame for frame in frames if frame.height])


def timed(action: Callable[[], pl.DataFrame]) -> tuple[float, int]:
    """Return seconds and rows."""
    start = time.perf_counter()
    frame = action()
    return time.perf_counter() - start, frame.height


def measure(folder: Path, customers: int, *, runs: int = 5, loops: int = 3) -> Measured:
    """Measure both ways in turn."""
    ids = [f"{number:08}" for number in range(customers)]

    def client() -> OptimoveClient:
        return OptimoveClient("api5", "no key is needed", cache_dir=folder)

    with client() as filler:
        fill(filler, ids)
        path = filler.cache.path

    def ours() -> pl.DataFrame:
        with client() as opened:
            return opened.interactions(ids, FIRST, LAST)

    plans, fast, slow = [], [], []
    rows = set()
    for run in range(max(runs, loops)):
        with client() as opened:
            start = time.perf_counter()
            plan = opened.plan(ids, FIRST, LAST)
            plans.append(time.perf_counter() - start)
            assert plan.kept == customers
        if run < runs:
            seconds, height = timed(ours)
            fast.append(seconds)
            rows.add(height)
        if run < loops:
            seconds, height = timed(lambda: loop(path, ids))
            slow.append(seconds)
            rows.add(height)
    (height,) = rows  # both ways give the same rows
    median = statistics.median
    return Measured(customers, height, median(fast), median(slow), median(plans))


def main() -> None:
    """Print the measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=10_000)
    customers = parser.parse_args().customers
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(f"{measure(Path(folder), customers)}\n")


if __name__ == "__main__":
    main()
