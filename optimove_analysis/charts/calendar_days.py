"""A calendar's days: how many messages on each, where its square stands, and which tint it has."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from optimove_analysis.charts.journey_lanes import days_after
from optimove_analysis.schema import CONTROL_ACTION_ID

__all__ = ["GAP", "TINTS", "Tint", "days", "tints"]

TINTS: Final = 5
GAP: Final = 3
"""Rows between two years, for the names of months."""
_NICE: Final = (1, 2, 5)
# Few tints are taken far apart.
_SPREAD: Final = {1: [2], 2: [1, 4], 3: [0, 2, 4], 4: [0, 1, 3, 4], 5: [0, 1, 2, 3, 4]}
_ENGAGED: Final = ("opened", "clicked")


@dataclass(frozen=True, slots=True)
class Tint:
    """One class of counts: its first, its last, or None for no end, and its place in the ramp."""

    low: int
    high: int | None
    place: int

    @property
    def label(self) -> str:
        """What the legend calls it."""
        if self.high is None:
            return f"{self.low:,}+"
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"


def tints(counts: Sequence[int]) -> list[Tint]:
    """Make at most five classes of counts of 1 or more: single numbers where these are small.

    The last is open where few days lie far beyond the others: the width is such that 19 of 20 days
    are in the four before it.

    >>> [tint.label for tint in tints([1, 1, 2, 3])]
    ['1', '2', '3']
    >>> [tint.label for tint in tints([3, 12, 17, 20, 31, 33, 38, 92])]
    ['1 to 10', '11 to 20', '21 to 30', '31 to 40', '41+']
    """
    seen = sorted(count for count in counts if count)
    if not seen:
        return []
    most = seen[-1]
    usual = seen[max(math.ceil(len(seen) * 0.95) - 2, 0)] if most > TINTS else 1
    width = next(
        nice * 10**power
        for power in itertools.count()
        for nice in _NICE
        if nice * 10**power * (TINTS - 1) >= usual
    )
    if most <= TINTS:
        width = 1
    lows = [low for low in range(1, width * TINTS + 1, width) if low <= most]
    open_end = most > width * TINTS or (most > TINTS and len(lows) == TINTS)
    return [
        Tint(
            low,
            None if open_end and low == lows[-1] else low + width - 1,
            _SPREAD[len(lows)][place],
        )
        for place, low in enumerate(lows)
    ]


def days(dated: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """Return a row a day, from the first to the last of a journey table, with its square's place.

    ``messages`` are those sent on the day, but a control member's; ``engaged`` those whose furthest
    stage, opened or clicked, came on it. The place is a year, a week that begins on Monday, counted
    from the year's first, and a weekday: whole numbers, so that no time zone moves a square.
    """
    sent = dated.filter((pl.col("action_id") != CONTROL_ACTION_ID).fill_null(value=True))
    engaged = sent.filter(pl.col("stage").cast(pl.String).is_in(_ENGAGED)).select(
        day=days_after("send_date", pl.col("days").fill_null(0))
    )
    ends: Any = pl.concat([dated["send_date"].rename("day"), engaged["day"]])
    rank = {name: place for place, name in enumerate(order)}
    by_channel = (
        sent.group_by(pl.col("send_date").alias("day"), "lane")
        .agg(n=pl.len().cast(pl.Int64))
        .sort("day", -pl.col("n"), pl.col("lane").replace_strict(rank, return_dtype=pl.Int64))
        .group_by("day", maintain_order=True)
        .agg(
            messages=pl.col("n").sum(),
            channels=pl.format("{} {}", "lane", "n").str.join(" \N{MIDDLE DOT} "),
        )
    )
    first_weekday = pl.date(pl.col("day").dt.year(), 1, 1).dt.weekday().cast(pl.Int64) - 1
    return (
        pl.DataFrame({"day": pl.date_range(ends.min(), ends.max(), "1d", eager=True)})
        .join(by_channel, on="day", how="left", maintain_order="left")
        .join(
            engaged.group_by("day").agg(engaged=pl.len().cast(pl.Int64)),
            on="day",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.col("messages", "engaged").fill_null(0),
            pl.col("channels").fill_null("none"),
            year=pl.col("day").dt.year(),
            week=(pl.col("day").dt.ordinal_day().cast(pl.Int64) - 1 + first_weekday) // 7,
            weekday=pl.col("day").dt.weekday().cast(pl.Int64) - 1,
        )
    )
