"""An audience, and the frame that its answers make: it grows, and the bodies do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Thread
from typing import Any, Final, NamedTuple

import polars as pl

from optimove_analysis.client.cache import Entry, Facts
from optimove_analysis.client.coverage import Covered, coverage
from optimove_analysis.client.fetch import Failure
from optimove_analysis.client.formats import name_of
from optimove_analysis.client.request_key import keys_of
from optimove_analysis.client.responses import FORMATS, ResponseFormat, parse
from optimove_analysis.client.session import Answer, Session
from optimove_analysis.errors import OptimoveAnalysisError, ResponseError, SchemaError
from optimove_analysis.schema import FAILURES, INTERACTIONS

__all__ = ["Audience", "Collected", "Frames"]

_BODIES: Final = 4_000
"""So many bodies make a batch; two are in memory at once."""
_BYTES: Final = 32_000_000
"""Or bodies of so many bytes."""
_LOOKED_UP: Final = 500
"""So many kept answers are looked up at once: their bodies are in memory, however large."""


class Collected(NamedTuple):
    """What could be had of an audience, and what could not."""

    interactions: pl.DataFrame
    failures: pl.DataFrame
    """``schema.FAILURES``: one row a customer whose interactions could not be had."""

    def __repr__(self) -> str:
        # That of a tuple would put both frames into one line of brackets.
        return f"{self._said()}\n{self.failures}" if self.failures.height else self._said()

    def _repr_html_(self) -> str:
        table = self.failures._repr_html_() if self.failures.height else ""
        return f"<div><p>{self._said()}</p>{table}</div>"

    def _said(self) -> str:
        rows, failed = self.interactions.height, self.failures.height
        many = "" if failed == 1 else "s"
        return f"Collected: {rows:,} interactions; {failed:,} customer{many} failed"


@dataclass(frozen=True)
class Audience:
    """Customers and a range of days, as the requests that they are."""

    path: str
    ids: Sequence[str]
    first: date
    last: date
    formats: Sequence[ResponseFormat] = ()
    keys: list[str] = field(init=False, repr=False)
    """The cache's key of each customer's request, in the order of the ids."""

    def __post_init__(self) -> None:
        keys = keys_of(self.path, self._span(), "CustomerID", self.ids)
        object.__setattr__(self, "keys", keys)

    def params(self, customer_id: str) -> dict[str, str]:
        """Return the parameters of a customer's request."""
        return {"CustomerID": customer_id, **self._span()}

    def frame(self, answers: Sequence[tuple[str, Answer | Entry]]) -> pl.DataFrame:
        """Return the interactions in (customer, answer) pairs, in their order."""
        through, bodies = self._through, []
        for one, answer in answers:
            bodies.append((one, answer.body, through(answer.fetched_at.date(), answer.last_update)))
        return parse(bodies, formats=(*self.formats, *FORMATS))

    def covered(self, customer_id: str, answer: Answer | Entry) -> Covered:
        """Return what an answer covers."""
        fetched, updated = answer.fetched_at, answer.last_update
        known = fetched.date() if updated is None else min(fetched.date(), updated)
        form = name_of(answer.body, (*self.formats, *FORMATS))
        return Covered(
            customer_id, self.first, self.last, fetched, updated, known, answer.found, form
        )

    def check(self, customer_id: str, body: bytes) -> None:
        """Raise if an answer cannot be read as interactions."""
        parse([(customer_id, body, None)], formats=(*self.formats, *FORMATS))

    def _span(self) -> dict[str, str]:
        return {"StartDate": self.first.isoformat(), "EndDate": self.last.isoformat()}

    def _through(self, fetched: date, updated: date | None) -> date:
        # The day of the fetch on the calendar of the computer that fetched: the account's time
        # zone is not documented, and another computer must read the same from a snapshot.
        through = min(self.last, fetched)
        return through if updated is None else min(through, updated)


