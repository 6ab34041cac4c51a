"""How far curves over days are drawn, and where they move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

__all__ = ["Horizon", "steps_of"]

_ENDS: Final = (7, 14, 30, 60, 90, 180, 365)
_TICKS: Final = (0, 1, 3, 7, 14, 30, 60, 90, 180, 365)
_APART: Final = 44  # pixels between two numbers at risk
_MOST: Final = 0.99


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far the curves are drawn: in most data nothing happens for most of the year."""

    last: int
    later: int
    """Engagements after that day."""

    @classmethod
    def of(cls, rows: pl.DataFrame, days: int | None) -> Horizon:
        """Take the user's last day, or find the one by which nearly all engagements came."""
        events = rows.group_by("day").agg(pl.col("events").sum()).sort("day")
        end = int(rows["day"].max() or 0)  # type: ignore[arg-type] # a column of whole numbers
        if days is None:
            share = pl.col("events").cum_sum() / pl.col("events").sum()
            came = events.filter(share >= _MOST)["day"]
            nearly = int(came[0]) if came.len() else 0
            days = next((day for day in _ENDS if day >= nearly), end)
        return cls(days, int(events.filter(pl.col("day") > days)["events"].sum()))

    def ticks(self, width: int) -> list[int]:
        """Return the days under the axis, with room for a number at each."""
        apart = self.last * _APART / width
        found = [0]
        for day in _TICKS:
            if day - found[-1] >= apart and self.last - day >= apart:
                found.append(day)
        return [*found, self.last]


def steps_of(rows: pl.DataFrame, horizon: Horizon) -> pl.DataFrame:
    """Return the rows in which a curve moves, and each curve's end: between them nothing changes.

    A curve ends where its last message is no longer followed, or where the picture does.
    """
    rows = rows.sort("channel", "day", maintain_order=True)
    ends = rows.group_by("channel", maintain_order=True).agg(pl.col("day").max().alias("end"))
    seen = rows.filter(pl.col("day") <= horizon.last, pl.col("engaged").is_not_null())
    moves = pl.struct("engaged", "lo", "hi")
    moved = seen.filter((moves != moves.shift().over("channel")).fill_null(True))
    last = (
        seen.group_by("channel", maintain_order=True)
        .last()
        .join(ends, on="channel")
        .with_columns(day=pl.col("end").clip(upper_bound=horizon.last))
        .select(seen.columns)
    )
    return pl.concat([moved, last]).unique(["channel", "day"], keep="first").sort("channel", "day")
