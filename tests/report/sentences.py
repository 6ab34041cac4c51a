"""What the tests of summaries share: the sentences said, and a hand-off made by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from charts.time_tables import (
    table_of,
)

from optimove_analysis.report.summary import summary
from optimove_analysis.schema import (
    HAND_OFF,
)

DAY = date(2025, 12, 31)
MINUS = "\N{MINUS SIGN}"
EMPTY = "No messages were sent in this range, or none whose window has closed."
FEW = "Fewer than 30 messages say little: read the interval, not the value."


def said(*results: pl.DataFrame) -> list[str]:
    """The sentences without their bullets."""
    return [line.removeprefix("- ") for line in summary(*results).text.split("\n")]


def hand_off_rows(*nexts: tuple[str, str | None, int], **others: Any) -> list[dict[str, Any]]:
    n_from = sum(n for _, _, n in nexts)
    return [
        {
            "from_channel_id": 1,
            "from_channel": "SMS",
            "next": what,
            "to_channel": to,
            "n": n,
            "n_from": n_from,
            "share": n / n_from,
            "lo": max(n / n_from - 0.08, 0),
            "hi": min(n / n_from + 0.08, 1),
            "median_days": None if what == "none" else 3.5,
            "within": 14,
            "small": n_from < 30,
            "to_channel_id": None if to is None else sum(map(ord, to)),
            **others,
        }
        for what, to, n in nexts
    ]


def one_hand_off(to: str) -> pl.DataFrame:
    return table_of(HAND_OFF, hand_off_rows(("engaged", to, 60), ("none", None, 40)))
