"""Random frames of interactions: small, so that ids collide, and odd, so that rules are met."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import strategies as st

from optimove_analysis.schema import INTERACTIONS

DAY0 = dt.date(2025, 3, 1)
DAYS = st.integers(0, 24).map(lambda days: DAY0 + dt.timedelta(days=days))


def mostly(values: list[int], *odd: int | None) -> st.SearchStrategy[int | None]:
    return st.sampled_from([*values * 4, *odd])


KEYS = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["A", "B", "007"]),
        "campaign_id": mostly([1, 2], None),
        "recipient_group_id": mostly([1], 2, None),
        "action_id": mostly([5], 1, None),
        "channel_id": mostly([504, 504, 505, 511], 502, 7, None),
        "template_id": mostly([3], None),
    }
)
EVENTS = st.fixed_dictionaries(
    {
        "date": st.one_of(*[DAYS] * 9, st.none()),
        "event_id": mostly([1, 1, 2, 3, 4, 5, 6, 7], 17, None),
        "data_through": st.one_of(st.just(DAY0 + dt.timedelta(days=25)), DAYS, st.none()),
    }
)


@st.composite
def interactions(draw: st.DrawFn) -> pl.DataFrame:
    """Draw a frame of few messages with many events each."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=8))
    size = draw(st.sampled_from([0, 1, 10, 40]))
    events = draw(st.lists(EVENTS, min_size=size, max_size=size))
    rows = [{**draw(st.sampled_from(keys)), **event} for event in events]
    repeats = draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else []
    if not rows:
        return INTERACTIONS.empty()
    frame = pl.DataFrame([*rows, *repeats], schema_overrides=dict(INTERACTIONS.schema))
    if draw(st.integers(0, 4)) == 0:
        frame = frame.filter(pl.col("event_id").ne_missing(1))  # an account without sent events
    return INTERACTIONS.check(frame).select(INTERACTIONS.names)
