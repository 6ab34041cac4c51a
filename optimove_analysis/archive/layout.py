"""How an archive is laid out: in which bucket a customer is, and in which order rows lie."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import polars as pl

from optimove_analysis.schema import ARCHIVED, COVERAGE

__all__ = [
    "BUCKET",
    "BUCKETS",
    "COVERAGE_COLUMNS",
    "ROW_COLUMNS",
    "bucket_of",
    "buckets_of",
    "in_buckets",
    "in_order",
]

BUCKET: Final = "bucket"

BUCKETS: Final = 16
"""So many parts are right for up to some million customers: each is rewritten as a whole."""

ROW_COLUMNS: Final = pl.Schema(
    {name: dtype for name, dtype in ARCHIVED.schema.items() if name != BUCKET}
)
COVERAGE_COLUMNS: Final = COVERAGE.schema


def bucket_of(customer_id: str, buckets: int) -> int:
    """Return the bucket of a customer: one that Spark (``crc32``) and others can work out too.

    >>> bucket_of("841231", 16)
    5
    """
    return zlib.crc32(customer_id.encode()) % buckets


def buckets_of(customer_ids: Sequence[str], buckets: int) -> pl.DataFrame:
    """Return the bucket of each customer, once each: ``customer_id``, ``bucket``."""
    ids = list(dict.fromkeys(customer_ids))
    return pl.DataFrame(
        {"customer_id": ids, BUCKET: [bucket_of(one, buckets) for one in ids]},
        schema={"customer_id": pl.String, BUCKET: pl.Int32},
    )


def in_buckets(frame: pl.DataFrame, buckets: int) -> dict[int, pl.DataFrame]:
    """Return the rows of each bucket that has any."""
    where = buckets_of(frame["customer_id"].unique().to_list(), buckets)
    placed = frame.join(where, on="customer_id", how="left", maintain_order="left")
    parts = placed.partition_by(BUCKET, as_dict=True, include_key=False, maintain_order=True)
    return {int(bucket): rows for (bucket,), rows in parts.items()}


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return interactions as they lie in a file: by month, customer and day, else as they came.

    By month first: a period is read from a part of the file, and a customer, who is in one file of
    many, from one piece of each month.
    """
    return rows.sort(pl.col("date").dt.truncate("1mo"), "customer_id", "date", maintain_order=True)
