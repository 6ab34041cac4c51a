"""One ``get``: the kept answer if there is one; else quota, send, judge, again; then keep.

The order reads in `Session.get` and `Session.fetch`; `transport` puts the credential on, beneath
everything that is here.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import requests

from optimove_analysis.client.cache import Cache, Entry, Facts
from optimove_analysis.client.flights import Flights
from optimove_analysis.client.judge import TRIES, Shape, TryAgainError, judge
from optimove_analysis.client.maturity import is_younger
from optimove_analysis.client.presence import Presence
from optimove_analysis.client.quota import Quota
from optimove_analysis.client.request_key import key_of
from optimove_analysis.client.settings import Settings
from optimove_analysis.client.transport import ask, connect
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    InputError,
    OfflineError,
    QuotaError,
)

__all__ = ["Answer", "Session", "Shape"]

_BACK_OFF: Final = (0.5, 30.0)
"""Seconds: the first wait is at most the first, and doubles up to the second."""
_PATIENCE: Final = 120.0
"""A server that asks to wait for longer is not waited for, but quoted."""


def _any(_: Facts) -> bool:
    return True


def _none(_: Facts) -> bool:
    return False


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
    found: bool = True
    """False where the API said that it does not know what was asked for."""


class Session:
    """Asks the API of one account; threads may share it.

    Args:
        settings: where, and as whom.
        quota: holds sends back.
        cache: what was answered before.
        sleep: waits between tries; it may raise, to give up.
        chance: a number in 0..1, for the jitter of the waits.
        now: the time of day, with this computer's offset.
    """

    def __init__(
        self,
        settings: Settings,
        quota: Quota,
        cache: Cache,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self.settings = settings
        self.quota = quota
        self.cache = cache
        self.now = now
        self.used: dict[str, datetime] = {}
        """Key and time of each answer that was used: what a snapshot is made of."""
        self.unkept: dict[str, tuple[str, Mapping[str, str], Entry]] = {}
        """By key: what was used and is not to be kept, since it may not be so the next time."""
        self._flights = Flights[Answer](cache, lambda: Presence(settings.state_dir / "processes"))
        self._sleep = sleep
        self._chance = chance
        self._http = connect(settings)
        self._renewing = threading.Lock()
        self._closed = False
        self._process = os.getpid()

    def get(
        self,
        function: str,
        params: Mapping[str, str],
        *,
        shape: Shape = "list",
        lifetime: timedelta,
        check: Callable[[bytes], object] | None = None,
        absent: Callable[[ApiError], bool | None] | None = None,
        look: Callable[[requests.Response], object] | None = None,
    ) -> Answer:
        """Return the answer to a request, kept or new.

        Args:
            function: the path beneath ``/current/``.
            params: its parameters.
            shape: what the answer's JSON must be.
            lifetime: how old a kept answer may be; offline, it may have any age.
            check: raises where an answer cannot be parsed: it is not kept then.
            absent: tells whether an error of the API says that there is nothing, as for `fetch`.
            look: gets each response that comes, before it is judged.

        Raises:
            InputError: the session is closed, or another process's.
            OptimoveAnalysisError: another of the family's, after as many tries as make sense.
        """

        def good(facts: Facts) -> bool:
            return self.settings.offline or is_younger(facts, lifetime, self.now())

        kept = self.kept(function, params, good)
        if kept is not None:
            return kept
        return self.fetch(
            function, params, good, shape=shape, check=check, absent=absent, look=look
        )

    def kept(
        self,
        function: str,
        params: Mapping[str, str],
        good: Callable[[Facts], bool] = _any,
        *,
        counts: bool = True,
    ) -> Answer | None:
        """Return the answer that the cache holds, if it is good; it costs no quota.

        Args:
            function: the path beneath ``/current/``.
            params: its parameters.
            good: judges it.
            counts: whether it is used, and not merely looked at.
        """
        self.check()
        entry = self.cache.read(function, params)
        if entry is None or not good(entry.facts):
            return None
        return self._kept(function, params, entry, counts=counts)

    def fetch(
        self,
        function: str,
        params: Mapping[str, str],
        good: Callable[[Facts], bool] = _none,
        *,
        shape: Shape = "list",
        last_update: date | None = None,
        check: Callable[[bytes], object] | None = None,
        absent: Callable[[ApiError], bool | None] | None = None,
        sleep: Callable[[float], None] | None = None,
        look: Callable[[requests.Response], object] | None = None,
        keep: Callable[[], bool] = lambda: True,
    ) -> Answer:
        """Ask the API, and keep the answer.

        What another thread or process asks for at the same time is waited for, not asked for again.

        Args:
            function: the path beneath ``/current/``.
            params: its parameters.
            good: judges an answer that another process has kept meanwhile: is it new enough?
            shape: what the answer's JSON must be.
            last_update: the last data update, to be kept with the answer.
            check: raises where an answer cannot be parsed: it is not kept then.
            absent: tells whether an error of the API says that there is nothing, which is an empty
                list then: True: keep that, False: do not, None: it is an error.
            sleep: waits in place of the session's own; it may raise to give up.
            look: gets each response that comes, before it is judged; it must let none of them
                out with what the server may have put into it: cookies, or the credential.
            keep: tells whether the answer may be kept.

        Raises:
            OfflineError: the client is offline.
        """
        self.check()
        asked, sleep = _asked(function, params), sleep or self._sleep
        if self.settings.offline:
            raise OfflineError(
                f"{asked} is not kept, and this client is offline: it sends nothing. Ask for it "
                "once with a client that is online; for a snapshot, before it is written.",
                [asked],
            )
        key = key_of(function, params)
        with self._flights.turn(key, sleep) as flight:
            if flight.answer is not None:
                # Perhaps another client's of the same account, which notes what it used itself.
                answer = flight.answer
                if not answer.found and not flight.kept:
                    nothing_said = Entry(answer.body, answer.fetched_at, answer.last_update, False)
                    self.unkept[key] = function, params, nothing_said
                self.use({key: answer.fetched_at})
                return answer
            entry = self.cache.read(function, params)
            if entry is not None and good(entry.facts):
                return self._kept(function, params, entry)
            nothing: bool | None = None
            try:
                body = self._ask(function, params, asked, shape, sleep, look=look)
                if check is not None:
                    check(body)
            except ApiError as error:
                nothing = None if absent is None else absent(error)
                if nothing is None:
                    raise
                body = b"[]"
            entry = Entry(body, self.now(), last_update, found=nothing is None)
            keeps = nothing is not False and keep()
            if keeps:
                flight.kept = self.cache.write(function, params, entry)
            self.cache.count(misses=1)
            if not keeps:
                self.unkept[key] = function, params, entry
            self.used[key] = entry.fetched_at
            flight.answer = Answer(body, False, entry.fetched_at, last_update, asked, entry.found)
            return flight.answer

    def use(self, kept: Mapping[str, datetime]) -> None:
        """Note which kept answers were used, by key and time."""
        self.cache.count(hits=len(kept))
        self.used.update(kept)

    def _kept(
        self, function: str, params: Mapping[str, str], entry: Entry, *, counts: bool = True
    ) -> Answer:
        if counts:
            self.use({key_of(function, params): entry.fetched_at})
        asked = _asked(function, params)
        return Answer(entry.body, True, entry.fetched_at, entry.last_update, asked, entry.found)

    def _ask(
        self,
        function: str,
        params: Mapping[str, str],
        asked: str,
        shape: Shape,
        sleep: Callable[[float], None],
        *,
        look: Callable[[requests.Response], object] | None,
    ) -> bytes:
        """Send until an answer is complete, or trying on makes no sense."""
        tried, renewed = 0, False
        while True:
            tried += 1
            # A number, not the credential: verbose tracebacks show what variables hold.
            generation = self._generation()
            try:
                with self.quota.slot(sleep):
                    response = self._send(function, params, asked)
                if look is not None:
                    look(response)
                judge(response, asked, shape, self.settings)
            except TryAgainError as failure:
                wait = self._wait(failure, tried)
                if tried >= TRIES or wait > _PATIENCE:
                    raise failure.error from failure.__cause__
                if isinstance(failure.error, QuotaError):
                    # Others send under the same key: all must stop, not this thread alone.
                    self.quota.hold(wait)
                sleep(wait)
            except AuthError as error:
                aged = error.status == requests.codes.unauthorized and not renewed
                if not aged or not self._renew(generation):
                    raise
                renewed = True
            else:
                return response.content

    def _wait(self, failure: TryAgainError, tried: int) -> float:
        """Return for how long to wait: as the server says, else doubling, with full jitter."""
        if failure.wait is not None:
            return failure.wait
        first, most = _BACK_OFF
        if isinstance(failure.error, QuotaError):
            first = self.quota.per / 2  # the window must pass, not a moment
        return min(most, first * 2.0 ** (tried - 1)) * self._chance()

    def _generation(self) -> int:
        """Return which credential is in use; a login's token is got when it is first needed."""
        credential = self.settings.credential
        if not credential.known:
            self._renew(credential.generation)
        return credential.generation

    def _renew(self, aged: int) -> bool:
        """Get another token in the place of one that has aged; return whether there is one.

        Threads whose token aged at the same moment share the new one. API keys do not age.
        """
        if self.settings.renew is None:
            return False
        with self._renewing:
            credential = self.settings.credential
            if credential.generation == aged:
                credential.renew(self.settings.renew())
            return True

    def close(self) -> None:
        """Close the connections and the cache; nothing can be asked from then on."""
        self._closed = True
        if os.getpid() != self._process:
            return  # they are the parent's, whose threads may have held their locks at the fork
        self._http.close()
        self._flights.close()
        self.cache.close()

    def check(self) -> None:
        """Raise if nothing can be asked: the client is closed, or another process's."""
        if self._closed:
            raise InputError("this client is closed: make another.")
        if os.getpid() != self._process:
            # Both processes would read from the same connection: one gets the other's answers.
            raise InputError(
                "this process was forked from the one that made the client, and cannot share it: "
                "make a client in each process."
            )

    def _send(self, function: str, params: Mapping[str, str], asked: str) -> requests.Response:
        self.check()
        url = f"{self.settings.url}/current/{function}"
        return ask(self._http, url, params, asked, self.settings)


def _asked(function: str, params: Mapping[str, str]) -> str:
    given = ", ".join(f"{name}={value}" for name, value in params.items())
    return f"{function.rsplit('/', 1)[-1]}({given})"
