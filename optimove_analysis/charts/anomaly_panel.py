"""One group's panel of days: the delivery rate above, the messages of each day below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from optimove_analysis.charts import words
from optimove_analysis.charts.anomaly_labels import day_of, drop_of, placed, points_of
from optimove_analysis.charts.day_axis import DayAxis
from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.headings import heading
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer, vconcat
from optimove_analysis.charts.periods import day_after
from optimove_analysis.charts.theme import PERCENT_AXIS, SMALL_COLOUR
from optimove_analysis.schema import ANOMALIES

__all__ = ["anomaly_panel"]

_RATE: Final = 130  # pixels of the rate's height
_COUNTS: Final = 34
_AXIS: Final = 52
_INK: Final = alt.Color("colour:N", scale=None)
_BEYOND: Final = ["on the axis", "below the axis"]
_NO_SCALE: Final = {"small", "immature", "no data"}
"""Days of so few messages say nothing of how far the axis must go."""


def anomaly_panel(group: Group, colour: str, days: DayAxis) -> alt.VConcatChart:
    """Draw one group's panel under its name."""
    rows = sorted(group.rows.iter_rows(named=True), key=lambda row: row["send_date"])
    low = _low(rows)
    records = [_record(group.label, row, colour, low) for row in rows]
    for record, before, row, last in zip(records[1:], records, rows[1:], rows, strict=False):
        joined = record["joins"] and before["joins"]
        follows = row["send_date"] == day_after(last["send_date"])
        record["run"] = before["run"] + (0 if joined and follows else 1)
    data = inline(records)
    upper = layer(
        *_rate(data, days, colour, low),
        *_labels(rows, days, low),
        *heading(group.label, left=_AXIS + 8, width=days.width),
    ).properties(width=days.width, height=_RATE)
    lower = layer(*_counts(data, days, rows)).properties(width=days.width, height=_COUNTS)
    return vconcat(upper, lower, spacing=10)


def _low(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the bottom of the rate's axis, a round number below all but the small days."""
    sure = [row for row in rows if row["status"] not in _NO_SCALE] or rows
    ends = [row[name] for row in sure for name in ("rate", "lo") if row[name] is not None]
    tested = [row["expected"] for row in sure if row["p"] is not None]
    least = min([*ends, *tested], default=0)
    return min(math.floor(least * 10) / 10, 0.9)


def _record(label: str, row: Mapping[str, Any], colour: str, low: float) -> dict[str, Any]:
    rate, tested = row["rate"], row["p"] is not None
    faint = row["status"] in _NO_SCALE
    below = rate is not None and rate < low
    return {
        "group": label,
        # Midnight UTC to JavaScript, on a scale in UTC: no reader sees the day before.
        "day": row["send_date"].isoformat(),
        "next": day_after(row["send_date"]).isoformat(),
        # A mark stands in the middle of its day.
        "noon": f"{row['send_date'].isoformat()}T12:00:00Z",
        "status": row["status"],
        **{name: row[name] for name in ("rate", "lo", "hi", "k", "n", "expected", "drop", "p")},
        "n_immature": row["n_immature"],
        "total": (row["n"] or 0) + row["n_immature"],
        "drawn": low if below else rate,
        "drawn_lo": None if row["lo"] is None else max(row["lo"], low),
        "drawn_hi": None if row["hi"] is None else max(row["hi"], low),
        "dash": max(row["expected"], low) if tested else None,
        "beyond": _BEYOND[int(below)],
        "colour": SMALL_COLOUR if faint else colour,
        "faint": faint,
        "odd": row["status"] == "anomaly",
        "joins": rate is not None and not faint,
        "run": 0,
        "day_text": day_of(row["send_date"]),
        "k_of_n": words.k_of_n(row["k"], row["n"], rate) if rate is not None else words.NO_ANSWER,
        "interval": words.interval(row["lo"], row["hi"]),
        "expected_text": words.percent(row["expected"]),
        "p_text": f"{row['p']:.2g}" if tested else "not tested",
    }


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("day_text:N", title=ANOMALIES.label("send_date")),
        alt.Tooltip("status:N", title=ANOMALIES.label("status")),
        alt.Tooltip("k_of_n:N", title=ANOMALIES.label("rate")),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("expected_text:N", title=ANOMALIES.label("expected")),
        alt.Tooltip("p_text:N", title=ANOMALIES.label("p")),
        alt.Tooltip("n_immature:Q", title=ANOMALIES.label("n_immature"), format=",d"),
    ]


