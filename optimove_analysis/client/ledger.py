"""What was sent under one key, by all threads and processes of this machine.

A request's slot is written before it is sent: it is in flight. Its answer gives it a time, from
which it keeps its place for a window. Nothing that befalls a process frees a place too early:
slots stay, and those in flight of a process that died count from when its death is noticed.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from optimove_analysis.client.ledger_file import AliveOrDead, LedgerFile
from optimove_analysis.client.places import (
    STALE,
    Limits,
    Waiting,
    free_at,
    in_flight,
    waiting,
    window,
    yield_until,
)
from optimove_analysis.client.presence import Presence

__all__ = ["Ledger", "Ticket", "ledger_of"]

_SOON: Final = 0.005
"""Seconds after which to look whether those who come first have been served."""
_CHECK: Final = 1.0
"""Seconds between two looks whether the others live."""
_FORGET: Final = 60.0
"""Seconds after which what a process said of its waiting is removed."""
_LEAST: Final = 0.001
"""Seconds: a wait too small for the clock to see would be asked for over and over."""
_T = TypeVar("_T")


class Ticket:
    """One request's turn: it waits, then holds a slot, then is answered."""

    __slots__ = ("looks_at", "number")

    def __init__(self) -> None:
        self.number: int | None = None
        """Of its slot, if it holds one."""
        self.looks_at = 0.0
        """When it looks again, if it waits."""


class Ledger:
    """The slots of one key, and who waits for one; threads may share it.

    Args:
        path: the file that processes share; made on first use. None: in memory, for this process.
        clock: seconds that never go back and are the same in all processes.
        presence: which processes live; by default as `Presence` sees it beside the file.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        presence: AliveOrDead | None = None,
    ) -> None:
        presence = presence or (Presence(path.parent / "processes") if path else None)
        self._file = LedgerFile(path, clock=clock, presence=presence)
        self._numbers = 0  # goes on after a fork: a child may give back what it has inherited
        self._start_anew()
        with _every_lock:
            _every.add(self)

    def __repr__(self) -> str:
        return f"Ledger({str(self._file.path)!r})" if self._file.path else "Ledger()"

    def _start_anew(self) -> None:
        self.lock = threading.Lock()
        self.sent = 0
        """Requests that this process has sent."""
        self._flying: set[int] = set()
        self._waiting: dict[Ticket, None] = {}  # in the order in which they came
        self._limits: Limits = ()
        self._checked = float("-inf")

    @property
    def in_flight(self) -> int:
        """Requests that this process has sent and that are not answered."""
        return len(self._flying)

    def take(self, ticket: Ticket, limits: Limits) -> float:
        """Give a ticket a slot and return 0, or return for how long there is none for certain."""
        with self.lock:
            self._waiting.setdefault(ticket)
            # Noted before it is written: whatever interrupts this, `release` finds it.
            self._numbers += 1
            ticket.number = self._numbers
            self._flying.add(ticket.number)
            wait, others = self._run(lambda db, now: self._take(db, now, ticket, limits))
            if wait > 0:
                self._flying.discard(ticket.number)
                ticket.number = None
            else:
                self._waiting.pop(ticket)
                self.sent += 1
            now = self._file.clock()
            if others and now >= self._checked + _CHECK:
                self._checked = now
                self._file.bury(others)
        return wait

    def release(self, ticket: Ticket) -> None:
        """Take a ticket back: its request is answered, or waits no more."""
        with self.lock:
            number, ticket.number = ticket.number, None
            if number is not None:
                self._flying.discard(number)
                self._run(lambda db, now: self._answer(db, now, number))
            if ticket in self._waiting:
                del self._waiting[ticket]
                self._run(self._say_who_waits)

    def look(self, limits: Limits) -> None:
        """Say which limits will be asked for: so long a past must be known."""
        self._file.keep = max(self._file.keep, *(window(per) for _, per in limits))

    def hold(self, seconds: float) -> None:
        """Give nobody a slot for so many seconds."""

        def write(db: sqlite3.Connection, now: float) -> None:
            sql = "UPDATE facts SET held_at = ?, held_until = max(held_until, ?)"
            db.execute(sql, (now, now + seconds))

        with self.lock:
            self._run(write)

    def wait_for(self, requests: int, limits: Limits) -> float:
        """Return in how many seconds the last of so many further requests can be sent."""

        def read(db: sqlite3.Connection, now: float) -> float:
            start = max(now, _held_until(db))
            return free_at(db, limits, in_flight(db).total(), requests - 1, start) - now

        with self.lock:
            return self._run(read, write=False)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self.lock:
            self._file.close()

    def _run(self, work: Callable[[sqlite3.Connection, float], _T], *, write: bool = True) -> _T:
        try:
            return self._file.run(work, write=write)
        finally:
            if self._file.in_memory and self._file.path:
                _needed.add(self)

    def _take(
        self, db: sqlite3.Connection, now: float, ticket: Ticket, limits: Limits
    ) -> tuple[float, set[str]]:
        """Return the wait, and who else sends or waits."""
        self._limits = limits
        keep = max(window(per) for _, per in limits)
        db.execute("UPDATE facts SET keep = :keep WHERE keep < :keep", {"keep": keep})
        flying = self._reconciled(db, now, ticket)
        others = waiting(db, self._file.owner, now)
        strangers = {*flying, *(other.owner for other in others)} - {self._file.owner}
        looks_at = self._next(db, now, ticket, flying, others)
        if looks_at <= now:
            db.execute("INSERT INTO slots VALUES (?, ?, NULL)", (self._file.owner, ticket.number))
            self._say_who_waits(db, now, but=ticket)
            return 0.0, strangers
        ticket.looks_at = max(looks_at, now + _LEAST)
        self._say_who_waits(db, now)
        return ticket.looks_at - now, strangers

    def _next(
        self,
        db: sqlite3.Connection,
        now: float,
        ticket: Ticket,
        flying: Counter[str],
        others: list[Waiting],
    ) -> float:
        """Return when to look again, or now: a slot may be taken."""
        windows = tuple((limit, window(per)) for limit, per in self._limits)
        # Threads look in turn, each when a place is free after those that came before it.
        before = list(self._waiting).index(ticket)
        start = max(now, _held_until(db))
        if free_at(db, windows, flying.total(), 0, start) > now:
            at = free_at(db, windows, flying.total(), before, start)
            strange = flying.total() > flying[self._file.owner]
            # Places that a dead process keeps come free when somebody notices.
            return min(at, now + _CHECK) if strange and not before else at
        if others:
            served = yield_until(
                db,
                limits=self._limits,
                flying=flying,
                others=others,
                owner=self._file.owner,
                now=now,
            )
            if served is not None:
                return max(served, now) + _SOON * (1 + before)
        return now

    def _reconciled(self, db: sqlite3.Connection, now: float, ticket: Ticket) -> Counter[str]:
        """Return what is in flight, ours as we know it.

        A write may have been interrupted, and a file may be another's than that we wrote to.
        """
        me, flying, ours = self._file.owner, in_flight(db), self._flying - {ticket.number}
        if flying[me] != len(ours):
            rows = db.execute("SELECT number FROM slots WHERE owner = ? AND at IS NULL", (me,))
            lost = [(now, me, number) for (number,) in rows.fetchall() if number not in ours]
            db.executemany("UPDATE slots SET at = ? WHERE owner = ? AND number = ?", lost)
            sql = "INSERT OR IGNORE INTO slots VALUES (?, ?, NULL)"
            db.executemany(sql, [(me, number) for number in ours])
            flying[me] = len(ours)
        return flying

    def _answer(self, db: sqlite3.Connection, now: float, number: int) -> None:
        """Give a slot its time, and forget what nobody's window reaches."""
        db.execute(
            "INSERT INTO slots VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
            (self._file.owner, number, now),
        )
        db.execute("DELETE FROM slots WHERE at < ? - (SELECT keep FROM facts)", (now,))
        db.execute("DELETE FROM waiting WHERE looks_at < ?", (now - _FORGET,))

    def _say_who_waits(self, db: sqlite3.Connection, now: float, but: Ticket | None = None) -> None:
        """Let the others know how many threads of ours wait, so that they leave us our share."""
        looks = [
            ticket.looks_at
            for ticket in self._waiting
            if ticket is not but and ticket.looks_at > now - STALE
        ]
        if looks:
            row = (self._file.owner, len(looks), min(looks), json.dumps(self._limits))
            db.execute("INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?)", row)
        else:
            db.execute("DELETE FROM waiting WHERE owner = ?", (self._file.owner,))


