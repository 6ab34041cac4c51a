"""What an archive costs and saves, beside the HTTP cache that it is filled from and beside DuckDB.

``make bench BENCH=tests/benchmarks/bench_archive.py`` runs it: some minutes, most of which the
sandbox's world takes to be drawn; ``OPTIMOVE_BENCH_CUSTOMERS`` has other numbers of customers than
10,000. All in one run, over the same answers: filling an archive, against reading the answers into
a frame; the funnel of everything, from the archive, from the cache, by DuckDB's own SQL over the
archive's files, and by our lines on DuckDB over these; one customer's rows. It also prints what
both take on the disk. Ratios count, not seconds: machines differ.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from benchmarks.bench_funnel import FUNNEL, counts_of
from benchmarks.warm_audience import fill

from optimove_analysis import Archive, OptimoveClient, funnel
from optimove_analysis.schema import INTERACTIONS

CUSTOMERS = int(os.environ.get("OPTIMOVE_BENCH_CUSTOMERS", "10000"))
# Settled: the data reached a month past the last day when it was fetched. So nothing is sent.
FIRST, LAST = date(2025, 1, 1), date(2025, 11, 30)
BY = ["channel_id"]


@dataclass(frozen=True, slots=True)
class Kept:
    """The same answers in both."""

    cache: Path
    ids: list[str]
    archive: Archive

    def client(self) -> OptimoveClient:
        """Return a client that has all answers."""
        return OptimoveClient("api5", "no key is needed", cache_dir=self.cache)

    def sql(self) -> str:
        """Return the archive's files as DuckDB reads them."""
        return f"read_parquet({self.archive.files()!r})"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("archive")
    made = Kept(
        folder / "cache",
        [f"{number:08}" for number in range(CUSTOMERS)],
        Archive(folder / "archive"),
    )
    with made.client() as client:
        fill(client, made.ids, FIRST, LAST)
        made.archive.update(client, made.ids, FIRST, LAST, progress=False)
    made.archive.compact(keep=timedelta(0))
    return made


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def timed(benchmark: Any, run: Any) -> Any:
    return benchmark.pedantic(run, rounds=5, warmup_rounds=1)


def interactions(kept: Kept) -> pl.DataFrame:
    with kept.client() as client:
        return client.interactions(kept.ids, FIRST, LAST, progress=False)


@pytest.mark.benchmark(group="all answers of a warm cache")
def test_into_a_frame(benchmark: Any, kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    frame = benchmark.pedantic(lambda: interactions(kept), rounds=3, warmup_rounds=1)
    order = [pl.col(name) for name in INTERACTIONS.names]
    assert kept.archive.scan().collect().sort(order).equals(frame.sort(order))
    info = kept.archive.info()
    with kept.client() as client:
        cache = client.cache.path.stat().st_size
    files = [file for file in Path(kept.archive.path).rglob("*") if file.is_file()]
    archive = sum(file.stat().st_size for file in files)  # coverage and logs as well
    years = ((LAST - FIRST).days + 1) / 365 * CUSTOMERS
    lines = [
        f"{CUSTOMERS:,} customers, {info.rows:,} rows, {info.rows / years:.0f} a customer-year"
    ]
    lines += [
        f"{name:8} {size / 1e6:8.1f} MB {size / info.rows:6.1f} bytes a row "
        f"{size / years / 1e3:6.2f} kB a customer-year"
        for name, size in {"cache": cache, "archive": archive}.items()
    ]
    lines.append(f"the cache takes {cache / archive:.1f} times the archive's room")
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, ""]))


@pytest.mark.benchmark(group="all answers of a warm cache")
def test_into_an_empty_archive(benchmark: Any, kept: Kept, tmp_path: Path) -> None:
    number = count()

    def update() -> Archive:
        archive = Archive(tmp_path / str(next(number)))
        with kept.client() as client:
            archive.update(client, kept.ids, FIRST, LAST, progress=False)
        return archive

    archive = benchmark.pedantic(update, rounds=3, warmup_rounds=1)
    assert archive.info().rows == kept.archive.info().rows


@pytest.mark.benchmark(group="all answers of a warm cache")
def test_into_an_archive_that_has_them(benchmark: Any, kept: Kept) -> None:
    def update() -> int:
        with kept.client() as client:
            return kept.archive.update(client, kept.ids, FIRST, LAST, progress=False).answers

    assert benchmark.pedantic(update, rounds=3, warmup_rounds=1) == 0


@pytest.mark.benchmark(group="funnel of everything")
def test_our_funnel_over_the_archive(
    benchmark: Any, kept: Kept, duck: duckdb.DuckDBPyConnection
) -> None:
    found = timed(benchmark, lambda: funnel(kept.archive.scan(), by=BY).collect())
    assert counts_of(found) == duck.execute(FUNNEL.format(source=kept.sql())).fetchall()


@pytest.mark.benchmark(group="funnel of everything")
def test_our_funnel_from_the_cache(benchmark: Any, kept: Kept) -> None:
    found = benchmark.pedantic(lambda: funnel(interactions(kept), by=BY), rounds=3, warmup_rounds=1)
    assert counts_of(found) == counts_of(funnel(kept.archive.scan(), by=BY).collect())


@pytest.mark.benchmark(group="funnel of everything")
def test_duckdb_funnel_over_the_archives_files(
    benchmark: Any, kept: Kept, duck: duckdb.DuckDBPyConnection
) -> None:
    timed(benchmark, lambda: duck.execute(FUNNEL.format(source=kept.sql())).fetchall())


@pytest.mark.benchmark(group="funnel of everything")
def test_our_funnel_on_duckdb_over_the_archives_files(
    benchmark: Any, kept: Kept, duck: duckdb.DuckDBPyConnection
) -> None:
    def run() -> pl.DataFrame:
        rows = duck.sql(f"SELECT {', '.join(INTERACTIONS.names)} FROM {kept.sql()}")
        return funnel(rows, by=BY)

    found = timed(benchmark, run)
    assert counts_of(found) == counts_of(funnel(kept.archive.scan(), by=BY).collect())


@pytest.mark.benchmark(group="rows of one customer")
def test_one_customer_from_the_archive(benchmark: Any, kept: Kept) -> None:
    one = kept.ids[CUSTOMERS // 2]
    found = timed(benchmark, lambda: kept.archive.scan([one]).collect())
    assert found["customer_id"].unique().to_list() == [one]


@pytest.mark.benchmark(group="rows of one customer")
def test_one_customer_from_the_cache(benchmark: Any, kept: Kept) -> None:
    one = kept.ids[CUSTOMERS // 2]

    def read() -> pl.DataFrame:
        with kept.client() as client:
            return client.interactions(one, FIRST, LAST, progress=False)

    assert timed(benchmark, read).height == kept.archive.scan([one]).collect().height
