"""An axis of periods, for pictures whose table has a first day in each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import altair as alt

__all__ = ["period_axis"]

_LABELS: Final = 8
"""About as many dates as an axis has room for."""


def period_axis(
    field: str, first_days: Sequence[date], last_days: Sequence[date], *, labels: bool = True
) -> alt.X:
    """Return an x axis of dates, on UTC, so that no reader west of Greenwich sees the day before.

    Args:
        field: the column of ISO dates.
        first_days: of the periods; some of them are written at the axis.
        last_days: of the periods; the axis goes from the first of all days to the last of all.
        labels: whether they are: of panels one below the other only the last needs them.
    """
    days = sorted(set(first_days))
    ticks = days[:: -(-len(days) // _LABELS)]
    monthly = len(days) > 1 and all(day.day == 1 for day in days)
    ends = [min(days), max(last_days) + timedelta(days=1)]
    return alt.X(
        f"{field}:T",
        title=None,
        # Said, and not left to the marks: a period with no answer has none, and is one still.
        scale=alt.Scale(type="utc", nice=False, domain=[_utc(day) for day in ends]),
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
