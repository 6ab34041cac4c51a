"""The SQLite file in which processes that share a key write what they send, whatever befalls it.

A file that is damaged or somebody else's is set aside for a new one; one that cannot be written is
done without, in memory. Where what was sent is then not known, nothing is sent until it must have
left every window. A warning says so, once.
"""

from __future__ import annotations

import itertools
import sqlite3
import warnings
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar

from optimove_analysis.client.ledger_tables import (
    BUSY,
    GRACE,
    adopt,
    bury,
    copied,
    in_memory,
    inode,
    opened,
    opening_lock,
    set_aside,
    sweep,
)

__all__ = ["AliveOrDead", "LedgerFile", "QuotaWarning"]

_serials: Final = itertools.count(1)
_T = TypeVar("_T")


class QuotaWarning(UserWarning):
    """What was sent under a key is not known, or what other processes send under it is not seen."""


class AliveOrDead(Protocol):
    """Tells which processes live; `Presence`, or a simulation's."""

    @property
    def token(self) -> str:
        """What this process is known by."""

    def alive(self, token: str) -> bool:
        """Return whether the process of a token lives."""


class LedgerFile:
    """Transactions on a ledger; one thread at a time may use it.

    Args:
        path: the file; made on first use, for this user alone. None: in memory.
        clock: seconds that never go back and are the same in all processes.
        presence: which processes live.
    """

    def __init__(
        self, path: Path | None, *, clock: Callable[[], float], presence: AliveOrDead | None
    ) -> None:
        self.path = path
        self.clock = clock
        self.presence = presence
        self.keep = 0.0
        """For how many seconds slots are needed: the longest window of the quotas that look."""
        self.owner = "this ledger"
        """What the rows of this object are known by; with a file, it names the process."""
        self.in_memory = self.path is None
        self._connections: list[sqlite3.Connection] = []  # one or none
        self._inode: tuple[int, int] | None = None
        self._serial = next(_serials)
        self._known = self._warned = False
        weakref.finalize(self, _close, self._connections)

    def run(self, work: Callable[[sqlite3.Connection, float], _T], *, write: bool = True) -> _T:
        """Do something in one transaction, given the connection and the time in it.

        It may be done again: a transaction that failed left nothing.

        Args:
            work: what to do.
            write: False where nothing is written; others may write meanwhile.
        """
        begin = "BEGIN IMMEDIATE" if write else "BEGIN"
        if not self.in_memory:
            try:
                return self._transact(work, begin)
            except (sqlite3.Error, OSError):
                _close(self._connections)
            try:  # to open it puts a new file in a damaged one's place
                return self._transact(work, begin)
            except (sqlite3.Error, OSError) as error:
                self._do_without(error)
        return self._transact(work, begin)

    def bury(self, owners: Iterable[str]) -> None:
        """Look which of these processes are dead: what they sent counts as answered from now."""
        dead = set()
        for owner in owners:
            with suppress(OSError):  # as good as alive
                if self.presence and not self.presence.alive(owner.partition(":")[0]):
                    dead.add(owner)
        if dead:
            self.run(lambda ledger, now: bury(ledger, dead, now))

    def close(self) -> None:
        """Close the file; the next transaction opens it again."""
        if not self.in_memory:
            _close(self._connections)

    def abandon(self) -> list[sqlite3.Connection]:
        """Return the connections, never to be used nor closed: a fork shares them."""
        connections, self._connections[:] = self._connections[:], []
        self.in_memory = self.path is None
        return connections

    def _transact(self, work: Callable[[sqlite3.Connection, float], _T], begin: str) -> _T:
        ledger = self._connected()
        ledger.execute(begin)
        try:
            # The time is read while nobody else can write: none in the file lies ahead of it.
            result = work(ledger, self.clock())
            ledger.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # the first error is the one to tell
                ledger.execute("ROLLBACK")
            raise
        return result

    def _connected(self) -> sqlite3.Connection:
        if self.path is None or self.in_memory:
            if not self._connections:
                self._connections.append(in_memory())
        elif not self._connections or inode(self.path) != self._inode:
            # The first use; or somebody has removed the file, or put another one there.
            _close(self._connections)
            self._open(self.path)
        return self._connections[0]

    def _open(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.presence is not None:
            self.owner = f"{self.presence.token}:{self._serial}"
        # One at a time: two that find a damaged file must not each put a new one there.
        try:
            locked = opening_lock(path).acquire(timeout=BUSY)
        except NotImplementedError as error:
            raise OSError(f"its disk has no locks: {error}") from error
        with locked:
            why: object = "it was removed" if self._known and inode(path) is None else ""
            try:
                ledger = opened(path)
            except sqlite3.OperationalError:
                raise  # locked, read-only, a full disk: no fault of the file
            except sqlite3.DatabaseError as error:
                why = error
                set_aside(path)
                ledger = opened(path)
            self._connections.append(ledger)
            self._inode, self._known = inode(path), True
            adopt(ledger, self.clock(), self.keep, unknown=bool(why))
        sweep(path.parent)
        if why:
            self._warn(f"{path} could not be read and was begun anew ({why})", held=True)

    def _do_without(self, error: Exception) -> None:
        """Go on in memory, with what can be read of the file."""
        _close(self._connections)
        self.in_memory = True
        ledger = self._connected()
        unknown = self.path is not None and not copied(self.path, ledger)
        adopt(ledger, self.clock(), self.keep, unknown=unknown)
        owners = ledger.execute("SELECT owner FROM slots UNION SELECT owner FROM waiting")
        # Whatever the others do from here on is not seen, nor when what they sent is answered.
        others = {owner for (owner,) in owners} - {self.owner}
        bury(ledger, others, self.clock())
        self._warn(
            f"{self.path} cannot be used ({error}): what other processes send under the same key "
            "is not seen. If there are any, give each a part of the quota",
            held=unknown,
        )

    def _warn(self, what: str, *, held: bool) -> None:
        if not self._warned:
            self._warned = True
            seconds = self.keep + GRACE
            so = f"; as what was sent is not known, nothing is sent for {seconds:.0f} s."
            text = f"the ledger of requests {what}{so if held else '.'}"
            warnings.warn(text, QuotaWarning, stacklevel=2)


def _close(connections: list[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()
    connections.clear()
