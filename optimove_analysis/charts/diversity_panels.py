"""Diversity over time, or a row a group: rings of sends and dots of engagements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.periods import ends_of, period_axis
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR
from optimove_analysis.schema import DIVERSITY

__all__ = ["over_time", "rows"]

_ROW: Final = 26
_HEIGHT: Final = 150
_TEXT: Final = 110  # pixels of the numbers at the right
_APART: Final = 0.1  # of the axis: closer labels are pushed apart


def _record(group: Group, row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ("effective_channels", "evenness", "hhi", "n", "n_channels", "customers")
    return {
        "group": group.label,
        "share": row["share"],
        "tone": "few" if row["small"] else "enough",
        **{name: row[name] for name in numbers},
        **{f"{name}_text": words.ratio(row[name]) for name in numbers[:3]},
        "text": f"{row['share']} {words.ratio(row['effective_channels'])}",
    }


def _tooltip(*first: alt.Tooltip) -> list[alt.Tooltip]:
    return [
        *first,
        alt.Tooltip("share:N", title=DIVERSITY.label("share")),
        *(
            alt.Tooltip(f"{name}_text:N", title=DIVERSITY.label(name))
            for name in ("effective_channels", "evenness", "hhi")
        ),
        *(
            alt.Tooltip(f"{name}:Q", title=DIVERSITY.label(name), format=",d")
            for name in ("n_channels", "n", "customers")
        ),
    ]


def _marks(base: alt.Chart) -> list[alt.Chart]:
    """Draw sends as rings and engagements as dots, as a channel mix does; a dot fits a ring."""
    colour = alt.Color(
        "tone:N",
        legend=None,
        scale=alt.Scale(domain=["few", "enough"], range=[SMALL_COLOUR, TOTAL_COLOUR]),
    )
    ring = base.transform_filter(alt.datum.share == "sends")
    dot = base.transform_filter(alt.datum.share == "engagements")
    return [
        ring.mark_point(style="optimove-paper", filled=True, size=80, opacity=1),
        ring.mark_point(size=80, strokeWidth=2, opacity=1).encode(color=colour),
        dot.mark_point(filled=True, size=42, opacity=1).encode(color=colour),
    ]


def over_time(group: Group, domain: list[float], width: int) -> alt.LayerChart:
    """Draw one group's lines, broken where a period is missing or has no answer."""
    days: list[date] = sorted(group.rows["period"].unique())
    ends = ends_of(days)
    records, last = [], {}
    for share in ("sends", "engagements"):
        run, until = 0, None
        own = group.rows.filter(pl.col("share") == share).sort("period")
        for row in own.iter_rows(named=True):
            first, some = row["period"], row["effective_channels"] is not None
            # A line from one period to the next one only.
            run += not (some and until == first)
            until = ends[first] if some else None
            middle = first + (ends[first] - first) / 2
            record = _record(group, row) | {"from": first.isoformat(), "run": f"{share} {run}"}
            records.append(record | {"middle": middle.isoformat()})
            if some:
                last[share] = records[-1]
    x = period_axis("from", days, end=max(ends.values()))
    middle_x = alt.X("middle:T", title=None, scale=x["scale"], axis=x["axis"])
    y = alt.Y(
        "effective_channels:Q",
        scale=alt.Scale(domain=domain, nice=True),
        axis=alt.Axis(
            title=DIVERSITY.label("effective_channels"),
            tickCount=4,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="start",
            titleX=0,
            titleY=-10,
        ),
    )
    period = alt.Tooltip("from:N", title=DIVERSITY.label("period"))
    base = alt.Chart().encode(x=middle_x, y=y, tooltip=_tooltip(period))
    line = base.mark_line(style="optimove-interval", strokeWidth=1.5, opacity=0.6).encode(
        detail=alt.Detail("run:N")
    )
    labels = _apart(list(last.values()), domain)
    names = [
        alt.Chart(inline([one]))
        .mark_text(style="optimove-value", align="left", dy=dy)
        .encode(x=alt.XValue(width - _TEXT + 10), y=y, text=alt.Text("text:N"))
        for one, dy in labels
    ]
    head = {"title": alt.Title(group.label, fontSize=13, offset=6)} if group.label else {}
    return alt.LayerChart(layer=[line, *_marks(base), *names], data=inline(records)).properties(
        width=width - _TEXT, height=_HEIGHT, **head
    )


def _apart(
    last: Sequence[Mapping[str, Any]], domain: Sequence[float]
) -> list[tuple[dict[str, Any], int]]:
    """Return each line's last record, and by how many pixels to move its label off the other's."""
    ordered = sorted((dict(one) for one in last), key=lambda one: -one["effective_channels"])
    values = [one["effective_channels"] for one in ordered]
    close = len(values) > 1 and values[0] - values[1] < _APART * (domain[1] - domain[0])
    return [(one, place * 14 - 7 if close else 0) for place, one in enumerate(ordered)]


def rows(drawn: Sequence[Group], domain: list[float], width: int) -> alt.LayerChart:
    """Draw a row a group, of all time."""
    records = [_record(group, row) for group in drawn for row in group.rows.iter_rows(named=True)]
    pairs: dict[str, list[str]] = {}
    for record in records:
        pairs.setdefault(record["group"], []).append(record["effective_channels_text"])
    texts = [{"group": group, "text": " / ".join(pair)} for group, pair in pairs.items()]
    order = list(pairs)
    y = alt.Y(
        "group:N",
        sort=order,
        title=None,
        axis=alt.Axis(labelLimit=180) if len(order) > 1 else None,
    )
    x = alt.X(
        "effective_channels:Q",
        title=DIVERSITY.label("effective_channels"),
        scale=alt.Scale(domain=domain, nice=True),
        axis=alt.Axis(tickCount=5, labelFlush=False),
    )
    base = alt.Chart().encode(x=x, y=y, tooltip=_tooltip())
    link = base.mark_line(style="optimove-link").encode(detail=alt.Detail("group:N"))
    text = (
        alt.Chart(inline(texts))
        .mark_text(style="optimove-value", align="left")
        .encode(x=alt.XValue(width - _TEXT + 14), y=y, text=alt.Text("text:N"))
    )
    head = (
        alt.Chart(inline([{"text": "sends / engagements"}]))
        .mark_text(style="optimove-note", align="left")
        .encode(x=alt.XValue(width - _TEXT + 14), y=alt.YValue(-8), text=alt.Text("text:N"))
    )
    return alt.LayerChart(layer=[link, *_marks(base), text, head], data=inline(records)).properties(
        width=width - _TEXT, height=_ROW * len(order)
    )
