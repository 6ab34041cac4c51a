"""DuckDB over an archive's own files: the very numbers that polars gives."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest
from archive.lived_in import CUSTOMERS, lived_in, of_before
from polars.testing import assert_frame_equal

from optimove_analysis import Archive, channel_mix, funnel
from optimove_analysis.schema import ARCHIVED, INTERACTIONS


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return lived_in(tmp_path_factory.mktemp("archive"))


def in_duckdb(archive: Archive) -> duckdb.DuckDBPyRelation:
    return duckdb.connect().read_parquet(archive.files(), hive_partitioning=True)


def assert_same_numbers(archive: Archive) -> None:
    rows, here = in_duckdb(archive), archive.scan().collect()
    for by in (["channel_id"], ["customer_id"]):
        assert_frame_equal(funnel(rows, by=by), funnel(here, by=by), rel_tol=1e-12)
    for every in (None, "1mo"):
        there = channel_mix(rows, every=every)
        assert_frame_equal(there, channel_mix(here, every=every), rel_tol=1e-12)


def test_duckdb_reads_what_is_archived(archive: Archive) -> None:
    # Times come in the zone of the connection, whichever that is.
    there = in_duckdb(archive).pl().cast(ARCHIVED.schema)
    rows = there.select(INTERACTIONS.names).sort(pl.all())
    assert_frame_equal(rows, archive.scan().collect().sort(pl.all()))
    assert 0 < rows["event_time"].null_count() < rows.height  # both formats are there


def test_counts_are_the_same_after_rows_were_replaced(archive: Archive) -> None:
    assert of_before(archive)  # which would count twice
    assert_same_numbers(archive)


def test_a_past_state_counts_as_it_did(archive: Archive) -> None:
    past = archive.as_of(archive.version - 1)
    assert past.scan().collect().height < archive.scan().collect().height
    assert_same_numbers(past)


def test_counts_are_the_same_after_a_customer_was_forgotten(tmp_path: Path) -> None:
    archive = lived_in(tmp_path)
    gone = archive.scan().collect()["customer_id"][0]
    archive.forget(gone)
    assert in_duckdb(archive).filter(f"customer_id = '{gone}'").shape[0] == 0
    customers = in_duckdb(archive).aggregate("count(DISTINCT customer_id)").fetchall()
    assert customers == [(CUSTOMERS - 1,)]
    assert_same_numbers(archive)
