"""What results are grouped by: ``by=``, read once, kept apart from the columns we reckon with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import polars as pl

from optimove_analysis.errors import InputError
from optimove_analysis.schema import MESSAGES

__all__ = ["By", "Grouping", "within"]

By: TypeAlias = str | pl.Expr | Sequence[str | pl.Expr]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The columns that results are grouped by.

    While we reckon they are called ``_by_0``, ``_by_1``, ..., so that a column of the user's may
    have any name, that of one of ours included.
    """

    expressions: tuple[pl.Expr, ...]
    names: tuple[str, ...]
    keep: tuple[str, ...]
    """Columns of the user's own that messages must carry over."""

    @classmethod
    def of(cls, by: By, *, taken: Sequence[str]) -> Self:
        """Read ``by``; ``taken`` are the result's own columns, which a group may not be named."""
        expressions = _expressions(by)
        names = tuple(_name(expression) for expression in expressions)
        for name, expression in zip(names, expressions, strict=True):
            if name in taken:
                message = f"by={name!r} is the name of a column of the result; .alias() another."
                raise InputError(message)
            if names.count(name) > 1:
                message = f"by= names {name!r} twice."
                raise InputError(message)
            # The channel's own stages and name go with the group of that name.
            if name == "channel_id" and not expression.meta.eq(pl.col(name)):
                message = "by= gives 'channel_id' another meaning; .alias() another name."
                raise InputError(message)
        roots = {root for expression in expressions for root in expression.meta.root_names()}
        return cls(expressions, names, tuple(sorted(roots - set(MESSAGES.names))))

    @property
    def keys(self) -> list[str]:
        """What the columns are called while we reckon."""
        return [f"_by_{number}" for number in range(len(self.names))]

    def read(self) -> list[pl.Expr]:
        """Return what makes the keys out of messages."""
        pairs = zip(self.expressions, self.keys, strict=True)
        return [expression.alias(key) for expression, key in pairs]

    def write(self) -> list[pl.Expr]:
        """Return what gives the keys the names that the user gave them."""
        pairs = zip(self.keys, self.names, strict=True)
        return [pl.col(key).alias(name) for key, name in pairs]

    def aggregate(
        self, frame: pl.LazyFrame, *sums: pl.Expr, also: Sequence[str] = ()
    ) -> pl.LazyFrame:
        """Aggregate by the keys and ``also``; with none at all, to one row."""
        keys = [*self.keys, *also]
        return frame.group_by(keys).agg(*sums) if keys else frame.select(*sums)


def within(expression: pl.Expr, keys: Sequence[str]) -> pl.Expr:
    """Return the expression over the rows of each group; with no keys, over all."""
    return expression.over(*keys) if keys else expression


def _expressions(by: By) -> tuple[pl.Expr, ...]:
    listed = [by] if isinstance(by, str | pl.Expr) else by
    if not isinstance(listed, Sequence) or not all(isinstance(i, str | pl.Expr) for i in listed):
        message = f"by={by!r} must be a column's name, a polars expression, or a list of those."
        raise InputError(message)
    return tuple(pl.col(one) if isinstance(one, str) else one for one in listed)


def _name(expression: pl.Expr) -> str:
    if expression.meta.has_multiple_outputs():
        message = f"by={expression} may stand for many columns; list them one by one."
        raise InputError(message)
    return expression.meta.output_name()
