"""Every notebook runs from top to bottom, on a kernel of this environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import polars as pl
import pytest

from optimove_analysis import channel_mix, funnel

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    done = tmp_path / path.name
    # A process of its own, as a reader has: what the kernel's client leaves open is not ours.
    run = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", "--timeout=180", f"--output={done}", path],
        env={**os.environ, "OPTIMOVE_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]

    notebook = nbformat.read(done, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert all(cell.execution_count for cell in cells)
    said = [output.text for output in outputs if output.output_type == "stream"]
    assert not [text for text in said if "Warning" in text]
    widgets = [
        o for o in outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})
    ]
    assert widgets, "a notebook shows at least one chart or form"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_the_form_can_be_used_after_all_cells_have_run() -> None:
    # "Run All Cells" would otherwise close the client before the reader comes to press Run.
    cells = nbformat.read(ROOT / "notebooks/01_quickstart.ipynb", as_version=4).cells
    assert not [cell for cell in cells if cell.cell_type == "code" and ".close()" in cell.source]


def test_the_quickstart_tells_what_its_pictures_show() -> None:
    # The same 200 customers and the same year, kept as a file.
    interactions = pl.read_parquet(ROOT / "data/interactions.parquet")
    seen = pl.col("n_implied") > 0.01 * pl.col("messages")
    assert funnel(interactions).filter(seen).is_empty()

    trusted, ignored = channel_mix(interactions), channel_mix(interactions, opens="ignore")
    more, par = pl.col("index_lo") > 1, pl.lit(1).is_between("index_lo", "index_hi")
    assert trusted.filter(pl.col("index") > 1)["channel"].to_list() == ["E-mail"]
    assert set(ignored.filter(more)["channel"]) == {"In-app", "SMS"}
    assert "E-mail" in ignored.filter(par)["channel"]
