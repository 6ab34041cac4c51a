"""What analysis says of one message after another: transitions and hand-offs."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.parts import N_UNOBSERVED, NOTES, RATE
from optimove_analysis.schema.rows import COUNT, ID, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["TRANSITIONS"]

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
