"""requests-cache's SQLite backend, so that it keeps bodies as they came, and gives up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from requests_cache.backends.base import BaseCache
from requests_cache.backends.sqlite import SQLiteCache, SQLiteDict
from requests_cache.models.response import CachedResponse
from requests_cache.serializers.pipeline import Stage

from optimove_analysis.client.layout import is_ours

__all__ = ["BODIES", "Backend"]


def _body(response: CachedResponse) -> bytes:
    return response.content or b""


def _response(body: bytes) -> CachedResponse:
    return CachedResponse(content=body, status_code=200)


BODIES: Final = Stage(dumps=_body, loads=_response)
"""Requests-cache's serializer that adds nothing and runs nothing: a body is kept as it came."""


class _Table(SQLiteDict):
    """A table that gives up where requests-cache's own tries for ever.

    It begins a write again and again until it can: with a read-only file, a full disk or a
    program that never lets go of the lock, that is never. And where a write fails, it says nothing.
    """

    def init_db(self) -> None:
        """Make the table, unless the file has it: to open a file waits for nobody who writes."""
        with self.connection() as connection:
            there = is_ours(connection)
        if not there:
            super().init_db()  # type: ignore[no-untyped-call] # requests-cache has no types

    @contextmanager
    def _acquire_sqlite_lock(self) -> Iterator[None]:
        with self._lock:
            connection = self._connection
            if connection is None:
                raise sqlite3.OperationalError("the cache is closed")
            # Ctrl-C while it waits for others comes when it has begun: all of it is in the try.
            try:
                connection.execute("BEGIN IMMEDIATE")
                self._active_transaction = True
                yield
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                self._active_transaction = False


class Backend(SQLiteCache):
    """requests-cache's SQLite backend, with tables that give up.

    Args:
        path: the file.
        busy: seconds to wait for another process that writes to it.
    """

    def __init__(self, path: Path, *, busy: float) -> None:
        BaseCache.__init__(self, cache_name=str(path))
        options: dict[str, Any] = {"wal": True, "timeout": busy}
        self.responses = _Table(path, table_name="responses", serializer=BODIES, **options)
        self.redirects = _Table(path, table_name="redirects", serializer=None, **options)