def _scale(low: float) -> tuple[alt.Scale, alt.Axis]:
    scale = alt.Scale(domain=[low, 1], nice=False, zero=False)
    axis = alt.Axis(
        labelExpr=PERCENT_AXIS, tickCount=4, minExtent=_AXIS, maxExtent=_AXIS, title=None
    )
    return scale, axis


def _rate(data: alt.InlineData, days: DayAxis, colour: str, low: float) -> list[alt.Chart]:
    scale, axis = _scale(low)
    x = days.x("noon:T", labels=False)
    base = alt.Chart(data)
    y = alt.Y("drawn:Q", title=None, scale=scale, axis=axis)
    known = base.transform_filter("isValid(datum.drawn)")
    sure = base.transform_filter(alt.datum.joins)
    line = sure.mark_line(strokeWidth=1.25, opacity=0.6, color=colour).encode(
        x=x, y=y, detail=alt.Detail("run:N")
    )
    interval = sure.mark_rule(opacity=0.4, strokeWidth=1.25).encode(
        x=x,
        y=alt.Y("drawn_lo:Q", title=None, scale=scale, axis=axis),
        y2=alt.Y2("drawn_hi"),
        color=_INK,
    )
    dash = (
        base.transform_filter("isValid(datum.dash)")
        .mark_point(style="optimove-dash", shape="stroke", size=45, strokeWidth=1.5, opacity=1)
        .encode(x=x, y=alt.Y("dash:Q", title=None, scale=scale, axis=axis))
    )
    shapes = alt.Scale(domain=_BEYOND, range=["circle", "triangle-down"])
    dot = known.mark_point(filled=True).encode(
        x=x,
        y=y,
        color=_INK,
        size=alt.when(alt.datum.faint).then(alt.value(9)).otherwise(alt.value(26)),
        opacity=alt.when(alt.datum.faint).then(alt.value(0.6)).otherwise(alt.value(1)),
        shape=alt.Shape("beyond:N", scale=shapes, legend=None),
        tooltip=_tooltip(),
    )
    ring = (
        base.transform_filter(alt.datum.odd)
        .mark_point(style="optimove-ring", size=120, strokeWidth=1.75, opacity=1)
        .encode(x=x, y=y, tooltip=_tooltip())
    )
    return [line, interval, dash, dot, ring]


def _labels(rows: Sequence[Mapping[str, Any]], days: DayAxis, low: float) -> list[alt.Chart]:
    odd = sorted((row for row in rows if row["status"] == "anomaly"), key=lambda row: -row["drop"])
    marks = [
        (
            days.pixels(row["send_date"]),
            (1 - row["rate"]) / (1 - low) * _RATE,
            [
                f"{day_of(row['send_date'])}: {drop_of(row)}",
                f"{day_of(row['send_date'])}: {points_of(row)} below",
            ],
        )
        for row in odd
    ]
    labels = placed(marks, days.width, _RATE)
    return [
        alt.Chart(inline([{"label": label.text}]))
        .mark_text(style="optimove-value", align="right" if label.ends else "left", fontSize=11)
        .encode(x=alt.XValue(label.at), y=alt.YValue(label.middle), text=alt.Text("label:N"))
        for label in labels
    ]


def _counts(
    data: alt.InlineData, days: DayAxis, rows: Sequence[Mapping[str, Any]]
) -> list[alt.Chart]:
    most = max((row["n"] or 0) + row["n_immature"] for row in rows)
    scale = alt.Scale(domain=[0, most], nice=False)
    axis = alt.Axis(
        values=[most],
        grid=False,
        labelExpr="format(datum.value, ',d')",
        minExtent=_AXIS,
        maxExtent=_AXIS,
        title="Messages",
        titleAngle=0,
        titleAlign="right",
        titleX=-8,
        titleY=_COUNTS - 6,
    )
    x = days.x("day:T", labels=True)
    base = alt.Chart(data)
    mature = base.mark_rect().encode(
        x=x,
        x2=alt.X2("next:T"),
        y=alt.Y("n:Q", scale=scale, axis=axis),
        y2=alt.Y2Datum(0),
        color=_INK,
        tooltip=_tooltip(),
    )
    immature = (
        base.transform_filter(alt.datum.n_immature > 0)
        .mark_rect(opacity=0.35)
        .encode(
            x=x,
            x2=alt.X2("next:T"),
            y=alt.Y("total:Q", scale=scale, axis=axis),
            y2=alt.Y2("n:Q"),
            color=_INK,
            tooltip=_tooltip(),
        )
    )
    return [mature, immature]
