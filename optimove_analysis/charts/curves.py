"""One panel of stepped curves with their bands, names at their ends, and the numbers at risk."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.dodge import dodged
from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.headings import heading
from optimove_analysis.charts.horizon import Horizon
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer, vconcat
from optimove_analysis.charts.theme import PERCENT_AXIS, SMALL_COLOUR
from optimove_analysis.schema import TIME_TO_ENGAGE

__all__ = ["curves", "left_of"]

_HEIGHT: Final = 210
_LINE: Final = 15  # pixels of a name at a curve's end, and of a line of the numbers at risk
_LETTER: Final = 5.7  # pixels of a letter of the names beside the numbers at risk
_PAD: Final = 26  # pixels between those names and the middle of the first number
_NAME: Final = 220  # pixels of the longest name at a curve's end
_INK: Final = alt.Color("colour:N", scale=None)


def left_of(names: Iterable[str]) -> int:
    """Return the pixels left of a panel: the names beside the numbers at risk.

    >>> left_of(["E-mail"]), left_of(["x" * 99])
    (66, 150)
    """
    return min(max(52, round(max(map(len, names)) * _LETTER) + _PAD + 6), 150)


def curves(
    group: Group,
    source: pl.DataFrame,
    inks: Mapping[str, str],
    horizon: Horizon,
    *,
    width: int,
    left: int,
    top: float,
) -> alt.VConcatChart:
    """Draw one panel: ``group`` has the steps, ``source`` every row of them."""
    order = [name for name in inks if name in set(group.rows["channel"])]
    height = max(_HEIGHT, _LINE * len(order))
    records = [_record(group.label, row, inks) for row in group.rows.iter_rows(named=True)]
    start: dict[str, Any] = {}
    for before, record in itertools.pairwise([start, *records]):
        # A share of all has no interval; the band goes on up to the day on which it comes to all.
        closes = record["lo"] is None and before.get("name") == record["name"]
        record["band_lo"], record["band_hi"] = (
            (before if closes else record)[end] for end in ("lo", "hi")
        )
    data = inline(records)
    ends = inline(_ends(records, height, top))
    upper = layer(
        *_layers(data, ends, horizon, width, left=left, top=top),
        *heading(group.label, left=left, width=width),
    ).properties(width=width, height=height)
    return vconcat(upper, _at_risk(source, order, horizon, width, left), spacing=2)


def _record(label: str, row: Mapping[str, Any], inks: Mapping[str, str]) -> dict[str, Any]:
    numbers = ("day", "engaged", "lo", "hi", "at_risk", "events", "n", "n_engaged", "median_day")
    return {
        "group": label,
        "name": row["channel"],
        **{name: row[name] for name in numbers},
        "colour": SMALL_COLOUR if row["small"] else inks[row["channel"]],
        "is_median": row["median_day"] is not None and row["day"] == row["median_day"],
        "engaged_text": words.percent(row["engaged"]),
        "interval": words.interval(row["lo"], row["hi"]),
        "ever": f"{row['n_engaged']:,} of {row['n']:,}",
    }


def _ends(records: list[dict[str, Any]], height: int, top: float) -> list[dict[str, Any]]:
    """Return each curve's last step with the place of its name, and its median day in words."""
    lasts = list({record["name"]: record for record in records}.values())
    places = dodged([last["engaged"] / top * height for last in lasts], _LINE, 0, height)
    return [
        {
            **{name: last[name] for name in ("name", "colour", "day", "engaged")},
            "label_at": place / height * top,
            "text": f"{last['name']}  {last['engaged_text']}"
            + ("" if last["median_day"] is None else f", median day {last['median_day']}"),
        }
        for last, place in zip(lasts, places, strict=True)
    ]


