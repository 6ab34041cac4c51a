"""What analysis says of one message after another: transitions and hand-offs."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.parts import (
    AS_OF,
    IMPLIED,
    N_IMMATURE,
    N_UNOBSERVED,
    NOTES,
    OPENS,
    RATE,
    WINDOW,
)
from optimove_analysis.schema.rows import COUNT, ID, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["HAND_OFF", "NEXT", "TRANSITIONS"]

NEXT: Final = ("engaged", "several", "none")
"""What may come after an unanswered message."""

_NONE: Final = "the group has ties only"

TRANSITIONS: Final = Table(
    "transitions",
    "One row a group and two channels that followed each other; one with no channels for a group "
    "that has ties only. The group's columns come first, and rows are in the order of the group "
    "and the ids of the channels.",
    (
        Column(
            "from_channel_id",
            ID,
            "From channel id",
            "The channel of the earlier message.",
            f"the API gave none, or {_NONE}",
        ),
        Column("from_channel", TEXT, "From", "The earlier channel's name.", _NONE),
        Column(
            "to_channel_id",
            ID,
            "To channel id",
            "The channel of the message that came next.",
            f"the API gave none, or {_NONE}",
        ),
        Column("to_channel", TEXT, "To", "The next channel's name.", _NONE),
        Column(
            "n",
            COUNT,
            "Transitions",
            "Pairs of consecutive messages of a customer over these channels, in a known order.",
        ),
        Column(
            "share",
            RATE,
            "Share",
            "n / n_from, 0 to 1; the shares of one channel and group add up to 1.",
            _NONE,
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval.", _NONE),
        Column("hi", RATE, "High", "High end of the 95 % interval.", _NONE),
        Column("n_from", COUNT, "From there", "Transitions of the group from the earlier channel."),
        Column(
            "n_effective",
            RATE,
            "Effective n",
            "The number of independent transitions that n_from are worth, since those of one "
            "customer are alike: what the interval is made with.",
            _NONE,
        ),
        Column(
            "n_tied",
            COUNT,
            "Ties",
            "Pairs of consecutive messages of the group without a known order of their channels; "
            "in no other count.",
        ),
        Column(
            "tied_share",
            RATE,
            "Share of ties",
            "n_tied / all pairs of consecutive messages of the group, 0 to 1.",
        ),
        Column(
            "customers",
            COUNT,
            "Customers",
            "Distinct customers among n_from: the clusters of the interval.",
        ),
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Whether n_from is below {SMALL_N}: read the interval, not the share.",
        ),
        Column(
            "method",
            TEXT,
            "Interval",
            "wilson within one customer, wilson-cluster across customers.",
        ),
        Column("unit", TEXT, "Unit", "What is counted: pair of messages."),
        N_UNOBSERVED,
        NOTES,
    ),
)

_NO_DAYS: Final = "none came"

HAND_OFF: Final = Table(
    "hand_off",
    "One row a group, channel with unanswered messages, and what came next: an engagement on one "
    "channel, on several channels on one day, or none; what never came has no row. The group's "
    "columns come first, and rows are in the order of all these.",
    (
        Column(
            "from_channel_id",
            ID,
            "From channel id",
            "The channel of the unanswered message.",
            "the API gave none",
        ),
        Column("from_channel", TEXT, "From", "The unanswered message's channel, by name."),
        Column(
            "next",
            pl.Enum(NEXT),
            "Next",
            "engaged: the customer's next engagement was on to_channel. several: it was on a day "
            "with engagement on several channels, which a day cannot order. none: there was none "
            "within, or none yet by as_of.",
        ),
        Column(
            "to_channel_id",
            ID,
            "To channel id",
            "The channel of the next engagement.",
            "next is not engaged, or the API gave none",
        ),
        Column(
            "to_channel",
            TEXT,
            "To",
            "The name of the next engagement's channel.",
            "next is not engaged",
        ),
        Column("n", COUNT, "Messages", "Unanswered messages after which this came next."),
        Column(
            "share",
            RATE,
            "Share",
            "n / n_from, 0 to 1; the shares of one channel and group add up to 1.",
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval."),
        Column("hi", RATE, "High", "High end of the 95 % interval."),
        Column("n_from", COUNT, "Unanswered", "Unanswered mature messages of the channel."),
        Column(
            "n_effective",
            RATE,
            "Effective n",
            "The number of independent messages that n_from are worth, since those of one "
            "customer are alike: what the interval is made with.",
        ),
        Column(
            "median_days",
            RATE,
            "Median days",
            "Median calendar days from the send to the next engagement.",
            _NO_DAYS,
        ),
        Column("days_q1", RATE, "Days, first quartile", "A quarter took no longer.", _NO_DAYS),
        Column("days_q3", RATE, "Days, third quartile", "Three quarters took no longer.", _NO_DAYS),
        Column(
            "n_answered",
            COUNT,
            "Answered",
            "Mature messages of the channel that were engaged with in the window; not in n_from.",
        ),
        Column(
            "n_undelivered",
            COUNT,
            "Not delivered",
            "Mature messages of the channel that were not delivered; not among n_from.",
        ),
        Column(
            "n_answered_late",
            COUNT,
            "Answered late",
            "Those of n_from that were engaged with themselves after the window, which is no next "
            "engagement.",
        ),
        Column(
            "n_same_day",
            COUNT,
            "Same day",
            "Those of n_from on whose day of send the customer engaged with another message: "
            "before or after, a day cannot say, so it is no next engagement.",
        ),
        N_IMMATURE,
        N_UNOBSERVED,
        Column(
            "customers",
            COUNT,
            "Customers",
            "Distinct customers among n_from: the clusters of the interval.",
        ),
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Whether n_from is below {SMALL_N}: read the interval, not the share.",
        ),
        Column(
            "method",
            TEXT,
            "Interval",
            "wilson within one customer, wilson-cluster across customers.",
        ),
        Column("unit", TEXT, "Unit", "What is counted: message."),
        Column(
            "within",
            pl.Int32(),
            "Within",
            "Calendar days from the send, inclusive, in which the next engagement counts.",
            "any time through as_of counts",
        ),
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)
