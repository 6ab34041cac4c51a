"""What the search for days of bad delivery answers with."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.parts import (
    AS_OF,
    CHANNEL,
    IMPLIED,
    N_IMMATURE,
    N_UNOBSERVED,
    NOTES,
    RATE,
    UNIT,
    WINDOW,
)
from optimove_analysis.schema.rows import COUNT, DAY, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["ANOMALIES", "DAY_STATUSES"]

DAY_STATUSES: Final = (
    "ok",
    "anomaly",
    "small",
    "no baseline",
    "immature",
    "no data",
    "no rate",
)
"""What there is to say of a channel's day."""

_LACKS: Final = "no rate: the channel's kind has no deliveries"
_NO_N: Final = "no message of the day counts, or no rate"
_NO_BASE: Final = "no earlier same weekday has a message"

ANOMALIES: Final = Table(
    "anomalies",
    "One row a group and calendar day, in their order: from the first day on which the group was "
    "sent a message to the last one, or to the day through which its data is complete where that "
    "is later. The group's columns come first.",
    (
        CHANNEL,
        Column(
            "send_date", DAY, "Sent on", "The day; its messages are those that were sent on it."
        ),
        Column(
            "status",
            pl.Enum(DAY_STATUSES),
            "Status",
            "ok or anomaly: tested. small: fewer than min_n messages. no baseline: too few "
            "earlier same weekdays. immature: no message's window had closed by as_of. no data: "
            "no message that counts. no rate: the channel's kind has no deliveries.",
        ),
        Column(
            "label",
            TEXT,
            "Rate as counted",
            "delivery rate; 'not bounced' where the channel reports no delivered events, "
            "'delivered or not bounced' of channels of both sorts.",
            "the day has no message at all",
        ),
        Column("rate", RATE, "Rate", "The day's delivery rate, k / n, 0 to 1.", _NO_N),
        Column("lo", RATE, "Low", "Low end of the rate's 95 % interval.", _NO_N),
        Column("hi", RATE, "High", "High end of the rate's 95 % interval.", _NO_N),
        Column("k", COUNT, "Delivered", "Mature messages of the day delivered in time.", _LACKS),
        Column("n", COUNT, "Sent", "Mature messages sent on the day.", _LACKS),
        Column(
            "expected",
            RATE,
            "Expected",
            "The pooled rate of the trailing same weekdays, baseline_k / baseline_n.",
            _NO_BASE,
        ),
        Column("drop", RATE, "Drop", "expected - rate; below 0 it is a rise.", "one of the two is"),
        Column(
            "p",
            RATE,
            "p",
            "The chance of k or fewer of n, by the beta-binomial that the trailing same weekdays "
            "predict.",
            "not tested",
        ),
        Column("alpha", RATE, "Alpha", "An anomaly has a p below this."),
        Column(
            "n_tests",
            COUNT,
            "Days tested",
            "Days of the group that are tested; alpha times this many are false alarms, where "
            "days differ by chance alone.",
        ),
        Column(
            "baseline_k",
            COUNT,
            "Baseline delivered",
            "Delivered of the messages of the trailing same weekdays.",
        ),
        Column(
            "baseline_n",
            COUNT,
            "Baseline sent",
            "Mature messages sent on the trailing same weekdays.",
        ),
        Column(
            "baseline_days",
            COUNT,
            "Baseline days",
            "Trailing same weekdays that have any such message.",
        ),
        Column(
            "baseline_anomalies",
            COUNT,
            "Baseline anomalies",
            "Days of the baseline that are anomalies themselves: they stay in it, and hide others.",
        ),
        Column(
            "method",
            TEXT,
            "Interval",
            "How lo and hi are made: wilson within one customer, wilson-cluster across customers.",
            _NO_N,
        ),
        Column(
            "n_implied",
            COUNT,
            "Implied",
            "Those of k that another event implies, or that only did not bounce.",
            _LACKS,
        ),
        Column(
            "n_late",
            COUNT,
            "Late",
            "Messages of the day whose delivery was dated after the window.",
            _LACKS,
        ),
        N_IMMATURE,
        N_UNOBSERVED,
        UNIT,
        WINDOW,
        AS_OF,
        IMPLIED,
        NOTES,
    ),
)
