"""What results are grouped by: ``by=``, read once, kept apart from the columns we reckon with."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import narwhals as nw
import polars as pl

from optimove_analysis.errors import InputError
from optimove_analysis.schema import MESSAGES

__all__ = ["By", "Grouping", "aggregate", "in_parts", "is_separable", "join", "within"]

_ROWS_OF_A_PART: Final = 1_000_000

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

    @property
    def is_of_one_customer(self) -> bool:
        """Whether no group has messages of two customers."""
        return bool(self._customers())

    def read(self) -> list[pl.Expr]:
        """Return what makes the keys out of messages."""
        pairs = zip(self.expressions, self.keys, strict=True)
        return [expression.alias(key) for expression, key in pairs]

    def write_keys(
        self,
        found: nw.LazyFrame[Any],
        *further: pl.Expr,
        kept: Mapping[str, str],
        every: str | None = None,
    ) -> nw.LazyFrame[Any]:
        """Add the keys to messages on any engine, and ``period``, that of the send, if asked for.

        ``kept`` says what columns of the user's, carried over under other names, were called.

        On polars a packed customer (`keys.PackedKey`) is a categorical, quicker to group by; an
        expression of the user's sees it as the text it is.
        """
        frame = found.to_native()
        if isinstance(frame, pl.LazyFrame):
            frame = frame.rename(kept)
            if every is not None:
                further = (*further, pl.col("send_date").dt.truncate(every).alias("period"))
            plain, keys = self._customers(), self.read()
            quick = [key for number, key in enumerate(keys) if number in plain]
            others = [key for number, key in enumerate(keys) if number not in plain]
            if not any("customer_id" in one.meta.root_names() for one in others):
                # All at once: a column of the user's may be called as a key is.
                return nw.from_native(frame.with_columns(*quick, *others, *further))
            packed = (
                f"_packed_{''.join(self.keep)}"  # longer than the name of any column of the user's
            )
            frame = frame.with_columns(
                pl.col("customer_id").alias(packed), pl.col("customer_id").cast(pl.String)
            )
            quick = [pl.col(packed).alias(self.keys[number]) for number in plain]
            return nw.from_native(frame.with_columns(*quick, *others, *further).drop(packed))
        for expression, name in zip(self.expressions, self.names, strict=True):
            if not expression.meta.is_column() or expression.meta.root_names() != [name]:
                message = (
                    f"by={expression} is a polars expression; on another engine by= takes names of "
                    "columns: add the column there first."
                )
                raise InputError(message)
        # Other engines take "Rows" for the "rows" of messages: it must not get its name back.
        ours = {name: one for one, name in kept.items()}
        keys_elsewhere = [
            nw.col(ours.get(name, name)).alias(key)
            for name, key in zip(self.names, self.keys, strict=True)
        ]
        if every is not None:
            keys_elsewhere.append(_period(every).alias("period"))
        return found.with_columns(keys_elsewhere)

    def as_text(self) -> list[pl.Expr]:
        """Return what gives a key that is the customer its own type again."""
        return [pl.col(self.keys[number]).cast(pl.String) for number in self._customers()]

    def _customers(self) -> list[int]:
        """Which of the keys are the customer as it is."""
        return [
            number
            for number, one in enumerate(self.expressions)
            if one.meta.is_column() and one.meta.root_names() == ["customer_id"]
        ]

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

    def join(self, frame: pl.LazyFrame, groups: pl.LazyFrame) -> pl.LazyFrame:
        """Put beside each row what ``groups`` has of its group; with no keys, its one row."""
        return join(frame, groups, self.keys)


def aggregate(frame: nw.LazyFrame[Any], keys: Sequence[str], *sums: nw.Expr) -> nw.LazyFrame[Any]:
    """Aggregate by the keys, on any engine; with none at all, to one row."""
    return frame.group_by(*keys).agg(*sums) if keys else frame.select(*sums)


def join(frame: pl.LazyFrame, further: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """Add the columns of another frame that has one row for each value of the keys."""
    if not keys:
        return frame.join(further, how="cross")
    return frame.join(further, on=list(keys), how="left", nulls_equal=True)


def in_parts(frame: pl.DataFrame, keys: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Part a frame of many groups into some, with each group whole: it bounds the memory."""
    n = 1 + frame.height // _ROWS_OF_A_PART
    if n == 1 or not keys:
        yield frame
        return
    of_row = frame.select(pl.struct(keys).hash() % n).to_series()
    for part in range(n):
        yield frame.filter(of_row == part)


def is_separable(expression: pl.Expr) -> bool:
    """Whether what the expression says of a message is seen in that message alone."""
    try:
        return expression.meta.is_row_separable()
    except pl.exceptions.PolarsError:
        return False  # a function of the user's, which polars (2.1) cannot look into


def within(expression: pl.Expr, keys: Sequence[str]) -> pl.Expr:
    """Return the expression over the rows of each group; with no keys, over all.

    It has a value for each row in both cases. A single value for all would be a scalar, by which
    polars (2.1) divides by way of its reciprocal: 49 / 49 is then not 1, and where a row comes
    alone from a thread, it is.
    """
    return expression.over(*keys) if keys else expression.over(pl.lit(0))


def _period(every: str) -> nw.Expr:
    """Return the first day of the send's period, in what every engine has."""
    send = nw.col("send_date")
    if every == "1w":
        first = send
        # Sunday is 7 on most engines, and 0 on PySpark (narwhals 2.29).
        for day, passed in ((2, 1), (3, 2), (4, 3), (5, 4), (6, 5), (0, 6)):
            monday = send - nw.lit(dt.timedelta(days=passed))
            first = nw.when(send.dt.weekday() % 7 == day).then(monday).otherwise(first)
    elif re.fullmatch(r"1(d|mo|q|y)", every):
        first = send.dt.truncate(every)
    else:
        message = f"every={every!r}: on another engine than polars it is 1d, 1w, 1mo, 1q or 1y."
        raise InputError(message)
    return first.cast(nw.Date)


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
