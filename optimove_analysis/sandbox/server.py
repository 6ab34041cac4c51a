"""The sandbox as one object: start, ask, look into the log, order faults, stop."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Final, Self, TypeAlias

from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.sandbox.access import Quota, Tokens
from optimove_analysis.sandbox.app import NO_ANSWER, Api, Fault, Served, function_of
from optimove_analysis.sandbox.endpoints import Tenant
from optimove_analysis.sandbox.sends import SendBook
from optimove_analysis.sandbox.wire import HOST, Server, Wire, listen
from optimove_analysis.sandbox.world import WORLD_VERSION, World

__all__ = ["Delays", "Sandbox", "sandbox", "serve_forever"]

Delays: TypeAlias = Iterable[float] | Callable[[], float]
"""Seconds that each request waits on its way in, one for each; 0 once they are used up."""

_SECONDS_TO_START: Final = 30.0


class Sandbox:
    """An invented tenant's API over real HTTP on this machine; see `sandbox`."""

    def __init__(
        self,
        port: int = 0,
        *,
        seed: int = 7,
        customers: int = 5_000,
        engagement_metrics: bool = False,
        quota: int = 50,
        per: float = 10.0,
        delays: Delays | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.world = World(seed, customers)
        self.engagement_metrics = engagement_metrics
        self.api_key = _key(WORLD_VERSION, seed, customers, engagement_metrics)
        self._port = port
        self._quota = Quota(quota, per, clock=clock)
        tenant = Tenant(
            self.world, engagement_metrics, self.api_key, Tokens(clock), SendBook(self.world)
        )
        self._wire = Wire()
        self._api = Api(tenant, self._quota, _each(delays), self._wire.hang_up)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        where = f"at {self.url}" if self._server else "not started"
        flag = ", engagement_metrics=True" if self.engagement_metrics else ""
        return (
            f"<Sandbox {where}, key {self.api_key!r}, {self.world!r}{flag}, "
            f"{self._quota.limit} requests in {self._quota.per:g} s>"
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it answers, ``http://127.0.0.1:PORT``.

        Raises:
            InputError: it has not been started.
        """
        if self._server is None:
            raise InputError("this sandbox has no address yet: start() it, or use it in a `with`.")
        return f"http://{HOST}:{self._port}"

    @property
    def log(self) -> list[Served]:
        """What was served so far: time at the quota check, path and status, in order of arrival.

        A dropped connection has status 0.
        """
        return list(self._api.log)

    def count(self, status: int | None = None, path: str | None = None) -> int:
        """Return how many served requests had this status and this path (or function)."""
        return sum(
            (status is None or served.status == status)
            and (path is None or path in (served.path, served.path.rpartition("/")[2]))
            for served in self.log
        )

    def answer(
        self,
        path_or_function: str,
        *,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        times: int = 1,
    ) -> None:
        """Give the next requests to a function exactly this answer, whatever else holds.

        Each still counts against the quota. Several orders are carried out one after the other.

        Raises:
            InputError: the sandbox has no such function.
        """
        fault = Fault(status, body, {"Content-Type": content_type} | dict(headers or {}))
        self._api.faults[function_of(path_or_function)].extend([fault] * times)

    def drop(self, path_or_function: str, *, times: int = 1, begun: bytes = b"") -> None:
        """Close the connection of the next requests to a function without an answer.

        With ``begun``, a status line, headers and this beginning of a longer body come first.

        Raises:
            InputError: the sandbox has no such function.
        """
        self._api.faults[function_of(path_or_function)].extend([Fault(NO_ANSWER, begun)] * times)

    def start(self) -> Self:
        """Start answering, in a thread that ends with the program; again is no error.

        Raises:
            InputError: the port is taken or may not be used.
        """
        if self._server is not None:
            return self
        listener = listen(self._port)
        self._port = listener.getsockname()[1]
        server = self._wire.server(self._api.app)
        self._server = server
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
        )
        self._thread.start()
        if not server.ready.wait(_SECONDS_TO_START):
            self.stop()
            raise OptimoveAnalysisError(f"the sandbox did not start within {_SECONDS_TO_START} s.")
        return self

    def stop(self) -> None:
        """Stop answering and free the port; the log stays. Again is no error."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.should_exit = True
            thread.join()

    def wait(self) -> None:
        """Wait until it is stopped by another thread, or by Ctrl-C, which ends it cleanly."""
        try:
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(0.5)  # a join without limit cannot be interrupted on Windows
        except KeyboardInterrupt:
            self.stop()


def sandbox(
    port: int = 0,
    *,
    seed: int = 7,
    customers: int = 5_000,
    engagement_metrics: bool = False,
    quota: int = 50,
    per: float = 10.0,
    delays: Delays | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Sandbox:
    """Return an invented tenant's API, to be used in a ``with`` or by ``start()`` and ``stop()``.

    Args:
        port: on 127.0.0.1; 0 takes a free one.
        seed: another seed is another world.
        customers: how many; a world of millions starts as fast as one of ten.
        engagement_metrics: the account's compatibility flag; with it,
            GetCustomerChannelInteractions answers in the newer response format.
        quota: how many requests of one key are answered in any ``per`` seconds.
        per: seconds, see ``quota``.
        delays: seconds that each request waits on its way in, before its quota is checked.
        clock: what the quota, the log and the tokens' age go by, in seconds.

    >>> with sandbox() as box:
    ...     box.url.startswith("http://127.0.0.1:"), box.world.exists("841231")
    (True, True)

    Raises:
        InputError: the port is taken, or another argument cannot be used.
    """
    return Sandbox(
        port,
        seed=seed,
        customers=customers,
        engagement_metrics=engagement_metrics,
        quota=quota,
        per=per,
        delays=delays,
        clock=clock,
    )


def serve_forever(box: Sandbox, announce: Callable[[Sandbox], object] | None = None) -> None:
    """Start a sandbox, announce it, and answer until Ctrl-C. For the command line.

    Raises:
        InputError: the port is taken.
    """
    box.start()
    if announce is not None:
        announce(box)
    box.wait()


def _key(*parts: object) -> str:
    # The same world has the same key, so that a client's cache on disk goes on serving it, and
    # another world never: answers are kept apart by key. It guards nothing: it is invented data.
    text = "|".join(map(str, parts))
    return f"sandbox-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _each(delays: Delays | None) -> Callable[[], float]:
    if delays is None:
        return lambda: 0.0
    if callable(delays):
        return delays
    left = iter(delays)
    return lambda: next(left, 0.0)
