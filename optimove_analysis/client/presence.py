"""Which processes of this machine are alive, however they end.

Each process holds a lock on a file of its own for as long as it lives. The system lets go of it
when the process ends, be it killed; process ids would not do, for they are given out again.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

__all__ = ["Presence"]

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_PATIENCE: Final = 5.0
"""Seconds to take a lock that only somebody who tidies up can hold, for a moment."""


class Presence:
    """This process's sign of life in a folder, and the others'.

    A process has one token in a folder, whichever thread or object asks; a forked child has one of
    its own.

    Args:
        folder: where the lock files are; made on first use, for this user alone. It must be on a
            disk of this machine.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     presence = Presence(Path(folder))
    ...     presence.alive(presence.token), presence.alive("0" * 32)
    (True, False)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"Presence({str(self.folder)!r})"

    @property
    def token(self) -> str:
        """What this process is known by: random, made on first use.

        Raises:
            OSError: the folder cannot be used.
        """
        folder = self.folder.absolute()
        with _own.lock:
            if folder not in _own.held:
                self._sweep()
                token = secrets.token_hex(16)
                lock = self._lock(token)
                try:
                    lock.acquire(timeout=_PATIENCE)
                except NotImplementedError as error:
                    raise OSError(f"{folder} is on a disk that has no locks: {error}") from error
                _own.held[folder] = token, lock
            return _own.held[folder][0]

    def alive(self, token: str) -> bool:
        """Return whether the process of a token lives; a dead one's file is removed.

        Right after a death, while another process looks as well, it may still seem alive.

        Raises:
            OSError: the folder cannot be used.
        """
        with _own.lock:
            if _own.held.get(self.folder.absolute(), ("",))[0] == token:
                return True
        # A token from a damaged file must not become a path to somewhere else.
        if not _TOKEN.fullmatch(token) or not self._path(token).exists():
            return False
        lock = self._lock(token)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        except NotImplementedError as error:
            raise OSError(f"{self.folder} is on a disk that has no locks: {error}") from error
        try:
            # While the lock is held: whoever opens the file now finds it locked or gone, and takes
            # a new one. Windows removes no open file; filelock does it there on release.
            with suppress(OSError):
                self._path(token).unlink()
        finally:
            lock.release()
        return False

    def _path(self, token: str) -> Path:
        return self.folder / f"{token}.lock"

    def _lock(self, token: str) -> FileLock:
        # A soft lock, which is a mere file, would outlive its process.
        return FileLock(self._path(token), mode=0o600, thread_local=False, fallback_to_soft=False)

    def _sweep(self) -> None:
        """Make the folder where absent, and remove what the dead left in it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.folder.glob("*.lock"):
            with suppress(OSError):  # another user's, or another process was quicker
                self.alive(path.stem)


class _Own:
    """The tokens of this process, with the locks that speak for them."""

    lock: threading.RLock
    held: dict[Path, tuple[str, FileLock]]

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        self.lock, self.held = threading.RLock(), {}


_own = _Own()

if hasattr(os, "register_at_fork"):
    # The child is another process, and the lock over its copy may be held by a thread that it has
    # not. filelock closes the child's copies of the files, so that no child keeps a parent alive.
    os.register_at_fork(after_in_child=_own.start_anew)
