"""The mix of all time: a row a channel, two dots for its shares, and its index with interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import hconcat, layer
from optimove_analysis.charts.theme import PERCENT_AXIS, SMALL_COLOUR
from optimove_analysis.schema import CHANNEL_MIX

__all__ = ["left_of", "reach_of", "shares"]

_ROW: Final = 30  # pixels a channel
_NAME: Final = 180  # pixels of the longest name
_LETTER: Final = 7  # pixels of a letter of it, at most
_BEYOND: Final = ["below the axis", "on the axis", "above the axis"]
_ENDS: Final = (2, 4, 8, 16)  # of the log axis, in times par


def shares(
    group: Group,
    names: Mapping[int | None, str],
    palette: Mapping[str, str],
    width: int,
    *,
    top: float,
    reach: tuple[int, int],
    left: int | None,
) -> alt.HConcatChart:
    """Draw one group's block: shares on the left, index on the right.

    ``top`` is the largest share, ``reach`` says how far the index axis goes below and above 1, and
    ``left`` how many pixels the names take: the same for all blocks. None: what they need.
    """
    rows = list(group.rows.iter_rows(named=True))
    records = [_record(row, names, reach) for row in rows]
    present = {record["name"] for record in records}
    order = [name for name in palette if name in present]
    used = [*order, words.FEW]
    colour = alt.Color(
        "colour:N",
        legend=None,
        scale=alt.Scale(domain=used, range=[*(palette[name] for name in order), SMALL_COLOUR]),
    )
    extent = alt.Undefined if left is None else left
    axis = alt.Axis(labelLimit=_NAME, minExtent=extent, maxExtent=extent)
    y = alt.Y("name:N", sort=order, title=None, axis=axis)
    data = inline(records)
    height = _ROW * len(order)
    dots = layer(*_dots(y, colour, top), data=data).properties(width=width, height=height)
    right = layer(
        *_index(alt.Y("name:N", sort=order, title=None, axis=None), colour, reach, width), data=data
    ).properties(width=width, height=height)
    title = {"title": alt.Title(group.label, fontSize=13, offset=6)} if group.label else {}
    return hconcat(dots, right, spacing=30, **title)


def reach_of(table: pl.DataFrame) -> tuple[int, int]:
    """Return how far the index axis goes below 1 and above it, in times par.

    Each side goes as far as its intervals need, in powers of two from 2 to 16: with a side each of
    its own none stands empty, and at 2 at least 1 is seen to be the middle and no end.

    >>> from optimove_analysis.schema import CHANNEL_MIX
    >>> reach_of(CHANNEL_MIX.empty())
    (2, 2)
    """
    ends = [end for name in ("index", "index_lo", "index_hi") for end in table[name] if end]
    return _reach([1 / end for end in ends]), _reach(ends)


def _reach(factors: list[float]) -> int:
    furthest = max(factors, default=1)
    return next((end for end in _ENDS if end >= furthest), _ENDS[-1])


def left_of(names: Iterable[str]) -> int:
    """Return the pixels that these names take beside a panel.

    >>> left_of(["SMS", "E-mail"]), left_of(["x" * 99])
    (50, 188)
    """
    return min(round(max(map(len, names)) * _LETTER), _NAME) + 8


def _record(
    row: Mapping[str, Any], names: Mapping[int | None, str], reach: tuple[int, int]
) -> dict[str, Any]:
    name = names[row["channel_id"]]
    index, low, high = row["index"], row["index_lo"], row["index_hi"]
    least, most = 1 / reach[0], reach[1]

    def on_axis(value: float | None) -> float | None:
        # A log axis has no place for 0 and an end somewhere: what lies beyond is drawn at its
        # end, and the number beside it tells.
        return None if value is None else min(max(value, least), most)

    below = index is not None and index < least
    above = index is not None and index > most
    index_text = "n/a" if row["engagements"] is None else words.ratio(index)
    if low is not None and high is not None:
        index_text += f"  ({words.ratio_interval(low, high)})"
    numbers = ("sends", "engagements", "share_of_sends", "share_of_engagements", "index")
    return {
        "name": name,
        "colour": words.FEW if row["small"] else name,
        **{column: row[column] for column in (*numbers, "index_lo", "index_hi", "customers")},
        "at": on_axis(index),
        "beyond": _BEYOND[0 if below else 2 if above else 1],
        "at_lo": on_axis(low),
        "at_hi": on_axis(high),
        "sends_text": words.percent(row["share_of_sends"]),
        "engagements_text": words.NO_STAGE
        if row["engagements"] is None
        else words.percent(row["share_of_engagements"]),
        "index_text": index_text,
        "interval_text": words.ratio_interval(low, high),
    }


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=CHANNEL_MIX.label("channel")),
        alt.Tooltip("sends:Q", title=CHANNEL_MIX.label("sends"), format=",d"),
        alt.Tooltip("sends_text:N", title=CHANNEL_MIX.label("share_of_sends")),
        alt.Tooltip("engagements:Q", title=CHANNEL_MIX.label("engagements"), format=",d"),
        alt.Tooltip("engagements_text:N", title=CHANNEL_MIX.label("share_of_engagements")),
        alt.Tooltip("index_text:N", title=CHANNEL_MIX.label("index")),
        alt.Tooltip("customers:Q", title=CHANNEL_MIX.label("customers"), format=",d"),
    ]


def _dots(y: alt.Y, colour: alt.Color, top: float) -> list[alt.Chart]:
    axis = alt.Axis(labelExpr=PERCENT_AXIS, labelFlush=False, tickCount=5)
    title = ["Share of sends (ring)", "and of engagements (dot)"]
    scale = alt.Scale(domain=[0, top], nice=True)
    x = alt.X("share_of_sends:Q", title=title, axis=axis, scale=scale)
    base = alt.Chart()
    link = base.mark_rule(style="optimove-link").encode(x=x, x2=alt.X2("share_of_engagements"), y=y)
    hole = base.mark_point(style="optimove-paper", filled=True, size=90, opacity=1).encode(x=x, y=y)
    ring = base.mark_point(strokeWidth=2, size=90, opacity=1).encode(
        x=x, y=y, color=colour, tooltip=_tooltip()
    )
    dot = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=alt.X("share_of_engagements:Q"), y=y, color=colour, tooltip=_tooltip()
    )
    return [link, hole, ring, dot]


def _index(y: alt.Y, colour: alt.Color, reach: tuple[int, int], width: int) -> list[alt.Chart]:
    least, most = 1 / reach[0], reach[1]
    values = [2.0**power for power in range(-4, 5) if least <= 2.0**power <= most]
    x = alt.X(
        "at:Q",
        title=["Index: share of engagements", "/ share of sends"],
        scale=alt.Scale(type="log", base=2, domain=[least, most], nice=False),
        axis=alt.Axis(
            values=values,
            grid=True,
            labelFlush=False,
            labelExpr="datum.value < 1 ? '1/' + format(1 / datum.value, 'd') "
            ": format(datum.value, 'd')",
        ),
    )
    base = alt.Chart()
    par = base.mark_rule(style="optimove-par").encode(x=alt.XDatum(1))
    interval = base.mark_rule(style="optimove-interval").encode(
        x=alt.X("at_lo:Q"), x2=alt.X2("at_hi"), y=y
    )
    # Ends stand over the dot, so that an interval narrower than it shows.
    tips = [
        base.mark_tick(style="optimove-tip", size=9, thickness=1.25, opacity=1).encode(
            x=f"{end}:Q", y=y
        )
        for end in ("at_lo", "at_hi")
    ]
    # Beyond the axis's end a triangle points on.
    beyond = alt.Scale(domain=_BEYOND, range=["triangle-left", "circle", "triangle-right"])
    dot = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x,
        y=y,
        color=colour,
        shape=alt.Shape("beyond:N", scale=beyond, legend=None),
        tooltip=_tooltip(),
    )
    text = base.mark_text(style="optimove-value", align="left").encode(
        x=alt.XValue(width + 14), y=y, text=alt.Text("index_text:N")
    )
    return [par, interval, dot, *tips, text]
