"""What an archive holds, as a text and as a table for the notebook."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from optimove_analysis.client.cache_info import size_text

if TYPE_CHECKING:
    from optimove_analysis.archive.tables import Tables

__all__ = ["ArchiveInfo"]


@dataclass(frozen=True, slots=True)
class ArchiveInfo:
    """What an archive holds.

    >>> from datetime import date, datetime, UTC
    >>> ArchiveInfo("archive", 12, datetime(2026, 1, 2, tzinfo=UTC), "api5.optimove.net", 16, 16,
    ...     5_000_000, 3, 16_000_000, 40_000, 40_100, date(2025, 1, 1), date(2025, 12, 31),
    ...     datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    archive: 5,000,000 interactions of 40,000 customers, 2025-01-01 to 2025-12-31
      answers   40,100, fetched 2026-01-01 to 2026-01-02 from api5.optimove.net
      version   12, of 2026-01-02 00:00 UTC
      on disk   16.0 MB in 16 files, 3.2 bytes a row; 3 files more with earlier states
    """

    path: str
    version: int
    """Of the interactions."""
    changed_at: datetime
    instance: str
    """Whose answers they are; empty: imported files."""
    buckets: int
    files: int
    rows: int
    files_of_history: int
    """Files of earlier states, which `Archive.compact` removes; 0 where it cannot be seen."""
    size: int
    """Bytes of the interactions, without earlier states."""
    customers: int
    """Customers that there are answers about."""
    answers: int
    first_day: date | None
    """The first day that an answer is about."""
    last_day: date | None
    first_fetched_at: datetime | None
    last_fetched_at: datetime | None

    @classmethod
    def of(cls, tables: Tables, opened: Any, coverage: pl.LazyFrame) -> Self:  # noqa: ANN401
        """Read it of an archive's tables."""
        files = tables.rows.sizes(opened)
        covered = tables.covered.collect(
            coverage.select(
                customers=pl.col("customer_id").n_unique(),
                answers=pl.len(),
                first_day=pl.col("start").min(),
                last_day=pl.col("end").max(),
                first_fetched_at=pl.col("fetched_at").min(),
                last_fetched_at=pl.col("fetched_at").max(),
            )
        ).row(0, named=True)
        about = tables.about()
        latest = next(tables.rows.log(opened))[1]["timestamp"]
        return cls(
            path=tables.uri,
            version=opened.version(),
            changed_at=datetime.fromtimestamp(latest / 1000, UTC),
            instance=about["instance"],
            buckets=int(about["buckets"]),
            files=files.height,
            rows=int(files["rows"].sum()),
            files_of_history=max(tables.rows.files_there() - files.height, 0),
            size=int(files["size"].sum()),
            **covered,
        )

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
        }

    def __str__(self) -> str:
        return "\n".join([self._caption(), *(f"  {k:8}  {v}" for k, v in self._rows())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        rows = "".join(
            f'<tr><th scope="row" {left}>{name}</th><td {left}>{html.escape(what)}</td></tr>'
            for name, what in self._rows()
        )
        caption = f"<caption {left}>{html.escape(self._caption())}</caption>"
        return f"<table>{caption}<tbody>{rows}</tbody></table>"

    def _caption(self) -> str:
        days = "" if self.first_day is None else f", {self.first_day} to {self.last_day}"
        return f"{self.path}: {self.rows:,} interactions of {self.customers:,} customers{days}"

    def _rows(self) -> list[tuple[str, str]]:
        answers = f"{self.answers:,}"
        if self.first_fetched_at is not None and self.last_fetched_at is not None:
            days = dict.fromkeys(
                at.date().isoformat() for at in (self.first_fetched_at, self.last_fetched_at)
            )
            answers += f", fetched {' to '.join(days)}"
            answers += f" from {self.instance}" if self.instance else ""
        disk = f"{size_text(self.size)} in {self.files:,} files"
        if self.rows:
            disk += f", {self.size / self.rows:.1f} bytes a row"
        if self.files_of_history:
            disk += f"; {self.files_of_history:,} files more with earlier states"
        return [
            ("answers", answers),
            ("version", f"{self.version}, of {self.changed_at:%Y-%m-%d %H:%M} UTC"),
            ("on disk", disk),
        ]
