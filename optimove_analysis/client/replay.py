"""To answer from a snapshot: open it, see that it is whole, and know its customers' names."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from optimove_analysis.client.cache import Cache
from optimove_analysis.client.layout import LayoutError
from optimove_analysis.client.pseudonyms import Key, Pseudonyms
from optimove_analysis.client.responses import ResponseFormat
from optimove_analysis.client.secret import Secret
from optimove_analysis.client.settings import Settings
from optimove_analysis.client.snapshot import FORMAT, Snapshot, digest_of
from optimove_analysis.client.trouble import unreadable
from optimove_analysis.errors import InputError, OfflineError
from optimove_analysis.schema import ASKED

__all__ = ["Replayed", "open_snapshot"]


@dataclass(frozen=True)
class Replayed:
    """An open snapshot: all that a client needs to answer from it."""

    snapshot: Snapshot
    settings: Settings
    cache: Cache
    formats: tuple[ResponseFormat, ...]
    pseudonyms: Pseudonyms | None
    _given: dict[str, str] = field(default_factory=dict, repr=False)
    """Pseudonym to id as it was asked for, so that an error can name that."""

    def ids(self, given: Sequence[str]) -> list[str]:
        """Return what the snapshot calls the customers, each once."""
        if self.pseudonyms is None:
            return list(given)
        asked = self.pseudonyms.asked(given)
        self._given.update(asked)
        return list(asked)

    def asked(self) -> pl.DataFrame:
        """Return whom the snapshot holds answers about; see `OptimoveClient.asked`."""
        store = self.cache.store()
        if store is None:  # only a closed cache has none, if it is read-only
            raise InputError("this client is closed: make another.")
        fields = ("CustomerID", "StartDate", "EndDate")
        rows = sorted(
            (path.rpartition("/")[2], *(params[field] for field in fields))
            for _, path, params in store.asked()
            if params.keys() >= set(fields)
        )
        frame = pl.DataFrame(rows, schema=dict.fromkeys(ASKED.names, pl.String), orient="row")
        return ASKED.check(frame.with_columns(pl.col("start", "end").str.to_date()))

    def missing(self, error: OfflineError) -> OfflineError:
        """Return an error that names customers as they were asked for, and says what to do."""
        names = {one: self._given.get(one, one) for one in error.missing}
        text = str(error)
        for one, name in names.items():
            text = text.replace(one, name)
        text += f" This client replays {self.snapshot.path.name} and asks nobody else."
        if self.snapshot.pseudonymised and self.pseudonyms is None:
            text += " The customer ids in it are pseudonyms: pseudonym_key=... takes real ones."
        return OfflineError(text, names.values())


def open_snapshot(
    path: str | os.PathLike[str],
    *,
    pseudonym_key: Key | None = None,
    formats: Sequence[ResponseFormat] | None = None,
) -> Replayed:
    """Open a snapshot to answer from it; see `OptimoveClient.replay`."""
    file = Path(path).expanduser()
    cache = Cache(file, read_only=True)
    try:
        about = _read(cache)
        snapshot = Snapshot.of(file, about)
        settings = Settings(
            url=f"https://{snapshot.host}",
            credential=Secret(""),
            header="X-API-KEY",
            # Neither folder is used: nothing is written, and nobody is met.
            cache_dir=file.parent,
            state_dir=file.parent,
            engagement_metrics_path=about["engagement_metrics_path"],
            settle_after=timedelta(seconds=float(about["settle_after"])),
            max_age=timedelta(seconds=float(about["max_age"])),
            offline=True,
            key_source="none is needed to replay a snapshot",
        )
        known = formats if formats is not None else map(_format, json.loads(about["formats"]))
        pseudonyms = None if pseudonym_key is None else Pseudonyms(pseudonym_key)
        _check_key(snapshot, about, pseudonyms)
        return Replayed(snapshot, settings, cache, tuple(known), pseudonyms)
    except BaseException:
        cache.close()
        raise


def _check_key(snapshot: Snapshot, about: Mapping[str, str], pseudonyms: Pseudonyms | None) -> None:
    if pseudonyms is None:
        return
    if not snapshot.pseudonymised:
        raise InputError(
            f"the customer ids in {snapshot.path} are real ones: leave pseudonym_key out."
        )
    if pseudonyms.check != about["pseudonym_check"]:
        raise InputError(f"the pseudonyms in {snapshot.path} were made with another key.")


def _read(cache: Cache) -> dict[str, str]:
    """Return what a file says of itself, if it is a snapshot, and all that it was."""
    store = cache.store()
    if store is None:  # only a closed cache has none, if it is read-only
        raise InputError("this client is closed: make another.")
    try:
        about = store.about()
        written = int(about.get("format", "0"))
        whole = about.get("digest") == digest_of(about, store.rows())
    except (sqlite3.Error, OSError, ValueError) as error:
        raise unreadable(cache.path, error) from error
    if not written:
        raise unreadable(cache.path, LayoutError("it is a cache"))
    if written > FORMAT:
        newer = LayoutError(f"its format is version {written}", newer=True)
        raise unreadable(cache.path, newer)
    if not whole:
        raise unreadable(cache.path, "its digest does not fit")
    return about


def _format(plain: Mapping[str, Any]) -> ResponseFormat:
    return ResponseFormat(
        plain["name"],
        plain["fields"],
        frozenset(plain["required"]),
        frozenset(plain["marks"]),
    )
