"""Recency and tiers a second time: messages by SQL on DuckDB, the rest in plain Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from analysis import rates_oracle
from analysis.oracle import IDS, Numbers, Row, Rules


def as_it_stood(world: pl.DataFrame, as_of: dt.date | None) -> tuple[pl.DataFrame, dict[Any, Any]]:
    """The rows through as_of, and as of which day each customer stands."""
    stands: dict[Any, Any] = {}
    for row in world.iter_rows(named=True):
        days = [stands.get(row["customer_id"]), as_of or row["data_through"]]
        stands[row["customer_id"]] = max((day for day in days if day), default=None)
    kept = [
        row["date"] is None
        or stands[row["customer_id"]] is None
        or row["date"] <= stands[row["customer_id"]]
        for row in world.iter_rows(named=True)
    ]
    return world.filter(pl.Series(kept, dtype=pl.Boolean)), stands


def _engaged_on(world: pl.DataFrame, message: Row, opens: str) -> list[dt.date]:
    """Every day with a click or an open of the message."""
    key = [message[name] for name in IDS]
    rows = [row for row in world.iter_rows(named=True) if [row[name] for name in IDS] == key]
    sends = sorted({r["date"] for r in rows if r["event_id"] == 1 and r["date"]})
    lost = message["d6"] is not None and message["d4"] is None
    days: list[dt.date] = []
    for row in rows:
        stage = {3: "opened", 4: "clicked"}.get(row["event_id"])
        if not stage or not row["date"] or stage not in message["has"]:
            continue
        if stage == "opened" and (opens == "ignore" or lost):
            continue
        before = [send for send in sends if send <= row["date"]]
        own = before[-1] if before else None
        if (own == message["send_date"]) if sends else True:
            days.append(row["date"])
    return days


def recency(
    world: pl.DataFrame, path: Path, *, by: Sequence[str], as_of: dt.date | None, **options: Any
) -> Numbers:
    rows, stands = as_it_stood(world, as_of)
    rows.write_parquet(path)
    rules = Rules(window=None, as_of=as_of, **options)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for message in rates_oracle.judged(path, rules):
        key = (*(message[name] for name in by), message["customer_id"])
        groups.setdefault(key, []).append(message)
    result: Numbers = {}
    for key, members in groups.items():
        counted = [m for m in members if m["fate"] == "counted"]
        active = [
            (m, days)
            for m in members
            if m["fate"] in {"counted", "unobserved"}
            and (days := _engaged_on(rows, m, rules.opens))
        ]
        sends = [m["send_date"] for m in counted]
        last = max((day for _, days in active for day in days), default=None)
        stand = stands[key[-1]]
        result[key] = {
            "sent": len(counted),
            "delivered": sum(m["facts"]["delivered"] for m in counted),
            "engaged": len(active),
            "clicked": sum("clicked" in m["reached"] for m, _ in active),
            "first_sent": min(sends, default=None),
            "last_sent": max(sends, default=None),
            "last_engaged": last,
            "days_since_sent": (stand - max(sends)).days if stand and sends else None,
            "days_since_engaged": (stand - last).days if stand and last else None,
            "days_censored": (stand - min(sends)).days if stand and sends and not last else None,
            "n_unobserved": sum(m["fate"] == "unobserved" for m in members),
            "as_of": stand,
            "_clicks": sum(m["facts"]["delivered"] and "clicked" in m["reached"] for m in counted),
        }
    return result


def _shrunk(pairs: Sequence[tuple[int, int]]) -> list[float | None]:
    """Each customer's posterior mean, by the moments of the definitions."""
    some = [(k, n) for k, n in pairs if n]
    if not some:
        return [None] * len(pairs)
    total = sum(n for _, n in some)
    p = sum(k for k, _ in some) / total
    noise = p * (1 - p) * (len(some) - 1)
    spread = sum(n * (k / n - p) ** 2 for k, n in some)
    room = total - sum(n * n for _, n in some) / total - (len(some) - 1)
    own = (spread - noise) / room if room > 1e-9 else 0.0
    if own <= 1e-15:
        return [p] * len(pairs)
    weight = p * (1 - p) / min(own, p * (1 - p) / 2) - 1
    return [(k + p * weight) / (n + weight) for k, n in pairs]


def tiers(world: pl.DataFrame, path: Path, *, as_of: dt.date | None, **options: Any) -> Numbers:
    found = recency(world, path, by=(), as_of=as_of, **options)
    rates = _shrunk([(row["_clicks"], row["delivered"]) for row in found.values()])
    ranked = [
        r
        for r, row in zip(rates, found.values(), strict=True)
        if r is not None and row["delivered"]
    ]
    top: list[float] = []
    for one in ranked:
        as_high = sum(other >= one - 1e-11 for other in ranked)
        if as_high * 10 <= len(ranked):
            top.append(one)
    threshold = min(top, default=None)
    for rate, row in zip(rates, found.values(), strict=True):
        days = row["days_since_engaged"]
        tier: str | None
        if row["delivered"] < 5:
            tier = "new"
        elif not row["engaged"]:
            tier = "never engaged"
        elif days is None:
            tier = None
        elif days <= 30:
            high = threshold is not None and rate is not None and rate >= threshold - 1e-11
            tier = "champion" if high else "active"
        else:
            tier = "cooling" if days <= 90 else "dormant"
        row |= {
            "tier": tier,
            "click_rate": rate,
            "threshold": threshold,
            "n_ranked": len(ranked),
        }
    names = ("tier", "click_rate", "threshold", "n_ranked", "engaged", "delivered", "last_engaged")
    return {key: {name: row[name] for name in names} for key, row in found.items()}
