"""Transitions: on which channel a customer's next message came."""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from optimove_analysis.analysis.channels import channel_name
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.judging import judge
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.notes import SUMS, notes
from optimove_analysis.analysis.once import gathered_once
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.analysis.shares import count_shares, share_columns
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import INTERACTIONS, MESSAGES, TRANSITIONS, Frame

__all__ = ["transitions"]

_OF_SENDS: Final = ("assumed", "unobserved", "control", "unknown_only", "dateless")
"""What notes are to say of messages of which only the send is asked for."""


def transitions(
    interactions: Frame,
    *,
    by: By = (),
    assume_sent: bool | None = None,
    catalogue: Catalogue | None = None,
) -> Frame:
    """Count on which channel the next message came, by the channel of the one before.

    A customer's messages are put in the order of the days of their sends, and each two
    consecutive ones are a pair: a customer with m messages has m - 1. A day cannot order its own
    messages, so these are ties: the pairs within a day, and the pairs between two days of which
    either has messages on several channels. A day with several messages on one channel has ties
    within, but the pairs with the days before and after have a known order of channels.

    Only the send is looked at: no window closes, all messages are mature, and a message that
    bounced was sent as well.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        by: Column names or expressions, over the messages table and columns of yours: one set of
            transitions a group. A pair keeps to one group: what is sent to the customer in
            another does not come between.
        assume_sent: Whether a message without a sent row counts as sent, as in `funnel`.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.TRANSITIONS`: one row a group and two channels that
        followed each other. Shares are of the transitions from a channel and add up to 1. Their
        95 % intervals are Wilson's within one customer; across customers Wilson's at the
        effective sample size with the customer as the cluster.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> import datetime as dt
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": day, "channel_id": channel, "date": dt.date(2025, 3, day),
    ...       "event_id": 1}
    ...      for day, channel in [(1, 504), (2, 505), (5, 504), (6, 504), (8, 504), (8, 506)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = transitions(frame)
    >>> found.select("from_channel", "to_channel", "n", "share", "n_tied", "tied_share").rows()
    [('E-mail', 'E-mail', 1, 0.5, 2, 0.4), ('E-mail', 'SMS', 1, 0.5, 2, 0.4),
     ('SMS', 'E-mail', 1, 1.0, 2, 0.4)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(None, None, "lower", assume_sent, "trust", known)
    group: Grouping = Grouping.of(by, taken=TRANSITIONS.names)
    checked = INTERACTIONS.check(interactions)
    each = judge(
        # No group at all is one group of all.
        messages(checked.lazy(), catalogue=known, keep=group.keep).select(
            *MESSAGES.names, *group.read(), pl.lit(0).alias("_all")
        ),
        rules,
    ).select(
        *group.keys,
        "_all",
        *("customer_id", "channel_id", "send_date", "_counted"),
        *(pl.col(f"_{name}") for name in _OF_SENDS if name != "assumed"),
        (pl.col("_assumed") & pl.col("_counted")).alias("_assumed"),
    )
    return gathered_once(
        checked, each, group, TRANSITIONS, partial(_answer, rules=rules, group=group)
    )


def _answer(each: pl.LazyFrame, rules: Rules, group: Grouping) -> pl.LazyFrame:
    keys = [*group.keys, "_all"]
    days = _days(each, keys)
    has_next, directed = (pl.col(name).cast(pl.Int64) for name in ("has_next", "directed"))
    counted = days.group_by(keys).agg(
        n_tied=(pl.col("within") + has_next - directed).sum(),
        n_pairs=(pl.col("within") + has_next).sum(),
    )
    said = each.group_by(keys).agg(
        pl.col(f"_{name}").sum().cast(pl.Int64).alias(f"n_{name}") for name in _OF_SENDS
    )
    return (
        counted.filter(pl.col("n_pairs") > 0)
        .join(said, on=keys, how="left", nulls_equal=True)
        .join(_cells(days, keys, rules.catalogue), on=keys, how="left", nulls_equal=True)
        .with_columns(
            *(pl.lit(0, pl.Int64).alias(name) for name in SUMS if name[2:] not in _OF_SENDS),
            *(pl.lit(None, pl.Date).alias(f"through_{end}") for end in ("first", "last")),
            pl.lit(None, pl.Int64).alias("unknown_event"),
        )
        .select(*group.write(), *_columns(rules))
        .sort(*group.names, "from_channel_id", "to_channel_id")
    )


def _days(each: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """Return one row a customer's day with a send, with its channel and that of the next day.

    ``within``: the pairs within the day; ``has_next``: whether a pair leads to another day;
    ``directed``: whether both channels of that pair are known.
    """
    customer, channel = [*keys, "customer_id"], pl.col("channel_id")
    # Without a channel is a channel as well. (n_unique is slow in small groups.)
    without = channel.null_count()
    one = ((channel.min() == channel.max()) & (without == 0)).fill_null(False) | (
        without == pl.len()
    )
    days = (
        each.filter("_counted")
        .group_by(*customer, "send_date")
        .agg(
            within=pl.len().cast(pl.Int64) - 1,
            one=one,
            channel=channel.first(),
        )
        .sort(*customer, "send_date", nulls_last=True)
    )
    # `_all` is never null: so the last row, of a customer without an id, has none after it.
    same = [pl.col(name).eq_missing(pl.col(name).shift(-1)) for name in customer]
    return days.with_columns(
        has_next=pl.all_horizontal(same),
        next_one=pl.col("one").shift(-1, fill_value=False),
        next_channel=pl.col("channel").shift(-1),
    ).with_columns(directed=pl.col("has_next") & pl.col("one") & pl.col("next_one"))


def _cells(days: pl.LazyFrame, keys: list[str], catalogue: Catalogue) -> pl.LazyFrame:
    """Return one row a group and two channels, with the sums that its interval is made of."""
    cells = count_shares(days.filter("directed"), [*keys, "channel"], ["next_channel"])
    name = channel_name(catalogue)
    return (
        cells.with_columns(channel_id="channel", some=True)
        .with_columns(from_channel=name)
        .with_columns(channel_id="next_channel")
        .with_columns(to_channel=name)
    )


def _columns(rules: Rules) -> list[pl.Expr]:
    some = pl.col("some").fill_null(False)
    columns = {
        "from_channel_id": pl.col("channel"),
        "to_channel_id": pl.col("next_channel"),
        "from_channel": pl.col("from_channel"),
        "to_channel": pl.col("to_channel"),
        **share_columns(),
        "n_tied": pl.col("n_tied"),
        "tied_share": pl.col("n_tied") / pl.col("n_pairs"),
        "unit": pl.lit("pair of messages"),
        "n_unobserved": pl.col("n_unobserved"),
        "notes": notes(rules, pl.when(~some).then(pl.lit("Every pair is a tie."))),
    }
    return [columns[name].alias(name) for name in TRANSITIONS.names]
