"""Many requests at once: kept answers first, then as many threads as the quota can use.

The first failure stops the sending. What was answered until then is in the cache, so that asking
again goes on from there.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias

from tqdm.auto import tqdm

from optimove_analysis.client.session import Answer, Session
from optimove_analysis.errors import ApiError, OptimoveAnalysisError

__all__ = ["Progress", "ProgressOption", "Request", "fetch_missing", "kept_answers"]

_A_FEW: Final = 5
"""So many requests need no bar."""
_LINGER: Final = 5.0
"""Seconds to wait, after a failure, for the answers that are under way."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of many."""

    function: str
    params: dict[str, str]
    label: str
    """What an error calls it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch has come.

    >>> print(Progress(fetched=30, cached=20, total=250, eta=31.0))
    30 fetched, 20 from the cache, about 0:31 left
    """

    fetched: int
    cached: int
    total: int
    eta: float
    """Seconds until the last request can be sent, by the quota."""

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.eta), 60)
        left = f"about {minutes}:{seconds:02} left"
        return f"{self.fetched} fetched, {self.cached} from the cache, {left}"


ProgressOption: TypeAlias = "bool | Callable[[Progress], None] | None"
"""True or False: a bar or none; a function: it is called; None: a bar if more than 5 are sent."""


class _StoppedError(Exception):
    """The fetch has ended: no need to wait for one's turn."""


@dataclass(slots=True)
class _Run:
    """What the threads of one fetch share."""

    session: Session
    queue: deque[tuple[int, Request]]
    lifetime: timedelta | None
    last_update: date | None
    not_found: Callable[[Request, ApiError], Answer]
    stop: threading.Event = field(default_factory=threading.Event)
    results: SimpleQueue[tuple[int, Answer | BaseException]] = field(default_factory=SimpleQueue)

    def work(self) -> None:
        """Send what is left, until nothing is or the fetch has ended. Runs in each thread."""
        while not self.stop.is_set():
            try:
                position, request = self.queue.popleft()
            except IndexError:
                return
            try:
                self.results.put((position, self.ask(request)))
            except _StoppedError:
                return
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
                self.stop.set()
                self.results.put((position, error))

    def ask(self, request: Request) -> Answer:
        try:
            return self.session.fetch(
                request.function,
                request.params,
                lifetime=self.lifetime,
                last_update=self.last_update,
                sleep=self.sleep,
            )
        except ApiError as error:
            return self.not_found(request, error)

    def sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise _StoppedError


def kept_answers(session: Session, requests: Sequence[Request]) -> list[Answer | None]:
    """Return the answers that the cache holds, in the order of the requests; they cost nothing."""
    return [session.kept(request.function, request.params) for request in requests]


def fetch_missing(
    session: Session,
    requests: Sequence[Request],
    kept: Sequence[Answer | None],
    *,
    lifetime: timedelta | None,
    last_update: date | None,
    not_found: Callable[[Request, ApiError], Answer],
    progress: ProgressOption = None,
) -> list[Answer]:
    """Return the answers to all requests, in their order; ask for those that are not kept.

    Args:
        session: whom to ask; its quota is kept to over all threads.
        requests: what to ask.
        kept: the answer to each, where there is one already.
        lifetime: for how long new answers are good.
        last_update: the last data update, kept with each new answer.
        not_found: makes an answer of an error of the API, or raises it again.
        progress: how to show progress.

    Raises:
        OptimoveAnalysisError: the first failure; it names the request, and says how many answers
            are kept.
    """
    answers = dict(enumerate(kept))
    queue = deque((n, request) for n, request in enumerate(requests) if kept[n] is None)
    todo, cached = len(queue), len(requests) - len(queue)
    run = _Run(session, queue, lifetime, last_update, not_found)
    threads = [
        # Daemons: a request that hangs keeps nobody from leaving Python.
        threading.Thread(target=run.work, name=f"optimove-{n}", daemon=True)
        for n in range(min(session.settings.threads, todo))
    ]
    failure: tuple[int, BaseException] | None = None
    done = 0
    with _shown(progress, todo) as show:
        show(Progress(0, cached, len(requests), session.quota.eta(todo)))
        try:
            for thread in threads:
                thread.start()
            deadline = float("inf")
            while done < todo and time.monotonic() < deadline:
                # The waits are short because some systems hear of Ctrl-C between them only.
                alive = any(thread.is_alive() for thread in threads)
                try:
                    position, result = run.results.get(timeout=0.2 if alive else 0.0)
                except Empty:
                    if not alive:
                        break
                    continue
                if isinstance(result, BaseException):
                    failure = failure or (position, result)
                    deadline = min(deadline, time.monotonic() + _LINGER)
                    continue
                answers[position] = result
                done += 1
                left = session.quota.eta(todo - done - session.quota.in_flight)
                show(Progress(done, cached, len(requests), left))
        finally:
            run.stop.set()
    if failure is not None:
        position, error = failure
        kept_now = (
            f"({cached + done} of {len(requests)} answers are kept; calling again goes on from "
            "there.)"
        )
        raise _explained(
            error, requests[position].label, kept_now if session.cache.works else ""
        ) from error
    return [answer for answer in answers.values() if answer is not None]


@contextmanager
def _shown(progress: ProgressOption, todo: int) -> Iterator[Callable[[Progress], None]]:
    """Give the function that shows progress."""
    if callable(progress):
        yield progress
        return
    wanted = todo > _A_FEW if progress is None else progress
    # tqdm's own estimate goes by the rate, which with a quota comes in bursts: ours is shown.
    form = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
    with tqdm(total=todo, desc="Optimove", disable=not wanted, bar_format=form) as bar:

        def show(state: Progress) -> None:
            bar.set_postfix_str(str(state), refresh=False)
            bar.update(state.fetched - bar.n)
            if not state.fetched:
                bar.refresh()  # from the start; then as often as tqdm finds right

        yield show


def _explained(error: BaseException, label: str, kept: str) -> BaseException:
    """Return an error of the same kind that names the request and says what is kept."""
    if not isinstance(error, OptimoveAnalysisError):
        return error
    explained = copy.copy(error)
    explained.args = (" ".join(filter(None, (f"{label}: {error}", kept))),)
    return explained
