"""Long work in a thread of its own: the kernel goes on hearing, so that Cancel is heard at all.

A kernel handles a widget's messages one after another in its main thread. A handler that fetches
for a minute would keep the click on Cancel, and every other cell, waiting for that minute.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from optimove_analysis.errors import CancelledError, InputError

__all__ = ["Job", "Latest", "Painter"]

ResultT = TypeVar("ResultT")

_FIRST_AFTER: Final = 1.0
_APART: Final = 3.0
"""Seconds between two pictures of what came so far."""
_RESTS: Final = 5
"""It rests so many times as long as the last picture took: the fetch has the machine."""


class Job:
    """One piece of work at a time, in a thread or in the caller's; it can be told to stop.

    Args:
        busy: is told when work begins and when it has ended. Nothing begins while it is told: what
            it shows is never that of other work.

    >>> job = Job()
    >>> job.start(lambda: None)
    True
    >>> job.wait()
    True
    """

    def __init__(self, busy: Callable[[bool], None] = lambda _: None) -> None:
        self._tell = busy
        self._cancelled = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether there is work that has not ended."""
        return not self._idle.is_set()

    def start(self, work: Callable[[], object]) -> bool:
        """Do the work in a thread; False, and nothing, where other work has not ended.

        The work has to handle its own errors: there is nobody to raise them to.
        """
        if not self._begin():
            return False
        # A daemon: a request that hangs keeps nobody from leaving Python.
        thread = threading.Thread(
            target=self._work, args=(work,), name="optimove-form", daemon=True
        )
        try:
            thread.start()
        except BaseException:  # a machine may have no more threads to give
            self._end()
            raise
        self._thread = thread
        return True

    def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Do the work in this thread, and return what it gives.

        Raises:
            InputError: other work has not ended.
        """
        if not self._begin():
            raise InputError("the last run has not ended yet: cancel() it, or wait() for it.")
        return self._work(work)

    def _work(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            return work()
        finally:
            self._end()

    def _begin(self) -> bool:
        with self._lock:
            if self.running:
                return False
            self._cancelled.clear()  # an earlier order to stop
            self._idle.clear()
            self._tell(True)
            return True

    def _end(self) -> None:
        with self._lock:
            self._idle.set()
            self._tell(False)

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
        if not self._idle.wait(seconds):
            return False
        with self._lock:  # what it tells when it has ended, it has told
            return not self.running


class Latest:
    """Does the last of what it is given, in a thread: what was given before it is left out.

    >>> latest, done = Latest(), []
    >>> for number in range(3):
    ...     latest.offer(lambda number=number: done.append(number))
    >>> latest.wait()
    >>> done[-1]
    2
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: Callable[[], object] | None = None
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether there is work that is not done."""
        return self._thread is not None

    def offer(self, work: Callable[[], object]) -> None:
        """Do the work as soon as what is being done has ended, if nothing else is offered."""
        with self._lock:
            self._next = work
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="optimove-latest", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                work, self._next = self._next, None
                if work is None:
                    self._thread = None
                    return
            with contextlib.suppress(Exception):  # the work tells its own errors
                work()

    def wait(self) -> None:
        """Wait until all is done."""
        thread = self._thread
        if thread is not None:
            thread.join()


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
