"""Two periods of the send to hold against each other: ``before=`` and ``after=``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self, TypeAlias

import polars as pl

from optimove_analysis.errors import InputError

__all__ = ["Period", "Periods"]

Day: TypeAlias = dt.date | str
Period: TypeAlias = tuple[Day, Day]
"""The first and the last day, both of them in the period, as dates or like "2025-03-31"."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Two periods of the send that share no day; either may be the earlier one."""

    before: tuple[dt.date, dt.date]
    after: tuple[dt.date, dt.date]

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


def _period(name: str, seen: object) -> tuple[dt.date, dt.date]:
    message = (
        f"{name}={seen!r} must be two days, the first and the last of the period: dates, or text "
        'like ("2025-01-01", "2025-03-31").'
    )
    if not isinstance(seen, tuple | list) or len(seen) != 2:  # noqa: PLR2004 - first and last
        raise InputError(message)
    try:
        first, last = (dt.date.fromisoformat(day) if isinstance(day, str) else day for day in seen)
    except ValueError:
        raise InputError(message) from None
    if type(first) is not dt.date or type(last) is not dt.date:
        raise InputError(message)
    if first > last:
        message = f"{name}={seen!r} ends before it begins."
        raise InputError(message)
    return first, last
