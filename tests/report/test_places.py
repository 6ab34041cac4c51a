"""Where a report may go: found out before it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from optimove_analysis import report
from optimove_analysis.errors import InputError


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    cell = new_code_cell("snapshot = 'x'", metadata={"tags": ["parameters"]})
    path = tmp_path / "mine.ipynb"
    nbformat.write(new_notebook(cells=[cell]), path)
    return path


@pytest.mark.parametrize(
    ("out", "more", "said"),
    [
        ("mine.html", {"notebook": True}, "mine.ipynb is what the report is made of"),
        ("study.html", {}, "study.html is what the report is made of"),
        ("folder.html", {}, "folder.html is a folder"),
        ("other.html", {"notebook": True}, "other.ipynb is a folder"),
        ("study.html/r.html", {}, "study.html is no folder that takes files"),
    ],
)
def test_a_report_takes_the_place_of_nothing_it_is_made_of(
    mine: Path, tmp_path: Path, out: str, more: dict[str, Any], said: str
) -> None:
    study = tmp_path / "study.html"
    study.write_bytes(b"somebody's only copy")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "other.ipynb").mkdir()
    before = mine.read_bytes()
    with pytest.raises(InputError, match=said):
        report.build(mine, tmp_path / out, snapshot=study, **more)
    assert (mine.read_bytes(), study.read_bytes()) == (before, b"somebody's only copy")
