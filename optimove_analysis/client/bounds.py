"""How long an answer may take and how large it may be, whatever the server does.

requests waits so long for each piece of an answer, so that a server which sends a byte now and then
holds a thread for ever; and it unpacks a body before anyone can measure it.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any, Final

import requests
import urllib3

__all__ = ["LARGEST", "WHOLE", "TooLargeError", "read_whole", "set_deadlines"]

WHOLE: Final = 4
"""A whole answer may take so many times the timeout, which is for each piece of it.

With the default timeout it is two minutes, in which a slow line of 200 kB/s brings 24 MB.
"""
LARGEST: Final = 256 * 2**20
"""Bytes of a body, unpacked. A million customer ids are 40 MB, but a packed answer of 1 MB can
unpack to 1 GB, and 16 threads read at once."""
_PIECE: Final = 2**16
"""Bytes that are unpacked at a time, so that a body is not in memory before it is measured."""


class TooLargeError(requests.exceptions.RequestException):
    """More bytes than an answer can have."""


class _Reader(io.RawIOBase):
    """What comes from a socket, until the answer has taken too long as a whole."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, timeout: float) -> None:
        self._raw, self._sock, self._timeout = raw, sock, timeout
        self._end = time.monotonic() + WHOLE * timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - as the base has it
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        self._sock.settimeout(min(self._timeout, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """An answer whose status line, headers and body together have a deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base has them
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, timeout))


def set_deadlines(manager: urllib3.PoolManager) -> None:
    """Let the connections that a manager will make give each answer a deadline.

    A kind of connection is not known before there is a manager: SOCKS has its own.
    """
    on_connection = {
        "response_class": _TimedResponse,
        # http.client prints what it sends, the credential too, if a program sets this on its class.
        "debuglevel": 0,
    }
    kinds: dict[str, Any] = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {
        scheme: type(
            kind.__name__,
            (kind,),
            {"ConnectionCls": type("Connection", (kind.ConnectionCls,), on_connection)},
        )
        for scheme, kind in kinds.items()
    }


def read_whole(response: requests.Response) -> None:
    """Read an answer to its end, or until it is too large."""
    size, pieces = 0, []
    try:
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > LARGEST:
                response.close()  # and the connection: the rest of it is of no use
                raise TooLargeError(f"the answer is larger than {LARGEST // 2**20} MB")
            pieces.append(piece)
    except ValueError as error:
        # What urllib3 makes of a chunk whose length is below 0.
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error
    response._content = b"".join(pieces)  # noqa: SLF001 - requests has no other way to be given it
