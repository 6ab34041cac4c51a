"""What comparing rates, and shrinking them, answers with."""

from __future__ import annotations

from typing import Final

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
from optimove_analysis.schema.rate_tables import RATES
from optimove_analysis.schema.rows import COUNT, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["COMPARISON", "SHRUNK"]

_LACKS: Final = "the channel lacks a stage of the rate"
_NOBODY: Final = "no customer of the channel has a message to divide by"
_NO_PRIOR: Final = "the method is pooled, or there is none"

_NO_STAGE: Final = "no channel of the arm has both stages of the rate"
_REASON: Final = "see reason"


def _arm(suffix: str, who: str) -> tuple[Column, ...]:
    """Return what one arm's rate is made of."""
    label = who.capitalize()
    return (
        Column(f"k{suffix}", COUNT, f"{label}: of these", f"k of the {who}.", _NO_STAGE),
        Column(
            f"n{suffix}",
            COUNT,
            f"{label}: out of",
            f"n of the {who}; 0 where it is absent.",
            _NO_STAGE,
        ),
        Column(
            f"value{suffix}", RATE, f"{label}: rate", f"Rate of the {who}, 0 to 1.", "as in rates"
        ),
        Column(
            f"n_effective{suffix}",
            RATE,
            f"{label}: effective n",
            "The number of independent messages that n are worth, since those of one customer are "
            "alike: what the intervals are made with.",
            "as in rates",
        ),
        Column(
            f"customers{suffix}",
            COUNT,
            f"{label}: customers",
            f"Distinct customers among n of the {who}.",
        ),
    )


def _beside(suffix: str, who: str) -> tuple[Column, ...]:
    """Return what lies beside one arm's counts."""
    label = who.capitalize()
    return (
        Column(
            f"n_implied{suffix}",
            COUNT,
            f"{label}: implied",
            "Those of k that another event implies, or that only did not bounce.",
            _NO_STAGE,
        ),
        Column(
            f"n_late{suffix}",
            COUNT,
            f"{label}: late",
            "Messages whose event for k came after the window.",
            _NO_STAGE,
        ),
        Column(
            f"n_immature{suffix}",
            COUNT,
            f"{label}: immature",
            f"Messages of the {who} whose window had not closed by as_of; in no count.",
        ),
        Column(
            f"n_unobserved{suffix}",
            COUNT,
            f"{label}: send not observed",
            f"Messages of the {who} without a sent row, left out unless assume_sent.",
        ),
    )


COMPARISON: Final = Table(
    "compare",
    "One row a group and rate. The group's columns come first, and rows are in their order and "
    "that of the rates. Names that end in 0 are the baseline's.",
    (
        CHANNEL,
        RATES["rate"],
        Column(
            "label",
            TEXT,
            "Rate as counted",
            "As in rates; 'delivered or not bounced' where the arms' channels are not alike.",
        ),
        Column("between", TEXT, "Between", "The column or expression that tells the arms apart."),
        Column(
            "baseline",
            TEXT,
            "Baseline",
            "Its value for the baseline, as text; of a channel, its name.",
        ),
        Column(
            "against",
            TEXT,
            "Against",
            "Its value for the arm held against it, as text; of a channel, its name.",
        ),
        *_arm("0", "baseline"),
        *_arm("", "arm"),
        Column("difference", RATE, "Difference", "value - value0, -1 to 1.", _REASON),
        Column("difference_lo", RATE, "Difference, low", "Low end of its 95 % interval.", _REASON),
        Column(
            "difference_hi", RATE, "Difference, high", "High end of its 95 % interval.", _REASON
        ),
        Column("method", TEXT, "Interval", "newcombe, of one customer; newcombe-cluster, of more."),
        Column("lift", RATE, "Relative lift", "value / value0 - 1: 0.1 is a tenth more.", _REASON),
        Column("lift_lo", RATE, "Lift, low", "Low end of its 95 % interval.", _REASON),
        Column("lift_hi", RATE, "Lift, high", "High end of its 95 % interval.", _REASON),
        Column(
            "lift_method",
            TEXT,
            "Lift's interval",
            "log-ratio, of one customer; log-ratio-cluster, of more.",
        ),
        Column(
            "reason",
            TEXT,
            "Reason",
            "Why a number is null, the first of these that applies. Neither difference nor lift: "
            "no such stage; control group (an arm has control members only, to whom nothing is "
            "sent); absent (an arm has no counted message); insufficient (an arm's n is below "
            f"{SMALL_N}); k above n (with implied none). No lift: zero baseline. A lift without "
            "an interval: zero count (it is -1), both whole (both rates are 1). No interval at "
            "all: not a part (with implied none, k is no part of n).",
            "nothing is missing",
        ),
        Column(
            "flips",
            pl.Boolean(),
            "Flips",
            "Whether opens='ignore' leads to another conclusion: whether the difference's interval "
            "is above 0, below it or holds it.",
            "another rate than the engagement rate, opens are ignored, or there is no interval",
        ),
        Column(
            "customers_in_both",
            COUNT,
            "Customers in both",
            "Customers with messages in n of both arms, which are then not independent.",
        ),
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Whether n of an arm is below {SMALL_N}.",
            _NO_STAGE,
        ),
        *_beside("0", "baseline"),
        *_beside("", "arm"),
        Column(
            "channels",
            pl.List(TEXT),
            "Channels",
            "The channels that the rates of the two arms are over, by name.",
        ),
        UNIT,
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)

SHRUNK: Final = Table(
    "shrink",
    "One row a customer, channel and further group, in the order of the group's columns, which "
    "come first (customer_id and channel_id among them).",
    (
        CHANNEL,
        RATES["rate"],
        RATES["label"],
        Column("k", COUNT, "Of these", "The customer's messages in the numerator.", _LACKS),
        Column("n", COUNT, "Out of", "The customer's messages that the rate divides by.", _LACKS),
        Column("value", RATE, "Raw", "k / n, 0 to 1.", "n is 0 or null"),
        Column(
            "shrunk",
            RATE,
            "Shrunk",
            "The rate that k of n and all the other customers together make likely, 0 to 1; of a "
            "customer with n = 0 what the others say.",
            _NOBODY,
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval of shrunk.", _NOBODY),
        Column("hi", RATE, "High", "High end of the 95 % interval of shrunk.", _NOBODY),
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Whether n is below {SMALL_N}: the raw value says little.",
            _LACKS,
        ),
        Column(
            "method",
            TEXT,
            "Method",
            "beta-binomial: each customer's own posterior; pooled: the customers differ no more "
            "than by chance, and all get the rate of all, with its interval.",
            _NOBODY,
        ),
        Column("prior_a", RATE, "Prior a", "a of the Beta of the customers' rates.", _NO_PRIOR),
        Column("prior_b", RATE, "Prior b", "b of the Beta of the customers' rates.", _NO_PRIOR),
        Column("pooled", RATE, "Pooled", "The rate of all the channel's customers.", _NOBODY),
        Column("pooled_n", COUNT, "Pooled n", "The messages that the pooled rate divides by."),
        Column(
            "customers",
            COUNT,
            "Customers",
            "Customers of the channel with n > 0: those that the prior is made of.",
        ),
        Column(
            "n_implied",
            COUNT,
            "Implied",
            "Those of k that another event implies, or that only did not bounce.",
            _LACKS,
        ),
        Column(
            "n_late", COUNT, "Late", "Messages whose event for k came after the window.", _LACKS
        ),
        N_IMMATURE,
        N_UNOBSERVED,
        UNIT,
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)
