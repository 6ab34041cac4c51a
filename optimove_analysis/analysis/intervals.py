"""Intervals of rates: closed forms, as polars expressions, so that they run on millions of groups.

Wilson: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
JASA 22 (1927). With clusters, the Wilson interval at the effective sample size, n divided by the
design effect (N. Dean and M. Pagano, "Evaluating confidence interval methods for binomial
proportions in clustered data", Journal of Survey Statistics and Methodology 3, 2015). Difference:
method 10 of R. G. Newcombe, "Interval estimation for the difference between independent
proportions: comparison of eleven methods", Statistics in Medicine 17 (1998). Ratio: D. Katz and
others, "Obtaining confidence intervals for the risk ratio in cohort studies", Biometrics 34 (1978).
"""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["Z95", "effective_n", "log_ratio", "mean_interval", "newcombe", "wilson"]

Z95: Final = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


def wilson(k: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the ends of the Wilson 95 % interval of k of n; null where n is 0.

    >>> frame = pl.DataFrame({"k": [81, 0], "n": [263, 20]})  # Newcombe 1998, table I
    >>> lo, hi = wilson(pl.col("k"), pl.col("n"))
    >>> frame.select(lo=lo.round(4), hi=hi.round(4)).rows()
    [(0.2553, 0.3662), (0.0, 0.1611)]
    """
    z2 = Z95**2
    some = n > 0
    k, n = k.cast(pl.Float64), n.cast(pl.Float64)
    # k(n - k)/n can fall a hair below 0 where k is a share times an effective n.
    half = Z95 * ((k * (n - k) / n).clip(0) + z2 / 4).sqrt()
    lo = ((k + z2 / 2 - half) / (n + z2)).clip(0, 1)
    hi = ((k + z2 / 2 + half) / (n + z2)).clip(0, 1)
    # Exact at the ends, where rounding would leave 1e-18 instead of 0.
    lo = pl.when(k <= 0).then(0.0).otherwise(lo)
    hi = pl.when(k >= n).then(1.0).otherwise(hi)
    return pl.when(some).then(lo), pl.when(some).then(hi)


def effective_n(  # noqa: PLR0917 - one sum each
    k: pl.Expr, n: pl.Expr, kk: pl.Expr, kn: pl.Expr, nn: pl.Expr, clusters: pl.Expr
) -> pl.Expr:
    """Return n divided by the design effect of clusters, never more than n.

    The variance of the ratio k/n over clusters (linearised, with the m/(m - 1) correction) is
    held against that of n independent messages. Less than independent noise is taken for chance.

    Args:
        k: Sum of the clusters' k.
        n: Sum of the clusters' n.
        kk: Sum of the squares of the clusters' k.
        kn: Sum of the products of the clusters' k and n.
        nn: Sum of the squares of the clusters' n.
        clusters: Number of clusters with n > 0; one cluster says nothing of a design effect.
    """
    p = k / n
    m = clusters.cast(pl.Float64)
    clustered = (kk - 2 * p * kn + p**2 * nn).clip(0) / n.cast(pl.Float64) ** 2 * m / (m - 1)
    independent = p * (1 - p) / n
    effect = pl.when((m > 1) & (independent > 0)).then(clustered / independent).otherwise(1.0)
    return n / effect.clip(1)


def newcombe(k: pl.Expr, n: pl.Expr, k0: pl.Expr, n0: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the ends of Newcombe's hybrid score 95 % interval of k/n - k0/n0.

    The two are independent; with clusters, n is the effective one and k the share of it. Null
    where an n is 0.

    >>> frame = pl.DataFrame({"k": [56], "n": [70], "k0": [48], "n0": [80]})
    >>> lo, hi = newcombe(pl.col("k"), pl.col("n"), pl.col("k0"), pl.col("n0"))
    >>> frame.select(lo=lo.round(4), hi=hi.round(4)).row(0)  # Newcombe 1998, table II
    (0.0524, 0.3339)
    """
    (lo, hi), (lo0, hi0) = wilson(k, n), wilson(k0, n0)
    p, p0 = k / n, k0 / n0
    below = ((p - lo) ** 2 + (hi0 - p0) ** 2).sqrt()
    above = ((hi - p) ** 2 + (p0 - lo0) ** 2).sqrt()
    return p - p0 - below, p - p0 + above


def log_ratio(k: pl.Expr, n: pl.Expr, k0: pl.Expr, n0: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the ends of the 95 % interval of the ratio of k/n to k0/n0, made on the log scale.

    As in `newcombe`, n may be effective. Null where a k is 0, which has no logarithm.

    >>> frame = pl.DataFrame({"k": [30], "n": [100], "k0": [20], "n0": [100]})
    >>> lo, hi = log_ratio(pl.col("k"), pl.col("n"), pl.col("k0"), pl.col("n0"))
    >>> frame.select(lo=lo.round(3), hi=hi.round(3)).row(0)
    (0.916, 2.456)
    """
    some = (k > 0) & (k0 > 0)
    # A share times an effective n may pass that n by a hair.
    half = Z95 * ((1 / k - 1 / n).clip(0) + (1 / k0 - 1 / n0).clip(0)).sqrt()
    ratio = (k / n) / (k0 / n0)
    return pl.when(some).then(ratio * (-half).exp()), pl.when(some).then(ratio * half.exp())


def mean_interval(  # noqa: PLR0917 - one sum each
    k: pl.Expr,
    n: pl.Expr,
    kk: pl.Expr,
    kn: pl.Expr,
    nn: pl.Expr,
    clusters: pl.Expr,
    xx: pl.Expr,
    xd: pl.Expr,
) -> tuple[pl.Expr, pl.Expr]:
    """Return the ends of the 95 % interval of the mean k/n of counts, linearised on the log scale.

    Null where there is no spread to go by: each message has the same count, or there is but one.

    Args:
        k: Sum of the counts.
        n: Number of messages.
        kk: As in `effective_n`, as are the next three.
        kn: Sum of the products.
        nn: Sum of the squares of the clusters' n.
        clusters: Number of clusters; with one, only messages show how far counts differ.
        xx: Sum of the squares of the messages' counts.
        xd: Sum of the counts of those messages that are among n.
    """
    n, m = n.cast(pl.Float64), clusters.cast(pl.Float64)
    mean = k / n
    between_messages = (xx - 2 * mean * xd + mean**2 * n) * n / (n - 1)
    between_clusters = (kk - 2 * mean * kn + mean**2 * nn) * m / (m - 1)
    # Clusters that differ less than independent messages do so by chance, as in `effective_n`.
    worst = pl.max_horizontal(between_messages, pl.when(m > 1).then(between_clusters))
    some = (n > 1) & (k > 0) & (worst > 1e-9 * n)  # what rounding leaves of 0
    half = Z95 * worst.clip(0).sqrt() / k
    return pl.when(some).then(mean * (-half).exp()), pl.when(some).then(mean * half.exp())
