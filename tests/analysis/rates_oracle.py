"""The rates of the definitions a second time: messages by SQL on DuckDB, rates in plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
from analysis.intervals import interval
from analysis.oracle import MESSAGES, Numbers, Row, Rules, _inside, _judged

Z = 1.959963984540054
ALL = {"sent", "delivered", "opened", "clicked"}

OPENS = """
SELECT k, coalesce(own_send, earliest) AS send_date, date FROM placed
WHERE event_id = 3 AND date IS NOT NULL AND NOT coalesce(date < first_send, false)
"""


def _open_days(path: Path) -> dict[tuple[str, Any], list[Any]]:
    """The days of each message's open rows, repeats and all."""
    with duckdb.connect() as db:
        for statement in MESSAGES.split(";"):
            if statement.strip():
                db.execute(statement, [str(path)] if "?" in statement else [])
        found: dict[tuple[str, Any], list[Any]] = {}
        for key, send, day in db.execute(OPENS).fetchall():
            found.setdefault((key, send), []).append(day)
    return found


def _facts(row: Row, rules: Rules, opens: dict[tuple[str, Any], list[Any]]) -> dict[str, int]:
    lost = row["d6"] is not None and row["d4"] is None
    delivered = "delivered" in row["reached"]
    if not row["reports"]:
        delivered = "delivered" in row["has"] and not lost
    engagement = {"clicked", "opened"} if rules.opens == "trust" else {"clicked"}
    sides = {
        name: _inside(row, event, rules.window) and (delivered or rules.implied == "none")
        for name, event in (("unsubscribed", 5), ("spam", 7))
    }
    days = opens.get((row["k"], row["send_date"]), [])
    if lost or "opened" not in row["has"]:
        days = []
    in_time = [
        rules.window is None or (day - row["send_date"]).days <= rules.window for day in days
    ]
    return {
        "sent": True,
        "delivered": delivered,
        "opened": "opened" in row["reached"],
        "clicked": "clicked" in row["reached"],
        "bounced": lost and _inside(row, 6, rules.window),
        "engaged": bool(row["reached"] & engagement),
        "opens": sum(in_time),
        "late opens": len(in_time) - sum(in_time),
        **sides,
    }


RATES: dict[str, tuple[str, str, str]] = {
    # numerator, denominator, the stage that a channel must have
    "delivery rate": ("delivered", "sent", "delivered"),
    "bounce rate": ("bounced", "sent", "delivered"),
    "open rate": ("opened", "delivered", "opened"),
    "click rate": ("clicked", "delivered", "delivered"),
    "click-to-open rate": ("clicked", "opened", "opened"),
    "unsubscribe rate": ("unsubscribed", "delivered", "delivered"),
    "spam complaint rate": ("spam", "delivered", "delivered"),
    "engagement rate": ("engaged", "delivered", "delivered"),
    "total opens per delivered": ("opens", "delivered", "opened"),
}


def judged(path: Path, rules: Rules) -> list[Row]:
    rows = _judged(path, rules)
    reporting = {r["channel_id"] for r in rows if r["fate"] == "counted" and r["d2"] is not None}
    opens = _open_days(path)
    for row in rows:
        row["reports"] = row["channel_id"] in reporting
        row["facts"] = _facts(row, rules, opens)
    return rows


def rates(path: Path, *, by: Sequence[str], **options: Any) -> Numbers:
    rules = Rules(**options)
    groups: dict[tuple[Any, ...], list[Row]] = {} if by else {(): []}
    for row in judged(path, rules):
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    result: Numbers = {}
    for group, everything in groups.items():
        for rate, (k, n, needs) in RATES.items():
            if rules.opens == "ignore" and needs == "opened":
                continue
            members = [row for row in everything if needs in row["has"]]
            counted = [row for row in members if row["fate"] == "counted"]
            others = [row for row in everything if row["fate"] == "counted"]
            lacks = not members if "channel_id" in by else bool(others) and not counted
            result[*group, rate] = (
                {"value": None, "lo": None, "hi": None, "k": None, "n": None, "small": None}
                if lacks
                else _rate(rate, k, n, counted, rules)
                | {"n_immature": sum(row["fate"] == "immature" for row in members)}
            )
    return result


def _rate(rate: str, k: str, n: str, counted: Sequence[Row], rules: Rules) -> Row:
    by_customer: dict[str, list[int]] = {}
    for row in counted:
        sums = by_customer.setdefault(row["customer_id"], [0, 0])
        sums[0] += row["facts"][k]
        sums[1] += row["facts"][n]
    pairs = [(mine, of) for mine, of in by_customer.values()]
    total_k, total_n = sum(mine for mine, _ in pairs), sum(of for _, of in pairs)
    ends = None
    if rate == "total opens per delivered":
        value = total_k / total_n if total_n else None
        if value:
            ends = _mean_ends(pairs, [(r["facts"][k], r["facts"][n]) for r in counted])
    else:
        value = total_k / total_n if total_n and total_k <= total_n else None
        if value is not None and (rules.implied == "lower" or n == "sent"):
            ends = interval(pairs)
    return {
        "value": value,
        "lo": ends and ends[0],
        "hi": ends and ends[1],
        "k": total_k,
        "n": total_n,
        "customers": sum(of > 0 for _, of in pairs),
        "small": total_n < 30,
        "channels": sorted({NAMES.get(r["channel_id"], _unnamed(r)) for r in counted}),
    }


NAMES: dict[int | None, str] = {
    502: "Call centre",
    504: "E-mail",
    505: "SMS",
    506: "Push",
    510: "Web push",
    511: "In-app",
    None: "channel (no id)",
}


def _unnamed(row: Row) -> str:
    return f"channel {row['channel_id']} (unnamed)"


def _mean_ends(
    customers: Sequence[tuple[int, int]], messages: Sequence[tuple[int, int]]
) -> tuple[float, float] | None:
    """Ends of the mean's interval: the ratio's linearised variance, the larger of the two."""
    k, n = sum(mine for mine, _ in customers), sum(of for _, of in customers)
    mean = k / n

    def spread(pairs: Sequence[tuple[int, int]], m: int) -> float:
        return sum((mine - mean * of) ** 2 for mine, of in pairs) * m / (m - 1) if m > 1 else 0.0

    clusters = sum(of > 0 for _, of in customers)
    variance = max(spread(customers, clusters), spread(messages, n)) / n**2
    if n == 1 or variance < 1e-12:
        return None
    factor: Callable[[float], float] = math.exp
    half = Z * math.sqrt(variance) / mean
    return mean * factor(-half), mean * factor(half)
