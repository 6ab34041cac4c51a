"""Random frames of interactions: few ids, so that they collide, and odd, so that rules are met.

Hypothesis draws the size and a seed, and a seeded generator draws the rows: drawing each row with
Hypothesis gave almost only rows that are alike, and worlds in which nothing was clicked twice.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

import polars as pl
from analysis.events import seeded
from hypothesis import strategies as st

from optimove_analysis.schema import INTERACTIONS

DAY0 = dt.date(2025, 3, 1)
COMPLETE = DAY0 + dt.timedelta(days=60)
"""A day by which every window of these worlds has closed."""

RULES = st.fixed_dictionaries(
    {
        "window": st.sampled_from([7, 2, None]),
        "as_of": st.sampled_from([None, DAY0 + dt.timedelta(days=20)]),
        "implied": st.sampled_from(["lower", "none"]),
        "assume_sent": st.sampled_from([None, True, False]),
        "opens": st.sampled_from(["trust", "ignore"]),
    }
)
BY = st.sampled_from([["channel_id"], [], ["customer_id"], ["action_id", "channel_id"]])
"""The options that laws and oracles are tried with, and what they group by."""

ODDS: dict[str, tuple[Sequence[str | int | None], Sequence[int]]] = {
    "customer_id": (["A", "B", "C", "007"], [4, 3, 2, 1]),
    "campaign_id": ([1, 2, 3, None], [4, 4, 4, 1]),
    "recipient_group_id": ([1, 2, None], [8, 1, 1]),
    "action_id": ([5, 1, None], [16, 2, 1]),
    "channel_id": ([504, 505, 511, 502, 7, None], [10, 6, 4, 2, 2, 1]),
    "template_id": ([3, None], [9, 1]),
}
EVENTS = [2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 17, None]
"""What may follow a send; 17 is in no catalogue."""


def _day(chance: random.Random, first: int = 0) -> dt.date:
    return DAY0 + dt.timedelta(days=chance.randint(first, max(first, 24)))


def rows(chance: random.Random, lives: int) -> list[dict[str, object]]:
    """Return sends with what follows them, some of it before them, and rows out of nowhere."""
    keys = [
        {name: chance.choices(values, weights)[0] for name, (values, weights) in ODDS.items()}
        for _ in range(max(1, lives // 2))
    ]
    drawn: list[dict[str, object]] = []
    for _ in range(lives):
        key, sent = chance.choice(keys), chance.randint(0, 24)
        days = [sent + chance.choice([0, 0, 1, 2, 5, 7, 8, 12, -3]) for _ in range(4)]
        events: list[tuple[int, int | None]] = [(sent, 1)] * chance.choice([0, 1, 1, 1, 1, 2])
        events += [(day, chance.choice(EVENTS)) for day in days[: chance.randint(0, 4)]]
        through = chance.choice([DAY0 + dt.timedelta(days=25), None, _day(chance)])
        drawn += [
            {
                **key,
                "date": None if chance.random() < 0.04 else DAY0 + dt.timedelta(days=day),
                "event_id": event,
                "data_through": through,
            }
            for day, event in events
        ]
    return drawn


@st.composite
def interactions(draw: st.DrawFn, *, complete: bool = False) -> pl.DataFrame:
    """Draw a frame; with ``complete``, one in which every message is mature."""
    lives = draw(st.sampled_from([12, 20, 30, 45, 5, 1, 0]), label="lives")
    chance = seeded(draw(st.integers(0, 2**32), label="seed"))
    drawn = rows(chance, lives)
    if not drawn:
        return INTERACTIONS.empty()
    frame = pl.DataFrame(drawn, schema_overrides=dict(INTERACTIONS.schema))
    if draw(st.integers(0, 4), label="without sends") == 1:
        frame = frame.filter(pl.col("event_id").ne_missing(1))  # an account without sent events
    if complete:
        frame = frame.with_columns(data_through=pl.lit(COMPLETE))
    return INTERACTIONS.check(frame).select(INTERACTIONS.names)
