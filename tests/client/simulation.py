"""Processes whose threads send as soon as their ledger lets them, on a clock that jumps."""

from __future__ import annotations

import heapq
import itertools
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from optimove_analysis.client.ledger import Ledger, Ticket

Trip = tuple[float, float]
"""Seconds that a request takes to the server, and its answer back."""


class World:
    """Time, what is to happen, and when requests arrived at the server."""

    def __init__(self) -> None:
        self.now = 0.0
        self.arrivals: list[tuple[float, str]] = []
        self.living: set[str] = set()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, when: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), action))

    def run(self, until: float = float("inf")) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = until if until < float("inf") else self.now

    def times(self) -> list[float]:
        return sorted(at for at, _ in self.arrivals)

    def check(self, limits: Iterable[tuple[int, float]]) -> None:
        """Assert the law: no window of the server's clock holds more than a limit."""
        times = self.times()
        for limit, per in limits:
            for earlier, later in zip(times, times[limit:], strict=False):
                assert later - earlier >= per, (limit, per, earlier, later)


class Process:
    """A process of its own as far as the ledger can tell: it can be killed at any instant."""

    def __init__(
        self, world: World, path: Path | None, limits: Sequence[tuple[int, float]], name: str = ""
    ) -> None:
        self.world = world
        self.name = name
        self.limits = tuple(limits)
        self.token = uuid.uuid4().hex
        self.world.living.add(self.token)
        self.ledger = Ledger(path, clock=lambda: world.now, presence=self)
        self.ledger.look(self.limits)
        self.left: list[Trip] = []
        self.arrived_in_time = float("inf")

    def alive(self, token: str) -> bool:
        return token in self.world.living

    def send(self, trips: Iterable[Trip], threads: int, start: float = 0.0) -> None:
        """Let so many threads take these trips, each when it is free."""
        self.world.at(start, lambda: self.left.extend(trips))
        for _ in range(threads):
            self.world.at(start, self._next)

    def kill(self, within: float = 0.0) -> None:
        """End it here and now; what it sent arrives within so many seconds, if ever."""
        self.world.living.discard(self.token)
        self.arrived_in_time = self.world.now + within
        self.ledger.close()  # the system closes a dead process's files

    def _next(self) -> None:
        if self.left and self.alive(self.token):
            self._look(Ticket())

    def _look(self, ticket: Ticket) -> None:
        if not self.alive(self.token):
            return
        if not self.left:
            self.ledger.release(ticket)
            return
        wait = self.ledger.take(ticket, self.limits)
        if wait > 0:
            self.world.at(self.world.now + wait, lambda: self._look(ticket))
            return
        there, back = self.left.pop()
        self.world.at(self.world.now + there, self._arrive)
        self.world.at(self.world.now + there + back, lambda: self._answered(ticket))

    def _arrive(self) -> None:
        if self.world.now <= self.arrived_in_time:
            self.world.arrivals.append((self.world.now, self.name))

    def _answered(self, ticket: Ticket) -> None:
        if self.alive(self.token):
            self.ledger.release(ticket)
            self._next()
