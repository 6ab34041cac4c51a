"""What an archive keeps: interactions with the answer that each is of, and what answers cover."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.rows import COUNT, DAY, INTERACTIONS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["ANSWER_KEY", "ARCHIVED", "COVERAGE"]

_INSTANT: Final = pl.Datetime("us", "UTC")

_FETCHED_AT = Column("fetched_at", _INSTANT, "Fetched at", "When the answer was fetched, UTC.")

COVERAGE: Final = Table(
    "coverage",
    "One row an answer about a customer and a range of days, those without interactions included; "
    "an archive's are by customer and range, and no two of one customer share a day.",
    (
        INTERACTIONS["customer_id"],
        Column("start", DAY, "From", "The first day that was asked about."),
        Column("end", DAY, "To", "The last day that was asked about."),
        _FETCHED_AT,
        Column(
            "last_update",
            DAY,
            "Last update",
            "The day through which the API's data was complete at the fetch, as it said.",
            "the API did not say",
        ),
        Column(
            "known_through",
            DAY,
            "Known through",
            "The earlier of the last update and the day of the fetch. What comes later may still "
            "change the answer.",
        ),
        Column(
            "data_through",
            DAY,
            "Data through",
            "As the answer's interactions have it. In an archive later than the range's end, up to "
            "`known_through`, where the days that follow are covered too.",
        ),
        Column("found", pl.Boolean(), "Found", "Whether the API knows the customer."),
        Column(
            "format",
            TEXT,
            "Format",
            "The response format of the answer.",
            "the answer had no interactions, which look alike in all formats",
        ),
        Column("rows", COUNT, "Rows", "The interactions in the answer."),
    ),
)

ARCHIVED: Final = Table(
    "archived interactions",
    "One row an event, with the answer that it is of: what lies in an archive's table.",
    (
        *INTERACTIONS.columns,
        Column("asked_from", DAY, "Asked from", "The first day that the row's answer is about."),
        Column("asked_to", DAY, "Asked to", "The last day that the row's answer is about."),
        _FETCHED_AT,
        Column(
            "bucket",
            pl.Int32(),
            "Bucket",
            "The part of the archive in which all rows of the customer are: CRC-32 of the id, "
            "modulo the number of buckets.",
        ),
    ),
)

ANSWER_KEY: Final = {
    "customer_id": "customer_id",
    "start": "asked_from",
    "end": "asked_to",
    "fetched_at": "fetched_at",
}
"""How a row of `COVERAGE` and the rows of `ARCHIVED` that are of that answer find each other."""
