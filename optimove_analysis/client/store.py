"""The file beneath the cache: bodies in requests-cache's table, and facts about them beside.

Bodies lie in the table ``responses`` of requests-cache's SQLite backend, byte for byte: nothing in
the file runs, and a `requests_cache.CachedSession` given `BODIES` as its serializer reads it. What
is known of each body (what was asked, when, how far the data reached) lies in ``kept``, so that a
question about a hundred thousand answers reads no body. A checksum over both tells a torn page from
an answer: SQLite has none of its own.

Everything here may raise ``sqlite3.Error`` or ``OSError``; what that means is `Cache`'s to say.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from optimove_analysis.client.backend import Backend
from optimove_analysis.client.layout import check_layout, is_ours, lay_out

__all__ = [
    "Endpoint",
    "Entry",
    "Facts",
    "Store",
    "beside",
    "put",
]

_BUSY: Final = 5.0
"""Seconds to wait for another process that writes to the same file."""
_ABANDONED: Final = 3_600.0
"""Seconds after which nobody asks any more, who may have died."""
_CACHE_KB: Final = 32_000
"""Memory for pages of the file."""
_CHUNK: Final = 2_000
"""So many keys are asked for at once."""


class Facts(NamedTuple):
    """What is known of a kept answer without its body."""

    fetched_at: datetime
    """With the offset of the computer that fetched it: its calendar day counts."""
    last_update: date | None
    """The day through which the API's data was complete at the fetch; None: not known."""
    found: bool
    """False where the API said that it does not know what was asked for."""


class Entry(NamedTuple):
    """One kept answer."""

    body: bytes
    fetched_at: datetime
    last_update: date | None = None
    found: bool = True

    @property
    def facts(self) -> Facts:
        """What is known of it without its body."""
        return Facts(self.fetched_at, self.last_update, self.found)


class Endpoint(NamedTuple):
    """What is kept of one function."""

    function: str
    entries: int
    size: int
    oldest: str
    newest: str


