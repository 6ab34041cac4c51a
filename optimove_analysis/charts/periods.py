"""Periods: where they end, and an axis for them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import altair as alt

__all__ = ["ends_of", "period_axis"]

_LABELS: Final = 8
"""About as many dates as an axis has room for."""
_MONTH: Final = 28  # days of the shortest


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
            day: date(number // 12, number % 12 + 1, 1)
            for day, number in zip(periods, after, strict=True)
        }
    length = timedelta(days=min(steps, default=1))
    return {day: day + length for day in periods}


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
    ends = alt.Undefined if end is None else [_utc(days[0]), _utc(end)]
    return alt.X(
        f"{field}:T",
        title=None,
        # An end that is said keeps the place of a period that has no marks.
        scale=alt.Scale(type="utc", nice=False, domain=ends),
        axis=alt.Axis(
            values=[_utc(day) for day in ticks],
            format="%b %Y" if monthly else "%-d %b %Y",
            grid=False,
            labels=labels,
            labelAlign="left",
        ),
    )


def _utc(day: date) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True)
