"""A heat map from channel to channel: what `transitions` and `hand_off` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import MAX_ROWS, refuse_too_many
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR

__all__ = [
    "FEW",
    "MAX_CHANNELS",
    "REST",
    "SHARE",
    "Grid",
    "Key",
    "by_size",
    "end_of",
    "fullest",
    "k_of_n",
    "names_of",
    "panel",
    "refuse_too_large",
    "whole_width",
]

Key = tuple[int | None, str | None]
"""A channel: its id and its name."""

MAX_CHANNELS: Final = 40
SHARE, FEW, REST = "share", "few", "rest"
"""The tone of a cell: a share, one of a row with a small n, and of what is no channel."""

# How strong the fullest cell of a tone is. Beyond these the ink of the numbers would no longer
# stand out by 4.5:1 on it, on white or on dark; so one ink does for all cells. The hue is that of
# the theme's ramp: a channel's colour would say that the cells are that channel's.
_TONES: Final[Mapping[str, tuple[str, float]]] = {
    SHARE: ("#7C6BC4", 0.85),
    FEW: (SMALL_COLOUR, 0.45),
    REST: (TOTAL_COLOUR, 0.6),
}
_NARROWEST: Final = 36
"""A cell of fewer pixels has no room for its number."""
_LETTER: Final = 5.8
"""Pixels of a letter of an axis, on average."""
_ROW: Final = 30
_LINE: Final = 13
_N_WIDTH: Final = 66
_LABELS: Final = 130


@dataclass(frozen=True, slots=True)
class Grid:
    """What a heat map's rows and columns are, and what stands around it; the same in all panels."""

    rows: Sequence[str]
    columns: Sequence[str]
    width: int
    row_title: str
    column_title: str
    n_title: str
    tooltip: Sequence[alt.Tooltip]
    is_double: bool = False
    """Whether a cell has a second line of text."""

    @property
    def inner_width(self) -> int:
        """The width asked for, or more where cells would have no room for their numbers."""
        return max(self.width, _NARROWEST * len(self.columns))


def names_of(keys: Sequence[Key], reserved: Sequence[str] = ()) -> dict[Key, str]:
    """Give each channel a name that no other has, in the order that they come in.

    >>> names_of([(504, "E-mail"), (7, "E-mail"), (None, None)])
    {(504, 'E-mail'): 'E-mail (id 504)', (7, 'E-mail'): 'E-mail (id 7)',
     (None, None): 'channel (no id)'}
    """
    plain = {key: key[1] or f"channel {'(no id)' if key[0] is None else key[0]}" for key in keys}
    taken = [*plain.values(), *reserved]
    names = {
        key: f"{name} (id {key[0]})" if taken.count(name) > 1 else name
        for key, name in plain.items()
    }
    refuse_too_many(len(names), MAX_CHANNELS, "channels")
    return names


def panel(
    cells: Sequence[Mapping[str, Any]],
    grid: Grid,
    *,
    top: float,
    title: str = "",
    told: str = "",
) -> alt.LayerChart:
    """Draw one group's grid, with the number that each row's shares are of at its right.

    Args:
        cells: of each row that has any, a cell for every column: ``from``, ``to``, ``share``,
            ``tone``, ``is_rest`` (what is no channel has a scale of its own, up to 1), ``text``,
            ``more`` (a second line), ``n_from_text`` and what the tooltip says.
        grid: rows, columns and words.
        top: the share that is the fullest colour, the same for all panels.
        title: the group's, where there are several.
        told: what stands under it.
    """
    records = [
        {
            **cell,
            "strength": _TONES[cell["tone"]][1]
            * min(cell["share"] / (1 if cell["is_rest"] else top), 1),
            "is_first": cell["to"] == grid.columns[0],
        }
        for cell in cells
    ]
    rows = [name for name in grid.rows if any(cell["from"] == name for cell in cells)]
    width = grid.inner_width
    x = alt.X(
        "to:N",
        sort=list(grid.columns),
        title=grid.column_title,
        scale=alt.Scale(domain=list(grid.columns), paddingInner=0.04, paddingOuter=0),
        axis=_column_axis(grid),
    )
    y = alt.Y(
        "from:N",
        sort=rows,
        title=grid.row_title,
        scale=alt.Scale(paddingInner=0.06, paddingOuter=0),
        axis=alt.Axis(
            labelLimit=_LABELS,
            titleAngle=0,
            titleAlign="right",
            titleX=-8,
            titleY=-10,
            titleBaseline="alphabetic",
        ),
    )
    base = alt.Chart().encode(x=x, y=y)
    tones = list(_TONES)
    colour = alt.Color(
        "tone:N",
        legend=None,
        scale=alt.Scale(domain=tones, range=[_TONES[tone][0] for tone in tones]),
    )
    strength = alt.Opacity("strength:Q", scale=None, legend=None)
    ground = base.mark_rect(style="optimove-link", opacity=0.35)
    fill = base.mark_rect(tooltip=True).encode(
        color=colour, opacity=strength, tooltip=list(grid.tooltip)
    )
    some, two = alt.datum.share > 0, alt.datum.more != ""
    value = base.transform_filter(some & ~two).mark_text(style="optimove-value")
    upper = base.transform_filter(two).mark_text(style="optimove-value", dy=-_LINE / 2)
    lower = base.transform_filter(two).mark_text(
        style="optimove-value", fontSize=10.5, dy=_LINE / 2 + 2
    )
    texts = [
        value.encode(text=alt.Text("text:N")),
        base.transform_filter(~some).mark_text(style="optimove-note", text="0"),
        *(
            [upper.encode(text=alt.Text("text:N")), lower.encode(text=alt.Text("more:N"))]
            if grid.is_double
            else []
        ),
    ]
    layers = [ground, fill, *texts, *_n(y, grid, width)]
    height = (_ROW + (_LINE if grid.is_double else 0)) * len(rows)
    head = {}
    if title or told:
        head = {"title": alt.Title(title, subtitle=told, fontSize=13, offset=6)}
    return alt.LayerChart(layer=layers, data=inline(records)).properties(
        width=width, height=height, **head
    )


