"""What a report says of what came after what: hand-offs between channels, and steps in order."""

from __future__ import annotations

from typing import Any

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group, groups
from optimove_analysis.report.sentences_parts import (
    EMPTY,
    FEW,
    FEW_CUSTOMERS,
    capped,
    rate,
    recent,
    short,
    started,
)
from optimove_analysis.schema import HAND_OFF, ORDERED_FUNNEL_COUNTS

__all__ = ["hand_off", "ordered_funnel_counts"]


def hand_off(table: pl.DataFrame) -> list[str]:
    """Tell for each channel where the next engagement came most often, if it came."""
    units: list[list[str]] = []
    sizes: list[int] = []
    immature = 0
    for group in groups(table, HAND_OFF, ["from_channel_id", "next", "to_channel_id"], split=False):
        for rows in group.rows.partition_by("from_channel_id", maintain_order=True):
            units.append([started(group.label, _after(rows))])
            sizes.append(int(rows["n_from"][0]))
            immature += int(rows["n_immature"][0])
    return [*(capped(units, "channel", sizes=sizes) or [EMPTY]), *recent(immature)]


def _after(rows: pl.DataFrame) -> str:
    first: dict[str, Any] = rows.row(0, named=True)
    start = (
        f"after {words.plural(first['n_from'], 'unanswered message')} on "
        f"{short(first['from_channel'])}"
    )
    span = "has come yet"
    if first["within"] is not None:
        span = f"came within {words.plural(first['within'], 'day')}"
    none = rows.filter(pl.col("next") == "none")
    share = rate(*none.select("share", "lo", "hi").row(0)) if none.height else ""
    few = f" {FEW}" if first["small"] else ""
    ranked = rows.filter(pl.col("next") == "engaged").sort(
        "n", descending=True, maintain_order=True
    )
    if none.height == rows.height:
        return f"{start}, in {share} no engagement {span}.{few}"
    came = "on several channels in a day" if ranked.is_empty() else _next(ranked, rows)
    text = f"{start}, the next engagement came {came}"
    return f"{text}; in {share} none {span}.{few}" if none.height else f"{text}.{few}"


def _next(ranked: pl.DataFrame, rows: pl.DataFrame) -> str:
    best, *others = ranked.iter_rows(named=True)
    only = not others and "several" not in rows["next"]
    text = f"{'only' if only else 'most often'} on {short(best['to_channel'])}: in "
    text += rate(best["share"], best["lo"], best["hi"])
    if best["median_days"] is not None:
        days = "day" if best["median_days"] == 1 else "days"
        text += f", after a median of {best['median_days']:g}{words.NBSP}{days}"
    # What is ahead by so little may be so by chance.
    if others and others[0]["hi"] >= best["lo"]:
        near = others[0]
        share = rate(near["share"], near["lo"], near["hi"])
        text += f", not clearly ahead of {short(near['to_channel'])} with {share}"
    return text


def ordered_funnel_counts(table: pl.DataFrame) -> list[str]:
    """Tell of each group how many came to the last step, of those who began."""
    drawn = groups(table, ORDERED_FUNNEL_COUNTS, ["step"], split=False)
    drawn = [group for group in drawn if group.rows.height]
    units = [[started(group.label, _last_step(group))] for group in drawn]
    told = capped(units, sizes=[int(group.rows["entered"][0]) for group in drawn])
    immature = sum(int(group.rows["n_immature"][0]) for group in drawn)
    if immature:
        began = words.plural(immature, "more customer")
        told.append(f"{began} began too recently to count.")
    return told or [EMPTY]


def _last_step(group: Group) -> str:
    last: dict[str, Any] = group.rows.sort("position", maintain_order=True).row(-1, named=True)
    if not last["entered"]:
        return f"no customer of {last['audience']:,} began the steps."
    within = "" if last["window"] is None else f" within {words.plural(last['window'], 'day')}"
    text = (
        f"of {words.plural(last['entered'], 'customer')} who began the steps, "
        f"{rate(last['overall_rate'], last['overall_lo'], last['overall_hi'])} came to "
        f'"{short(last["step"])}"{within}'
    )
    if last["median_days"] is not None:
        days = "day" if last["median_days"] == 1 else "days"
        text += f", after a median of {last['median_days']:g}{words.NBSP}{days}"
    return f"{text}. {FEW_CUSTOMERS}" if last["small"] else f"{text}."
