"""The sums over a group's channels and customers that rates and their intervals are made of."""

from __future__ import annotations

from typing import get_args

import polars as pl
import polars.selectors as cs

from optimove_analysis.analysis.channels import channel_name, is_unknown_kind
from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.notes import SUMS
from optimove_analysis.analysis.rate_counts import PARTS, RATIOS, Needed, can_have
from optimove_analysis.analysis.rules import Rules

__all__ = ["sum_over_customers"]


def sum_over_customers(counts: pl.LazyFrame, rules: Rules, by: Grouping) -> pl.LazyFrame:
    """Sum up by group, over the channels that have the rate: what values and intervals are made of.

    Beside the numbers of `count_rates`: ``kk_<place>``, ``kn_<place>``, ``nn_<place>``, the sums
    over customers of the products, and ``m_<place>``, the customers with any n. For each of
    `Needed`, with its name before each: the sums that notes are made of, ``channels``: those
    that take part, and flags of what there is among channels, ``any_<flag>``.
    """
    places = range(len(RATIOS))
    numbers = [f"{part}_{place}" for place in places for part in PARTS]
    total = pl.col(*numbers, "opens_squared", "opens_delivered").sum()
    having = counts.with_columns(
        *_only_of_those_that_have_it(rules),
        *(about for needs in get_args(Needed) for about in _about_channels(rules, by, needs)),
    )
    flags = cs.matches("^(delivered|opened)_any_").any()
    also = [
        cs.matches("^(delivered|opened)_n_").sum(),
        cs.matches("^(delivered|opened)_(through_first|unknown_event)$").min(),
        cs.matches("^(delivered|opened)_through_last$").max(),
        pl.col("channel_id").first(),
    ]
    names = cs.matches("^(delivered|opened)_channels$")
    by_customer = by.aggregate(having, total, flags, *also, names, also=["customer_id"])
    return by.aggregate(
        by_customer,
        total,
        flags,
        *also,
        names.explode().drop_nulls().unique().sort().implode(),
        *(product for place in places for product in _products(place)),
    )


def _about_channels(rules: Rules, by: Grouping, needs: Needed) -> list[pl.Expr]:
    """Say what the row's channel is to the rates that need a stage.

    A channel without counted messages has no say, else an immature message would change what
    the others are told. What takes no part is left out of the notes as well, but for how much
    it is.
    """
    has, talks = can_have(needs, rules), pl.col("counted") > 0
    belongs = pl.lit(True) if "channel_id" in by.names else has
    kindless = pl.when(is_unknown_kind(rules.catalogue)).then("counted").otherwise(0)
    columns = {
        **{name: pl.when(belongs).then(name).otherwise(0) for name in SUMS},
        "n_kindless": pl.when(belongs).then(kindless).otherwise(0),
        "n_lacking": pl.when(~has).then("counted").otherwise(0),
        **{
            name: pl.when(belongs).then(name)
            for name in ("through_first", "through_last", "unknown_event")
        },
        "channels": pl.when(has & talks).then(channel_name(rules.catalogue)),
        "any_has": has,
        "any_takes_part": has & talks,
        "any_lacking": ~has & talks,
        "any_reporting": has & talks & pl.col("reports"),
        "any_not_reporting": has & talks & ~pl.col("reports"),
    }
    return [column.alias(f"{needs}_{name}") for name, column in columns.items()]


def _only_of_those_that_have_it(rules: Rules) -> list[pl.Expr]:
    only: list[pl.Expr] = []
    for place, ratio in enumerate(RATIOS.values()):
        names = [f"{part}_{place}" for part in PARTS]
        names += ["opens_squared", "opens_delivered"] if ratio.k == "opens" else []
        only.append(pl.when(can_have(ratio.needs, rules)).then(pl.col(*names)).otherwise(0))
    return only


def _products(place: int) -> list[pl.Expr]:
    """Return the sums over customers that a rate's interval is made of."""
    k, n = pl.col(f"k_{place}"), pl.col(f"n_{place}")
    return [
        (k * k).sum().alias(f"kk_{place}"),
        (k * n).sum().alias(f"kn_{place}"),
        (n * n).sum().alias(f"nn_{place}"),
        (n > 0).sum().cast(pl.Int64).alias(f"m_{place}"),
    ]
