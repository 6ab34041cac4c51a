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
