"""Interactions from Parquet files of the user's, as if the API had answered with them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

import polars as pl

from optimove_analysis.archive.layout import buckets_of
from optimove_analysis.errors import InputError, SchemaError, suggest
from optimove_analysis.schema import COVERAGE, INTERACTIONS

__all__ = ["Columns", "Export", "read_export"]

Columns: TypeAlias = Mapping[str, str]
"""Our column to that of the files."""

_FORMAT: Final = "imported"


@dataclass(frozen=True)
class Export:
    """Interactions in files, checked, and what they are complete for."""

    rows: pl.LazyFrame
    customers: Sequence[str]
    start: date
    end: date
    through: date

    def parts(self, buckets: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Yield coverage and interactions, of as many customers at once as share a bucket."""
        at = datetime.now(UTC)
        where = buckets_of(self.customers, buckets)
        for part in where.partition_by("bucket", maintain_order=True):
            ids = part.select("customer_id")
            rows = _read(self.rows.join(ids.lazy(), on="customer_id", how="semi"))
            counts = rows.group_by("customer_id").agg(rows=pl.len().cast(pl.Int64))
            covered = ids.join(counts, on="customer_id", how="left", maintain_order="left")
            yield (
                covered.with_columns(
                    pl.col("rows").fill_null(0),
                    start=pl.lit(self.start),
                    end=pl.lit(self.end),
                    fetched_at=pl.lit(at).dt.cast_time_unit("us"),
                    last_update=pl.lit(self.through),
                    known_through=pl.lit(self.through),
                    data_through=pl.lit(min(self.end, self.through)),
                    found=pl.lit(True),
                    format=pl.lit(_FORMAT),
                ).select(COVERAGE.names),
                rows,
            )


def read_export(
    path: str | os.PathLike[str],
    columns: Columns,
    customers: Sequence[str] | None,
    days: tuple[date, date],
    *,
    through: date,
) -> Export:
    """Look at files, and say what is wrong with them; see `Archive.import_parquet`."""
    start, end = days
    try:
        files = pl.scan_parquet(os.fspath(path))
        seen = files.collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({error}).") from error
    for ours, theirs in columns.items():
        if ours not in INTERACTIONS.names:
            known = suggest(ours, INTERACTIONS.names)
            raise InputError(f"columns: {ours!r} is no column of interactions; {known}")
        if theirs not in seen:
            raise SchemaError(
                f"{path} has no column {theirs!r}, for {ours!r}; {_has(theirs, seen)}"
            )
    _check_missing(path, columns, seen)
    rows = files.select(_column(name, columns.get(name, name), seen) for name in INTERACTIONS.names)
    rows = rows.with_columns(data_through=pl.lit(min(end, through)))
    _read(rows.select(pl.all().count()))  # all values, before anything is written
    found = _read(rows.select(pl.col("customer_id").unique()))["customer_id"]
    if found.null_count():
        raise InputError(f"{path} has rows without a customer: whose are they?")
    named = found.sort().to_list() if customers is None else list(customers)
    if customers is not None and (unknown := sorted(set(found) - set(customers))):
        raise InputError(
            f"{path} has {len(unknown):,} customers who are not among customers=..., as "
            f"{unknown[0]}: give all, or leave it out."
        )
    if not named:
        raise InputError(f"{path} has no rows: of which customers it has none, customers=... says.")
    return Export(rows, named, start, end, through)


def _check_missing(
    path: str | os.PathLike[str], columns: Columns, seen: Mapping[str, pl.DataType]
) -> None:
    missing = [
        column
        for column in INTERACTIONS.columns
        if not column.optional and columns.get(column.name, column.name) not in seen
    ]
    if missing:
        names = ", ".join(f"{column.name!r} ({column.what})" for column in missing)
        example = f"columns={{{missing[0].name!r}: ...}}"
        raise SchemaError(
            f"{path} lacks {names}. It has {', '.join(map(repr, seen))}: say which of these it is, "
            f"as {example}."
        )


def _column(ours: str, theirs: str, seen: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return our column of the files: as it is, converted without loss, or null where absent."""
    wanted = INTERACTIONS.schema[ours]
    if theirs not in seen:
        return pl.lit(None, wanted).alias(ours)
    given, column = seen[theirs], pl.col(theirs)
    if given == wanted:
        made = column
    elif wanted == pl.String and given.is_integer():
        made = column.cast(pl.String)
    elif wanted == pl.Int64 and (given.is_integer() or given == pl.String):
        made = column.cast(pl.Int64, strict=True)
    elif wanted == pl.Date and isinstance(given, pl.Datetime):
        made = column.dt.date()
    elif wanted == pl.Date and given == pl.String:
        made = column.str.to_date("%Y-%m-%d", strict=True)
    elif isinstance(wanted, pl.Datetime) and isinstance(given, pl.Datetime):
        made = column.dt.cast_time_unit("us")
        zone = made.dt.replace_time_zone if given.time_zone is None else made.dt.convert_time_zone
        made = zone("UTC")
    else:
        raise SchemaError(f"column {theirs!r} is {given}, and {ours!r} is {wanted}: cast it first.")
    return made.alias(ours)


def _read(plan: pl.LazyFrame) -> pl.DataFrame:
    try:
        return plan.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"the files have values that do not fit our columns: {error}") from error


def _has(name: str, seen: Mapping[str, pl.DataType]) -> str:
    return suggest(name, seen)
