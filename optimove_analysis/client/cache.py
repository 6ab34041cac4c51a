"""Answers on disk: one SQLite file an account, no credential in it, nothing in it that runs.

Built on requests-cache's SQLite backend, not on its session: the session's defaults put a
credential on disk in clear (its list of secret headers goes by exact case), serve one account's
answers to another (redacted headers do not tell accounts apart), and run code from the file
(pickle). Here the account is the file, the key of an answer is what was asked and nothing else,
and what is kept is JSON: body, time, and two plain facts.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Literal

from requests.structures import CaseInsensitiveDict
from requests_cache.backends.base import BaseCache
from requests_cache.backends.sqlite import SQLiteCache, SQLiteDict
from requests_cache.models.request import CachedRequest
from requests_cache.models.response import CachedResponse

__all__ = ["Cache", "CacheInfo", "CacheWarning", "Entry"]

_BUSY: Final = 5.0
"""Seconds to wait for another process that writes to the same file."""
_BESIDE: Final = ("-wal", "-shm")
"""What SQLite adds to the file's name for the files that it keeps beside it."""
_LAST_UPDATE: Final = "X-Last-Data-Update"


class CacheWarning(UserWarning):
    """The cache cannot be used; answers come from the network, and each costs quota."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept answer."""

    body: bytes
    fetched_at: datetime
    last_update: date | None
    """The day through which the API's data was complete when the answer was fetched."""


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What the cache holds: where, how many answers, and how many bytes on disk."""

    path: Path
    entries: int
    size: int


class Cache:
    """The kept answers of one account.

    A cache that cannot be opened, read or written is no reason to have no answer: it warns once
    (`CacheWarning`), and is empty from then on.

    Args:
        path: the SQLite file; it and its folder are made where absent, for this user alone.
        now: the time of day, with its zone.
    """

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = path
        self._now = now
        self._lock = threading.Lock()
        self._backend: SQLiteCache | None = None
        # Opened on first use: to make a client touches no disk.
        self._state: Literal["unopened", "open", "closed", "broken"] = "unopened"

    def __repr__(self) -> str:
        return f"Cache({str(self.path)!r})"

    @property
    def works(self) -> bool:
        """Whether answers are kept: it is not closed, and no trouble was met so far."""
        return self._state in {"unopened", "open"}

    @staticmethod
    def key(function: str, params: Mapping[str, str]) -> str:
        """Return the key of a request: what is asked, without host, account or credential."""
        asked = json.dumps([function, sorted(params.items())])
        return blake2b(asked.encode(), digest_size=20).hexdigest()

    def read(self, function: str, params: Mapping[str, str]) -> Entry | None:
        """Return the kept answer to a request, or None where there is none that is still good."""
        with self._guard("read") as backend:
            response = backend and backend.responses.get(self.key(function, params))
            if not response or (response.expires and response.expires <= self._now()):
                return None
            known = response.headers.get(_LAST_UPDATE)
            return Entry(
                body=response.content,
                fetched_at=response.created_at,
                last_update=date.fromisoformat(known) if known else None,
            )
        return None

    def write(
        self, function: str, params: Mapping[str, str], entry: Entry, lifetime: timedelta | None
    ) -> None:
        """Keep an answer for so long, or for good where ``lifetime`` is None."""
        headers = {_LAST_UPDATE: entry.last_update.isoformat()} if entry.last_update else {}
        response = CachedResponse(
            content=entry.body,
            status_code=200,
            headers=CaseInsensitiveDict(headers),
            created_at=entry.fetched_at,
            expires=None if lifetime is None else entry.fetched_at + lifetime,
            # For a reader of the file: what was asked, with no host.
            request=CachedRequest(method="GET", url=f"{function}?{json.dumps(dict(params))}"),
        )
        with self._guard("written") as backend:
            if backend is not None:
                backend.responses[self.key(function, params)] = response

    def info(self) -> CacheInfo:
        """Return where the cache is, how many answers it holds, and its bytes on disk."""
        entries = 0
        with self._guard("read") as backend:
            if backend is not None:
                entries = len(backend.responses)
        files = [self.path, *(self.path.with_name(f"{self.path.name}{end}") for end in _BESIDE)]
        return CacheInfo(self.path, entries, sum(f.stat().st_size for f in files if f.exists()))

    def close(self) -> None:
        """Close the file; the cache is empty from then on."""
        with self._lock:
            backend, self._backend = self._backend, None
            self._state = "closed"
        if backend is not None:
            backend.close()  # type: ignore[no-untyped-call] # requests-cache leaves it without types

    def _open(self) -> Exception | None:
        """Open the file on first use; return what stands in the way, if anything does."""
        if self._state == "unopened":
            try:
                _make_private(self.path)
                self._backend, self._state = _Backend(self.path), "open"
            except Exception as error:  # noqa: BLE001 - see _guard
                return error
        return None

    @contextmanager
    def _guard(self, done: str) -> Iterator[SQLiteCache | None]:
        """Give the backend, one thread at a time; warn once and go on without where it fails."""
        with self._lock:
            trouble = self._open()
            done = "opened" if trouble else done
            try:
                yield self._backend
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the cache, the network has the answer
                trouble = error
            if trouble is not None:
                broken, self._backend, self._state = self._backend, None, "broken"
                # Left to the garbage collector it would be a ResourceWarning from Python 3.13 on.
                with suppress(Exception):
                    if broken is not None:
                        broken.close()  # type: ignore[no-untyped-call] # as in close
        if trouble is not None:
            warnings.warn(
                f"the cache {self.path} cannot be {done} ({trouble}): answers come from the "
                "network and are not kept. Remove the file, or give another cache_dir.",
                CacheWarning,
                stacklevel=4,
            )


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its -wal and -shm files the mode of the file itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


class _Table(SQLiteDict):
    """A table that gives up where requests-cache's own tries for ever.

    It begins a write again and again until it can: with a read-only file, a full disk or a
    program that never lets go of the lock, that is never.
    """

    @contextmanager
    def _acquire_sqlite_lock(self) -> Iterator[None]:
        with self._lock:
            connection = self._connection
            if connection is None:
                raise sqlite3.OperationalError("the cache is closed")
            connection.execute(
                "BEGIN IMMEDIATE"
            )  # waits for others as long as sqlite3.connect says
            self._active_transaction = True
            try:
                yield
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                self._active_transaction = False


class _Backend(SQLiteCache):
    """requests-cache's SQLite backend, with tables that give up."""

    def __init__(self, path: Path) -> None:
        BaseCache.__init__(self, cache_name=str(path))
        options: dict[str, Any] = {"wal": True, "timeout": _BUSY}
        self.responses = _Table(path, table_name="responses", serializer="json", **options)
        self.redirects = _Table(path, table_name="redirects", serializer=None, **options)