class Frames:
    """Turns answers into one frame, a batch of bodies at a time.

    A batch is read in another thread while the next one is gathered.
    """

    def __init__(
        self, session: Session, audience: Audience, *, collects: bool, covers: bool = False
    ) -> None:
        self._session, self._audience, self.collects = session, audience, collects
        self._covered: list[Covered] | None = [] if covers else None
        self._parts: list[pl.DataFrame] = []
        self._waiting: list[tuple[str, Answer | Entry]] = []
        self._bytes = 0
        self._reading: Future[tuple[list[pl.DataFrame], list[Failure]]] | None = None
        self._in_order = True
        self.failures: list[Failure] = []

    def add_kept(self, good: Callable[[Facts], bool]) -> list[str]:
        """Add kept answers that are good; return the customers of the others."""
        missing: list[str] = []
        ids, keys = self._audience.ids, self._audience.keys
        for start in range(0, len(ids), _LOOKED_UP):
            some = keys[start : start + _LOOKED_UP]
            entries = self._session.cache.entries(some)
            used: dict[str, datetime] = {}
            for one, key in zip(ids[start : start + _LOOKED_UP], some, strict=True):
                entry = entries.get(key)
                if entry is None or not good(entry.facts):
                    missing.append(one)
                else:
                    used[key] = entry.fetched_at
                    self._hold(one, entry)
            self._session.use(used)
        return missing

    def add(self, one: str, answer: Answer) -> None:
        """Add an answer."""
        self._in_order = False
        self._hold(one, answer)

    def _hold(self, one: str, answer: Answer | Entry) -> None:
        if self._covered is not None:
            self._covered.append(self._audience.covered(one, answer))
        self._waiting.append((one, answer))
        self._bytes += len(answer.body)
        if len(self._waiting) >= _BODIES or self._bytes >= _BYTES:
            self._parse()

    def collected(self) -> Collected:
        """Return what came in, in the order of the ids."""
        try:
            parts, failures = self._read(self._waiting)  # while the batch before is read
        finally:
            self._wait()  # if both fail, the error is that of the first customer
        self._parts += parts
        self.failures += failures
        frame = pl.concat(self._parts) if self._parts else INTERACTIONS.empty()
        ids = list(self._audience.ids)
        order = dict(zip(ids, range(len(ids)), strict=True))
        if not self._in_order:
            position = pl.col("customer_id").replace_strict(
                pl.Series(ids, dtype=pl.String),
                pl.Series(range(len(ids)), dtype=pl.UInt32),
                return_dtype=pl.UInt32,
            )
            frame = frame.sort(position, maintain_order=True)
        self.failures.sort(key=lambda failure: order[failure.customer_id])
        rows = [
            (one, type(error).__name__, getattr(error, "status", None), str(error))
            for one, error in self.failures
        ]
        return Collected(frame, pl.DataFrame(rows, schema=FAILURES.schema, orient="row"))

    def coverage(self, collected: Collected) -> pl.DataFrame:
        """Return what the answers cover (`schema.COVERAGE`), in the order of the ids."""
        failed = {failure.customer_id for failure in self.failures}
        order = {one: place for place, one in enumerate(self._audience.ids)}
        covered = [one for one in self._covered or () if one.customer_id not in failed]
        covered.sort(key=lambda one: order[one.customer_id])
        return coverage(covered, collected.interactions)

    def _parse(self) -> None:
        self._wait()
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        self._reading = Future()
        # A daemon, unlike an executor's: a user who gives up is not kept waiting.
        Thread(target=self._run, args=(self._reading, waiting), daemon=True).start()

    def _wait(self) -> None:
        if self._reading is not None:
            parts, failures = self._reading.result()
            self._reading = None
            self._parts += parts
            self.failures += failures

    def _run(self, result: Future[Any], waiting: list[tuple[str, Answer | Entry]]) -> None:
        try:
            result.set_result(self._read(waiting))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            result.set_exception(error)

    def _read(
        self, waiting: list[tuple[str, Answer | Entry]]
    ) -> tuple[list[pl.DataFrame], list[Failure]]:
        if not waiting:
            return [], []
        try:
            return [self._audience.frame(waiting)], []
        except (SchemaError, ResponseError):
            # Only kept answers can get here: others were parsed before they were kept.
            if not self.collects:
                raise
        parts, failures = [], []
        for one, answer in waiting:
            try:
                parts.append(self._audience.frame([(one, answer)]))
            except OptimoveAnalysisError as error:
                failures.append(Failure(one, error))
        return parts, failures
