"""What every function and every chart makes of a sample of the data, told in digests.

Run as a program (``python -m charts.digests``): how many threads polars has is fixed when it is
first imported, so that each number of threads needs a process of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
from altair.utils import schemapi
from charts.test_every_chart import MAKERS, PERIODS, STEPS

import optimove_analysis as oa

DATA: Final = Path(__file__).parents[2] / "data" / "interactions.parquet"
LAST: Final = dt.date(2025, 4, 30)
"""Of less than this polars makes one part, which does not show what its threads do."""
IN_2025: Final = {
    "before": (dt.date(2025, 1, 1), dt.date(2025, 2, 28)),
    "after": (dt.date(2025, 3, 1), LAST),
}
OF_ONE: Final = ("calendar", "journey", "preferred_channel")
"""Charts that are of one customer, or of few."""
# What is made of interactions and drawn by no chart of its own.
UNDRAWN: Final[dict[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "messages": oa.messages,
    "frequency_contrast": oa.frequency_contrast,
    "ordered_funnel": lambda f: oa.ordered_funnel(f, STEPS, within=14),
    "funnel of customers": lambda f: oa.funnel(f, by=(), unit="customer"),
    "lazily": lambda f: oa.drift(f.lazy(), every="1mo", opens="ignore").collect(),
}


def tables_and_specs() -> Iterator[tuple[str, list[Any] | str]]:
    """Give each column of each table and each chart's spec, with a name."""
    PERIODS.update(IN_2025)
    everybody = pl.read_parquet(DATA).filter(pl.col("date") <= LAST)
    ids = everybody["customer_id"].unique().sort().to_list()
    some, one = (everybody.filter(pl.col("customer_id").is_in(ids[:n])) for n in (50, 1))
    made = {name: make(some) for name, make in UNDRAWN.items()}
    for name, (draw, make) in MAKERS.items():
        made[name] = make(one if name in OF_ONE else some, ())
        yield f"the chart of {name}", json.dumps(draw(made[name]).to_dict(validate=False))
    for name, table in made.items():
        for column in table.columns:
            yield f"{column} of {name}", table[column].to_list()
    dossier = oa.dossier(some, ids[0])
    yield "dossier", repr(dossier) + dossier._repr_html_()
    yield "methods", oa.methods(some)


if __name__ == "__main__":
    with schemapi.debug_mode(False):
        found = {
            name: hashlib.sha256(repr(value).encode()).hexdigest()
            for name, value in tables_and_specs()
        }
    json.dump([pl.thread_pool_size(), found], sys.stdout)
