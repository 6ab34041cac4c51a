"""What analysis of rates answers with."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.parts import (
    AS_OF,
    CHANNEL,
    IMPLIED,
    N_IMMATURE,
    N_UNOBSERVED,
    NOTES,
    OPENS,
    RATE,
    UNIT,
    WINDOW,
)
from optimove_analysis.schema.rows import COUNT, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["MEAN_OPENS", "RATES", "RATE_NAMES", "Proportion", "RateName"]

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
"""A rate that is k of n, so that it has an interval of a proportion."""

RateName: TypeAlias = Literal[Proportion, "total opens per delivered"]
"""A rate's name: a proportion's, or that of the one mean."""

MEAN_OPENS: Final = "total opens per delivered"
"""The one that is a mean and no proportion."""

RATE_NAMES: Final[tuple[RateName, ...]] = get_args(RateName)
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
