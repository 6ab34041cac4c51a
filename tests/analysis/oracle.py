"""The definitions a second time, as SQL on DuckDB: an independent computation of funnel and mix.

Written from the definitions and not from the package: events are placed by a correlated lookup
instead of a forward fill, booleans are SQL's, and intervals are plain Python over the customers'
counts.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import polars as pl
from analysis.intervals import index_interval, interval

Row: TypeAlias = dict[str, Any]
Numbers: TypeAlias = dict[tuple[Any, ...], Row]

IDS = [
    "customer_id",
    "campaign_id",
    "recipient_group_id",
    "action_id",
    "channel_id",
    "template_id",
]
STAGES_OF = {  # definitions, "Stages by channel", for the ids of Optimove's test environment
    502: {"sent"},
    504: {"sent", "delivered", "opened", "clicked"},
    505: {"sent", "delivered", "clicked"},
    506: {"sent", "delivered", "clicked"},
    510: {"sent", "delivered", "clicked"},
    511: {"sent", "clicked"},
}
ALL = {"sent", "delivered", "opened", "clicked"}

MESSAGES = f"""
CREATE OR REPLACE TEMP TABLE events AS
SELECT *, concat_ws('|', {", ".join(f"coalesce(CAST({i} AS VARCHAR), '~')" for i in IDS)}) AS k
FROM read_parquet(?);

CREATE OR REPLACE TEMP TABLE sends AS
SELECT DISTINCT k, date AS day FROM events WHERE event_id = 1 AND date IS NOT NULL;

CREATE OR REPLACE TEMP TABLE placed AS
SELECT e.*,
       (SELECT min(day) FROM sends s WHERE s.k = e.k) AS first_send,
       (SELECT max(day) FROM sends s WHERE s.k = e.k AND s.day <= e.date) AS own_send,
       (SELECT min(date) FROM events o WHERE o.k = e.k) AS earliest
FROM events e;

CREATE OR REPLACE TEMP TABLE msg AS
WITH d AS (
  SELECT *, first_send IS NOT NULL AND date IS NOT NULL AND date < first_send AS orphan,
         CASE WHEN own_send IS NOT NULL THEN own_send
              WHEN first_send IS NOT NULL THEN first_send
              ELSE earliest END AS send_date
  FROM placed)
SELECT {", ".join(f"any_value({i}) AS {i}" for i in IDS)}, k, send_date,
       count(*) FILTER (event_id = 1 AND date IS NOT NULL) > 0 AS observed_sent,
       min(date) FILTER (event_id = 2 AND NOT orphan) AS d2,
       min(date) FILTER (event_id = 3 AND NOT orphan) AS d3,
       min(date) FILTER (event_id = 4 AND NOT orphan) AS d4,
       min(date) FILTER (event_id = 5 AND NOT orphan) AS d5,
       min(date) FILTER (event_id = 6 AND NOT orphan) AS d6,
       min(date) FILTER (event_id = 7 AND NOT orphan) AS d7,
       max(data_through) AS data_through
FROM d GROUP BY k, send_date;
"""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The options of funnel and mix, as the definitions name them."""

    window: int | None = 7
    as_of: dt.date | None = None
    implied: str = "lower"
    assume_sent: bool | None = None
    opens: str = "trust"

    def engagement(self, of: str) -> set[str]:
        """The stages that are engagement."""
        stages = {"opened", "clicked"} if of == "engaged" else {of}
        return stages - {"opened"} if self.opens == "ignore" else stages


def _inside(row: Row, event: int, window: int | None) -> bool:
    day = row[f"d{event}"]
    if day is None or row["send_date"] is None:
        return False
    return window is None or (day - row["send_date"]).days <= window


def _fate(row: Row, rules: Rules, *, assume_sent: bool) -> str:
    through = rules.as_of or row["data_through"]
    known = any(row[f"d{event}"] is not None for event in range(2, 8))
    if row["send_date"] is None:
        return "dateless"
    if row["action_id"] == 1:
        return "control"
    if not row["observed_sent"] and not known:
        return "unknown"
    if not row["observed_sent"] and not assume_sent:
        return "unobserved"
    if rules.window is not None and through and (through - row["send_date"]).days < rules.window:
        return "immature"
    return "counted"


def _counts(row: Row) -> bool:
    return bool(row["fate"] == "counted")


def _reach(row: Row, rules: Rules) -> tuple[set[str], set[str], set[str]]:
    """Stages observed in the window, reached in it, and observed only after it."""
    has = STAGES_OF.get(row["channel_id"], ALL)
    lost = row["d6"] is not None and row["d4"] is None
    possible = {4: "clicked"} if lost else {2: "delivered", 3: "opened", 4: "clicked"}
    seen = {stage for event, stage in possible.items() if _inside(row, event, rules.window)}
    late = {stage for event, stage in possible.items() if row[f"d{event}"]} - seen
    if row["observed_sent"]:
        seen.add("sent")
    seen &= has
    reached = seen | {"sent"}
    if rules.implied == "lower":
        if "clicked" in seen:
            reached |= {"delivered", "opened"}
        complained = _inside(row, 5, rules.window) or _inside(row, 7, rules.window)
        if "opened" in seen or (complained and not lost):
            reached |= {"delivered"}
    return seen, reached & has, late & has


