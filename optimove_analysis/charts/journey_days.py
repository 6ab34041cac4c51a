"""The days of a journey: their axis, the names left of them, and the pressure over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import hconcat, layer
from optimove_analysis.charts.journey_lanes import PRESSURE_DAYS, Span
from optimove_analysis.charts.theme import TOTAL_COLOUR

__all__ = ["GUTTER", "beside", "days", "ends", "name_text", "pressure_panel"]

GUTTER: Final = 110
"""Pixels left of the days, for names: in a panel of their own, since what zooms is cut off."""
_GAP: Final = 12
_PRESSURE: Final = 54  # pixels high
# Days of a year alike: the day and month, and the year below the first and each January. Hours, of
# which there are none here, have no label however far one zooms in.
_DAYS_AXIS: Final = (
    "utchours(datum.value) != 0 ? '' : datum.index == 0 || utcdayofyear(datum.value) == 1 ? "
    "[utcFormat(datum.value, '%-d %b'), utcFormat(datum.value, '%Y')] : "
    "utcFormat(datum.value, '%-d %b')"
)


def days(span: Span, **axis: Any) -> alt.X:  # noqa: ANN401 - passed on to alt.Axis
    """Return the axis of days; all panels have them in one field, so that one zoom moves all."""
    return alt.X(
        "day:T",
        title=None,
        scale=alt.Scale(type="utc", nice=False),
        axis=alt.Axis(
            labelExpr=_DAYS_AXIS,
            tickCount=max(2, span.width // 80),
            **axis,
        ),
    )


def ends(span: Span, **axis: Any) -> alt.Chart:  # noqa: ANN401 - passed on to alt.Axis
    """Return an unseen mark at both ends of the days: the axis goes from one to the other.

    A scale's own domain of days is an expression that Vega's interpreter cannot read, and pages
    whose policy forbids eval have nothing else.
    """
    both = [{"day": day.isoformat()} for day in span.ends]
    unseen: alt.Chart = (
        alt.Chart(inline(both)).mark_point(opacity=0, tooltip=None).encode(x=days(span, **axis))
    )
    return unseen


def name_text(chart: alt.Chart, style: str, dy: float, y: Any, **text: Any) -> alt.Chart:  # noqa: ANN401
    """Write a name left of the days; ``text`` is the mark's or, as ``field``, the data's."""
    field = text.pop("field", None)
    mark: alt.Chart = chart.mark_text(
        style=style,
        dy=dy,
        align="right",
        baseline="alphabetic",
        limit=GUTTER - _GAP,
        **text,
    ).encode(x=alt.XValue(GUTTER - _GAP), y=y)
    if field:
        mark = mark.encode(text=field)
    return mark


def beside(
    names: Sequence[alt.Chart], panel: alt.LayerChart | alt.FacetChart, height: float
) -> alt.HConcatChart:
    """Put names left of a panel of days."""
    gutter = layer(*names).properties(width=GUTTER - _GAP, height=height)
    # Not by their full bounds: the axis' first label would push one panel right of the others.
    return hconcat(gutter, panel, spacing=_GAP, bounds="flush")


def pressure_panel(steps: Sequence[Mapping[str, Any]], span: Span, view: str) -> alt.HConcatChart:
    """Draw how many messages were sent in the 7 days before each day, faint where not all known."""
    top = max((step["before"] for step in steps), default=0)
    records = [
        {
            **step,
            "when": " to ".join(sorted({step["day"], step["last"]})),
            "ink": 1 if step["whole"] else 0.4,
        }
        for step in steps
    ]
    data = alt.Chart(inline(records))
    bars = (
        data.properties(name=view)
        .mark_rect(clip=True, fill=TOTAL_COLOUR, stroke=TOTAL_COLOUR, strokeWidth=0.5)
        .encode(
            x=days(span, grid=True),
            x2=alt.X2("end"),
            y=alt.Y(
                "before:Q",
                title=None,
                scale=alt.Scale(domain=[0, max(top, 1)], nice=False),
                axis=alt.Axis(
                    orient="right", grid=False, values=sorted({0, max(top, 1)}), format=",d"
                ),
            ),
            y2=alt.Y2Datum(0),
            opacity=alt.Opacity("ink:Q", legend=None, scale=None),
            tooltip=[
                alt.Tooltip("when:N", title="Day"),
                alt.Tooltip(
                    "before:Q", title=f"Sent in the {PRESSURE_DAYS} days before", format=",d"
                ),
            ],
        )
    )
    one = alt.Chart(inline([{}]))
    names = [
        name_text(one, style, dy, alt.value(_PRESSURE / 2), text=text)
        for style, text, dy in (
            ("optimove-value", "Pressure", -6),
            ("optimove-note", "messages sent in", 8),
            ("optimove-note", f"the {PRESSURE_DAYS} days before", 21),
        )
    ]
    panel = layer(bars, ends(span, grid=True)).properties(width=span.width, height=_PRESSURE)
    return beside(names, panel, _PRESSURE)
