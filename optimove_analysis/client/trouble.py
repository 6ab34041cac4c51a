"""What is the matter with a file of the cache: damaged, foreign, busy, another, or no snapshot."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from optimove_analysis.client.layout import LayoutError
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["identity", "is_busy", "is_unusable", "unreadable"]

_TORN: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""What SQLite calls a damaged file, another kind of file, and one that lacks our tables."""


def is_unusable(error: Exception) -> bool:
    """Tell whether a file is damaged, or another kind of file: then no waiting helps."""
    if isinstance(error, LayoutError):
        return not error.newer
    code = getattr(error, "sqlite_errorcode", None)
    # A damaged text is Python's to notice, which has no code for it.
    return (code or 0) & 0xFF in _TORN if code else "UTF-8" in str(error)


def is_busy(error: Exception) -> bool:
    """Tell whether another program holds the file just now."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def identity(path: Path) -> tuple[int, int] | None:
    """Return what a file is known by whatever its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def unreadable(path: Path, why: Exception | str) -> OptimoveAnalysisError:
    """Return the error that says why a snapshot cannot be used, and what to do."""
    if not path.exists():
        return InputError(f"the snapshot {path} is not there.")
    if path.is_dir():
        return InputError(f"{path} is a folder; name the snapshot in it, as {path / 'study.oma'}.")
    if isinstance(why, LayoutError) and why.newer:
        return InputError(
            f"{path} was written by a later version of this package ({why}): update the package."
        )
    if isinstance(why, LayoutError):
        return InputError(f"{path} is no snapshot: {why}. client.snapshot(...) writes one.")
    return InputError(
        f"the snapshot {path} cannot be read ({why}): part of it is damaged or missing. Take "
        "another copy of it."
    )
