"""What earlier days predict of a day: k of n as a beta-binomial, and how odd fewer would be.

Posterior prediction of k of n: A. Gelman and others, "Bayesian Data Analysis", 3rd edition (2013),
chapter 2, with Jeffreys's prior (section 2.8).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.shrinkage import beta_of, fit_beta

__all__ = ["lower_tail", "predict", "trailing"]

_POOR: Final = 0.01
_STEPS_AT_ONCE: Final = 2_000_000
_NO_SUM: Final = pl.DataFrame(schema={"row": pl.Int64, "total": pl.Float64})


def trailing(days: pl.LazyFrame, weeks: int, group: Grouping) -> pl.LazyFrame:
    """Return what the trailing same weekdays predict of each day that has any of them.

    Args:
        days: The group's keys, ``send_date``, ``k`` and ``n``, one row each.
        weeks: So many weeks back.
        group: What days are grouped by.

    Returns:
        The keys, ``send_date``, ``baseline_k``, ``baseline_n``, ``baseline_days``, and ``a`` and
        ``b`` of the Beta that they predict; also for days that have no row.
    """
    k, n, send = pl.col("k"), pl.col("n"), pl.col("send_date")
    a, b = predict(k, n)
    week, last = pl.duration(weeks=1), pl.duration(weeks=weeks)
    return (
        days.filter(n > 0)
        # Each day is in the baseline of those that follow, a week apart.
        .select(
            *group.keys, "k", "n", send_date=pl.date_ranges(send + week, send + last, interval="1w")
        )
        .explode("send_date")
        .group_by(*group.keys, "send_date")
        .agg(
            k.sum().alias("baseline_k"),
            n.sum().alias("baseline_n"),
            pl.len().cast(pl.Int64).alias("baseline_days"),
            a.alias("a"),
            b.alias("b"),
        )
    )


def predict(k: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return a and b of the Beta that the rate of a further day comes from, given days' k of n.

    Aggregating expressions, as in `fit_beta`. The mean is the pooled rate, with Jeffreys's half a
    message on each side. The variance has two parts: what is not known of the mean, by the number
    of messages; and what days differ by beyond binomial noise (`fit_beta`), both of the further day
    and of the mean of these. Without such differences it is the posterior Beta(k + 1/2, n - k +
    1/2) exactly. Null where there is no n.

    >>> days = pl.DataFrame({"k": [95, 94, 96], "n": [100, 100, 100]})  # alike, but for noise
    >>> a, b = predict(pl.col("k"), pl.col("n"))
    >>> days.select(a=a.round(6), b=b.round(6)).row(0)
    (285.5, 15.5)
    >>> unlike = pl.DataFrame({"k": [99, 88, 98], "n": [100, 100, 100]})
    >>> unlike.select(a=a.round(1), b=b.round(1)).row(0)
    (9.3, 0.5)
    """
    a, b = fit_beta(k, n)
    k, n = k.cast(pl.Float64).sum(), n.cast(pl.Float64)
    total, squares = n.sum(), (n * n).sum()
    mean = (k + 0.5) / (total + 1)
    own = (a / (a + b) * (b / (a + b)) / (a + b + 1)).fill_null(0.0)
    variance = mean * (1 - mean) / (total + 2) + own * (1 + squares / total**2)
    # The widest Beta that is worth one message, as in `fit_beta`.
    a, b = beta_of(mean, pl.min_horizontal(variance, mean * (1 - mean) / 2))
    return pl.when(total > 0).then(a), pl.when(total > 0).then(b)


def lower_tail(k: pl.Expr, n: pl.Expr, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Return the chance of k or fewer of n by the beta-binomial of a and b; null where one is.

    Each row costs as many steps as it has messages on the shorter side of k; where that chance is
    small, as it has up to k.

    >>> row = pl.DataFrame({"k": [7], "n": [10], "a": [1.0], "b": [1.0]})  # all equally likely
    >>> row.select(lower_tail(*(pl.col(name) for name in "knab")).round(6)).item()
    0.727273
    """
    parts = pl.struct(k=k.cast(pl.Float64), n=n.cast(pl.Float64), a=a, b=b)
    some = pl.all_horizontal(one.is_not_null() for one in (k, n, a, b))
    return pl.when(some).then(parts.map_batches(_lower_tails, return_dtype=pl.Float64))


def _lower_tails(parts: pl.Series) -> pl.Series:
    """Sum the probabilities of each row over its shorter side, all rows in few goes."""
    rows = parts.struct.unnest().with_columns(row=pl.int_range(pl.len())).drop_nulls()
    k, n = pl.col("k"), pl.col("n")
    found = _sums(rows, below=k < n - k)
    # 1 less a sum close to 1 has few digits: there the side itself, however long.
    poor = rows.join(found.filter(pl.col("p") < _POOR, k >= n - k), on="row", how="semi")
    found = found.select("row", "p").update(
        _sums(poor, below=pl.lit(True)).select("row", "p"), on="row"
    )
    everywhere = pl.select(row=pl.int_range(parts.len()))
    return everywhere.join(found, on="row", how="left", maintain_order="left")["p"]


def _sums(rows: pl.DataFrame, *, below: pl.Expr) -> pl.DataFrame:
    """Add ``p``: the sum of the probabilities up to k, or 1 less that of those beyond."""
    first = pl.when(below).then(0).otherwise(pl.col("k") + 1).cast(pl.Int64)
    last = pl.when(below).then("k").otherwise("n").cast(pl.Int64)
    spans = rows.with_columns(first=first, last=last)
    # So many terms at once that memory does not grow with the days and their messages.
    steps = (pl.col("last") - pl.col("first") + 1).cum_sum()
    goes = spans.with_columns(go=steps // _STEPS_AT_ONCE).partition_by("go", include_key=False)
    sums = [_added_up(one) for one in goes]
    total = pl.col("total").fill_null(0.0)  # no term: k is n
    return rows.join(pl.concat([_NO_SUM, *sums]), on="row", how="left").with_columns(
        p=pl.when(below).then(total).otherwise(1 - total).clip(0, 1)
    )


def _added_up(spans: pl.DataFrame) -> pl.DataFrame:
    # scipy.stats has this distribution, and would go row by row.
    import numpy as np  # noqa: PLC0415 - as scipy, slow to import
    from scipy.special import betaln  # noqa: PLC0415

    each = spans.select("row", "n", "a", "b", j=pl.int_ranges("first", pl.col("last") + 1)).explode(
        "j"
    )
    each = each.drop_nulls()
    j, n, a, b = (each[name].cast(pl.Float64).to_numpy() for name in ("j", "n", "a", "b"))
    log = betaln(j + a, n - j + b) - betaln(a, b) - betaln(n - j + 1, j + 1)
    chance = np.exp(log) / (n + 1)
    # The terms of a row follow each other, and are added up in that order.
    runs = each["row"].rle().struct.unnest()
    begins = (runs["len"].cum_sum() - runs["len"]).to_numpy()
    return pl.DataFrame({"row": runs["value"], "total": np.add.reduceat(chance, begins)})
