"""The steps of a waterfall: where each bar begins and ends, and its number in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from optimove_analysis.charts import words
from optimove_analysis.charts.forest import (
    Column,
    Layers,
    axis_over,
    columns_of_text,
    nothing,
    whole_width,
)
from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.charts.signed import points, points_interval, signed_ratio
from optimove_analysis.schema import EXPLAIN_CHANGE, MEAN_OPENS

__all__ = ["MIX", "Steps", "draw"]

MIX: Final = "\0mix"
"""The key of the colour of what is no channel's: no channel is called so."""

_ROW: Final = 28
_NUMBER: Final = 52  # pixels beyond the axis for the number beside the last bar
_NAME: Final = 6.4
_LONGEST: Final = 190


@dataclass(frozen=True, slots=True)
class Steps:
    """A group's way from the rate before to the rate after."""

    head: str
    name: str
    answered: bool
    records: list[dict[str, Any]]
    said: str
    """The whole change, or why there is no answer."""
    sentence: str

    @classmethod
    def of(cls, group: Group) -> Steps:
        """Lay the effects off, one after another, from the rate before."""
        rows = list(group.rows.iter_rows(named=True))
        totals = [row for row in rows if row["channel"] is None]
        channels = [row for row in rows if row["channel"] is not None]
        name = rows[0]["rate"]
        if not totals or totals[0]["change"] is None:
            notes = [note for note in (totals[0]["notes"] if totals else []) if "No answer" in note]
            why = notes[0] if notes else "No answer: the row of all channels is not there."
            return cls(group.label, name, False, [], why, why)
        total = totals[0]
        # The largest effect first; of equals, in the order of the table.
        channels.sort(key=lambda row: -abs(row["rate_effect"]))
        level, records = total["rate_before"], []
        records.append(_end("Before", total, "before"))
        for row, effect, label in [
            (total, "mix_effect", "Mix of channels"),
            *((row, "rate_effect", f"Rate of {row['channel']}") for row in channels),
        ]:
            records.append(_step(row, effect, label, level))
            level += row[effect]
        records.append(_end("After", total, "after"))
        for place, record in enumerate(records):
            record["place"] = place
            record["next"] = place + 1 if place + 1 < len(records) else place
        return cls(group.label, name, True, records, _in_all(total), _sentence(total, channels))


def _value(name: str, value: float | None) -> str:
    return words.ratio(value) if name == MEAN_OPENS else words.percent(value)


def _effect(name: str, value: float | None) -> str:
    return signed_ratio(value) if name == MEAN_OPENS else points(value, unit=False)


def _ends(row: Mapping[str, Any], effect: str) -> str:
    low, high = row[f"{effect}_lo"], row[f"{effect}_hi"]
    if low is None or high is None:
        return ""
    if row["rate"] == MEAN_OPENS:
        return f"{signed_ratio(low)} to {signed_ratio(high)}"
    return points_interval(low, high)


def _end(label: str, total: Mapping[str, Any], period: str) -> dict[str, Any]:
    rate, k, n = (total[f"{name}_{period}"] for name in ("rate", "k", "n"))
    return {
        "name": label,
        "kind": "end",
        "colour": MIX,
        "small": bool(total["small"]),
        "from": rate,
        "to": rate,
        "right": rate,
        "number": _value(total["rate"], rate),
        "interval": "",
        "rates": f"{k:,} of {n:,}",
        "tip": f"{k:,} / {n:,} = {_value(total['rate'], rate)}",
    }


def _in_all(total: Mapping[str, Any]) -> str:
    """Say the whole change, which is what the bars add up to."""
    name = total["rate"]
    unit = "" if name == MEAN_OPENS else " points"
    ends = " to ".join(_value(name, total[f"rate_{period}"]) for period in ("before", "after"))
    interval = _in_brackets(_ends(total, "change"))
    return f"From {ends}: {_effect(name, total['change'])}{unit}{interval}."


