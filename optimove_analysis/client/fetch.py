"""Many requests at once: as many threads as the quota can use, with progress, and an end in sight.

A failure stops the sending, or is collected. What was answered until then is in the cache, so that
asking again goes on from there.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple, TypeAlias

from tqdm.auto import tqdm
from tqdm.std import tqdm as any_tqdm

from optimove_analysis.client.session import Answer, Session
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    ConnectionFailedError,
    OptimoveAnalysisError,
    QuotaError,
    ResponseError,
    SchemaError,
)

__all__ = [
    "BAR",
    "Ask",
    "Failure",
    "Progress",
    "ProgressOption",
    "draw",
    "fetch_each",
    "saying_kept",
    "shown",
]

BAR: Final = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
"""A bar as tqdm draws it, without its estimate: it goes by the rate, which a quota makes uneven."""
_A_FEW: Final = 5
"""So many requests need no bar."""
_TICK: Final = 1.0
"""Seconds between two looks at how far it is while no answer comes: the quota may say wait."""
_LINGER: Final = 5.0
"""Seconds to wait, after a failure, for the answers that are under way."""
_MOMENT: Final = 1.0
"""Seconds to wait, at the end, for threads that are at work: an answer that came is being kept."""
_IN_A_ROW: Final = 20
"""So many failures of the API or the network, with no answer between them, are an outage."""
_SERVER_ERROR: Final = 500

Ask: TypeAlias = Callable[[str, Callable[[float], None]], Answer]
"""Asks for one customer; the second argument waits, and raises when the fetch has ended."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch has come.

    >>> print(Progress(fetched=30, cached=20, total=250, eta=31.0))
    30 of 230 fetched, 20 from the cache, about 0:31 left
    >>> print(Progress(fetched=30, cached=0, total=32, eta=0.0, failed=2))
    30 of 32 fetched, 2 failed
    """

    fetched: int
    cached: int
    total: int
    eta: float
    """Seconds until the last request can be sent, by the quota."""
    failed: int = 0

    @property
    def rest(self) -> str:
        """All of the text but what is fetched of how much, which a bar shows as well."""
        left = self.total - self.cached - self.fetched - self.failed
        minutes, seconds = divmod(max(round(self.eta), 1), 60)
        return ", ".join(
            text
            for number, text in (
                (self.cached, f"{self.cached:,} from the cache"),
                (self.failed, f"{self.failed:,} failed"),
                (left, f"about {minutes}:{seconds:02} left"),
            )
            if number
        )

    def __str__(self) -> str:
        fetched = f"{self.fetched:,} of {self.total - self.cached:,} fetched"
        return ", ".join(filter(None, (fetched, self.rest)))


ProgressOption: TypeAlias = "bool | Callable[[Progress], None] | None"
"""True or False: a bar or none; a function: it is called; None: a bar if more than 5 are sent."""


class Failure(NamedTuple):
    """A customer whose answer could not be had, and why."""

    customer_id: str
    error: OptimoveAnalysisError


class _StoppedError(Exception):
    """The fetch has ended: no need to wait for one's turn."""


@dataclass(slots=True)
class _Run:
    """What the threads of one fetch share."""

    queue: deque[str]
    ask: Ask
    collects: bool
    stop: threading.Event = field(default_factory=threading.Event)
    results: SimpleQueue[tuple[str, Answer | BaseException]] = field(default_factory=SimpleQueue)

    def work(self) -> None:
        """Send what is left, until nothing is or the fetch has ended. Runs in each thread."""
        while not self.stop.is_set():
            try:
                one = self.queue.popleft()
            except IndexError:
                return
            try:
                self.results.put((one, self.ask(one, self.sleep)))
            except _StoppedError:
                return
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
                if not self.collects_it(error):
                    self.stop.set()
                self.results.put((one, error))

    def collects_it(self, error: BaseException) -> bool:
        """Tell whether to go on after an error, as it may be one customer's alone."""
        if not self.collects or isinstance(error, AuthError | QuotaError):
            return False  # nobody gets through
        return isinstance(error, ApiError | SchemaError | ConnectionFailedError)

    def sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise _StoppedError


def _is_outage(error: OptimoveAnalysisError) -> bool:
    """Tell whether a failure says more of the API than of the customer."""
    if isinstance(error, ApiError):
        status = error.status or _SERVER_ERROR
        return isinstance(error, ResponseError) or status >= _SERVER_ERROR
    # A format that fits nobody is a setting to be made, not a thing of each customer.
    return isinstance(error, ConnectionFailedError | SchemaError)


