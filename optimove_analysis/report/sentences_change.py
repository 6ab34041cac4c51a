"""What a report says of a rate's change: how much, and what of it is the mix or the rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from optimove_analysis.charts.groups import Group, groups
from optimove_analysis.report.sentences_parts import (
    EMPTY,
    FEW,
    bare,
    base,
    capped,
    change,
    divided_by,
    not_apart,
    recent,
    short,
    started,
)
from optimove_analysis.schema import EXPLAIN_CHANGE, MEAN_OPENS

__all__ = ["explain_change"]

_UNSURE: Final = ", not to be told from none"
_CHANCE: Final = ", which may be by chance"


def explain_change(table: pl.DataFrame) -> list[str]:
    """Tell each group's change, its two parts, and the channel with the largest."""
    drawn = groups(table, EXPLAIN_CHANGE, ["channel_id", "channel"], split=False)
    drawn = [group for group in drawn if not _total(group).is_empty()]
    units = [[started(group.label, text) for text in _told(group)] for group in drawn]
    sizes = [_size(_total(group)) for group in drawn]
    immature = sum(int(_total(group)["n_immature"][0]) for group in drawn)
    return [*(capped(units, sizes=sizes) or [EMPTY]), *recent(immature)]


def _total(group: Group) -> pl.DataFrame:
    return group.rows.filter(pl.col("channel").is_null())


def _size(total: pl.DataFrame) -> int:
    return int(total["n_before"][0]) + int(total["n_after"][0])


def _told(group: Group) -> list[str]:
    row = _total(group).row(0, named=True)
    if row["change"] is None:
        return [_why(row)]
    told = [_whole(row)]
    channels = group.rows.filter(pl.col("channel").is_not_null() & pl.col("change").is_not_null())
    if channels.height > 1:
        of_mix, of_rates = _effect(row, "mix_effect"), _effect(row, "rate_effect")
        told.append(
            f"of it, the mix of channels accounts for {of_mix}, their rates for {of_rates}."
        )
        largest = channels.sort(pl.col("change").abs(), descending=True, maintain_order=True)
        told.append(_largest(*largest.iter_rows(named=True)))
    if row["small"]:
        told[0] += f" {FEW}"
    return told


def _why(row: Mapping[str, Any]) -> str:
    what = f"no answer on the {row['rate']}"
    for period in ("before", "after"):
        if not row[f"n_{period}"]:
            days = f"{row[f'{period}_from']} to {row[f'{period}_to']}"
            return f"{what}, since no message was {divided_by(row)} from {days}."
    return f"{what}, since more were reported than there are messages to divide by."


def _whole(row: Mapping[str, Any]) -> str:
    then, now = (bare(row["rate"], row[f"rate_{period}"]) for period in ("before", "after"))
    text = (
        f"{row['rate']} {then} of {base(divided_by(row), row['n_before'], None)} "
        f"({row['before_from']} to {row['before_to']}), then {now} of {row['n_after']:,} "
        f"({row['after_from']} to {row['after_to']}), a change of {_effect(row, 'change')}"
    )
    return f"{text}."


def _effect(row: Mapping[str, Any], name: str) -> str:
    """Write a change; whether it is one is said where its interval can say so."""
    lo, hi = row[f"{name}_lo"], row[f"{name}_hi"]
    unsure = ""
    if name == "change":
        unsure = _CHANCE if lo is None or hi is None else _UNSURE if not_apart(lo, hi) else ""
    return change(row[name], lo, hi, mean=row["rate"] == MEAN_OPENS) + unsure


def _largest(row: Mapping[str, Any], *others: Mapping[str, Any]) -> str:
    """Tell the channel that adds most, and whether another may add as much."""
    least, _ = _sizes(row)
    near = any(_sizes(other)[1] >= least for other in others)
    unclear = ", though not clearly," if near else ""
    part = _effect(row, "change")
    return f"the largest part of it{unclear} is that of {short(row['channel'])}: {part}."


def _sizes(row: Mapping[str, Any]) -> tuple[float, float]:
    """Return how little and how much a channel's part may be, whatever its sign."""
    lo, hi = row["change_lo"], row["change_hi"]
    if lo is None or hi is None:
        return 0.0, abs(row["change"])
    return 0.0 if not_apart(lo, hi) else min(abs(lo), abs(hi)), max(abs(lo), abs(hi))
