"""The mix over time: what was sent, then each channel's share of it and of the engagements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.bar_names import name_layers, names_beside
from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer, vconcat
from optimove_analysis.charts.periods import ends_of, period_axis
from optimove_analysis.charts.theme import PERCENT_AXIS
from optimove_analysis.schema import CHANNEL_MIX

__all__ = ["counts_left", "over_time"]

_SHARES: Final = 120  # pixels of a panel of shares
_DIGIT: Final = 6.7  # pixels of a digit of an axis
_APART: Final = 60
"""Up to so many periods there is room for a line between them."""


def over_time(
    group: Group,
    names: Mapping[int | None, str],
    palette: Mapping[str, str],
    width: int,
    left: int,
) -> alt.VConcatChart:
    """Draw one group's block: counts, share of sends, share of engagements, one above the other.

    Channels are named at the right end of the last bar where all are in it and find room, else in a
    legend. ``left`` is how many pixels the axes take, the same for all blocks.
    """
    rows = list(group.rows.iter_rows(named=True))
    ends = ends_of(sorted({row["period"] for row in rows}))
    rank = {name: place for place, name in enumerate(palette)}
    records = sorted(
        (_record(row, names, ends) for row in rows),
        key=lambda record: (record["period"], rank[record["name"]]),
    )
    for record in records:
        record["rank"] = rank[record["name"]]
    labels = names_beside(records, palette, _SHARES)
    colour = alt.Color(
        "name:N",
        sort=list(palette),
        scale=alt.Scale(domain=list(palette), range=list(palette.values())),
        legend=None if labels else alt.Legend(title=None),
    )
    data = inline(records)
    # An empty panel would look broken.
    none = "" if any(row["engagements"] for row in rows) else ": there were none"
    panels: list[alt.Chart | alt.LayerChart | alt.FacetChart] = [
        _panel(
            data, colour, ends, column=column, title=title, height=height, width=width, left=left
        )
        for column, title, height in (
            ("sends", "Messages sent", 90),
            ("share_of_sends", "Share of sends", _SHARES),
            ("share_of_engagements", f"Share of engagements{none}", _SHARES),
        )
    ]
    if labels:
        panels[1] = layer(
            panels[1],
            *name_layers(labels, colour, width, _y("at:Q", "Share of sends", left, share=True)),
        )
    title = {"title": alt.Title(group.label, fontSize=13, offset=6)} if group.label else {}
    return vconcat(*panels, spacing=14, **title)


def counts_left(table: pl.DataFrame) -> int:
    """Return the pixels of the axes: the longest count, or 100 %."""
    keys = [name for name in table.columns if name not in CHANNEL_MIX.names] + ["period"]
    most = max(table.group_by(keys).agg(pl.col("sends").sum())["sends"])
    return max(44, round(len(f"{most:,}") * _DIGIT) + 10)


def _record(
    row: Mapping[str, Any], names: Mapping[int | None, str], ends: Mapping[date, date]
) -> dict[str, Any]:
    numbers = ("sends", "engagements", "share_of_sends", "share_of_engagements", "index")
    return {
        "name": names[row["channel_id"]],
        # A date without a time is midnight UTC to JavaScript, and the scale is UTC too: so no
        # reader west of Greenwich sees the day before.
        "period": row["period"].isoformat(),
        "end": ends[row["period"]].isoformat(),
        **{column: row[column] for column in numbers},
        "sends_text": f"{words.count(row['sends'])} ({words.percent(row['share_of_sends'])})",
        "engagements_text": words.NO_STAGE
        if row["engagements"] is None
        else f"{row['engagements']:,} ({words.percent(row['share_of_engagements'])})",
        "index_text": words.ratio(row["index"]),
        "interval_text": words.ratio_interval(row["index_lo"], row["index_hi"]),
    }


def _panel(
    data: alt.InlineData,
    colour: alt.Color,
    ends: Mapping[date, date],
    *,
    column: str,
    title: str,
    height: int,
    width: int,
    left: int,
) -> alt.Chart:
    share = column != "sends"
    x = period_axis("period", list(ends), labels=column == "share_of_engagements")
    y = _y("from:Q", title, left, share=share)
    panel: alt.Chart = (
        alt.Chart(data)
        # Stacked by a transform and drawn as rectangles: a bar with both ends of its period given
        # is not stacked by Vega-Lite, and one without is as wide as the browser likes.
        .transform_stack(
            stack=column,
            as_=["from", "to"],
            groupby=["period"],
            sort=[alt.SortField("rank")],
        )
        .mark_rect(style="optimove-block" if len(ends) <= _APART else "rect")
        .encode(
            x=x,
            x2=alt.X2("end"),
            y=y,
            y2=alt.Y2("to"),
            color=colour,
            tooltip=[
                alt.Tooltip("name:N", title=CHANNEL_MIX.label("channel")),
                alt.Tooltip("period:N", title=CHANNEL_MIX.label("period")),
                alt.Tooltip("sends_text:N", title=CHANNEL_MIX.label("sends")),
                alt.Tooltip("engagements_text:N", title=CHANNEL_MIX.label("engagements")),
                alt.Tooltip("index_text:N", title=CHANNEL_MIX.label("index")),
                alt.Tooltip("interval_text:N", title="95 % interval"),
            ],
        )
        .properties(width=width, height=height)
    )
    return panel


def _y(field: str, title: str, left: int, *, share: bool) -> alt.Y:
    return alt.Y(
        field,
        title=title,
        scale=alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=True),
        axis=alt.Axis(
            labelExpr=PERCENT_AXIS if share else "format(datum.value, ',d')",
            values=[0, 0.25, 0.5, 0.75, 1] if share else alt.Undefined,
            tickCount=alt.Undefined if share else 3,
            minExtent=left,
            maxExtent=left,
            tickMinStep=alt.Undefined if share else 1,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="start",
            titleX=0,
            titleY=-8,
        ),
    )
