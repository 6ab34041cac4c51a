"""An archive in folders as people call them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from optimove_analysis import Archive, funnel
from optimove_analysis.errors import InputError
from optimove_analysis.schema import INTERACTIONS

SAMPLE: Final = Path(__file__).parents[2] / "data/interactions.parquet"
YEAR: Final[Any] = {"start": "2025-01-01", "end": "2025-12-31", "data_through": "2026-01-31"}


def rows_of(interactions: Archive | pl.DataFrame) -> pl.DataFrame:
    if isinstance(interactions, Archive):
        interactions = interactions.scan().collect()
    kept = [name for name in INTERACTIONS.names if name != "data_through"]
    return interactions.select(kept).sort(pl.all())


@pytest.mark.parametrize("name", ["Anna Smith", "50%", "José", "客户", "{a}", "x^2|", "who?", "#1"])
def test_an_archive_may_lie_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    sample = pl.read_parquet(SAMPLE)
    ids = sample["customer_id"].unique().sort().to_list()[:8]
    archive = Archive(tmp_path / name / "archive", buckets=2)
    versions = []
    for number in range(2):
        half = pl.col("customer_id").is_in(ids[number::2])
        sample.filter(half).write_parquet(tmp_path / "half.parquet")
        archive.import_parquet(tmp_path / "half.parquet", **YEAR)
        versions.append(archive.version)
    assert_frame_equal(rows_of(archive), rows_of(sample.filter(pl.col("customer_id").is_in(ids))))
    first = archive.as_of(versions[0])
    assert set(rows_of(first)["customer_id"]) == set(ids[::2])
    assert all(Path(file).exists() for file in archive.files())
    if name not in ("{a}", "who?"):  # which DuckDB takes for patterns
        there = funnel(duckdb.read_parquet(archive.files()))
        assert_frame_equal(there, funnel(archive.scan()).collect(), rel_tol=1e-12)
    assert archive.forget(ids[0]) == sample.filter(customer_id=ids[0]).height
    assert archive.compact().customers == 7
    assert sorted(rows_of(archive)["customer_id"].unique()) == ids[1:]
    # Nothing was made elsewhere, in a folder of nearly that name.
    assert {path.name for path in tmp_path.iterdir()} == {name, "half.parquet"}


@pytest.mark.parametrize("name", ["a%20b", "a=b"])
def test_a_folder_that_readers_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be used, since Delta Lake"):
        Archive(tmp_path / name)
