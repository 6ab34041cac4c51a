"""The message funnel: how many messages reached each stage, observed and implied."""

from __future__ import annotations

import datetime as dt

import polars as pl

from optimove_analysis.analysis.counting import (
    By,
    Grouping,
    Implied,
    Opens,
    Rules,
    channel_name,
    has_stage,
    is_single_stage,
    is_unknown_kind,
    tally,
    within,
)
from optimove_analysis.analysis.notes import SUMS, notes
from optimove_analysis.analysis.rates import effective_n, wilson
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import FUNNEL, INTERACTIONS, SMALL_N, STAGES, Frame, Stage

__all__ = ["funnel"]


def funnel(
    interactions: Frame,
    *,
    by: By = "channel_id",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Count the messages that reached each stage.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
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

    Returns:
        The group's columns, then `schema.FUNNEL`: one row a group and stage. Rates lie in 0..1
        and are null where the stage they divide by is empty: no answer, neither NaN nor 0. Their
        95 % intervals are Wilson's within one customer; across customers, whose messages are not
        independent, Wilson's at the effective sample size with the customer as the cluster.

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
    rules = Rules(window, as_of, implied, assume_sent, opens, catalogue or Catalogue())
    group = Grouping.of(by, taken=FUNNEL.names)
    group.check(interactions)
    checked = INTERACTIONS.check(interactions)
    counted = _funnel(checked.lazy(), rules, group)
    return counted if isinstance(checked, pl.LazyFrame) else counted.collect()


def _funnel(rows: pl.LazyFrame, rules: Rules, group: Grouping) -> pl.LazyFrame:
    stages = rules.stages
    one_channel = "channel_id" in group.names
    by_channel = tally(rows, rules, group).rename({"_channel": "_of"})
    totals = _choose_stages(by_channel, rules, group, one_channel=one_channel)

    # One row a customer and group, with the stage before each stage, among those the group has.
    customers = (
        group.aggregate(
            totals,
            *(pl.col(f"_has_{stage}").all() for stage in stages),
            pl.col("sent").sum(),
            *(pl.col(f"reached_{stage}").sum() for stage in stages[1:]),
            *(pl.col(f"observed_{stage}").sum() for stage in stages),
            *(pl.col(f"late_{stage}").sum() for stage in stages[1:]),
            *(pl.col(name).sum() for name in SUMS),
            *(pl.col(name).sum() for name in ("n_single", "n_unknown_kind")),
            pl.col("through_first").min(),
            pl.col("through_last").max(),
            also=["_customer"],
        )
        .with_columns(reached_sent=pl.col("sent"), late_sent=pl.lit(0, pl.Int64))
        .with_columns(_before(stage, stages).alias(f"before_{stage}") for stage in stages[1:])
    )
    wide = group.aggregate(
        customers,
        *(pl.col(f"_has_{stage}").all() for stage in stages),
        *(pl.col(f"{what}_{s}").sum() for s in stages for what in ("reached", "observed", "late")),
        *(pl.col(name).sum() for name in (*SUMS, "n_single", "n_unknown_kind")),
        pl.col("through_first").min(),
        pl.col("through_last").max(),
        (pl.col("sent") > 0).sum().cast(pl.Int64).alias("customers"),
        *(term for stage in stages for term in _products(stage, "sent", "overall")),
        *(term for stage in stages[1:] for term in _products(stage, f"before_{stage}", "step")),
    ).with_columns(notes=notes(rules, *_own_notes()))
    name = channel_name(rules.catalogue) if one_channel else pl.lit(None, pl.String)
    long = pl.concat([_stage_rows(wide, stage, rules, group, name) for stage in stages])
    return long.sort(*group.names, "stage", maintain_order=True)


def _choose_stages(
    by_channel: pl.LazyFrame, rules: Rules, group: Grouping, *, one_channel: bool
) -> pl.LazyFrame:
    """Say which stages each group has, and leave out of totals what cannot be added up."""
    known = by_channel.rename({"_of": "channel_id"}) if not one_channel else by_channel
    known = known.with_columns(
        *(has_stage(rules.catalogue, stage).alias(f"_has_{stage}") for stage in rules.stages),
        n_single=pl.lit(0, pl.Int64),
        n_unknown_kind=pl.when(is_unknown_kind(rules.catalogue)).then("sent").otherwise(0),
    )
    if one_channel:
        return known
    # A channel whose messages do not count (yet) has no say: else an immature message would
    # change which stages the others are counted in.
    single = is_single_stage(rules.catalogue)
    votes = ~single & (pl.col("sent") > 0)
    counts = [f"reached_{stage}" for stage in rules.stages[1:]]
    counts += [f"{what}_{stage}" for stage in rules.stages[1:] for what in ("observed", "late")]
    return known.with_columns(
        *(
            within((pl.col(f"_has_{stage}") | ~votes).all(), group.names).alias(f"_has_{stage}")
            for stage in rules.stages
        ),
        pl.when(single).then(0).otherwise("sent").alias("sent"),
        pl.when(single).then(0).otherwise("observed_sent").alias("observed_sent"),
        *(pl.when(single).then(0).otherwise(count).alias(count) for count in counts),
        n_single=pl.when(single).then("sent").otherwise(0),
    )


def _before(stage: Stage, stages: tuple[Stage, ...]) -> pl.Expr:
    before = pl.col("sent")
    for earlier in stages[1 : stages.index(stage)]:
        before = pl.when(f"_has_{earlier}").then(f"reached_{earlier}").otherwise(before)
    return before


def _products(stage: Stage, over: str, rate: str) -> list[pl.Expr]:
    """Return the sums over customers that a rate's interval is made of."""
    k, n = pl.col(f"reached_{stage}"), pl.col(over)
    return [
        n.sum().alias(f"_{rate}_n_{stage}"),
        (k * k).sum().alias(f"_{rate}_kk_{stage}"),
        (k * n).sum().alias(f"_{rate}_kn_{stage}"),
        (n * n).sum().alias(f"_{rate}_nn_{stage}"),
        (n > 0).sum().alias(f"_{rate}_m_{stage}"),
    ]


def _own_notes() -> list[pl.Expr]:
    return [
        pl.when(pl.col("n_single") > 0).then(
            pl.format(
                "{} of channels with a single stage (call centre) left out of the total.",
                "n_single",
            )
        ),
        pl.when(pl.col("n_unknown_kind") > 0).then(
            pl.format(
                "{} of channels of unknown kind, taken to have all stages (set Catalogue.kinds).",
                "n_unknown_kind",
            )
        ),
    ]


def _stage_rows(
    wide: pl.LazyFrame, stage: Stage, rules: Rules, group: Grouping, channel: pl.Expr
) -> pl.LazyFrame:
    """Return the rows of one stage, in the columns of the funnel table."""
    has = pl.col(f"_has_{stage}")
    reached, observed = pl.col(f"reached_{stage}"), pl.col(f"observed_{stage}")
    columns = {
        "channel": channel,
        "stage": pl.lit(stage, FUNNEL["stage"].dtype),
        "messages": pl.when(has).then(reached),
        "n_observed": pl.when(has).then(observed),
        "n_implied": pl.when(has).then(reached - observed),
        "n_late": pl.when(has).then(f"late_{stage}"),
        "n_immature": pl.col("n_immature"),
        "n_unobserved": pl.col("n_unobserved"),
        "sent": pl.col("reached_sent"),
        **_rate_columns(stage, "overall", has),
        "customers": pl.col("customers"),
        "small": pl.col("reached_sent") < SMALL_N,
        "method": pl.when(pl.col("customers") > 1)
        .then(pl.lit("wilson-cluster"))
        .otherwise(pl.lit("wilson")),
        "unit": pl.lit("message"),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": pl.col("notes"),
    }
    if stage == STAGES[0]:
        nothing = pl.lit(None, pl.Float64)
        columns |= {"previous": pl.lit(None, pl.Int64)}
        columns |= {f"step_{end}": nothing for end in ("rate", "lo", "hi")}
    else:
        columns |= {"previous": pl.when(has).then(f"_step_n_{stage}")}
        columns |= _rate_columns(stage, "step", has)
    return wide.select(*group.names, *(columns[name].alias(name) for name in FUNNEL.names))


def _rate_columns(stage: Stage, rate: str, has: pl.Expr) -> dict[str, pl.Expr]:
    k = pl.col(f"reached_{stage}")
    n, kk, kn, nn, m = (pl.col(f"_{rate}_{part}_{stage}") for part in ("n", "kk", "kn", "nn", "m"))
    share = pl.when(has & (n > 0)).then(k / n)
    effective = effective_n(k, n, kk, kn, nn, m)
    lo, hi = wilson(share * effective, effective)
    if stage == STAGES[0]:
        lo = hi = share  # sent / sent is 1 by definition: there is nothing to estimate
    return {
        f"{rate}_rate": share,
        f"{rate}_lo": pl.when(has).then(lo),
        f"{rate}_hi": pl.when(has).then(hi),
    }
