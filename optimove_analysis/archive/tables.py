"""The two tables of an archive, and how answers get into them.

Answers are announced first, beside those that they are to replace; then the interactions are
written, then what they cover: each in one step, that a kill leaves undone or done. In between the
interactions decide which answers there are (`ranges.still_held`); `Tables.mend` writes what is
covered again where somebody was killed there. Were answers not announced, a kill would leave
interactions of which nobody knows what they cover.
"""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import polars as pl
from filelock import FileLock

from optimove_analysis.archive.delta import OvertakenError, Table
from optimove_analysis.archive.layout import (
    BUCKET,
    COVERAGE_COLUMNS,
    ROW_COLUMNS,
    bucket_of,
    in_buckets,
    in_order,
)
from optimove_analysis.archive.ranges import chained, disjoint, replaced_by, still_held, taken
from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.schema import ANSWER_KEY

__all__ = ["Tables"]

_ABOUT: Final = "optimove."
"""What the names of our table's properties begin with."""
_BATCH: Final = "batch"
"""In both logs: which change of the interactions was the last."""
_ANNOUNCED: Final = "announced"
"""In the log of what is covered: the announcements there whose answers are not recorded yet."""
_MORE: Final = "more"
"""Among the announcements: there may be answers that were replaced, or never written."""
_AT_WORK: Final = timedelta(hours=1)
"""An announcement that is as old as that is of a writer who was killed."""
_SEEN: Final = "interactions_version"
"""In the log of what is covered: which version of the interactions it is of."""
_ROWS_AT_ONCE: Final = 5_000_000
"""So many rows are rewritten at once, and at least one bucket."""
_ABANDONED: Final = timedelta(days=1)
"""A file that no log has named for so long belongs to a writer who was killed."""
_TRIES: Final = 1_000
"""So often writers may overtake one before it says so: each time another has got on."""


