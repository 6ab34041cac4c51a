"""Why a rate changed: other channels, or other rates of the same ones.

E. M. Kitagawa, "Components of a difference between two rates", JASA 50 (1955).
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Final

import polars as pl

from optimove_analysis.analysis.change_sums import EFFECTS, sum_effects
from optimove_analysis.analysis.channels import channel_name, is_unknown_kind
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.intervals import Z95
from optimove_analysis.analysis.notes import (
    NOT_BOUNCED,
    SUMS,
    lacking_stage,
    notes,
    unknown_kinds,
)
from optimove_analysis.analysis.periods import Period, Periods
from optimove_analysis.analysis.rate_counts import RATIOS, can_have, count_rates, ratios
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import (
    EXPLAIN_CHANGE,
    INTERACTIONS,
    MEAN_OPENS,
    SMALL_N,
    Frame,
    RateName,
)

__all__ = ["explain_change"]

_ALL: Final = "_all"
"""A key that is the same in all rows: grouping by nothing else is then nothing special."""


_COUNTED: Final = (
    *("k", "n", "_after", "_late", "_has", "_kindless", "_lacking", "_not_bounced"),
    *(*SUMS, "unknown_event", "through_first", "through_last"),
)


def explain_change(
    interactions: Frame,
    *,
    before: Period,
    after: Period,
    rate: RateName = "engagement rate",
    by: By = (),
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Part the change of a rate into what came of the channel mix and what of the channels' rates.

    A rate over channels is the sum of w r, the channel's share w of what the rate divides by and
    its rate r. With (w0, r0) before and (w1, r1) after, the mix effect is (w1 - w0)(r0 + r1)/2
    and the rate effect (r1 - r0)(w0 + w1)/2; over channels they add up to the change exactly. A
    channel's own mix effect is above 0 wherever its share grew: whether that was for the better
    says the total.

    A channel in one period only counts to the mix only. In the place of the rate that it lacks
    stands its rate over both periods pooled, which is its rate in the one: with the rate of all
    channels there, which is another way to read the definition, part would count to the rate.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        before: The first and the last day of the sends of one period.
        after: Those of the other; the two share no day.
        rate: Which rate, as in `rates`, which also says when delivered means not bounced.
        by: Column names or expressions, over the messages table and columns of yours.
        window: As in `rates`, as are all that follow.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.EXPLAIN_CHANGE`: one row a group and channel that has
        the rate, then one for all of them together, whose channel is null. Effects are null where
        a period has nothing to divide by. Their 95 % intervals are made by linearisation, with
        the customer as the cluster across customers, who may be in both periods.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> import datetime as dt
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> rows = [(1, 504, 3, 1), (1, 504, 4, 4), (2, 505, 3, 1), (3, 504, 13, 1), (3, 504, 14, 4)]
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "channel_id": channel,
    ...       "date": dt.date(2025, 3, day), "event_id": event}
    ...      for campaign, channel, day, event in rows],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> first, second = ((dt.date(2025, 3, day), dt.date(2025, 3, day + 9)) for day in (1, 11))
    >>> found = explain_change(frame, before=first, after=second)
    >>> found.select("channel", "rate_before", "rate_after", "mix_effect", "rate_effect").rows()
    [('E-mail', 1.0, 1.0, 0.5, 0.0), ('SMS', 0.0, None, 0.0, 0.0), (None, 0.5, 1.0, 0.5, 0.0)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    if rate not in ratios(rules):
        raise InputError.option("rate", rate, ratios(rules))
    periods = Periods.of(before, after)
    group = Grouping.of(by, taken=EXPLAIN_CHANGE.names)
    checked = INTERACTIONS.check(interactions)
    counts = _counts(checked.lazy(), rules, group, periods, rate)
    answer = partial(_answer, counts, rules, group, periods, rate)
    if isinstance(checked, pl.LazyFrame):
        # The counts serve many times over, and a plan would make them again each time.
        seen = counts.collect_schema()
        own = {name: seen[key] for name, key in zip(group.names, group.keys, strict=True)}
        return pl.defer(answer, schema=pl.Schema(own | dict(EXPLAIN_CHANGE.schema)))
    return answer()


def _answer(
    counts: pl.LazyFrame, rules: Rules, group: Grouping, periods: Periods, rate: RateName
) -> pl.DataFrame:
    return (
        _rows(counts.collect().lazy(), rules, group, periods, rate)
        .sort(*group.keys, "_is_total", "channel_id", maintain_order=True)
        .select(*group.write(), *EXPLAIN_CHANGE.names)
        .collect()
    )


def _rows(
    counts: pl.LazyFrame, rules: Rules, group: Grouping, periods: Periods, rate: RateName
) -> pl.LazyFrame:
    keys = [*group.keys, _ALL]
    has = pl.col("_has")
    cells = (
        counts.filter(has)
        .group_by(*keys, "customer_id", "channel_id")
        .agg(
            pl.col(part).filter(pl.col("_after") == bool(i)).sum().alias(f"{part}{i}")
            for part in "kn"
            for i in (0, 1)
        )
    )
    is_part = rate != MEAN_OPENS and (rules.implied == "lower" or RATIOS[rate].n == "sent")
    channels, total = sum_effects(cells, keys, is_part=is_part)
    of_channels = counts.filter(has).group_by(*keys, "channel_id").agg(_about())
    # What takes no part is left out of the notes as well, but for how much it is.
    of_all = counts.with_columns(
        pl.when(has).then(
            pl.col(*SUMS, "_late", "_kindless", "through_first", "through_last", "unknown_event")
        )
    )
    of_all = of_all.group_by(keys).agg(_about())
    channels = of_channels.join(
        channels, on=[*keys, "channel_id"], how="left", nulls_equal=True
    ).with_columns(channel=channel_name(rules.catalogue), _is_total=pl.lit(value=False))
    total = of_all.join(total, on=keys, how="left", nulls_equal=True).with_columns(
        pl.col("total0", "total1", "k0", "n0", "k1", "n1", "m", "customers").fill_null(0),
        channel=pl.lit(None, pl.String),
        channel_id=pl.lit(None, pl.Int64),
        _is_total=pl.lit(value=True),
    )
    beyond = (pl.col("k0") > pl.col("n0")) | (pl.col("k1") > pl.col("n1"))
    if rate == MEAN_OPENS:
        # A mean may pass 1; but opens of no message have no channel's rate to be in.
        beyond = ((pl.col("n0") == 0) & (pl.col("k0") > 0)) | (
            (pl.col("n1") == 0) & (pl.col("k1") > 0)
        )
    beyond = beyond.any().over(keys)
    return (
        pl.concat([channels, total], how="diagonal")
        .with_columns(_beyond=beyond)
        .with_columns(_columns(rules, periods, rate))
    )


def _counts(
    rows: pl.LazyFrame, rules: Rules, group: Grouping, periods: Periods, rate: RateName
) -> pl.LazyFrame:
    """Return what the rate is made of, by the group's keys, customer, channel and period."""
    ratio, place = RATIOS[rate], list(RATIOS).index(rate)
    with_period = Grouping.of([*group.expressions, periods.is_after().alias("_after")], taken=())
    counted = pl.col("counted")
    return (
        count_rates(rows, rules, with_period)
        .rename({with_period.keys[-1]: "_after"})
        .filter(pl.col("_after").is_not_null())
        .with_columns(
            k=f"k_{place}",
            n=f"n_{place}",
            _late=f"late_{place}",
            _has=can_have(ratio.needs, rules),
            _kindless=pl.when(is_unknown_kind(rules.catalogue)).then(counted).otherwise(0),
            _lacking=pl.when(can_have(ratio.needs, rules)).then(0).otherwise(counted),
            _not_bounced=can_have(ratio.needs, rules) & (counted > 0) & ~pl.col("reports"),
            **{_ALL: pl.lit(0)},
        )
        .select(*group.keys, _ALL, "customer_id", "channel_id", *_COUNTED)
    )


