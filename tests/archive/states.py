"""What an archive holds, in a form in which two can be compared."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from optimove_analysis import funnel
from optimove_analysis.archive import Archive
from optimove_analysis.schema import INTERACTIONS

_ROW = [name for name in INTERACTIONS.names if name != "data_through"]
"""What a row says for itself: how far data reaches hangs on the customer's other answers."""


def is_made(folder: Path | str) -> bool:
    """Tell whether there is an archive yet: a folder for its log is none."""
    return Path(folder, "interactions", "_delta_log", f"{0:020}.json").exists()


def rows(archive: Archive) -> pl.DataFrame:
    """Return the rows, in an order of their own."""
    return in_order(archive.scan().collect())


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows in an order that hangs on them alone."""
    return frame.sort(pl.all())


def answers(archive: Archive) -> pl.DataFrame:
    """Return what is covered, but for when it was fetched."""
    return archive.coverage().drop("fetched_at").collect().sort("customer_id", "start")


def check_equal(archive: Archive, undisturbed: Archive) -> None:
    """Fail unless both archives hold the same, and count the same."""
    assert rows(archive).equals(rows(undisturbed))
    assert answers(archive).equals(answers(undisturbed))
    counted, wanted = (
        in_order(funnel(one.scan(), by=["channel_id"]).collect()) for one in (archive, undisturbed)
    )
    assert counted.equals(wanted, null_equal=True)


def fingerprints(frame: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Return of each customer what tells its rows from any others."""
    prints = (
        frame.select("customer_id", row=pl.struct(_ROW).hash(7))
        .group_by("customer_id")
        .agg(pl.len(), pl.col("row").sum())
    )
    return {customer: (int(n), int(row)) for customer, n, row in prints.iter_rows()}


def check_whole(frame: pl.DataFrame, *states: pl.DataFrame) -> None:
    """Fail unless each customer's rows are those of one of the states, or none at all."""
    allowed = [fingerprints(state) for state in states]
    for customer, seen in fingerprints(frame).items():
        assert seen in [state.get(customer) for state in allowed], customer


def check_once(frame: pl.DataFrame, all_rows: pl.DataFrame) -> None:
    """Fail if a row is there more often than among all."""
    counted = frame.group_by(_ROW).agg(n=pl.len())
    there = all_rows.group_by(_ROW).agg(most=pl.len())
    over = counted.join(there, on=_ROW, how="left", nulls_equal=True).filter(
        pl.col("n") > pl.col("most").fill_null(0)
    )
    assert over.is_empty(), over
