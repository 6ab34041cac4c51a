"""What stands around a calendar's squares: names of years, months and weekdays, lines of months."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.inline import inline

__all__ = ["names_of"]

_WEEKDAYS: Final = ("Mon", "Wed", "Fri", "Sun")


def names_of(
    drawn: pl.DataFrame, tops: dict[int, int], x: alt.Scale, y: alt.Scale
) -> list[alt.Chart]:
    """Draw the names of years, months and weekdays, and the lines between months."""
    at = alt.Y("y:Q", scale=y, axis=None)
    lines = alt.Chart(inline(_month_lines(drawn, tops)))
    months = alt.Chart(inline(_month_names(drawn, tops)))
    years = alt.Chart(inline([{"name": str(year), "y": top - 0.4} for year, top in tops.items()]))
    weekdays = alt.Chart(
        inline(
            {"name": name, "y": top + 2 * place + 0.5}
            for top in tops.values()
            for place, name in enumerate(_WEEKDAYS)
        )
    )
    return [
        lines.mark_rule(style="optimove-month").encode(
            x=alt.X("x:Q", scale=x, axis=None), x2=alt.X2("x2"), y=at, y2=alt.Y2("y2")
        ),
        months.mark_text(style="optimove-note", baseline="bottom").encode(
            x=alt.X("x:Q", scale=x, axis=None), y=at, text=alt.Text("name:N")
        ),
        years.mark_text(
            style="optimove-value", align="right", baseline="bottom", fontWeight=600
        ).encode(x=alt.XValue(-8), y=at, text=alt.Text("name:N")),
        weekdays.mark_text(style="optimove-note", align="right").encode(
            x=alt.XValue(-8), y=at, text=alt.Text("name:N")
        ),
    ]


def _month_names(drawn: pl.DataFrame, tops: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return where each month's name stands: above the middle of its weeks."""
    months = drawn.group_by("year", month=pl.col("day").dt.month(), maintain_order=True).agg(
        first=pl.col("week").min(), last=pl.col("week").max(), days=pl.len()
    )
    return [
        {
            "name": words.MONTHS[month - 1],
            "x": (first + last + 1) / 2,
            "y": tops[year] - 0.45,
        }
        for year, month, first, last, n in months.iter_rows()
        if n > 10  # noqa: PLR2004 - of fewer days, two weeks at most, there is no room for a name
    ]


def _month_lines(drawn: pl.DataFrame, tops: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return the lines between months: down, across and down again where one begins in a week."""
    lines = []
    firsts = drawn.filter((pl.col("day").dt.day() == 1) & (pl.col("day").dt.month() > 1))
    for row in firsts.filter(pl.col("day") > drawn["day"].min()).iter_rows(named=True):
        week, weekday, top = row["week"], row["weekday"], tops[row["year"]]
        lines.append({"x": week, "x2": week, "y": top + weekday, "y2": top + 7})
        if weekday:
            lines += [
                {"x": week, "x2": week + 1, "y": top + weekday, "y2": top + weekday},
                {"x": week + 1, "x2": week + 1, "y": top, "y2": top + weekday},
            ]
    return lines
