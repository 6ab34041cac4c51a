"""A result's main columns: which of ours a reader looks at first, beside the user's own."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from optimove_analysis.charts.main_results import MAIN, Main

__all__ = ["main_columns", "recognised"]


def recognised(frame: pl.DataFrame) -> Main | None:
    """Return what is known of a result by its columns; None: it is none of ours."""
    columns = set(frame.columns)
    return next((main for main in MAIN if columns.issuperset(main.marks)), None)


def main_columns(result: pl.DataFrame, *, also: Sequence[str] = ()) -> pl.DataFrame:
    """Keep the user's own columns, and those of ours that a reader looks at first, and ``also``.

    A column without any value is left out, unless the result is known by it.
    """
    main = recognised(result)
    if main is None:
        return result
    ours = {*main.table.names, "channel_id"} - {"customer_id"}
    own = [name for name in result.columns if name not in ours]
    filled = [
        name
        for name in main.columns
        if name in result.columns
        and (name in main.marks or result.is_empty() or not result[name].is_null().all())
    ]
    return result.select(*own, *filled, *also)
