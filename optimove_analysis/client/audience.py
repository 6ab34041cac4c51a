"""The interactions of an audience: what is kept, what must be asked, and how complete it is."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

import polars as pl

from optimove_analysis.client.convert import loads
from optimove_analysis.client.endpoints import (
    INTERACTIONS_PATH,
    LAST_UPDATE_LIFETIME,
    LAST_UPDATE_PATH,
    lifetime_of_range,
)
from optimove_analysis.client.fetch import ProgressOption, Request, fetch_missing, kept_answers
from optimove_analysis.client.inputs import as_day
from optimove_analysis.client.responses import FORMATS, ResponseFormat, parse
from optimove_analysis.client.session import Answer, Session
from optimove_analysis.errors import ApiError, InputError, QuotaError, ResponseError, SchemaError

__all__ = ["LastUpdateWarning", "NotFoundWarning", "interactions", "last_update"]

_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


class LastUpdateWarning(UserWarning):
    """The API does not say through which day its data is complete."""


class NotFoundWarning(UserWarning):
    """Nobody was found by a function whose path is only assumed: perhaps the path is wrong."""


def last_update(session: Session) -> date:
    """Return the day through which the API's data is complete.

    Raises:
        ApiError: the API does not say.
        SchemaError: it says something that is no day.
    """
    answer = session.get(LAST_UPDATE_PATH, {}, shape="object", lifetime=LAST_UPDATE_LIFETIME)
    try:
        return as_day(loads(answer.body).get("Date"))
    except InputError as error:
        raise SchemaError(
            f"{answer.asked} should give a day as 'Date'; it gave {answer.body[:80]!r}."
        ) from error


def interactions(
    session: Session,
    path: str,
    ids: Sequence[str],
    first: date,
    last: date,
    *,
    progress: ProgressOption,
    refresh: bool,
    formats: Sequence[ResponseFormat] = (),
) -> pl.DataFrame:
    """Return the interactions of customers in a range, in the order of the ids.

    The last data update is asked for only if something else must be asked: a kept answer carries
    the one that was known when it was fetched, which is what says how complete it is.
    """
    span = {"StartDate": first.isoformat(), "EndDate": last.isoformat()}
    requests = [Request(path, {"CustomerID": one} | span, f"customer {one}") for one in ids]
    kept = [None] * len(requests) if refresh else kept_answers(session, requests)
    answers: Sequence[Answer | None] = kept
    if None in kept:
        absent = _Absent(session)
        updated = absent.last_update()
        complete = min(filter(None, [datetime.now(UTC).date(), updated]))
        answers = fetch_missing(
            session,
            requests,
            kept,
            lifetime=lifetime_of_range(last, complete),
            last_update=updated,
            not_found=absent.customer,
            progress=progress,
        )
        absent.check(path, asked=kept.count(None), of=len(requests))
    bodies = (
        (one, answer.body, _data_through(answer, last))
        for one, answer in zip(ids, answers, strict=True)
        if answer is not None
    )
    return parse(bodies, formats=(*formats, *FORMATS))


def _data_through(answer: Answer, last: date) -> date:
    # The day of the fetch on this computer's calendar: the account's zone is not documented.
    fetched = answer.fetched_at.astimezone().date()
    return min(filter(None, [last, answer.last_update, fetched]))


class _Absent:
    """Tells a customer whom the API does not know from an address where no API is.

    Either may be answered 404. The latter is so for every function.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._update_missing: ApiError | None = None
        self._customers: list[ApiError] = []

    def last_update(self) -> date | None:
        """Return the last data update, or None with a warning where the API does not say."""
        try:
            return last_update(self._session)
        except (ApiError, SchemaError) as error:
            status = getattr(error, "status", None)
            if status == _UNAUTHORIZED or isinstance(error, QuotaError):
                raise
            if isinstance(error, ApiError) and status == _NOT_FOUND:
                self._update_missing = error
            warnings.warn(
                "the API does not say through which day its data is complete, so data_through is "
                f"the end of the range or the day of the fetch: {error}",
                LastUpdateWarning,
                stacklevel=4,
            )
            return None

    def customer(self, request: Request, error: ApiError) -> Answer:
        """Return an empty answer for a customer who is not found; raise any other error."""
        if error.status != _NOT_FOUND or isinstance(error, ResponseError):
            raise error
        self._customers.append(error)
        asked = json.dumps(request.params)
        return Answer(b"[]", False, datetime.now(UTC), None, asked)

    def check(self, path: str, *, asked: int, of: int) -> None:
        """Raise if nothing at all was found; warn if nobody was, where the path is a guess."""
        if len(self._customers) < asked:
            return
        if self._update_missing is not None:
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
                stacklevel=4,
            )
