"""One ``get``: the kept answer if there is one; else quota, send, judge, again; then keep.

The order reads in `Session.get` and `Session.fetch`; `transport` puts the credential on, beneath
everything that is here.
"""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, TypeAlias

import requests

from optimove_analysis.client.cache import Cache, Entry
from optimove_analysis.client.convert import loads
from optimove_analysis.client.quota import Quota
from optimove_analysis.client.settings import Settings
from optimove_analysis.client.transport import connect
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    ConnectionFailedError,
    OptimoveAnalysisError,
    QuotaError,
    ResponseError,
)

__all__ = ["Answer", "Session", "Shape"]

Shape: TypeAlias = Literal["list", "object"]

_TRIES: Final = 5
_BACK_OFF: Final = (0.5, 30.0)
"""Seconds: the first wait is at most the first, and doubles up to the second."""
_PATIENCE: Final = 120.0
"""A server that asks to wait for longer is not waited for, but quoted."""
_QUOTED: Final = 200
"""So many characters of an unwanted answer are shown."""
_CHECK: Final = "Is the instance right, and does no proxy or login page stand in between?"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with status 200, from the API or from the cache."""

    body: bytes
    from_cache: bool
    fetched_at: datetime
    last_update: date | None
    """The day through which the API's data was complete at the fetch; None: not known."""
    asked: str
    """What was asked, for messages; it holds no credential."""


