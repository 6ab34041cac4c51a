"""The effects of a change of rate, and the variances of their linearisations.

An effect is a smooth function of a channel's shares w and rates r in both periods. A customer
contributes to it the sum, over these four, of the effect's slope times what it contributes to the
share, (n - w t)/T, or to the rate, (k - r n)/N; t are its messages on all channels, T and N the
sums over customers. These sum to 0, and the variance is the sum of their squares times m/(m - 1).
Within one customer each message is a cluster, so that a sum of squares is made of counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from optimove_analysis.analysis.steady import steady_sum

__all__ = ["EFFECTS", "sum_effects"]

EFFECTS: Final = ("mix_effect", "rate_effect", "change")
_PERIODS: Final = (0, 1)


def sum_effects(
    cells: pl.LazyFrame, keys: Sequence[str], *, is_part: bool
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return one row a group and channel, and one a group: effects, and their variances ``_v_``.

    Args:
        cells: ``k0``, ``n0``, ``k1``, ``n1`` by the keys, ``customer_id`` and ``channel_id``.
        keys: The group's, one at least.
        is_part: Whether k counts messages among those of n: only then each can be a cluster.
    """
    of_customer = [*keys, "customer_id"]
    of_channel = [*keys, "channel_id"]
    t0, t1 = (pl.col(name).cast(pl.Float64) for name in ("t0", "t1"))
    customers = cells.group_by(of_customer).agg(t0=pl.col("n0").sum(), t1=pl.col("n1").sum())
    groups = customers.group_by(keys).agg(
        total0=pl.col("t0").sum(),
        total1=pl.col("t1").sum(),
        t00=(t0 * t0).sum(),
        t01=(t0 * t1).sum(),
        t11=(t1 * t1).sum(),
        m=(t0 + t1 > 0).sum().cast(pl.Int64),
    )
    n = pl.col("n0") + pl.col("n1")
    channels = (
        _beside(
            cells.group_by(of_channel).agg(
                pl.col("k0", "n0", "k1", "n1").sum(), customers=(n > 0).sum().cast(pl.Int64)
            ),
            groups,
            keys,
        )
        .with_columns(**_facts())
        .with_columns(_effects())
    )
    slopes = [f"{part}{i}_{e}" for e in EFFECTS for part in "ab" for i in _PERIODS]
    slopes += [f"g{i}_{e}" for e in EFFECTS for i in _PERIODS]
    each = _beside(
        _beside(cells, customers, of_customer),
        channels.select(*of_channel, *slopes),
        of_channel,
    )
    own, by_total = _own_and_by_total()
    squares = each.group_by(of_channel).agg(
        steady_sum((own[e] + by_total[e]) ** 2 - by_total[e] ** 2).alias(f"_squares_{e}")
        for e in EFFECTS
    )
    whole = each.group_by(of_customer).agg(steady_sum(own[e]).alias(f"_own_{e}") for e in EFFECTS)
    b_of_all = channels.group_by(keys).agg(
        steady_sum(pl.col(f"b{i}_{e}")) for e in EFFECTS for i in _PERIODS
    )
    whole = _beside(_beside(whole, customers, of_customer), b_of_all, keys)
    whole = whole.group_by(keys).agg(
        steady_sum((pl.col(f"_own_{e}") + by_total[e]) ** 2).alias(f"_squares_{e}") for e in EFFECTS
    )
    channels = _beside(channels, squares, of_channel)
    return (
        channels.with_columns(_variance(e, _channel_squares(e), is_part=is_part) for e in EFFECTS),
        _totals(channels, whole, b_of_all, groups, keys, is_part=is_part),
    )


