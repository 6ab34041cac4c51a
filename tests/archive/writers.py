"""Processes that write to an archive: they can be killed, by others or at a point of their own.

They are forked from a server that has imported everything, so that one begins in some 30 ms.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

import polars as pl
from deltalake import DeltaTable
from faults.table import PATIENCE

from optimove_analysis.archive import Archive, delta, tables, update
from optimove_analysis.client import OptimoveClient
from optimove_analysis.errors import InputError

WIDE: Final = (10_000, 1.0)
"""A quota that nobody here comes near."""

_CONTEXT: Any = multiprocessing.get_context(
    "spawn" if sys.platform == "win32" else "forkserver"
)  # of another type on each system
if sys.platform != "win32":
    _CONTEXT.set_forkserver_preload(["optimove_analysis", "optimove_analysis.archive", "tqdm.auto"])


@dataclass(frozen=True)
class Deed:
    """What a process does to an archive, and where it dies."""

    archive: Path | str
    url: str
    key: str
    cache: Path
    ids: Sequence[str]
    days: tuple[str, str]
    what: str = "update"
    """Or ``"compact"``, ``"forget"``, ``"compact for ever"``."""
    buckets: int = 4
    batch: int = 10
    locked: bool = True
    """False: as for an archive that lies elsewhere, without a lock that writers share."""
    dies_at: int | None = None
    """The how-manieth point kills it; None: it counts them."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of `Archive.update`."""

    def but(self, **changes: Any) -> Deed:
        """Return it with other arguments."""
        return replace(self, **changes)

    def do(self) -> object:
        """Do it here."""
        archive = opened(self.archive, buckets=self.buckets, locked=self.locked)
        if self.what == "compact":
            return archive.compact(keep=timedelta(0))
        if self.what == "compact for ever":
            while True:
                with suppress(InputError):  # there is none yet
                    archive.compact()
        if self.what == "forget":
            return archive.forget(self.ids)
        with OptimoveClient(self.url, self.key, cache_dir=self.cache, quota=WIDE) as client:
            return archive.update(client, self.ids, *self.days, progress=False, **self.options)


def opened(path: Path | str, *, buckets: int = 4, locked: bool = True) -> Archive:
    """Return an archive, without its lock if so wanted."""
    archive = Archive(path, buckets=buckets)
    if not locked:
        archive._tables = replace(archive._tables, lock=None)  # noqa: SLF001 - no other way in
    return archive


@dataclass
class Ended:
    """How a process ended."""

    killed: bool
    result: str | None = None
    error: str | None = None
    points: list[str] = field(default_factory=list)


class Writer:
    """A process that does a deed."""

    def __init__(self, deed: Deed) -> None:
        self._heard, said = _CONTEXT.Pipe(duplex=False)
        self.process = _CONTEXT.Process(target=_perform, args=(deed, said), daemon=True)
        self.process.start()
        said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def is_at_work(self) -> bool:
        """Whether it has not ended."""
        return bool(self.process.is_alive())

    def wait(self, seconds: float) -> bool:
        """Give it so long; return whether it has ended."""
        self.process.join(seconds)
        return not self.process.is_alive()

    def end(self) -> Ended:
        """Wait until it has ended by itself."""
        try:
            ended = self._hear(PATIENCE)
        finally:
            self.process.kill()
        return ended

    def kill(self) -> Ended:
        """Kill it, at once and without a chance to tidy up."""
        self.process.kill()
        return self._hear(0)

    def _hear(self, seconds: float) -> Ended:
        try:
            # What it said before it died is worth nothing: it may have been killed in the middle.
            told = self._heard.recv() if self._heard.poll(seconds) else None
        except (EOFError, OSError):
            told = None
        self.process.join(seconds or PATIENCE)
        assert self.process.exitcode is not None, "it has not ended"
        if self.process.exitcode == 0 and told is not None:
            return Ended(killed=False, **told)
        return Ended(killed=True)


def _perform(deed: Deed, said: Connection) -> None:
    update.BATCH = deed.batch  # type: ignore[misc] # many commits, of few customers each
    points: list[str] = []
    watch(points, deed.dies_at)
    try:
        result = repr(deed.do())
    except BaseException as error:  # noqa: BLE001 - told, whatever it is
        kinds = " ".join(kind.__name__ for kind in type(error).__mro__)
        said.send({"error": f"{kinds}: {error}", "points": points})
    else:
        said.send({"result": result, "points": points})


def watch(points: list[str], dies_at: int | None = None) -> None:
    """Note each point between two steps of a writer; at one of them, die."""

    def reached(name: str, harm: Callable[[], object] = lambda: None) -> None:
        points.append(name)
        if len(points) - 1 == dies_at:
            harm()
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: Any, method: str, name: str) -> None:
        done = getattr(owner, method)

        def stepped(self: Any, *args: Any, **kwargs: Any) -> Any:
            reached(f"before {name}")
            result = done(self, *args, **kwargs)
            reached(f"after {name}")
            return result

        setattr(owner, method, stepped)

    around(DeltaTable, "create_write_transaction", "an entry")
    around(DeltaTable, "vacuum", "a vacuum")
    around(delta.Table, "create", "making a table")
    around(tables.Tables, "mend", "mending")
    wrote = pl.DataFrame.write_parquet

    def write(self: pl.DataFrame, file: Any, *args: Any, **kwargs: Any) -> None:
        reached("before a file")
        wrote(self, file, *args, **kwargs)
        reached("within a file", lambda: os.truncate(file, Path(file).stat().st_size // 2))
        reached("after a file")

    pl.DataFrame.write_parquet = write  # type: ignore[method-assign]
