"""Days on which a channel delivered less than on the same weekdays before."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from optimove_analysis.analysis.baseline import lower_tail, trailing
from optimove_analysis.analysis.grouping import By, Grouping, within
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.once import gathered_once
from optimove_analysis.analysis.rate_counts import count_rates
from optimove_analysis.analysis.rates import rate_rows
from optimove_analysis.analysis.rules import Implied, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import ANOMALIES, INTERACTIONS, Frame

__all__ = ["anomalies"]

_MOST_WEEKS: Final = 104
_A_HAIR: Final = 1e-12
"""What rounding may take from a drop that is exactly the least one."""

_OF_A_DAY: Final = ("k", "n", "n_implied", "n_late")


@dataclass(frozen=True, slots=True)
class _Alarm:
    """When a day is an anomaly; see the arguments of `anomalies`."""

    weeks: int
    min_n: int
    min_drop: float
    alpha: float

    def __post_init__(self) -> None:
        for name, least, most in (("weeks", 2, _MOST_WEEKS), ("min_n", 1, None)):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or value < least or (most is not None and value > most):
                bounds = f"{least} to {most}" if most else f"{least} or more"
                message = f"{name}={value!r} must be a whole number, {bounds}."
                raise InputError(message)
        for name in ("min_drop", "alpha"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1:
                message = f"{name}={value!r} must be a number from 0 to 1."
                raise InputError(message)

    @property
    def least_days(self) -> int:
        """So many same weekdays make a baseline: three quarters, for fewer show no spread."""
        return max(2, math.ceil(self.weeks * 3 / 4))


def anomalies(
    interactions: Frame,
    *,
    by: By = "channel_id",
    weeks: int = 8,
    min_n: int = 30,
    min_drop: float = 0.05,
    alpha: float = 0.001,
    window: int | None = 1,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    catalogue: Catalogue | None = None,
) -> Frame:
    """Find the days on which a channel delivered less than on the same weekdays before.

    A day is the day of the send. Its delivery rate (that of `rates`: not bounced, where a channel
    reports no delivered events) is held against the trailing ``weeks`` same weekdays: the chance
    of so few or fewer delivered, by the beta-binomial that those days predict (see
    `baseline.predict`). It is an anomaly if that chance is below ``alpha`` and the rate is at
    least ``min_drop`` below theirs.

    Where days differ by chance alone, ``alpha`` times the days tested are false alarms at most.
    Where they differ by more than chance, eight days show but poorly by how much: in simulations
    some ten times as many were below the default alpha. So read an anomaly as a day to look at.

    An anomaly stays in the baseline of later days. It makes them look more spread out, so that
    the same weekday is less likely to be found again for ``weeks`` weeks; ``baseline_anomalies``
    and the notes say so. A lasting change is thus found in its first days, then taken as normal.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        by: As in `rates`. In a total over channels (``by=()``) a day may be an anomaly only since
            it had more of a channel that delivers less.
        weeks: How many same weekdays make the baseline, 2 to 104; three quarters of them must
            have messages, or there is none.
        min_n: A day with fewer messages is "small" and not tested.
        min_drop: The least difference of the two rates, 0.05 being 5 points.
        alpha: The largest share of false alarms among the days tested.
        window: Calendar days from the send in which a delivery counts. 1 and not 7 as elsewhere:
            what is delivered is delivered at once or on the day after, and with 7 each alarm
            would come a week late. Deliveries after it are in ``n_late``.
        as_of: As in `funnel`, as are all that follow.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.ANOMALIES`: one row a group and calendar day, those
        without a message included. The days go from the group's first send to its last, or to
        the day through which its data is complete, so that a channel which fell silent shows. The
        other groups of the frame change no row.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"recipient_group_id": 1, "action_id": 9, "channel_id": 504, "template_id": 2}
    >>> start = dt.date(2025, 3, 3)  # a Monday; 40 messages each, of which 38 arrive
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": str(who), "campaign_id": week, **ids, "event_id": event,
    ...       "date": start + dt.timedelta(weeks=week)}
    ...      for week in range(9) for who in range(40) for event in (1, 2)
    ...      if event == 1 or who < (38 if week < 8 else 20)],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = anomalies(frame)
    >>> found.group_by("status").len().sort("status").rows()
    [('ok', 2), ('anomaly', 1), ('no baseline', 6), ('no data', 48)]
    >>> found.filter(status="anomaly").select("send_date", "k", "n", "rate", "expected").rows()
    [(datetime.date(2025, 4, 28), 20, 40, 0.5, 0.95)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, "trust", known)
    alarm = _Alarm(weeks, min_n, min_drop, alpha)
    group = Grouping.of(by, taken=ANOMALIES.names)
    checked = INTERACTIONS.check(interactions)

    def answer(days: pl.LazyFrame) -> pl.LazyFrame:
        found = _written(_judge(days, alarm, group), rules, alarm)
        found = found.select(*group.write(), *ANOMALIES.names)
        return found.sort(*group.names, "send_date", maintain_order=True)

    days = _delivery(checked.lazy(), rules, group)
    return gathered_once(checked, days, group, ANOMALIES, answer)


def _delivery(rows: pl.LazyFrame, rules: Rules, group: Grouping) -> pl.LazyFrame:
    """Return the delivery rate by group and day of the send, where any message is or may count."""
    send = pl.col("send_date")
    daily = Grouping((*group.expressions, send), (*group.names, "send_date"), group.keep)
    # An open is evidence of a delivery whatever opens are worth, and open rows need no counting.
    counts = count_rates(rows, replace(rules, opens="ignore"), daily)
    day = daily.keys[-1]
    may_count = (pl.col("counted") + pl.col("n_immature")).sum().over(daily.keys) > 0
    return (
        rate_rows(
            counts.filter(pl.col(day).is_not_null(), may_count),
            rules,
            daily,
            only=["delivery rate"],
        )
        .rename({day: "send_date"})
        .drop("rate")
    )


def _calendar(days: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    """Return every day of each group's span, with what is known of it."""
    send = pl.col("send_date")
    spans = group.aggregate(
        days,
        send.min().alias("first"),
        pl.max_horizontal(send.max(), pl.col("as_of").max()).alias("last"),
        pl.col("channel").first(),
        pl.col("n").is_not_null().any().alias("has_rate"),
    )
    return (
        spans.filter(pl.col("first").is_not_null())
        .with_columns(send_date=pl.date_ranges("first", "last"))
        .explode("send_date")
        .join(days.drop("channel"), on=[*group.keys, "send_date"], how="left", nulls_equal=True)
        # A day of in-app messages only is, in a total over channels, a day without any.
        .with_columns(pl.when("has_rate").then(pl.col(_OF_A_DAY).fill_null(0)))
        .with_columns(pl.col("n_immature", "n_unobserved").fill_null(0))
    )


def _judge(days: pl.LazyFrame, alarm: _Alarm, group: Grouping) -> pl.LazyFrame:
    """Return the calendar with each day held against its baseline."""
    k, n = pl.col("k"), pl.col("n")
    base_k, base_n, base_days = (pl.col(f"baseline_{name}") for name in ("k", "n", "days"))
    tested = (n >= alarm.min_n) & (base_days >= alarm.least_days)
    statuses = {
        "no rate": ~pl.col("has_rate"),
        "immature": (n == 0) & (pl.col("n_immature") > 0),
        "no data": n == 0,
        "small": n < alarm.min_n,
        "no baseline": ~tested,
        "anomaly": (pl.col("p") < alarm.alpha) & (pl.col("drop") >= alarm.min_drop - _A_HAIR),
    }
    status = pl.lit("ok")
    for name, applies in reversed(statuses.items()):
        status = pl.when(applies).then(pl.lit(name)).otherwise(status)
    weekday = [*group.keys, pl.col("send_date").dt.weekday()]
    # The calendar has every day, so that the rows of a weekday are a week apart.
    odd = (pl.col("status") == "anomaly").cast(pl.Int64)
    before = odd.rolling_sum(alarm.weeks, min_samples=1).shift(1, fill_value=0)
    return (
        _calendar(days, group)
        .join(
            trailing(days, alarm.weeks, group),
            on=[*group.keys, "send_date"],
            how="left",
            nulls_equal=True,
        )
        .with_columns(pl.col("baseline_k", "baseline_n", "baseline_days").fill_null(0))
        .with_columns(rate=pl.col("value"), expected=pl.when(base_n > 0).then(base_k / base_n))
        .with_columns(
            drop=pl.col("expected") - pl.col("rate"),
            tested=tested.fill_null(False),
            p=pl.when(tested).then(lower_tail(k, n, pl.col("a"), pl.col("b"))),
        )
        .with_columns(status=status)
        .with_columns(
            n_tests=within(pl.col("tested").sum().cast(pl.Int64), group.keys),
            baseline_anomalies=before.over(weekday, order_by="send_date"),
        )
    )


def _written(days: pl.LazyFrame, rules: Rules, alarm: _Alarm) -> pl.LazyFrame:
    """Return the columns of the table beside the group's keys."""
    return days.with_columns(
        status=pl.col("status").cast(ANOMALIES["status"].dtype),
        method=pl.when(pl.col("rate").is_not_null()).then("method"),
        alpha=pl.lit(alarm.alpha, pl.Float64),
        unit=pl.lit("message"),
        window=pl.lit(rules.window, pl.Int32),
        as_of=pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("as_of"),
        implied=pl.lit(rules.implied),
        notes=_notes(alarm),
    )


def _notes(alarm: _Alarm) -> pl.Expr:
    of_the_day = pl.col("notes").fill_null(pl.lit([], pl.List(pl.String)))
    too_few = pl.format(
        f"{{}} of the {alarm.weeks} trailing same weekdays with messages; a baseline needs "
        f"{alarm.least_days}.",
        "baseline_days",
    )
    late = pl.format("{} delivered after the window: not in time.", number_of("n_late"))
    tests = pl.format(
        "{} of the group tested: where days differ by chance alone, {} false alarms are to be "
        "expected at most.",
        number_of("n_tests", "day", "days"),
        (pl.col("n_tests") * alarm.alpha).round(2),
    )
    hidden = pl.format(
        "The baseline holds {}: a further one shows less.",
        number_of("baseline_anomalies", "anomaly", "anomalies"),
    )
    return pl.concat_list(
        of_the_day,
        pl.when(pl.col("status") == "no baseline").then(too_few),
        pl.when(pl.col("n_late") > 0).then(late),
        pl.when("tested").then(tests),
        pl.when(pl.col("tested") & (pl.col("baseline_anomalies") > 0)).then(hidden),
    ).list.drop_nulls()