@dataclass(frozen=True)
class Tables:
    """Both tables, wherever they lie."""

    uri: str
    rows: Table
    covered: Table
    lock: FileLock | None
    """Held while files are written that no log names yet, on this computer: see `vacuum`."""

    @classmethod
    def at(cls, uri: str, storage_options: Mapping[str, str] | None) -> Self:
        """Return those in a folder or beneath a URI; nothing is read or written."""
        local = "://" not in uri
        lock = FileLock(Path(uri) / ".lock") if local else None
        return cls(
            uri,
            Table(f"{uri}/interactions", ROW_COLUMNS, storage_options),
            Table(f"{uri}/coverage", COVERAGE_COLUMNS, storage_options),
            lock,
        )

    def make(self, about: Mapping[str, object]) -> None:
        """Make both tables, unless they are there."""
        if self.lock is not None:
            try:
                Path(self.uri).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"{self.uri} cannot be made a folder ({error}).") from error
        said = {f"{_ABOUT}{name}": str(value) for name, value in about.items()}
        self.covered.create(about={}, description="Which answers the interactions are of.")
        # Last: where it is, the archive is whole.
        self.rows.create(about=said, description="Interactions of customers with campaigns.")

    def about(self) -> dict[str, str]:
        """Return what was said when the archive was made."""
        said = self.rows.opened().metadata().configuration
        return {k.removeprefix(_ABOUT): v for k, v in said.items() if k.startswith(_ABOUT)}

    @property
    def buckets(self) -> int:
        """The number of buckets."""
        return int(self.about()["buckets"])

    def take(self, answers: pl.DataFrame, interactions: pl.DataFrame) -> pl.Series:
        """Put answers in the place of those that they cover.

        Args:
            answers: `schema.COVERAGE`.
            interactions: `schema.INTERACTIONS` of these answers.

        Returns:
            The customers whose answers were taken; `ranges.taken` says which are not.
        """
        known = answers.select(list(ANSWER_KEY)).rename(ANSWER_KEY)
        rows = interactions.join(known, on="customer_id", how="left", maintain_order="left")
        buckets = self.buckets
        new, came = in_buckets(answers, buckets), in_buckets(rows, buckets)
        nothing = rows.clear()
        accepted: dict[int, pl.DataFrame] = {}

        def rewritten(bucket: int, held: pl.DataFrame, covered: pl.DataFrame) -> pl.DataFrame:
            accepted[bucket] = taken(new[bucket], covered)
            return _replaced(held, covered, accepted[bucket], came.get(bucket, nothing))

        def recorded(bucket: int, covered: pl.DataFrame) -> pl.DataFrame:
            others = covered.join(new[bucket], on=list(ANSWER_KEY), how="anti")
            return pl.concat([others, accepted[bucket]])

        for some in self._groups(list(new)):
            with self._locked():
                announcement = self._announce(some, new)
                self._rewrite(some, rewritten)
                self._record(some, recorded, announcement)
        return pl.concat(accepted.values())["customer_id"]

    def erase(self, customer_ids: Sequence[str]) -> int:
        """Take customers out of both tables; return how many rows they had. History has them."""
        gone = pl.DataFrame({"customer_id": list(customer_ids)})
        erased: dict[int, int] = {}

        def without(frame: pl.DataFrame) -> pl.DataFrame:
            return frame.join(gone, on="customer_id", how="anti", maintain_order="left")

        def rewritten(bucket: int, held: pl.DataFrame, _covered: pl.DataFrame) -> pl.DataFrame:
            kept = without(held)
            erased[bucket] = held.height - kept.height
            return kept

        self.mend()
        buckets = self.buckets
        for some in self._groups(sorted({bucket_of(one, buckets) for one in customer_ids})):
            with self._locked():
                self._rewrite(some, rewritten)
                self._record(some, lambda _, covered: without(covered), "")
        return sum(erased.values())

    def tidy(self) -> None:
        """Make one file, in order, of each bucket that others have made several of."""
        for table, order in ((self.rows, in_order), (self.covered, chained)):
            self._alone(partial(_tidied, table, order))
        self.mend()

    def mend(self) -> None:
        """Write what is covered again, if somebody was killed before that."""
        with self._locked():  # who may not write hears it here, before anything is fetched
            covered = self.covered.opened()
            since = time.time() - _AT_WORK.total_seconds()
            others = self._announced(covered) - {_MORE} if self.lock is None else set()
            if any(float(one.partition("-")[0]) > since for one in others):
                return  # another writer may be at work, whose announcement this would drop
            if self._is_torn(covered, self.rows.opened()):
                self._record(range(self.buckets), lambda _, covered: covered)

    def answers(self) -> pl.LazyFrame:
        """Return what the interactions cover, be it recorded or only announced."""
        covered, rows = self.covered.opened(), self.rows.opened()
        if not self._is_torn(covered, rows):
            return self.covered.scan(covered)
        parts = [
            self._resolved(self.covered.read(covered, bucket), rows, bucket).with_columns(
                pl.lit(bucket, pl.Int32).alias(BUCKET)
            )
            for bucket in range(self.buckets)
        ]
        return pl.concat(parts).lazy()

    def _is_torn(self, covered: Any, rows: Any) -> bool:  # noqa: ANN401 - deltalake's
        """Tell whether a writer has not recorded what it announced, or has written."""
        if self._announced(covered):
            return True
        return bool(self.rows.latest(rows, _BATCH) != self.covered.latest(covered, _BATCH))

    def _announced(self, covered: Any) -> set[str]:  # noqa: ANN401 - deltalake's
        """Return the announcements that are not recorded yet."""
        return set((self.covered.latest(covered, _ANNOUNCED) or "").split())

    def _resolved(self, answers: pl.DataFrame, rows: Any, bucket: int) -> pl.DataFrame:  # noqa: ANN401
        """Return those of a bucket's answers that the interactions hold."""
        held = self.rows.read(rows, bucket, list(ANSWER_KEY.values()))
        return chained(disjoint(still_held(answers, held)))

    def covered_as_of(self, version: int) -> int | None:
        """Return the version of what is covered that belongs to one of the interactions."""
        said = self.covered.said(self.covered.opened(), _SEEN)
        return next((found for found, seen in said if int(seen) <= version), None)

    def vacuum(self, *, older_than: timedelta) -> int:
        """Remove the files of versions that ended so long ago; return how many there were.

        And those of writers who were killed: at once where the archive lies on this computer, as
        no other writer is at work then; elsewhere when they have lain there for a day.
        """
        with self._locked():
            removed = 0
            for table in (self.rows, self.covered):
                removed += table.vacuum(older_than=older_than, full=self.lock is not None)
                if self.lock is None:
                    removed += table.vacuum(older_than=max(older_than, _ABANDONED), full=True)
            return removed

    def _groups(self, buckets: Sequence[int]) -> list[list[int]]:
        """Return the buckets in groups that are rewritten at once: as memory allows."""
        sizes = self.rows.sizes(self.rows.opened()).group_by(BUCKET).agg(pl.col("rows").sum())
        rows = dict(sizes.iter_rows())
        groups: list[list[int]] = [[]]
        held = 0
        for bucket in buckets:
            if groups[-1] and held + rows.get(bucket, 0) > _ROWS_AT_ONCE:
                groups.append([])
                held = 0
            groups[-1].append(bucket)
            held += rows.get(bucket, 0)
        return groups

    def _rewrite(
        self,
        buckets: Sequence[int],
        rewritten: Callable[[int, pl.DataFrame, pl.DataFrame], pl.DataFrame],
    ) -> None:
        """Rewrite buckets of the interactions, all at once."""

        def once() -> None:
            opened, covered = self.rows.opened(), self.covered.opened()
            parts: dict[int, pl.DataFrame] = {}
            for bucket in buckets:
                held = self.rows.read(opened, bucket)
                there = still_held(self.covered.read(covered, bucket), held)
                rows = rewritten(bucket, held, there)
                if not rows.equals(held):
                    parts[bucket] = rows
            if parts:
                self.rows.replace(opened, parts, said={_BATCH: secrets.token_hex(8)})

        self._alone(once)

    def _announce(self, buckets: Iterable[int], new: Mapping[int, pl.DataFrame]) -> str:
        """Write of answers that they are to come, beside those that they are to replace."""
        announcement = f"{time.time():.0f}-{secrets.token_hex(8)}"
        which = list(ANSWER_KEY.values())

        def once() -> None:
            covered, opened = self.covered.opened(), self.rows.opened()
            parts: dict[int, pl.DataFrame] = {}
            for bucket in buckets:
                there = self.covered.read(covered, bucket)
                known = still_held(there, self.rows.read(opened, bucket, which))
                coming = taken(new[bucket], known).join(there, on=list(ANSWER_KEY), how="anti")
                parts[bucket] = pl.concat([there, coming])
            announced = sorted({*self._announced(covered), announcement})
            self.covered.replace(covered, parts, said={_ANNOUNCED: " ".join(announced)})

        self._alone(once)
        return announcement

    def _record(
        self,
        buckets: Iterable[int],
        changed: Callable[[int, pl.DataFrame], pl.DataFrame],
        announcement: str | None = None,
    ) -> None:
        """Write what is covered: what was and is changed, as far as the interactions hold it.

        Args:
            buckets: the buckets.
            changed: what makes a bucket's answers of those that were.
            announcement: the one that is settled by it, if any; None: all are, as the buckets are
                all that there are.
        """
        mine = set(buckets)

        def once() -> None:
            covered, opened = self.covered.opened(), self.rows.opened()
            others = (
                self._announced(covered) - {announcement} if announcement is not None else set()
            )
            # Where writers share a lock, who has it is the only one who is alive.
            living = others - {_MORE} if self.lock is None else set()
            which = range(self.buckets) if others and not living else buckets
            parts: dict[int, pl.DataFrame] = {}
            for bucket in which:
                there = self.covered.read(covered, bucket)
                answers = changed(bucket, there) if bucket in mine else there
                parts[bucket] = self._resolved(answers, opened, bucket)
                if living:  # what is not held may be what another is about to write
                    to_come = answers.join(parts[bucket], on=list(ANSWER_KEY), how="anti")
                    parts[bucket] = pl.concat([parts[bucket], to_come])
            left = {*living, _MORE} if living else set()
            said = {
                _ANNOUNCED: " ".join(sorted(left)),
                _BATCH: self.rows.latest(opened, _BATCH),
            }
            if not left:
                said[_SEEN] = opened.version()
            self.covered.replace(covered, parts, said=said)

        self._alone(once)

    def _alone(self, once: Callable[[], None]) -> None:
        """Do it; and again, if another writer was quicker."""
        with self._locked():
            for _ in range(_TRIES):
                try:
                    return once()
                except OvertakenError:
                    continue
        raise OptimoveAnalysisError(
            f"others write to {self.uri} all the time: call again when they are done."
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self.lock is None:
            yield
            return
        try:
            self.lock.acquire()
        except OSError as error:
            hint = "make room" if error.errno == errno.ENOSPC else "is the folder yours?"
            raise OptimoveAnalysisError(
                f"the archive {self.uri} cannot be written to ({error}): {hint}"
            ) from error
        try:
            yield
        finally:
            self.lock.release()


def _tidied(table: Table, order: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    opened = table.opened()
    where = table.sizes(opened)[BUCKET]
    for bucket in where.filter(where.is_duplicated()).unique():
        table.replace(opened, {bucket: order(table.read(opened, bucket))}, said={})
        opened = table.opened()


def _replaced(
    held: pl.DataFrame, covered: pl.DataFrame, answers: pl.DataFrame, came: pl.DataFrame
) -> pl.DataFrame:
    """Return a bucket's interactions with those of answers in the place of what these cover."""
    which = list(ANSWER_KEY.values())
    there = chained(replaced_by(answers, covered)).rename(ANSWER_KEY).select(*which, "data_through")
    touched = answers.select("customer_id")
    others = held.join(touched, on="customer_id", how="anti", maintain_order="left")
    # Of these customers only what is of some answer: the rest was replaced, or never recorded.
    # What comes may be there already, if its writer was killed before it was recorded.
    new = answers.select(list(ANSWER_KEY)).rename(ANSWER_KEY)
    theirs = pl.concat(
        frame.select(held.columns).join(
            touched, on="customer_id", how="semi", maintain_order="left"
        )
        for frame in (held.join(new, on=which, how="anti", maintain_order="left"), came)
    )
    known = theirs.drop("data_through").join(there, on=which, how="inner", maintain_order="left")
    return in_order(pl.concat([others, known.select(others.columns)]))
