"""One request to one function, to look at what comes back: what the documentation page offers.

It goes the way of all requests: kept answers first, then the quota, tries and what is kept. So an
answer that is seen here is the one that `interactions` and the catalogues use, and the other way
round.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any

import polars as pl
import requests

from optimove_analysis.client.endpoints import (
    CATALOGUE_LIFETIME,
    LAST_UPDATE_LIFETIME,
    LAST_UPDATE_PATH,
    SENDS_PATH,
)
from optimove_analysis.client.frames import Audience
from optimove_analysis.client.freshness import Absent, Freshness
from optimove_analysis.client.last_update import day_of
from optimove_analysis.client.reply import Reply
from optimove_analysis.client.responses import FORMATS, ResponseFormat, parse, parse_table
from optimove_analysis.client.session import Answer, Session
from optimove_analysis.client.showable import (
    check_no_credential,
    showable_body,
    showable_headers,
)
from optimove_analysis.errors import ApiError, InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, ApiEndpoint

__all__ = ["ask"]


def ask(
    session: Session,
    endpoint: ApiEndpoint,
    given: Mapping[str, str],
    *,
    formats: Sequence[ResponseFormat] = (),
    refresh: bool = False,
) -> Reply:
    """Return what the API answers, or what is kept of it; see `OptimoveClient.ask`."""
    credential = session.settings.credential
    if missing := endpoint.missing(given):
        examples = ", ".join(f"{name}={endpoint.example[name]!r}" for name in missing)
        raise InputError(f"{endpoint.name} needs {' and '.join(missing)}; for example {examples}.")
    check_no_credential(given, credential)
    seen: list[requests.Response] = []
    began = time.monotonic()
    answer: Answer | None = None
    problem = ""
    try:
        answer = _answer(session, endpoint, given, formats, seen, refresh=refresh)
        if not answer.found:
            problem = "When this was fetched the API answered 404, not found; its words are lost."
    except (ApiError, SchemaError) as error:
        # No answer to look at: none came at the last try, or it was too large to be one.
        if not seen or getattr(error, "status", HTTPStatus.OK) != seen[-1].status_code:
            raise
        problem = str(error)
    seconds = time.monotonic() - began
    new = seen[-1] if seen and (answer is None or not answer.from_cache) else None
    body = showable_body(seen[-1].content if answer is None else answer.body, credential)
    if new is not None:
        status = new.status_code
    else:
        status = int(HTTPStatus.OK if answer is None or answer.found else HTTPStatus.NOT_FOUND)
    headers, withheld = ({}, ()) if new is None else showable_headers(new.headers, credential)
    held = None if answer is None else replace(answer, body=body)
    return Reply(
        endpoint=endpoint.name,
        method=endpoint.method,
        url=credential.redact(endpoint.url(session.settings.url, given)),
        status=status,
        problem=problem,
        headers=headers,
        withheld=withheld,
        body=body,
        seconds=seconds,
        tries=len(seen),
        kept_at=answer.fetched_at if answer is not None and answer.from_cache else None,
        quota_left=session.quota.left,
        quota=(session.quota.limit, session.quota.per),
        _read=partial(
            _frame, endpoint, given, status=status, body=body, answer=held, formats=formats
        ),
    )


class _Updates(Absent):
    """Asks for the last data update; that it cannot be had is no reason not to ask on.

    The function that is asked for will say so itself, and its words are the ones to look at.
    """

    failed = False

    def last_update(self) -> date | None:
        try:
            return super().last_update()
        except ApiError:
            self.failed = True
            return None


def _answer(
    session: Session,
    endpoint: ApiEndpoint,
    given: Mapping[str, str],
    formats: Sequence[ResponseFormat],
    seen: list[requests.Response],
    *,
    refresh: bool,
) -> Answer:
    """Return the answer, kept or new; each response that comes is put into ``seen``."""

    def check(body: bytes) -> None:
        if endpoint.path == LAST_UPDATE_PATH:
            day_of(body)
        elif endpoint.table is not None:
            _table(endpoint, given, body, None, formats)

    shape = "object" if endpoint.one else "list"
    how: Any = {"shape": shape, "check": check, "look": seen.append}
    end = _day(given.get("EndDate", "")) if endpoint.table is INTERACTIONS else None
    if end is None:
        if refresh:
            return session.fetch(endpoint.path, given, **how)
        is_update = endpoint.path == LAST_UPDATE_PATH
        lifetime = LAST_UPDATE_LIFETIME if is_update else CATALOGUE_LIFETIME
        return session.get(endpoint.path, given, lifetime=lifetime, **how)
    # As `interactions` has it: for how long an answer is good, and how far its data reaches.
    updates, offline = _Updates(session), session.settings.offline
    fresh = Freshness(session, end, updates, offline=offline, refresh=refresh)
    kept = None if refresh else session.kept(endpoint.path, given, fresh.good)
    if kept is not None:
        return kept
    updated = None if offline else fresh.updated(needed=False)
    # Of an answer that is kept without it, all data up to the fetch would seem to be there.
    how |= {"last_update": updated, "keep": lambda: not updates.failed}
    return session.fetch(endpoint.path, given, fresh.good, **how)


def _frame(
    endpoint: ApiEndpoint,
    given: Mapping[str, str],
    *,
    status: int,
    body: bytes,
    answer: Answer | None,
    formats: Sequence[ResponseFormat],
) -> pl.DataFrame:
    """Return the table that an answer makes."""
    if status != HTTPStatus.OK:
        raise InputError(f"an answer with status {status} makes no table; text has what was said.")
    if endpoint.table is None:
        raise InputError(
            f"this package has no table for what {endpoint.name} answers; json() has it."
        )
    return _table(endpoint, given, body, answer, formats)


def _table(
    endpoint: ApiEndpoint,
    given: Mapping[str, str],
    body: bytes,
    answer: Answer | None,
    formats: Sequence[ResponseFormat],
) -> pl.DataFrame:
    assert endpoint.table is not None  # noqa: S101 - both callers look
    if endpoint.table is INTERACTIONS:
        one = given.get("CustomerID", "")
        first, last = _day(given.get("StartDate", "")), _day(given.get("EndDate", ""))
        if answer is None or first is None or last is None:
            return parse([(one, body, None)], formats=(*formats, *FORMATS))
        return Audience(endpoint.path, [one], first, last, formats).frame([(one, answer)])
    named = {column.api: column.name for column in endpoint.table.columns}
    constants: dict[str, object] = {
        named[name]: _number(given[name]) for name in endpoint.constants
    }
    if endpoint.path == SENDS_PATH and given.get("IncludeTemplateIDs", "").lower() != "true":
        constants["template_id"] = None  # the answer has it only if it was asked for
    return parse_table(endpoint.table, [(endpoint.name, body, constants)])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def _day(text: str) -> date | None:
    """Return the day that a text is, if it is written as the API's are."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None
