"""Hand-written results over time: frequency, its contrast, time to engage, anomalies, steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from charts.tables import AS_OF, wilson

from optimove_analysis.schema import (
    FREQUENCY,
    FREQUENCY_CONTRAST,
    Table,
)

SETTINGS: Mapping[str, Any] = {
    "unit": "message",
    "window": 7,
    "as_of": AS_OF,
    "implied": "lower",
    "opens": "trust",
    "notes": [],
}


def table_of(table: Table, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """A frame of the table; what a row does not say is null."""
    keys = [name for name in rows[0] if name not in table.names]
    ordered = [{name: row.get(name) for name in (*keys, *table.names)} for row in rows]
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
