"""One group's overlap: bars of customers by set, dots that say which channels are in it.

The form is UpSet: A. Lex and others, "UpSet: visualization of intersecting sets", IEEE Transactions
on Visualization and Computer Graphics 20 (2014).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import altair as alt

from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR
from optimove_analysis.schema import OVERLAP

__all__ = ["left_of", "upset"]

_TOTAL_TEXT: Final = 42
_TOTAL_BAR: Final = 58
_NAMES: Final = (60, 130)
"""Pixels of the channels' names, at least and at most; a longer name ends in dots."""
_LETTER: Final = 6.8

_BARS: Final = 150  # pixels of the highest bar or interval
_HEAD: Final = 16  # pixels above it for its number
_GAP: Final = 10
_ROW: Final = 22
_WIDEST: Final = 46
"""A bar with its space takes no more, so that two sets do not fill the whole width."""


def upset(
    sets: Sequence[Mapping[str, Any]],
    channels: Sequence[Mapping[str, Any]],
    palette: Mapping[str, str],
    width: int,
    *,
    left: int,
    head: Mapping[str, Any],
) -> alt.LayerChart:
    """Draw the sets in their order, from the left, and the channels in theirs, from the top.

    Args:
        sets: ``place``, ``customers``, ``lo_count``, ``hi_count``, ``rows`` (of its channels),
            ``small``, and what the tooltip says.
        channels: ``row``, ``name``, ``customers``.
        palette: each channel's colour.
        width: pixels of the sets.
        left: pixels at their left (`left_of`), the same for all panels.
        head: the group's title, where it has one.
    """
    step = min(width / len(sets), _WIDEST)
    bottom = _HEAD + _BARS
    top_row = bottom + _GAP
    height = top_row + _ROW * len(channels)
    most = max(one["hi_count"] for one in sets)
    x = _scale("place:Q", alt.X, [-0.5, len(sets) - 0.5], [left, left + step * len(sets)])
    y = _scale("customers:Q", alt.Y, [0, most], [bottom, _HEAD])
    row = _scale("row:Q", alt.Y, [-0.5, max(len(channels), 1) - 0.5], [top_row, height])
    names = [channel["name"] for channel in channels]
    colour = alt.Color(
        "name:N",
        legend=None,
        scale=alt.Scale(domain=names, range=[palette[name] for name in names]),
    )
    stripes = [{"row": one["row"] - 0.44, "to": one["row"] + 0.44} for one in channels]
    ground = (
        alt.Chart(inline(stripes))
        .mark_rect(style="optimove-link", opacity=0.35)
        .encode(x=alt.XValue(left), x2=alt.X2Value(left + step * len(sets)), y=row, y2=alt.Y2("to"))
    )
    layers = [
        ground,
        *_bars(sets, x, y, step),
        *_dots(sets, channels, x, row, colour, min(step * 0.3, 6)),
        *_totals(channels, row, colour, left),
        *_heads(left),
    ]
    chart: alt.LayerChart = alt.LayerChart(layer=layers).resolve_scale(
        x="independent", y="independent", color="independent"
    )
    return chart.properties(width=left + width, height=height, **head)


def left_of(names: Iterable[str]) -> int:
    """Return the pixels at the left of the sets, for the channels' own customers and names."""
    longest = max((len(name) for name in names), default=0) * _LETTER
    return _TOTAL_TEXT + _TOTAL_BAR + int(min(max(longest, _NAMES[0]), _NAMES[1])) + 16


def _scale(
    field: str, channel: type[alt.X | alt.Y], domain: list[float], pixels: list[float]
) -> Any:  # noqa: ANN401 - an X or a Y, as the caller says
    scale = alt.Scale(domain=domain, range=pixels, nice=False, zero=False, padding=0)
    return channel(field, axis=None, scale=scale)


