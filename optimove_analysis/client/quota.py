"""Never more requests than the quota in any window, as the *server* counts them.

A server counts a request when it arrives, which is some time between the send and the answer. So
a place in the window is taken before the send, and is free again a window after the *answer* came:
two requests that use the same place then arrive at least a window apart, whatever delays the
network adds to either. Freed a window after the *send*, they may arrive closer, and the server
answers 429.

All threads and processes of the machine that use a key share one ledger of what was sent: `ledger`
says who gets the next place, `places` where there is one, `ledger_file` keeps it on disk.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from optimove_analysis.client.ledger import Ledger, Ticket, ledger_of
from optimove_analysis.client.ledger_file import QuotaWarning
from optimove_analysis.errors import InputError

__all__ = ["Ledger", "Quota", "QuotaWarning", "ledger_of"]


class Quota:
    """At most so many requests in any so many seconds on the server's clock.

    Args:
        limits: requests in a window; or several pairs (requests, seconds), all of which hold.
        per: the window in seconds, where ``limits`` is a number.
        clock: seconds that never go back, where no ledger is given.
        sleep: waits so many seconds.
        ledger: what was sent under the key; quotas that share one see each other's requests. By
            default in memory: this quota's alone.

    Raises:
        InputError: a limit that lets nothing through.

    >>> quota = Quota(2, 10.0)
    >>> with quota.slot():
    ...     pass  # send, and read the answer to its end
    >>> round(quota.eta(1)), round(quota.eta(2)), round(quota.eta(4))
    (0, 10, 20)
    >>> Quota([(50, 10.0), (2_000, 3600.0)])
    Quota([(50, 10.0), (2000, 3600.0)])
    """

    def __init__(
        self,
        limits: int | Iterable[tuple[int, float]] = 50,
        per: float = 10.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        ledger: Ledger | None = None,
    ) -> None:
        self.limits = ((limits, per),) if isinstance(limits, int) else tuple(limits)
        """(requests, seconds), all of which hold."""
        if not self.limits or any(limit < 1 or seconds <= 0 for limit, seconds in self.limits):
            raise InputError(
                f"a quota of {limits!r} requests in {per!r} s lets nothing through."
                if isinstance(limits, int)
                else f"a quota of {list(self.limits)!r} (requests, seconds) lets nothing through."
            )
        self.limit, self.per = min(self.limits, key=lambda pair: pair[1])
        """The limit with the shortest window."""
        self._sleep = sleep
        self._ledger = ledger or Ledger(clock=clock)
        self._ledger.look(self.limits)

    def __repr__(self) -> str:
        if len(self.limits) == 1:
            return f"Quota({self.limit}, {self.per})"
        return f"Quota({list(self.limits)})"

    @property
    def sent(self) -> int:
        """Requests that this process has sent under this key, tries included."""
        return self._ledger.sent

    @property
    def in_flight(self) -> int:
        """Requests of this process under this key that are sent and not answered."""
        return self._ledger.in_flight

    @contextmanager
    def slot(self, sleep: Callable[[float], None] | None = None) -> Iterator[None]:
        """Wait for a place in the window and hold it while the body sends and reads the answer.

        Args:
            sleep: waits in this one's stead; it may raise to give up the wait.
        """
        ticket = Ticket()
        try:
            while (wait := self._ledger.take(ticket, self.limits)) > 0:
                (sleep or self._sleep)(wait)
            yield
        finally:
            self._ledger.release(ticket)

    @property
    def left(self) -> int:
        """How many further requests can be sent at once, those of other processes counted."""
        most = min(limit for limit, _ in self.limits)
        # The wait for so many grows with their number: look where it stops to be none.
        return bisect.bisect_left(range(1, most + 1), True, key=lambda many: self.eta(many) > 0)

    def hold(self, seconds: float) -> None:
        """Send nothing under this key for so many seconds, in no process: the server said 429."""
        self._ledger.hold(seconds)

    def eta(self, requests: int) -> float:
        """Return in how many seconds the last of so many further requests can be sent.

        What other processes have sent counts; what they will send is not known. Requests that are
        under way are taken to be answered now; the time that answers take is not counted.
        """
        return self._ledger.wait_for(requests, self.limits) if requests > 0 else 0.0
