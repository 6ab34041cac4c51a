"""What analysis of rates answers with: rates, two groups held against each other, shrunk rates."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.parts import (
    AS_OF,
    CHANNEL,
    CUSTOMERS,
    IMPLIED,
    N_IMMATURE,
    N_UNOBSERVED,
    NOTES,
    OPENS,
    RATE,
    UNIT,
    WINDOW,
)
from optimove_analysis.schema.rows import COUNT, IDS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["COMPARISON", "MEAN_OPENS", "RATES", "RATE_NAMES", "SHRUNK", "Proportion", "RateName"]

Proportion: TypeAlias = Literal[
    "delivery rate",
    "bounce rate",
    "open rate",
    "click rate",
    "click-to-open rate",
    "unsubscribe rate",
    "spam complaint rate",
    "engagement rate",
]
RateName: TypeAlias = Literal[Proportion, "total opens per delivered"]

MEAN_OPENS: Final = "total opens per delivered"
"""The one that is a mean and no proportion."""

RATE_NAMES: Final[tuple[RateName, ...]] = (
    "delivery rate",
    "bounce rate",
    "open rate",
    "click rate",
    "click-to-open rate",
    "unsubscribe rate",
    "spam complaint rate",
    "engagement rate",
    "total opens per delivered",
)
"""The rates, in the order of the rows."""

_LACKS: Final = "no channel of the row has both stages"
_NAME: Final = Column("rate", pl.Enum(RATE_NAMES), "Rate", "Which rate it is.")
_LABEL: Final = Column(
    "label",
    TEXT,
    "Rate as counted",
    "The rate's name; 'not bounced' for a delivery rate of channels that report no delivered "
    "events, 'delivered or not bounced' for one of channels of both sorts.",
)
_SMALL: Final = Column(
    "small",
    pl.Boolean(),
    "Small",
    f"Whether n is below {SMALL_N}: read the interval, not the rate.",
    _LACKS,
)

RATES: Final = Table(
    "rates",
    "One row a group and rate. The group's columns come first, and rows are in their order and "
    "that of the rates. Rates with opens are absent where opens are ignored.",
    (
        CHANNEL,
        _NAME,
        _LABEL,
        Column(
            "value",
            RATE,
            "Value",
            "k / n: 0 to 1, but for total opens per delivered, which is a mean and no percentage.",
            "n is 0: no answer, not 0; or no channel of the row has both stages; or, with implied "
            "none, more were reported of k than of n",
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval.", "see hi"),
        Column(
            "hi",
            RATE,
            "High",
            "High end of the 95 % interval.",
            "value is null; or implied is none and n is not the sent: k is then no part of n; or, "
            "of a mean, every message has the same number of opens: nothing shows their spread",
        ),
        Column(
            "k",
            COUNT,
            "Of these",
            "Mature messages that count in the numerator, in the window; rows of opens in total "
            "opens per delivered.",
            _LACKS,
        ),
        Column("n", COUNT, "Out of", "Mature messages that the rate divides by.", _LACKS),
        Column(
            "n_effective",
            RATE,
            "Effective n",
            "The number of independent messages that n are worth, since those of one customer "
            "are alike: what the interval is made with.",
            "there is no interval, or it is that of a mean",
        ),
        Column(
            "method",
            TEXT,
            "Interval",
            "wilson within one customer, wilson-cluster across customers; log-linear and "
            "log-linear-cluster for a mean.",
        ),
        _SMALL,
        Column(
            "n_implied",
            COUNT,
            "Implied",
            "Those of k that another event implies, or that only did not bounce.",
            _LACKS,
        ),
        Column("base_implied", COUNT, "Implied of n", "Those of n that were not reported.", _LACKS),
        Column(
            "n_late",
            COUNT,
            "Late",
            "Messages whose first event for k came after the window; of opens, rows.",
            _LACKS,
        ),
        N_IMMATURE,
        N_UNOBSERVED,
        Column(
            "customers",
            COUNT,
            "Customers",
            "Distinct customers among the messages of n: the clusters of the interval.",
        ),
        Column(
            "channels",
            pl.List(TEXT),
            "Channels",
            "The channels that the rate is over: those with counted messages that have both of its "
            "stages, by name.",
        ),
        UNIT,
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)

_INSUFFICIENT: Final = f"an arm has fewer than {SMALL_N} messages, see reason"


def _arm(prefix: str, whose: str) -> tuple[Column, ...]:
    none = "no channel has both stages, or the arm has no message"
    return (
        Column(f"{prefix}value", RATE, f"Rate{whose}", f"The rate{whose}, 0 to 1.", "n is 0"),
        Column(f"{prefix}k", COUNT, f"Of these{whose}", f"The rate's numerator{whose}.", none),
        Column(f"{prefix}n", COUNT, f"Out of{whose}", f"What the rate{whose} divides by.", none),
    )


COMPARISON: Final = Table(
    "comparison",
    "One row a group and arm but for the baseline. The group's columns come first, then the arm's, "
    "and rows are in their order.",
    (
        Column("baseline", TEXT, "Baseline", "The arm that the row's arm is held against.", "null"),
        CHANNEL,
        _NAME,
        _LABEL,
        *_arm("", ""),
        *_arm("baseline_", " of the baseline"),
        Column("difference", RATE, "Difference", "value - baseline_value, -1 to 1.", _INSUFFICIENT),
        Column("difference_lo", RATE, "Difference, low", "Low end, 95 %.", "see difference_hi"),
        Column(
            "difference_hi",
            RATE,
            "Difference, high",
            "High end of the difference's 95 % interval.",
            "the difference is null, or implied is none and a rate has no interval",
        ),
        Column(
            "lift",
            RATE,
            "Relative lift",
            "value / baseline_value - 1: 0.1 is a tenth more.",
            f"{_INSUFFICIENT}, or baseline_value is 0",
        ),
        Column("lift_lo", RATE, "Lift, low", "Low end, 95 %.", "see lift_hi"),
        Column(
            "lift_hi",
            RATE,
            "Lift, high",
            "High end of the lift's 95 % interval.",
            "the difference has no interval, or one of the rates is 0",
        ),
        Column(
            "reason",
            TEXT,
            "No answer because",
            "Why there is no difference: insufficient (an arm has fewer than "
            f"{SMALL_N} messages), control (an arm is members of the control group, who receive "
            "nothing), no stage (no channel has both stages), no rate (with implied none).",
            "there is a difference",
        ),
        Column(
            "method",
            TEXT,
            "Interval",
            "newcombe (and log-ratio for the lift) over messages, newcombe-cluster where an arm "
            "has several customers.",
        ),
        CUSTOMERS,
        Column(
            "baseline_customers",
            COUNT,
            "Customers of the baseline",
            "Distinct customers among the baseline's counted messages.",
        ),
        N_IMMATURE,
        UNIT,
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)

SHRUNK: Final = Table(
    "shrunk rates",
    "One row a group and customer, in the order of both; the group's columns come first.",
    (
        IDS[0],
        CHANNEL,
        _NAME,
        Column("value", RATE, "As counted", "k / n, 0 to 1.", "n is 0"),
        Column("k", COUNT, "Of these", "The rate's numerator.", "the channel lacks a stage"),
        Column("n", COUNT, "Out of", "What the rate divides by.", "the channel lacks a stage"),
        Column(
            "shrunk",
            RATE,
            "Shrunk",
            "(k + a) / (n + a + b), or the pooled rate: the best guess of the customer's own rate.",
            "nobody in the group has any n",
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval.", "shrunk is null"),
        Column("hi", RATE, "High", "High end of the 95 % interval.", "shrunk is null"),
        Column("pooled", RATE, "Pooled", "Sum of k / sum of n over the group.", "sum of n is 0"),
        Column("a", RATE, "a", "First parameter of the Beta of the group.", "method is pooled"),
        Column("b", RATE, "b", "Second parameter of the Beta.", "method is pooled"),
        Column(
            "method",
            TEXT,
            "Method",
            "beta-binomial; pooled where customers differ no more than by chance: all then have "
            "the pooled rate with its Wilson interval.",
        ),
        _SMALL,
        N_IMMATURE,
        Column(
            "customers",
            COUNT,
            "Customers",
            "Distinct customers of the group with n > 0: what the Beta is fitted to.",
        ),
        UNIT,
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)
