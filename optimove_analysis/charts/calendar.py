"""A calendar: how many messages went out on each day, and on which days somebody engaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.calendar_days import (
    GAP,
    TINTS,
    Tint,
    days,
    tints,
)
from optimove_analysis.charts.calendar_names import names_of
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import MAX_ROWS, checked, refuse_too_many
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.charts.journey import lane_names, with_lanes
from optimove_analysis.charts.theme import finished
from optimove_analysis.schema import CONTROL_ACTION_ID, JOURNEY

__all__ = ["calendar"]

_LARGEST: Final = 20
"""Pixels of a day's square, where there are few weeks."""
_LEFT: Final = 40


def calendar(
    table: pl.DataFrame, *, title: str | None = None, width: int = 620
) -> alt.LayerChart | alt.Chart:
    """Draw a journey's table as a calendar: a square a day, a column a week, a block a year.

    The darker a square (in dark mode, the brighter), the more messages were sent on the day, to all
    customers of the table; the palest squares are days without any. A dot marks the days on which a
    message was opened or clicked, by its furthest stage.

    Args:
        table: what ``journey(interactions)`` returns, of one customer or of many.
        title: in place of the title that says what is drawn.
        width: pixels of all weeks together, at most; weekdays stand left of them.

    Raises:
        SchemaError: the table is not a journey's.
        InputError: its days are more than a picture can show, some eleven years.

    >>> import datetime as dt
    >>> import optimove_analysis as oa
    >>> ids = {"customer_id": "A", "campaign_id": 3, "recipient_group_id": 1, "action_id": 9,
    ...        "channel_id": 504, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "date": dt.date(2025, 3, day), "event_id": 1} for day in (3, 14)],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> calendar(oa.journey(frame)).to_dict()["title"]["text"]
    'Messages a day to customer A'
    """
    table = checked(table, JOURNEY, "journey", may_lack=["send_date"])
    dated = table.filter(pl.col("send_date").is_not_null())
    if dated.is_empty():
        return nothing(title or "Messages a day", "No messages", "Nothing was sent")
    first, last = dated.select(pl.col("send_date").min(), last=pl.col("send_date").max()).row(0)
    refuse_too_many((last - first).days, MAX_ROWS, "days")
    dated, order = with_lanes(dated, lane_names(dated))
    drawn = days(dated, order)
    years = drawn["year"].unique(maintain_order=True).to_list()
    tops = {year: place * (7 + GAP) for place, year in enumerate(years)}
    classes = tints(drawn["messages"].to_list())
    low, high = int(drawn["week"].min()), int(drawn["week"].max()) + 1  # type: ignore[arg-type] # Int64
    cell = min(width / (high - low), _LARGEST)
    rows = len(years) * (7 + GAP) - GAP
    wide, tall = cell * (high - low), cell * rows
    x = alt.Scale(domain=[low, high], range=[0, wide], nice=False, zero=False)
    y = alt.Scale(domain=[0, rows], range=[0, tall], nice=False)
    layers = [
        *_squares(drawn, tops, classes, x=x, y=y, cell=cell),
        *names_of(drawn, tops, x, y),
    ]
    chart: alt.LayerChart = layer(*layers).properties(width=wide, height=tall)  # type: ignore[assignment] # no facet
    customers = dated["customer_id"].unique(maintain_order=True).to_list()
    whom = f"customer {customers[0]}"
    if len(customers) > 1:
        whom = words.plural(len(customers), "customer")
    return finished(
        chart,
        title=title or f"Messages a day to {whom}",
        told=_told(table, dated, drawn),
        width=int(max(wide + _LEFT, 420)),
        description=_description(drawn, dated, order, whom),
    )


