"""Hand-written journeys: days, channels and stages in, the schema's table out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from optimove_analysis.schema import JOURNEY

__all__ = ["START", "journey_table", "message"]

START = dt.date(2025, 3, 3)  # a Monday


def message(
    day: int | dt.date | None,
    stage: str | None = "delivered",
    *,
    channel: str | None = "E-mail",
    channel_id: int | None = 504,
    days: int | None = 0,
    **others: Any,
) -> dict[str, Any]:
    """One message, so many days after START."""
    return {
        "customer_id": "A",
        "send_date": START + dt.timedelta(day) if isinstance(day, int) else day,
        "channel_id": channel_id,
        "channel": channel,
        "campaign_id": 7,
        "action_id": 9,
        "template_id": None,
        "stage": stage,
        "days": None if stage is None else days,
        "side_events": "",
        "rows": 1,
        **others,
    }


def journey_table(messages: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(messages, schema=JOURNEY.schema)
