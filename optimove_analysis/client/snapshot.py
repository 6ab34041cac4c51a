"""A snapshot: the answers that an analysis rests on, in one file that answers for ever.

It is laid out as the cache is (see `store`), so that one implementation reads both; what makes it
a snapshot lies in the table ``about``. It is written under another name and moved into place whole.
The same answers with the same note and time of writing give the same bytes.

A snapshot holds what customers did: treat it as the data that it is. It holds no credential. See
`pseudonyms` for what pseudonyms in it protect against, and what not.
"""

from __future__ import annotations

import glob
import json
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from optimove_analysis.client.cache_info import size_text
from optimove_analysis.client.layout import lay_out
from optimove_analysis.client.pseudonyms import Key, Pseudonyms, Rewriter, ids_in
from optimove_analysis.client.request_key import key_of
from optimove_analysis.client.responses import ResponseFormat
from optimove_analysis.client.session import Session
from optimove_analysis.client.store import Entry, Store, put
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["FORMAT", "Snapshot", "digest_of", "write_snapshot"]

FORMAT: Final = 1
"""The version of what ``about`` says; a later one is not read as if it were this."""
_ABANDONED: Final = 3_600.0
"""Seconds after which a file that was begun and not ended is nobody's any more."""
_BODIES: Final = 500
"""So many bodies are in memory at once."""
_AGAIN: Final = "Make a new client, run the analysis with it again, and then write the snapshot."
# As requests-cache makes them, so that a file of ours is the same however it came to be.
_RESPONSES: Final = """
CREATE TABLE responses (key TEXT PRIMARY KEY, value BLOB, expires INTEGER);
CREATE TABLE redirects (key TEXT PRIMARY KEY, value BLOB, expires INTEGER);
CREATE INDEX expires_idx ON responses(expires);
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot says of itself; it stands for its path wherever a path is wanted."""

    path: Path
    note: str
    host: str
    """The instance that answered."""
    answers: int
    customers: int
    """Customers who were asked about."""
    created_at: str
    first_fetched_at: str
    """When the oldest of its answers was fetched, with the offset of the computer that did."""
    last_fetched_at: str
    package_version: str
    pseudonymised: bool
    digest: str
    """A name for the contents: two snapshots with the same one say the same."""
    size: int
    """Bytes."""

    @classmethod
    def of(cls, path: Path, about: Mapping[str, str]) -> Self:
        """Make it of what the file says."""
        return cls(
            path=path,
            note=about["note"],
            host=about["host"],
            answers=int(about["answers"]),
            customers=int(about["customers"]),
            created_at=about["created_at"],
            first_fetched_at=about["first_fetched_at"],
            last_fetched_at=about["last_fetched_at"],
            package_version=about["package_version"],
            pseudonymised="pseudonym_check" in about,
            digest=about["digest"],
            size=path.stat().st_size,
        )

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        first, last = self.first_fetched_at[:10], self.last_fetched_at[:10]
        days = first if first == last else f"{first} to {last}"
        answers = f"{self.answers:,} answer{'' if self.answers == 1 else 's'}"
        note = f', "{self.note}"' if self.note else ""
        return f"{self.path.name}: {answers} of {days}{note}"

    def __repr__(self) -> str:
        ids = "pseudonyms" if self.pseudonymised else "customers"
        return f"<Snapshot {self}, {self.customers:,} {ids}, {size_text(self.size)}>"

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {**asdict(self), "path": str(self.path)}


