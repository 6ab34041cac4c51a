"""The share that has not happened yet, with censoring: Kaplan-Meier, by group, in closed form.

The estimator: E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations",
JASA 53 (1958). Its variance: M. Greenwood, "The natural duration of cancer" (1926); across
customers that of R. L. Williams, "Product-limit survival functions with correlated survival times",
Lifetime Data Analysis 1 (1995). The interval on the scale of log(-log S): J. D. Kalbfleisch and
R. L. Prentice, "The Statistical Analysis of Failure Time Data", 2nd edition (2002), section 1.4.
"""

from __future__ import annotations

import polars as pl

from optimove_analysis.analysis.grouping import Grouping, within
from optimove_analysis.analysis.intervals import Z95
from optimove_analysis.analysis.steady import steady_sum

__all__ = ["interval", "survival"]


def survival(followed: pl.LazyFrame, groups: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    """Return one row a group and day on which something happened, and day 0, with its estimate.

    Args:
        followed: One row a message: the group's keys, ``customer_id``, ``_time``: the days after
            which it is engaged with (``_event``) or censored; null: never.
        groups: One row a group, with ``n``, the messages followed, and whatever is wanted beside.
        group: What results are grouped by.

    Returns:
        What ``groups`` has, ``day``, ``at_risk``, ``events``, ``censored``; ``_s``, the share not
        yet engaged with after the day; ``_h`` and ``_clustered``: the variance of the logarithm
        of that, of independent messages (Greenwood), and over customers (to be multiplied by
        m/(m - 1)).
    """
    keys = group.keys
    event = pl.col("_event")
    seen = followed.filter(pl.col("_time").is_not_null()).group_by(*keys, day="_time")
    seen_days = seen.agg(events=event.sum().cast(pl.Int64), censored=(~event).sum().cast(pl.Int64))
    nothing = pl.lit(0, pl.Int64)
    first_days = groups.select(*keys, day=nothing, events=nothing, censored=nothing)
    gone = pl.col("events") + pl.col("censored")
    r, e = pl.col("at_risk"), pl.col("events")
    left = pl.when(r > e).then(1 / (r - e))
    days = (
        pl.concat([first_days, seen_days])
        .group_by(*keys, "day")
        .agg(pl.col("events", "censored").sum())
        .pipe(group.join, groups)
        .sort(*keys, "day")
        .with_columns(at_risk=pl.col("n") - within(gone.cum_sum(), keys) + gone)
        .with_columns(
            _s=within(pl.when(r > 0).then(1 - e / r).otherwise(1.0).cum_prod(), keys),
            # Greenwood's sum, and what an event takes from the log of S.
            _h=within(pl.when(r > 0).then(e / r * left).fill_null(0.0).cum_sum(), keys),
            _left=left.fill_null(0.0),
        )
        .cache()  # read twice
    )
    squares = _squares(followed, days.select(*keys, "day", "_h", "_left"), group)
    return (
        days.join(squares, on=[*keys, "day"], how="left", nulls_equal=True)
        .sort(*keys, "day")
        .with_columns(within(pl.col("_aa", "_ab", "_bb").fill_null(0).cum_sum(), keys))
        .pipe(group.join, _sizes(followed, group))
        .sort(*keys, "day")
        .with_columns(
            _clustered=pl.col("_aa")
            + 2 * pl.col("_h") * pl.col("_ab")
            + pl.col("_h") ** 2 * (pl.col("_bb") + pl.col("_nn"))
        )
    )


def _squares(followed: pl.LazyFrame, days: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    """Return by how much the sums over customers that the variance is made of change on a day.

    A customer's part in the log of S is z = a + b h. Each of their messages that is still at risk
    is 1 in b, h being Greenwood's sum so far. When its time has come it is, from then on, in a: h
    of that day, less 1 / (at risk - events) if it was engaged with. So z changes only on the days
    of the customer's own messages, and the sum of z squared over customers, which is
    sum a a + 2 h sum a b + h h sum b b, only by what changes there.
    """
    keys = [*group.keys, "customer_id"]
    own = (
        followed.select(*keys, "_event", day="_time")
        .join(days, on=[*group.keys, "day"], how="left", nulls_equal=True)
        .group_by(*keys, "day")
        .agg(
            pl.len().cast(pl.Int64).alias("gone"),
            # The same of each of the customer's messages on that day, so that nothing is added up.
            part=pl.len() * pl.col("_h").first() - pl.col("_event").sum() * pl.col("_left").first(),
        )
        .sort(*keys, "day", nulls_last=True)
        .with_columns(
            _a=pl.col("part").cum_sum().over(keys),
            _b=pl.col("gone").sum().over(keys) - pl.col("gone").cum_sum().over(keys),
        )
    )
    a, b = pl.col("_a"), pl.col("_b")
    a0, b0 = a - pl.col("part"), b + pl.col("gone")
    return (
        own.filter(pl.col("day").is_not_null())
        .group_by(*group.keys, "day")
        .agg(
            steady_sum(a**2 - a0**2).alias("_aa"),
            steady_sum(a * b - a0 * b0).alias("_ab"),
            (b**2 - b0**2).sum().cast(pl.Float64).alias("_bb"),
        )
    )


def _sizes(followed: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    """Return the sum over customers of their messages squared: the sum of b b before day 0."""
    of_each = group.aggregate(followed, pl.len().cast(pl.Int64).alias("n"), also=["customer_id"])
    return group.aggregate(of_each, (pl.col("n") ** 2).sum().alias("_nn"))


def interval() -> list[pl.Expr]:
    """Return 1 - S with its 95 % interval, of what `survival` gives and ``customers``."""
    s, m = pl.col("_s"), pl.col("customers").cast(pl.Float64)
    # Customers that differ less than independent messages do so by chance, as in `effective_n`.
    clustered = pl.when(m > 1).then(pl.col("_clustered") * m / (m - 1))
    variance = pl.max_horizontal("_h", clustered)
    some = (pl.col("n") > 0) & (s > 0) & (s < 1)
    factor = (Z95 * variance.sqrt() / -s.log()).exp()
    return [
        pl.when(pl.col("n") > 0).then(1 - s).alias("engaged"),
        pl.when(some).then(1 - s ** (1 / factor)).alias("lo"),
        pl.when(some).then(1 - s**factor).alias("hi"),
    ]
