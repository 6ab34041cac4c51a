"""What analysis says of customers whom several channels reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, TypeAlias

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
    UNIT,
    WINDOW,
)
from optimove_analysis.schema.rows import COUNT, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["OVERLAP", "Reach"]

Reach: TypeAlias = Literal["sent", "delivered", "engaged"]
"""What it takes for a channel to have reached a customer."""

OVERLAP: Final = Table(
    "overlap",
    "One row a group and set of channels that is all the channels that reached some customer; the "
    "empty set too, where nothing reached some. The group's columns come first; rows are in the "
    "order of the group, most customers first, then the smaller set and the lower ids.",
    (
        Column(
            "channels",
            pl.List(pl.String()),
            "Channels",
            "The names of the channels of the set, in the order of names; empty for customers whom "
            "nothing reached.",
        ),
        Column(
            "channel_ids",
            pl.List(pl.Int64()),
            "Channel ids",
            "Their ids, in the same order; null in it where the API gave none.",
        ),
        Column("n_channels", COUNT, "Number of channels", "How many channels the set has."),
        Column(
            "customers",
            COUNT,
            "Customers",
            "Customers of the group whom each channel of the set reached, and no other.",
        ),
        Column(
            "share",
            RATE,
            "Share",
            "customers / total, 0 to 1; the shares of a group add up to 1.",
        ),
        Column("lo", RATE, "Low", "Low end of the 95 % interval."),
        Column("hi", RATE, "High", "High end of the 95 % interval."),
        Column(
            "total",
            COUNT,
            "All customers",
            "Customers of the group with any message that counts, whether it reached them or not.",
        ),
        Column(
            "channel_customers",
            pl.List(pl.Int64()),
            "Customers of each channel",
            "In the order of channels: how many customers of the group each of them reached at "
            "all, over whatever other channels too.",
        ),
        Column(
            "messages", COUNT, "Messages", "The messages by which these customers were reached."
        ),
        N_IMMATURE,
        N_UNOBSERVED,
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Whether total is below {SMALL_N}: read the interval, not the share.",
        ),
        Column("method", TEXT, "Interval", "wilson: customers are independent."),
        replace(UNIT, what="What is counted: customer."),
        Column(
            "of",
            TEXT,
            "Reached",
            "What it takes to be reached: sent, delivered or engaged.",
        ),
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)
