"""Shrinkage: a customer with three messages has a rate of 0, 33, 67 or 100 %; all others know more.

Beta-binomial by moments. The Beta that has a mean and a variance: A. Gelman and others, "Bayesian
Data Analysis", 3rd edition (2013), section 5.1. The moments of rates of unlike n, freed of
binomial noise: J. C. Kleinman, "Proportions with extraneous variance: single and independent
samples", JASA 68 (1973), with weights n.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.analysis.steady import steady_sum

__all__ = ["beta_interval", "beta_of", "fit_beta", "shrunk_mean"]

_ENDS: Final = pl.Struct({"lo": pl.Float64(), "hi": pl.Float64()})


def beta_of(mean: pl.Expr, variance: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return a and b of the Beta distribution that has this mean and variance.

    >>> a, b = beta_of(pl.lit(0.136), pl.lit(0.103) ** 2)
    >>> mean = (4 + a) / (14 + a + b)  # Gelman and others: 4 of 14 rats
    >>> pl.select(a=a.round(1), mean=mean.round(3)).row(0)
    (1.4, 0.223)
    """
    weight = mean * (1 - mean) / variance - 1
    return mean * weight, (1 - mean) * weight


def fit_beta(k: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Fit the Beta that customers' own rates come from, to their k of n.

    Aggregating expressions: over a frame, in a ``group_by().agg()``, or ``.over("channel_id")``.
    The rates vary about the pooled one by their own variance and by binomial noise; what is
    left of the variance without the noise is the Beta's. Rows with n = 0 or null say nothing.

    Returns:
        a and b; both null where the variance is within binomial noise (nobody differs, or nothing
        shows that anybody does), which is where the pooled rate is the best guess for everybody.
        a + b is at least 1: where each customer always or never did, no Beta is that wide.

    >>> frame = pl.DataFrame({"k": [0, 1, 6, 4], "n": [10, 10, 10, 10]})
    >>> a, b = fit_beta(pl.col("k"), pl.col("n"))
    >>> frame.select(a=a.round(2), b=b.round(2)).row(0)
    (0.61, 1.6)
    """
    k, n = k.cast(pl.Float64), n.cast(pl.Float64)
    some = (n > 0).fill_null(False) & k.is_not_null()
    k, n = pl.when(some).then(k), pl.when(some).then(n)
    total = n.sum()
    p = k.sum() / total
    freedom = some.sum().cast(pl.Float64) - 1
    spread = steady_sum(n * (k / n - p) ** 2)
    noise = p * (1 - p) * freedom
    own = (spread - noise) / (total - (n * n).sum() / total - freedom)
    # The widest Beta that is worth one message. Comparisons with NaN (0/0) need care: there
    # `own > 0` would hold.
    a, b = beta_of(p, pl.min_horizontal(own, p * (1 - p) / 2))
    # What rounding leaves of 0 would make a prior of a billion messages.
    real = own.is_finite() & (own > 1e-9 * p * (1 - p))
    return pl.when(real).then(a), pl.when(real).then(b)


def shrunk_mean(k: pl.Expr, n: pl.Expr) -> pl.Expr:
    """Return each row's rate, shrunk towards what all the rows say: (k + a)/(n + a + b).

    Rows are customers of one channel; of several, add ``.over("channel_id")``. Where the customers
    differ no more than by chance, all get the pooled rate. Null only where nobody has any n.

    >>> frame = pl.DataFrame({"k": [0, 1, 6, 4, 1], "n": [10, 10, 10, 10, 1]})
    >>> frame.select(shrunk_mean(pl.col("k"), pl.col("n")).round(2)).to_series().to_list()
    [0.05, 0.13, 0.55, 0.38, 0.54]
    """
    a, b = fit_beta(k, n)
    counted = (n > 0).fill_null(False) & k.is_not_null()
    pooled = pl.when(counted).then(k).sum() / pl.when(counted).then(n).sum()
    k, n = pl.when(counted).then(k).otherwise(0), pl.when(counted).then(n).otherwise(0)
    shrunk = pl.coalesce((k + a) / (n + a + b), pooled)
    return pl.when(shrunk.is_finite()).then(shrunk)


def beta_interval(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return the middle 95 % of Beta(a, b), as a struct of ``lo`` and ``hi``; null where a is.

    The quantiles are where the regularised incomplete beta function has 0.025 and 0.975.

    >>> found = pl.select(beta_interval(pl.lit(5.4), pl.lit(18.6))).unnest("beta_interval")
    >>> found.select(pl.all().round(3)).row(0)
    (0.085, 0.408)
    """
    parts = pl.struct(a=a.cast(pl.Float64), b=b.cast(pl.Float64))
    ends = parts.map_batches(_quantiles, return_dtype=_ENDS, is_elementwise=True)
    return ends.alias("beta_interval")


def _quantiles(parts: pl.Series) -> pl.Series:
    # Slow to import, and most users of this package need it never.
    from scipy.special import betaincinv  # noqa: PLC0415

    beta = parts.struct.unnest()
    unlike = beta.unique().drop_nulls()
    a, b = unlike["a"].to_numpy(), unlike["b"].to_numpy()
    ends = unlike.with_columns(lo=betaincinv(a, b, 0.025), hi=betaincinv(a, b, 0.975))
    found = beta.join(ends, on=["a", "b"], how="left", maintain_order="left")
    return found.select(pl.struct("lo", "hi")).to_series()
