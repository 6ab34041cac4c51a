"""How a journey is drawn: marks by stage, what is marked beside them, the pressure, the key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from optimove_analysis.charts import words
from optimove_analysis.charts.journey_lanes import PRESSURE_DAYS, Lane, Span, marks_above
from optimove_analysis.charts.theme import TOTAL_COLOUR
from optimove_analysis.schema import CONTROL_ACTION_ID, JOURNEY, STAGES

__all__ = ["KINDS", "key", "kind_of", "lane_records", "messages_panel", "pressure_panel"]

# More ink, further along: a tick, a ring, a disc, a lozenge. A path's unit is half the mark's width.
_SHAPES: Final[Mapping[str, tuple[str, bool, float]]] = {
    "sent": ("M0,-0.9L0,0.9", False, 1),
    "delivered": ("circle", False, 0.7),
    "opened": ("circle", True, 0.9),
    "clicked": ("M0,-1.1L1.1,0L0,1.1L-1.1,0Z", True, 1.5),
    "no known stage": ("M-0.8,0L0.8,0", False, 1),
    "control group, not sent": ("square", False, 0.6),
}
KINDS: Final = tuple(_SHAPES)
"""What a mark can be; each has a shape, whether it is filled, and an area in times the usual."""
# Upon or above the mark, in ink and not in the channel's colour.
_SIDES: Final[Mapping[str, tuple[str, bool]]] = {
    "bounced": ("M-0.8,-0.8L0.8,0.8M0.8,-0.8L-0.8,0.8", False),
    "unsubscribed": ("M-0.6,1L-0.6,-1L0.9,-0.4L-0.6,0.2Z", True),
    "spam complaint": ("triangle-down", True),
    "unknown event": ("M0,-0.8L0,0.8M-0.8,0L0.8,0", False),
}
_PRESSURE: Final = 54  # pixels high
_KEY_ROW: Final = 20
_LETTER: Final = 6.3  # pixels of the key's text, on average
# Days of a year alike: the day and month, and the year below the first and each January. Hours, of
# which there are none here, have no label however far one zooms in.
_DAYS_AXIS: Final = (
    "utchours(datum.value) != 0 ? '' : datum.index == 0 || utcdayofyear(datum.value) == 1 ? "
    "[utcFormat(datum.value, '%-d %b'), utcFormat(datum.value, '%Y')] : "
    "utcFormat(datum.value, '%-d %b')"
)


def kind_of(message: Mapping[str, Any]) -> str:
    """Name the mark of a message."""
    if message["action_id"] == CONTROL_ACTION_ID:
        return "control group, not sent"
    return message["stage"] or "no known stage"


def lane_records(drawn: Sequence[Lane], loads: Mapping[dt.date, tuple[int, int]]) -> list[Any]:
    """Make a datum a message; ``loads`` has, of each day, its messages and those of 7 days before.

    Dates are ISO text, which is midnight UTC to JavaScript, and the scale is UTC too: so no reader
    west of Greenwich sees the day before.
    """
    records = []
    for lane in drawn:
        for message, row in zip(lane.messages, lane.rows, strict=True):
            kind, day = kind_of(message), message["send_date"]
            _, filled, area = _SHAPES[kind]
            y = lane.floor - row * lane.pitch
            that_day, before = loads[day]
            counted = kind not in {"no known stage", "control group, not sent"}
            records.append(
                {
                    "lane": lane.name,
                    "day": day.isoformat(),
                    "y": y,
                    "kind": kind,
                    "filled": float(filled),
                    "area": area * (lane.pitch - 1.5) ** 2,
                    "bounced": "bounced" in (message["side_events"] or "").split(", "),
                    "above": [
                        {"what": what, "y": y - place * lane.pitch}
                        for place, what in enumerate(marks_above(message["side_events"]), start=1)
                    ],
                    "also": message["side_events"] or "nothing",
                    "days": _days(message),
                    "before": before,
                    "same_day": max(that_day - counted, 0),
                    **{
                        name: "(none)" if message[name] is None else str(message[name])
                        for name in ("campaign_id", "action_id", "template_id")
                    },
                }
            )
    return records


def _days(message: Mapping[str, Any]) -> str:
    days, stage = message["days"], message["stage"]
    if days is None or stage == STAGES[0]:
        return words.NO_ANSWER
    return f"{stage} on the day itself" if days == 0 else f"{stage} after {days:,} d"


def _x(field: str, span: Span, **axis: Any) -> alt.X:  # noqa: ANN401 - passed on to alt.Axis
    ends = [alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True) for day in span.ends]
    return alt.X(
        f"{field}:T",
        title=None,
        scale=alt.Scale(type="utc", nice=False, domain=ends),
        axis=alt.Axis(
            labelExpr=_DAYS_AXIS,
            tickCount=max(2, span.width // 80),
            **axis,
        ),
    )


def messages_panel(
    drawn: Sequence[Lane],
    records: Sequence[Mapping[str, Any]],
    palette: Mapping[str, str],
    span: Span,
    height: float,
) -> alt.LayerChart:
    """Draw the lanes: their names and lines, a mark a message, what is marked beside it."""
    width = span.width
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height], nice=False))
    names = [
        {
            "lane": lane.name,
            "y": lane.floor,
            "note": words.plural(len(lane.messages), "message"),
            "line": lane.floor + lane.pitch / 2 + 1,
        }
        for lane in drawn
    ]
    lane_data = alt.Chart(alt.InlineData(values=names))
    line = lane_data.mark_rule(style="optimove-link", strokeWidth=1).encode(
        x=alt.value(0), x2=alt.value(width), y=alt.Y("line:Q", axis=None)
    )
    left = {"align": "right", "baseline": "alphabetic", "limit": 150}
    name = lane_data.mark_text(style="optimove-value", dy=-10, **left).encode(
        x=alt.value(-12), y=y, text="lane:N"
    )
    note = lane_data.mark_text(style="optimove-note", dy=4, **left).encode(
        x=alt.value(-12), y=y, text="note:N"
    )
    used = [lane.name for lane in drawn]
    colours = alt.Scale(domain=used, range=[palette[name] for name in used])
    shapes = alt.Scale(domain=list(_SHAPES), range=[shape for shape, _, _ in _SHAPES.values()])
    data = alt.Chart(alt.InlineData(values=list(records)))
    x = _x("day", span, grid=True, labels=False)
    mark = data.mark_point(clip=True, opacity=1, strokeWidth=1.3).encode(
        x=x,
        y=y,
        fill=alt.Fill("lane:N", legend=None, scale=colours),
        stroke=alt.Stroke("lane:N", legend=None, scale=colours),
        fillOpacity=alt.FillOpacity("filled:Q", legend=None, scale=None),
        shape=alt.Shape("kind:N", legend=None, scale=shapes),
        size=alt.Size("area:Q", legend=None, scale=None),
        tooltip=[
            alt.Tooltip("lane:N", title=JOURNEY.label("channel")),
            alt.Tooltip("day:N", title=JOURNEY.label("send_date")),
            alt.Tooltip("campaign_id:N", title=JOURNEY.label("campaign_id")),
            alt.Tooltip("action_id:N", title=JOURNEY.label("action_id")),
            alt.Tooltip("template_id:N", title=JOURNEY.label("template_id")),
            alt.Tooltip("kind:N", title=JOURNEY.label("stage")),
            alt.Tooltip("days:N", title=JOURNEY.label("days")),
            alt.Tooltip("also:N", title=JOURNEY.label("side_events")),
            alt.Tooltip("before:Q", title=f"Sent in the {PRESSURE_DAYS} days before", format=",d"),
            alt.Tooltip("same_day:Q", title="Others sent the same day", format=",d"),
        ],
    )
    beside = [
        {"day": one["day"], "what": what, "y": at, "area": (lane_pitch - 1) ** 2}
        for one in records
        for lane_pitch in (next(lane.pitch for lane in drawn if lane.name == one["lane"]),)
        for what, at in [
            *([("bounced", one["y"])] if one["bounced"] else []),
            *((above["what"], above["y"]) for above in one["above"]),
        ]
    ]
    layers = [line, mark]
    if beside:
        sides = alt.Chart(alt.InlineData(values=beside)).encode(
            x=x,
            y=y,
            shape=alt.Shape("what:N", legend=None, scale=_side_scale()),
            size=alt.Size("area:Q", legend=None, scale=None),
        )
        layers += _in_ink(sides, "what", clip=True)
    layers += [name, note]
    panel: alt.LayerChart = (
        alt.layer(*layers).resolve_scale(shape="independent").properties(width=width, height=height)
    )
    return panel


def _side_scale() -> alt.Scale:
    return alt.Scale(domain=list(_SIDES), range=[shape for shape, _ in _SIDES.values()])


def _in_ink(chart: alt.Chart, field: str, **mark: Any) -> list[alt.Chart]:  # noqa: ANN401 - of marks
    """Draw those that are filled and those that are lines, both in the ink of the text."""
    return [
        chart.transform_filter(
            alt.FieldOneOfPredicate(
                field, [name for name, (_, full) in _SIDES.items() if full is filled]
            )
        ).mark_point(style="optimove-interval", filled=filled, opacity=1, **mark)
        for filled in (True, False)
    ]


def pressure_panel(steps: Sequence[Mapping[str, Any]], span: Span) -> alt.LayerChart:
    """Draw how many messages were sent in the 7 days before each day, faint where not all known."""
    top = max((step["before"] for step in steps), default=0)
    records = [
        {
            **step,
            "when": step["first"] if step["first"] == step["last"] else f"{step['first']} to "
            f"{step['last']}",
            "ink": 0.75 if step["whole"] else 0.3,
        }
        for step in steps
    ]
    data = alt.Chart(alt.InlineData(values=records))
    bars = data.mark_rect(clip=True, color=TOTAL_COLOUR).encode(
        x=_x("first", span, grid=True),
        x2="end",
        y=alt.Y(
            "before:Q",
            title=None,
            scale=alt.Scale(domain=[0, max(top, 1)], nice=False),
            axis=alt.Axis(
                orient="right", grid=False, values=sorted({0, max(top, 1)}), format=",d"
            ),
        ),
        y2=alt.datum(0),
        opacity=alt.Opacity("ink:Q", legend=None, scale=None),
        tooltip=[
            alt.Tooltip("when:N", title="Day"),
            alt.Tooltip("before:Q", title=f"Sent in the {PRESSURE_DAYS} days before", format=",d"),
        ],
    )
    one = alt.Chart(alt.InlineData(values=[{"name": "Pressure"}]))
    left = {"align": "right", "baseline": "alphabetic"}
    texts = [
        one.mark_text(style=style, text=text, **left).encode(
            x=alt.value(-12), y=alt.value(_PRESSURE / 2 + dy)
        )
        for style, text, dy in (
            ("optimove-value", "Pressure", -6),
            ("optimove-note", "messages sent in", 8),
            ("optimove-note", f"the {PRESSURE_DAYS} days before", 21),
        )
    ]
    panel: alt.LayerChart = alt.layer(bars, *texts).properties(width=span.width, height=_PRESSURE)
    return panel


def key(kinds: Sequence[str], sides: Sequence[str], width: int) -> alt.LayerChart:
    """Draw what each mark means, of those that are there, in as many lines as need be."""
    x, y, records = 6.0, _KEY_ROW / 2, []
    for name in [*(kind for kind in KINDS if kind in kinds), *(s for s in _SIDES if s in sides)]:
        needs = 26 + len(name) * _LETTER
        if x > 6 and x + needs > width:  # noqa: PLR2004 - not the first of a line
            x, y = 6.0, y + _KEY_ROW
        _, filled, area = _SHAPES.get(name, ("", False, 0.8))
        records.append({"what": name, "x": x, "y": y, "filled": filled, "area": area * 90})
        x += needs
    height = y + _KEY_ROW / 2
    place = {
        "x": alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], nice=False)),
        "y": alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height])),
    }
    shapes = {**{name: shape for name, (shape, _, _) in _SHAPES.items()}} | {
        name: shape for name, (shape, _) in _SIDES.items()
    }
    data = alt.Chart(alt.InlineData(values=records))
    marks = data.encode(
        **place,
        shape=alt.Shape(
            "what:N",
            legend=None,
            scale=alt.Scale(domain=list(shapes), range=list(shapes.values())),
        ),
        size=alt.Size("area:Q", legend=None, scale=None),
    )
    stages = [
        marks.transform_filter(
            alt.FieldOneOfPredicate(
                "what", [name for name, (_, full, _) in _SHAPES.items() if full is filled]
            )
        ).mark_point(style="optimove-note", filled=filled, opacity=1, strokeWidth=1.3)
        for filled in (True, False)
    ]
    text = data.mark_text(style="optimove-note", align="left", dx=10).encode(**place, text="what:N")
    drawn: alt.LayerChart = alt.layer(*stages, *_in_ink(marks, "what"), text).properties(
        width=width, height=height
    )
    return drawn