class Store:
    """One SQLite file.

    Args:
        path: the file; made where absent.
        read_only: never written to, nor are files made beside it: a snapshot.

    Raises:
        LayoutError: it is another program's file, or another version's.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._backend: Backend | None = None
        if read_only:
            # Immutable: no lock, no -wal and no -shm, so that it opens from a read-only disk too.
            self._reader = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro&immutable=1",
                uri=True,
                check_same_thread=False,
                isolation_level=None,
            )
            try:
                check_layout(self._reader, fresh=False)
            except BaseException:
                self._reader.close()
                raise
            return
        _look_before_writing(path)
        self._backend = Backend(path, busy=_BUSY)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; again is no error."""
        if self._backend is None:
            self._reader.close()
        else:
            self._backend.close()  # type: ignore[no-untyped-call] # requests-cache has no types

    def facts(self, keys: Iterable[str]) -> dict[str, Facts]:
        """Return what is known of those of the keys that are kept; no body is read."""
        sql = (
            "SELECT key, fetched_at, last_update, found FROM kept "
            "WHERE key IN (SELECT value FROM json_each(?))"
        )
        known: dict[str, Facts] = {}
        for key, at, updated, found in self._selected(sql, keys):
            with suppress(ValueError, TypeError):  # torn: as good as not there
                known[key] = Facts(*_instants(at, updated), bool(found))
        return known

    def entries(self, keys: Iterable[str]) -> tuple[dict[str, Entry], list[str]]:
        """Return those of the keys that are kept and whole, and the keys of those that are torn."""
        sql = (
            "SELECT kept.key, value, checksum, function, params, found, fetched_at, last_update "
            "FROM kept LEFT JOIN responses ON responses.key = kept.key "
            "WHERE kept.key IN (SELECT value FROM json_each(?))"
        )
        whole: dict[str, Entry] = {}
        torn: list[str] = []
        days: dict[str | None, date | None] = {None: None}  # few, and each parsed once
        for key, body, checksum, function, params, found, at, updated in self._selected(sql, keys):
            if not isinstance(body, bytes) or checksum != _checksum(
                body, function, params, found, at, updated
            ):
                torn.append(key)
                continue
            if updated not in days:
                days[updated] = date.fromisoformat(updated)
            whole[key] = Entry(body, datetime.fromisoformat(at), days[updated], bool(found))
        return whole, torn

    def write(self, key: str, function: str, params: Mapping[str, str], entry: Entry) -> None:
        """Keep an answer, in the place of an older one."""
        with self.writing() as connection:
            put(connection, key, function, params, entry)
            connection.execute("DELETE FROM asking WHERE key = ?", (key,))

    def claim(self, key: str, owner: str) -> str:
        """Note that ``owner`` asks for a key, unless another does; return who does."""
        with self.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO asking VALUES (?, ?, ?)", (key, owner, time.time())
            )
            sql = "SELECT owner FROM asking WHERE key = ?"
            return str(connection.execute(sql, (key,)).fetchone()[0])

    def asking(self, key: str) -> str | None:
        """Return who asks for a key, if anyone does."""
        found = self._execute("SELECT owner FROM asking WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    def release(self, key: str, owner: str) -> None:
        """Note that ``owner`` no longer asks for a key."""
        with self.writing() as connection:
            connection.execute("DELETE FROM asking WHERE key = ? AND owner = ?", (key, owner))

    def endpoints(self) -> list[Endpoint]:
        """Return what is kept of each function, the largest first."""
        # Of times with different offsets the text does not tell which comes first; julianday does.
        sql = (
            "SELECT function, count(*), sum(size), min(datetime(fetched_at)), "
            "max(datetime(fetched_at)) FROM kept GROUP BY function ORDER BY 3 DESC, 1"
        )
        return [Endpoint(*row) for row in self._execute(sql)]

    def keys(self, *, older_than: datetime | None = None) -> list[str]:
        """Return the keys that are kept, or those that were fetched before a time."""
        if older_than is None:
            return [key for (key,) in self._execute("SELECT key FROM kept")]
        sql = "SELECT key FROM kept WHERE julianday(fetched_at) < julianday(?)"
        return [key for (key,) in self._execute(sql, (older_than.isoformat(),))]

    def asked(self, keys: Iterable[str] | None = None) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yield key, function and parameters of what is kept."""
        if keys is None:
            rows: Iterable[Any] = self._execute("SELECT key, function, params FROM kept").fetchall()
        else:
            sql = (
                "SELECT key, function, params FROM kept "
                "WHERE key IN (SELECT value FROM json_each(?))"
            )
            rows = self._selected(sql, keys)
        for key, function, params in rows:
            yield key, function, json.loads(params)

    def about(self) -> dict[str, str]:
        """Return what the file says of itself."""
        return dict(self._execute("SELECT name, value FROM about").fetchall())

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield all but the body of each answer, by key: what a snapshot's digest is made of."""
        yield from self._execute("SELECT * FROM kept ORDER BY key")

    def delete(self, keys: Collection[str]) -> None:
        """Remove answers, and overwrite what they were with zeros.

        So goes what those who died asked for: its key is a hash of what was asked.
        """
        with self.writing() as connection:
            connection.execute("DELETE FROM asking WHERE since < ?", (time.time() - _ABANDONED,))
            for chunk in _chunks(keys):
                for table in ("responses", "kept", "asking"):
                    connection.execute(
                        f"DELETE FROM {table} "  # noqa: S608 - one of our own three
                        "WHERE key IN (SELECT value FROM json_each(?))",
                        (json.dumps(chunk),),
                    )

    def shrink(self, patience: float = _BUSY) -> bool:
        """Rewrite the file without what was removed; return whether no trace of it is left.

        Another program that reads just now keeps the old pages alive in the -wal file.
        """
        until = time.monotonic() + patience
        while True:
            try:
                self._execute("VACUUM")
                busy, _, _ = self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:
                if (error.sqlite_errorcode & 0xFF) not in {
                    sqlite3.SQLITE_BUSY,
                    sqlite3.SQLITE_LOCKED,
                }:
                    raise
                busy = True
            if not busy or time.monotonic() >= until:
                return not busy
            time.sleep(0.05)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction: all of it is kept, or nothing."""
        if self._backend is None:
            raise sqlite3.OperationalError("a snapshot is not written to")
        with self._backend.responses.connection(commit=True) as connection:
            yield connection

    def _execute(self, sql: str, params: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        if self._backend is None:
            return self._reader.execute(sql, params)
        with self._backend.responses.connection() as connection:
            return connection.execute(sql, params)

    def _selected(self, sql: str, keys: Iterable[str]) -> Iterator[Any]:
        """Yield the rows of a query for keys; few at once, so that memory stays small."""
        for chunk in _chunks(keys):
            yield from self._execute(sql, (json.dumps(chunk),)).fetchall()

    def _prepare(self) -> None:
        self._execute("PRAGMA secure_delete = ON")
        # An audience's answers lie all over the index, which is read once rather than for each.
        self._execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        with self._backend.responses.connection() as connection:  # type: ignore[union-attr]
            if is_ours(connection):
                return
        with self.writing() as connection:
            check_layout(connection, fresh=True)
            lay_out(connection)


def put(
    connection: sqlite3.Connection,
    key: str,
    function: str,
    params: Mapping[str, str],
    entry: Entry,
) -> None:
    """Put an answer into the tables, in the place of an older one."""
    asked = json.dumps(dict(params), ensure_ascii=False)
    updated = entry.last_update.isoformat() if entry.last_update else None
    row = function, asked, int(entry.found), entry.fetched_at.isoformat(), updated
    connection.execute(
        "INSERT OR REPLACE INTO responses (key, value, expires) VALUES (?, ?, NULL)",
        (key, entry.body),
    )
    connection.execute(
        "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key, *row, len(entry.body), _checksum(entry.body, *row)),
    )


def beside(path: Path) -> list[Path]:
    """Return the files that SQLite keeps beside a file while it is open."""
    return [path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm")]


def _look_before_writing(path: Path) -> None:
    """Raise if the file is not ours, before requests-cache makes its tables in it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its -wal and -shm files the mode of the file itself.
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        # Not opened here: to close it would drop the locks of this process's other connections.
        with suppress(OSError):  # another user's, as a shared cache may be
            path.chmod(0o600)  # also one that a careless copy made readable by all
    if not path.stat().st_size:
        return
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
    try:
        # At one moment: another process may be making the tables between two looks.
        connection.execute("BEGIN")
        check_layout(connection, fresh=True)
    finally:
        connection.close()


def _checksum(body: bytes, *row: object) -> int:
    return zlib.crc32(body, zlib.crc32(repr(row).encode()))


def _instants(at: str, updated: str | None) -> tuple[datetime, date | None]:
    return datetime.fromisoformat(at), date.fromisoformat(updated) if updated else None


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = list(keys)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]
