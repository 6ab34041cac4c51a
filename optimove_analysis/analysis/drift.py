"""How far the mix of one period is from that of another, and how far it would be by chance.

Divergence: J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on
Information Theory 37 (1991). Its size by chance: for like mixes and small differences d of the
shares p it is the sum of d^2 / p over 8 ln 2, and that sum over (1/n + 1/n0) is Pearson's
chi-square of S - 1 degrees of freedom. With clusters it is that chi-square times the mean design
effect: J. N. K. Rao and A. J. Scott, "The analysis of categorical data from complex sample
surveys", JASA 76 (1981).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import polars as pl

from optimove_analysis.analysis.channels import is_unknown_kind
from optimove_analysis.analysis.drift_sums import SHARE, sum_pairs
from optimove_analysis.analysis.engines import Interactions, any_engine
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.mix_counts import (
    Engagement,
    check_options,
    count_mix,
    late_note,
    unable_note,
)
from optimove_analysis.analysis.notes import SUMS, notes, unknown_kinds
from optimove_analysis.analysis.periods import Period, Periods
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import DRIFT, INTERACTIONS, SMALL_N

__all__ = ["drift"]


@any_engine
def drift(
    interactions: Interactions,
    *,
    before: Period | None = None,
    after: Period | None = None,
    every: str | None = None,
    by: By = (),
    of: Engagement = "engaged",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> pl.DataFrame:
    """Say how far the channel mix of one period is from that of another.

    Two mixes of few messages always differ. So ``by_chance`` stands beside the divergence: what
    is to be expected if nothing had changed. It allows for customers, whose messages are alike
    and who may be in both periods; where n is small (``small``) it is rough.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        before: The first and the last day of the sends of one period.
        after: Those of the other; the two share no day.
        every: In their place, the length of periods that are each held against the one directly
            before, as in `channel_mix`: ``"1w"``, ``"1mo"``.
        by: Column names or expressions, over the messages table and columns of yours.
        of: What counts as engagement, as in `channel_mix`, as are all that follow.
        window: Calendar days from the send in which an event counts.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.DRIFT`: one row a group and share, and with ``every``
        one for each period with any message, also the first one. The divergence lies in 0..1 and
        is null where one of the two periods has nothing to share out.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known, or the periods are not ``before`` and ``after``, or
            ``every``.

    >>> import datetime as dt
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "channel_id": channel, "date": day, "event_id": 1}
    ...      for campaign, channel, day in [
    ...          (1, 504, dt.date(2025, 3, 3)), (2, 505, dt.date(2025, 3, 9)),
    ...          (3, 504, dt.date(2025, 4, 2))]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = drift(frame, every="1mo").filter(pl.col("share") == "sends")
    >>> found.select("after_from", pl.col("divergence", "by_chance").round(3)).rows()
    [(datetime.date(2025, 3, 1), None, None), (datetime.date(2025, 4, 1), 0.311, 0.271)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    check_options(rules, of, every)
    periods = _periods(before, after, every)
    group = Grouping.of(by, taken=DRIFT.names)
    # Two periods are an expression over messages, so all is polars'.
    checked = INTERACTIONS.check(interactions)
    if periods is None:
        counts = count_mix(checked, rules, group, of, every=every)
        return _answer(counts, rules, group, of, every=every, days=_days_of(str(every)))
    side = periods.is_after().alias("_after")
    counts = count_mix(checked, rules, group, of, side)
    return _answer(counts, rules, group, of, every=None, days=periods.columns())


def _answer(
    counts: pl.LazyFrame,
    rules: Rules,
    group: Grouping,
    of: Engagement,
    *,
    every: str | None,
    days: Mapping[str, pl.Expr],
) -> pl.DataFrame:
    side = "_after" if every is None else "period"
    at_hand = counts.filter(pl.col(side).is_not_null())
    cells = at_hand.select(*group.keys, side, "customer_id", "channel_id", "s", "e")
    kindless = pl.when(is_unknown_kind(rules.catalogue)).then("s").otherwise(0)
    unable = pl.when(~pl.col("_can")).then("s").otherwise(0)
    about = (
        at_hand.with_columns(_kindless=kindless, _unable=unable)
        .group_by(*group.keys, side)
        .agg(_about())
    )
    if every is None:
        cells, about = (one.with_columns(period=pl.lit(None, pl.Date)) for one in (cells, about))
    else:
        cells, about = (_each_with_the_one_before(one, every) for one in (cells, about))
        about = about.filter(pl.col("_after").any().over(*group.keys, "period"))
    return (
        _rows(cells, about, rules, group, of)
        .with_columns(day.alias(name) for name, day in days.items())
        .select(*group.write(), *DRIFT.names)
        .sort(*group.names, "after_from", "share")
        .collect()
    )


def _periods(before: Period | None, after: Period | None, every: str | None) -> Periods | None:
    if (before is None) != (after is None) or (before is None) == (every is None):
        message = "drift needs two periods, before= and after=, or every= and neither of them."
        raise InputError(message)
    return None if every is not None else Periods.of(before, after)


def _each_with_the_one_before(counts: pl.LazyFrame, every: str) -> pl.LazyFrame:
    """Let each row stand in its own period, and again as what was before the next one."""
    own = pl.col("period")
    return counts.with_columns(
        period=pl.concat_list(own, own.dt.offset_by(every)), _after=pl.lit([True, False])
    ).explode("period", "_after")


def _about() -> list[pl.Expr]:
    return [
        pl.col(*SUMS, "_late", "_unable", "_kindless").sum(),
        pl.col("through_first", "unknown_event").min(),
        pl.col("through_last").max(),
    ]


def _days_of(every: str) -> dict[str, pl.Expr]:
    first, day = pl.col("period"), pl.duration(days=1)
    return {
        "before_from": first.dt.offset_by(f"-{every}"),
        "before_to": first - day,
        "after_from": first,
        "after_to": first.dt.offset_by(every) - day,
    }


def _rows(
    cells: pl.LazyFrame, about: pl.LazyFrame, rules: Rules, group: Grouping, of: Engagement
) -> pl.LazyFrame:
    keys = [*group.keys, "period"]
    said = [_nothing(period) for period in ("before", "after")]
    of_engagements = pl.col("share") == pl.lit("engagements", SHARE)
    said += [pl.when(of_engagements).then(note) for note in (late_note(of), unable_note())]
    n0, n1 = pl.col("n_before"), pl.col("n_after")
    columns = {
        **_by_chance(),
        "small": pl.min_horizontal(n0, n1) < SMALL_N,
        "method": pl.when(pl.col("customers") > 1)
        .then(pl.lit("chi-square-cluster"))
        .otherwise(pl.lit("chi-square")),
        "unit": pl.lit("message"),
        "of": pl.lit(of),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": notes(rules, unknown_kinds("_kindless"), *said),
    }
    return (
        about.group_by(keys)
        .agg(_about())
        .join(sum_pairs(cells, keys), on=keys, how="left", nulls_equal=True)
        .with_columns(expression.alias(name) for name, expression in columns.items())
    )


def _nothing(period: str) -> pl.Expr:
    text = f"No answer: none of the {{}} of the period {period} counts."
    share = pl.col("share").cast(pl.String)
    return pl.when(pl.col(f"n_{period}") == 0).then(pl.format(text, share))


def _by_chance() -> dict[str, pl.Expr]:
    n0, n1, freedom = pl.col("n_before"), pl.col("n_after"), pl.col("n_channels") - 1
    some = (n0 > 0) & (n1 > 0)
    effect = (
        pl.when((pl.col("customers") > 1) & (pl.col("_independent") > 0))
        .then(pl.col("_clustered") / pl.col("_independent"))
        .otherwise(1.0)
        .clip(1)
    )
    # Times a number, not over it: of a row alone polars (2.1) makes another quotient (see within).
    unit = (1 / n0 + 1 / n1) * effect * (1 / (8 * math.log(2)))
    columns = {
        "divergence": pl.col("_divergence"),
        "by_chance": (freedom * unit).clip(0, 1),
        "by_chance_95": (freedom.map_batches(_chi_square_95, pl.Float64) * unit).clip(0, 1),
        "design_effect": effect,
    }
    return {name: pl.when(some).then(column) for name, column in columns.items()}


def _chi_square_95(freedom: pl.Series) -> pl.Series:
    """Return the 95 % quantiles of chi-square; 0 where there is but one channel."""
    # As scipy.stats has it, which is slow to import.
    from scipy.special import gammaincinv  # noqa: PLC0415 - only drift needs it

    quantiles = 2 * gammaincinv(freedom.clip(1).to_numpy() / 2, 0.95)
    found = pl.Series(freedom.name, quantiles, pl.Float64)
    return (found * (freedom > 0)).alias(freedom.name)
