"""Many customers in slices of a few seconds each, so that what came can be shown meanwhile.

A fetch of an hour that shows nothing until its end would be given up. But a slice costs a little,
so it grows where answers are kept: a hundred thousand of them are read in a few dozen slices.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from optimove_analysis.errors import OptimoveAnalysisError
from optimove_analysis.forms.source import AudienceSource, Progress
from optimove_analysis.schema import FAILURES, INTERACTIONS

__all__ = ["Part", "Slices", "SoFar", "clock"]

_FIRST: Final = 32
_FEWEST: Final = 8
_QUICK, _SLOW = 1.5, 4.0
"""Seconds of a slice: below the one the next is twice as large, above the other half."""
_IN_A_ROW: Final = 20
"""So many failures with no answer between them are no customer's own."""


@dataclass(slots=True)
class Part:
    """Customers and days to fetch, and what came of them; every id is asked for once."""

    name: str
    ids: Sequence[str]
    start: dt.date
    end: dt.date
    frames: list[pl.DataFrame] = field(default_factory=list)
    failures: list[pl.DataFrame] = field(default_factory=list)
    asked: int = 0
    """So many of the ids, from the first on, were asked for."""

    @property
    def interactions(self) -> pl.DataFrame:
        """What came, in the order of the ids."""
        return pl.concat(self.frames) if self.frames else INTERACTIONS.empty()

    @property
    def failed(self) -> pl.DataFrame:
        """Whose interactions could not be had, and why."""
        return pl.concat(self.failures) if self.failures else FAILURES.empty()

    @property
    def came(self) -> list[str]:
        """The customers who were answered for."""
        gone = set(self.failed["customer_id"])
        return [one for one in self.ids[: self.asked] if one not in gone]

    @property
    def share(self) -> float:
        """How much of it was asked for, 0 to 1."""
        return self.asked / len(self.ids)


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far all parts together have come.

    >>> print(SoFar(fetched=30, cached=1_200, failed=1, total=5_000, eta=754.0))
    1,231 done (30 fetched, 1,200 were kept, 1 failed), about 12:34 left
    """

    fetched: int
    cached: int
    failed: int
    total: int
    eta: float

    def __str__(self) -> str:
        done = self.fetched + self.cached + self.failed
        counts = [(self.fetched, "fetched"), (self.cached, "were kept"), (self.failed, "failed")]
        told = ", ".join(f"{number:,} {what}" for number, what in counts if number)
        left = f", about {clock(self.eta)} left" if done < self.total and self.eta >= 1 else ""
        return f"{done:,} done{f' ({told})' if told else ''}{left}"


def clock(seconds: float) -> str:
    """Write a duration as people read it.

    >>> clock(7.2), clock(990.2), clock(13_000)
    ('0:07', '16:30', '3:36:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Slices:
    """Fetches parts a slice at a time, evenly, so that two of them can be compared meanwhile."""

    def __init__(
        self,
        source: AudienceSource,
        parts: Sequence[Part],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.parts = parts
        self._source, self._now = source, now
        self._warm = self._cold = _FIRST
        self._fetched = self._cached = self._failed = self._in_a_row = 0
        self._total = sum(len(part.ids) for part in parts)
        self._to_fetch, self._end = 0, now()
        self._asking_since: float | None = None

    def __iter__(self) -> Iterator[None]:
        """Fetch; see `gather`, without progress."""
        return self.gather(lambda _: None)

    def gather(self, progress: Callable[[SoFar], None]) -> Iterator[None]:
        """Fetch all parts, and come up for air after each slice.

        Args:
            progress: is told how far all is; what it raises ends the fetch.

        Raises:
            OptimoveAnalysisError: what is not one customer's failure; what came stays in the parts.
        """
        progress(self._so_far())
        for part in self.parts:
            plan = self._source.plan(list(part.ids), part.start, part.end)
            self._to_fetch += plan.to_fetch
            self._end += plan.seconds
            if plan.to_fetch and not plan.requests:  # offline: have the error name all of them
                self._warm = self._cold = len(part.ids)
        while (part := min(self.parts, key=lambda one: one.share)).share < 1:
            self._slice(part, progress)
            yield

    def _slice(self, part: Part, progress: Callable[[SoFar], None]) -> None:
        ids, to_fetch = self._next(part)
        began = self._now()
        if to_fetch and self._asking_since is None:
            self._asking_since = began
        found, failures = self._source.interactions(
            ids,
            part.start,
            part.end,
            progress=lambda now: progress(self._so_far(now)),
            on_error="collect",
        )
        took = self._now() - began
        part.frames.append(found)
        part.failures.append(failures)
        part.asked += len(ids)
        self._fetched += max(to_fetch - failures.height, 0)
        self._cached += len(ids) - max(to_fetch, failures.height)
        self._failed += failures.height
        self._adapt(len(ids), took, cold=to_fetch > 0)
        progress(self._so_far())
        self._judge(failures, len(ids))

    def _next(self, part: Part) -> tuple[list[str], int]:
        """Return the next ids, fewer where they must be asked for, and how many of them must."""
        take = self._warm
        while True:
            ids = list(part.ids[part.asked : part.asked + take])
            to_fetch = self._source.plan(ids, part.start, part.end).to_fetch
            if to_fetch <= self._cold or take <= self._cold:
                return ids, to_fetch
            take = max(take // 2, self._cold)

    def _adapt(self, size: int, took: float, *, cold: bool) -> None:
        if took < _QUICK:
            if cold:
                self._cold = max(self._cold, min(2 * self._cold, 2 * size))
            self._warm = max(self._warm, 2 * size)
        elif took > _SLOW:
            if cold:
                self._cold = max(min(self._cold, size) // 2, _FEWEST)
            else:
                self._warm = max(size // 2, _FEWEST)

    def _judge(self, failures: pl.DataFrame, of: int) -> None:
        """End it where nobody gets through: a source sees no more than its own slice."""
        self._in_a_row = self._in_a_row + failures.height if failures.height == of else 0
        if self._in_a_row >= _IN_A_ROW:
            raise OptimoveAnalysisError(
                f"the last {self._in_a_row} customers all failed, the last one so: "
                f"{failures['message'][-1]}"
            )

    def _so_far(self, now: Progress | None = None) -> SoFar:
        fetched, cached, failed = self._fetched, self._cached, self._failed
        eta = max(self._end - self._now(), 0.0)
        if now is not None:
            fetched, cached, failed = (
                fetched + now.fetched,
                cached + now.cached,
                failed + now.failed,
            )
            eta = max(eta, now.eta)
        asked = fetched + failed
        if asked >= _FEWEST and self._asking_since is not None:  # slower than the quota, perhaps
            pace = (self._now() - self._asking_since) / asked
            eta = max(eta, pace * (self._to_fetch - asked))
        return SoFar(fetched, cached, failed, self._total, eta)
