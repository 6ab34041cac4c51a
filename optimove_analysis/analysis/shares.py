"""Shares of what came from one place over where it went, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from optimove_analysis.analysis.intervals import effective_n, wilson
from optimove_analysis.schema import SMALL_N

__all__ = ["count_shares", "share_columns"]


def count_shares(rows: pl.LazyFrame, start: Sequence[str], to: Sequence[str]) -> pl.LazyFrame:
    """Count rows by ``start`` and ``to``, with what the shares' intervals are made of.

    The clusters are customers (``customer_id``). Beside the columns named: ``k`` and ``n``, the
    rows here and from there in all, and ``kk``, ``kn``, ``nn``, ``m`` of `intervals.effective_n`.
    """
    cell = [*start, *to]
    of_customers = rows.group_by(*cell, "customer_id").agg(k=pl.len().cast(pl.Int64))
    starts = of_customers.group_by(*start, "customer_id").agg(n_of_customer=pl.col("k").sum())
    k, n = pl.col("k"), pl.col("n_of_customer")
    cells = (
        of_customers.join(starts, on=[*start, "customer_id"], how="left", nulls_equal=True)
        .group_by(cell)
        .agg(k.sum(), kk=(k * k).sum(), kn=(k * n).sum())
    )
    totals = starts.group_by(start).agg(n=n.sum(), nn=(n * n).sum(), m=pl.len().cast(pl.Int64))
    return cells.join(totals, on=list(start), how="left", nulls_equal=True)


def share_columns() -> dict[str, pl.Expr]:
    """Return the columns that results have of `count_shares`; where it has no row, none is null.

    Null are only the share, its interval and the effective n.
    """
    k, n, m = pl.col("k"), pl.col("n"), pl.col("m")
    share = k / n
    effective = effective_n(k, n, pl.col("kk"), pl.col("kn"), pl.col("nn"), m)
    lo, hi = wilson(share * effective, effective)
    return {
        "n": k.fill_null(0),
        "share": share,
        "lo": lo,
        "hi": hi,
        "n_from": n.fill_null(0),
        "n_effective": effective,
        "customers": m.fill_null(0),
        "small": n.fill_null(0) < SMALL_N,
        "method": pl.when(m > 1).then(pl.lit("wilson-cluster")).otherwise(pl.lit("wilson")),
    }
