"""What intervals need of customers: how stages vary and go together from one to the next.

Messages of one customer are not independent, so the customer is the cluster of an interval across
customers. Such an interval (`intervals.effective_n`) needs no customer by name, only sums over them
of products of their counts; these are small, whatever the number of customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any, Final, Literal, TypeAlias

import narwhals as nw
import polars as pl

from optimove_analysis.analysis.channels import single_stage
from optimove_analysis.analysis.counting import Clusters
from optimove_analysis.analysis.grouping import Grouping, aggregate
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.schema import Stage

__all__ = ["Unit", "by_customer_alone", "stage_clusters"]

Unit: TypeAlias = Literal["message", "customer", "customer_day", "campaign"]

_COLUMNS: Final[dict[Unit, tuple[str, ...]]] = {
    "customer": ("customer_id",),
    "customer_day": ("customer_id", "send_date"),
    "campaign": ("campaign_id",),
}
"""What makes messages one unit."""


def stage_clusters(rules: Rules, by: Grouping, unit: Unit) -> Clusters:
    """Say how units and their clusters are counted, by group.

    The columns of the result: the group's keys; ``units_<stage>``, ``observed_<stage>`` and
    ``late_<stage>``: units that reached it, that were seen to, and that only did so late;
    ``m_<stage>``: clusters with any of them; ``kk_<stage>_<stage>``: the sum over clusters of the
    product of their units at two stages.
    """
    stages = rules.stages

    def make(each: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        counts = nw.col("_counted")
        if "channel_id" not in by.names:
            # A channel with a single stage takes no part in a total.
            single = nw.col("channel_id").is_in(single_stage(rules.catalogue)).fill_null(False)
            counts = counts & ~single
        parts = {f"units_{s}": nw.col(f"_reached_{s}") for s in stages}
        if unit != "message":
            parts |= {f"{w}_{s}": nw.col(f"_{w}_{s}") for w in ("observed", "late") for s in stages}
        of_a_unit = nw.col("messages") if unit == "message" else nw.lit(1)
        rows = each.filter(counts).with_columns(
            nw.when(part).then(of_a_unit).otherwise(nw.lit(0)).cast(nw.Int64).alias(name)
            for name, part in parts.items()
        )
        if unit != "message":
            rows = rows.group_by(*by.keys, *_COLUMNS[unit]).agg(nw.col(*parts).max())
            rows = rows.with_columns(
                # What was reached in time by another message is not late.
                (nw.col(f"late_{s}") * (1 - nw.col(f"units_{s}"))).alias(f"late_{s}")
                for s in stages
            )
        cluster = "campaign_id" if unit == "campaign" else "customer_id"
        clusters = rows.group_by(*by.keys, cluster).agg(nw.col(*parts).sum())
        return aggregate(clusters, by.keys, *_sums(list(parts), stages))

    return Clusters(make, _COLUMNS.get(unit, ()))


def _sums(names: Sequence[str], stages: Sequence[Stage]) -> list[nw.Expr]:
    return [
        *(nw.col(name).sum().cast(nw.Int64) for name in names),
        *(
            (nw.col(f"units_{a}") * nw.col(f"units_{b}")).sum().cast(nw.Int64).alias(f"kk_{a}_{b}")
            for a, b in combinations_with_replacement(stages, 2)
        ),
        *(
            (nw.col(f"units_{s}") > 0).cast(nw.Int64).sum().cast(nw.Int64).alias(f"m_{s}")
            for s in stages
        ),
    ]


def by_customer_alone(stages: Sequence[Stage]) -> list[pl.Expr]:
    """Return the columns of `stage_clusters` where each group is of one customer: one cluster.

    They are made of ``reached_<stage>`` alone.
    """
    reached = {stage: pl.col(f"reached_{stage}") for stage in stages}
    return [
        *(reached[s].alias(f"units_{s}") for s in stages),
        *(
            (reached[a] * reached[b]).alias(f"kk_{a}_{b}")
            for a, b in combinations_with_replacement(stages, 2)
        ),
        *((reached[s] > 0).cast(pl.Int64).alias(f"m_{s}") for s in stages),
    ]
