"""Never more requests than the quota in any window, as the *server* counts them.

A server counts a request when it arrives, which is some time between the send and the answer. So
a place in the window is taken before the send, and is free again a window after the *answer* came:
two requests that use the same place then arrive at least a window apart, whatever delays the
network adds to either. Freed a window after the *send*, they may arrive closer, and the server
answers 429.

Threads and clients of one process share what was sent under a key. Several processes that use one
key at the same time do not know of each other yet: give each a part of the quota.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from optimove_analysis.errors import InputError

__all__ = ["Ledger", "Quota", "ledger_of"]

_MARGIN: Final = 0.01
"""Seconds added to the window: two clocks that tick unlike by 1 in 1,000 still agree."""


@dataclass(slots=True)
class Ledger:
    """What was sent under one key, in the memory of this process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    sent: int = 0
    """Requests sent since the process began."""
    in_flight: int = 0
    """Requests sent whose answer has not come."""
    answered: deque[float] = field(default_factory=deque)
    """When the latest answers came, oldest first."""
    keep: int = 0
    """How many answers to remember: the largest limit of the quotas that look."""
    held_until: float = float("-inf")
    """Nothing is sent before: the server said that it is too much."""


_ledgers: dict[str, Ledger] = {}
_ledgers_lock = threading.Lock()


def ledger_of(name: str) -> Ledger:
    """Return this process's ledger of a key, named by `Settings.quota_name`, never by the key."""
    with _ledgers_lock:
        return _ledgers.setdefault(name, Ledger())


class Quota:
    """At most ``limit`` requests in any ``per`` seconds on the server's clock.

    Args:
        limit: requests in a window.
        per: the window, in seconds.
        clock: seconds that never go back.
        sleep: waits so many seconds.
        ledger: what was sent under the key; quotas that share one see each other's requests.

    >>> quota = Quota(2, 10.0)
    >>> with quota.slot():
    ...     pass  # send, and read the answer to its end
    >>> round(quota.eta(1)), round(quota.eta(2)), round(quota.eta(4))
    (0, 10, 20)
    """

    def __init__(
        self,
        limit: int = 50,
        per: float = 10.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        ledger: Ledger | None = None,
    ) -> None:
        if limit < 1 or per <= 0:
            raise InputError(f"a quota of {limit!r} requests in {per!r} s lets nothing through.")
        self.limit = limit
        self.per = per
        self._clock = clock
        self._sleep = sleep
        self._ledger = ledger or Ledger()
        with self._ledger.lock:
            self._ledger.keep = max(self._ledger.keep, limit)

    def __repr__(self) -> str:
        return f"Quota({self.limit}, {self.per})"

    @property
    def sent(self) -> int:
        """Requests that this process has sent under this key, tries included."""
        return self._ledger.sent

    @property
    def in_flight(self) -> int:
        """Requests under this key that are sent and not answered."""
        return self._ledger.in_flight

    @contextmanager
    def slot(self, sleep: Callable[[float], None] | None = None) -> Iterator[None]:
        """Wait for a place in the window and hold it while the body sends and reads the answer.

        Args:
            sleep: waits in this one's stead; it may raise to give up the wait.
        """
        ledger = self._ledger
        while (wait := self._take()) > 0:
            (sleep or self._sleep)(wait)
        try:
            yield
        finally:
            with ledger.lock:
                ledger.in_flight -= 1
                ledger.answered.append(self._clock())
                while len(ledger.answered) > ledger.keep:
                    ledger.answered.popleft()

    def hold(self, seconds: float) -> None:
        """Send nothing under this key for so many seconds: the server said 429."""
        with self._ledger.lock:
            until = self._clock() + seconds
            self._ledger.held_until = max(self._ledger.held_until, until)

    def eta(self, requests: int) -> float:
        """Return in how many seconds the last of so many further requests can be sent.

        Requests that are under way are taken to be answered now; the time that answers take is
        not known and not counted.
        """
        if requests < 1:
            return 0.0
        with self._ledger.lock:
            now = self._clock()
            free = [max(0.0, at + self.per - now) for at in self._ledger.answered]
            free += [self.per] * self._ledger.in_flight
            held = max(0.0, self._ledger.held_until - now)
        # A window's places in the order in which they come free; the latest ones are binding.
        free = ([0.0] * self.limit + sorted(free))[-self.limit :]
        rounds, place = divmod(requests - 1, self.limit)
        return max(free[place], held) + rounds * self.per

    def _take(self) -> float:
        """Take a place and return 0, or return for how long there is none for certain."""
        ledger, window = self._ledger, self.per + _MARGIN
        with ledger.lock:
            now = self._clock()
            if now < ledger.held_until:
                return ledger.held_until - now
            recent = [at for at in ledger.answered if at + window > now]
            excess = ledger.in_flight + len(recent) - self.limit + 1
            if excess <= 0:
                ledger.in_flight += 1
                ledger.sent += 1
                return 0.0
            if excess <= len(recent):
                # A wait too small for the clock to see would be asked for over and over.
                return max(recent[excess - 1] + window - now, 0.001)
            # Places are held by requests under way: none is free before one is answered, which is
            # now at the earliest, and a window has passed.
            return window
