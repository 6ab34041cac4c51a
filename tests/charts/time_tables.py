"""Hand-written results over time: frequency, its contrast, time to engage, anomalies, steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
from charts.tables import AS_OF, wilson

from optimove_analysis.schema import (
    ANOMALIES,
    FREQUENCY,
    FREQUENCY_CONTRAST,
    ORDERED_FUNNEL_COUNTS,
    TIME_TO_ENGAGE,
    Column,
    Table,
)

MARCH = date(2026, 3, 1)
SETTINGS: Mapping[str, Any] = {
    "unit": "message",
    "window": 7,
    "as_of": AS_OF,
    "implied": "lower",
    "opens": "trust",
    "notes": [],
}


def _nothing(column: Column) -> object:
    if column.nulls:
        return None
    return [] if column.dtype == pl.List else "" if column.dtype == pl.String else 0


def table_of(table: Table, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """A frame of the table; what a row does not say is null, or nothing where none may be null."""
    keys = [name for name in rows[0] if name not in (*table.names, *SETTINGS)]
    nothing = {column.name: _nothing(column) for column in table.columns}
    ordered = [
        {name: row.get(name, nothing.get(name)) for name in (*keys, *table.names)} for row in rows
    ]
    return pl.DataFrame(ordered, infer_schema_length=None).cast(
        {column.name: column.dtype for column in table.columns}
    )


def ends(k: int | None, n: int | None) -> dict[str, float | None]:
    if k is None or not n:
        return {"value": None, "lo": None, "hi": None}
    low, high = wilson(k, n)
    return {"value": k / n, "lo": low, "hi": high}


def frequency_rows(
    counts: Mapping[int | None, tuple[int | None, int | None]],
    *,
    channel: str | None = "E-mail",
    top: int = 6,
    immature: int = 0,
    early: int = 0,
    **keys: object,
) -> list[dict[str, Any]]:
    """A row a level, from k and n of each."""
    return [
        {
            **keys,
            **SETTINGS,
            "channel": channel,
            "pressure": level,
            "level": "unknown" if level is None else f"{top}+" if level == top else str(level),
            "rate": "engagement rate",
            "label": "engagement rate",
            **ends(k, n),
            "k": k,
            "n": n,
            "small": None if n is None else n < 30,
            "n_immature": immature,
            "n_unobserved": 0,
            "customers": 0 if n is None else min(n, 90),
            "mean_pressure": None if level is None else float(level),
            "n_same_day": 0,
            "n_early": early,
            "days": 7,
        }
        for level, (k, n) in counts.items()
    ]


def frequency_table(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return table_of(FREQUENCY, rows)


def contrast_table(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return table_of(
        FREQUENCY_CONTRAST,
        [
            {
                **SETTINGS,
                "channel": "E-mail",
                "rate": "engagement rate",
                "label": "engagement rate",
                "customers": 90,
                "small": False,
                "days": 7,
            }
            | dict(row)
            for row in rows
        ],
    )


def curve_rows(
    days: Mapping[int, tuple[int, int]],
    *,
    n: int,
    channel: str | None = "E-mail",
    immature: int = 0,
    **keys: object,
) -> list[dict[str, Any]]:
    """A row a day from (events, censored): Kaplan and Meier's product, by hand."""
    rows = []
    at_risk, alive = n, 1.0
    for day, (events, censored) in days.items():
        alive *= 1 - events / at_risk
        certain = alive in {0.0, 1.0}
        rows.append(
            {
                **keys,
                **SETTINGS,
                "channel": channel,
                "day": day,
                "at_risk": at_risk,
                "events": events,
                "censored": censored,
                "engaged": 1 - alive,
                "lo": None if certain else (1 - alive) * 0.8,
                "hi": None if certain else (1 - alive) ** 0.8,
                "n": n,
                "n_engaged": sum(number for number, _ in days.values()),
                "n_late": 0,
                "n_implied": 0,
                "n_immature": immature,
                "n_unobserved": 0,
                "customers": n,
                "small": n < 30,
            }
        )
        at_risk -= events + censored
    half = next((row["day"] for row in rows if row["engaged"] >= 0.5), None)
    return [row | {"median_day": half} for row in rows]


def no_curve_rows(channel: str, *, immature: int = 0, **keys: object) -> list[dict[str, Any]]:
    """What a channel that reports no deliveries has."""
    row = {**keys, **SETTINGS, "channel": channel, "day": 0, "n_immature": immature}
    return [row | {"n_unobserved": 0}]


def curve_table(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return table_of(TIME_TO_ENGAGE, rows)


def day_rows(
    days: Sequence[tuple[int, int | None]],
    *,
    start: date = MARCH,
    odd: Mapping[int, float] | None = None,
    channel: str | None = "E-mail",
    immature: Mapping[int, int] | None = None,
    **keys: object,
) -> list[dict[str, Any]]:
    """A row a day from (n, k); ``odd`` has the expected rate of the days that are anomalies."""
    rows = []
    for place, (n, k) in enumerate(days):
        expected = (odd or {}).get(place)
        late = (immature or {}).get(place, 0)
        status = "ok" if n >= 30 else "small" if n else "immature" if late else "no data"
        status = "no rate" if k is None else "anomaly" if expected is not None else status
        tested = status in {"ok", "anomaly"}
        expected = 0.97 if expected is None and tested else expected
        found = ends(k, n)
        rows.append(
            {
                **keys,
                **SETTINGS,
                "window": 1,
                "channel": channel,
                "send_date": start + timedelta(days=place),
                "status": status,
                "label": "delivery rate" if n else None,
                "rate": found["value"],
                "lo": found["lo"],
                "hi": found["hi"],
                "k": k,
                "n": None if k is None else n,
                "expected": expected,
                "drop": expected - (found["value"] or 0) if tested and expected else None,
                "p": (1e-6 if status == "anomaly" else 0.4) if tested else None,
                "alpha": 0.001,
                "n_tests": 50,
                "n_immature": late,
                "n_unobserved": 0,
            }
        )
    return rows


def day_table(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return table_of(ANOMALIES, rows)


def step_rows(
    counts: Mapping[str, int],
    *,
    entered: int,
    optional: Sequence[str] = (),
    medians: Mapping[str, float] | None = None,
    **other: Any,
) -> list[dict[str, Any]]:
    """A row a step from the customers who got there."""
    rows: list[dict[str, Any]] = []
    previous: int | None = None
    for position, (step, k) in enumerate(counts.items(), start=1):
        overall, of_step = ends(k, entered), ends(k, previous)
        rows.append(
            {
                "audience": entered + 10,
                "n_immature": 0,
                "small": entered < 30,
                "window": 14,
                "as_of": AS_OF,
                "mode": "loose",
                **other,
                "step": step,
                "position": position,
                "optional": step in optional,
                "customers": k,
                "entered": entered,
                **{f"overall_{name.replace('value', 'rate')}": e for name, e in overall.items()},
                "previous": previous,
                **{f"step_{name.replace('value', 'rate')}": e for name, e in of_step.items()},
                "median_days": (medians or {}).get(step),
                "method": "wilson",
                "unit": "customer",
                "notes": [],
            }
        )
        previous = previous if step in optional else k
    return rows


def step_table(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return table_of(ORDERED_FUNNEL_COUNTS, rows)
