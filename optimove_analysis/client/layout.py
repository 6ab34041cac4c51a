"""How the cache's file is laid out, and whether a file is."""

from __future__ import annotations

import sqlite3
from typing import Final

__all__ = ["APPLICATION", "LAYOUT", "LayoutError", "check_layout", "is_ours", "lay_out"]

APPLICATION: Final = 0x6F6D6131  # "oma1"
LAYOUT: Final = 2
"""The version of the tables; another one is never read as if it were this."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS kept (
    key TEXT PRIMARY KEY,
    function TEXT NOT NULL,
    params TEXT NOT NULL,
    found INTEGER NOT NULL,
    fetched_at TEXT NOT NULL,
    last_update TEXT,
    size INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asking (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, since REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class LayoutError(Exception):
    """The file is not laid out as this version does it.

    ``newer`` where a later version of this package did: it still wants its file.
    """

    def __init__(self, message: str, *, newer: bool = False) -> None:
        super().__init__(message)
        self.newer = newer


def lay_out(connection: sqlite3.Connection) -> None:
    """Make this version's tables, beside those of requests-cache, where they are absent."""
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)


def check_layout(connection: sqlite3.Connection, *, fresh: bool) -> None:
    """Raise unless the file is ours and of this version; ``fresh``: or has nothing in it yet."""
    application, version = _marks(connection)
    if (application, version) == (APPLICATION, LAYOUT):
        return
    if application == APPLICATION:
        raise LayoutError(
            f"its layout is version {version}, this package reads version {LAYOUT}",
            newer=version > LAYOUT,
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    # requests-cache makes its own tables first; another process may be between that and ours.
    ours = {"responses", "redirects"}
    named = {name for (name,) in connection.execute("SELECT tbl_name FROM sqlite_master")}
    (rows,) = (
        connection.execute("SELECT count(*) FROM responses").fetchone()
        if "responses" in named
        else (0,)
    )
    if not fresh or (tables and (named - ours or rows)):
        raise LayoutError("it is another program's, or an older version's")


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def is_ours(connection: sqlite3.Connection) -> bool:
    """Tell whether a file has this version's tables, all of which come in one step."""
    return _marks(connection) == (APPLICATION, LAYOUT)