def _bars(sets: Sequence[Mapping[str, Any]], x: alt.X, y: alt.Y, step: float) -> list[alt.Chart]:
    tooltip = [
        alt.Tooltip("channels:N", title=OVERLAP.label("channels")),
        alt.Tooltip("k_of_n:N", title=OVERLAP.label("customers")),
        alt.Tooltip("messages:Q", title=OVERLAP.label("messages"), format=",d"),
    ]
    base = alt.Chart(inline([dict(one) for one in sets])).encode(x=x)
    bar = base.mark_bar(size=step * 0.64, orient="vertical").encode(
        y=y,
        y2=alt.Y2Datum(0),
        color=alt.Color(
            "small:N",
            legend=None,
            scale=alt.Scale(domain=[False, True], range=[TOTAL_COLOUR, SMALL_COLOUR]),
        ),
        tooltip=tooltip,
    )
    lo, hi = (alt.Y(f"{end}_count:Q", axis=None, scale=y["scale"]) for end in ("lo", "hi"))
    interval = base.mark_rule(style="optimove-interval").encode(y=lo, y2=alt.Y2("hi_count"))
    longest = max(len(one["text"]) for one in sets)
    upright = longest * 5.8 > step  # numbers that are wider than a bar's place stand on end
    text = base.mark_text(
        style="optimove-note",
        angle=270 if upright else 0,
        align="left" if upright else "center",
        baseline="middle" if upright else "bottom",
        dx=4 if upright else 0,
        dy=0 if upright else -3,
    ).encode(y=hi, text=alt.Text("text:N"))
    return [bar, interval, text]


def _dots(  # noqa: PLR0917 - one scale each
    sets: Sequence[Mapping[str, Any]],
    channels: Sequence[Mapping[str, Any]],
    x: alt.X,
    row: alt.Y,
    colour: alt.Color,
    radius: float,
) -> list[alt.Chart]:
    places = [
        {
            "place": one["place"],
            "row": channel["row"],
            "name": channel["name"],
            "is_in": channel["row"] in one["rows"],
        }
        for one in sets
        for channel in channels
    ]
    links = [
        {"place": one["place"], "row": min(one["rows"]), "to": max(one["rows"])}
        for one in sets
        if one["rows"]
    ]
    size = 3.1416 * radius**2
    base = alt.Chart(inline(places)).encode(x=x, y=row)
    out = base.transform_filter(~alt.datum.is_in).mark_point(
        style="optimove-link", filled=True, size=size * 0.4, strokeWidth=0, opacity=1
    )
    link = (
        alt.Chart(inline(links))
        .mark_rule(style="optimove-interval", strokeWidth=2)
        .encode(x=x, y=row, y2=alt.Y2("to"))
    )
    dot = (
        base.transform_filter(alt.datum.is_in)
        .mark_point(filled=True, size=size, strokeWidth=0, opacity=1)
        .encode(color=colour, tooltip=alt.Tooltip("name:N", title=OVERLAP.label("channels")))
    )
    return [out, link, dot]


def _totals(
    channels: Sequence[Mapping[str, Any]], row: alt.Y, colour: alt.Color, left: int
) -> list[alt.Chart]:
    end = _TOTAL_TEXT + _TOTAL_BAR
    most = max((channel["customers"] for channel in channels), default=1)
    x = _scale("customers:Q", alt.X, [0, most], [end, _TOTAL_TEXT])
    base = alt.Chart(inline([dict(one) for one in channels])).encode(y=row)
    bar = base.mark_bar(size=_ROW * 0.6, orient="horizontal").encode(
        x=x,
        x2=alt.X2Datum(0),
        color=colour,
        tooltip=[
            alt.Tooltip("name:N", title=OVERLAP.label("channels")),
            alt.Tooltip("customers:Q", title=OVERLAP.label("channel_customers"), format=",d"),
        ],
    )
    number = base.mark_text(style="optimove-note", align="right", dx=-4).encode(
        x=x, text=alt.Text("text:N")
    )
    name = base.mark_text(style="optimove-value", align="left", limit=left - end - 14).encode(
        x=alt.XValue(end + 6), text=alt.Text("name:N")
    )
    return [bar, number, name]


def _heads(left: int) -> list[alt.Chart]:
    """Say what the two kinds of bars are, where the picture has room for it."""
    lines = [
        ("customers reached by", left - 10, _HEAD),
        ("exactly these channels", left - 10, _HEAD + 13),
        ("reached at all", _TOTAL_TEXT + _TOTAL_BAR, _HEAD + _BARS),
    ]
    return [
        alt.Chart(inline([{"text": text}]))
        .mark_text(style="optimove-note", align="right")
        .encode(x=alt.XValue(x), y=alt.YValue(y), text=alt.Text("text:N"))
        for text, x, y in lines
    ]
