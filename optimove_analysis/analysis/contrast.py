"""The contrast of frequency within customers: each one's rate under more pressure and under less.

The within (fixed effects) estimator: J. M. Wooldridge, "Econometric Analysis of Cross Section and
Panel Data", 2nd edition (2010), section 10.5, with its cluster-robust variance, (10.59). Few
clusters: its factor m/(m - 1), and Student's t with m - 1 degrees of freedom, after A. C. Cameron
and D. L. Miller, "A practitioner's guide to cluster-robust inference", Journal of Human Resources
50 (2015), section VI.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from optimove_analysis.analysis.grouping import By, Grouping, within
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.pressure import ASSOCIATION, Pressure
from optimove_analysis.analysis.rate_counts import (
    RATIOS,
    base_of,
    check_proportion,
    rate_facts,
    sum_facts,
)
from optimove_analysis.analysis.rates import rate_rows
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.analysis.steady import steady_sum
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import FREQUENCY_CONTRAST, INTERACTIONS, SMALL_N, Frame, Proportion

__all__ = ["frequency_contrast"]

_SUMS = ("n", "sx", "sy", "sxx", "sxy")


def frequency_contrast(
    interactions: Frame,
    *,
    days: int = 7,
    since: dt.date | None = None,
    rate: Proportion = "engagement rate",
    by: By = "channel_id",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Hold each customer's messages under more pressure against their own under less.

    `frequency` compares levels, and on each level there are other customers. Here each customer
    is compared with themselves alone: the slope is that of the response (0 or 1) over the
    pressure, both as deviations from the customer's own mean in the group,

        slope = sum (x - mean x of the customer)(y - mean y of the customer)
                / sum (x - mean x of the customer) ** 2.

    So nothing that lasts in a customer is in it. What changes in time for them still is, their
    interest or the season: it is an association, too.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        days: As in `frequency`, as are all that follow.
        since: The first day from which on the frame holds all sends.
        rate: Which of `rates`, all but the mean.
        by: Column names or expressions.
        window: Calendar days from the send, inclusive, in which an event counts; None: all.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent, and presses.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.FREQUENCY_CONTRAST`: one row a group. The slope is the
        change of the rate with each further message in the days before, 0.01 being a percentage
        point; null where nobody's pressure varies. Its 95 % interval has the customer as the
        cluster, and is null where the pressure of one customer only varies. ``slope_across`` is
        the same without regard to the customer, for comparison.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"recipient_group_id": 1, "action_id": 9, "channel_id": 504, "template_id": 2}
    >>> story = [("A", 1, 3, 1), ("A", 1, 3, 4), ("A", 2, 5, 1), ("A", 2, 5, 4), ("A", 3, 6, 1),
    ...          ("B", 1, 3, 1), ("B", 1, 3, 4), ("B", 2, 9, 1)]
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, **ids, "campaign_id": campaign, "date": dt.date(2025, 3, day),
    ...       "event_id": event} for who, campaign, day, event in story],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> frequency_contrast(frame).select("channel", "slope", "n", "customers").rows()
    [('E-mail', -0.6, 5, 2)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    pressure = Pressure(days, since)
    check_proportion(rate, rules)
    group = Grouping.of(by, taken=FREQUENCY_CONTRAST.names)
    checked = INTERACTIONS.check(interactions)
    # Read twice: without a cache the plan counts them anew each time.
    each = pressure.of(rate_facts(checked.lazy(), rules, group)).cache()
    slopes = _slopes(_customers(each.filter(base_of(rate, rules)), group, rate), group)
    found = rate_rows(sum_facts(each, group), rules, group, only=[rate])
    found = found.drop("lo", "hi", "n", "customers", "method", "small")
    counts = ("n", "customers", "n_constant", "n_unknown")
    found = (
        group.join(found, slopes)
        .with_columns(pl.col(*counts).fill_null(0))
        .with_columns(
            method=pl.lit("within-cluster-t"),
            small=pl.col("customers") < SMALL_N,
            days=pl.lit(days, pl.Int32),
            notes=pl.concat_list(*_own_notes(), "notes").list.drop_nulls(),
        )
        .select(*group.write(), *FREQUENCY_CONTRAST.names)
        .sort(*group.names, "rate")  # a single rate: there may be no group to sort by
    )
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def _customers(each: pl.LazyFrame, group: Grouping, rate: Proportion) -> pl.LazyFrame:
    """Sum pressure, response and their products by group and customer: whole numbers, so exact."""
    x, y = pl.col("_pressure"), pl.col(f"_is_{RATIOS[rate].k}")
    some = x.is_not_null()
    y = pl.when(some).then(y)
    return group.aggregate(
        each,
        some.sum().cast(pl.Int64).alias("n"),
        x.sum().alias("sx"),
        y.sum().alias("sy"),
        (x * x).sum().alias("sxx"),
        (x * y).sum().alias("sxy"),
        (~some).sum().cast(pl.Int64).alias("n_unknown"),
        also=["customer_id"],
    )


def _slopes(customers: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    varies = pl.col("spread") > 0
    slope = steady_sum(pl.col("joint")) / steady_sum(pl.col("spread"))
    # At the slope, what a customer's deviations leave of the estimating equation.
    score = pl.col("joint") - within(slope, group.keys) * pl.col("spread")
    n, sx, sy, sxx, sxy = (pl.col(name).sum() for name in _SUMS)
    spread = n * sxx - sx * sx
    summed = group.aggregate(
        customers.with_columns(
            joint=(pl.col("n") * pl.col("sxy") - pl.col("sx") * pl.col("sy")) / pl.col("n"),
            spread=(pl.col("n") * pl.col("sxx") - pl.col("sx") ** 2) / pl.col("n"),
        )
        # A customer all of whose messages are of unknown pressure is 0/0.
        .with_columns(pl.col("joint", "spread").fill_nan(0))
        .with_columns(score=score),
        pl.when(pl.col("spread").sum() > 0).then(slope).alias("slope"),
        steady_sum(pl.col("score") ** 2).alias("scores"),
        steady_sum(pl.col("spread")).alias("spread"),
        pl.when(spread > 0).then((n * sxy - sx * sy) / spread).alias("slope_across"),
        pl.when(n > 0).then(sx / n).alias("mean_pressure"),
        pl.col("n").filter(varies).sum(),
        varies.sum().cast(pl.Int64).alias("customers"),
        pl.col("n").filter(~varies).sum().alias("n_constant"),
        pl.col("n_unknown").sum(),
    )
    m = pl.col("customers").cast(pl.Float64)
    error = (pl.col("scores") * m / (m - 1)).sqrt() / pl.col("spread")
    half = pl.when(m > 1).then(_t975(m) * error)
    return summed.with_columns(lo=pl.col("slope") - half, hi=pl.col("slope") + half)


def _t975(m: pl.Expr) -> pl.Expr:
    """Return the 97.5 % quantile of Student's t with m - 1 degrees of freedom."""

    def quantile(values: pl.Series) -> pl.Series:
        from scipy.special import stdtrit  # noqa: PLC0415 - slow to import

        return pl.Series(values.name, stdtrit(values.to_numpy() - 1, 0.975), pl.Float64)

    return m.map_batches(quantile, return_dtype=pl.Float64(), is_elementwise=True)


def _own_notes() -> list[pl.Expr]:
    constant = "{} of customers whose pressure does not vary: they say nothing of the slope."
    unknown = "{} of unknown pressure left out: the days before begin before since."
    return [
        pl.lit(ASSOCIATION),
        pl.when(pl.col("n_constant") > 0).then(pl.format(constant, number_of("n_constant"))),
        pl.when(pl.col("n_unknown") > 0).then(pl.format(unknown, number_of("n_unknown"))),
        pl.when(pl.col("customers") == 1).then(
            pl.lit("No interval: the pressure of one customer only varies.")
        ),
    ]