def fullest(panels: Sequence[Sequence[Mapping[str, Any]]]) -> float:
    """Return the share that is the fullest colour: of rows with a small n only if all are such."""
    cells = [cell for cells in panels for cell in cells if not cell["is_rest"]]
    sure = [cell["share"] for cell in cells if cell["tone"] != FEW]
    return max(sure or [cell["share"] for cell in cells], default=0) or 1


def _column_axis(grid: Grid) -> alt.Axis:
    room = grid.inner_width / len(grid.columns)
    is_narrow = max(len(name) for name in grid.columns) * _LETTER > room
    return alt.Axis(
        orient="top",
        labelAngle=-40 if is_narrow else 0,
        labelAlign="left" if is_narrow else "center",
        labelLimit=_LABELS,
        titleAlign="left",
        titleAnchor="start",
    )


def _n(y: alt.Y, grid: Grid, width: int) -> list[alt.Chart]:
    number = (
        alt.Chart()
        .transform_filter(alt.datum.is_first)
        .mark_text(style="optimove-value", align="right")
        .encode(x=alt.XValue(width + _N_WIDTH), y=y, text=alt.Text("n_from_text:N"))
    )
    head = (
        alt.Chart(inline([{"text": grid.n_title}]))
        .mark_text(style="optimove-note", align="right")
        .encode(x=alt.XValue(width + _N_WIDTH), y=alt.YValue(-12), text=alt.Text("text:N"))
    )
    return [number, head]


def whole_width(grid: Grid, columns: int) -> int:
    """Return about how wide ``columns`` panels are with all that stands around them."""
    longest = max(len(name) for name in (*grid.rows, grid.row_title))
    labels = min(int(longest * _LETTER), _LABELS) + 16
    return columns * (grid.inner_width + _N_WIDTH + labels)


def refuse_too_large(cells: int) -> None:
    """Refuse what no browser would draw at once."""
    refuse_too_many(cells, MAX_ROWS, "cells")


def by_size(table: pl.DataFrame, end: str) -> list[Key]:
    """Return the channels at one end of a table, those with most first."""
    ids = [f"{end}_channel_id", f"{end}_channel"]
    sizes = table.group_by(ids, maintain_order=True).agg(pl.col("n").sum())
    ordered = sizes.sort("n", descending=True, maintain_order=True)
    return [(row[0], row[1]) for row in ordered.select(ids).iter_rows()]


def end_of(row: Mapping[str, Any], end: str) -> Key:
    """Return the channel at one end of a row."""
    return row[f"{end}_channel_id"], row[f"{end}_channel"]


def k_of_n(row: Mapping[str, Any]) -> str:
    """Say a share with its interval, as a tooltip does."""
    share = words.k_of_n(row["n"], row["n_from"], row["share"])
    return f"{share} ({words.interval(row['lo'], row['hi'])})"
