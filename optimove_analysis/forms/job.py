"""Long work in a thread of its own: the kernel goes on hearing, so that Cancel is heard at all.

A kernel handles a widget's messages one after another in its main thread. A handler that fetches
for a minute would keep the click on Cancel, and every other cell, waiting for that minute.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final

from optimove_analysis.errors import CancelledError

__all__ = ["Job", "Painter"]

_FIRST_AFTER: Final = 1.0
_APART: Final = 3.0
"""Seconds between two pictures of what came so far."""
_RESTS: Final = 5
"""It rests so many times as long as the last picture took: the fetch has the machine."""


class Job:
    """One piece of work at a time, which can be told to stop.

    >>> job = Job()
    >>> job.start(lambda: None)
    True
    >>> job.wait()
    True
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self.started = 0.0
        """When the work began, by `time.monotonic`."""

    @property
    def running(self) -> bool:
        """Whether there is work that has not ended."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> None:
        """Forget an earlier order to stop; the work follows in this thread."""
        self._cancelled.clear()
        self.started = time.monotonic()

    def start(self, work: Callable[[], None]) -> bool:
        """Do the work in a thread; False, and nothing, where other work has not ended.

        The work has to handle its own errors: there is nobody to raise them to.
        """
        if self.running:
            return False
        self.begin()
        # A daemon: a request that hangs keeps nobody from leaving Python.
        self._thread = threading.Thread(target=work, name="optimove-form", daemon=True)
        self._thread.start()
        return True

    def cancel(self) -> None:
        """Have the work stop where it next calls `go_on`."""
        self._cancelled.set()

    def go_on(self) -> None:
        """Return, or stop the work: to be called by it as often as it can stop.

        Raises:
            CancelledError: it was told to stop.
        """
        if self._cancelled.is_set():
            raise CancelledError("cancelled; what came until then is kept.")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the work to end; False where it has not in time."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.running


class Painter:
    """Draws what came so far beside the fetch: seldom, and never two pictures at once."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._next = time.monotonic() + _FIRST_AFTER

    def offer(self, draw: Callable[[], object]) -> None:
        """Draw if it is time; else do nothing: there is a next picture."""
        busy = self._thread is not None and self._thread.is_alive()
        if not busy and time.monotonic() >= self._next:
            self._thread = threading.Thread(
                target=self._paint, args=(draw,), name="optimove-painter", daemon=True
            )
            self._thread.start()

    def _paint(self, draw: Callable[[], object]) -> None:
        began = time.monotonic()
        # What cannot be drawn of a part is said by the whole, which is drawn last and raises.
        with contextlib.suppress(Exception):
            draw()
        now = time.monotonic()
        self._next = now + max(_APART, _RESTS * (now - began))

    def finish(self) -> None:
        """Wait for a picture that is being drawn: the last one follows."""
        if self._thread is not None:
            self._thread.join()