def _step(row: Mapping[str, Any], effect: str, label: str, level: float) -> dict[str, Any]:
    is_mix = effect == "mix_effect"
    before, after = (_value(row["rate"], row[f"rate_{period}"]) for period in ("before", "after"))
    rates = "" if is_mix else f"{before} to {after}"
    shares = " to ".join(words.percent(row[f"share_{period}"]) for period in ("before", "after"))
    return {
        "name": label,
        "kind": "step",
        "colour": MIX if is_mix else words.FEW if row["small"] else row["channel"],
        "small": bool(row["small"]) and not is_mix,
        "from": level,
        "to": level + row[effect],
        "right": max(level, level + row[effect]),
        effect: row[effect],
        "number": _effect(row["rate"], row[effect]),
        "interval": _ends(row, effect),
        "rates": rates,
        "tip": "All channels" if is_mix else f"Share {shares}, rate {rates}",
    }


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _sentence(total: Mapping[str, Any], channels: Sequence[Mapping[str, Any]]) -> str:
    name = total["rate"]
    unit = "" if name == MEAN_OPENS else " points"
    effects = [
        f"{_effect(name, total[effect])}{unit} {what}{_in_brackets(_ends(total, effect))}"
        for effect, what in (("mix_effect", "by the mix"), ("rate_effect", "by the rates"))
    ]
    most = ""
    if channels:
        first = channels[0]
        most = f" The most by one rate: {first['channel']}, {_effect(name, first['rate_effect'])}."
    return f"{_in_all(total)} Of it {words.listed(effects)}.{most}"


def draw(
    steps: Sequence[Steps], palette: Mapping[str, str], width: int
) -> tuple[list[Layers | alt.Chart], int]:
    """Draw the panels, in line with each other; return them and the pixels that one takes."""
    records = [record for one in steps for record in one.records]
    texts = [
        Column.of("interval", f"95{words.NBSP}% interval", records),
        Column.of("rates", "Rate, before to after", records),
    ]
    longest = max((len(record["name"]) for record in records), default=0)
    names = min(round(longest * _NAME) + 12, _LONGEST)
    pictures = [
        _panel(one, palette, texts, width, names) if one.answered else _none(one, width)
        for one in steps
    ]
    return pictures, whole_width(width + _NUMBER, texts, names)


def _none(one: Steps, width: int) -> alt.Chart:
    panel: alt.Chart = nothing("No answer", width)
    if one.head:
        panel = panel.properties(
            title=alt.Title(one.head, subtitle=one.said, fontSize=13, offset=8)
        )
    return panel


def _panel(
    one: Steps, palette: Mapping[str, str], texts: Sequence[Column], width: int, names: int
) -> Layers:
    levels = [record[end] for record in one.records for end in ("from", "to")]
    axis = axis_over(levels, most=None if one.name == MEAN_OPENS else max(1.0, *levels))
    used = sorted({record["colour"] for record in one.records})
    colour = alt.Color(
        "colour:N",
        legend=None,
        scale=alt.Scale(domain=used, range=[palette[name] for name in used]),
    )
    marked = axis.drawn(percent=one.name != MEAN_OPENS)
    place: dict[str, Any] = {"scale": axis.scale, "axis": marked, "title": None}
    start, end, right = (alt.X(f"{name}:Q", **place) for name in ("from", "to", "right"))
    rows = alt.Scale(domain=[-0.5, len(one.records) - 0.5], reverse=True, nice=False, zero=False)
    y = alt.Y("place:Q", scale=rows, axis=None)
    tooltip = [
        alt.Tooltip("name:N", title="Step"),
        alt.Tooltip("number:N", title=EXPLAIN_CHANGE.label("change")),
        alt.Tooltip("interval:N", title=f"95{words.NBSP}% interval"),
        alt.Tooltip("tip:N", title="Of"),
    ]
    base = alt.Chart()
    steps = base.transform_filter("datum.kind === 'step'")
    ends = base.transform_filter("datum.kind === 'end'")
    bold: dict[str, Any] = {"style": "optimove-value", "align": "left", "fontWeight": "bold"}
    plain: dict[str, Any] = {"style": "optimove-value", "align": "left"}
    left = alt.value(-names)
    layers: Layers = layer(
        base.mark_rule(style="optimove-par").encode(x=end, y=y, y2=alt.Y2("next")),
        steps.mark_bar(height=16).encode(
            x=start, x2=alt.X2("to"), y=y, color=colour, tooltip=tooltip
        ),
        ends.mark_tick(thickness=4, height=20, style="optimove-value", opacity=1).encode(
            x=start, y=y, tooltip=tooltip
        ),
        ends.mark_text(**bold, dx=8).encode(x=right, y=y, text=alt.Text("number:N")),
        steps.mark_text(**plain, dx=6).encode(x=right, y=y, text=alt.Text("number:N")),
        ends.mark_text(**bold).encode(x=left, y=y, text=alt.Text("name:N")),
        steps.mark_text(**plain, limit=names - 6).encode(x=left, y=y, text=alt.Text("name:N")),
        *columns_of_text(y, width + _NUMBER, texts, first="datum.place === 0"),
        data=inline(one.records),
    ).properties(width=width, height=_ROW * len(one.records))
    if one.head:
        layers = layers.properties(
            title=alt.Title(one.head, subtitle=one.said, fontSize=13, offset=8)
        )
    return layers
