"""Pressure: how many messages a customer was sent in the days before a send."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import polars as pl

from optimove_analysis.analysis.rules import MOST_DAYS
from optimove_analysis.errors import InputError

__all__ = ["ASSOCIATION", "Pressure"]

ASSOCIATION: Final = (
    "An association, no effect: who engages much is targeted more, and at other times."
)


@dataclass(frozen=True, slots=True)
class Pressure:
    """Which messages before a send are counted."""

    days: int
    since: dt.date | None
    """The first day from which on all sends are in the frame."""

    def __post_init__(self) -> None:
        if (
            isinstance(self.days, bool)
            or not isinstance(self.days, int)
            or not 1 <= self.days <= MOST_DAYS
        ):
            message = f"days={self.days!r} must be a number of days, 1 to {MOST_DAYS:,}."
            raise InputError(message)
        if self.since is not None and type(self.since) is not dt.date:
            message = f"since={self.since!r} must be a datetime.date or None."
            raise InputError(message)

    def of(self, each: pl.LazyFrame) -> pl.LazyFrame:
        """Add the pressure to judged messages (`judging.judge`).

        Every message that was sent presses, over whichever channel, immature or bounced, but not
        that of a control member, which nobody received. The day of the send itself is left out: a
        date cannot tell which of its messages came first. The columns:

        - ``_pressure``: messages sent to the customer in the days before; null where these begin
          before ``since``, or the message has no date;
        - ``_same_day``: other messages sent to the customer on the same day;
        - ``_early``: whether the days before begin before ``since``, or without it before the
          customer's first message: there may have been more than the frame holds.
        """
        sent = pl.col("_counted") | pl.col("_immature")
        customer, day = "customer_id", "send_date"
        # One row a customer and day, so that nothing grows with the pairs of messages.
        sends = (
            each.filter(pl.col(day).is_not_null())
            .group_by(customer, day)
            .agg(sent.sum().cast(pl.Int64).alias("_that_day"))
            .sort(customer, day)
        )
        first = pl.lit(self.since) if self.since else pl.col(day).min().over(customer)
        before = (
            pl.col("_that_day").rolling_sum_by(day, f"{self.days}d", closed="left").over(customer)
        )
        sends = sends.with_columns(
            _pressure=before.fill_null(0),
            _early=(pl.col(day) - first).dt.total_days() < self.days,
        )
        if self.since:
            sends = sends.with_columns(_pressure=pl.when(~pl.col("_early")).then("_pressure"))
        return (
            each.join(sends, on=[customer, day], how="left", nulls_equal=True)
            .with_columns(
                _same_day=pl.col("_that_day") - sent.cast(pl.Int64),
                _early=pl.col("_early").fill_null(False),
            )
            .drop("_that_day")
        )
