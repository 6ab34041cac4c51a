"""What can have happened to a cache file since it was last used."""

from __future__ import annotations

import pickle
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from faults.table import Row

PAGE: Final = 4096
MARKER: Final = b"keep me: I am another program's"

Do: TypeAlias = Callable[[Path], object]
"""Does something to a cache file; beside it may lie ``<name>.earlier``, what it was before."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that befalls a cache file between two uses."""

    name: str
    done: str
    do: Do
    shows: bool = True
    """It can be seen that answers were lost; an empty file may as well be a new one."""

    @property
    def row(self) -> Row:
        return Row(
            self.name,
            self.done,
            "the same frame; a warning if answers are lost; nothing of another's is lost",
        )


def _write(at: float, content: Callable[[int], bytes], size: int) -> Do:
    """Write over a file from some part of it on; 0 is its start, 1 its end."""

    def do(path: Path) -> None:
        whole = bytearray(path.read_bytes())
        start = int(at * (len(whole) // PAGE)) * PAGE
        whole[start : start + size] = content(min(size, len(whole) - start))
        path.write_bytes(whole)

    return do


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - noise is no secret


def _cut(part: float) -> Do:
    def do(path: Path) -> None:
        whole = path.read_bytes()
        path.write_bytes(whole[: int(part * len(whole))])

    return do


def _each_page(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    for start in range(PAGE, len(whole) - PAGE + 1, PAGE):
        whole[start + 1024 : start + 1536] = _noise(512)
    path.write_bytes(whole)


def _mixed(path: Path) -> None:
    """Every other page as it was before the last fetch: some of a write came through."""
    whole = bytearray(path.read_bytes())
    earlier = path.with_name(f"{path.name}.earlier").read_bytes()
    for start in range(2 * PAGE, min(len(whole), len(earlier)), 2 * PAGE):
        whole[start : start + PAGE] = earlier[start : start + PAGE]
    path.write_bytes(whole)


def _digit(path: Path) -> None:
    """Change a digit of each answer that can be read in the file; where none can, a byte a page."""
    whole = path.read_bytes()
    changed, count = re.subn(
        rb'(CampaignID[\\":]{2,9})(\d)', lambda m: m[1] + (b"1" if m[2] != b"1" else b"2"), whole
    )
    if not count:
        bytes_ = bytearray(whole)
        for start in range(2 * PAGE + 3_000, len(bytes_), PAGE):
            bytes_[start] ^= 1
        changed = bytes(bytes_)
    assert changed != whole
    path.write_bytes(changed)


def _torn_log(path: Path) -> None:
    """Leave half of a log of writes beside the file, as a crash of the machine does."""
    # A log is there while the file is in use, and is gone when the last one has closed it.
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE filler (content)")
        connection.execute("INSERT INTO filler VALUES (randomblob(100000))")
        log = path.with_name(f"{path.name}-wal").read_bytes()
    path.with_name(f"{path.name}-wal").write_bytes(log[: len(log) // 2 + 100])


def _other_program(schema: str) -> Do:
    def do(path: Path) -> None:
        path.unlink()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(schema)
            table = schema.split()[2]
            connection.execute(f"INSERT INTO {table} VALUES (?, ?)", ("note", MARKER.decode()))

    return do


class Harm:
    """Runs code when it is unpickled: it makes a folder beside the cache."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.mkdir, (self.path.with_name("harmed"),)


def _pickles(path: Path) -> None:
    """Put what runs when it is unpickled in place of each kept answer."""
    harm = pickle.dumps(Harm(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            for _, column, _, _, _, of_key in columns:
                if not of_key:
                    connection.execute(f"UPDATE {table} SET {column} = ?", (harm,))


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 999999")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "theirs").write_bytes(MARKER)


DAMAGES: Final = (
    Damage("cache torn: header", "its first 100 bytes are zero", _write(0, bytes, 100)),
    Damage("cache torn: first page", "its first page is zero", _write(0, bytes, PAGE)),
    Damage(
        "cache torn: middle", "three pages in its middle are noise", _write(0.5, _noise, 3 * PAGE)
    ),
    Damage("cache torn: all over", "512 bytes of each page but the first are noise", _each_page),
    Damage(
        "cache torn: all noise", "all pages but the first are noise", _write(0.01, _noise, 2**30)
    ),
    Damage("cache torn: half", "its second half is cut off", _cut(0.5)),
    Damage("cache torn: 1 %", "all but its first hundredth is cut off", _cut(0.01)),
    Damage("cache torn: empty", "it has no bytes", _cut(0), shows=False),
    Damage(
        "cache torn: two ages", "every other page is as before the last fetch", _mixed, shows=False
    ),
    Damage("cache torn: log", "half of a log of writes lies beside it", _torn_log),
    Damage("a digit changed", "a digit of each kept answer is another", _digit),
    Damage("foreign: text", "a text stands in its place", lambda path: path.write_bytes(MARKER)),
    Damage(
        "foreign: another's SQLite",
        "another program's database stands in its place",
        _other_program("CREATE TABLE notes (title, said)"),
    ),
    Damage(
        "foreign: another's responses",
        "another program's database with a table of the same name stands in its place",
        _other_program("CREATE TABLE responses (title, said)"),
    ),
    Damage(
        "foreign: pickle",
        "a pickle that runs code stands in its place",
        lambda path: path.write_bytes(pickle.dumps(Harm(path))),
    ),
    Damage("foreign: pickles inside", "each kept answer is a pickle that runs code", _pickles),
    Damage("foreign: folder", "a folder stands in its place", _folder),
    Damage("newer layout", "it says that a much newer version wrote it", _newer),
)
