"""Shrunk rates as forests: a ring for the raw rate, a dot for the shrunk one, a link between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from optimove_analysis.charts import words
from optimove_analysis.charts.forest import (
    Axis,
    Column,
    Layers,
    axis_over,
    columns_of_text,
    labels_width,
    names_axis,
    pooled_line,
    row_height,
    whole_width,
)
from optimove_analysis.charts.groups import ALL_CHANNELS, Group, label_of
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.schema import SHRUNK, SMALL_N

__all__ = ["Shown", "forests", "how_forest"]

_MORE: Final = "\N{VERTICAL ELLIPSIS}"
_INTERVAL: Final = f"95{words.NBSP}% interval"


@dataclass(frozen=True, slots=True)
class Shown:
    """The customers of a panel that are drawn, highest first."""

    head: str
    said: str
    """How many of how many, or that all are alike."""
    records: list[dict[str, Any]]
    pooled: float
    pooled_n: int

    @classmethod
    def of(cls, group: Group, most: int) -> Shown:
        """Take the highest and the lowest by shrunk rate, where there are more than ``most``."""
        rows = group.rows.sort(
            ["shrunk", "n", "customer_id"], descending=[True, True, False], maintain_order=True
        )
        first = rows.row(0, named=True)
        records = [_record(row) for row in rows.iter_rows(named=True)]
        said = f"{words.plural(len(records), 'customer')}."
        if len(records) > most:
            low = most // 2
            high, between = most - low, len(records) - most
            said = f"The {high:,} highest and {low:,} lowest of {said}"
            records = [*records[:high], _gap(between, records), *records[len(records) - low :]]
        if first["method"] == "pooled":
            said += " They differ no more than by chance."
        for place, record in enumerate(records):
            record["place"] = place
        return cls(group.label, said, records, first["pooled"], first["pooled_n"])


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    channel = row["channel"] or ALL_CHANNELS
    numbers = ("value", "shrunk", "lo", "hi", "k", "n")
    interval = words.interval(row["lo"], row["hi"])
    return {
        "name": row["customer_id"],
        "colour": channel,
        "raw_colour": words.FEW if row["small"] else channel,
        "small": bool(row["small"]),
        **{name: row[name] for name in numbers},
        "raw_text": words.percent(row["value"]),
        "shrunk_text": words.percent(row["shrunk"]),
        "interval_text": interval,
        "k_of_n": f"{row['k']:,} / {row['n']:,}",
        "text": f"{words.percent(row['shrunk'])} ({interval})",
    }


def _gap(between: int, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make a row without marks that says how many are not drawn."""
    name, taken = _MORE, {record["name"] for record in records}
    while name in taken:
        name += " "
    nothing = dict.fromkeys(records[0], "") | dict.fromkeys(("value", "shrunk", "lo", "hi"))
    return nothing | {
        "name": name,
        "k": None,
        "n": None,
        "small": False,
        "colour": records[0]["colour"],
        "raw_colour": records[0]["colour"],
        "text": f"{between:,} more between",
    }


def forests(
    shown: Sequence[Shown], palette: Mapping[str, str], width: int
) -> tuple[list[Layers], int]:
    """Draw the panels, in line with each other; return them and the pixels that one takes."""
    records = [record for panel in shown for record in panel.records]
    texts = [
        Column.of("text", f"Shrunk ({_INTERVAL})", records),
        Column.of("k_of_n", "k / n", records, "right"),
    ]
    names = labels_width(record["name"] for record in records)
    return [_panel(panel, palette, texts, width, names) for panel in shown], whole_width(
        width, texts, names
    )


def _panel(
    shown: Shown, palette: Mapping[str, str], texts: Sequence[Column], width: int, names: int
) -> Layers:
    ends = [record[end] for record in shown.records for end in ("value", "shrunk", "lo", "hi")]
    axis = axis_over([*ends, shown.pooled], most=1.0)
    order = [record["name"] for record in shown.records]
    y = alt.Y("name:N", sort=order, title=None, axis=names_axis(names))
    layers = [
        *_marks(shown, axis, y, palette),
        *columns_of_text(y, width, texts, first="datum.place == 0"),
    ]
    data = inline(shown.records)
    panel = layer(*layers, data=data).properties(
        width=width, height=row_height(len(order)) * len(order)
    )
    of_all = f"all {words.percent(shown.pooled)}"
    line = pooled_line(shown.pooled, of_all, f"n = {shown.pooled_n:,}", axis)
    title = alt.Title(shown.head, subtitle=shown.said, fontSize=13, offset=8)
    whole: Layers = layer(*line, panel).properties(title=title)
    return whole


def _marks(shown: Shown, axis: Axis, y: alt.Y, palette: Mapping[str, str]) -> list[alt.Chart]:
    used = sorted({record[name] for record in shown.records for name in ("colour", "raw_colour")})
    scale = alt.Scale(domain=used, range=[palette[name] for name in used])
    marked = axis.drawn()
    place: dict[str, Any] = {"scale": axis.scale, "axis": marked, "title": None}
    raw, own = (alt.X(f"{name}:Q", **place) for name in ("value", "shrunk"))
    tooltip = [
        alt.Tooltip("name:N", title=label_of("customer_id")),
        alt.Tooltip("k_of_n:N", title="k / n"),
        alt.Tooltip("raw_text:N", title=SHRUNK.label("value")),
        alt.Tooltip("shrunk_text:N", title=SHRUNK.label("shrunk")),
        alt.Tooltip("interval_text:N", title=_INTERVAL),
    ]
    base = alt.Chart()
    ring = base.mark_point(size=54, strokeWidth=1.75, opacity=1)
    return [
        base.mark_rule(style="optimove-link").encode(x=raw, x2=alt.X2("shrunk"), y=y),
        base.mark_rule(style="optimove-interval").encode(
            x=alt.X("lo:Q", **place), x2=alt.X2("hi"), y=y
        ),
        base.mark_point(style="optimove-paper", filled=True, size=54, opacity=1).encode(x=raw, y=y),
        ring.encode(
            x=raw, y=y, color=alt.Color("raw_colour:N", legend=None, scale=scale), tooltip=tooltip
        ),
        base.mark_point(filled=True, size=64, opacity=1).encode(
            x=own, y=y, color=alt.Color("colour:N", legend=None, scale=scale), tooltip=tooltip
        ),
    ]


def how_forest(shown: Sequence[Shown]) -> str:
    """Say how to read the marks."""
    few = any(record["small"] for panel in shown for record in panel.records)
    grey = f", grey where n is below{words.NBSP}{SMALL_N}" if few else ""
    return (
        f"Ring: raw rate, k / n{grey}. Dot and line: shrunk rate and its {_INTERVAL}. "
        "Dashed: pooled rate of all the channel's customers."
    )
