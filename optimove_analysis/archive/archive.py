"""`Archive`: years of interactions in open tables, updated as they grow and read lazily."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import polars as pl

from optimove_analysis.archive.importing import Columns, read_export
from optimove_analysis.archive.info import ArchiveInfo
from optimove_analysis.archive.layout import BUCKETS, buckets_of
from optimove_analysis.archive.place import located
from optimove_analysis.archive.update import Update, update
from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.fetch import ProgressOption
from optimove_analysis.client.inputs import Day, Ids, as_day, as_ids, as_range
from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.schema import COVERAGE, INTERACTIONS

if TYPE_CHECKING:
    from optimove_analysis.archive.tables import Tables

__all__ = ["Archive"]

_MOST: Final = 4_096
"""So many buckets are enough for billions of rows."""
_KEEP: Final = timedelta(days=7)
"""How long history is kept by default: as long as Delta Lake's own."""


class Archive:
    """Interactions of customers in a Delta Lake table, which grows and which others can read.

    A folder, or a URI of a store that Delta Lake knows, with two tables: ``interactions``
    (`schema.ARCHIVED`) and ``coverage`` (`schema.COVERAGE`), which says of whom and which days
    there are answers. Nothing is made before the first `update` or `import_parquet`. Any number of
    readers and writers may share it; a writer who is killed leaves it as it was, or changed.

    It holds what customers did: treat it as the data that it is. It holds no credential.

    >>> from tempfile import TemporaryDirectory
    >>> from optimove_analysis import OptimoveClient, funnel
    >>> days = "2025-01-01", "2025-06-30"
    >>> with TemporaryDirectory() as folder, OptimoveClient.sandbox() as client:
    ...     archive = Archive(folder)
    ...     print(archive.update(client, ["000010", "000013"], *days))
    ...     print(archive.update(client, ["000010", "000013"], *days))
    ...     counts = funnel(archive.scan(), by=[]).collect()
    Update: 2 answers with 176 interactions came, 0 of 2 customers needed none
    Update: 0 answers with 0 interactions came, 2 of 2 customers needed none
    >>> counts.select("stage", "messages").rows()
    [('sent', 81), ('delivered', 78), ('opened', None), ('clicked', 3)]

    Args:
        path: the folder, or a URI as ``"s3://bucket/archive"``; made where absent.
        buckets: into how many parts a new archive is cut, each of which is rewritten as a whole.
            Some hundred thousand rows a part are right, up to a few million.
        storage_options: of the store, as Delta Lake's ``object_store`` names them
            (``AWS_REGION``, ...). Credentials are better left to the environment.

    Raises:
        InputError: the path or the number of buckets cannot be used.
        OptimoveAnalysisError: the package deltalake is not installed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        buckets: int = BUCKETS,
        storage_options: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(buckets, bool) or not isinstance(buckets, int) or not 1 <= buckets <= _MOST:
            raise InputError(f"buckets={buckets!r} must be a whole number, 1 to {_MOST:,}.")
        self._buckets = buckets
        self._tables = _tables_at(located(path), storage_options)
        self._version: int | None = None

    @property
    def path(self) -> str:
        """The folder or URI."""
        return self._tables.uri

    def update(
        self,
        client: OptimoveClient,
        customers: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = None,
        on_error: Literal["raise", "collect"] = "raise",
        refresh: bool = False,
    ) -> Update:
        """Fetch what the archive lacks of customers and days, and what may have changed since.

        An answer that is there and has settled, by the client's ``settle_after``, is not asked for
        again; another is unless the API's data was not updated since. Each customer costs at most
        one request, from the first day that is missing or may have changed to the last, and what
        comes takes the place of all that it covers. Calling it again changes nothing.

        Answers are written in batches of 5,000. Killed at any instant, the archive is as it was
        after one of them, and the client's cache has the answers since: the same call goes on from
        there.

        Args:
            client: of the account; or one that replays a snapshot.
            customers: as for `OptimoveClient.interactions`, as are all that follow.
            start: the first day of the range.
            end: its last day.
            progress: None draws a bar if more than 5 customers must be asked for.
            on_error: ``"raise"`` the first failure; or ``"collect"`` those that are one customer's,
                and return them with the rest.
            refresh: ask the API for everything again.

        Raises:
            InputError: this is a past state, the archive is of another instance, or an argument
                cannot be used.
            OptimoveAnalysisError: what the client raises, or the archive cannot be written.
        """
        self._check_current()
        first, last = as_range(start, end)
        self._make(client)
        return update(
            self._tables,
            client,
            customers,
            first,
            last,
            progress=progress,
            on_error=on_error,
            refresh=refresh,
            now=lambda: datetime.now(UTC),
        )

    def import_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        start: Day,
        end: Day,
        data_through: Day,
        columns: Columns | None = None,
        customers: Ids | None = None,
    ) -> Update:
        """Take interactions from Parquet files that you have already: an export, a warehouse.

        They count as the answers of an API that was asked for ``start`` to ``end`` on the day
        ``data_through``, and take the place of what the archive has of these customers and days.

        Args:
            path: a file, or several, as ``"exports/*.parquet"``.
            start: the first day of sends that the export is complete from.
            end: the last.
            data_through: the day through which it is complete.
            columns: our names to those of the files, where they differ: ``{"customer_id": "ID"}``.
            customers: of whom it is complete: those without interactions in it are then known to
                have none. None: those who occur.

        Raises:
            SchemaError: a column is missing, or its values cannot be had in our type; the message
                names what is missing and what there is.
            InputError: there is no such file, or rows have no customer.
        """
        self._check_current()
        first, last = as_range(start, end)
        through = as_day(data_through, "data_through")
        ids = None if customers is None else as_ids(customers)
        export = read_export(path, columns or {}, ids, (first, last), through=through)
        self._make(None)
        self._tables.mend()
        answers = rows = 0
        for covered, interactions in export.parts(self._tables.buckets):
            self._tables.take(covered, interactions)
            answers, rows = answers + covered.height, rows + interactions.height
        return Update(answers, answers, rows)

    def scan(self, customers: Ids | None = None, *, share: float | None = None) -> pl.LazyFrame:
        """Return the interactions as a plan (`schema.INTERACTIONS`), to be collected when wanted.

        Every function of the analysis takes it. A filter by ``date`` reads only pieces of the files
        in which such days are.

        Funnel and mix count a hundred million rows within 6 GB. What holds every message at once
        (`rates`, `audit`, `transitions` and others) takes 4 to 6 GB for 25 million: where that is
        too much, a ``share`` of the customers answers, with intervals that say how well.

        Args:
            customers: only these: read from the parts of the archive where they are.
            share: of the customers about this share, above 0 to 1: those of as many buckets, at
                least one. Which ones depends on their ids alone, so that they are the same each
                time, and no others are read.

        Raises:
            InputError: there is no archive yet, or ``share`` is none.
        """
        if share is not None and not (isinstance(share, int | float) and 0 < share <= 1):
            raise InputError(f"share={share!r} must be a number above 0, to 1.")
        rows = self._tables.rows.scan(self._opened())
        if share is not None:
            some = max(round(share * self._tables.buckets), 1)
            rows = rows.filter(pl.col("bucket") < some)
        if customers is not None:
            where = buckets_of(as_ids(customers), self._tables.buckets)
            rows = rows.filter(
                pl.col("bucket").is_in(where["bucket"].unique().to_list()),
                pl.col("customer_id").is_in(where["customer_id"].to_list()),
            )
        return rows.select(INTERACTIONS.names)

    def coverage(self) -> pl.LazyFrame:
        """Return of whom and which days there are answers (`schema.COVERAGE`), as a plan."""
        opened = self._opened()  # raises where there is no archive yet
        if self._version is None:
            return self._tables.answers().select(COVERAGE.names)
        version = self._tables.covered_as_of(opened.version())
        if version is None:
            return COVERAGE.empty().lazy()
        covered = self._tables.covered
        return covered.scan(covered.opened(version)).select(COVERAGE.names)

    def files(self) -> list[str]:
        """Return the Parquet files of the interactions, for engines without Delta Lake's reader.

        They are those of this state, and no others of the folder: files of earlier states lie there
        too, and would count twice. ``duckdb.read_parquet(archive.files())`` and
        ``session.read.parquet(*archive.files())`` on PySpark are what `funnel` and `channel_mix`
        take. Where Spark knows Delta Lake, as on Databricks, its own reader is better:
        ``session.read.format("delta").load(f"{archive.path}/interactions")``.
        """
        return sorted(self._opened().file_uris())

    @property
    def version(self) -> int:
        """Of the interactions: each change counts one up."""
        return int(self._opened().version())

    def as_of(self, when: int | Day) -> Archive:
        """Return the archive as it was: what `scan` gave at a version, or at a time.

        Args:
            when: a version; or a time with its zone, or a day, at the end of which in UTC.

        Raises:
            InputError: there is no such version, it is not known any more, or `compact` or `forget`
                has removed its files.
        """
        if isinstance(when, int):
            if when < 0:
                raise InputError(f"when={when} is no version: they count from 0.")
            wanted: int | datetime = when
        elif isinstance(when, datetime):
            wanted = when if when.tzinfo else when.astimezone()
        else:
            wanted = datetime.combine(as_day(when, "when"), time.max, UTC)
        rows = self._tables.rows
        rows.opened()  # no archive at all says so
        try:
            opened = rows.opened(wanted)
        except OptimoveAnalysisError as error:
            raise InputError(f"there is no state of {self.path} as of {when} ({error}).") from error
        gone = rows.missing(opened)
        if gone:
            raise InputError(
                f"version {opened.version()} of {self.path} cannot be read any more: compact or "
                f"forget has removed {gone:,} of its files."
            )
        past = Archive(self.path)
        past._tables, past._version = self._tables, int(opened.version())
        return past

    def forget(self, customers: Ids) -> int:
        """Erase customers from the archive and its history; return how many rows they had.

        Files of earlier states hold them, so that all of those are removed: `as_of` reads none from
        before. Files that killed writers left go with them; in a store they may be those of one who
        is at work, and so go when they are a day old, with the next `compact` or `forget`.

        Erase them from the client's cache as well: ``client.cache.forget(customer)``.
        """
        self._check_current()
        ids = as_ids(customers)
        self._opened()
        erased = self._tables.erase(ids)
        self._tables.vacuum(older_than=timedelta(0))
        return erased

    def info(self) -> ArchiveInfo:
        """Return what the archive holds: rows, customers, days, bytes; shown well in a notebook."""
        return ArchiveInfo.of(self._tables, self._opened(), self.coverage())

    def compact(self, *, keep: timedelta = _KEEP) -> ArchiveInfo:
        """Remove files of earlier states, and put together what others have written in pieces.

        Args:
            keep: how long a state can be read by `as_of` after it was replaced, in whole hours.

        Returns:
            What the archive holds now.
        """
        self._check_current()
        self._opened()
        self._tables.tidy()
        self._tables.vacuum(older_than=keep)
        return self.info()

    def __repr__(self) -> str:
        past = "" if self._version is None else f" as of version {self._version}"
        return f"<Archive {self.path}{past}>"

    def _opened(self) -> Any:  # noqa: ANN401 - deltalake's
        return self._tables.rows.opened(self._version)

    def _check_current(self) -> None:
        if self._version is not None:
            raise InputError(
                f"{self!r} is a past state, and cannot be changed: use the archive itself."
            )

    def _make(self, client: OptimoveClient | None) -> None:
        """Make the tables where there are none; raise if the archive is of another account."""
        host, pseudonyms = "", False
        if client is not None:
            host = urlsplit(client.settings.url).hostname or ""
            pseudonyms = client.about is not None and client.about.pseudonymised
        ids = "pseudonyms" if pseudonyms else "customers"
        if not self._tables.rows.exists():
            self._tables.make({"buckets": self._buckets, "instance": host, "ids": ids})
        about = self._tables.about()
        if client is not None and about["instance"] not in ("", host):
            raise InputError(
                f"{self.path} is of {about['instance']}, and this client asks {host}: give "
                "another path."
            )
        if client is not None and about["ids"] != ids:
            raise InputError(
                f"{self.path} holds {about['ids']}, and this client gives {ids}: give another path."
            )


def _tables_at(uri: str, storage_options: Mapping[str, str] | None) -> Tables:
    try:
        from optimove_analysis.archive.tables import Tables  # noqa: PLC0415 - an extra needs it
    except ModuleNotFoundError as error:
        if error.name not in ("deltalake", "obstore"):
            raise
        raise OptimoveAnalysisError(
            f"an archive needs the package {error.name}: pip install 'optimove-analysis[archive]'."
        ) from error
    return Tables.at(uri, storage_options)
