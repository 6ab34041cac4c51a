"""The message funnel: how many messages reached each stage, observed and implied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, get_args

import polars as pl

from optimove_analysis.analysis.channels import (
    channel_name,
    has_stage,
    is_single_stage,
    is_unknown_kind,
)
from optimove_analysis.analysis.clusters import Unit, by_customer_alone, stage_clusters
from optimove_analysis.analysis.counting import tally
from optimove_analysis.analysis.engines import Interactions, any_engine
from optimove_analysis.analysis.grouping import By, Grouping, within
from optimove_analysis.analysis.intervals import effective_n, wilson
from optimove_analysis.analysis.notes import SUMS, notes, number_of, unknown_kinds
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import FUNNEL, SMALL_N, STAGES, Stage

__all__ = ["funnel"]


@any_engine
def funnel(
    interactions: Interactions,
    *,
    by: By = "channel_id",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
    unit: Unit = "message",
) -> pl.DataFrame:
    """Count the messages that reached each stage.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`): a polars frame, or a DuckDB
            relation or PySpark DataFrame, which is counted where it is.
        by: Column names or expressions, over the messages table and columns of yours. One funnel
            a channel by default, since channels differ in their stages; ``by=()`` is one total,
            which has the stages that its channels share.
        window: Calendar days from the send, inclusive, in which an event counts; None: all.
        as_of: The day through which the data is complete; None: what each row says of itself
            (``data_through``). Messages whose window has not closed by then are immature and in
            no count.
        implied: ``"lower"``: a click implies the open and the delivery, an open the delivery.
            ``"none"``: only what was reported.
        assume_sent: Whether a message without a sent row counts as sent. None: if the catalogue
            says that the account reports no sends, or the whole frame holds none.
        opens: ``"ignore"`` leaves the opened stage out: privacy proxies open mail by machine.
        catalogue: What the account's ids mean (``client.catalogue()``).
        unit: What is counted: each ``"message"``, or each ``"customer"``, ``"customer_day"``
            (customer and day of the send) or ``"campaign"`` that reached a stage with any of its
            messages that count. Such units do not add up over days, channels or campaigns.

    Returns:
        The group's columns, then `schema.FUNNEL`: one row a group and stage. Rates lie in 0..1
        and are null where the stage they divide by is empty: no answer, neither NaN nor 0. Their
        95 % intervals are Wilson's within one customer; across customers, whose messages are not
        independent, Wilson's at the effective sample size with the customer as the cluster.
        Customers and campaigns as units are taken as independent.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> import datetime as dt
    >>> ids = {"campaign_id": 3, "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, **ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for who, day, event in [("A", 3, 1), ("A", 4, 4), ("B", 3, 1), ("B", 3, 2)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> funnel(frame).select("channel", "stage", "messages", "n_implied", "overall_rate").rows()
    [('E-mail', 'sent', 2, 0, 1.0), ('E-mail', 'delivered', 2, 1, 1.0),
     ('E-mail', 'opened', 1, 1, 0.5), ('E-mail', 'clicked', 1, 0, 0.5)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    group = Grouping.of(by, taken=FUNNEL.names)
    if unit not in get_args(Unit):
        raise InputError.option("unit", unit, get_args(Unit))
    return _funnel(interactions, rules, group, unit)


def _funnel(interactions: Interactions, rules: Rules, group: Grouping, unit: Unit) -> pl.DataFrame:
    stages = rules.stages
    one_channel = "channel_id" in group.names
    # A group of one customer is one cluster: its counts say all.
    alone = unit == "message" and group.is_of_one_customer
    needed = [] if alone else [stage_clusters(rules, group, unit)]
    if unit == "campaign":
        needed.append(stage_clusters(rules, group, "message"))
    counts, *moments = tally(interactions, rules, group, *needed)
    by_channel = counts.lazy().with_columns(
        *(has_stage(rules.catalogue, stage).alias(f"_has_{stage}") for stage in stages),
        n_unknown_kind=pl.when(is_unknown_kind(rules.catalogue)).then("reached_sent").otherwise(0),
        n_single=pl.lit(0, pl.Int64),
    )
    happened = [f"{what}_{s}" for what in ("reached", "observed", "late") for s in stages]
    sums = [*happened, *SUMS, "n_unknown_kind"]
    if not one_channel:
        by_channel = _choose_stages(by_channel, rules, group, sums)
    wide = group.aggregate(
        by_channel,
        *(pl.col(f"_has_{stage}").all() for stage in stages),
        *(pl.col(name).sum() for name in (*sums, "n_single")),
        pl.col("through_first").min(),
        pl.col("through_last").max(),
        pl.col("unknown_event").min(),
        pl.col("channel_id").first(),
    )
    wide = _with_units(wide, moments, stages, group).with_columns(
        *(one for stage in stages for one in _before(stage, stages)),
        notes=notes(rules, _single_stage_note(), unknown_kinds("n_unknown_kind")),
    )
    wide = wide.collect().lazy()  # once, not once a stage
    name = channel_name(rules.catalogue) if one_channel else pl.lit(None, pl.String)
    long = pl.concat(
        [_stage_rows(wide, stage, rules, group, channel=name, unit=unit) for stage in stages]
    )
    return long.sort(*group.names, "stage", maintain_order=True).collect()


def _choose_stages(
    by_channel: pl.LazyFrame, rules: Rules, group: Grouping, sums: Sequence[str]
) -> pl.LazyFrame:
    """Say which stages each total has, and leave out of it what cannot be added up."""
    single = is_single_stage(rules.catalogue)
    # A channel whose messages do not count (yet) has no say: else an immature message would
    # change which stages the others are counted in.
    silent = single | (pl.col("reached_sent") == 0)
    return by_channel.with_columns(
        *(
            within((pl.col(f"_has_{stage}") | silent).all(), group.keys).alias(f"_has_{stage}")
            for stage in rules.stages
        ),
        # What is left out is left out of the notes as well, but for how much it is.
        pl.when(~single).then(pl.col(*sums, "through_first", "through_last", "unknown_event")),
        n_single=pl.when(single).then("reached_sent").otherwise(0),
    )


def _with_units(
    wide: pl.LazyFrame, moments: Sequence[pl.DataFrame], stages: Sequence[Stage], group: Grouping
) -> pl.LazyFrame:
    """Add the units that reached each stage, and what their intervals need (`stage_clusters`)."""
    if not moments:
        alone = wide.with_columns(by_customer_alone(stages))
        return alone.with_columns(customers=pl.col("m_sent"))
    units, of_customers = moments[0].lazy(), moments[-1].lazy()
    customers = of_customers.select(*group.keys, customers="m_sent")
    wide = wide.drop(set(moments[0].columns) - set(group.keys), strict=False)
    for more in (units, customers):
        wide = group.join(wide, more)
    # A group without a message that counts has no unit either.
    return wide.with_columns(pl.col(*moments[0].drop(group.keys).columns, "customers").fill_null(0))


_PARTS: Final = {
    "n": "units_{over}",
    "kk": "kk_{stage}_{stage}",
    "kn": "kk_{over}_{stage}",
    "nn": "kk_{over}_{over}",
    "m": "m_{over}",
}
"""What the interval of a stage over another is made of (`stage_clusters`)."""


def _before(stage: Stage, stages: Sequence[Stage]) -> list[pl.Expr]:
    """Return `_PARTS` of a stage over the sent, and over the last before it that the group has."""
    found: list[pl.Expr] = []
    for part, name in _PARTS.items():
        found.append(pl.col(name.format(over="sent", stage=stage)).alias(f"overall_{part}_{stage}"))
        last = pl.lit(None, pl.Int64)
        for over in stages[: stages.index(stage)]:
            of_both = name.format(over=over, stage=stage)
            last = pl.when(f"_has_{over}").then(of_both).otherwise(last)
        found.append(last.alias(f"step_{part}_{stage}"))
    return found


def _single_stage_note() -> pl.Expr:
    text = "{} of channels with a single stage (call centre) left out of the total."
    return pl.when(pl.col("n_single") > 0).then(pl.format(text, number_of("n_single")))


def _stage_rows(
    wide: pl.LazyFrame,
    stage: Stage,
    rules: Rules,
    group: Grouping,
    *,
    channel: pl.Expr,
    unit: Unit,
) -> pl.LazyFrame:
    """Return the rows of one stage, in the columns of the funnel table."""
    has = pl.col(f"_has_{stage}")
    reached, observed = pl.col(f"units_{stage}"), pl.col(f"observed_{stage}")
    first = stage == STAGES[0]
    one_each = unit in {"customer", "campaign"}
    step = has & pl.lit(not first)
    columns = {
        "channel": channel,
        "stage": pl.lit(stage, FUNNEL["stage"].dtype),
        "messages": pl.when(has).then(reached),
        "n_observed": pl.when(has).then(observed),
        "n_implied": pl.when(has).then(reached - observed),
        "n_late": pl.when(has).then(f"late_{stage}"),
        "n_immature": pl.col("n_immature"),
        "n_unobserved": pl.col("n_unobserved"),
        "sent": pl.col("units_sent"),
        **_rates("overall", stage, has, one_each=one_each),
        "previous": pl.when(step).then(f"step_n_{stage}"),
        # With nothing implied, a stage is no part of the one before: their ratio is no proportion.
        **_rates("step", stage, step, one_each=one_each, proportion=rules.implied == "lower"),
        "customers": pl.col("customers"),
        "small": pl.col("units_sent") < SMALL_N,
        "method": pl.when((pl.col("m_sent") > 1) & (not one_each))
        .then(pl.lit("wilson-cluster"))
        .otherwise(pl.lit("wilson")),
        "unit": pl.lit(unit),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": pl.col("notes"),
    }
    return wide.select(*group.write(), *(columns[name].alias(name) for name in FUNNEL.names))


def _rates(
    rate: str, stage: Stage, has: pl.Expr, *, one_each: bool, proportion: bool = True
) -> dict[str, pl.Expr]:
    """Return the share of a stage in another, and its interval.

    Where there is but ``one_each``, one unit a cluster, units are taken as independent.
    """
    k = pl.col(f"units_{stage}")
    n, kk, kn, nn, m = (pl.col(f"{rate}_{part}_{stage}") for part in _PARTS)
    share = pl.when(has & (n > 0) & (k <= n)).then(k / n)
    effective = n.cast(pl.Float64) if one_each else effective_n(k, n, kk, kn, nn, m)
    lo, hi = wilson(share * effective, effective)
    if stage == STAGES[0]:
        lo = hi = share  # sent / sent is 1 by definition: there is nothing to estimate
    some = share.is_not_null() & proportion
    return {
        f"{rate}_rate": share,
        f"{rate}_lo": pl.when(some).then(lo),
        f"{rate}_hi": pl.when(some).then(hi),
    }
