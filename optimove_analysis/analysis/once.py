"""What reads its messages several times, and yet gathers them but once."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.schema import Frame, Table

__all__ = ["gathered_once"]


def gathered_once(
    interactions: Frame,
    each: pl.LazyFrame,
    group: Grouping,
    table: Table,
    answer: Callable[[pl.LazyFrame], pl.LazyFrame],
) -> Frame:
    """Collect ``each``, and answer from it: at once, or when the lazy frame is collected.

    Of a plan that reads another one several times polars makes a copy for each reader (2.1: the
    readers' columns differ, so that the copies do), and gathering is most of the work.

    Args:
        interactions: What the user gave: what decides whether to wait.
        each: The messages, with the keys of the group.
        group: What the answer's first columns are.
        table: What its others are.
        answer: Makes the result of the messages.
    """

    def run() -> pl.DataFrame:
        return answer(each.collect().lazy()).collect()

    if isinstance(interactions, pl.DataFrame):
        return run()
    types = each.select(group.write()).collect_schema() if group.keys else pl.Schema()
    return pl.defer(run, schema=pl.Schema(dict(types) | dict(table.schema)))
