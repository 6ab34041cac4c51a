"""Drift over time, or a row a group: divergences as dots, and bands of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import vconcat
from optimove_analysis.charts.periods import day_after, period_axis
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR
from optimove_analysis.schema import DRIFT

__all__ = ["over_time", "rows"]

_NEUTRAL: Final = {"few": SMALL_COLOUR, "enough": TOTAL_COLOUR}
_TEXT: Final = 150  # pixels of the numbers beside rows
_HEIGHT: Final = 110
_ROW: Final = 26


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("before:N", title="Before"),
        alt.Tooltip("after:N", title="After"),
        alt.Tooltip("divergence_text:N", title=DRIFT.label("divergence")),
        alt.Tooltip("chance_text:N", title=DRIFT.label("by_chance")),
        alt.Tooltip("n_before:Q", title=f"n, {DRIFT.label('n_before').lower()}", format=",d"),
        alt.Tooltip("n_after:Q", title=f"n, {DRIFT.label('n_after').lower()}", format=",d"),
        alt.Tooltip("customers:Q", title=DRIFT.label("customers"), format=",d"),
    ]


def _colour() -> alt.Color:
    scale = alt.Scale(domain=list(_NEUTRAL), range=list(_NEUTRAL.values()))
    return alt.Color("tone:N", legend=None, scale=scale)


def _dots(base: alt.Chart, size: int, **place: alt.X | alt.Y) -> list[alt.Chart]:
    """Draw what is beyond chance as a full dot, and what is not as a ring."""
    some = base.transform_filter(alt.datum.nothing == "")
    ring = some.transform_filter(~alt.datum.is_beyond)
    return [
        ring.mark_point(style="optimove-paper", filled=True, size=size, opacity=1).encode(**place),
        ring.mark_point(size=size, strokeWidth=2, opacity=1).encode(**place, color=_colour()),
        some.transform_filter(alt.datum.is_beyond)
        .mark_point(filled=True, size=size * 1.3, opacity=1)
        .encode(**place, color=_colour()),
    ]


def over_time(
    records: Sequence[Mapping[str, Any]], group: Group, top: float, width: int
) -> alt.VConcatChart:
    """Draw one group's block: the mix of sends above that of the engagements, a dot a period."""
    panels = []
    days = group.rows["after_from"].to_list()
    end = day_after(max(group.rows["after_to"].to_list()))
    for share in ("sends", "engagements"):
        own = [dict(one) for one in records if one["share"] == share]
        x = period_axis("from", days, end=end, labels=share == "engagements")
        scale = alt.Scale(domain=[0, top], nice=True)
        base = alt.Chart().encode(tooltip=_tooltip())
        head = alt.Axis(
            title=f"Divergence of the mix of {share}",
            tickCount=3,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="start",
            titleX=0,
            titleY=-10,
        )
        y = alt.Y("divergence:Q", scale=scale, axis=head)
        band = base.mark_rect(style="optimove-link", opacity=1).encode(
            x=x,
            x2=alt.X2("to"),
            y=alt.Y("by_chance_95:Q", scale=scale, axis=head),
            y2=alt.Y2Datum(0),
        )
        middle = alt.X("middle:T", scale=x["scale"])
        stem = base.mark_rule(strokeWidth=2, opacity=0.6).encode(
            x=middle, y=y, y2=alt.Y2Datum(0), color=_colour()
        )
        dash = base.mark_text(style="optimove-note", dy=-6).encode(
            x=middle, y=alt.YDatum(0), text=alt.Text("nothing:N")
        )
        panels.append(
            alt.LayerChart(
                layer=[band, stem, *_dots(base, 45, x=middle, y=y), dash],
                data=inline(own),
            ).properties(width=width, height=_HEIGHT)
        )
    title = {"title": alt.Title(group.label, fontSize=13, offset=6)} if group.label else {}
    return vconcat(*panels, spacing=26, **title)


def rows(
    records: Sequence[Mapping[str, Any]], labels: Sequence[str], top: float, width: int
) -> alt.VConcatChart:
    """Draw a row a group that has one pair of periods: the mix of sends, then of engagements."""
    panels = []
    for share in ("sends", "engagements"):
        own = [dict(one) for one in records if one["share"] == share]
        axis = alt.Axis(labelLimit=180) if len(labels) > 1 else None
        y = alt.Y("group:N", sort=list(labels), title=None, axis=axis)
        scale = alt.Scale(domain=[0, top], nice=True)
        x = alt.X(
            "divergence:Q",
            title=None,
            scale=scale,
            axis=alt.Axis(tickCount=4, labels=share == "engagements", labelFlush=False),
        )
        base = alt.Chart().encode(y=y, tooltip=_tooltip())
        band = base.mark_bar(style="optimove-link", opacity=1, height={"band": 0.7}).encode(
            x=alt.X("by_chance_95:Q", scale=scale), x2=alt.X2Datum(0)
        )
        stem = base.mark_rule(strokeWidth=2, opacity=0.6).encode(
            x=x, x2=alt.X2Datum(0), color=_colour()
        )
        text = base.mark_text(style="optimove-value", align="left").encode(
            x=alt.XValue(width - _TEXT + 12), text=alt.Text("text:N")
        )
        panels.append(
            alt.LayerChart(
                layer=[band, stem, *_dots(base, 60, x=x), text], data=inline(own)
            ).properties(
                width=width - _TEXT,
                height=_ROW * len(labels),
                title=alt.Title(
                    f"Divergence of the mix of {share}", frame="group", fontSize=12, offset=4
                ),
            )
        )
    return vconcat(*panels, spacing=18)
