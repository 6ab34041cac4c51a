"""The first day after a send on which its customer engaged with another message."""

from __future__ import annotations

import polars as pl

from optimove_analysis.analysis.ordered_times import DAY_ZERO, SPAN, code_of
from optimove_analysis.schema import NEXT

__all__ = ["with_next"]

_MOST_OWN = 2
"""A message has an open and a click, so at most two days of its own stand before another's."""


def with_next(each: pl.LazyFrame, within: int | None) -> pl.LazyFrame:
    """Return the unanswered messages, each with the customer's next engagement.

    Of ``each`` it reads ``_unanswered``, ``_first_open``, ``_first_click``, ``_through``. It adds
    ``next`` (`schema.NEXT`), ``next_channel``, ``days`` from the send, and whether there was
    engagement with another message on the day of the send (``same_day``) and with the message
    itself after it (``answered_late``).

    Customer and day are one number, ``time``, so that the next day is found by one search in
    sorted numbers. A day on which only the message itself was engaged with is passed over.
    """
    each = each.with_columns(
        _who=pl.col("customer_id").rank("dense").fill_null(0).cast(pl.Int64),
        _code=pl.col("channel_id").rank("dense").fill_null(0).cast(pl.Int64),
    )
    of_channels = _engaged_days(each)
    days = (
        of_channels.group_by("time")
        .agg(
            messages=pl.col("messages").sum(),
            channels=pl.len().cast(pl.Int64),
            codes=pl.col("_code").sum(),
        )
        .sort("time")
    )
    later = [
        pl.col(name).shift(-number).alias(f"{name}_{number}")
        for number in range(_MOST_OWN + 1)
        for name in ("time", "messages")
    ]
    bases = each.filter("_unanswered").with_columns(
        _sent=_time("send_date"), _opened=_time("_first_open"), _clicked=_time("_first_click")
    )
    found = (
        bases.with_columns(_from=pl.col("_sent") + 1)
        .sort("_from")
        .join_asof(
            days.select("time", *later),
            left_on="_from",
            right_on="time",
            strategy="forward",
            coalesce=False,
        )
        .with_columns(time=_chosen())
        .join(days, on="time", how="left")
        .join(
            of_channels.select("time", "_code", on_channel="messages"),
            on=["time", "_code"],
            how="left",
        )
        .join(days.select(_sent="time", same_day=pl.lit(True)), on="_sent", how="left")
    )
    return _named(found, each, within)


def _engaged_days(each: pl.LazyFrame) -> pl.LazyFrame:
    """Return how many messages were engaged with, by customer and day (``time``) and channel."""
    opened = each.select("_who", "_code", day="_first_open")
    twice = (pl.col("_first_open") == pl.col("_first_click")).fill_null(False)
    clicked = each.filter(~twice).select("_who", "_code", day="_first_click")
    return (
        pl.concat([opened, clicked])
        .filter(pl.col("day").is_not_null())
        .group_by(_time("day").alias("time"), "_code")
        .agg(messages=pl.len().cast(pl.Int64))
    )


def _time(day: str) -> pl.Expr:
    return pl.col("_who") * SPAN + pl.col(day).cast(pl.Int32).cast(pl.Int64) - DAY_ZERO


def _own(time: pl.Expr) -> pl.Expr:
    """Whether the message itself was engaged with then."""
    return ((pl.col("_opened") == time) | (pl.col("_clicked") == time)).fill_null(False)


def _chosen() -> pl.Expr:
    """Return the first of the days ahead on which there is engagement with another message."""
    return pl.coalesce(
        pl.when(pl.col(f"messages_{number}") > _own(time).cast(pl.Int64)).then(time)
        for number, time in ((n, pl.col(f"time_{n}")) for n in range(_MOST_OWN + 1))
    )


def _named(found: pl.LazyFrame, each: pl.LazyFrame, within: int | None) -> pl.LazyFrame:
    time = pl.col("time")
    days = time - pl.col("_sent")
    # A day of another customer's is beyond the last of this one's.
    real = (code_of(time) == pl.col("_who")) & (time <= _time("_through")).fill_null(True)
    if within is not None:
        real &= days <= within
    # On its day the message itself may be the only one of its channel, which then does not count.
    alone = (_own(time) & (pl.col("on_channel") == 1)).fill_null(False).cast(pl.Int64)
    channels = pl.col("channels") - alone
    # Of a single channel the sum of codes is its own.
    code = pl.when(channels == 1).then(pl.col("codes") - alone * pl.col("_code"))
    kind = pl.Enum(NEXT)
    real = real.fill_null(False)
    following = (
        pl.when(~real)
        .then(pl.lit("none", kind))
        .when(channels == 1)
        .then(pl.lit("engaged", kind))
        .otherwise(pl.lit("several", kind))
    )
    codes = each.group_by("_code").agg(next_channel=pl.col("channel_id").first())
    return found.with_columns(
        next=following,
        days=pl.when(real).then(days),
        to_code=pl.when(real).then(code),
        same_day=pl.col("same_day").fill_null(False),
        answered_late=pl.any_horizontal(
            pl.col(name).is_not_null() for name in ("_first_open", "_first_click")
        ),
    ).join(codes, left_on="to_code", right_on="_code", how="left")