def _judged(path: Path, rules: Rules) -> list[Row]:
    """Every message with its fate and the stages that it reached, in plain Python."""
    with duckdb.connect() as db:
        for statement in MESSAGES.split(";"):
            if statement.strip():
                db.execute(statement, [str(path)] if "?" in statement else [])
        cursor = db.execute("SELECT * FROM msg")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assume_sent = rules.assume_sent
    if assume_sent is None:
        assume_sent = not any(row["observed_sent"] for row in rows)
    for row in rows:
        row["fate"] = _fate(row, rules, assume_sent=assume_sent)
        row["seen"], row["reached"], row["late"] = _reach(row, rules)
        row["has"] = STAGES_OF.get(row["channel_id"], ALL)
    return rows


def funnel(path: Path, *, by: Sequence[str], **options: Any) -> Numbers:
    rules = Rules(**options)
    groups: dict[tuple[Any, ...], list[Row]] = {} if by else {(): []}
    for row in _judged(path, rules):
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    result: Numbers = {}
    for group, everything in groups.items():
        members = everything
        if "channel_id" in by:
            shared = set(members[0]["has"])
        else:
            members = [row for row in members if len(row["has"]) > 1]
            shared = set.intersection(ALL, *(row["has"] for row in members if _counts(row)))
        counted = [row for row in members if _counts(row)]
        before = None
        for stage in ("sent", "delivered", "opened", "clicked"):
            if stage == "opened" and rules.opens == "ignore":
                continue
            if stage not in shared:
                result[*group, stage] = {"messages": None}
                continue
            result[*group, stage] = _stage(stage, before, counted, rules.implied) | {
                "n_immature": sum(row["fate"] == "immature" for row in members),
                "n_unobserved": sum(row["fate"] == "unobserved" for row in members),
            }
            before = stage
    return result


def _stage(stage: str, before: str | None, counted: Sequence[Row], implied: str) -> Row:
    by_customer: dict[str, list[int]] = {}
    for row in counted:
        sums = by_customer.setdefault(row["customer_id"], [0, 0, 0])
        sums[0] += stage in row["reached"]
        sums[1] += 1
        sums[2] += before is None or before in row["reached"]
    messages = sum(k for k, _, _ in by_customer.values())
    sent, previous = len(counted), sum(n for _, _, n in by_customer.values())
    overall = interval([(k, n) for k, n, _ in by_customer.values()])
    if before is None and overall:
        overall = 1.0, 1.0  # sent of sent: nothing is estimated
    # Reported counts (nothing implied) can grow from stage to stage: that is no rate.
    has_step = before is not None and 0 < previous >= messages
    step = None
    if has_step and implied == "lower":
        step = interval([(k, n) for k, _, n in by_customer.values()])
    return {
        "messages": messages,
        "n_observed": sum(stage in row["seen"] for row in counted),
        "n_late": sum(stage in row["late"] for row in counted),
        "sent": sent,
        "overall_rate": messages / sent if sent else None,
        "overall_lo": overall and overall[0],
        "overall_hi": overall and overall[1],
        "previous": None if before is None else previous,
        "step_rate": messages / previous if has_step else None,
        "step_lo": step and step[0],
        "step_hi": step and step[1],
        "customers": len(by_customer),
        "small": sent < 30,
    }


def mix(
    path: Path, *, by: Sequence[str] = (), month: bool = False, of: str, **options: Any
) -> Numbers:
    rules = Rules(**options)
    engagement = rules.engagement(of)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in _judged(path, rules):
        row["hit"] = bool(row["reached"] & engagement)
        send = row["send_date"]
        period = send.replace(day=1) if month and send else None
        groups.setdefault((*(row[name] for name in by), period), []).append(row)
    result: Numbers = {}
    for group, members in groups.items():
        counted = [row for row in members if _counts(row)]
        for channel in {row["channel_id"] for row in members}:
            can = bool(STAGES_OF.get(channel, ALL) & engagement)
            result[*group, channel] = _share(channel, counted, can=can)
    return result


def _share(channel: int | None, counted: Sequence[Row], *, can: bool) -> Row:
    own = [row for row in counted if row["channel_id"] == channel]
    s, e = len(own), sum(row["hit"] for row in own)
    sends, hits = len(counted), sum(row["hit"] for row in counted)
    index = (e / hits) / (s / sends) if can and hits and s else None
    lo, hi = index_interval(channel, counted, index) if index is not None else (None, None)
    return {
        "sends": s,
        "engagements": e if can else None,
        "share_of_sends": s / sends if sends else None,
        "share_of_engagements": e / hits if can and hits else None,
        "index": index,
        "index_lo": lo,
        "index_hi": hi,
    }


def assert_equal(frame: pl.DataFrame, keys: Sequence[str], expected: Numbers) -> None:
    """Hold a result of ours against the oracle's, row by row and number by number."""
    ours = {tuple(row[key] for key in keys): row for row in frame.iter_rows(named=True)}
    assert len(ours) == frame.height
    assert set(ours) == set(expected)
    for key, numbers in expected.items():
        for name, number in numbers.items():
            mine = ours[key][name]
            where = f"{name} at {key}: ours {mine}, the oracle's {number}"
            if isinstance(number, float) and mine is not None:
                assert math.isclose(mine, number, rel_tol=1e-9, abs_tol=1e-9), where
            else:
                assert mine == number, where
