"""The tables of a ledger: made, checked, read, and carried over a boot."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock

__all__ = [
    "BUSY",
    "GRACE",
    "adopt",
    "bury",
    "copied",
    "in_memory",
    "inode",
    "opened",
    "opening_lock",
    "set_aside",
    "sweep",
]

BUSY: Final = 5.0
"""Seconds to wait for another process that writes or opens the same file."""
GRACE: Final = 2.0
"""Seconds after a death in which what the dead one sent may still arrive."""
_AHEAD: Final = 60.0
"""Seconds: a time that lies further ahead is of an earlier boot."""
_BESIDE: Final = ("-wal", "-shm")
"""What SQLite adds to the file's name for the files that it keeps beside it."""
_OLD: Final = 7 * 24 * 3600.0
"""Seconds after which no window reaches what a ledger says."""
_MARKS: Final = {"application_id": 0x0A7190DA, "user_version": 1}
"""By which a ledger of this layout is known."""
_TABLES: Final = (
    # A request each, with the time of its answer; null while it is in flight.
    """CREATE TABLE slots (
        owner TEXT NOT NULL, number INTEGER NOT NULL, at REAL, PRIMARY KEY (owner, number)
    ) WITHOUT ROWID""",
    "CREATE INDEX slots_by_time ON slots (at, owner)",
    # How many threads of a process wait, when it looks again, and its limits as JSON.
    """CREATE TABLE waiting (
        owner TEXT PRIMARY KEY, threads INTEGER NOT NULL, looks_at REAL NOT NULL,
        limits TEXT NOT NULL
    ) WITHOUT ROWID""",
    # One row: for how many seconds slots are kept, and until when all are held back.
    "CREATE TABLE facts (keep REAL NOT NULL, held_at REAL NOT NULL, held_until REAL NOT NULL)",
    "INSERT INTO facts VALUES (0.0, -1e9, -1e9)",
)


def in_memory() -> sqlite3.Connection:
    """Return a ledger in memory."""
    ledger = _connect(":memory:")
    _make(ledger)
    return ledger


def opened(path: Path) -> sqlite3.Connection:
    """Return a ledger on disk that is whole, made where absent.

    Raises:
        sqlite3.OperationalError: it cannot be used now.
        sqlite3.DatabaseError: it is damaged, or no ledger.
        OSError: it may not be used.
    """
    # SQLite gives what it keeps beside the file the mode of the file. One that exists is not
    # opened here: to close it again would drop the locks of this process's other connections.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    ledger = _connect(path)
    try:
        (tables,) = ledger.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables:
            _check(ledger)
        # What a process wrote outlives it, however it is killed. NORMAL: and after a loss of power
        # the file is whole, though it may lack the last moments, which booting takes longer than.
        ledger.execute("PRAGMA journal_mode = WAL")
        ledger.execute("PRAGMA synchronous = NORMAL")
        if not tables:
            _make(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def adopt(ledger: sqlite3.Connection, now: float, keep: float, *, unknown: bool) -> None:
    """Make a ledger's times good for this boot.

    The clock begins at 0 with each boot, so that the true time of what was answered before is not
    later than 0. What is not seen to be of an earlier boot seems younger than it is, which is safe.

    Args:
        ledger: just opened.
        now: the time.
        keep: the longest window that is asked for.
        unknown: whether something may have been sent that it does not say; then all are held
            back until that has left every window.
    """
    ledger.execute("BEGIN IMMEDIATE")
    ledger.execute("UPDATE slots SET at = 0 WHERE at > ?", (now + _AHEAD,))
    ledger.execute(
        "UPDATE facts SET held_at = :now, held_until = :now + held_until - held_at "
        "WHERE held_at > :now",
        {"now": now},
    )
    if unknown:
        until = now + keep + GRACE
        ledger.execute("UPDATE facts SET held_at = ?, held_until = ?", (now, until))
    ledger.execute("COMMIT")


def bury(ledger: sqlite3.Connection, owners: Iterable[str], now: float) -> None:
    """Take what these processes have in flight as answered, and let none of them wait."""
    dead = [(now + GRACE, owner) for owner in owners]
    ledger.executemany("UPDATE slots SET at = ? WHERE owner = ? AND at IS NULL", dead)
    ledger.executemany("DELETE FROM waiting WHERE owner = ?", [(owner,) for _, owner in dead])


def copied(path: Path, memory: sqlite3.Connection) -> bool:
    """Copy what a file holds, if it can be read; return whether it is known what was sent."""
    if inode(path) is None:
        return True  # nobody wrote into a file that is not there
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as ledger:
            _check(ledger)
            slots = ledger.execute("SELECT owner, number, at FROM slots").fetchall()
            facts = ledger.execute("SELECT keep, held_at, held_until FROM facts").fetchone()
    except sqlite3.Error:
        return False
    memory.executemany("INSERT INTO slots VALUES (?, ?, ?)", slots)
    memory.execute("UPDATE facts SET keep = ?, held_at = ?, held_until = ?", facts)
    return True


def set_aside(path: Path) -> None:
    """Make room for a new file; the old one stays beside it, for who wants to know."""
    for beside in _BESIDE:
        path.with_name(path.name + beside).unlink(missing_ok=True)
    path.replace(path.with_name(f"{path.name}.broken"))


def sweep(folder: Path) -> None:
    """Remove the ledgers of keys that nobody has used for long: each sandbox has one."""
    # The wall clock, which may be wrong, decides of nothing that is in use.
    long_ago = time.time() - _OLD
    for path in folder.glob("*.sqlite"):
        with suppress(OSError, NotImplementedError):
            if path.stat().st_mtime < long_ago:
                with opening_lock(path).acquire(timeout=0):
                    # Who has it open has a -wal beside it; the last one to close it removes that.
                    if not path.with_name(f"{path.name}-wal").exists():
                        path.unlink()
                        path.with_name(f"{path.name}.lock").unlink()


def opening_lock(path: Path) -> FileLock:
    """Return the lock that whoever opens, replaces or removes a ledger must hold."""
    return FileLock(path.with_name(f"{path.name}.lock"), mode=0o600, fallback_to_soft=False)


def inode(path: Path) -> tuple[int, int] | None:
    """Return which file is at a path, if any is."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path | str) -> sqlite3.Connection:
    # Any thread may use it, one at a time. Transactions begin where the code says so.
    return sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)


def _make(ledger: sqlite3.Connection) -> None:
    ledger.execute("BEGIN IMMEDIATE")
    for sql in (*_TABLES, *(f"PRAGMA {mark} = {value}" for mark, value in _MARKS.items())):
        ledger.execute(sql)
    ledger.execute("COMMIT")


def _check(ledger: sqlite3.Connection) -> None:
    for pragma, wanted in {**_MARKS, "quick_check(1)": "ok"}.items():
        (found,) = ledger.execute(f"PRAGMA {pragma}").fetchone()
        if found != wanted:
            seen = " ".join(str(found).split())
            raise sqlite3.DatabaseError(f"{pragma} is {seen}, not {wanted}")
