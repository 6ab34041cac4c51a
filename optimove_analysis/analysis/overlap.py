"""The overlap: which channels reach, or engage, the same customers."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import get_args

import polars as pl

from optimove_analysis.analysis.channels import channel_name, has_stage, is_unknown_kind
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.intervals import wilson
from optimove_analysis.analysis.judging import judge
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.mix_counts import can_engage, late_note
from optimove_analysis.analysis.note_sums import note_sums
from optimove_analysis.analysis.notes import notes, number_of, unknown_kinds
from optimove_analysis.analysis.once import gathered_once
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import INTERACTIONS, MESSAGES, OVERLAP, SMALL_N, Frame, Reach

__all__ = ["overlap"]


def overlap(
    interactions: Frame,
    *,
    of: Reach = "sent",
    by: By = (),
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Count customers by the exact set of channels that reached them.

    A channel reached a customer if at least one of its messages to them that count (mature, no
    control member's, sent) was ``of``: sent; delivered; or engaged with in the window. The
    channels that did so make the customer's set. So each customer is in one set, and the sets of
    a group add up to its customers. Whom messages were sent, but none was delivered or engaged
    with, is in the empty set: without it, channels that engage few would look as good as any.

    A channel whose kind has no deliveries (in-app, call centre) counts as delivered what it sent,
    since to leave it out would mean that it reached nobody. One that reports nothing that is
    engagement (call centre) engages nobody; the notes say so.

    How many customers a channel reached at all stands in each row beside its name, in
    ``channel_customers``, and not in a second table: so it stays right where rows are filtered,
    and the messages are gathered but once. A table of its own is two lines, as below.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        of: What it takes to be reached: ``"sent"``, ``"delivered"`` or ``"engaged"``.
        by: Column names or expressions, over the messages table and columns of yours: the sets of
            each group. A customer is in each group that they have messages of.
        window: As in `funnel`, as are all that follow.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"``, or ``"ignore"``: engagement is a click.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.OVERLAP`: one row a group and set of channels that
        occurs, most customers first. Intervals are Wilson's 95 % ones.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"recipient_group_id": 1, "action_id": 9, "template_id": 2, "event_id": 1}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "customer_id": who, "campaign_id": campaign, "channel_id": channel,
    ...       "date": dt.date(2025, 3, 3)}
    ...      for campaign, (who, channel) in enumerate(
    ...          [("A", 504), ("A", 505), ("A", 505), ("B", 504), ("C", 504)])],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = overlap(frame)
    >>> found.select("channels", "customers", "total", "share", "messages").rows()
    [(['E-mail'], 2, 3, 0.6666666666666666, 2), (['E-mail', 'SMS'], 1, 3, 0.3333333333333333, 3)]
    >>> pair = ["channels", "channel_customers"]
    >>> found.select(pair).explode(pair).unique().sort("channels").rows()
    [('E-mail', 3), ('SMS', 1)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    if of not in get_args(Reach):
        raise InputError.option("of", of, get_args(Reach))
    group: Grouping = Grouping.of(by, taken=OVERLAP.names)
    checked = INTERACTIONS.check(interactions)
    each = judge(
        # No group at all is one group of all.
        messages(checked.lazy(), catalogue=known, keep=group.keep).select(
            *MESSAGES.names, *group.read(), pl.lit(0).alias("_all")
        ),
        rules,
    ).with_columns(_reached=pl.col("_counted") & _reached(rules, of))
    answer = partial(_answer, rules=rules, group=group, of=of)
    return gathered_once(checked, each, group, OVERLAP, answer)


def _reached(rules: Rules, of: Reach) -> pl.Expr:
    if of == "engaged":
        return pl.col("_engaged")
    return pl.col(f"_reached_{of}") | ~has_stage(rules.catalogue, of)


def _answer(each: pl.LazyFrame, rules: Rules, group: Grouping, of: Reach) -> pl.LazyFrame:
    keys = [*group.keys, "_all"]
    counted = pl.col("_counted")
    said = each.group_by(keys).agg(
        *note_sums(),
        _kindless=_number(counted & is_unknown_kind(rules.catalogue), only=of != "sent"),
        _unable=_number(counted & ~can_engage(rules, "engaged"), only=of == "engaged"),
        _late=_number(counted & pl.col("_late_engaged"), only=of == "engaged"),
        _as_sent=_number(
            counted & ~has_stage(rules.catalogue, "delivered"), only=of == "delivered"
        ),
    )
    lo, hi = wilson(pl.col("customers"), pl.col("total"))
    columns = {
        "share": pl.col("customers") / pl.col("total"),
        "lo": lo,
        "hi": hi,
        "small": pl.col("total") < SMALL_N,
        "method": pl.lit("wilson"),
        "unit": pl.lit("customer"),
        "of": pl.lit(of),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": notes(rules, unknown_kinds("_kindless"), late_note("engaged"), *_own_notes()),
    }
    most_first = [False] * len(group.keys) + [True, False, False]
    return (
        _sets(each, keys, rules)
        .join(said, on=keys, how="left", nulls_equal=True)
        .with_columns(expression.alias(name) for name, expression in columns.items())
        .sort(*group.keys, "customers", "n_channels", "_ids", descending=most_first)
        .select(*group.write(), *OVERLAP.names)
    )


def _number(condition: pl.Expr, *, only: bool) -> pl.Expr:
    return condition.sum().cast(pl.Int64) if only else pl.lit(0, pl.Int64)


def _own_notes() -> list[pl.Expr]:
    texts = {
        "_unable": "{} of channels that report nothing that is engagement: they engage nobody.",
        "_as_sent": "{} of channels whose kind has no deliveries counted as sent.",
    }
    return [
        pl.when(pl.col(column) > 0).then(pl.format(text, number_of(column)))
        for column, text in texts.items()
    ]


def _sets(each: pl.LazyFrame, keys: list[str], rules: Rules) -> pl.LazyFrame:
    """Return one row a group and set of channels: the columns of the table that are counts.

    Beside them ``_ids``, the set in the order of ids.
    """
    channel, some = pl.col("channel_id"), pl.col("messages") > 0
    pairs = (
        each.filter("_counted")
        .group_by(*keys, "customer_id", "channel_id")
        .agg(messages=pl.col("_reached").sum().cast(pl.Int64))
    )
    channels = (
        pairs.filter(some)
        .group_by(*keys, "channel_id")
        .agg(channel_customers=pl.len().cast(pl.Int64))
        .with_columns(channels=channel_name(rules.catalogue))
    )
    sets = (
        pairs.group_by(*keys, "customer_id")
        .agg(_ids=channel.filter(some).sort(nulls_last=True), messages=pl.col("messages").sum())
        .group_by(*keys, "_ids")
        .agg(customers=pl.len().cast(pl.Int64), messages=pl.col("messages").sum())
        .with_columns(
            n_channels=pl.col("_ids").list.len().cast(pl.Int64),
            total=pl.col("customers").sum().over(keys),
        )
    )
    each_channel = pl.col("channel_ids", "channels", "channel_customers")
    # The empty set becomes a row whose id is null, which is the id of a channel too.
    is_channel = pl.col("n_channels") > 0
    return (
        sets.with_columns(channel_id="_ids")
        .explode("channel_id", empty_as_null=True)
        .join(channels, on=[*keys, "channel_id"], how="left", nulls_equal=True)
        .rename({"channel_id": "channel_ids"})
        .sort("channels", "channel_ids", nulls_last=True)  # a group keeps the order of its rows
        .group_by(*keys, "_ids")
        .agg(
            each_channel.filter(is_channel),
            pl.col("n_channels", "customers", "messages", "total").first(),
        )
    )
