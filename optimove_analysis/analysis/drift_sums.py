"""The sums over channels and customers that drift is made of; see `drift` for the formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

import polars as pl

from optimove_analysis.analysis.steady import steady_sum
from optimove_analysis.schema import DRIFT, Share

__all__ = ["SHARE", "sum_pairs"]

SHARE: Final = DRIFT["share"].dtype


def sum_pairs(counts: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """Return one row a group, period and share: the divergence, and what chance is made of."""
    after = pl.col("_after")
    cells = pl.concat(
        counts.group_by(*keys, "customer_id", "channel_id")
        .agg(x0=pl.col(one).filter(~after).sum(), x1=pl.col(one).filter(after).sum())
        .with_columns(share=pl.lit(share, SHARE))
        for share, one in zip(get_args(Share), "se", strict=True)
    )
    keys = [*keys, "share"]
    customers = cells.group_by(*keys, "customer_id").agg(
        t0=pl.col("x0").sum(), t1=pl.col("x1").sum()
    )
    x0, x1, t0, t1 = (pl.col(name).cast(pl.Float64) for name in ("x0", "x1", "t0", "t1"))
    groups = customers.group_by(keys).agg(
        n_before=pl.col("t0").sum(),
        n_after=pl.col("t1").sum(),
        t00=(t0 * t0).sum(),
        t01=(t0 * t1).sum(),
        t11=(t1 * t1).sum(),
        customers=(t0 + t1 > 0).sum().cast(pl.Int64),
    )
    channels = (
        cells.join(customers, on=[*keys, "customer_id"], how="left", nulls_equal=True)
        .group_by(*keys, "channel_id")
        .agg(
            pl.col("x0", "x1").sum(),
            x00=(x0 * x0).sum(),
            x01=(x0 * x1).sum(),
            x11=(x1 * x1).sum(),
            x0t0=(x0 * t0).sum(),
            x0t1=(x0 * t1).sum(),
            x1t0=(x1 * t0).sum(),
            x1t1=(x1 * t1).sum(),
        )
        .join(groups, on=keys, how="left", nulls_equal=True)
    )
    beside = ("n_before", "n_after", "customers")
    return channels.group_by(*keys).agg(pl.col(*beside).first(), *_over_channels())


def _over_channels() -> list[pl.Expr]:
    """Return sums over channels: the divergence, and the variances of p - q by p.

    A customer contributes x0/n0 - p t0/n0 - x1/n1 + q t1/n1 to a channel's difference, which sums
    to 0; the variance is the sum of its squares times m/(m - 1).
    """
    n0, n1, m = (pl.col(name).cast(pl.Float64) for name in ("n_before", "n_after", "customers"))
    p, q = pl.col("x0") / n0, pl.col("x1") / n1
    mid = (p + q) / 2

    def total(c00: str, c01: str, c10: str, c11: str) -> list[pl.Expr]:
        names = {"00": c00, "01": c01, "10": c10, "11": c11}
        scale = {"00": n0 * n0, "01": n0 * n1, "10": n0 * n1, "11": n1 * n1}
        return [pl.col(name) / scale[place] for place, name in names.items()]

    xx, xt, tt = (
        total("x00", "x01", "x01", "x11"),
        total("x0t0", "x0t1", "x1t0", "x1t1"),
        total("t00", "t01", "t01", "t11"),
    )
    own = xx[0] - xx[1] - xx[2] + xx[3]
    shared = p * xt[0] - q * xt[1] - p * xt[2] + q * xt[3]
    whole = p * p * tt[0] - p * q * (tt[1] + tt[2]) + q * q * tt[3]
    clustered = (own - 2 * shared + whole).clip(0) * m / (m - 1)
    independent = p * (1 - p) / n0 + q * (1 - q) / n1
    some = (n0 > 0) & (n1 > 0) & (mid > 0)
    bits = [
        pl.when(share > 0).then(share * (share / mid).log(2)).otherwise(0.0) for share in (p, q)
    ]
    return [
        steady_sum(((bits[0] + bits[1]) / 2).filter(some)).clip(0, 1).alias("_divergence"),
        steady_sum((clustered / mid).filter(some)).alias("_clustered"),
        steady_sum((independent / mid).filter(some)).alias("_independent"),
        (pl.col("x0") + pl.col("x1") > 0).sum().cast(pl.Int64).alias("n_channels"),
    ]
