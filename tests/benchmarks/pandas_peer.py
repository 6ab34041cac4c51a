"""Message funnel and mix in pandas, as one would write them who takes care: the counts alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from optimove_analysis.schema import MESSAGE_KEY

__all__ = ["funnel", "mix"]

_EVENTS = {"delivered": 2, "opened": 3, "clicked": 4, "unsubscribed": 5, "bounced": 6, "spam": 7}
_IDS = list(MESSAGE_KEY)
_WEEK = pd.Timedelta(days=7)


def funnel(frame: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return a row a channel: sent, delivered, opened, clicked, customers; 0 for no such stage."""
    found = _counted(frame).groupby("channel")
    sums = found[["sent", "delivered", "opened", "clicked"]].sum()
    sums["customers"] = found["customer"].nunique()
    return [tuple(int(value) for value in row) for row in sums.sort_index().itertuples()]


def mix(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row a customer and channel: sends, engagements, and their shares."""
    each = _counted(frame)
    each["engaged"] = each["opened"] | each["clicked"]
    found = each.groupby(["customer", "channel"])[["sent", "engaged"]].sum()
    shares = found / found.groupby(level="customer").transform("sum")
    return found.join(shares.add_suffix("_share"))


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame[[*_IDS, "date", "data_through"]].copy()
    rows["sent_on"] = frame["date"].where(frame["event_id"] == 1)
    for name, event in _EVENTS.items():
        rows[f"{name}_on"] = frame["date"].where(frame["event_id"] == event)
    # pandas groups by numbers far faster than by six columns with nulls.
    rows["key"] = rows.groupby(_IDS, dropna=False, sort=False).ngroup()
    keys = rows.groupby("key", sort=False)
    first, last = keys["sent_on"].min(), keys["sent_on"].max()
    hard = (first < last) | (keys["date"].min() < first)
    of_hard = rows["key"].map(hard)

    easy = _messages(rows[~of_hard], ["key"])
    easy["send"] = easy["sent_on"].fillna(easy["date"])
    placed = rows[of_hard].copy()
    placed["rank"] = placed["sent_on"].isna()
    placed = placed.sort_values(["key", "date", "rank"])
    latest = placed.groupby("key")["sent_on"].ffill()
    placed["send"] = latest.fillna(placed["key"].map(first))
    orphans = placed["date"] < placed["send"]
    for name in _EVENTS:
        placed.loc[orphans, f"{name}_on"] = pd.NaT
    several = _messages(placed, ["key", "send"]).reset_index("send")
    return _judged(pd.concat([easy, several]))


def _messages(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    days = {f"{name}_on": "min" for name in _EVENTS}
    ids = {"customer_id": "first", "action_id": "first", "channel_id": "first"}
    how: Any = {**ids, "sent_on": "max", "date": "min", "data_through": "max", **days}
    return rows.groupby(keys, sort=False).agg(how)


def _judged(each: pd.DataFrame) -> pd.DataFrame:
    until = each["send"] + _WEEK
    young, control = each["data_through"] < until, each["action_id"] == 1
    each = each[each["sent_on"].notna() & ~control & ~young]
    until = each["send"] + _WEEK
    seen = {name: each[f"{name}_on"] <= until for name in _EVENTS}
    channel = each["channel_id"]
    bounced = each["bounced_on"].notna() & each["clicked_on"].isna()
    clicked = seen["clicked"] & (channel != 502)
    opened = (channel == 504) & (seen["opened"] & ~bounced | clicked)
    early = seen["delivered"] | (channel == 504) & seen["opened"] | clicked
    early |= seen["unsubscribed"] | seen["spam"]
    delivered = ~channel.isin([502, 511]) & ~bounced & early
    return pd.DataFrame(
        {
            "channel": channel,
            "sent": 1,
            "delivered": delivered,
            "opened": opened,
            "clicked": clicked,
            "customer": each["customer_id"],
        }
    )
