"""A server in front of the sandbox that does something to chosen requests and passes the others on.

It speaks over sockets of its own, since no HTTP server can be made to break HTTP. Connections stay
open between answers, as a real server's do.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

_SECONDS: Final = 60.0
"""After which a connection ends by itself, whatever is going on."""


@dataclass(slots=True)
class Exchange:
    """One request that came in."""

    function: str
    customer: str | None
    faulty: bool
    answered: bool = False
    """The true answer was sent, whole and as it is."""


@dataclass(slots=True)
class Wire:
    """A connection whose request has been read, in the hands of a fault."""

    sock: socket.socket
    request: bytes
    truth: Callable[[], tuple[int, bytes]]
    """Asks the sandbox: status and body."""
    closing: threading.Event

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def reset(self) -> None:
        """End the connection as one that is torn down: the other side gets an error, not an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def stall(self) -> None:
        """Say nothing until the client hangs up, or the proxy ends."""
        while not self.closing.is_set():
            with suppress(TimeoutError):
                self.sock.settimeout(0.1)
                if not self.sock.recv(1):
                    return


Act: TypeAlias = Callable[[Wire], "bool | None"]
"""What a fault does with a connection, which is then closed, unless it says True."""


def answer(
    body: bytes, *headers: bytes, status: bytes = b"200 OK", length: int | None = None
) -> bytes:
    """Return an answer as it goes over the wire."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", *headers]
    lines.append(b"Content-Length: %d" % (len(body) if length is None else length))
    return b"\r\n".join([*lines, b"", body])


@dataclass
class FaultProxy:
    """Passes requests on to a sandbox, except those that a fault is planned for.

    Only requests for customers' interactions are touched.
    """

    upstream: str
    function: str
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._act: Act | None = None
        self._left = 0.0
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="fault-proxy", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        with self._lock:
            for sock in (self._listener, *self._open):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def plan(self, act: Act, times: float = float("inf")) -> None:
        """Let a fault befall the next so many requests."""
        with self._lock:
            self._act, self._left = act, times

    def heal(self) -> None:
        """Pass everything on from now."""
        self.plan(lambda _: None, 0)

    @property
    def faulty(self) -> int:
        """How many requests a fault befell."""
        return sum(exchange.faulty for exchange in self.exchanges)

    def answers(self) -> Mapping[str, int]:
        """Return how many true answers were sent for each customer."""
        counted: dict[str, int] = {}
        for exchange in self.exchanges:
            if exchange.customer is not None and exchange.answered:
                counted[exchange.customer] = counted.get(exchange.customer, 0) + 1
        return counted

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(sock)
            threading.Thread(target=self._serve, args=[sock], daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            sock.settimeout(_SECONDS)
            while not self._closing.is_set():
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = sock.recv(65536)
                    if not piece:
                        return
                    request += piece
                if not self._exchange(sock, request):
                    break
        with self._lock:
            self._open.discard(sock)

    def _exchange(self, sock: socket.socket, request: bytes) -> bool:
        target = urlsplit(request.split(b" ", 2)[1].decode())
        function = target.path.rpartition("/")[2]
        customer = parse_qs(target.query).get("CustomerID", [None])[0]
        with self._lock:
            act = self._act if function == self.function and self._left > 0 else None
            self._left -= act is not None
            exchange = Exchange(function, customer, act is not None)
            self.exchanges.append(exchange)
        wire = Wire(sock, request, lambda: self._ask(request), self._closing)
        if act is not None:
            return act(wire) is True
        status, body = wire.truth()
        wire.say(answer(body, status=b"%d Said" % status))
        exchange.answered = True
        return True

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.upstream)
        head, _, _ = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection")]
        with socket.create_connection((parts.hostname, parts.port), _SECONDS) as sock:
            sock.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
            said = b"".join(iter(lambda: sock.recv(65536), b""))
        head, _, body = said.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body