def write_snapshot(
    session: Session,
    path: str | os.PathLike[str],
    *,
    note: str = "",
    pseudonymise: Key | None = None,
    overwrite: bool = False,
    formats: Sequence[ResponseFormat] = (),
    created_at: datetime | None = None,
) -> Snapshot:
    """Write the answers that a session used; see `OptimoveClient.snapshot`."""
    session.check()
    if not isinstance(note, str) or re.search("[\ud800-\udfff]", note):
        raise InputError(f"note={note!r} must be text.")
    target = _target(Path(path).expanduser(), session.cache.path, overwrite=overwrite)
    pseudonyms = None if pseudonymise is None else Pseudonyms(pseudonymise)
    source = _Source(session)
    about = {
        "format": str(FORMAT),
        "note": note,
        "host": urlsplit(session.settings.url).hostname or "",
        "created_at": (created_at or session.now()).isoformat(timespec="seconds"),
        "package_version": version("optimove-analysis"),
        "engagement_metrics_path": session.settings.engagement_metrics_path,
        "settle_after": str(session.settings.settle_after.total_seconds()),
        "max_age": str(session.settings.max_age.total_seconds()),
        "formats": json.dumps([_plain(form) for form in formats]),
        **source.about(pseudonyms),
    }
    rewriter = None
    if pseudonyms is not None:
        rewriter = Rewriter(pseudonyms, source.customers(), formats)
        about["note"] = rewriter.text(note)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    _sweep(target)
    try:
        # Made here and not by SQLite: for this user alone, from the first byte on.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _write(part, source.answers(rewriter), about)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        _target(target, session.cache.path, overwrite=overwrite)  # it may have come meanwhile
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise OptimoveAnalysisError(
            f"the snapshot {target} cannot be written ({error}); nothing of it is left. Is the "
            "disk full, or the folder not yours?"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return Snapshot.of(target, about)


def _sweep(target: Path) -> None:
    """Remove what a process left that was killed as it wrote the same snapshot: it holds ids."""
    with suppress(OSError):
        for left in target.parent.glob(f".{glob.escape(target.name)}.????????.part"):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()


class _Source:
    """The answers that a session used, as its cache has them."""

    def __init__(self, session: Session) -> None:
        self._cache = session.cache
        self._used = dict(session.used)
        if not self._used:
            raise InputError(
                "this client has used no answer yet: run the analysis, then write the snapshot."
            )
        store = session.cache.store()
        if store is None:
            raise OptimoveAnalysisError(
                f"the cache {session.cache.path} does not work, so that no answer was kept: see "
                f"its warning, or give another cache_dir. {_AGAIN}"
            )
        self._store: Store = store
        # Of one that was asked for again, and kept then, the time is another.
        self._unkept = {
            key: entry
            for key, (_, _, entry) in session.unkept.items()
            if self._used[key] == entry.fetched_at
        }
        try:
            facts = store.facts(self._used)
            asked = store.asked(self._used)
            self._asked = {key: (function, params) for key, function, params in asked}
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._unreadable(error) from error
        for key in self._unkept:
            function, params, entry = session.unkept[key]
            self._asked[key], facts[key] = (function, dict(params)), entry.facts
        self._check({key: known.fetched_at for key, known in facts.items()}, list(self._used))

    def about(self, pseudonyms: Pseudonyms | None) -> dict[str, str]:
        """Return what a snapshot says of these answers."""
        first, last = min(self._used.values()), max(self._used.values())
        named = {
            params["CustomerID"] for _, params in self._asked.values() if "CustomerID" in params
        }
        about = {
            "answers": str(len(self._used)),
            "customers": str(len(named)),
            "first_fetched_at": first.isoformat(),
            "last_fetched_at": last.isoformat(),
        }
        # A snapshot of a replay: its ids may be pseudonyms already.
        check = self._store.about().get("pseudonym_check") if self._cache.read_only else None
        if check is not None and pseudonyms is not None:
            raise InputError(
                f"the customer ids of {self._cache.path} are pseudonyms already: leave "
                "pseudonymise out."
            )
        check = check if pseudonyms is None else pseudonyms.check
        return about if check is None else {**about, "pseudonym_check": check}

    def customers(self) -> set[str]:
        """Return the customers whom requests and answers name as such."""
        found: set[str] = set()
        for key, entry in self._entries(sorted(self._used)):
            try:
                found |= ids_in(self._asked[key][1], entry.body)
            except ValueError as error:
                raise self._unreadable(error) from error
        return found

    def answers(
        self, rewriter: Rewriter | None
    ) -> Iterator[tuple[str, str, dict[str, str], Entry]]:
        """Yield key, function, parameters and entry of each answer, in the order of the keys."""
        asked = self._asked
        if rewriter is not None:
            asked = {key: (name, rewriter.params(given)) for key, (name, given) in asked.items()}
        keys = {key_of(name, given): key for key, (name, given) in asked.items()}
        # Their own order, not that of the cache: it would tell whose pseudonym is whose.
        order = sorted(keys)
        entries = self._entries([keys[key] for key in order])
        for new, (key, entry) in zip(order, entries, strict=True):
            try:
                body = entry.body if rewriter is None else rewriter.body(entry.body)
            except ValueError as error:
                raise self._unreadable(error) from error
            kept = Entry(body, entry.fetched_at, entry.last_update, entry.found)
            yield new, *asked[key], kept

    def _entries(self, keys: Sequence[str]) -> Iterator[tuple[str, Entry]]:
        """Yield the answers to keys, in their order; raise where one is not what was used."""
        for start in range(0, len(keys), _BODIES):
            some = keys[start : start + _BODIES]
            try:
                entries, _ = self._store.entries(some)
            except (sqlite3.Error, OSError, ValueError) as error:
                raise self._unreadable(error) from error
            entries |= {key: self._unkept[key] for key in some if key in self._unkept}
            self._check({key: entry.fetched_at for key, entry in entries.items()}, some)
            yield from ((key, entries[key]) for key in some)

    def _check(self, found: Mapping[str, datetime], keys: Sequence[str]) -> None:
        gone = sum(found.get(key) != self._used[key] for key in keys)
        if gone:
            raise OptimoveAnalysisError(
                f"{gone:,} of the {len(self._used):,} answers that this client used are not in the "
                f"cache {self._cache.path} as they were then: they were fetched anew, cleared, "
                f"erased or damaged since, or could not be kept. {_AGAIN}"
            )

    def _unreadable(self, error: Exception) -> OptimoveAnalysisError:
        return OptimoveAnalysisError(
            f"the cache {self._cache.path} cannot be read ({error}), and so no snapshot be written "
            f"of it. {_AGAIN}"
        )


def _target(path: Path, cache: Path, *, overwrite: bool) -> Path:
    """Return where the snapshot goes, if it may go there."""
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent} to write {path.name} to: make it.")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the name of a file, as study.oma.")
    if path.exists() and cache.exists() and path.samefile(cache):
        raise InputError(f"{path} is where this client's answers are: give another name.")
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already: give another name, or overwrite=True.")
    return path


