"""One Delta Lake table that is cut into buckets, each of which is replaced as a whole.

Files are written by polars, and made part of the table by one entry in its log: before it nobody
sees them, after it everybody. Whoever is killed in between leaves files that nobody reads, and
`Table.vacuum` removes. An entry is written only over the version that its files were made from:
who was overtaken reads again (`OvertakenError`).

The log's statistics count rows and no more. The usual ones hold the smallest and largest value of
each column, customer ids among them, and would keep those beyond their files.
"""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import unquote

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction
from obstore import get, put
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import from_url

from optimove_analysis.archive.layout import BUCKET
from optimove_analysis.archive.place import store_options
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["CHECKPOINT", "OvertakenError", "Table"]

_ROW_GROUP: Final = 50_000
"""So many rows have statistics of their own in a file: what a month's or customer's rows cost."""
_SETTINGS: Final = {
    # Who else writes is not to put customer ids into the log, as statistics.
    "delta.dataSkippingNumIndexedCols": "0",
    # The log is small, and what it no longer tells cannot be read again: ten years.
    "delta.logRetentionDuration": "interval 3650 days",
}
CHECKPOINT: Final = 100
"""After so many entries a file sums up the log."""
_NOTHING_AFTER: Final = PostCommitHookProperties(
    create_checkpoint=False, cleanup_expired_logs=False
)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_FAILURES: Final = (DeltaError, pl.exceptions.PolarsError, BaseError, OSError, json.JSONDecodeError)
_STRICT: Final = 0
"""Tries to rebase an entry: none, since only the versions that it was made from make it right."""


class _Opened(DeltaTable):
    """A Delta table that calls its files what they are called.

    deltalake's own has ``%20`` for a space in the name of a folder, and polars does not find that.
    """

    def file_uris(self, *args: Any, **kwargs: Any) -> list[str]:  # noqa: ANN401 - its own
        return [unquote(uri) for uri in super().file_uris(*args, **kwargs)]


class OvertakenError(Exception):
    """Another writer has written meanwhile: read again, and do it again."""


