"""The ordered funnel's tables: how far each customer got, and how many got how far."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.parts import AS_OF, NOTES, RATE
from optimove_analysis.schema.rows import COUNT, IDS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["ORDERED_FUNNEL", "ORDERED_FUNNEL_COUNTS"]

_WITHIN: Final = Column(
    "window",
    pl.Int32(),
    "Window",
    "Calendar days from the chain's first step, inclusive, in which its last one counts.",
    "the chain may take any time",
)
_MODE: Final = Column(
    "mode",
    TEXT,
    "Mode",
    "loose (other events between are fine), strict (no other step's between) or any (any order).",
)

ORDERED_FUNNEL: Final = Table(
    "ordered_funnel",
    "One row a customer of the interactions, in the order of the ids; the group's columns come "
    "first, and a column a step, of the step's name, with the day it was done, comes last.",
    (
        IDS[0],
        Column("furthest", TEXT, "Furthest step", "The step furthest down that was done.", "none"),
        Column("position", COUNT, "Position", "The furthest step's number, from 1; 0 for none."),
        Column("steps", COUNT, "Steps done", "Steps of the chain, optional ones included."),
        Column(
            "completed",
            pl.Boolean(),
            "Completed",
            "Whether the last step that is not optional was done.",
        ),
        Column(
            "days", COUNT, "Days", "Days from the chain's first event to its last.", "no step done"
        ),
        Column(
            "n_left_out",
            COUNT,
            "Left out",
            "Rows of the customer in no step: without a date, or of a control group (action 1).",
        ),
        _WITHIN,
        _MODE,
    ),
)


def _rate(prefix: str, label: str, over: str, nulls: str) -> tuple[Column, Column, Column]:
    return (
        Column(f"{prefix}_rate", RATE, label, f"customers / {over}, 0 to 1.", nulls),
        Column(f"{prefix}_lo", RATE, f"{label}, low", "Low end of the 95 % interval.", nulls),
        Column(f"{prefix}_hi", RATE, f"{label}, high", "High end of the 95 % interval.", nulls),
    )


ORDERED_FUNNEL_COUNTS: Final = Table(
    "ordered_funnel_counts",
    "One row a group and step, in the order of the steps; the group's columns come first, and "
    "groups are in their order.",
    (
        Column("step", TEXT, "Step", "The step, as the user named it."),
        Column("position", COUNT, "Position", "The step's number, from 1."),
        Column("optional", pl.Boolean(), "Optional", "Whether a chain may go on without it."),
        Column("customers", COUNT, "Customers", "Customers whose chain has the step."),
        Column("entered", COUNT, "Entered", "Customers with a chain of any length that counts."),
        *_rate("overall", "Of entered", "entered", "nobody entered"),
        Column(
            "previous",
            COUNT,
            "Of",
            "Customers whose chain has the step before, optional ones passed over.",
            "the first step",
        ),
        *_rate("step", "Of the step before", "previous", "the first step, or nobody came so far"),
        Column(
            "median_days",
            RATE,
            "Median days",
            "Median days from the chain's first event to the step.",
            "nobody came so far",
        ),
        Column("audience", COUNT, "Audience", "Customers of the group, whatever they did."),
        Column(
            "n_immature",
            COUNT,
            "Immature",
            "Customers who entered only in a window that had not closed by as_of; in no count.",
        ),
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Fewer than {SMALL_N} customers entered: read the interval, not the rate.",
        ),
        Column("method", TEXT, "Method", "How the interval is made: wilson, of customers."),
        Column("unit", TEXT, "Unit", "What is counted: customer."),
        _WITHIN,
        AS_OF,
        _MODE,
        NOTES,
    ),
)
