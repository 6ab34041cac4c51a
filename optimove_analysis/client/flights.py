"""Single flight: what several threads or processes want at once is asked for once.

Threads of one process meet in memory, and the first one's answer serves all. Processes meet in the
cache file: who asks notes it there, others wait for the answer to be kept. A process that dies
while it asks is found out by its `Presence`, and its turn is another's.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from optimove_analysis.client.cache import Cache
from optimove_analysis.client.presence import Presence

__all__ = ["Flight", "Flights"]

_LOOK: Final = 0.05
"""Seconds between two looks at what another one asks for."""
_PATIENCE: Final = 120.0
"""Seconds to wait for another process; one that was stopped, not killed, holds nobody up longer."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class Flight(Generic[_Answer]):
    """One request under way."""

    answer: _Answer | None = None
    """What came of it, if another thread has asked."""
    kept: bool = False
    """Whether the answer was written to the cache, which lets go of its key in the same step."""
    done: threading.Event = field(default_factory=threading.Event)


# No lock about it, which Ctrl-C or a fork could leave held: each step on a dict is one by itself.
_under_way: dict[Path, dict[str, Flight[object]]] = {}


class Flights(Generic[_Answer]):
    """Gives each request's turn to one at a time.

    Args:
        cache: where processes meet; clients of one process meet by its path.
        presence: tells which processes are alive; it may raise OSError: threads alone meet then.
    """

    def __init__(self, cache: Cache, presence: Callable[[], Presence]) -> None:
        self._cache = cache
        self._presence = presence
        self._claimed: dict[str, str] = {}
        self._flights: dict[str, Flight[_Answer]]
        self._flights = _under_way.setdefault(cache.path.absolute(), {})  # type: ignore[assignment] # one kind of answer a path

    @contextmanager
    def turn(self, key: str, sleep: Callable[[float], None]) -> Iterator[Flight[_Answer]]:
        """Wait for one's turn to ask for a key; hold it while the body asks.

        Gives a flight with an answer where another thread has just had it, else one for the body
        to put its answer in.

        Args:
            key: of the cache.
            sleep: called between looks; it may raise to give up.
        """
        mine = Flight[_Answer]()
        try:
            try:
                while (flight := self._join(key, mine)) is not mine:
                    while not flight.done.wait(_LOOK):
                        sleep(0.0)
                    if flight.answer is not None:
                        yield flight
                        return
                self._claim(key, sleep)
                yield mine
            finally:
                self._land(key, mine)
        finally:
            # Again, which does nothing, unless Ctrl-C came in the midst of the first.
            self._land(key, mine)

    def _join(self, key: str, mine: Flight[_Answer]) -> Flight[_Answer]:
        """Return the flight of a key that is under way, or put this one there."""
        return self._flights.setdefault(key, mine)

    def _land(self, key: str, mine: Flight[_Answer]) -> None:
        """Let others have the turn, if this flight has it."""
        if self._flights.get(key) is mine:
            if (owner := self._claimed.get(key)) is not None and not mine.kept:
                self._cache.release(key, owner)
            self._claimed.pop(key, None)
            self._flights.pop(key, None)
        mine.done.set()

    def close(self) -> None:
        """Let go of what is still asked for, while the cache is open: nobody will keep it."""
        for key, owner in list(self._claimed.items()):
            self._cache.release(key, owner)

    def _claim(self, key: str, sleep: Callable[[float], None]) -> None:
        """Take a key's turn among the processes, or go without where they cannot meet."""
        if not self._cache.works:
            return
        until = time.monotonic() + _PATIENCE
        try:
            presence = self._presence()
            # Noted before it is written: whatever interrupts this, `turn` and `close` find it.
            me = self._claimed[key] = presence.token
            while (owner := self._cache.claim(key, me)) != me:
                # Looked at, not claimed, over and over: a look is no write.
                while self._cache.asking(key) == owner and presence.alive(owner):
                    if time.monotonic() > until:
                        return
                    sleep(_LOOK)
                self._cache.release(key, owner)
        except OSError:  # the folder where processes meet cannot be used
            return


if hasattr(os, "register_at_fork"):
    # What was under way in the parent ends there.
    os.register_at_fork(after_in_child=_under_way.clear)
