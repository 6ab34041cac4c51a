"""Small frames of interactions, written as a story: ``frame(on(3, "sent"), on(5, "opened"))``."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl

from optimove_analysis import funnel
from optimove_analysis.schema import EVENT_IDS, INTERACTIONS

EMAIL, SMS, PUSH, IN_APP, CALLS, UNKNOWN = 504, 505, 506, 511, 502, 7
"""Channels of the default catalogue, and one that it lacks."""

_IDS = {
    "customer_id": "A",
    "campaign_id": 3,
    "recipient_group_id": 1,
    "action_id": 9,
    "channel_id": EMAIL,
    "template_id": 2,
}
_EVENT_IDS: dict[str, int] = {meaning: event_id for event_id, meaning in EVENT_IDS.items()}
COMPLETE = dt.date(2025, 12, 31)


def seeded(seed: int) -> random.Random:
    """Return a generator whose draws are the same each time."""
    return random.Random(seed)  # noqa: S311 - statistics, no secret


def day(number: int) -> dt.date:
    """Return the day of March 2025 with this number; 32 is 1 April."""
    return dt.date(2025, 2, 28) + dt.timedelta(days=number)


def on(number: int | None, what: str | int | None, **ids: Any) -> dict[str, Any]:
    """Return one row: an event on a day, of customer A's e-mail of campaign 3 unless told else."""
    return {
        **_IDS,
        "date": None if number is None else day(number),
        "event_id": _EVENT_IDS[what] if isinstance(what, str) else what,
        "data_through": COMPLETE,
        **ids,
    }


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return interactions, complete through the end of the year unless a row says else."""
    if not rows:
        return INTERACTIONS.empty()
    return INTERACTIONS.check(pl.DataFrame(rows, schema_overrides=dict(INTERACTIONS.schema)))


def sends(n: int, *, clicked: int = 0, **ids: Any) -> list[dict[str, Any]]:
    """Return n campaigns sent on 3 March, the first few of them clicked on the day after."""
    rows = [on(3, "sent", campaign_id=i, **ids) for i in range(n)]
    return rows + [on(4, "clicked", campaign_id=i, **ids) for i in range(clicked)]


def reached(interactions: pl.DataFrame, column: str = "messages", **options: Any) -> list[Any]:
    """Return a column from sent to clicked, of a funnel with one group."""
    found = funnel(interactions, **options)
    assert found.height == (3 if options.get("opens") == "ignore" else 4)
    values: list[Any] = found[column].to_list()
    return values


def notes(interactions: pl.DataFrame, **options: Any) -> list[str]:
    said: list[str] = funnel(interactions, **options)["notes"][0].to_list()
    return said
