"""Periods: where they end, and an axis for them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Final

import altair as alt

__all__ = ["day_after", "ends_of", "period_axis", "utc"]

_LABELS: Final = 8
"""About as many dates as an axis has room for."""
_MONTH: Final = 28  # days of the shortest
_MONTHS: Final = (date.max.year + 1) * 12  # that a calendar has


def day_after(day: date, days: int = 1) -> date:
    """Return a day so many days later; of days that no calendar has, the last that there is.

    >>> day_after(date(9999, 12, 31))
    datetime.date(9999, 12, 31)
    """
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def ends_of(periods: list[date]) -> dict[date, date]:
    """Return each period's end, the day after its last.

    The table says where periods begin. Their length is the shortest step between two of them, in
    months where all begin on the first of one, so that a period without messages stays a gap.

    >>> ends_of([date(2026, 1, 1), date(2026, 2, 1), date(2026, 5, 1)])[date(2026, 5, 1)]
    datetime.date(2026, 6, 1)
    >>> ends_of([date(2026, 1, 5), date(2026, 1, 12)])[date(2026, 1, 12)]
    datetime.date(2026, 1, 19)
    """
    steps = [(b - a).days for a, b in itertools.pairwise(periods)]
    if steps and all(day.day == 1 for day in periods) and min(steps) >= _MONTH:
        ordinals = [day.year * 12 + day.month - 1 for day in periods]
        months = min(b - a for a, b in itertools.pairwise(ordinals))
        after = [number + months for number in ordinals]
        return {
            day: date(number // 12, number % 12 + 1, 1) if number < _MONTHS else date.max
            for day, number in zip(periods, after, strict=True)
        }
    return {day: day_after(day, min(steps, default=1)) for day in periods}


def period_axis(
    field: str,
    first_days: Sequence[date],
    *,
    end: date | None = None,
    labels: bool = True,
) -> alt.X:
    """Return an x axis of dates, on UTC, so that no reader west of Greenwich sees the day before.

    Args:
        field: the column of ISO dates.
        first_days: of the periods; some of them are written.
        end: where the axis ends; None leaves that to the marks.
        labels: whether days are written: of panels one below the other only the last needs them.
    """
    days = sorted(set(first_days))
    ticks = days[:: -(-len(days) // _LABELS)]
    monthly = len(days) > 1 and all(day.day == 1 for day in days)
    ends = alt.Undefined if end is None else [utc(days[0]), utc(end)]
    return alt.X(
        f"{field}:T",
        title=None,
        # An end that is said keeps the place of a period that has no marks.
        scale=alt.Scale(type="utc", nice=False, domain=ends),
        axis=alt.Axis(
            values=[utc(day) for day in ticks],
            format="%b %Y" if monthly else "%-d %b %Y",
            grid=False,
            labels=labels,
            labelAlign="left",
        ),
    )


def utc(day: date) -> alt.DateTime:
    """Return a day's midnight in UTC, as Vega-Lite has it on an axis."""
    return alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True)
