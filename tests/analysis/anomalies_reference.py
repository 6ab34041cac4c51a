"""Anomalies a second time: plain Python over days, the tail by scipy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from scipy.stats import betabinom

from optimove_analysis import funnel, rates

WEEK = dt.timedelta(days=7)


@dataclass
class Day:
    """One day of one group; k and n are None where its channels have no deliveries."""

    k: int | None = None
    n: int | None = None
    immature: int = 0
    through: dt.date | None = None


def counted(world: pl.DataFrame, by: Sequence[str], **rules: Any) -> dict[Any, dict[Any, Day]]:
    """Count k and n by group and day, by functions that have oracles of their own."""
    day = pl.col("send_date").alias("day")
    delivered = rates(world, by=[*by, day], **rules).filter(pl.col("rate") == "delivery rate")
    # The funnel knows of each channel, those without deliveries included, what counts at all.
    sent = funnel(world, by=[*{*by, "channel_id"}, day], **rules).filter(stage="sent")
    found: dict[Any, dict[Any, Day]] = {}
    for row in sent.iter_rows(named=True):
        if row["day"] is not None and row["sent"] + row["n_immature"] > 0:
            found.setdefault(tuple(row[name] for name in by), {})[row["day"]] = Day()
    for row in delivered.iter_rows(named=True):
        days = found.get(tuple(row[name] for name in by), {})
        if row["day"] in days:
            days[row["day"]] = Day(row["k"], row["n"], row["n_immature"], row["as_of"])
    return found


def beta(base: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """The Beta of a further day: moments, written as sums."""
    big_k, big_n = sum(k for k, _ in base), sum(n for _, n in base)
    p, squares = big_k / big_n, sum(n * n for _, n in base)
    spread = sum(n * (k / n - p) ** 2 for k, n in base)
    freedom = len(base) - 1
    below = big_n - squares / big_n - freedom
    own = (spread - p * (1 - p) * freedom) / below if below > 0 else 0
    own = min(max(own, 0), p * (1 - p) / 2)
    mean = (big_k + 0.5) / (big_n + 1)
    noise = mean * (1 - mean)
    variance = min(noise / (big_n + 2) + own * (1 + squares / big_n**2), noise / 2)
    return mean * (noise / variance - 1), (1 - mean) * (noise / variance - 1)


def anomalies(
    days: dict[Any, Day], *, weeks: int, min_n: int, min_drop: float, alpha: float
) -> list[dict[str, Any]]:
    """Judge each day of one group."""
    has_rate = any(day.n is not None for day in days.values())
    last = max([*days, *(day.through for day in days.values() if day.through)])
    rows: list[dict[str, Any]] = []
    odd: set[dt.date] = set()
    when = min(days)
    while when <= last:
        day = days.get(when, Day())
        n, k = day.n or 0, day.k or 0
        before = [when - back * WEEK for back in range(1, weeks + 1)]
        base = [(d.k or 0, d.n) for d in map(days.get, before) if d and d.n]
        base_k, base_n = sum(k for k, _ in base), sum(n for _, n in base)
        expected = base_k / base_n if base else None
        tested = n >= min_n and len(base) >= max(2, -(-weeks * 3 // 4))
        p = float(betabinom.cdf(k, n, *beta(base))) if tested else None
        drop = expected - k / n if expected is not None and n else None
        if not has_rate:
            status = "no rate"
        elif n == 0:
            status = "immature" if day.immature else "no data"
        elif n < min_n:
            status = "small"
        elif p is None or drop is None:
            status = "no baseline"
        else:
            status = "anomaly" if p < alpha and drop >= min_drop - 1e-12 else "ok"
        rows.append(
            {
                "send_date": when,
                "status": status,
                "rate": k / n if n else None,
                "k": k if has_rate else None,
                "n": n if has_rate else None,
                "expected": expected,
                "drop": drop,
                "p": p,
                "baseline_k": base_k,
                "baseline_n": base_n,
                "baseline_days": len(base),
                "baseline_anomalies": len(odd.intersection(before)),
                "n_immature": day.immature,
            }
        )
        if status == "anomaly":
            odd.add(when)
        when += dt.timedelta(days=1)
    for row in rows:
        row["n_tests"] = sum(one["p"] is not None for one in rows)
    return rows