def _beside(frame: pl.LazyFrame, other: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    return frame.join(other, on=list(keys), how="left", nulls_equal=True)


def _totals(
    channels: pl.LazyFrame,
    whole: pl.LazyFrame,
    b_of_all: pl.LazyFrame,
    groups: pl.LazyFrame,
    keys: Sequence[str],
    *,
    is_part: bool,
) -> pl.LazyFrame:
    """Return one row a group: the effects of all its channels together."""
    renamed = b_of_all.rename({f"b{i}_{e}": f"_b{i}_{e}" for e in EFFECTS for i in _PERIODS})
    found = (
        _beside(channels, renamed, keys)
        .group_by(keys)
        .agg(
            steady_sum(pl.col(*EFFECTS)),
            pl.col("k0", "n0", "k1", "n1").sum(),
            *(steady_sum(_of_messages(e, "_b")).alias(f"_messages_{e}") for e in EFFECTS),
        )
    )
    found = _beside(_beside(found, whole, keys), groups, keys)
    return found.with_columns(
        *(
            _variance(e, (pl.col(f"_squares_{e}"), pl.col(f"_messages_{e}")), is_part=is_part)
            for e in EFFECTS
        ),
        w0=pl.when(pl.col("n0") > 0).then(1.0),
        w1=pl.when(pl.col("n1") > 0).then(1.0),
        r0=_ratio("k0", "n0"),
        r1=_ratio("k1", "n1"),
        customers="m",
    )


def _ratio(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def _facts() -> dict[str, pl.Expr]:
    return {
        "w0": _ratio("n0", "total0"),
        "w1": _ratio("n1", "total1"),
        "r0": _ratio("k0", "n0"),
        "r1": _ratio("k1", "n1"),
    }


def _effects() -> list[pl.Expr]:
    """Return the effects and their slopes: ``a`` on n, ``g`` on k, ``b`` on t, 0 and 1 by period.

    Where a channel is in one period only, its rate there is that of both periods pooled, and
    stands in for the other: the mix effect is then w r of the one, and the rate effect 0.
    """
    w = [pl.col(f"w{i}") for i in _PERIODS]
    seen = [pl.col(f"r{i}") for i in _PERIODS]
    r = [pl.coalesce(seen[i], seen[1 - i], 0.0) for i in _PERIODS]
    middle_w, middle_r = (w[0] + w[1]) / 2, (r[0] + r[1]) / 2
    by_w, by_r = w[1] - w[0], r[1] - r[0]
    columns = {
        "mix_effect": _without_sign(by_w * middle_r),
        "rate_effect": _without_sign(by_r * middle_w),
    }
    columns["change"] = columns["mix_effect"] + columns["rate_effect"]
    for i, sign in zip(_PERIODS, (-1.0, 1.0), strict=True):
        total, n = pl.col(f"total{i}"), pl.col(f"n{i}")
        other_is_missing = seen[1 - i].is_null()
        slopes = {
            # on the share, and on the rate, which where it is the only one stands for both
            "mix_effect": (
                sign * middle_r,
                pl.when(other_is_missing).then(by_w).otherwise(by_w / 2),
            ),
            "rate_effect": (
                by_r / 2,
                pl.when(other_is_missing).then(0.0).otherwise(sign * middle_w),
            ),
        }
        for effect, (on_w, on_r) in slopes.items():
            g = pl.when(n > 0).then(on_r / n).otherwise(0.0)
            columns[f"a{i}_{effect}"] = on_w / total - g * r[i]
            columns[f"g{i}_{effect}"] = g
            columns[f"b{i}_{effect}"] = -on_w * w[i] / total
        for part in "agb":
            columns[f"{part}{i}_change"] = (
                columns[f"{part}{i}_mix_effect"] + columns[f"{part}{i}_rate_effect"]
            )
    return [expression.alias(name) for name, expression in columns.items()]


def _without_sign(effect: pl.Expr) -> pl.Expr:
    """Return the effect, with 0 for -0, which is what a share that falls has at a rate of 0."""
    return pl.when(effect == 0).then(0.0).otherwise(effect)


def _own_and_by_total() -> tuple[dict[str, pl.Expr], dict[str, pl.Expr]]:
    """Return what a customer contributes to each effect, by its own messages and by their sum."""

    def combined(e: str, pairs: dict[str, str]) -> pl.Expr:
        return pl.sum_horizontal(
            pl.col(f"{slope}{i}_{e}") * pl.col(f"{name}{i}")
            for slope, name in pairs.items()
            for i in _PERIODS
        )

    own = {e: combined(e, {"a": "n", "g": "k"}) for e in EFFECTS}
    return own, {e: combined(e, {"b": "t"}) for e in EFFECTS}


def _of_messages(e: str, b: str) -> pl.Expr:
    """Return the sum of squares over the channel's own messages, each of them a cluster."""
    total = pl.lit(0.0)
    for i in _PERIODS:
        k, n = pl.col(f"k{i}"), pl.col(f"n{i}")
        of_n = pl.col(f"a{i}_{e}") + pl.col(f"{b}{i}_{e}")
        total += k * (of_n + pl.col(f"g{i}_{e}")) ** 2 + (n - k) * of_n**2
    return total


def _channel_squares(e: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the sums of squares over customers, and over messages, all channels' included."""
    b0, b1 = pl.col(f"b0_{e}"), pl.col(f"b1_{e}")
    elsewhere = b0**2 * pl.col("t00") + 2 * b0 * b1 * pl.col("t01") + b1**2 * pl.col("t11")
    others = [pl.col(f"total{i}") - pl.col(f"n{i}") for i in _PERIODS]
    return (
        pl.col(f"_squares_{e}") + elsewhere,
        _of_messages(e, "b") + b0**2 * others[0] + b1**2 * others[1],
    )


def _variance(e: str, squares: tuple[pl.Expr, pl.Expr], *, is_part: bool) -> pl.Expr:
    m = pl.col("m").cast(pl.Float64)
    messages = (pl.col("total0") + pl.col("total1")).cast(pl.Float64)
    of_one = pl.when(pl.lit(is_part) & (messages > 1)).then(squares[1] * messages / (messages - 1))
    across = squares[0].clip(0) * m / (m - 1)
    return pl.when(m > 1).then(across).otherwise(of_one).alias(f"_v_{e}")
