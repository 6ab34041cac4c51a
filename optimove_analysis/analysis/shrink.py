"""Each customer's rate, as likely as all the other customers make it."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from optimove_analysis.analysis.grouping import By, Grouping, within
from optimove_analysis.analysis.intervals import effective_n, wilson
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.rate_counts import RATIOS, count_rates, ratios
from optimove_analysis.analysis.rates import rate_rows
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.analysis.shrinkage import beta_interval, fit_beta, shrunk_mean
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import INTERACTIONS, MEAN_OPENS, SHRUNK, SMALL_N, Frame, RateName

__all__ = ["shrink"]

_NEEDED: Final = ("customer_id", "channel_id")


def shrink(
    interactions: Frame,
    rate: RateName = "click rate",
    *,
    by: By = _NEEDED,
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Draw each customer's rate towards that of all customers of the channel.

    Three messages say little of a customer: 1 of 3 is a better guess at the channel's rate than
    at 33 %. How far to draw is seen in how far customers differ: their own rates are taken for
    draws of a Beta distribution, fitted by moments, with weights n (see `shrinkage`). Where they
    differ no more than by chance, all get the pooled rate.

    A shrunk value depends on all the customers in the frame: a part of the frame, one customer's
    rows for one, gives other values. So shrink first, and choose customers afterwards.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`), of many customers.
        rate: A rate of `rates`, but not total opens per delivered, which is no share.
        by: ``customer_id`` and ``channel_id``, and what else there is to group by: customers are
            held against those with the same channel and the same of everything else.
        window: As in `funnel`, as are all that follow.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"``; with ``"none"`` only a rate of the sent, since k is part of no
            other n.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.SHRUNK`: one row a customer and channel. ``shrunk`` is
        the posterior mean (k + a)/(n + a + b), and ``lo`` and ``hi`` the middle 95 % of
        Beta(k + a, n - k + b), in which the customer's own rate lies; the prior is taken for
        known, so with few customers it is too narrow. Where ``method`` is pooled they are the
        ends of the Wilson interval of the pooled rate with the customer as the cluster, the same
        for all: a customer's own, only as far as all are alike. Null where no customer of the
        channel has any n.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known, or the rate cannot be shrunk.

    >>> ids = {"recipient_group_id": 1, "action_id": 9, "channel_id": 504, "template_id": 2,
    ...        "date": dt.date(2025, 3, 3)}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, "campaign_id": campaign, **ids, "event_id": event}
    ...      for who, n, clicked in [("A", 10, 0), ("B", 10, 6), ("C", 10, 1), ("D", 1, 1)]
    ...      for campaign in range(n) for event in [1, 2, 4][:3 if campaign < clicked else 2]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> shrink(frame).select("customer_id", "k", "n", pl.col("shrunk", "lo", "hi").round(2)).rows()
    [('A', 0, 10, 0.02, 0.0, 0.15), ('B', 6, 10, 0.57, 0.28, 0.83),
     ('C', 1, 10, 0.11, 0.01, 0.35), ('D', 1, 1, 0.63, 0.07, 0.99)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    group = Grouping.of(by, taken=SHRUNK.names)
    _check(rate, group, rules)
    checked = INTERACTIONS.check(interactions)
    rows = rate_rows(count_rates(checked.lazy(), rules, group), rules, group, [rate])
    found = (
        _shrunk(rows, group)
        .select(*group.write(), *SHRUNK.names)
        .sort(*group.names, maintain_order=True)
    )
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def _check(rate: RateName, group: Grouping, rules: Rules) -> None:
    """Say why a rate cannot be shrunk."""
    if rate == MEAN_OPENS:
        message = f"rate={rate!r} is a mean of counts and no share: a Beta says nothing of it."
        raise InputError(message)
    shares = [name for name in ratios(rules) if name != MEAN_OPENS]
    if rate in RATIOS and rate not in shares:
        message = f"rate={rate!r} is of opens, which opens='ignore' leaves out."
        raise InputError(message)
    if rate not in shares:
        raise InputError.option("rate", rate, shares)
    if rules.implied == "none" and RATIOS[rate].n != "sent":
        message = (
            f"rate={rate!r}: with implied='none' what was reported of k is no part of n, so there "
            "is no share to shrink; implied='lower' makes it one."
        )
        raise InputError(message)
    for name in _NEEDED:
        plain = dict(zip(group.names, group.expressions, strict=True)).get(name)
        if plain is None or not plain.meta.eq(pl.col(name)):
            message = (
                f"by= must have {name!r}: customers are shrunk together with those of the same "
                "channel."
            )
            raise InputError(message)


def _shrunk(rows: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    """Shrink the rows of `rates` by customer and more."""
    customer = group.keys[group.names.index("customer_id")]
    others = [key for key in group.keys if key != customer]
    k, n = pl.col("k"), pl.col("n")
    a, b = fit_beta(k, n)
    sums = {"total_k": k, "total_n": n, "kk": k * k, "kn": k * n, "nn": n * n, "m": n > 0}
    columns = {
        "prior_a": a,
        "prior_b": b,
        "shrunk": shrunk_mean(k, n),
        **{f"_{name}": part.sum().cast(pl.Float64) for name, part in sums.items()},
    }
    rows = rows.with_columns(within(one, others).alias(name) for name, one in columns.items())
    total_k, total_n, kk, kn, nn, m = (pl.col(f"_{name}") for name in sums)
    effective = effective_n(total_k, total_n, kk, kn, nn, m)
    of_pooled = wilson(total_k / total_n * effective, effective)
    some, fitted = total_n > 0, pl.col("prior_a").is_not_null()
    own_k, own_n = k.fill_null(0), n.fill_null(0)
    posterior = beta_interval(pl.col("prior_a") + own_k, pl.col("prior_b") + own_n - own_k)
    return rows.with_columns(_posterior=posterior).with_columns(
        *(
            pl.when(fitted).then(pl.col("_posterior").struct.field(name)).otherwise(end).alias(name)
            for name, end in zip(("lo", "hi"), of_pooled, strict=True)
        ),
        method=pl.when(fitted)
        .then(pl.lit("beta-binomial"))
        .when(some)
        .then(pl.lit("pooled"))
        .otherwise(pl.lit(None, pl.String)),
        pooled=pl.when(some).then(total_k / total_n),
        pooled_n=total_n.cast(pl.Int64),
        customers=m.cast(pl.Int64),
        notes=pl.concat_list("notes", *_said(fitted, some, m, n)).list.drop_nulls(),
    )


def _said(fitted: pl.Expr, some: pl.Expr, m: pl.Expr, n: pl.Expr) -> list[pl.Expr]:
    """Return what a reader must know of a shrunk value; null or text."""
    alike = (
        "The customers differ no more than by chance: all get the pooled rate and its interval, "
        "which is a customer's own only as far as all are alike."
    )
    alone = "Only this customer has messages to divide by: there is nobody to be held against."
    few = "The prior is made of {} only, and is taken for known: the interval is too narrow."
    none = "The customer has no message to divide by: the value is what the others say."
    return [
        pl.when(some & ~fitted & (m > 1)).then(pl.lit(alike)),
        pl.when(fitted & (m < SMALL_N)).then(
            pl.format(few, number_of(m.cast(pl.Int64), "customer", "customers"))
        ),
        pl.when((m == 1) & (n > 0)).then(pl.lit(alone)),
        pl.when(some & (n == 0)).then(pl.lit(none)),
    ]
