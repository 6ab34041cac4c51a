"""Sockets and uvicorn: how the server listens, starts, and can be made to hang up."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from optimove_analysis.errors import InputError

__all__ = ["HOST", "Server", "Wire", "listen"]

HOST: Final = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Return a socket bound to the port; 0 takes a free one.

    Raises:
        InputError: the port is taken, may not be used, or is none.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where REUSEADDR would share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:  # a port just left is free again at once
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError(
            f"port {port} of {HOST} cannot be used ({error}); give another, or 0 for a free one."
        ) from error
    return listener


class Server(uvicorn.Server):
    """Says when it is ready, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()


class Wire:
    """Remembers the open connections, so that a fault can close one."""

    def __init__(self) -> None:
        self._open: dict[Any, asyncio.Transport] = {}

    def hang_up(self, scope: Scope) -> None:
        """Close the connection of a request at once. To be called on the server's event loop."""
        connection = self._open.get(tuple(scope["client"]))
        if connection is not None:
            connection.close()

    def server(self, app: ASGIApp) -> Server:
        """Return a server of the application, ready to run."""
        connections = self._open

        class Protocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
                super().connection_made(transport)
                connections[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self.client, None)
                super().connection_lost(exc)

        return Server(
            uvicorn.Config(
                app,
                loop="asyncio",  # whatever else is installed: the same everywhere
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                # A client that waits for its quota must find its connection open.
                timeout_keep_alive=120,
                timeout_graceful_shutdown=1,
            )
        )
