"""A frame into a file, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from optimove_analysis.commands.output import write_frame
from optimove_analysis.errors import OptimoveAnalysisError

FRAME = pl.DataFrame({"customer_id": ["007", "008"], "n": [1, None]})


@pytest.mark.parametrize(
    ("ending", "read"),
    [
        (".parquet", pl.read_parquet),
        (".arrow", pl.read_ipc),
        (".ipc", pl.read_ipc),
        (".ndjson", pl.read_ndjson),
        (".JSONL", pl.read_ndjson),
        (".csv", lambda path: pl.read_csv(path, schema=FRAME.schema)),
    ],
)
def test_a_frame_is_read_back_as_it_was(
    ending: str, read: Callable[[Path], pl.DataFrame], tmp_path: Path
) -> None:
    path = tmp_path / f"out{ending}"
    write_frame(FRAME, path)
    assert read(path).equals(FRAME)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_frame_that_cannot_be_written_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("of yesterday")
    with pytest.raises(OptimoveAnalysisError, match=r"out\.csv cannot be written"):
        write_frame(pl.DataFrame({"nested": [[1, 2]]}), path)
    assert path.read_text() == "of yesterday"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")
def test_a_link_leads_on_and_the_mode_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("of yesterday")
    real.chmod(0o640)
    link.symlink_to(real)
    write_frame(FRAME, link)
    assert link.is_symlink()
    assert real.read_text().startswith("customer_id,n\n")
    assert real.stat().st_mode & 0o777 == 0o640
