"""On which engine interactions lie: polars here, or DuckDB or PySpark where they outgrew it.

The heavy part, from interactions to counts, runs where the rows are (`counting.tally`). What is
made of the counts, rates and intervals, is polars' in any case.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, cast, overload

import narwhals as nw
import polars as pl

from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import INTERACTIONS, MESSAGE_KEY

__all__ = ["AnyEngine", "Interactions", "any_engine", "opened"]

P = ParamSpec("P")
Interactions: TypeAlias = Any
"""A polars frame, a DuckDB relation, a PySpark DataFrame: engines share no type."""


class AnyEngine(Protocol[P]):
    """A function of interactions on any engine."""

    @overload
    def __call__(
        self, interactions: pl.LazyFrame, *args: P.args, **kwargs: P.kwargs
    ) -> pl.LazyFrame: ...
    @overload
    def __call__(
        self, interactions: Interactions, *args: P.args, **kwargs: P.kwargs
    ) -> pl.DataFrame: ...


def any_engine(function: Callable[Concatenate[Any, P], pl.LazyFrame]) -> AnyEngine[P]:
    """Let a function that makes a plan of interactions give back what it was given.

    A polars LazyFrame gives a plan. A polars DataFrame is counted at once, and so are a DuckDB
    relation and a PySpark DataFrame, where they are: the result is a polars DataFrame.
    """

    @wraps(function)
    def run(
        interactions: Interactions,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> pl.DataFrame | pl.LazyFrame:
        plan = function(interactions, *args, **kwargs)
        return plan if isinstance(interactions, pl.LazyFrame) else plan.collect(engine="streaming")

    return cast("AnyEngine[P]", run)


def opened(interactions: Interactions) -> nw.LazyFrame[Any]:
    """Check interactions, on whichever engine they are.

    Raises:
        SchemaError: a column is missing or has another type, or no engine of ours has such frames.
    """
    if isinstance(interactions, pl.DataFrame):
        interactions = interactions.lazy()
    if isinstance(interactions, pl.LazyFrame):
        return nw.from_native(INTERACTIONS.check(interactions))
    frame: Any = nw.from_native(interactions, pass_through=True)
    if not isinstance(frame, nw.LazyFrame):
        # A frame that lies in memory is polars' or is made so; this says how.
        INTERACTIONS.check(interactions)
    seen = frame.collect_schema()
    through = INTERACTIONS["data_through"]
    for column in INTERACTIONS.columns:
        if column.name not in (*MESSAGE_KEY, "date", "event_id", through.name):
            continue
        if column.name not in seen:
            if column.optional:
                frame = frame.with_columns(nw.lit(None).cast(nw.Date).alias(column.name))
                continue
            message = (
                f"{INTERACTIONS.name} need the column {column.name!r} ({column.what}); these have "
                f"{', '.join(map(repr, seen))}."
            )
            raise SchemaError(message)
        if str(seen[column.name]) != str(column.dtype):
            message = (
                f"column {column.name!r} of {INTERACTIONS.name} must be {column.dtype}, this one "
                f"is {seen[column.name]}: cast it first."
            )
            raise SchemaError(message)
    rows: nw.LazyFrame[Any] = frame
    return rows
