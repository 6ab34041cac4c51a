"""The journey: a customer's messages in time, each with the furthest stage it reached."""

from __future__ import annotations

import polars as pl

from optimove_analysis.analysis.channels import channel_name
from optimove_analysis.analysis.messages import messages
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import INTERACTIONS, JOURNEY, SIDE_EVENTS, STAGES, Frame

__all__ = ["journey"]


def journey(interactions: Frame, *, catalogue: Catalogue | None = None) -> Frame:
    """List a customer's messages, or several customers', in time.

    This is what was reported, not a count: no window, no maturity, nothing implied, and the rows
    of control members (action 1) are there to be seen.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        `schema.JOURNEY`: one row a message, in the order of customer and day.

    Raises:
        SchemaError: a column is missing or has another type.

    >>> import datetime as dt
    >>> ids = {"customer_id": "A", "campaign_id": 3, "recipient_group_id": 1, "action_id": 9,
    ...        "channel_id": 504, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for day, event in [(3, 1), (5, 3), (5, 5)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> journey(frame).select("channel", "stage", "days", "side_events").rows()
    [('E-mail', 'opened', 2, 'unsubscribed')]
    """
    known = Catalogue() if catalogue is None else catalogue
    checked = INTERACTIONS.check(interactions)
    stage, day = pl.lit(None, JOURNEY["stage"].dtype), pl.lit(None, pl.Date)
    for name in STAGES:
        reached = pl.col("send_observed") if name == "sent" else pl.col(f"{name}_on").is_not_null()
        stage = pl.when(reached).then(pl.lit(name, JOURNEY["stage"].dtype)).otherwise(stage)
        day = pl.when(reached).then("send_date" if name == "sent" else f"{name}_on").otherwise(day)
    also = [
        pl.when(pl.col(f"{name}_on").is_not_null()).then(pl.lit(name.replace("_", " ")))
        for name in SIDE_EVENTS
    ]
    unknown = pl.format("event {} (unknown)", "unknown_event")
    also.append(pl.when(pl.col("unknown_event").is_not_null()).then(unknown))
    listed = (
        messages(checked.lazy(), catalogue=known)
        .with_columns(
            channel=channel_name(known),
            stage=stage,
            days=(day - pl.col("send_date")).dt.total_days(),
            side_events=pl.concat_str(*also, separator=", ", ignore_nulls=True),
        )
        .select(JOURNEY.names)
        .sort("customer_id", "send_date", "channel_id", "campaign_id", maintain_order=True)
    )
    return listed if isinstance(checked, pl.LazyFrame) else listed.collect()
