"""Where a journey's messages stand: lanes, rows within a lane, and the pressure below them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from optimove_analysis.schema import CONTROL_ACTION_ID, SIDE_EVENTS

__all__ = [
    "PRESSURE_DAYS",
    "Lane",
    "Span",
    "days_after",
    "lanes",
    "marks_above",
    "pitch_for",
    "pressure",
    "pressures",
    "rows",
]

PRESSURE_DAYS: Final = 7
_PITCHES: Final = (12, 10, 8.5, 7, 6, 5)
"""Pixels from one mark to the next, at the least: the first with which all lanes are low enough."""
_ROOM: Final = 34
"""A lane has room for its name and its count, however few its messages."""
_AIR: Final = 14
"""Pixels between the highest mark of a lane and the lane above."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a picture shows, and how wide they are."""

    first: dt.date
    last: dt.date
    width: int

    @property
    def margin(self) -> int:
        """Days of room at both ends, so that no mark is cut."""
        return max(3, math.ceil((self.last - self.first).days * 0.015))

    @property
    def ends(self) -> tuple[dt.date, dt.date]:
        """The ends of the axis; no day before the first or after the last that there can be."""
        early = max(self.first.toordinal() - self.margin, dt.date.min.toordinal())
        late = min(self.last.toordinal() + 1 + self.margin, dt.date.max.toordinal())
        return dt.date.fromordinal(early), dt.date.fromordinal(late)

    def at(self, day: dt.date) -> float:
        """Return a day's place in pixels, before anybody zooms."""
        early, late = self.ends
        return (day - early).days / (late - early).days * self.width


@dataclass(frozen=True, slots=True)
class Lane:
    """One channel's messages with the row of each, and the line that they stand on."""

    name: str
    messages: list[dict[str, Any]]
    rows: list[int]
    floor: float
    """Pixels from the top of the picture to the lane's lowest row."""
    pitch: float


def marks_above(side_events: str | None) -> list[str]:
    """Name what is marked above a message; a bounce is marked upon it.

    >>> marks_above("bounced, unsubscribed, event 17 (unknown)")
    ['unsubscribed', 'unknown event']
    """
    known = {name.replace("_", " ") for name in SIDE_EVENTS}
    found = [name for name in (side_events or "").split(", ") if name not in {"", "bounced"}]
    return [name if name in known else "unknown event" for name in found]


def rows(places: Sequence[float], heights: Sequence[int], pitch: float) -> list[int]:
    """Put each mark in the lowest row where it touches none before it; places are in order.

    >>> rows([0, 0, 3, 20], [1, 2, 1, 1], 10)
    [0, 1, 3, 0]
    """
    ends: list[float] = []
    found: list[int] = []
    for place, height in zip(places, heights, strict=True):
        row = 0
        while any(place - end < pitch for end in ends[row : row + height]):
            row += 1
        ends += [-math.inf] * (row + height - len(ends))
        ends[row : row + height] = [place] * height
        found.append(row)
    return found


def pitch_for(customers: Sequence[pl.DataFrame], span: Span, highest: int) -> float:
    """Return the largest pitch with which nobody's lanes are higher than that, else the least."""
    for pitch in _PITCHES[:-1]:
        if all(
            lanes(one, sorted(set(one["lane"])), span, pitch)[1] <= highest for one in customers
        ):
            return pitch
    return _PITCHES[-1]


def lanes(
    messages: pl.DataFrame, order: Sequence[str], span: Span, pitch: float
) -> tuple[list[Lane], float]:
    """Return a lane for each of the channels in order that has messages, and the height of all."""
    of = {
        name: part.rows(named=True)
        for (name,), part in messages.sort("send_date", maintain_order=True)
        .partition_by("lane", as_dict=True)
        .items()
    }
    found: list[Lane] = []
    height = 0.0
    for name in order:
        if name not in of:
            continue
        tall = [1 + len(marks_above(one["side_events"])) for one in of[name]]
        placed = rows([span.at(one["send_date"]) for one in of[name]], tall, pitch)
        top = max(row + above for row, above in zip(placed, tall, strict=True))
        height += max(top * pitch + _AIR, _ROOM)
        found.append(Lane(name, of[name], placed, height - pitch / 2 - 2, pitch))
    return found, height


def days_after(day: str, days: int | pl.Expr) -> pl.Expr:
    """Return the day so many days after a column's, or the last that there is."""
    return pl.min_horizontal(pl.col(day) + pl.duration(days=days), pl.lit(dt.date.max))


def pressures(messages: pl.DataFrame) -> pl.DataFrame:
    """Count, for each day from the first to the last, the messages sent in the days before it.

    The day itself is none of them: a date cannot order its messages. A control member's are not
    counted, nor those of which no stage is known: nobody received them, as far as is known.
    ``whole`` is whether the days before are all in the frame.
    """
    sent = (pl.col("action_id") != CONTROL_ACTION_ID).fill_null(True) & pl.col(  # a null id is one
        "stage"
    ).is_not_null()
    each = messages.group_by("send_date").agg(sent=sent.sum().cast(pl.Int64))
    days: Any = messages["send_date"]
    return (
        pl.DataFrame({"send_date": pl.date_range(days.min(), days.max(), "1d", eager=True)})
        .join(each, on="send_date", how="left", maintain_order="left")
        .with_columns(pl.col("sent").fill_null(0))
        .with_columns(
            before=pl.col("sent").rolling_sum(PRESSURE_DAYS, min_samples=1).shift(1, fill_value=0),
            whole=pl.int_range(pl.len()) >= PRESSURE_DAYS,
        )
    )


def pressure(messages: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the pressure as steps: runs of days alike, from their first day to the one after."""
    return (
        pressures(messages)
        .with_columns(run=pl.struct("before", "whole").rle_id())
        .group_by("run", maintain_order=True)
        .agg(
            pl.col("before", "whole").first(),
            day=pl.col("send_date").first(),
            last=pl.col("send_date").last(),
        )
        .select(
            "before",
            "whole",
            pl.col("day", "last").cast(pl.String),
            end=days_after("last", 1).cast(pl.String),
        )
        .rows(named=True)
    )