def _x(horizon: Horizon, width: int, *, labels: bool) -> alt.X:
    return alt.X(
        "day:Q",
        title="Days since the send" if labels else None,
        scale=alt.Scale(domain=[0, horizon.last], nice=False),
        axis=alt.Axis(values=horizon.ticks(width), grid=False, labels=labels, labelFlush=False),
    )


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=TIME_TO_ENGAGE.label("channel")),
        alt.Tooltip("day:Q", title=TIME_TO_ENGAGE.label("day")),
        alt.Tooltip("engaged_text:N", title=TIME_TO_ENGAGE.label("engaged")),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("ever:N", title=TIME_TO_ENGAGE.label("n_engaged")),
        alt.Tooltip("at_risk:Q", title=TIME_TO_ENGAGE.label("at_risk"), format=",d"),
    ]


def _layers(
    data: alt.InlineData,
    ends: alt.InlineData,
    horizon: Horizon,
    width: int,
    *,
    left: int,
    top: float,
) -> list[alt.Chart]:
    x = _x(horizon, width, labels=True)
    scale = alt.Scale(domain=[0, top], nice=True)
    axis = alt.Axis(labelExpr=PERCENT_AXIS, tickCount=5, minExtent=left, maxExtent=left)
    y = alt.Y("engaged:Q", title=None, scale=scale, axis=axis)
    base = alt.Chart(data)
    band = (
        base.transform_filter("isValid(datum.band_lo) && isValid(datum.band_hi)")
        .mark_area(interpolate="step-after", opacity=0.16)
        .encode(
            x=x,
            y=alt.Y("band_lo:Q", title=None, scale=scale, axis=axis),
            y2=alt.Y2("band_hi:Q"),
            color=_INK,
        )
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=x, y=y, color=_INK, detail=alt.Detail("name:N")
    )
    dot = base.mark_point(filled=True, size=16, opacity=1).encode(
        x=x, y=y, color=_INK, tooltip=_tooltip()
    )
    median = (
        base.transform_filter(alt.datum.is_median)
        .mark_point(filled=True, size=110, opacity=1)
        .encode(x=x, y=y, color=_INK, tooltip=_tooltip())
    )
    named = alt.Chart(ends)
    leader = named.mark_rule(strokeWidth=1.25, opacity=0.8).encode(
        x=alt.XValue(width + 3),
        x2=alt.X2Value(width + 17),
        y=y,
        y2=alt.Y2("label_at:Q"),
        color=_INK,
    )
    text = named.mark_text(style="optimove-value", align="left", limit=_NAME).encode(
        x=alt.XValue(width + 21),
        y=alt.Y("label_at:Q", title=None, scale=scale, axis=axis),
        text=alt.Text("text:N"),
    )
    return [band, line, dot, median, leader, text]


def _at_risk(
    source: pl.DataFrame, order: list[str], horizon: Horizon, width: int, left: int
) -> alt.Chart:
    """Write how many messages are at risk on some days: the table's, of the next day it has."""
    records = []
    for name in order:
        rows = source.filter(channel=name).sort("day")
        for day in horizon.ticks(width):
            # Between two rows nothing happens: as many are at risk as on the next.
            after = rows.filter(pl.col("day") >= day)["at_risk"]
            number = int(after[0]) if after.len() else 0
            records.append({"name": name, "day": day, "risk": words.count(number)})
    panel: alt.Chart = (
        alt.Chart(inline(records))
        .mark_text(style="optimove-note")
        .encode(
            x=_x(horizon, width, labels=False),
            y=alt.Y(
                "name:N",
                sort=order,
                title="At risk",
                axis=alt.Axis(
                    grid=False,
                    labelLimit=left - _PAD,
                    labelPadding=_PAD,
                    labelFontSize=10.5,
                    minExtent=left,
                    maxExtent=left,
                    titleAngle=0,
                    titleAlign="right",
                    titleX=-_PAD,
                    titleY=-3,
                    titleFontSize=10.5,
                ),
            ),
            text=alt.Text("risk:N"),
        )
        .properties(width=width, height=_LINE * len(order))
    )
    return panel