class Table:
    """A Delta table, partitioned by ``bucket``; its path or URI, and its columns without that."""

    def __init__(
        self, uri: str, schema: pl.Schema, storage_options: Mapping[str, str] | None = None
    ) -> None:
        self.uri = uri
        self._columns = schema
        self._schema = Schema.from_arrow(pl.Schema({**schema, BUCKET: pl.Int32()}))
        self._options = dict(storage_options) if storage_options else None

    def exists(self) -> bool:
        """Whether there is such a table."""
        with self._explained("read"):
            return DeltaTable.is_deltatable(self.uri, self._options)

    def create(self, *, about: Mapping[str, str], description: str) -> None:
        """Make the table; one that another makes at the same moment is as good."""
        with self._explained("made"):
            try:
                DeltaTable.create(
                    self.uri,
                    self._schema,
                    partition_by=[BUCKET],
                    description=description,
                    configuration={**_SETTINGS, **about},
                    raise_if_key_not_exists=False,
                    storage_options=self._options,
                )
            except DeltaError:
                if not DeltaTable.is_deltatable(self.uri, self._options):
                    raise

    def opened(self, version: int | datetime | None = None) -> DeltaTable:
        """Return the table as of a version or time; None: as it is."""
        with self._explained("read"):
            table = _Opened(self.uri, storage_options=self._options)
            if version is not None:
                table.load_as_version(version)
            return table

    def scan(self, table: DeltaTable) -> pl.LazyFrame:
        """Return the rows of an opened table, with their bucket.

        Raises:
            OptimoveAnalysisError: a file is gone or cut, as far as this computer can see.
        """
        self._check_files(table)
        with self._explained("read"):
            return pl.scan_delta(table, storage_options=self._options)

    def read(
        self, table: DeltaTable, bucket: int, columns: Iterable[str] | None = None
    ) -> pl.DataFrame:
        """Return the rows of a bucket, in their order: all columns but that of the bucket."""
        names = self._columns.names() if columns is None else list(columns)
        rows = self.scan(table).filter(pl.col(BUCKET) == bucket).select(names)
        with self._explained("read"):
            return rows.collect(engine="streaming")

    def collect(self, plan: pl.LazyFrame) -> pl.DataFrame:
        """Return the rows of a plan over this table."""
        with self._explained("read"):
            return plan.collect(engine="streaming")

    def sizes(self, table: DeltaTable) -> pl.DataFrame:
        """Return the files of an opened table: ``bucket``, ``rows``, ``size``, in bytes."""
        files = pl.DataFrame(table.get_add_actions(flatten=True))
        if files.is_empty():
            return pl.DataFrame(schema={BUCKET: pl.Int32, "rows": pl.Int64, "size": pl.Int64})
        return files.select(
            pl.col(f"partition.{BUCKET}").cast(pl.Int32).alias(BUCKET),
            pl.col("num_records").cast(pl.Int64).alias("rows"),
            pl.col("size_bytes").cast(pl.Int64).alias("size"),
        )

    def latest(self, table: DeltaTable, name: str) -> Any:  # noqa: ANN401 - what a log can say
        """Return what the log last said under a name; None: it never did."""
        return next((value for _, value in self.said(table, name)), None)

    def said(self, table: DeltaTable, name: str) -> Iterator[tuple[int, Any]]:
        """Yield what the log says under a name, and of which version, the latest first."""
        for version, entry in self.log(table):
            if name in entry:
                yield version, entry[name]

    def log(self, table: DeltaTable) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield what the log says of an opened version and of each before it, while it is there.

        deltalake's own history is of the latest version, whichever was opened.
        """
        for version in range(table.version(), -1, -1):
            with self._explained("read"):
                try:
                    text = self._bytes(f"_delta_log/{version:020}.json")
                except (FileNotFoundError, NotFoundError):
                    return
                lines = [json.loads(line) for line in text.splitlines() if b"commitInfo" in line]
            yield version, next((one["commitInfo"] for one in lines if "commitInfo" in one), {})

    def replace(
        self, table: DeltaTable, parts: Mapping[int, pl.DataFrame], *, said: Mapping[str, Any]
    ) -> int:
        """Replace buckets by what is given for each, all at once; return the new version.

        Args:
            table: as it was opened to make the parts.
            parts: a bucket's rows, in order.
            said: what the log says of it.

        Raises:
            OvertakenError: the table has changed since it was opened.
            OptimoveAnalysisError: it cannot be written; it is as it was.
        """
        written: list[str] = []
        before = table.version()
        try:
            with self._explained("written"):
                added: list[AddAction | RemoveAction] = [
                    self._write(bucket, rows, written)
                    for bucket, rows in parts.items()
                    if rows.height
                ]
                table.create_write_transaction(
                    added,
                    "overwrite",
                    self._schema,
                    partition_by=[BUCKET],
                    partition_filters=[(BUCKET, "in", [str(bucket) for bucket in parts])],
                    commit_properties=CommitProperties(
                        max_commit_retries=_STRICT, custom_metadata=dict(said)
                    ),
                    # Its failure would be told as if the entry were not there.
                    post_commithook_properties=_NOTHING_AFTER,
                )
        except CommitFailedError as error:
            self._unwrite(written)
            if self.opened().version() == before:  # nobody was quicker: to try again is for nothing
                raise self._failure("written", error) from error
            raise OvertakenError from None
        except OptimoveAnalysisError:
            self._unwrite(written)
            raise
        version = table.version()
        if version % CHECKPOINT == 0:
            with suppress(DeltaError, CommitFailedError, OSError):  # it only makes reading faster
                table.create_checkpoint()
        return version

    def vacuum(self, *, older_than: timedelta, full: bool) -> int:
        """Remove files of versions that ended so long ago; return how many there were.

        Args:
            older_than: how long ago.
            full: also files that never were part of a version. Only while nobody writes.
        """
        hours = int(older_than / timedelta(hours=1))
        with self._explained("cleaned"):
            table = self.opened()
            which: dict[str, Any] = {"enforce_retention_duration": False, "full": full}
            # It leaves two entries in the log, which is for nothing where nothing is to go.
            if self.files_there() == len(table.file_uris()):
                return 0
            return len(table.vacuum(hours, dry_run=False, **which))

    def files_there(self) -> int:
        """Return how many Parquet files lie there, of all states; 0 where they lie elsewhere."""
        path = _local(self.uri)
        return 0 if path is None else sum(1 for _ in path.glob(f"{BUCKET}=*/*.parquet"))

    def missing(self, table: DeltaTable) -> int:
        """Return how many files of an opened table are gone."""
        if _local(self.uri) is not None:
            return sum(not Path(file).exists() for file in table.file_uris())
        with self._explained("read"):
            there = {
                entry["path"].rpartition("/")[2]
                for entries in self._store().list()
                for entry in entries
            }
        return sum(file.rpartition("/")[2] not in there for file in table.file_uris())

    def _check_files(self, table: DeltaTable) -> None:
        """Say now what the plan could only say in the engine's words, when it is collected."""
        if _local(self.uri) is None:
            return
        with self._explained("read"):
            files = pl.DataFrame(table.get_add_actions())
        for name, size in files.select("path", "size_bytes").iter_rows():
            path = _local(f"{self.uri}/{unquote(name)}")
            try:
                found = path.stat().st_size if path else size
            except OSError as error:
                self._fail_reading(name, f"is gone or cannot be read ({error})")
            if found != size:
                self._fail_reading(name, f"has {found:,} bytes and not {size:,}")

    def _fail_reading(self, name: str, what: str) -> NoReturn:
        raise OptimoveAnalysisError(
            f"the archive's table {self.uri} is damaged: its file {name} {what}. Put the file back "
            "from a backup, or fetch into a new archive: the client's cache has what was kept."
        )

    def _write(self, bucket: int, rows: pl.DataFrame, written: list[str]) -> AddAction:
        name = f"{BUCKET}={bucket}/{secrets.token_hex(16)}.parquet"
        uri = f"{self.uri}/{name}"
        written.append(uri)
        options: dict[str, Any] = {"compression": "zstd", "row_group_size": _ROW_GROUP}
        rows = rows.select(self._columns.names())
        if (path := _local(uri)) is None:
            # Through memory: the log must say the size.
            file = io.BytesIO()
            rows.write_parquet(file, **options)
            size = file.tell()
            put(self._store(), name, file.getvalue())
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            rows.write_parquet(path, **options)
            size = path.stat().st_size
        return AddAction(
            path=name,
            size=size,
            partition_values={BUCKET: str(bucket)},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps({"numRecords": rows.height}),
        )

    def _bytes(self, name: str) -> bytes:
        if (path := _local(f"{self.uri}/{name}")) is not None:
            return path.read_bytes()
        return bytes(get(self._store(), name).bytes())

    def _store(self) -> Any:  # noqa: ANN401 - of another type each
        config: Any
        client: Any
        config, client = store_options(self._options)
        return from_url(self.uri, config=config, client_options=client)

    def _unwrite(self, written: Iterable[str]) -> None:
        """Remove files that nobody will read; what is left of them `vacuum` removes."""
        try:
            there = set(self.opened().file_uris())
        except OptimoveAnalysisError:
            return
        if not there.isdisjoint(written):
            return  # the entry is in the log, whatever was said of it
        for path in filter(None, map(_local, written)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Say what could not be done, and where."""
        try:
            yield
        except CommitFailedError as error:
            # Both a commit that came too late and a disk without room for it fail like this.
            if what != "written" or self._is_full(error):
                raise self._failure(what, error) from error
            raise
        except TableNotFoundError as error:
            raise InputError(
                f"there is no archive in {self.uri.rpartition('/')[0]} yet: "
                "archive.update(client, customers, start, end) makes one, and so does "
                "optimove-analysis archive update."
            ) from error
        except _FAILURES as error:
            raise self._failure(what, error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of Rust, which is no Exception
                raise
            raise self._failure(what, error) from error

    def _failure(self, what: str, error: BaseException) -> OptimoveAnalysisError:
        full = " The disk is full: make room, and do it again." if self._is_full(error) else ""
        kept = " It is as it was." if what == "written" else ""
        said = " ".join(_COLOUR.sub("", str(error)).split())
        return OptimoveAnalysisError(
            f"the archive's table {self.uri} cannot be {what} ({said}).{kept}{full}"
        )

    def _is_full(self, error: BaseException) -> bool:
        text = str(error).lower()
        if "no space left" in text or "disk quota" in text or "os error 28" in text:
            return True
        path = _local(self.uri)
        return path is not None and path.exists() and shutil.disk_usage(path).free == 0


def _local(uri: str) -> Path | None:
    """Return the path of a file on this computer; None: it lies elsewhere."""
    return None if "://" in uri else Path(uri)
