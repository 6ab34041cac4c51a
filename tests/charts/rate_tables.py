"""Small worlds for the charts of rates: so many messages, so many clicked, one a customer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

__all__ = ["DAY", "SCHEMA", "messages"]

DAY = date(2025, 3, 3)
SCHEMA = {
    "customer_id": pl.String,
    "date": pl.Date,
    "campaign_id": pl.Int64,
    "recipient_group_id": pl.Int64,
    "action_id": pl.Int64,
    "channel_id": pl.Int64,
    "template_id": pl.Int64,
    "event_id": pl.Int64,
}


def messages(
    n: int,
    clicked: int,
    *,
    channel: int = 504,
    template: int = 3,
    campaign: int = 1,
    day: date = DAY,
    customers: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Interactions of n delivered messages, the first of them clicked."""
    who = list(customers) if customers else [f"{channel}-{template}-{i}" for i in range(n)]
    rows = [
        (who[i % len(who)], day, campaign + i // len(who), 1, 9, channel, template, event)
        for i in range(n)
        for event in ((1, 2, 4) if i < clicked else (1, 2))
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
