"""Frequency: how the response to a message goes with how many came before it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

import polars as pl

from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.pressure import ASSOCIATION, Pressure
from optimove_analysis.analysis.rate_counts import base_of, check_proportion, rate_facts, sum_facts
from optimove_analysis.analysis.rates import rate_rows
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import FREQUENCY, INTERACTIONS, Frame, Proportion

__all__ = ["frequency"]

_MOST: Final = 2**31
"""More messages than any customer gets, and a number that a column can hold."""


def frequency(
    interactions: Frame,
    *,
    days: int = 7,
    top: int = 6,
    since: dt.date | None = None,
    rate: Proportion = "engagement rate",
    by: By = "channel_id",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Give a rate by pressure: how many messages the customer was sent in the days before.

    Every message sent to the customer presses, over all channels and whatever the group: also one
    that is immature or bounced, but none of a control member. The day of the send is not among
    the days before; other messages of that day are counted apart (``n_same_day``).

    This is an association. Those who engage much are targeted more, so rates of different levels
    are of different customers: `frequency_contrast` compares each customer with themselves.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        days: Length of the time before the send, in calendar days: 7, or 28.
        top: The last level: that many or more.
        since: The first day from which on the frame holds all sends. A message whose days before
            begin earlier is then of unknown pressure. None: the frame is taken as it is, and
            ``n_early`` says for how many messages it may not reach back far enough.
        rate: Which of `rates`, all but the mean.
        by: As in `rates`, as are all that follow.
        window: Calendar days from the send, inclusive, in which an event counts; None: all.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent, and presses.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.FREQUENCY`: one row a group and level that occurs. Values
        and intervals are those of `rates`: Wilson's, at the effective sample size with the
        customer as the cluster. Null where n is 0 or the channel lacks a stage.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for campaign, day, event in [(1, 3, 1), (1, 3, 4), (2, 9, 1), (3, 10, 1), (4, 25, 1)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> frequency(frame).select("channel", "level", "k", "n", "value").rows()
    [('E-mail', '0', 1, 2, 0.5), ('E-mail', '1', 0, 1, 0.0), ('E-mail', '2', 0, 1, 0.0)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    pressure = Pressure(days, since)
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        message = f"top={top!r} must be a number of messages, 1 or more."
        raise InputError(message)
    top = min(top, _MOST)
    check_proportion(rate, rules)
    group = Grouping.of(by, taken=FREQUENCY.names)
    checked = INTERACTIONS.check(interactions)
    # Read twice: without a cache the plan counts them anew each time.
    each = pressure.of(rate_facts(checked.lazy(), rules, group)).cache()
    found = (
        _levels(each, rules, group, rate, top)
        .with_columns(days=pl.lit(days, pl.Int32))
        .select(*group.write(), *FREQUENCY.names)
        .sort(*group.names, "pressure", nulls_last=[False] * len(group.names) + [True])
    )
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def _levels(
    each: pl.LazyFrame, rules: Rules, group: Grouping, rate: Proportion, top: int
) -> pl.LazyFrame:
    """Count the rate by group and level: the level is one key more."""
    levels = replace(
        group,
        expressions=(*group.expressions, pl.col("_pressure")),
        names=(*group.names, "pressure"),
    )
    level = levels.keys[-1]
    each = each.with_columns(pl.col("_pressure").clip(upper_bound=top).alias(level))
    beside = (
        each.filter(base_of(rate, rules))
        .group_by(levels.keys)
        .agg(
            mean_pressure=pl.col("_pressure").mean(),
            n_same_day=(pl.col("_same_day") > 0).sum().cast(pl.Int64),
            n_early=pl.col("_early").sum().cast(pl.Int64),
        )
    )
    number = pl.col(level).cast(pl.String)
    early = pl.when(pl.col("n_early") > 0).then(
        pl.when(pl.col(level).is_null())
        .then(pl.lit("Pressure not known: the days before begin before since."))
        .otherwise(
            pl.format(
                "{} whose days before begin before what the frame holds of the customer: there may "
                "have been more (since= sets them apart).",
                number_of("n_early"),
            )
        )
    )
    return (
        rate_rows(sum_facts(each, levels), rules, levels, only=[rate])
        .join(beside, on=levels.keys, how="left", nulls_equal=True)
        .with_columns(pl.col("n_same_day", "n_early").fill_null(0))
        .with_columns(
            pressure=level,
            level=pl.when(pl.col(level) < top)
            .then(number)
            .when(pl.col(level).is_not_null())
            .then(pl.lit(f"{top}+"))
            .otherwise(pl.lit("unknown")),
            notes=pl.concat_list(
                pl.lit(ASSOCIATION),
                early,
                "notes",
            ).list.drop_nulls(),
        )
    )
