"""Every notebook runs from top to bottom, and what is kept of it is what its cells give."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import polars as pl
import pytest

from optimove_analysis import channel_mix, funnel
from optimove_analysis.commands.notebook_outputs import differences

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SCALE = ROOT / "notebooks/08_scale.ipynb"
"""What is kept of it is of a run with PySpark: tests/spark holds it against a fresh one."""


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def of(path: Path, identity: str) -> str:
    """Return all that a cell shows as text."""
    (cell,) = (cell for cell in nbformat.read(path, as_version=4).cells if cell.id == identity)
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if path != SCALE], ids=lambda path: path.stem
)
def test_a_notebook_runs_and_what_is_kept_of_it_is_fresh(path: Path) -> None:
    # A process of its own: what the kernel's client leaves open is not ours.
    run = subprocess.run(
        [sys.executable, "-m", "optimove_analysis", "notebooks", "--check", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_shows_what_is_kept(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    outputs = [output for cell in cells for output in cell.outputs]
    shown = [output.data for output in outputs if output.output_type != "stream"]
    assert {kind for data in shown for kind in data} <= {
        "image/png",
        "text/html",
        "text/markdown",
        "text/plain",
    }
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures or [data for data in shown if "text/html" in data]
    assert all(len(output.metadata["image/png"]["alt"]) > 40 for output in pictures)
    assert {output.name for output in outputs if output.output_type == "stream"} <= {"stdout"}
    assert path.stat().st_size < 700_000


def test_the_notebooks_are_one_course() -> None:
    # The fifth is served as a page, where no link leads on.
    links = {
        path.name: set(re.findall(r"\]\((\w+\.ipynb)\)", path.read_text())) for path in NOTEBOOKS
    }
    assert set().union(*links.values()) <= set(links)
    first, *rest = links
    assert links[first] >= set(rest)
    for before, after in itertools.pairwise(links):
        assert after in links[before] or before == "05_investigate.ipynb"


@pytest.mark.skipif(find_spec("pyspark") is not None, reason="PySpark is here: see tests/spark")
def test_without_pyspark_the_notebook_on_scale_says_so_and_goes_on(tmp_path: Path) -> None:
    here = tmp_path / SCALE.name
    shutil.copy(SCALE, here)
    run = subprocess.run(
        [sys.executable, "-m", "optimove_analysis", "notebooks", here],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    told, with_it = (of(path, "engines").splitlines() for path in (here, SCALE))
    (line, engines) = told
    assert line.startswith("PySpark is not here, and is left out: pip install ")
    assert engines == "We ask polars, DuckDB."
    assert with_it == ["We ask polars, DuckDB, PySpark."]
    # All else is the same: the columns of one engine are missing.
    kept, made = (nbformat.read(path, as_version=4) for path in (SCALE, here))
    others = {line.split("(")[1].split(")")[0] for line in differences(made, kept)}
    assert others == {"engines", "funnel-on-each", "mix-on-each", "equal"}


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