def ledger_of(folder: Path, name: str) -> Ledger:
    """Return this process's ledger of a key.

    Args:
        folder: where processes of this machine meet: ``Settings.state_dir``.
        name: ``Settings.quota_name``; never the key.
    """
    path = folder.absolute() / f"quota-{name}.sqlite"
    with _ledgers_lock:
        ledger = _ledgers.get(path)
        if ledger is None:
            ledger = _ledgers[path] = Ledger(path)
        return ledger


def _held_until(db: sqlite3.Connection) -> float:
    (until,) = db.execute("SELECT held_until FROM facts").fetchone()
    return float(until)


_ledgers: weakref.WeakValueDictionary[Path, Ledger] = weakref.WeakValueDictionary()
_ledgers_lock = threading.Lock()
_every: weakref.WeakSet[Ledger] = weakref.WeakSet()
_every_lock = threading.Lock()
_needed: set[Ledger] = set()
"""Those whose file cannot be used: what they hold in memory is written nowhere else."""
_inherited: list[sqlite3.Connection] = []
"""A parent's connections in a forked child: neither to be used nor to be closed."""
_before_fork: list[Ledger] = []


def _lock_all() -> None:
    """Let no thread be within SQLite while the process forks: the child would wait for it."""
    _ledgers_lock.acquire()
    _every_lock.acquire()
    _before_fork.extend(_every)
    for ledger in _before_fork:
        ledger.lock.acquire()


def _unlock_all() -> None:
    for ledger in _before_fork:
        ledger.lock.release()
    _before_fork.clear()
    _every_lock.release()
    _ledgers_lock.release()


def _start_all_anew() -> None:
    for ledger in _before_fork:
        _inherited.extend(ledger._file.abandon())  # noqa: SLF001 - of this module
        ledger._start_anew()  # noqa: SLF001
    _before_fork.clear()
    _every_lock.release()
    _ledgers_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock_all, after_in_parent=_unlock_all, after_in_child=_start_all_anew
    )
