"""One group's panel of a frequency chart: the rate by level above, the messages below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.headings import heading
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer, vconcat
from optimove_analysis.charts.theme import PERCENT_AXIS, SMALL_COLOUR
from optimove_analysis.schema import FREQUENCY

__all__ = ["Scales", "panel"]

_RATE: Final = 130  # pixels of the rate's height
_BARS: Final = 60
_ABOVE: Final = 15  # pixels of it for the numbers over the bars
_AXIS: Final = 52
"""Pixels that every y axis takes, so that all panels of a column begin at one place."""
_DIGIT: Final = 5.8  # pixels of a digit of a note
_UNKNOWN: Final = 40  # pixels from the last level's middle to that of the unknown
_AIR: Final = 0.5  # of a level's place: before the first and after the last
_HALF: Final = 0.32  # of a level's place: half a bar
_INK: Final = alt.Color("colour:N", scale=None)
"""Panels differ in colour: the datum holds its own."""
_BEYOND: Final = ["on the axis", "above the axis"]


@dataclass(frozen=True, slots=True)
class Scales:
    """What all panels have in common."""

    width: int
    last: int
    """The highest level, and so the last place of those that are known."""
    levels: Mapping[int, str]
    """Each place and what stands under it."""
    unknown: float | None
    """The place of unknown pressure, if there is any."""
    most: int
    """Messages of the largest level."""

    @classmethod
    def of(cls, parts: Sequence[pl.DataFrame], width: int) -> Scales:
        """Find the places of all levels, those included that do not occur."""
        known: dict[int, str] = {}
        for rows in parts:
            some = rows.filter(pl.col("pressure").is_not_null())
            known |= dict(zip(some["pressure"], some["level"], strict=True))
        last = max(known, default=0)
        unsure = any(rows["pressure"].null_count() for rows in parts)
        most = max(int(max(rows["n"].drop_nulls(), default=0)) for rows in parts)
        # Unknown is no level after the last: it stands apart, and has room for its name.
        apart = max(1.6, (last + 1) * _UNKNOWN / max(width - _UNKNOWN, 1))
        return cls(width, last, known, last + apart if unsure else None, most)

    @property
    def end(self) -> float:
        """Where the axis ends."""
        return _AIR + (self.last if self.unknown is None else self.unknown)

    def holds(self, texts: Sequence[str]) -> bool:
        """Whether such texts have room over every level."""
        longest = max(map(len, texts), default=0)
        return self.width / (self.end + _AIR) >= longest * _DIGIT + 2

    def x(self, field: str, *, labels: bool) -> alt.X:
        """Return the axis of levels; a level that does not occur keeps its place."""
        step = math.ceil((self.last + 1) * 20 / self.width)
        ticks: list[float] = [*range(0, self.last, step), self.last]
        if len(ticks) > 1 and self.last - ticks[-2] < step:
            del ticks[-2:-1]
        text = f"datum.value == {self.last} ? '{self.levels.get(self.last, '')}'"
        if self.unknown is not None:
            ticks.append(self.unknown)
            text = f"datum.value > {self.last} ? 'unknown' : {text}"
        return alt.X(
            field,
            title=None,
            scale=alt.Scale(domain=[-_AIR, self.end], nice=False),
            axis=alt.Axis(
                values=ticks,
                grid=False,
                labels=labels,
                labelExpr=f"{text} : format(datum.value, 'd')",
                labelOverlap=False,
            ),
        )


def panel(group: Group, colour: str, scales: Scales, said: str) -> alt.VConcatChart:
    """Draw one group's panel under its name, and what is said of the same customer."""
    rows = list(group.rows.iter_rows(named=True))
    top = _top(rows)
    records = [_record(group, row, colour, scales, top) for row in rows]
    # A line joins neighbours that both have enough messages.
    for record, before in zip(records[1:], records, strict=False):
        joined = record["joins"] and before["joins"] and record["at"] - before["at"] == 1
        record["run"] = before["run"] + (0 if joined else 1)
    data = inline(records)
    above = layer(*_rate(scales, colour, top), data=data)
    name = heading(group.label, left=_AXIS + 8, width=scales.width, said=said)
    below = layer(*_bars(scales), data=data)
    return vconcat(
        layer(above, *name).properties(width=scales.width, height=_RATE),
        below.properties(width=scales.width, height=_BARS),
        spacing=6,
    )