def fetch_each(
    session: Session,
    ids: Sequence[str],
    ask: Ask,
    take: Callable[[str, Answer], None],
    *,
    what: str = "customer ",
    cached: int = 0,
    collects: bool = False,
    progress: ProgressOption = None,
) -> list[Failure]:
    """Ask for each customer; hand each answer on as it comes.

    Args:
        session: whose quota and settings hold.
        ids: whom to ask for.
        ask: asks for one, in one of the threads.
        what: what an error calls one, before its id.
        take: takes each answer, in the caller's thread; not in the order of the ids.
        cached: how many more customers were found in the cache, for the progress.
        collects: return failures that are one customer's, rather than raise the first.
        progress: how to show progress.

    Raises:
        OptimoveAnalysisError: the first failure; it names the customer, and says how many answers
            are kept. Also while collecting, if it is not one customer's: a credential that is not
            accepted, or an outage.
    """
    total = cached + len(ids)
    run = _Run(deque(ids), ask, collects)
    threads = [
        # Daemons: a request that hangs keeps nobody from leaving Python.
        threading.Thread(target=run.work, name=f"optimove-{n}", daemon=True)
        for n in range(min(session.settings.threads, len(ids)))
    ]
    fatal: tuple[str, BaseException] | None = None
    failures: list[Failure] = []
    done = in_a_row = 0
    with (
        shown(progress, len(ids)) as show,
        saying_kept(session, lambda: cached + done, total),
    ):
        report = _Report(show, session, cached, total)
        report(0, 0)
        try:
            for thread in threads:
                thread.start()
            deadline = float("inf")
            while done + len(failures) < len(ids) and time.monotonic() < deadline:
                # The waits are short because some systems hear of Ctrl-C between them only.
                alive = any(thread.is_alive() for thread in threads)
                try:
                    one, result = run.results.get(timeout=0.2 if alive else 0.0)
                except Empty:
                    if not alive:
                        break
                    report.now_and_then(done, len(failures))
                    continue
                if isinstance(result, Answer):
                    take(one, result)
                    done, in_a_row = done + 1, 0
                elif isinstance(result, OptimoveAnalysisError) and run.collects_it(result):
                    failures.append(Failure(one, result))
                    in_a_row = in_a_row + 1 if _is_outage(result) else 0
                    if in_a_row >= _IN_A_ROW:
                        fatal = fatal or (one, result)
                else:
                    fatal = fatal or (one, result)
                if fatal is not None:
                    run.stop.set()
                    deadline = min(deadline, time.monotonic() + _LINGER)
                    continue
                report(done, len(failures))
        finally:
            run.stop.set()
            _leave(threads)
    if fatal is not None:
        one, error = fatal
        kept = _kept(session, cached + done, total)
        raise _explained(error, f"{what}{one}", f"({kept})" if kept else "") from error
    return failures


def _leave(threads: Sequence[threading.Thread]) -> None:
    """Let threads end what they are at, for a moment: after Ctrl-C Python itself may end next.

    A thread that then comes back from polars into a Python that is gone takes the process with it.
    One that waits for the network is no harm.
    """
    until = time.monotonic() + _MOMENT
    for thread in threads:
        if thread.is_alive():
            thread.join(max(until - time.monotonic(), 0.0))


@dataclass(slots=True)
class _Report:
    """Says how far a fetch has come: at each answer, and each second while none comes."""

    show: Callable[[Progress], None]
    session: Session
    cached: int
    total: int
    said: float = 0.0

    def __call__(self, done: int, failed: int) -> None:
        quota = self.session.quota
        waiting = self.total - self.cached - done - failed - quota.in_flight
        self.show(Progress(done, self.cached, self.total, quota.eta(waiting), failed))
        self.said = time.monotonic()

    def now_and_then(self, done: int, failed: int) -> None:
        if time.monotonic() - self.said >= _TICK:
            self(done, failed)


@contextmanager
def saying_kept(session: Session, done: Callable[[], int], total: int) -> Iterator[None]:
    """Have an interrupt say what is kept: the one line a notebook shows that is no traceback's."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.args = (_kept(session, done(), total),)
        raise


def _kept(session: Session, done: int, total: int) -> str:
    if not session.cache.works:
        return ""
    return f"{done:,} of {total:,} answers are kept; calling again goes on from there."


@contextmanager
def shown(progress: ProgressOption, todo: int) -> Iterator[Callable[[Progress], None]]:
    """Give the function that shows progress."""
    if callable(progress):
        yield progress
        return
    wanted = todo > _A_FEW if progress is None else progress
    with tqdm(total=todo, desc="Optimove", disable=not wanted, bar_format=BAR) as bar:
        yield lambda state: draw(bar, state)


def draw(bar: any_tqdm[Any], state: Progress) -> None:
    """Have a bar show how far a fetch has come."""
    bar.set_postfix_str(state.rest, refresh=False)
    if new := state.fetched + state.failed - bar.n:
        bar.update(new)  # drawn as often as tqdm finds right
    else:
        bar.refresh()  # at the start, and when it waits: the time that is left goes down


def _explained(error: BaseException, label: str, kept: str) -> BaseException:
    """Return an error of the same kind that names the request and says what is kept."""
    if not isinstance(error, OptimoveAnalysisError):
        return error
    explained = copy.copy(error)
    explained.args = (" ".join(filter(None, (f"{label}: {error}", kept))),)
    return explained