def _about() -> list[pl.Expr]:
    return [
        pl.col(*SUMS, "_late", "_kindless", "_lacking").sum(),
        pl.col("_not_bounced").any(),
        pl.col("through_first", "unknown_event").min(),
        pl.col("through_last").max(),
    ]


def _columns(rules: Rules, periods: Periods, rate: RateName) -> list[pl.Expr]:
    some = (pl.col("total0") > 0) & (pl.col("total1") > 0) & ~pl.col("_beyond")
    n0, n1 = pl.col("n0"), pl.col("n1")
    what = "opens" if RATIOS[rate].needs == "opened" else "deliveries"
    said = [
        pl.when(pl.col("_is_total")).then(lacking_stage("_lacking", what)),
        pl.when("_not_bounced").then(pl.lit(NOT_BOUNCED)),
        unknown_kinds("_kindless"),
        *(
            pl.when(pl.col(f"total{i}") == 0).then(
                pl.lit(f"No answer: the rate divides by nothing in the period {period}.")
            )
            for i, period in enumerate(("before", "after"))
        ),
        pl.when("_beyond").then(
            pl.lit("No answer: more were reported of k than of n, and nothing is implied.")
        ),
    ]
    columns = {
        **periods.columns(),
        "rate": pl.lit(rate, EXPLAIN_CHANGE["rate"].dtype),
        "n_late": pl.col("_late"),
        "small": pl.min_horizontal(n0, n1) < SMALL_N,
        "method": pl.when(pl.col("m") > 1)
        .then(pl.lit("linear-cluster"))
        .otherwise(pl.lit("linear")),
        "unit": pl.lit("message"),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": notes(rules, *said),
    }
    for i, period in enumerate(("before", "after")):
        k, n = pl.col(f"k{i}"), pl.col(f"n{i}")
        proper = pl.lit(value=True) if rate == MEAN_OPENS else k <= n
        columns |= {f"k_{period}": k, f"n_{period}": n, f"share_{period}": pl.col(f"w{i}")}
        columns[f"rate_{period}"] = pl.when(proper).then(f"r{i}")
    for effect in EFFECTS:
        half = Z95 * pl.col(f"_v_{effect}").sqrt()
        estimable = some & _is_estimable(rate) & (pl.col(f"_v_{effect}") > 0)
        columns |= {
            effect: pl.when(some).then(effect),
            f"{effect}_lo": pl.when(estimable).then(pl.col(effect) - half),
            f"{effect}_hi": pl.when(estimable).then(pl.col(effect) + half),
        }
    return [expression.alias(name) for name, expression in columns.items()]


def _is_estimable(rate: RateName) -> pl.Expr:
    """Whether a linearisation holds: enough messages where there are any, and rates within 0..1."""
    fine = (pl.col("total0") >= SMALL_N) & (pl.col("total1") >= SMALL_N)
    for i in (0, 1):
        k, n = pl.col(f"k{i}"), pl.col(f"n{i}")
        inside = k > 0 if rate == MEAN_OPENS else (k > 0) & (k < n)
        fine &= (n == 0) | ((n >= SMALL_N) & inside)
    return fine
