"""The axis of days, the same for every panel and for every reader's time zone."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt
import polars as pl

from optimove_analysis.charts.periods import day_after, utc

__all__ = ["DayAxis"]

_LABELS: Final = 6
_DATE: Final = 40  # pixels of a date that must be within the panel
_MONTHS: Final = 75
"""Days from which on the axis has months and no days."""


@dataclass(frozen=True, slots=True)
class DayAxis:
    """The days that all panels have in common."""

    first: dt.date
    last: dt.date
    width: int

    @classmethod
    def of(cls, parts: Sequence[pl.DataFrame], width: int) -> DayAxis:
        """Find the first and the last day with messages."""
        days: list[dt.date] = sorted(day for rows in parts for day in rows["send_date"].unique())
        return cls(days[0], days[-1], width)

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1

    def pixels(self, day: dt.date) -> float:
        """Return the middle of a day, from the left."""
        return ((day - self.first).days + 0.5) / self.days * self.width

    def x(self, field: str, *, labels: bool) -> alt.X:
        """Return the axis: each day from its midnight to the next, in UTC for every reader."""
        monthly = self.days > _MONTHS
        if monthly:
            every = math.ceil(self.days / 30 / _LABELS)
            ticks = [
                day
                for day in (day_after(self.first, place) for place in range(self.days))
                if day.day == 1 and (day.month - 1) % every == 0
            ]
        else:
            every = math.ceil(self.days / _LABELS)
            ticks = [day_after(self.first, place) for place in range(0, self.days, every)]
        # A date stands on the right of its tick: the last one may have no room for it.
        ticks = [day for day in ticks if self.pixels(day) < self.width - _DATE] or [self.first]
        return alt.X(
            field,
            title=None,
            scale=alt.Scale(
                type="utc", nice=False, domain=[utc(self.first), utc(day_after(self.last))]
            ),
            axis=alt.Axis(
                values=[utc(day) for day in ticks],
                format="%b %Y" if monthly else "%-d %b %Y",
                grid=True,
                labels=labels,
                labelAlign="left",
                labelOverlap=True,
            ),
        )