class _TryAgainError(Exception):
    """This try failed in a way that passes: ``error`` is for the user if no try is left."""

    def __init__(self, error: OptimoveAnalysisError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class Session:
    """Asks the API of one account; threads may share it.

    Args:
        settings: where, and as whom.
        quota: holds sends back.
        cache: what was answered before.
        sleep: waits between tries; it may raise, to give up.
        chance: a number in 0..1, for the jitter of the waits.
        now: the time of day, with its zone.
    """

    def __init__(
        self,
        settings: Settings,
        quota: Quota,
        cache: Cache,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.quota = quota
        self.cache = cache
        self._sleep = sleep
        self._chance = chance
        self._now = now
        self._http = connect(settings)

    def get(
        self,
        function: str,
        params: Mapping[str, str],
        *,
        shape: Shape = "list",
        lifetime: timedelta | None,
    ) -> Answer:
        """Return the answer to a request, kept or new.

        Raises:
            AuthError, QuotaError, ResponseError, ApiError, ConnectionFailedError: after as many
                tries as make sense.
        """
        kept = self.kept(function, params)
        return kept or self.fetch(function, params, shape=shape, lifetime=lifetime)

    def kept(self, function: str, params: Mapping[str, str]) -> Answer | None:
        """Return the answer that the cache holds, if any; it costs no quota."""
        entry = self.cache.read(function, params)
        if entry is None:
            return None
        asked = _asked(function, params)
        return Answer(entry.body, True, entry.fetched_at, entry.last_update, asked)

    def fetch(
        self,
        function: str,
        params: Mapping[str, str],
        *,
        shape: Shape = "list",
        lifetime: timedelta | None,
        last_update: date | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> Answer:
        """Ask the API, whatever the cache holds, and keep the answer.

        Args:
            function: the path beneath ``/current/``.
            params: its parameters.
            shape: what the answer's JSON must be.
            lifetime: for how long the answer is good; None: for ever.
            last_update: the last data update, to be kept with the answer.
            sleep: waits in place of the session's own; it may raise to give up.
        """
        asked, sleep = _asked(function, params), sleep or self._sleep
        for tried in range(1, _TRIES + 1):
            try:
                with self.quota.slot(sleep):
                    response = self._send(function, params, asked)
                self._judge(response, asked, shape)
            except _TryAgainError as failure:
                wait = failure.wait
                if wait is None:
                    first, most = _BACK_OFF
                    if isinstance(failure.error, QuotaError):
                        first = self.quota.per / 2  # the window must pass, not a moment
                    wait = min(most, first * 2 ** (tried - 1)) * self._chance()
                if isinstance(failure.error, QuotaError):
                    # Others send under the same key: every thread must stop, not this one alone.
                    self.quota.hold(wait)
                if tried == _TRIES or wait > _PATIENCE:
                    raise failure.error from failure.__cause__
                sleep(wait)
            else:
                break
        entry = Entry(response.content, self._now(), last_update)
        self.cache.write(function, params, entry, lifetime)
        return Answer(entry.body, False, entry.fetched_at, last_update, asked)

    def close(self) -> None:
        """Close the connections and the cache."""
        self._http.close()
        self.cache.close()

    def _send(self, function: str, params: Mapping[str, str], asked: str) -> requests.Response:
        url = f"{self.settings.url}/current/{function}"
        host = self.settings.url
        try:
            return self._http.get(
                url, params=dict(params), timeout=self.settings.timeout, allow_redirects=False
            )
        except requests.exceptions.SSLError as error:
            raise ConnectionFailedError(
                f"{asked}: {host} has no certificate that this computer trusts ({_cause(error)}). "
                "Is the address right? Behind a proxy, set REQUESTS_CA_BUNDLE."
            ) from error
        except requests.exceptions.Timeout as error:
            raise _TryAgainError(
                ConnectionFailedError(
                    f"{asked}: {host} did not answer within {self.settings.timeout} s, "
                    f"{_TRIES} times. Is the network up? timeout=... waits longer."
                )
            ) from error
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            raise _TryAgainError(
                ConnectionFailedError(
                    f"{asked}: no complete answer came from {host} in {_TRIES} tries "
                    f"({_cause(error)}). Is the instance right, and the network up?"
                )
            ) from error
        except requests.exceptions.RequestException as error:
            raise ConnectionFailedError(f"{asked} cannot be sent: {_cause(error)}.") from error

    def _judge(self, response: requests.Response, asked: str, shape: Shape) -> None:
        """Return if the answer is a complete one of the right shape; else raise."""
        status = response.status_code
        said = self._quote(response)
        if status == requests.codes.ok:
            self._judge_body(response, asked, shape)
        elif status == requests.codes.too_many_requests:
            limit, per = self.settings.quota
            error: ApiError = QuotaError(
                f"{asked}: the API says too many requests (429), although this client sent no more "
                f"than {limit} in {per:g} s. Does something else use the same key? Then give both "
                "a part: quota=(25, 10.0). "
                f"The API said: {said}",
                status=status,
            )
            raise _TryAgainError(error, self._retry_after(response))
        elif status >= requests.codes.internal_server_error:
            error = ApiError(
                f"{asked}: the API failed ({status}) in {_TRIES} tries; it said: {said}",
                status=status,
            )
            raise _TryAgainError(error, self._retry_after(response))
        elif status in {requests.codes.unauthorized, requests.codes.forbidden}:
            problem = (
                "is not accepted (401): is it this instance's, complete, and neither rotated, "
                "disabled nor deleted?"
                if status == requests.codes.unauthorized
                else "is not allowed this call (403): has it the access type that the call needs?"
            )
            raise AuthError(
                f"{asked}: the credential {problem} The API said: {said}", status=status
            )
        elif requests.codes.multiple_choices <= status < requests.codes.bad_request:
            to = self.settings.credential.redact(response.headers.get("Location", "nowhere"))
            raise ResponseError(
                f"{asked}: the API redirects ({status}) to {to}; not followed, since the "
                f"credential would go there too. {_CHECK}",
                status=status,
            )
        else:
            raise ApiError(f"{asked}: the API answered {status}, and said: {said}", status=status)

    def _judge_body(self, response: requests.Response, asked: str, shape: Shape) -> None:
        body, said = response.content, self._quote(response)
        try:
            content = loads(body)
        except ValueError as error:
            cut = body.lstrip()[:1] in {b"[", b"{"}
            what = "JSON that is cut short or broken" if cut else "no JSON"
            what = what if body.strip() else "an empty body"
            wrong = ResponseError(
                f"{asked}: the API answered 200 with {what}: {said} {_CHECK}",
                status=response.status_code,
            )
            raise (_TryAgainError(wrong) if cut else wrong) from error
        if not isinstance(content, list if shape == "list" else dict):
            seen = "an object" if isinstance(content, dict) else "no such thing"
            wanted = "a list of objects" if shape == "list" else "an object"
            raise ResponseError(
                f"{asked}: {wanted} is documented, the API answered 200 with {seen}: {said}",
                status=response.status_code,
            )

    def _retry_after(self, response: requests.Response) -> float | None:
        """Return the seconds that the server asks to wait, if it does."""
        text = response.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", text):
            return float(text)
        try:
            then = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0.0, (then - self._now()).total_seconds())

    def _quote(self, response: requests.Response) -> str:
        """Return the start of a body, on one line, and without the credential if it is in it."""
        text = self.settings.credential.redact(response.content.decode("utf-8", "replace"))
        text = " ".join(text[: _QUOTED * 2].split())
        shown = text[:_QUOTED] + ("..." if len(text) > _QUOTED else "")
        return repr(shown) if shown else "nothing."


def _asked(function: str, params: Mapping[str, str]) -> str:
    given = ", ".join(f"{name}={value}" for name, value in params.items())
    return f"{function.rsplit('/', 1)[-1]}({given})"


def _cause(error: BaseException) -> str:
    """Return the innermost reason: requests wraps urllib3, which wraps the socket's own words."""
    while (inner := error.__cause__ or error.__context__ or getattr(error, "reason", None)) and (
        isinstance(inner, BaseException)
    ):
        error = inner
    return str(error) or type(error).__name__
