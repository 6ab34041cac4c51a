"""What forests of values share: an axis that holds them, and columns of numbers at their right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import altair as alt

from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.theme import PERCENT_AXIS

__all__ = [
    "LABELS_LIMIT",
    "Axis",
    "Column",
    "Layers",
    "axis_over",
    "columns_of_text",
    "labels_width",
    "names_axis",
    "nothing",
    "pooled_line",
    "row_height",
    "whole_width",
]

Layers: TypeAlias = alt.LayerChart | alt.FacetChart
"""What altair says that a layering of charts is."""

_LETTER: Final = 6.2  # pixels of a letter of 12 px, on average
_NAME_LETTER: Final = 6.7  # of ids, which are mostly digits
_SMALL_LETTER: Final = 5.4  # of one of 10.5 px
_GAP: Final = 16
LABELS_LIMIT: Final = 180
"""Pixels that a row's name may take."""
_STEPS: Final = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Axis:
    """Where an axis of values begins and ends, and where it is marked."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @property
    def scale(self) -> alt.Scale:
        """The axis' scale; each layer over it needs the same."""
        return alt.Scale(domain=[self.low, self.high], nice=False, zero=False)

    def drawn(self, *, percent: bool = True) -> alt.Axis:
        """Return the axis as it is drawn: in percentages, or in plain numbers."""
        return alt.Axis(
            values=list(self.ticks),
            labelFlush=False,
            labelOverlap="greedy",
            grid=True,
            labelExpr=PERCENT_AXIS if percent else "format(datum.value, '~f')",
        )


@dataclass(frozen=True, slots=True)
class Column:
    """Numbers in words at the right of a forest: a field of its records, under a head."""

    field: str
    head: str
    width: int
    align: Literal["left", "right"] = "left"

    @classmethod
    def of(
        cls,
        field: str,
        head: str,
        records: Iterable[dict[str, Any]],
        align: Literal["left", "right"] = "left",
    ) -> Column:
        """Make a column that has room for all the records; of several panels, for all of those."""
        longest = max((len(str(record[field])) for record in records), default=0)
        return cls(field, head, round(max(longest * _LETTER, len(head) * _SMALL_LETTER)), align)


def axis_over(values: Iterable[float | None], *, most: float | None = None) -> Axis:
    """Return a round axis over the values: from 0, unless all are far from it.

    Dots are read by their place and not by a length, so that an axis need not begin at 0; but
    most rates are small, and then the way from 0 says something too.

    Args:
        values: what must have room; nulls need none.
        most: what no value can pass: 1, of a rate.

    >>> axis_over([0.031, 0.082])
    Axis(low=0.0, high=0.1, ticks=(0.0, 0.025, 0.05, 0.075, 0.1))
    >>> axis_over([0.957, 0.984], most=1.0).ticks
    (0.95, 0.96, 0.97, 0.98, 0.99)
    """
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if high == low == 0:
        high = 1.0 if most is None else most
    if 0 < low <= high / 2:
        low = 0.0
    if low == high:  # one value, and no interval: room at both its sides
        low, high = low - abs(low) / 20, high + abs(high) / 20
        high = high if most is None else min(high, most)
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in _STEPS if factor * size >= rough * 0.99)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if most is not None:
        last = min(last, math.floor(most / step + 1e-9))
    digits = max(0, 2 - math.floor(math.log10(step)))
    ticks = [round(place * step, digits) for place in range(first, last + 1)]
    # The step may not hit what no value can pass.
    return Axis(ticks[0], max(ticks[-1], high), tuple(ticks))


def row_height(rows: int) -> int:
    """Return the pixels of a row: many stand closer.

    >>> row_height(6), row_height(60)
    (24, 15)
    """
    return 24 if rows <= 20 else 18 if rows <= 40 else 15  # noqa: PLR2004 - by eye


def names_axis(names: int) -> alt.Axis:
    """Return the axis of the rows' names, which begin at one place in all panels."""
    return alt.Axis(labelLimit=LABELS_LIMIT, labelAlign="left", labelPadding=names)


def labels_width(names: Iterable[str]) -> int:
    """Return about how many pixels the rows' names take at the left of a forest."""
    return min(round(max(map(len, names), default=0) * _NAME_LETTER) + 12, LABELS_LIMIT)


def columns_of_text(
    y: alt.Y, width: int, columns: Sequence[Column], *, first: str
) -> list[alt.Chart]:
    """Write columns of text at the right of a forest, under their heads.

    ``first`` is the Vega expression of the record that the heads stand over.
    """
    base, edge = alt.Chart(), width + _GAP
    layers: list[alt.Chart] = []
    for column in columns:
        x = alt.value(edge if column.align == "left" else edge + column.width)
        text = base.mark_text(style="optimove-value", align=column.align)
        head = base.transform_filter(first).mark_text(
            style="optimove-note", align=column.align, text=column.head
        )
        layers += [
            text.encode(x=x, y=y, text=f"{column.field}:N"),
            head.encode(x=x, y=alt.YValue(-10)),
        ]
        edge += column.width + _GAP
    return layers


def whole_width(width: int, columns: Sequence[Column], names: int) -> int:
    """Return the pixels of a forest with its names and its numbers."""
    return names + width + sum(column.width + _GAP for column in columns)


def pooled_line(value: float, text: str, n: str, axis: Axis) -> list[alt.Chart]:
    """Draw the value of all together as a dashed line, its label above it."""
    base = alt.Chart(inline([{"pooled": value, "pooled_text": text, "of": n}]))
    x = alt.X("pooled:Q", scale=axis.scale, title=None)
    tooltip = [alt.Tooltip("pooled_text:N", title="Pooled"), alt.Tooltip("of:N", title="Of")]
    place = (value - axis.low) / (axis.high - axis.low)
    align: Literal["left", "center", "right"] = (
        "left" if place < 0.15 else "right" if place > 0.85 else "center"  # noqa: PLR2004 - by eye
    )
    return [
        base.mark_rule(style="optimove-par").encode(x=x, tooltip=tooltip),
        base.mark_text(style="optimove-note", align=align).encode(
            x=x, y=alt.YValue(-10), text=alt.Text("pooled_text:N")
        ),
    ]


def nothing(text: str, width: int) -> alt.Chart:
    """Draw a panel in which there is nothing to draw: its place, and a word."""
    data = inline([{"text": text}])
    mark = alt.Chart(data).mark_text(style="optimove-empty").encode(text=alt.Text("text:N"))
    panel: alt.Chart = mark.properties(width=width, height=72)
    return panel
