"""The channel on which a customer engages most, if that can be said."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from optimove_analysis.analysis.channels import channel_name, has_stage, is_unknown_kind
from optimove_analysis.analysis.counting import tally
from optimove_analysis.analysis.engines import Interactions, any_engine
from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.intervals import wilson
from optimove_analysis.analysis.mix_counts import can_engage, late_note
from optimove_analysis.analysis.notes import NOT_BOUNCED, SUMS, notes, unknown_kinds
from optimove_analysis.analysis.rules import MOST_DAYS, Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import INTERACTIONS, PREFERRED_CHANNEL, SMALL_N, Stage

__all__ = ["preferred_channel"]

_LEAST: Final = 3
"""A channel needs so many received messages to have a rank."""

_CHANNELS: Final = 2
"""So many channels with a rank are there to choose from, at least."""

_STATUS: Final = PREFERRED_CHANNEL["status"].dtype


@any_engine
def preferred_channel(
    interactions: Interactions,
    *,
    as_of: dt.date | None = None,
    lookback: int = 180,
    window: int | None = 7,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> pl.DataFrame:
    """Rank each customer's channels by how many of the received messages were engaged with.

    A channel has a rank where the customer received 3 messages or more on it. Like rates are
    ranked by the latest engagement. With fewer than two ranks there is nothing to prefer, and
    where the intervals of the first two overlap it is undecided.

    Received is delivered; or not bounced, where the customer has no delivered event on the
    channel (in-app messages never have). That is judged by the customer's own messages, unlike in
    `rates`, so that a customer's answer does not depend on who else is asked about.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        as_of: The last of the days looked back, and the day through which the data is complete;
            None: the latest ``data_through`` of the customer.
        lookback: Days of sends that count, ``as_of`` included.
        window: As in `funnel`, as are all that follow.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"``; with ``"ignore"`` engagement is a click.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        `schema.PREFERRED_CHANNEL`: one row a customer and channel of the interactions, the
        preferred one first. The intervals are Wilson's 95 % ones, within the customer.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> import datetime as dt
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "channel_id": channel, "event_id": event,
    ...       "date": dt.date(2025, 3, campaign)}
    ...      for channel, events in [(504, [1]), (505, [1, 4])]
    ...      for campaign in range(1, 9) for event in events],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> preferred_channel(frame).select("status", "rank", "channel", "engaged", "received").rows()
    [('preferred', 1, 'SMS', 8, 8), ('preferred', 2, 'E-mail', 0, 8)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    if type(lookback) is not int or not 1 <= lookback <= MOST_DAYS:
        message = f"lookback={lookback!r} must be a number of days, 1 to {MOST_DAYS:,}."
        raise InputError(message)
    checked = INTERACTIONS.check(interactions)
    found = _ranked(_channels(checked, rules, lookback), rules).with_columns(
        lookback=pl.lit(lookback, pl.Int32)
    )
    found = found.select(PREFERRED_CHANNEL.names).sort(
        "customer_id", pl.col("rank").fill_null(pl.len()), "channel_id"
    )
    return found.collect(engine="streaming")


def _channels(checked: pl.DataFrame | pl.LazyFrame, rules: Rules, lookback: int) -> pl.LazyFrame:
    """Count by customer and channel, over the days looked back."""
    end = pl.lit(rules.as_of) if rules.as_of else pl.col("data_through").max().over("customer_id")
    age = (end - pl.col("send_date")).dt.total_days()
    # Where nobody knows through which day the data is complete, all count, as all are mature.
    recent = age.is_between(0, lookback - 1) | (end.is_null() & pl.col("send_date").is_not_null())
    lost = pl.col("bounced_on").is_not_null() & pl.col("clicked_on").is_null()
    further = [
        recent.fill_null(value=False).alias("_recent"),
        end.alias("_end"),
        lost.alias("_lost"),
        pl.col("delivered_on").is_not_null().alias("_reports"),
        _engaged_on(rules, lost).alias("_engaged_on"),
    ]
    everybody = Grouping.of((), taken=())
    counts, *_ = tally(checked, rules, everybody, further=further, each_customer=True)
    sent = pl.col("reached_sent")
    sums = [*SUMS, "reached_sent", "reached_delivered", "observed_delivered", "engaged"]
    return (
        counts.lazy()
        .with_columns(
            pl.when("_recent").then(pl.col(*sums, "late_engaged")).otherwise(0),
            pl.when("_recent").then(pl.col("unknown_event", "through_first", "through_last")),
        )
        .group_by("customer_id", "channel_id")
        .agg(
            pl.col(*sums).sum(),
            _late=pl.col("late_engaged").sum(),
            _kept=sent.filter(~pl.col("_lost")).sum(),
            _reports=((sent > 0) & pl.col("_reports")).any(),
            last_engaged=pl.col("_engaged_on").filter(pl.col("engaged") > 0).max(),
            as_of=pl.col("_end").max(),
            unknown_event=pl.col("unknown_event").min(),
            through_first=pl.col("through_first").min(),
            through_last=pl.col("through_last").max(),
        )
    )


def _engaged_on(rules: Rules, lost: pl.Expr) -> pl.Expr:
    """Return the message's latest day of what may be engagement."""
    send = pl.col("send_date")

    def day_of(stage: Stage) -> pl.Expr:
        day = pl.col(f"{stage}_on")
        counts = has_stage(rules.catalogue, stage)
        if rules.window is not None:
            counts &= day <= send + pl.duration(days=rules.window)
        if stage == "opened":
            counts &= ~lost
        return pl.when(counts).then(day)

    soft: tuple[Stage, ...] = ("clicked", "opened") if rules.opens == "trust" else ("clicked",)
    return pl.max_horizontal(day_of(stage) for stage in soft)


def _ranked(channels: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Rank the channels, and say what that means for each customer."""
    k, n, of_customer = pl.col("engaged"), pl.col("received"), ["customer_id"]
    reports = pl.col("_reports") & has_stage(rules.catalogue, "delivered")
    lo, hi = wilson(k, n)
    some = can_engage(rules, "engaged") & (n > 0) & (k <= n)
    best_first = [-pl.col("rate"), -pl.col("last_engaged").to_physical(), pl.col("channel_id")]
    first_lo = pl.col("lo").filter(pl.col("rank") == 1).first()
    second_hi = pl.col("hi").filter(pl.col("rank") == _CHANNELS).first()
    status = (
        pl.when((pl.col("rank").max() >= _CHANNELS).fill_null(value=False).over(of_customer))
        .then(
            pl.when((first_lo > second_hi).over(of_customer))
            .then(pl.lit("preferred", _STATUS))
            .otherwise(pl.lit("undecided", _STATUS))
        )
        .otherwise(pl.lit("insufficient", _STATUS))
    )
    return (
        channels.with_columns(
            received=pl.when(reports).then("reached_delivered").otherwise("_kept"),
            n_implied=pl.when(reports)
            .then(pl.col("reached_delivered") - pl.col("observed_delivered"))
            .otherwise("_kept"),
            received_as=pl.when(reports).then(pl.lit("delivered")).otherwise(pl.lit("not bounced")),
            channel=channel_name(rules.catalogue),
            _kindless=pl.when(is_unknown_kind(rules.catalogue)).then("reached_sent").otherwise(0),
        )
        .with_columns(
            rate=pl.when(some).then(k / n), lo=pl.when(some).then(lo), hi=pl.when(some).then(hi)
        )
        .with_columns(_can=pl.col("rate").is_not_null() & (n >= _LEAST))
        .with_columns(
            rank=pl.when("_can").then(
                pl.col("_can")
                .cast(pl.Int64)
                .cum_sum()
                .over(of_customer, order_by=best_first, nulls_last=True)
            )
        )
        .with_columns(status=status)
        .with_columns(_rests_on(rules))
    )


def _rests_on(rules: Rules) -> list[pl.Expr]:
    n, able = pl.col("received"), can_engage(rules, "engaged")
    said = [
        unknown_kinds("_kindless"),
        late_note("engaged"),
        pl.when((pl.col("received_as") == "not bounced") & (n > 0)).then(pl.lit(NOT_BOUNCED)),
        pl.when(~able).then(pl.lit("No rank: this channel reports nothing that is engagement.")),
        pl.when(able & (n < _LEAST)).then(
            pl.lit(f"No rank: fewer than {_LEAST} messages were received.")
        ),
        pl.when(pl.col("engaged") > n).then(
            pl.lit("No rank: more were engaged with than received, and nothing is implied.")
        ),
        pl.when(pl.col("as_of").is_null()).then(
            pl.lit("All messages count, however old: no data_through says where to look back from.")
        ),
    ]
    columns = {
        "n_late": pl.col("_late"),
        "small": n < SMALL_N,
        "method": pl.lit("wilson"),
        "unit": pl.lit("message"),
        "window": pl.lit(rules.window, pl.Int32),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": notes(rules, *said),
    }
    return [expression.alias(name) for name, expression in columns.items()]
