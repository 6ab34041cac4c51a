"""One ``get``: the kept answer if there is one; else quota, send, judge, again; then keep.

The order reads in `Session.get` and `Session.fetch`; `transport` puts the credential on, beneath
everything that is here.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import requests

from optimove_analysis.client.cache import Cache, Entry
from optimove_analysis.client.judge import Shape, TryAgainError, judge
from optimove_analysis.client.quota import Quota
from optimove_analysis.client.settings import Settings
from optimove_analysis.client.transport import connect
from optimove_analysis.errors import ConnectionFailedError, InputError, QuotaError

__all__ = ["Answer", "Session", "Shape"]

_TRIES: Final = 5
_BACK_OFF: Final = (0.5, 30.0)
"""Seconds: the first wait is at most the first, and doubles up to the second."""
_PATIENCE: Final = 120.0
"""A server that asks to wait for longer is not waited for, but quoted."""


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
        self._closed = False
        self._process = os.getpid()

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
            InputError: the session is closed, or another process's.
            OptimoveAnalysisError: another of the family's, after as many tries as make sense.
        """
        return self.kept(function, params) or self.fetch(
            function, params, shape=shape, lifetime=lifetime
        )

    def kept(self, function: str, params: Mapping[str, str]) -> Answer | None:
        """Return the answer that the cache holds, if any; it costs no quota."""
        self._check()
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
                judge(response, asked, shape, self.settings)
            except TryAgainError as failure:
                wait = failure.wait
                if wait is None:
                    first, most = _BACK_OFF
                    if isinstance(failure.error, QuotaError):
                        first = self.quota.per / 2  # the window must pass, not a moment
                    wait = min(most, first * 2 ** (tried - 1)) * self._chance()
                if tried == _TRIES or wait > _PATIENCE:
                    raise failure.error from failure.__cause__
                if isinstance(failure.error, QuotaError):
                    # Others send under the same key: every thread must stop, not this one alone.
                    self.quota.hold(wait)
                sleep(wait)
            else:
                break
        entry = Entry(response.content, self._now(), last_update)
        self.cache.write(function, params, entry, lifetime)
        return Answer(entry.body, False, entry.fetched_at, last_update, asked)

    def close(self) -> None:
        """Close the connections and the cache; nothing can be asked from then on."""
        self._closed = True
        self._http.close()
        self.cache.close()

    def _check(self) -> None:
        if self._closed:
            raise InputError("this client is closed: make another.")
        if os.getpid() != self._process:
            # Both processes would read from the same connection: one gets the other's answers.
            raise InputError(
                "this process was forked from the one that made the client, and cannot share it: "
                "make a client in each process."
            )

    def _send(self, function: str, params: Mapping[str, str], asked: str) -> requests.Response:
        self._check()
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
            raise TryAgainError(
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
            raise TryAgainError(
                ConnectionFailedError(
                    f"{asked}: no complete answer came from {host} in {_TRIES} tries "
                    f"({_cause(error)}). Is the instance right, and the network up?"
                )
            ) from error
        except requests.exceptions.RequestException as error:
            raise ConnectionFailedError(f"{asked} cannot be sent: {_cause(error)}.") from error


def _asked(function: str, params: Mapping[str, str]) -> str:
    given = ", ".join(f"{name}={value}" for name, value in params.items())
    return f"{function.rsplit('/', 1)[-1]}({given})"


def _cause(error: BaseException) -> str:
    """Return the innermost reason: requests wraps urllib3, which wraps the socket's own words."""
    while isinstance(inner := error.__cause__ or error.__context__, BaseException):
        error = inner
    return str(error) or type(error).__name__
