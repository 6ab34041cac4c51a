"""The interactions of an audience: what is kept, what must be asked, and how complete it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from optimove_analysis.client.cache import Entry, Facts, keys_of
from optimove_analysis.client.endpoints import INTERACTIONS_PATH
from optimove_analysis.client.fetch import Failure, ProgressOption, fetch_each
from optimove_analysis.client.last_update import LastUpdateWarning, kept_last_update, last_update
from optimove_analysis.client.maturity import Maturity
from optimove_analysis.client.responses import FORMATS, ResponseFormat, parse
from optimove_analysis.client.session import Answer, Session
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    OfflineError,
    OptimoveAnalysisError,
    QuotaError,
    ResponseError,
    SchemaError,
)
from optimove_analysis.schema import FAILURES, INTERACTIONS

__all__ = [
    "Audience",
    "Collected",
    "NotFoundWarning",
    "Survey",
    "interactions",
    "settles",
    "survey",
]

_NOT_FOUND: Final = 404
_BODIES: Final = 2_000
"""So many bodies are in memory at once, as the frame is made: it grows, they do not."""
_NAMED: Final = 5
"""So many of the customers that are missing are named."""


class NotFoundWarning(UserWarning):
    """Nobody was found by a function whose path is only assumed: perhaps the path is wrong."""


class Collected(NamedTuple):
    """What could be had of an audience, and what could not."""

    interactions: pl.DataFrame
    failures: pl.DataFrame
    """``schema.FAILURES``: one row a customer whose interactions could not be had."""


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
        bodies = ((one, answer.body, self._through(answer)) for one, answer in answers)
        return parse(bodies, formats=(*self.formats, *FORMATS))

    def _span(self) -> dict[str, str]:
        return {"StartDate": self.first.isoformat(), "EndDate": self.last.isoformat()}

    def _through(self, answer: Answer | Entry) -> date:
        # The day of the fetch on the calendar of the computer that fetched: the account's time
        # zone is not documented, and another computer must read the same from a snapshot.
        fetched = answer.fetched_at.date()
        return min(filter(None, [self.last, answer.last_update, fetched]))


class Survey(NamedTuple):
    """What the cache holds of an audience; positions in its ids."""

    good: list[int]
    doubtful: list[int]
    """Kept, not settled, and good if the data has not been updated since."""
    missing: list[int]
    facts: dict[str, Facts]

    def resolved(
        self, session: Session, audience: Audience, updated: date | None
    ) -> tuple[list[int], list[int]]:
        """Return what is good and what is missing, the last data update being known."""
        good, missing = list(self.good), list(self.missing)
        maturity, now = _maturity(session, audience), session.now()
        for position in self.doubtful:
            known = self.facts[audience.keys[position]]
            (good if maturity.current(known, updated, now) else missing).append(position)
        return sorted(good), sorted(missing)


def survey(session: Session, audience: Audience, *, refresh: bool, offline: bool) -> Survey:
    """Look what the cache holds of an audience; nothing is sent, and no body is read."""
    facts = {} if refresh else session.cache.facts(audience.keys)
    maturity, now = _maturity(session, audience), session.now()
    found = Survey([], [], [], facts)
    for position, key in enumerate(audience.keys):
        known = facts.get(key)
        if known is None:
            found.missing.append(position)
        elif offline or maturity.settled(known):
            found.good.append(position)
        else:
            maybe = maturity.maybe_current(known, now)
            (found.doubtful if maybe else found.missing).append(position)
    return found


def interactions(
    session: Session,
    audience: Audience,
    *,
    progress: ProgressOption = None,
    refresh: bool = False,
    offline: bool = False,
    collects: bool = False,
) -> Collected:
    """Return the interactions of an audience, in the order of its ids.

    The last data update is asked for only if something else depends on it: a settled answer
    carries the one that was known when it was fetched, which is what says how complete it is.
    """
    session.check()
    began = session.now()
    offline = offline or session.settings.offline
    absent = _Absent(session)
    judge = _Judge(session, audience, absent, offline=offline)
    frames = _Frames(session, audience, collects=collects)
    positions = range(len(audience.ids))
    missing = list(positions) if refresh else frames.add_kept(judge)
    if missing and offline:
        raise _not_kept(audience, missing)
    updated = judge.updated(needed=False) if missing else None

    def new_enough(facts: Facts) -> bool:
        if began <= facts.fetched_at <= session.now():
            return True
        return not refresh and judge.good(facts)

    def ask(one: str, sleep: Callable[[float], None]) -> Answer:
        return session.fetch(
            audience.path,
            audience.params(one),
            new_enough,
            last_update=updated,
            check=lambda body: parse([(one, body, None)], formats=(*audience.formats, *FORMATS)),
            absent=lambda error: absent.customer(audience.path, error),
            sleep=sleep,
        )

    if missing:
        ids = [audience.ids[position] for position in missing]
        frames.failures += fetch_each(
            session,
            ids,
            ask,
            frames.add,
            cached=len(audience.ids) - len(ids),
            collects=collects,
            progress=progress,
        )
        absent.check(audience.path, asked=len(missing), of=len(audience.ids))
    return frames.collected()


def settles(session: Session, audience: Audience, updated: date | None) -> bool:
    """Tell whether an audience's range has settled by a day through which data is complete."""
    return updated is not None and updated - audience.last > session.settings.settle_after


