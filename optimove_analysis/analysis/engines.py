"""On which engine interactions lie: polars here, or DuckDB or PySpark where they outgrew it.

The heavy part, from interactions to counts, runs where the rows are (`counting.tally`). What is
made of the counts, rates and intervals, is polars' in any case.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
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


def any_engine(function: Callable[Concatenate[Any, P], pl.DataFrame]) -> AnyEngine[P]:
    """Let a function that answers with a frame give back the kind that it was given.

    A polars LazyFrame gives a plan, which counts when it is collected. A polars DataFrame is
    counted at once, and so are a DuckDB relation and a PySpark DataFrame, where they are: the
    result is a polars DataFrame.
    """

    @wraps(function)
    def run(
        interactions: Interactions,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> pl.DataFrame | pl.LazyFrame:
        if not isinstance(interactions, pl.LazyFrame):
            return function(interactions, *args, **kwargs)
        # How ids are packed is seen in the data only: a plan cannot branch. What is wrong with
        # the columns or options is said now, and an empty frame's answer has the columns.
        nobody = pl.DataFrame(schema=interactions.collect_schema())
        schema = function(nobody, *args, **kwargs).schema
        return pl.defer(partial(function, interactions, *args, **kwargs), schema=schema)

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
