"""A journey's lanes: a mark a message by the stage it reached, and what is marked beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from optimove_analysis.charts import words
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.charts.journey_days import beside, days, ends, name_text
from optimove_analysis.charts.journey_key import SHAPES, in_ink, kind_of, side_scale
from optimove_analysis.charts.journey_lanes import PRESSURE_DAYS, Lane, Span, marks_above
from optimove_analysis.schema import JOURNEY, STAGES

__all__ = ["lane_records", "messages_panel"]


def lane_records(drawn: Sequence[Lane], loads: Mapping[dt.date, tuple[int, int]]) -> list[Any]:
    """Make a datum a message; ``loads`` has, of each day, its messages and those of 7 days before.

    Dates are ISO text, which is midnight UTC to JavaScript, and the scale is UTC too: so no reader
    west of Greenwich sees the day before.
    """
    records = []
    for lane in drawn:
        for message, row in zip(lane.messages, lane.rows, strict=True):
            kind, day = kind_of(message), message["send_date"]
            _, filled, area = SHAPES[kind]
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


def messages_panel(
    drawn: Sequence[Lane],
    records: Sequence[Mapping[str, Any]],
    palette: Mapping[str, str],
    span: Span,
    *,
    height: float,
    view: str,
) -> alt.HConcatChart:
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
    lane_data = alt.Chart(inline(names))
    line = lane_data.mark_rule(style="optimove-link", strokeWidth=1).encode(
        x=alt.XValue(0), x2=alt.X2Value(width), y=alt.Y("line:Q", axis=None)
    )
    texts = [
        name_text(lane_data, "optimove-value", -10, y, field="lane:N"),
        name_text(lane_data, "optimove-note", 4, y, field="note:N"),
    ]
    # All channels, not this customer's alone: panels beside each other share their scales.
    colours = alt.Scale(domain=list(palette), range=list(palette.values()))
    shapes = alt.Scale(domain=list(SHAPES), range=[shape for shape, _, _ in SHAPES.values()])
    data = alt.Chart(inline(list(records)))
    x = days(span, grid=True, labels=False)
    mark = (
        data.properties(name=view)
        .mark_point(clip=True, opacity=1, strokeWidth=1.3)
        .encode(
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
                alt.Tooltip(
                    "before:Q", title=f"Sent in the {PRESSURE_DAYS} days before", format=",d"
                ),
                alt.Tooltip("same_day:Q", title="Others sent the same day", format=",d"),
            ],
        )
    )
    sides = [
        {"day": one["day"], "what": what, "y": at, "area": (lane_pitch - 1) ** 2}
        for one in records
        for lane_pitch in (next(lane.pitch for lane in drawn if lane.name == one["lane"]),)
        for what, at in [
            *([("bounced", one["y"])] if one["bounced"] else []),
            *((above["what"], above["y"]) for above in one["above"]),
        ]
    ]
    layers = [line, mark, ends(span, grid=True, labels=False)]
    if sides:
        marked = alt.Chart(inline(sides)).encode(
            x=x,
            y=y,
            shape=alt.Shape("what:N", legend=None, scale=side_scale()),
            size=alt.Size("area:Q", legend=None, scale=None),
        )
        layers += in_ink(marked, "what", clip=True)
    panel = layer(*layers).resolve_scale(shape="independent")
    return beside(texts, panel.properties(width=width, height=height), height)
