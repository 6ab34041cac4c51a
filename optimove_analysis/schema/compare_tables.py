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

__all__ = ["SHRUNK"]

_LACKS: Final = "the channel lacks a stage of the rate"
_NOBODY: Final = "no customer of the channel has a message to divide by"
_NO_PRIOR: Final = "the method is pooled, or there is none"

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