def _squares(
    drawn: pl.DataFrame,
    tops: dict[int, int],
    classes: Sequence[Tint],
    *,
    x: alt.Scale,
    y: alt.Scale,
    cell: float,
) -> list[alt.Chart]:
    most = max(drawn["engaged"].to_list())
    records = [_record(row, tops, classes, most, cell) for row in drawn.iter_rows(named=True)]
    place: dict[str, Any] = {
        "x": alt.X("x:Q", scale=x, axis=None),
        "x2": "x2",
        "y": alt.Y("y:Q", scale=y, axis=None),
        "y2": "y2",
    }
    tooltip = [
        alt.Tooltip("when:N", title="Day"),
        alt.Tooltip("messages:Q", title="Messages sent", format=",d"),
        alt.Tooltip("channels:N", title="By channel"),
        alt.Tooltip("engaged:Q", title="Opened or clicked this day", format=",d"),
    ]
    data = alt.Chart(inline(records))
    empty = data.mark_rect(style="optimove-faint").encode(**place, tooltip=tooltip)
    # All five tints, so that a class has the same one wherever it is; the legend names those used.
    names = [f"tint {number}" for number in range(TINTS)]
    for tint in classes:
        names[tint.place] = tint.label
    some = (
        data.transform_filter(alt.datum.messages > 0)
        .mark_rect()
        .encode(
            **place,
            color=alt.Color(
                "tint:O",
                scale=alt.Scale(domain=names),
                legend=alt.Legend(
                    title="Messages that day",
                    titleOrient="left",
                    offset=30,  # above the names of months
                    values=[tint.label for tint in classes],
                ),
            ),
            tooltip=tooltip,
        )
    )
    engaged = data.transform_filter(alt.datum.engaged > 0).encode(
        x=alt.X("mid_x:Q", scale=x, axis=None),
        y=alt.Y("mid_y:Q", scale=y, axis=None),
        size=alt.Size("dot:Q", scale=None, legend=None),
        tooltip=tooltip,
    )
    return [
        empty,
        some,
        engaged.mark_point(style="optimove-paper", filled=True, opacity=1),
        engaged.mark_point(style="optimove-interval", opacity=1),
    ]


def _record(
    row: dict[str, Any], tops: dict[int, int], classes: Sequence[Tint], most: int, cell: float
) -> dict[str, Any]:
    x, y = row["week"], tops[row["year"]] + row["weekday"]
    # An area tells how many; where there are no more than two, all dots are alike.
    share = 0.3 if most <= 2 else max(0.6 * (row["engaged"] / most) ** 0.5, 0.1)  # noqa: PLR2004
    return {
        "when": f"{words.WEEKDAYS[row['weekday']]} {row['day'].isoformat()}",
        "messages": row["messages"],
        "engaged": row["engaged"],
        "channels": row["channels"],
        "tint": next(
            (
                tint.label
                for tint in classes
                if tint.low <= row["messages"] <= (tint.high or row["messages"])
            ),
            None,
        ),
        "x": x + 0.06,
        "x2": x + 0.94,
        "y": y + 0.06,
        "y2": y + 0.94,
        "mid_x": x + 0.5,
        "mid_y": y + 0.5,
        "dot": (cell * share) ** 2,
    }


def _told(table: pl.DataFrame, dated: pl.DataFrame, drawn: pl.DataFrame) -> list[str]:
    first, last = drawn["day"].to_list()[0], drawn["day"].to_list()[-1]
    sent = int(drawn["messages"].sum())
    told = [f"{words.plural(sent, 'message')} \N{MIDDLE DOT} {first} to {last}"]
    engaged = drawn["engaged"]
    if engaged.sum():
        larger = "; the larger, the more messages" if max(engaged) > 2 else ""  # noqa: PLR2004
        told.append(f"Dot: opened or clicked on that day, by the furthest stage{larger}.")
    else:
        told.append("Nothing was opened or clicked.")
    left_out = [
        (table.height - dated.height, "without a date"),
        (dated.filter(pl.col("action_id") == CONTROL_ACTION_ID).height, "of a control group"),
    ]
    told += [f"Not counted: {words.plural(n, 'row')} {why}." for n, why in left_out if n]
    return told


def _description(drawn: pl.DataFrame, dated: pl.DataFrame, order: Sequence[str], whom: str) -> str:
    sent = drawn.filter(pl.col("messages") > 0)
    channels = dict(dated["lane"].value_counts().iter_rows())
    first, last = drawn["day"].to_list()[0], drawn["day"].to_list()[-1]
    parts = [f"Calendar of {words.plural(int(drawn['messages'].sum()), 'message')} to {whom}."]
    of = f"{sent.height:,} of {words.plural(drawn.height, 'day')}"
    parts.append(f"From {first} to {last} something was sent on {of}.")
    if sent.height:
        top = sent.sort("messages", descending=True, maintain_order=True).row(0, named=True)
        parts.append(f"Most on {top['day']}: {top['messages']:,} ({top['channels']}).")
    engaged = drawn.filter(pl.col("engaged") > 0).height
    parts.append(f"Messages were opened or clicked on {words.plural(engaged, 'day')}.")
    listed = [f"{name} {channels[name]:,}" for name in order]
    parts.append(f"Rows by channel: {words.listed(listed)}.")
    return " ".join(parts)