def _write(
    path: Path,
    answers: Iterator[tuple[str, str, dict[str, str], Entry]],
    about: dict[str, str],
) -> None:
    """Write a snapshot's file; put the digest into ``about``."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Nobody reads the file before it is whole: it needs no journal. And since nothing is
        # removed from it, it has no page to spare that VACUUM would give back.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN EXCLUSIVE")
        for statement in filter(str.strip, _RESPONSES.split(";")):
            connection.execute(statement)
        lay_out(connection)
        for key, function, params, entry in answers:
            put(connection, key, function, params, entry)
        about["digest"] = digest_of(about, connection.execute("SELECT * FROM kept ORDER BY key"))
        connection.executemany("INSERT INTO about VALUES (?, ?)", sorted(about.items()))
        connection.execute("COMMIT")


def digest_of(about: Mapping[str, str], rows: Iterator[tuple[Any, ...]] | sqlite3.Cursor) -> str:
    """Return the digest of all but the bodies, each of which has a checksum among the rows."""
    digest = blake2b(digest_size=16, person=b"oma-snapshot")
    said = sorted(item for item in about.items() if item[0] != "digest")
    for row in (*said, *rows):
        digest.update(repr(row).encode("utf-8", "backslashreplace") + b"\n")
    return digest.hexdigest()


def _plain(form: ResponseFormat) -> dict[str, object]:
    return {
        "name": form.name,
        "fields": dict(form.fields),
        "required": sorted(form.required),
        "marks": sorted(form.marks),
    }
