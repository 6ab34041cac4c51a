"""Fetching into an archive what it lacks, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from optimove_analysis.archive.layout import buckets_of
from optimove_analysis.archive.ranges import missing
from optimove_analysis.client import OptimoveClient, Quota
from optimove_analysis.client.coverage import Answers
from optimove_analysis.client.fetch import Progress, ProgressOption, shown
from optimove_analysis.client.inputs import Ids, as_ids
from optimove_analysis.client.maturity import good, settled
from optimove_analysis.errors import ApiError, AuthError, OptimoveAnalysisError
from optimove_analysis.schema import FAILURES

if TYPE_CHECKING:
    from optimove_analysis.archive.tables import Tables

__all__ = ["BATCH", "Update", "update"]

BATCH: Final = 5_000
"""So many answers are written at once: seventeen minutes' worth at Optimove's quota."""
_ROUNDS: Final = 10
"""So often it is asked again what other writers have cut across."""


@dataclass(frozen=True, slots=True)
class Update:
    """What an update has done.

    >>> Update(customers=250, answers=30, rows=812)
    Update: 30 answers with 812 interactions came, 220 of 250 customers needed none
    """

    customers: int
    """Customers asked for."""
    answers: int = 0
    """Answers that came and were written."""
    rows: int = 0
    """Interactions in them."""
    failures: pl.DataFrame = field(default_factory=FAILURES.empty)
    """``schema.FAILURES``: one row a customer whose interactions could not be had."""

    def __repr__(self) -> str:
        failed = self.failures.height
        needed = self.customers - self.answers - failed
        return (
            f"Update: {self.answers:,} answers with {self.rows:,} interactions came, "
            f"{needed:,} of {self.customers:,} customers needed none"
            + (f", {failed:,} failed" if failed else "")
        )


def update(
    tables: Tables,
    client: OptimoveClient,
    customers: Ids,
    start: date,
    end: date,
    *,
    progress: ProgressOption,
    on_error: Literal["raise", "collect"],
    refresh: bool,
    now: Callable[[], datetime],
) -> Update:
    """Fetch what is missing or may have changed; see `Archive.update`."""
    # A client that replays pseudonyms takes real ids, and its frames have the others.
    ids = pl.DataFrame({"asked": as_ids(customers), "customer_id": client.customer_ids(customers)})
    began = now()
    tables.mend()
    failures: list[pl.DataFrame] = []
    came = rows = 0
    judge = _Judge(client, began, refresh=refresh)
    todo = _todo(tables, ids, start, end, judge)
    kept = ids.height - todo.height
    with shown(progress, todo.height) as show:
        for _ in range(_ROUNDS):
            if todo.is_empty():
                break
            refused: list[pl.Series] = []
            for batch in _batches(todo, tables.buckets):
                parts = []
                for (first, last), some in batch.group_by("start", "end", maintain_order=True):
                    so_far = Progress(came, kept, ids.height, 0.0, sum(f.height for f in failures))
                    found = client.answers(
                        some["asked"],
                        first,
                        last,
                        progress=_further(show, so_far, client.quota),
                        refresh=refresh,
                        on_error=on_error,
                    )
                    came += found.coverage.height
                    rows += found.interactions.height
                    failures.append(found.failures)
                    parts.append(found)
                refused.append(_take(tables, parts))
            again = ids.filter(pl.col("customer_id").is_in(pl.concat(refused).implode()))
            todo = _todo(tables, again, start, end, judge) if again.height else again
    if todo.height:
        raise OptimoveAnalysisError(
            f"other writers change the same ranges of {todo.height:,} customers all the time: "
            "update the archive again when they are done."
        )
    return Update(ids.height, came, rows, pl.concat([FAILURES.empty(), *failures]))


def _take(tables: Tables, parts: Sequence[Answers]) -> pl.Series:
    """Write answers; return the customers whose were refused."""
    covered = pl.concat(found.coverage for found in parts)
    if covered.height:
        written = tables.take(covered, pl.concat(found.interactions for found in parts))
        covered = covered.filter(~pl.col("customer_id").is_in(written.implode()))
    return covered["customer_id"]


@dataclass(slots=True)
class _Judge:
    """Tells which answers of an archive are good."""

    client: OptimoveClient
    began: datetime
    refresh: bool
    _asked: bool = False
    _updated: date | None = None

    def __call__(self, covered: pl.DataFrame) -> pl.Expr:
        """Return what tells it of answers; asks for the last data update if it matters."""
        settings = self.client.settings
        if settings.offline:
            return pl.lit(True)
        # What this update has fetched is good for it, however long it takes.
        fresh = pl.col("fetched_at") >= self.began
        if self.refresh:
            return fresh
        if not covered.select(settled(settings.settle_after, self.began)).to_series().all():
            self._ask()
        rules = good(settings.settle_after, settings.max_age, self._updated, self.began)
        return fresh | rules

    def _ask(self) -> None:
        if self._asked:
            return
        self._asked = True
        try:
            self._updated = self.client.last_update()
        except AuthError:
            raise
        except (ApiError, ValueError):
            self._updated = None  # the client warns of it when it fetches


def _todo(tables: Tables, ids: pl.DataFrame, start: date, end: date, judge: _Judge) -> pl.DataFrame:
    """Return whom to ask about which days: the ids, ``start`` and ``end``."""
    where = buckets_of(ids["customer_id"].to_list(), tables.buckets)
    covered = tables.covered.collect(
        tables.answers()
        .filter(pl.col("bucket").is_in(where["bucket"].unique().to_list()))
        .join(where.lazy(), on="customer_id", how="semi")
    )
    near = covered.filter(pl.col("start") <= end, pl.col("end") >= start)
    found = missing(near.with_columns(good=judge(near)), ids["customer_id"], start, end)
    return ids.join(found, on="customer_id", how="inner", maintain_order="left")


def _batches(todo: pl.DataFrame, buckets: int) -> Iterator[pl.DataFrame]:
    """Yield whom to ask, bucket by bucket: each is then rewritten as rarely as can be."""
    where = buckets_of(todo["customer_id"].to_list(), buckets)
    ordered = todo.join(where, on="customer_id", how="left", maintain_order="left").sort(
        "bucket", maintain_order=True
    )
    yield from ordered.iter_slices(BATCH)


def _further(
    show: Callable[[Progress], None], so_far: Progress, quota: Quota
) -> Callable[[Progress], None]:
    """Return what shows the progress of a part as that of the whole."""

    def tell(part: Progress) -> None:
        fetched = so_far.fetched + part.fetched + part.cached
        failed = so_far.failed + part.failed
        left = so_far.total - so_far.cached - fetched - failed
        show(Progress(fetched, so_far.cached, so_far.total, quota.eta(left), failed))

    return tell
