"""What answers cover: of whom, which days, how complete, and in which format."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import polars as pl

from optimove_analysis.schema import COVERAGE

__all__ = ["Answers", "Covered", "coverage"]


class Answers(NamedTuple):
    """The interactions of an audience, and what each answer covers."""

    interactions: pl.DataFrame
    """``schema.INTERACTIONS``."""
    coverage: pl.DataFrame
    """``schema.COVERAGE``: one row an answer, those without interactions included."""
    failures: pl.DataFrame
    """``schema.FAILURES``: one row a customer whose interactions could not be had."""

    def __repr__(self) -> str:
        many = "" if self.coverage.height == 1 else "s"
        return (
            f"Answers: {self.coverage.height:,} answer{many} with {self.interactions.height:,} "
            f"interactions; {self.failures.height:,} failed"
        )


class Covered(NamedTuple):
    """What one answer covers, but for its interactions."""

    customer_id: str
    start: date
    end: date
    fetched_at: datetime
    last_update: date | None
    known_through: date
    found: bool
    format: str | None


def coverage(answers: Sequence[Covered], interactions: pl.DataFrame) -> pl.DataFrame:
    """Return what answers cover (`schema.COVERAGE`), in their order."""
    schema = {name: COVERAGE.schema[name] for name in Covered._fields}
    # The instants in UTC: each has the offset of the computer that fetched it.
    rows = [one._replace(fetched_at=one.fetched_at.astimezone(UTC)) for one in answers]
    counts = interactions.group_by("customer_id").agg(rows=pl.len().cast(pl.Int64))
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .join(counts, on="customer_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("rows").fill_null(0),
            data_through=pl.min_horizontal("end", "known_through"),
        )
        .select(COVERAGE.names)
    )
