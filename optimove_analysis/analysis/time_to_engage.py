"""Time to engage: by which day how large a share of messages is engaged with (Kaplan-Meier).

Which messages are followed, and until when; the estimate itself is in ``survival``.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from optimove_analysis.analysis.channels import has_stage
from optimove_analysis.analysis.grouping import By, Grouping, within
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.rate_counts import base_of, rate_facts, sum_facts
from optimove_analysis.analysis.rates import rate_rows
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.analysis.survival import interval, survival
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import INTERACTIONS, SMALL_N, TIME_TO_ENGAGE, Frame, RateName

__all__ = ["time_to_engage"]

_RATE: Final[RateName] = "engagement rate"
_OF_A_GROUP: Final = ("n", "n_engaged", "n_late", "n_implied", "customers")


def time_to_engage(
    interactions: Frame,
    *,
    by: By = "channel_id",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Estimate which share of messages is engaged with by which day after the send.

    The messages are those that the engagement rate of `rates` divides by: delivered and mature. By
    the end of the window the share is that rate. But they are followed further: one that is
    engaged with later counts on its day, and one that is not is censored at its ``as_of``, the
    day through which its data is complete (an event counts before censoring on the same day).
    An event after ``as_of`` is not counted: of that time only some answers are seen.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        by: As in `rates`, as are all that follow.
        window: The days by which a message is mature, and in which it was delivered; None: every
            message sent by ``as_of`` is followed as long as it can be, however short.
        as_of: The day through which the data is complete; None: what each row says of itself. A
            message of which nobody knows is followed to the end of its window, with no window
            for ever.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"``; with ``"ignore"`` engagement is a click.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.TIME_TO_ENGAGE`: one row a group and day on which
        something happened, and day 0. ``engaged`` is 1 - S, 0 to 1, null where n is 0 or the
        channel reports no deliveries by its kind. Its 95 % interval is made on the scale of
        log(-log S), with Greenwood's variance within one customer, across customers with that
        over customers where it is larger.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2, "data_through": dt.date(2025, 3, 20)}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for campaign, day, event in [(1, 3, 1), (1, 3, 4), (2, 3, 1), (2, 15, 3), (3, 10, 1)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = time_to_engage(frame)
    >>> found.select("day", "at_risk", "events", "censored", pl.col("engaged").round(3)).rows()
    [(0, 3, 1, 0, 0.333), (10, 2, 0, 1, 0.333), (12, 1, 1, 0, 1.0)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    group = Grouping.of(by, taken=TIME_TO_ENGAGE.names)
    checked = INTERACTIONS.check(interactions)
    # Read several times: without a cache the plan counts them anew each time.
    each = rate_facts(checked.lazy(), rules, group).cache()
    followed = _followed(each, rules, group).cache()
    groups = rate_rows(sum_facts(each, group), rules, group, only=[_RATE])
    groups = _groups(groups, followed, rules, group)
    groups = groups.cache()
    found = (
        survival(followed.filter("_inside"), groups, group)
        .with_columns(interval())
        .with_columns(median_day=within(_median(), group.keys))
        .with_columns(
            pl.when(pl.col("n").is_not_null()).then(pl.col("at_risk", "events", "censored"))
        )
        .select(*group.write(), *TIME_TO_ENGAGE.names)
        .sort(*group.names, "day")
    )
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def _followed(each: pl.LazyFrame, rules: Rules, group: Grouping) -> pl.LazyFrame:
    """Say of each message of the engagement rate on which day what ended its time.

    ``_time``: days to its first engagement, or to where it is censored; null where it never is.
    ``_event``: whether it is an engagement. ``_beyond``: engaged with only after its time.
    ``_inside``: whether it is followed at all, and not sent after ``as_of``.
    """
    send = pl.col("send_date")
    first: pl.Expr = pl.when(has_stage(rules.catalogue, "clicked")).then("clicked_on")
    if rules.opens == "trust":
        # What bounced, and so was not opened, is not among the delivered unless it was clicked.
        opened = pl.when(has_stage(rules.catalogue, "opened")).then("opened_on")
        first = pl.min_horizontal(first, opened)
    until = pl.col("_through")
    if rules.window is not None:
        until = until.fill_null(pl.col("_until"))
    return (
        each.filter(base_of(_RATE, rules))
        .with_columns(_to=(first - send).dt.total_days(), _follow=(until - send).dt.total_days())
        .with_columns(_event=(pl.col("_to") <= pl.col("_follow").fill_null(pl.col("_to"))))
        .with_columns(pl.col("_event").fill_null(False))
        .with_columns(
            _time=pl.when("_event").then("_to").otherwise("_follow"),
            _beyond=pl.col("_to").is_not_null() & ~pl.col("_event"),
            _inside=(pl.col("_follow") >= 0).fill_null(True),
        )
        .select(
            *group.keys,
            "customer_id",
            "_is_seen_delivered",
            "_no_through",
            *("_time", "_event", "_beyond", "_inside"),
        )
    )


def _groups(
    rates: pl.LazyFrame, followed: pl.LazyFrame, rules: Rules, group: Grouping
) -> pl.LazyFrame:
    """Return one row a group: all that its days have in common."""
    inside = pl.col("_inside")
    late = pl.lit(False) if rules.window is None else pl.col("_time") > rules.window
    counts = {
        "n": inside,
        "n_engaged": inside & pl.col("_event"),
        "n_late": inside & pl.col("_event") & late,
        "n_implied": inside & (pl.col("_is_seen_delivered") == 0),
        "_n_ahead": ~inside,
        "_n_beyond": inside & pl.col("_beyond"),
        "_n_no_through": inside & pl.col("_no_through"),
    }
    summed = group.aggregate(
        followed,
        *(some.sum().cast(pl.Int64).alias(name) for name, some in counts.items()),
        pl.col("customer_id").filter(inside).n_unique().cast(pl.Int64).alias("customers"),
    )
    lacks = pl.col("_n_rate").is_null()
    one = pl.col("customers") <= 1
    rates = rates.rename({"n": "_n_rate"})
    found = group.join(rates.drop("n_late", "n_implied", "customers", "method", "small"), summed)
    return found.with_columns(
        pl.col(*_OF_A_GROUP, "_n_ahead", "_n_beyond").fill_null(0)
    ).with_columns(
        *(pl.when(~lacks).then(pl.col(name)).alias(name) for name in _OF_A_GROUP),
        n_immature=pl.col("n_immature") + pl.col("_n_ahead"),
        method=pl.when(one).then(pl.lit("log-log")).otherwise(pl.lit("log-log-cluster")),
        small=pl.when(~lacks).then(pl.col("n") < SMALL_N),
        notes=pl.concat_list("notes", *_own_notes(rules)).list.drop_nulls(),
    )


def _own_notes(rules: Rules) -> list[pl.Expr]:
    beyond = (
        "{} engaged with only after the day through which the data is complete: censored there."
    )
    unknown = (
        "{} followed to the end of the window only: nobody knows through which day the data is."
    )
    ahead = "{} sent after the day through which the data is complete left out."
    texts = [("_n_beyond", beyond), ("_n_ahead", ahead)]
    if rules.window is not None:
        texts.append(("_n_no_through", unknown))
    return [pl.when(pl.col(n) > 0).then(pl.format(text, number_of(n))) for n, text in texts]


def _median() -> pl.Expr:
    # A product that is a half may come out a hair above it.
    half = pl.col("engaged") >= 0.5 - 1e-12
    return pl.when(half).then("day").min()
