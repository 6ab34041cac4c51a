"""Two groups of messages, or two periods, held against each other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from optimove_analysis.analysis.arms import Arms, in_both
from optimove_analysis.analysis.compare_rows import side_by_side
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.rate_counts import RATIOS, count_rates, ratios
from optimove_analysis.analysis.rates import rate_rows
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import COMPARISON, INTERACTIONS, MEAN_OPENS, RATES, Frame, RateName

__all__ = ["compare"]


def compare(
    interactions: Frame,
    *,
    between: str | pl.Expr,
    baseline: object = None,
    against: object = None,
    rate: RateName | Sequence[RateName] | None = None,
    by: By = (),
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Compare the rates of two arms: two templates, two channels, before a day and from it on.

    The arms are taken as they were sent. Unless chance decided who got which, a difference may
    be one between the customers. A lift against a control group is refused: nothing is sent to
    its members, so interactions hold no rows of theirs.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        between: What tells the arms apart: a column's name or an expression, over the messages
            table and columns of yours; ``pl.col("send_date") >= day`` makes two periods.
        baseline: Its value for the baseline, the arm that is divided by.
        against: Its value for the arm that is held against the baseline. Where both are None,
            there must be two values among the messages that count; the smaller is the baseline.
        rate: A rate of `rates` or several; None: all of them. Total opens per delivered is
            refused, since it is a mean and these intervals are of shares.
        by: Column names or expressions to compare within, as in `rates`.
        window: As in `funnel`, as are all that follow.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"``; whether its conclusion on engagement flips with ``"ignore"`` is then
            said (``flips``).
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.COMPARISON`: one row a group and rate, of groups where
        one of the arms has a message. The difference has Newcombe's hybrid score interval, the
        lift one made on the log scale; both at the effective sample size with the customer as
        the cluster, and plain within one customer. Both are null where an arm's n is below 30
        (``reason``: insufficient), or for another reason that is said. Where customers are in
        both arms (``customers_in_both``) the arms are not independent, as the notes say.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known, or the arms or the rate cannot be compared.

    >>> ids = {"recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "date": dt.date(2025, 3, 3)}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": f"{template}-{i}", "campaign_id": 1, "template_id": template, **ids,
    ...       "event_id": event} for template, n, clicked in [(3, 80, 48), (7, 70, 56)]
    ...      for i in range(n) for event in [1, 2, 4][:3 if i < clicked else 2]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = compare(frame, between="template_id", baseline=3, against=7, rate="click rate")
    >>> found.select("k0", "n0", "k", "n").row(0)
    (48, 80, 56, 70)
    >>> found.select(pl.col("difference", "difference_lo", "difference_hi").round(4)).row(0)
    (0.2, 0.0514, 0.3347)
    >>> found.select(pl.col("lift", "lift_lo", "lift_hi").round(3)).row(0)
    (0.333, 0.075, 0.654)
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    plain: Grouping = Grouping.of(by, taken=COMPARISON.names)
    arms = Arms.of(between, baseline, against)
    group = Grouping.of([*plain.expressions, arms.as_group], taken=COMPARISON.names)
    question = _Question(arms, plain, group, rules, _chosen(rate, rules))
    checked = INTERACTIONS.check(interactions)
    types = _types(checked.lazy(), rules, group)
    arms.check(types[-1])
    counts = count_rates(checked.lazy(), rules, group)
    if isinstance(checked, pl.LazyFrame):
        # Which values the arms have may be seen in the data only: a plan cannot wait for it.
        of_groups = dict(zip(plain.names, types[:-1], strict=True))
        schema = pl.Schema(of_groups | dict(COMPARISON.schema))
        return pl.defer(partial(_answer, counts, question), schema=schema)
    return _answer(counts, question)


@dataclass(frozen=True, slots=True)
class _Question:
    arms: Arms
    plain: Grouping
    group: Grouping
    """The arm comes last."""
    rules: Rules
    chosen: tuple[RateName, ...]


def _chosen(rate: object, rules: Rules) -> tuple[RateName, ...]:
    """Return the rates that were asked for, in their order."""
    there = [name for name in ratios(rules) if name != MEAN_OPENS]
    if rate is None:
        return tuple(there)
    asked = [rate] if isinstance(rate, str) else rate
    if not isinstance(asked, Sequence) or not asked:
        message = f"rate={rate!r} must be a rate's name, a list of names, or None for all."
        raise InputError(message)
    for name in asked:
        if name == MEAN_OPENS:
            message = (
                f"rate={name!r} is a mean of counts and no share of messages: Newcombe's interval "
                "and that of the lift are of shares. Compare the open rate, or see rates()."
            )
            raise InputError(message)
        if name in RATIOS and name not in there:
            message = f"rate={name!r} is of opens, which opens='ignore' leaves out."
            raise InputError(message)
        if name not in there:
            raise InputError.option("rate", name, there)
    return tuple(name for name in there if name in asked)


def _types(rows: pl.LazyFrame, rules: Rules, group: Grouping) -> list[pl.DataType]:
    found = messages(rows, catalogue=rules.catalogue, keep=group.keep)
    try:
        return found.select(group.read()).collect_schema().dtypes()
    except pl.exceptions.PolarsError as error:
        said = str(error).splitlines()[0]
        message = f"by= or between= cannot be asked of these interactions: {said}"
        raise InputError(message) from error


def _answer(plan: pl.LazyFrame, question: _Question) -> pl.DataFrame:
    group, rules = question.group, question.rules
    *keys, arm = group.keys
    counts = plan.collect()
    values = question.arms.values(counts, arm)
    baseline, against = pl.lit(values).first(), pl.lit(values).last()
    own = pl.col(arm)
    is_against = pl.when(own == baseline).then(False).when(own == against).then(True)
    two = counts.with_columns(is_against.alias(arm)).filter(own.is_not_null())
    text = values.cast(pl.String)
    if question.arms.is_channel:
        text = pl.Series([rules.catalogue.channel(value) for value in values], dtype=pl.String)
    # The channels of two arms are no name for the row.
    of_group = "channel_id" in question.plain.names
    channel = pl.col("channel") if of_group else pl.lit(None, pl.String)
    return (
        side_by_side(_joined(two.lazy(), question), rules, keys)
        .with_columns(
            channel=channel,
            channels="_all_channels",
            between=pl.lit(question.arms.name),
            baseline=pl.lit(text).first(),
            against=pl.lit(text).last(),
        )
        .filter(pl.col("rate").is_in(question.chosen))
        .select(*question.plain.write(), *COMPARISON.names)
        .sort(*question.plain.names, "rate", maintain_order=True)
        .collect()
    )


def _joined(two: pl.LazyFrame, question: _Question) -> pl.LazyFrame:
    """Return the rates of both arms, True and False for the group's last key, in one row each."""
    group, rules, chosen = question.group, question.rules, question.chosen
    *keys, arm = group.keys
    # Whether a conclusion on engagement flips is seen in clicks.
    also = ("click rate",) if "engagement rate" in chosen else ()
    needed = [name for name in RATIOS if name in {*chosen, *also}]
    rows = rate_rows(two, rules, group, needed).with_columns(there=pl.lit(True)).collect().lazy()
    own = [*RATES.names, "there", "n_control"]
    of_baseline = rows.filter(~pl.col(arm)).select(*keys, *(pl.col(c).alias(f"{c}0") for c in own))
    of_against = rows.filter(arm).select(*keys, *own)
    frame = pl.LazyFrame({"rate": needed}, schema={"rate": RATES["rate"].dtype})
    if keys:
        frame = two.select(keys).unique().join(frame, how="cross")
    on = [*keys, "rate"]
    return (
        frame.join(of_against, on=on, how="left", nulls_equal=True)
        .join(of_baseline, left_on=on, right_on=[*keys, "rate0"], how="left", nulls_equal=True)
        .join(in_both(two, rules, group, needed), on=on, how="left", nulls_equal=True)
    )
