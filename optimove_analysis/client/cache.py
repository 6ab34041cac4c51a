"""Answers on disk: one SQLite file an account, no credential in it, nothing in it that runs.

Built on requests-cache's SQLite backend (see `store`), not on its session: the session's defaults
put a credential on disk in clear (its list of secret headers goes by exact case), serve one
account's answers to another (redacted headers do not tell accounts apart), and run code from the
file (pickle). Here the account is the file, and the key of an answer is what was asked and nothing
else.

Trouble with the file is no reason to have no answer: it warns, once for each kind, and answers come
from the network. A file that is torn or not ours is set aside and a new one begun; one that cannot
be written to is still read.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, TypeVar

from optimove_analysis.client.cache_info import CacheInfo
from optimove_analysis.client.inputs import as_ids, as_instant
from optimove_analysis.client.layout import LayoutError
from optimove_analysis.client.naming import naming
from optimove_analysis.client.request_key import key_of
from optimove_analysis.client.store import Endpoint, Entry, Facts, Store, beside
from optimove_analysis.client.trouble import identity, is_busy, is_unusable, unreadable
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["Cache", "CacheWarning", "Entry", "Facts"]

_TRY_AGAIN: Final = 30.0
"""Seconds after which a disk that was full, or a lock that was held, is tried again."""
_OPENS: Final = 2.0
"""Seconds to wait for others who open a new file at the same moment."""
_ASIDE: Final = ".set-aside"

_T = TypeVar("_T")


class CacheWarning(UserWarning):
    """The cache cannot be used as it should; what it cannot give comes from the network."""


class Cache:
    """The kept answers of one account.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     cache = Cache(Path(folder) / "answers.sqlite")
    ...     cache.info().entries
    ...     cache.close()
    0

    Args:
        path: the SQLite file; it and its folder are made where absent, for this user alone.
        read_only: it is a snapshot: never written to, and trouble with it is an error.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self.hits = 0
        """Answers that this client had from here."""
        self.misses = 0
        """Answers that this client had to ask the API for."""
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._file: tuple[int, int] | None = None
        # Opened on first use: to make a client touches no disk.
        self._state: Literal["unopened", "open", "closed", "broken"] = "unopened"
        self._no_writes_before = self._no_use_before = float("-inf")
        self._warned: set[str] = set()

    def __repr__(self) -> str:
        return f"Cache({str(self.path)!r})"

    @property
    def works(self) -> bool:
        """Whether answers are kept: it is not closed, and no trouble stands in the way now."""
        usable = self._state in {"unopened", "open"} and not self.read_only
        return usable and time.monotonic() >= max(self._no_writes_before, self._no_use_before)

    def facts(self, keys: Sequence[str]) -> dict[str, Facts]:
        """Return what is known of those of the keys that are kept; milliseconds for thousands."""
        return self._do(lambda store: store.facts(keys), {}, "read")

    def entries(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Return those of the keys that are kept; an answer that is torn is as good as none."""
        nothing: tuple[dict[str, Entry], list[str]] = ({}, [])
        whole, torn = self._do(lambda store: store.entries(keys), nothing, "read")
        if torn and self.read_only:
            # Nothing can be asked again, and a miss would hide that something was there.
            raise unreadable(self.path, f"{len(torn)} of its answers are damaged")
        if torn:
            self._warn(
                "torn",
                f"{len(torn)} of the answers in {self.path} are damaged and are asked for again.",
            )
        return whole

    def read(self, function: str, params: Mapping[str, str]) -> Entry | None:
        """Return the kept answer to a request, however old, or None."""
        key = key_of(function, params)
        return self.entries([key]).get(key)

    def write(self, function: str, params: Mapping[str, str], entry: Entry) -> bool:
        """Keep an answer; return whether it is kept."""
        key = key_of(function, params)

        def write(store: Store) -> bool:
            store.write(key, function, params, entry)
            return True

        return self._do(write, False, "written", writes=True)

    def claim(self, key: str, owner: str) -> str:
        """Note that a process asks for a key, unless another does; return who does."""
        return self._do(lambda store: store.claim(key, owner), owner, "written", writes=True)

    def asking(self, key: str) -> str | None:
        """Return which process asks for a key, if any does."""
        return self._do(lambda store: store.asking(key), None, "read")

    def release(self, key: str, owner: str) -> None:
        """Note that a process no longer asks for a key."""
        self._do(lambda store: store.release(key, owner), None, "written", writes=True)

    def count(self, *, hits: int = 0, misses: int = 0) -> None:
        """Count answers that this client had from here, and those it had to ask the API for."""
        with self._lock:
            self.hits += hits
            self.misses += misses

    def info(self) -> CacheInfo:
        """Return what the cache holds: how much, of what, since when, and how often it served."""
        nothing: list[Endpoint] = []
        kept = self._do(lambda store: store.endpoints(), nothing, "read")
        aside = self._set_aside()
        return CacheInfo(
            path=self.path,
            size=sum(_size(file) for file in [self.path, *beside(self.path)]),
            endpoints=tuple(kept),
            hits=self.hits,
            misses=self.misses,
            set_aside=tuple(aside),
        )

    def clear(self, *, older_than: timedelta | datetime | date | str | None = None) -> int:
        """Remove all answers, or those fetched before a time; return how many there were.

        Args:
            older_than: an age, or a day (of this computer's calendar) or time before which.

        Raises:
            InputError: it is neither an age nor a day nor a time.
            OptimoveAnalysisError: the file cannot be written to.
        """
        before = None if older_than is None else as_instant(older_than, "older_than")
        self._writable("cleared")
        if before is None:
            self._remove_set_aside()
        return self._remove(lambda store: store.keys(older_than=before))

    def forget(self, customer_id: str | int) -> int:
        """Erase a customer: no byte of what was asked or said of them stays in the file.

        Answers about the customer go, and so do answers that name the customer among others (the
        members of a target group, say), files that were set aside, and what SQLite would otherwise
        leave in unused pages and in its -wal file. Snapshots and files that you wrote are yours to
        erase.

        Returns:
            how many answers went.

        Raises:
            InputError: the id is blank, or neither text nor a whole number.
            OptimoveAnalysisError: the file cannot be written to, or another program reads from it
                just now, so that its old pages cannot be erased.
        """
        wanted = as_ids([customer_id])[0]
        self._writable("erased from")
        self._remove_set_aside()
        return self._remove(lambda store: naming(store, wanted))

    def close(self) -> None:
        """Close the file; the cache is empty from then on."""
        with self._lock:
            store, self._store = self._store, None
            self._state = "closed"
        if store is not None:
            store.close()

    def store(self) -> Store | None:
        """Return the open file, for a snapshot of it; None where there is none to use."""
        with self._lock:
            self._do(lambda _: None, None, "opened")
            return self._store

    def _remove(self, which: Callable[[Store], Collection[str]]) -> int:
        with self._lock:
            if self._absent():
                return 0
            store = self.store()
            if store is None:
                raise OptimoveAnalysisError(f"{self.path} cannot be opened: see the warning.")
            try:
                keys = which(store)
                store.delete(keys)
                erased = store.shrink()
            except (sqlite3.Error, OSError) as error:
                raise OptimoveAnalysisError(
                    f"{self.path} cannot be written to ({error}): what it held may still be in it. "
                    "Close the programs that use it and try again, or remove the file."
                ) from error
        if not erased:
            raise OptimoveAnalysisError(
                f"{len(keys)} answers were removed, but another program reads from {self.path} "
                "just now, so that traces of them are left in it. Try again when it is closed."
            )
        return len(keys)

    def _writable(self, done: str) -> None:
        if self.read_only:
            raise InputError(f"{self.path} is a snapshot, which is never {done}: remove the file.")
        if self._state == "closed":
            raise InputError("this client is closed: make another.")

    def _set_aside(self) -> list[Path]:
        return sorted(
            file
            for file in self.path.parent.glob(f"{self.path.name}{_ASIDE}*")
            if not file.name.endswith(("-wal", "-shm"))
        )

    def _remove_set_aside(self) -> None:
        self.store()  # a file that cannot be used is set aside when it is opened
        for file in self._set_aside():
            for each in [file, *beside(file)]:
                each.unlink(missing_ok=True)

    def _do(
        self, action: Callable[[Store], _T], otherwise: _T, done: str, *, writes: bool = False
    ) -> _T:
        """Return what an action on the file gives, one thread at a time, or ``otherwise``."""
        with self._lock:
            if not writes and self._absent():
                return otherwise  # who only looks makes no file
            now = time.monotonic()
            if now < self._no_use_before or (writes and now < self._no_writes_before):
                return otherwise
            for last in (False, True):
                try:
                    self._open()
                    return otherwise if self._store is None else action(self._store)
                except (sqlite3.Error, OSError, LayoutError) as error:
                    if self.read_only:
                        raise unreadable(self.path, error) from error
                    if not self._recovered(error, done, writes=writes, last=last):
                        return otherwise
        return otherwise

    def _absent(self) -> bool:
        return self._state == "unopened" and not self.read_only and not self.path.exists()

    def _open(self) -> None:
        if self._state == "unopened":
            self._store = self._patiently_opened()
            self._file, self._state = identity(self.path), "open"

    def _patiently_opened(self) -> Store:
        """Open the file; wait while others do so for the first time.

        SQLite itself does not wait for who makes a new file one with a log of writes.
        """
        until = time.monotonic() + _OPENS
        while True:
            try:
                return Store(self.path, read_only=self.read_only)
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def _recovered(self, error: Exception, done: str, *, writes: bool, last: bool) -> bool:
        """Do about trouble what can be done; return whether the action is worth another try."""
        done = "opened" if self._state == "unopened" else done
        if is_unusable(error) and not last:
            if self._replaced():
                return True
            if (aside := self._move_aside()) is not None:
                self._warn(
                    "aside",
                    f"the cache {self.path} cannot be {done} ({error}): it was set aside as "
                    f"{aside.name}, and a new one begun. Nothing in it is needed: remove the file.",
                )
                return True
        elif writes and self._state == "open":
            self._no_writes_before = time.monotonic() + _TRY_AGAIN
            self._warn(
                "unwritten",
                f"the cache {self.path} cannot be {done} ({error}): answers come from the network "
                "and are not kept for now. Is the disk full, or does another program hold the "
                "file?",
            )
            return False
        elif is_busy(error):
            self._no_use_before = time.monotonic() + _TRY_AGAIN
            self._warn(
                "locked",
                f"the cache {self.path} cannot be {done} just now ({error}): answers come from the "
                "network and are not kept for now. Does another program hold the file?",
            )
            return False
        # Left to the garbage collector it would be a ResourceWarning from Python 3.13 on.
        with suppress(Exception):
            if self._store is not None:
                self._store.close()
        self._store, self._state = None, "broken"
        self._warn(
            "broken",
            f"the cache {self.path} cannot be {done} ({error}): answers come from the network and "
            "are not kept. Remove the file, or give another cache_dir.",
        )
        return False

    def _replaced(self) -> bool:
        """Tell whether another process has set the file aside meanwhile, and begun a new one."""
        before, self._file = self._file, None
        if self._store is None or before is None or identity(self.path) == before:
            return False
        with suppress(Exception):
            self._store.close()
        self._store, self._state = None, "unopened"
        return True

    def _move_aside(self) -> Path | None:
        """Give the file another name, and return it; None where that cannot be done."""
        with suppress(Exception):
            if self._store is not None:
                self._store.close()
        self._store, self._state = None, "unopened"
        for number in range(1, 100):
            aside = self.path.with_name(f"{self.path.name}{_ASIDE}-{number}")
            if not aside.exists():
                break
        try:
            for old, new in zip(
                [self.path, *beside(self.path)], [aside, *beside(aside)], strict=True
            ):
                if old.exists():
                    old.replace(new)
        except OSError:
            return None
        return aside

    def _warn(self, kind: str, message: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(message, CacheWarning, stacklevel=5)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