def _maturity(session: Session, audience: Audience) -> Maturity:
    settings = session.settings
    return Maturity(audience.last, settings.settle_after, settings.max_age)


def _not_kept(audience: Audience, missing: Sequence[int]) -> OfflineError:
    ids = [audience.ids[position] for position in missing]
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return OfflineError(
        f"{len(ids):,} of {len(audience.ids):,} customers are not kept for {audience.first} to "
        f"{audience.last}, and nothing is sent offline: {', '.join(ids[:_NAMED])}{more}. Ask for "
        "the same days as when they were fetched, or fetch them online.",
        ids,
    )


class _Judge:
    """Tells which kept answers are good; asks for the last data update once that matters."""

    def __init__(
        self, session: Session, audience: Audience, absent: _Absent, *, offline: bool
    ) -> None:
        self._session, self._audience, self._absent = session, audience, absent
        self._offline = offline
        self._maturity, self._now = _maturity(session, audience), session.now()
        self._asked = False
        self._updated: date | None = None

    def good(self, facts: Facts) -> bool:
        """Tell whether a kept answer is what the API would say."""
        if self._offline or self._maturity.settled(facts):
            return True
        if not self._maturity.maybe_current(facts, self._now):
            return False
        return self._maturity.current(facts, self.updated(), self._now)

    def updated(self, *, needed: bool = True) -> date | None:
        """Return the last data update; if not ``needed``, one that settles the range is enough."""
        if not self._asked:
            kept = None if needed else kept_last_update(self._session)
            if settles(self._session, self._audience, kept):
                return kept
            self._asked, self._updated = True, self._absent.last_update()
        return self._updated


class _Frames:
    """Turns answers into one frame, a batch of bodies at a time."""

    def __init__(self, session: Session, audience: Audience, *, collects: bool) -> None:
        self._session, self._audience, self._collects = session, audience, collects
        self._parts: list[pl.DataFrame] = []
        self._waiting: list[tuple[str, Answer | Entry]] = []
        self._in_order = True
        self.failures: list[Failure] = []

    def add_kept(self, judge: _Judge) -> list[int]:
        """Add kept answers that are good; return the positions of the others."""
        missing: list[int] = []
        ids, keys = self._audience.ids, self._audience.keys
        for start in range(0, len(ids), _BODIES):
            some = keys[start : start + _BODIES]
            entries = self._session.cache.entries(some)
            for position, key in enumerate(some, start):
                entry = entries.get(key)
                if entry is None or not judge.good(entry.facts):
                    missing.append(position)
                else:
                    self._session.use(key, entry)
                    self._waiting.append((ids[position], entry))
            self._parse()
        return missing

    def add(self, one: str, answer: Answer) -> None:
        """Add an answer."""
        self._in_order = False
        self._waiting.append((one, answer))
        if len(self._waiting) >= _BODIES:
            self._parse()

    def collected(self) -> Collected:
        """Return what came in, in the order of the ids."""
        self._parse()
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

    def _parse(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._parts.append(self._audience.frame(waiting))
        except (SchemaError, ResponseError):
            # Only kept answers can get here: others were parsed before they were kept.
            if not self._collects:
                raise
            for one, answer in waiting:
                try:
                    self._parts.append(self._audience.frame([(one, answer)]))
                except OptimoveAnalysisError as error:
                    self.failures.append(Failure(one, error))


class _Absent:
    """Tells a customer whom the API does not know from an address where no API is.

    Either may be answered 404. The latter is so for every function.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._update_missing = False
        self._customers: list[ApiError] = []

    def last_update(self) -> date | None:
        """Return the last data update, or None with a warning where the API does not say."""
        try:
            return last_update(self._session)
        except (ApiError, SchemaError) as error:
            status = getattr(error, "status", None)
            if isinstance(error, QuotaError) or (isinstance(error, AuthError) and status != 403):  # noqa: PLR2004 - not allowed this one call
                raise
            self._update_missing = status == _NOT_FOUND
            warnings.warn(
                "the API does not say through which day its data is complete, so data_through is "
                f"the end of the range or the day of the fetch: {error}",
                LastUpdateWarning,
                stacklevel=6,
            )
            return None

    def customer(self, path: str, error: ApiError) -> bool | None:
        """Tell whether an error means that the API does not know a customer, and is sure to."""
        if error.status != _NOT_FOUND or isinstance(error, ResponseError):
            return None
        if not self._update_missing and path == INTERACTIONS_PATH:
            return True
        # Perhaps nothing is there at all: see `check`, when all have been asked.
        self._customers.append(error)
        return False

    def check(self, path: str, *, asked: int, of: int) -> None:
        """Raise if nothing at all was found; warn if nobody was, where the path is a guess."""
        if len(self._customers) < asked:
            return
        if self._update_missing:
            raise ApiError(
                f"everything that was asked of {self._session.settings.url} was answered 404: is "
                f"it the right instance? {self._customers[0]}",
                status=_NOT_FOUND,
            )
        if path != INTERACTIONS_PATH and asked == of:
            warnings.warn(
                f"{asked} of {of} customers were answered 404. Either the API knows none of them, "
                f"or {path} is not where your account has this function: no public page says "
                "where it is, so engagement_metrics_path=... sets it.",
                NotFoundWarning,
                stacklevel=5,
            )
