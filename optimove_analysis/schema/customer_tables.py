"""What analysis says of each customer: when last, how often, and in which tier."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import polars as pl

from optimove_analysis.schema.parts import CHANNEL, IMPLIED, N_UNOBSERVED, NOTES, OPENS, RATE
from optimove_analysis.schema.rows import COUNT, DAY, IDS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["RECENCY", "TIERS", "TIER_NAMES", "Tier"]

Tier: TypeAlias = Literal["champion", "active", "cooling", "dormant", "never engaged", "new"]
"""How engaged a customer is; ``tiers`` says which rule makes each."""

TIER_NAMES: Final[tuple[Tier, ...]] = get_args(Tier)
"""The tiers, from the most to the least engaged; of the new nobody knows yet."""

_UNKNOWN: Final = "as_of is not known"
_SENT: Final = Column("sent", COUNT, "Sent", "Messages sent to the customer through as_of.")
_DELIVERED: Final = Column(
    "delivered",
    COUNT,
    "Delivered",
    "Those that were delivered; that did not bounce, where the channel reports no deliveries. "
    "None of a channel whose kind has no deliveries.",
)
_ENGAGED: Final = Column(
    "engaged",
    COUNT,
    "Engaged",
    "Messages that the customer ever clicked, or opened where opens are trusted, through as_of; "
    "whether or not their send was observed.",
)
_CLICKED: Final = Column("clicked", COUNT, "Clicked", "Those of the engaged that were clicked.")
_LAST_ENGAGED: Final = Column(
    "last_engaged",
    DAY,
    "Last engaged",
    "The last day through as_of on which the customer clicked or opened anything, again or for "
    "the first time.",
    "never engaged",
)
_DAYS_SINCE_ENGAGED: Final = Column(
    "days_since_engaged",
    COUNT,
    "Days since engaged",
    "Calendar days from last_engaged to as_of.",
    f"never engaged, or {_UNKNOWN}",
)
_AS_OF: Final = Column(
    "as_of",
    DAY,
    "As of",
    "The day as which this stands; rows after it are left out. As asked for, or the latest "
    "data_through of the customer's rows.",
    "not known: all rows are in, and there are no days",
)
_UNIT: Final = Column("unit", TEXT, "Unit", "What a row is: customer.")

RECENCY: Final = Table(
    "recency",
    "One row a customer, and group where one is asked for, with any row through as_of. The "
    "group's columns come first, and rows are in the order of the group and the customer.",
    (
        IDS[0],
        CHANNEL,
        _SENT,
        _DELIVERED,
        _ENGAGED,
        _CLICKED,
        Column("first_sent", DAY, "First sent", "The day of the first send.", "nothing was sent"),
        Column("last_sent", DAY, "Last sent", "The day of the last send.", "nothing was sent"),
        _LAST_ENGAGED,
        Column(
            "days_since_sent",
            COUNT,
            "Days since sent",
            "Calendar days from last_sent to as_of.",
            f"nothing was sent, or {_UNKNOWN}",
        ),
        _DAYS_SINCE_ENGAGED,
        Column(
            "days_censored",
            COUNT,
            "Days without",
            "Of a customer who never engaged: calendar days from first_sent to as_of, through "
            "which no engagement came. The days since one are not known to be so few.",
            f"engaged, nothing was sent, or {_UNKNOWN}",
        ),
        N_UNOBSERVED,
        _UNIT,
        _AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)

TIERS: Final = Table(
    "tiers",
    "One row a customer with any row through as_of, in the order of the customers.",
    (
        IDS[0],
        Column(
            "tier",
            pl.Enum(TIER_NAMES),
            "Tier",
            "The first that holds: new (fewer than 5 delivered), never engaged, dormant (none in "
            "90 days), cooling (31 to 90 days), champion (30 or fewer, and in the top decile of "
            "click_rate), active (30 or fewer).",
            f"5 or more delivered and engaged, but {_UNKNOWN}",
        ),
        _SENT,
        _DELIVERED,
        _ENGAGED,
        _CLICKED,
        _LAST_ENGAGED,
        _DAYS_SINCE_ENGAGED,
        Column(
            "click_rate",
            RATE,
            "Click rate, shrunk",
            "Clicked of delivered messages / delivered, shrunk towards that of all customers of "
            "the frame; 0 to 1.",
            "no customer of the frame has anything delivered",
        ),
        Column(
            "threshold",
            RATE,
            "Top decile from",
            "The lowest click_rate in the top decile: the most customers, all of a rate or none "
            "of it, that are a tenth or less of those with anything delivered.",
            "no rate is had by so few: fewer than ten customers, or a tie at the top",
        ),
        Column(
            "n_ranked",
            COUNT,
            "Ranked",
            "Customers of the frame with anything delivered, whom the decile is of.",
        ),
        N_UNOBSERVED,
        _UNIT,
        _AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)
