"""Two periods of the send to hold against each other: ``before=`` and ``after=``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self, TypeAlias

import polars as pl

from optimove_analysis.errors import InputError

__all__ = ["Period", "Periods"]

Period: TypeAlias = tuple[dt.date, dt.date]
"""The first and the last day, both of them in the period."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Two periods of the send that share no day; either may be the earlier one."""

    before: Period
    after: Period

    @classmethod
    def of(cls, before: object, after: object) -> Self:
        """Read the two periods, or say what is wrong with them."""
        one, other = _period("before", before), _period("after", after)
        if one[0] <= other[1] and other[0] <= one[1]:
            message = f"before={before!r} and after={after!r} share days: a send would be in both."
            raise InputError(message)
        return cls(one, other)

    def is_after(self) -> pl.Expr:
        """Whether the message's send is in the period after; null where it is in neither."""
        send = pl.col("send_date")
        return (
            pl.when(send.is_between(*self.before))
            .then(pl.lit(False))
            .when(send.is_between(*self.after))
            .then(pl.lit(True))
        )

    def columns(self) -> dict[str, pl.Expr]:
        """Return the days as the columns of a result."""
        days = {"before": self.before, "after": self.after}
        ends = ("from", "to")
        return {
            f"{name}_{end}": pl.lit(day, pl.Date)
            for name, period in days.items()
            for end, day in zip(ends, period, strict=True)
        }


def _period(name: str, seen: object) -> Period:
    if (
        not isinstance(seen, tuple | list)
        or len(seen) != 2  # noqa: PLR2004 - a first day and a last one
        or any(type(day) is not dt.date for day in seen)
    ):
        message = f"{name}={seen!r} must be two dates: the first and the last day of the period."
        raise InputError(message)
    first, last = seen
    if first > last:
        message = f"{name}={seen!r} ends before it begins."
        raise InputError(message)
    return first, last