def _top(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the end of the rate's axis: few messages have wide intervals, which set none."""
    sure = [row for row in rows if not row["small"]] or rows
    ends = [end for row in sure for end in (row["hi"], row["value"]) if end is not None]
    return min(max(ends, default=1) * 1.18 or 1, 1.12)  # room for the number above


def _record(
    group: Group, row: Mapping[str, Any], colour: str, scales: Scales, top: float
) -> dict[str, Any]:
    # There is a place for the unknown where any row is of it.
    at = float((scales.unknown or 0) if row["pressure"] is None else row["pressure"])
    value, low, high = row["value"], row["lo"], row["hi"]
    beyond = value is not None and value > top
    known = row["pressure"] is not None
    return {
        "group": group.label,
        "level": row["level"],
        "at": at,
        "from": at - _HALF,
        "to": at + _HALF,
        **{name: row[name] for name in ("k", "n", "value", "lo", "hi", "mean_pressure")},
        "drawn": top if beyond else value,
        "drawn_lo": None if low is None else min(low, top),
        "drawn_hi": None if high is None else min(high, top),
        "beyond": _BEYOND[int(beyond)],
        "colour": SMALL_COLOUR if row["small"] else colour,
        "small": row["small"],
        "joins": known and value is not None and not row["small"],
        "run": 0,
        "value_text": "" if value is None or row["small"] else words.percent(value),
        "n_text": words.count(row["n"]),
        "k_of_n": words.k_of_n(row["k"], row["n"], value),
        "interval": words.interval(low, high),
        "n_same_day": row["n_same_day"],
        "customers": row["customers"],
    }


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("level:N", title=FREQUENCY.label("pressure")),
        alt.Tooltip("k_of_n:N", title=FREQUENCY.label("value")),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("mean_pressure:Q", title=FREQUENCY.label("mean_pressure"), format=".2f"),
        alt.Tooltip("n_same_day:Q", title=FREQUENCY.label("n_same_day"), format=",d"),
        alt.Tooltip("customers:Q", title=FREQUENCY.label("customers"), format=",d"),
    ]


def _rate(scales: Scales, colour: str, top: float) -> list[alt.Chart]:
    x = scales.x("at:Q", labels=False)
    scale = alt.Scale(domain=[0, top], nice=False)
    axis = alt.Axis(
        labelExpr=PERCENT_AXIS, tickCount=4, minExtent=_AXIS, maxExtent=_AXIS, title=None
    )
    y = alt.Y("drawn:Q", scale=scale, axis=axis)
    base = alt.Chart()
    sure = base.transform_filter(alt.datum.joins)
    line = sure.mark_line(strokeWidth=2, opacity=0.5, color=colour).encode(
        x=x, y=y, detail=alt.Detail("run:N")
    )
    faint = alt.when(alt.datum.small).then(alt.value(0.35)).otherwise(alt.value(1))
    interval = base.mark_rule(style="optimove-interval").encode(
        x=x, y=alt.Y("drawn_lo:Q", scale=scale, axis=axis), y2=alt.Y2("drawn_hi"), opacity=faint
    )
    shapes = alt.Scale(domain=_BEYOND, range=["circle", "triangle-up"])
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=x,
        y=y,
        color=_INK,
        shape=alt.Shape("beyond:N", scale=shapes, legend=None),
        tooltip=_tooltip(),
    )
    layers = [line, interval, dot]
    if scales.holds(["00.0 %"]):
        text = base.mark_text(style="optimove-note", dy=-8).encode(
            x=x, y=alt.Y("drawn_hi:Q", scale=scale, axis=axis), text=alt.Text("value_text:N")
        )
        layers.append(text)
    return layers


def _bars(scales: Scales) -> list[alt.Chart]:
    x = scales.x("from:Q", labels=True)
    # All that is drawn stays in the panel, so that panels side by side are of one height.
    scale = alt.Scale(domain=[0, scales.most * _BARS / (_BARS - _ABOVE)], nice=False)
    written = scales.holds([words.count(scales.most)])
    axis = alt.Axis(
        grid=not written,
        labels=not written,
        values=[scales.most],
        labelExpr="format(datum.value, ',d')",
        minExtent=_AXIS,
        maxExtent=_AXIS,
        title="Messages" if written else None,
        titleAngle=0,
        titleAlign="right",
        titleX=-8,
        titleY=_BARS - 4,
    )
    base = alt.Chart()
    bar = base.mark_rect(opacity=0.75, tooltip={"content": "encoding"}).encode(
        x=x,
        x2=alt.X2("to"),
        y=alt.Y("n:Q", scale=scale, axis=axis),
        y2=alt.Y2Datum(0),
        color=_INK,
        tooltip=_tooltip(),
    )
    if not written:
        return [bar]
    text = base.mark_text(style="optimove-note", dy=-7).encode(
        x=scales.x("at:Q", labels=True),
        y=alt.Y("n:Q", scale=scale, axis=axis),
        text=alt.Text("n_text:N"),
    )
    return [bar, text]
