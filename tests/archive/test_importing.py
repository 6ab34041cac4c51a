"""Files that users have already: taken as if the API had answered with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from optimove_analysis import Archive, OptimoveClient
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.sandbox import Sandbox

SPRING: dict[str, Any] = {"start": "2025-03-01", "end": "2025-05-31"}
FETCHED = ("2025-03-01", "2025-05-31")


@pytest.fixture
def frame(box: Sandbox, client: OptimoveClient) -> pl.DataFrame:
    return client.interactions(box.world.customer_ids(30), *FETCHED)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[pl.DataFrame], Path]:
    def written(frame: pl.DataFrame) -> Path:
        frame.write_parquet(tmp_path / "export.parquet")
        return tmp_path / "export.parquet"

    return written


def rows_of(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    return frame.lazy().collect().sort(pl.all())


def test_an_export_gives_what_the_api_gives(
    archive: Archive, frame: pl.DataFrame, write: Callable[[pl.DataFrame], Path]
) -> None:
    theirs = frame.select(
        CUST=pl.col("customer_id"),
        SEND_DT=pl.col("date").cast(pl.Datetime("ns")),
        campaign_id=pl.col("campaign_id").cast(pl.Int32),
        recipient_group_id=pl.col("recipient_group_id").cast(pl.String),
        action_id=pl.col("action_id"),
        channel_id=pl.col("channel_id"),
        template_id=pl.col("template_id"),
        EVENT=pl.col("event_id").cast(pl.UInt8),
        whatever=pl.lit("x"),
    )
    names = {"customer_id": "CUST", "date": "SEND_DT", "event_id": "EVENT"}
    found = archive.import_parquet(
        write(theirs), **SPRING, data_through="2025-12-31", columns=names
    )
    assert (found.rows, found.customers) == (frame.height, frame["customer_id"].n_unique())
    assert_frame_equal(rows_of(archive.scan()), rows_of(frame))
    covered = archive.coverage().collect()
    assert covered["format"].unique().to_list() == ["imported"]
    assert covered["known_through"].unique().to_list() == [date(2025, 12, 31)]


def test_what_was_imported_and_has_settled_is_not_asked_for(
    box: Sandbox,
    client: OptimoveClient,
    archive: Archive,
    frame: pl.DataFrame,
    write: Callable[[pl.DataFrame], Path],
) -> None:
    ids = box.world.customer_ids(30)
    archive.import_parquet(write(frame), **SPRING, data_through="2025-12-31", customers=ids)
    sent = len(box.log)
    assert archive.update(client, ids, *FETCHED).answers == 0
    assert len(box.log) == sent
    # And what is fetched besides goes well with it.
    archive.update(client, ids, "2025-03-01", "2025-06-30")
    whole = client.interactions(ids, "2025-03-01", "2025-06-30")
    assert_frame_equal(rows_of(archive.scan()), rows_of(whole))


def test_importing_again_changes_nothing_and_a_correction_replaces(
    archive: Archive, frame: pl.DataFrame, write: Callable[[pl.DataFrame], Path]
) -> None:
    for rows in (frame, frame, frame.head(-3)):
        archive.import_parquet(
            write(rows), **SPRING, data_through="2025-12-31", customers=frame["customer_id"]
        )
        assert_frame_equal(rows_of(archive.scan()), rows_of(rows))


def test_several_files_are_one_export(
    archive: Archive, frame: pl.DataFrame, tmp_path: Path
) -> None:
    frame.head(100).write_parquet(tmp_path / "a.parquet")
    frame.tail(-100).write_parquet(tmp_path / "b.parquet")
    archive.import_parquet(tmp_path / "*.parquet", **SPRING, data_through="2025-12-31")
    assert_frame_equal(rows_of(archive.scan()), rows_of(frame))


def test_what_is_missing_is_named_with_what_there_is(
    archive: Archive, frame: pl.DataFrame, write: Callable[[pl.DataFrame], Path]
) -> None:
    path = write(frame.rename({"customer_id": "Client", "event_id": "Event"}))
    with pytest.raises(
        SchemaError, match=r"lacks 'customer_id'.*'event_id'.*It has 'Client'"
    ) as raised:
        archive.import_parquet(path, **SPRING, data_through="2025-12-31")
    assert "columns={'customer_id': ...}" in str(raised.value)
    with pytest.raises(SchemaError, match=r"no column 'Clyent'.*did you mean 'Client'"):
        archive.import_parquet(
            path, **SPRING, data_through="2025-12-31", columns={"customer_id": "Clyent"}
        )
    with pytest.raises(InputError, match=r"'custmer_id' is no column.*'customer_id'"):
        archive.import_parquet(
            path, **SPRING, data_through="2025-12-31", columns={"custmer_id": "Client"}
        )
    assert not Path(archive.path).exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pl.lit("open").alias("event_id"), "open"),
        (pl.lit(1.5).alias("event_id"), "Float64"),
        (pl.lit("30.06.2025").alias("date"), "30.06.2025"),
        (pl.lit(1.5).alias("customer_id"), "Float64"),
        (pl.lit(None, pl.String).alias("customer_id"), "without a customer"),
    ],
)
def test_values_that_do_not_fit_are_refused_and_nothing_is_written(
    archive: Archive,
    frame: pl.DataFrame,
    write: Callable[[pl.DataFrame], Path],
    values: pl.Expr,
    message: str,
) -> None:
    name = values.meta.output_name()
    last = pl.int_range(pl.len()) == pl.len() - 1
    given = (
        pl.when(last)
        .then(values)
        .otherwise(pl.col(name).cast(pl.select(values).dtypes[0], strict=False))
    )
    path = write(frame.with_columns(given.alias(name)))
    with pytest.raises((SchemaError, InputError), match=message):
        archive.import_parquet(path, **SPRING, data_through="2025-12-31")
    assert not Path(archive.path).exists()


def test_no_file_no_rows_and_strangers_are_said(
    archive: Archive, frame: pl.DataFrame, write: Callable[[pl.DataFrame], Path], tmp_path: Path
) -> None:
    usual: dict[str, Any] = {**SPRING, "data_through": "2025-12-31"}
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        archive.import_parquet(tmp_path / "none.parquet", **usual)
    with pytest.raises(InputError, match="has no rows"):
        archive.import_parquet(write(frame.clear()), **usual)
    with pytest.raises(InputError, match="customers who are not among"):
        archive.import_parquet(write(frame), **usual, customers=["A"])
    # None of whom it has rows is an answer as well: they have none.
    archive.import_parquet(write(frame.clear()), **usual, customers=["A"])
    assert archive.coverage().select("customer_id", "rows").collect().rows() == [("A", 0)]


def test_times_are_taken_as_utc_and_kept(
    archive: Archive, frame: pl.DataFrame, write: Callable[[pl.DataFrame], Path]
) -> None:
    at = datetime(2025, 3, 4, 5, 6, 7)  # noqa: DTZ001 - as warehouses write them
    path = write(frame.head(1).with_columns(event_time=pl.lit(at)))
    archive.import_parquet(path, **SPRING, data_through="2025-12-31")
    assert archive.scan().collect()["event_time"].to_list()[0].replace(tzinfo=None) == at
