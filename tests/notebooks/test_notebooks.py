"""Every notebook runs from top to bottom, on a kernel of this environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


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
