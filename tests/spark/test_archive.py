"""PySpark over an archive's own files: the very numbers that polars gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from archive.lived_in import CUSTOMERS, lived_in, of_before
from polars.testing import assert_frame_equal

from optimove_analysis import Archive, channel_mix, funnel
from optimove_analysis.schema import ARCHIVED, INTERACTIONS

pytest.importorskip("pyspark.sql", reason="PySpark is not installed here: make spark")

pytestmark = pytest.mark.filterwarnings("default")  # PySpark's own, which we can do nothing about


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return lived_in(tmp_path_factory.mktemp("archive"))


def on_spark(session: Any, archive: Archive) -> Any:
    # The folder that the bucket is named in; without it all columns but that are read.
    files = session.read.option("basePath", f"{archive.path}/interactions")
    return files.parquet(*archive.files())


def assert_same_numbers(session: Any, archive: Archive) -> None:
    rows, here = session.read.parquet(*archive.files()), archive.scan()
    assert_frame_equal(funnel(rows), funnel(here).collect(), rel_tol=1e-12)
    assert_frame_equal(channel_mix(rows), channel_mix(here).collect(), rel_tol=1e-12)


def test_pyspark_reads_what_is_archived(session: Any, archive: Archive) -> None:
    there = pl.from_arrow(on_spark(session, archive).toArrow())
    assert isinstance(there, pl.DataFrame)
    # Times come in the zone of the session, whichever that is.
    rows = there.cast(ARCHIVED.schema).select(INTERACTIONS.names).sort(pl.all())
    assert_frame_equal(rows, archive.scan().collect().sort(pl.all()))
    assert 0 < rows["event_time"].null_count() < rows.height  # both formats are there


def test_pyspark_works_out_in_which_part_a_customer_is(session: Any, archive: Archive) -> None:
    rows = on_spark(session, archive)
    buckets = archive.info().buckets
    assert rows.where(f"bucket = crc32(customer_id) % {buckets}").count() == rows.count()
    assert rows.select("bucket").distinct().count() == buckets


def test_counts_are_the_same_after_rows_were_replaced(session: Any, archive: Archive) -> None:
    assert of_before(archive)  # which would count twice
    assert_same_numbers(session, archive)


def test_a_past_state_counts_as_it_did(session: Any, archive: Archive) -> None:
    past = archive.as_of(archive.version - 1)
    assert past.scan().collect().height < archive.scan().collect().height
    assert_frame_equal(
        funnel(session.read.parquet(*past.files()), by=["customer_id"]),
        funnel(past.scan(), by=["customer_id"]).collect(),
        rel_tol=1e-12,
    )


def test_counts_are_the_same_after_a_customer_was_forgotten(session: Any, tmp_path: Path) -> None:
    archive = lived_in(tmp_path)
    gone = archive.scan().collect()["customer_id"][0]
    archive.forget(gone)
    customers = [
        row[0] for row in on_spark(session, archive).select("customer_id").distinct().collect()
    ]
    assert len(customers) == CUSTOMERS - 1
    assert gone not in customers
    assert_same_numbers(session, archive)
