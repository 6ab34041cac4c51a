"""What a report says of customers: in which tier, how long since, on which channel. None by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import groups
from optimove_analysis.report.sentences_parts import EMPTY, capped, rate, short, started
from optimove_analysis.schema import RECENCY, TIER_NAMES

__all__ = ["preferred_channel", "recency", "tiers"]

_TIERS: Final = (
    "Champion and active: engaged in the last 30 days, a champion with a click rate in the top "
    "tenth; cooling: in the last 90 days; dormant: longer ago; new: fewer than 5 messages "
    "delivered."
)
_NAMED: Final = 6
"""Preferred channels that are named."""
_UNKNOWN: Final = "how long ago is not known, since nobody knows through which day the data goes"


def tiers(table: pl.DataFrame) -> list[str]:
    """Tell how many customers are in each tier, and what the tiers are."""
    if table.is_empty():
        return [EMPTY]
    if table.height == 1:
        return [_tier(table.row(0, named=True))]
    parts = [
        f"{name} {n:,} ({words.percent(n / table.height)})"
        for name in TIER_NAMES
        if (n := int((table["tier"] == name).sum()))
    ]
    if n := table["tier"].null_count():
        parts.append(f"not to be told {n:,}")
    return [f"Of {table.height:,} customers by tier: {words.listed(parts)}.", _TIERS]


def _tier(row: Mapping[str, Any]) -> str:
    delivered = words.plural(row["delivered"], "message")
    match row["tier"]:
        case None:
            return f"Last engaged on {row['last_engaged']}; {_UNKNOWN}."
        case "never engaged":
            return f"Never engaged, with {delivered} delivered."
        case "new":
            return f"New, with {delivered} delivered so far."
        case tier:
            return f"{tier.capitalize()}: {_last(row)}."


def _last(row: Mapping[str, Any]) -> str:
    if row["days_since_engaged"] == 0:
        return f"last engaged on {row['as_of']}, the last day of the data"
    days = words.plural(row["days_since_engaged"], "day")
    return f"last engaged {days} before {row['as_of']}"


def recency(table: pl.DataFrame) -> list[str]:
    """Tell how many customers of each group engaged lately, and how many never."""
    drawn = groups(table, RECENCY, ["customer_id"], split=True)
    drawn = [group for group in drawn if group.rows.height]
    alone = table["customer_id"].n_unique() == 1
    units = [[started(group.label, _recency(group.rows, alone=alone))] for group in drawn]
    return capped(units, sizes=[group.rows.height for group in drawn]) or [EMPTY]


def _recency(rows: pl.DataFrame, *, alone: bool) -> str:
    if alone:
        return f"{_one(rows.row(0, named=True))}."
    who = words.plural(rows.height, "customer")
    never = rows["last_engaged"].null_count()
    if never == rows.height:
        return f"none of {who} ever engaged."
    unknown = rows["days_since_engaged"].null_count() - never
    ends = rows["as_of"].drop_nulls().unique().sort()
    until = f" up to {ends[0]}" if len(ends) == 1 else " up to the end of their data"
    parts = []
    if unknown + never < rows.height:
        last_30, last_90 = (int((rows["days_since_engaged"] <= days).sum()) for days in (30, 90))
        parts = [
            f"{_of(last_30, rows)} engaged in the 30 days{until}",
            f"{_of(last_90, rows)} in the 90 days",
        ]
    if unknown:
        parts.append(f"{_of(unknown, rows)} engaged, but {_UNKNOWN}")
    if never:
        parts.append(f"{_of(never, rows)} never did")
    everyone = "" if never else "; all have engaged at some time"
    return f"of {who}, {words.listed(parts)}{everyone}."


def _of(n: int, rows: pl.DataFrame) -> str:
    return f"{n:,} ({words.percent(n / rows.height)})"


def _one(row: Mapping[str, Any]) -> str:
    if row["last_engaged"] is None:
        return f"never engaged, with {words.plural(row['delivered'], 'message')} delivered"
    if row["days_since_engaged"] is None:
        return f"last engaged on {row['last_engaged']}; {_UNKNOWN}"
    return _last(row)


def preferred_channel(table: pl.DataFrame) -> list[str]:
    """Tell how many customers prefer which channel, and of how many it cannot be told."""
    customers = table.group_by("customer_id", maintain_order=True).agg(pl.col("status").first())
    if customers.is_empty():
        return [EMPTY]
    if customers.height == 1:
        return [_preferred_of_one(table)]
    n = {status: int((customers["status"] == status).sum()) for status in customers["status"]}
    some = n.get("preferred", 0)
    have = f"{'has' if some == 1 else 'have'} a preferred channel"
    text = f"{some:,} of {customers.height:,} customers {have}{_span(table)}"
    told = [f"{text}: {words.listed(_by_channel(table))}." if some else f"{text}."]
    if few := n.get("undecided", 0):
        their = "customer's" if few == 1 else "customers'"
        told.append(f"{few:,} {their} two best channels are not to be told apart.")
    if few := n.get("insufficient", 0):
        who = words.plural(few, "customer")
        told.append(f"{who} had too few messages, or on one channel only.")
    return told


def _span(table: pl.DataFrame) -> str:
    days, until = table["lookback"].unique(), table["as_of"].unique()
    if len(days) > 1 or len(until) > 1 or until[0] is None:
        return ""
    return f" in the {words.plural(days[0], 'day')} up to {until[0]}"


def _by_channel(table: pl.DataFrame) -> list[str]:
    first = table.filter((pl.col("status") == "preferred") & (pl.col("rank") == 1))
    counted = first.group_by("channel").len().sort("len", "channel", descending=[True, False])
    told = [f"{short(channel)} for {n:,}" for channel, n in counted.head(_NAMED).iter_rows()]
    left = int(counted["len"][_NAMED:].sum())
    return [*told, f"others for {left:,}"] if left else told


def _preferred_of_one(table: pl.DataFrame) -> str:
    ranked = table.filter(pl.col("rank").is_not_null()).sort("rank", maintain_order=True)
    status = table["status"][0]
    if status == "insufficient" or ranked.is_empty():
        return f"Too few messages{_span(table)}, or on one channel only, to tell a preferred one."
    best = [_engaged(row) for row in ranked.head(2).iter_rows(named=True)]
    if status == "preferred":
        return f"The preferred channel{_span(table)} is {best[0]}."
    return f"No preferred channel{_span(table)}: {words.listed(best)} are not to be told apart."


def _engaged(row: Mapping[str, Any]) -> str:
    return (
        f"{short(row['channel'])}, engaged with {row['engaged']:,} of "
        f"{words.plural(row['received'], 'message')}, {rate(row['rate'], row['lo'], row['hi'])}"
    )
