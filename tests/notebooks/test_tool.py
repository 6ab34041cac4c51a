"""The tool that keeps what notebooks show: what it keeps, and what it takes for stale."""

from __future__ import annotations

import base64
import copy
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
import numpy as np
import pytest
import vl_convert
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image  # lifelines brings it

from optimove_analysis.commands import notebook_outputs as outputs
from optimove_analysis.commands.notebook_png import png, small_png
from optimove_analysis.errors import OptimoveAnalysisError
from optimove_analysis.report.kernel import CHART

CELLS = """
import altair as alt, os, polars as pl, sys
alt.renderers.enable("jupyter", offline=True)
pl.DataFrame({"channel": ["E-mail"], "key": [os.environ.get("OPTIMOVE_API_KEY")]})
---
alt.Chart(pl.DataFrame({"x": [1, 2]})).mark_bar().encode(x="x").properties(description="Two bars.")
---
from tqdm.auto import tqdm
print(sum(tqdm([1, 2])))
"""


def spec_of(values: list[float], name: str = "data-" + 32 * "a", **more: Any) -> dict[str, Any]:
    rows = [{"x": value} for value in values]
    return {"data": {"name": name}, "mark": "bar", "datasets": {name: rows}, **more}


def a_notebook(*shown: NotebookNode) -> NotebookNode:
    made: NotebookNode = new_notebook(
        cells=[new_code_cell("...", outputs=list(shown), execution_count=1)]
    )
    return made


def a_chart(spec: dict[str, Any]) -> NotebookNode:
    data = {CHART: spec, "text/plain": spec.get("description", "")}
    made: NotebookNode = new_output("execute_result", data, execution_count=1)
    return made


def tool(*arguments: str | Path, key: str = "secret") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "optimove_analysis", "notebooks", *arguments],
        env={**os.environ, "OPTIMOVE_API_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notebooks") / "one.ipynb"
    cells = [new_markdown_cell("# One"), *map(new_code_cell, CELLS.strip().split("\n---\n"))]
    nbformat.write(new_notebook(cells=cells, metadata={"title": "One"}), path)
    done = tool(path)
    assert done.returncode == 0, done.stderr
    return path


def test_a_chart_is_kept_as_a_picture_and_nothing_that_needs_a_kernel(written: Path) -> None:
    notebook = nbformat.read(written, as_version=4)
    table, chart, told = (cell.outputs for cell in notebook.cells[1:])
    assert [set(output.data) for output in table + chart] == [
        {"text/html", "text/plain"},
        {"image/png", "text/plain"},
    ]
    assert chart[0].metadata["image/png"] == {"alt": "Two bars."}
    assert [output.get("text") for output in told] == ["3\n"]  # and no progress bar
    assert notebook.metadata == {"title": "One"}
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2, 3]


def test_nothing_of_the_account_that_the_environment_names_is_kept(written: Path) -> None:
    assert "secret" not in written.read_text("utf-8")


def test_a_notebook_that_was_changed_is_stale_and_told_how_to_be_renewed(
    written: Path, tmp_path: Path
) -> None:
    notebook = nbformat.read(written, as_version=4)
    notebook.cells[2].source = notebook.cells[2].source.replace("[1, 2]", "[1, 3]")
    changed = tmp_path / "changed.ipynb"
    nbformat.write(notebook, changed)
    before = changed.read_bytes()
    done = tool("--check", changed)
    assert done.returncode == 1
    assert "make notebooks" in done.stderr
    assert "code cell 2" in done.stderr
    assert "code cell 1" not in done.stderr
    assert changed.read_bytes() == before


def test_a_chart_is_the_same_whatever_its_data_is_called_and_its_last_digits_are() -> None:
    one = outputs.digest(spec_of([0.1, 2.0]))
    assert outputs.digest(spec_of([0.1 + 1e-14, 2.0], name="data-" + 32 * "b")) == one
    assert outputs.digest(spec_of([0.1, 2.0], **{"$schema": "https://another"})) == one


def test_a_chart_is_another_if_a_number_or_a_mark_is() -> None:
    marks = [spec_of([0.1]), spec_of([0.1001]), {**spec_of([0.1]), "mark": "point"}]
    assert len({outputs.digest(spec) for spec in marks}) == 3


def test_two_sets_of_data_that_changed_places_make_another_chart() -> None:
    first, second = ("data-" + 32 * letter for letter in "ab")
    layers = {"layer": [{"data": {"name": first}}, {"data": {"name": second}}]}
    there = {**layers, "datasets": {first: [{"x": 1}], second: [{"x": 2}]}}
    swapped = {**layers, "datasets": {first: [{"x": 2}], second: [{"x": 1}]}}
    assert outputs.digest(there) != outputs.digest(swapped)


def test_a_picture_stays_as_it_is_while_its_chart_is_the_same() -> None:
    kept = a_notebook()
    outputs.keep(a_notebook(a_chart(spec_of([1.0]))), kept)
    kept.cells[0].outputs[0].data["image/png"] = "drawn with other fonts"
    for values, same in (([1.0], True), ([2.0], False)):
        made = a_notebook(a_chart(spec_of(values)))
        assert (list(outputs.differences(copy.deepcopy(made), kept)) == []) is same
        outputs.keep(made, kept)
        assert (kept.cells[0].outputs[0].data["image/png"] == "drawn with other fonts") is same


@pytest.mark.parametrize("text", ["two\n", ""])
def test_other_text_or_none_is_a_difference(text: str) -> None:
    one = a_notebook(new_output("stream", name="stdout", text="one\n"))
    other = a_notebook(*([new_output("stream", name="stdout", text=text)] if text else []))
    (found,) = outputs.differences(other, one)
    assert "-one" in found
    assert text.strip() in found


def test_a_cell_that_warns_is_refused() -> None:
    made = a_notebook(new_output("stream", name="stderr", text="DeprecationWarning: ..."))
    with pytest.raises(OptimoveAnalysisError, match=r"code cell 1 .*DeprecationWarning"):
        outputs.keep(made, a_notebook())


def test_a_small_picture_shows_what_the_large_one_does() -> None:
    spec = (
        alt.Chart(alt.InlineData([{"x": n} for n in range(9)]))
        .mark_bar()
        .encode(x="x:Q", y="x:O", color="x:N")
    )
    large = vl_convert.vegalite_to_png(spec.to_dict(), vl_version="6.1")
    small = small_png(large)
    assert len(small) < 0.5 * len(large)
    before, after = (
        np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
        for content in (large, small)
    )
    assert before.shape == after.shape
    assert np.abs(before - after).max() <= 24  # of 255, at the edge of a letter
    assert (before != after).any(axis=2).mean() < 0.01


def test_what_is_packed_in_another_way_stays_as_it_is() -> None:
    content = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(content, "PNG")
    assert small_png(content.getvalue()) == content.getvalue()


def test_a_chart_of_nothing_is_a_picture_too() -> None:
    assert base64.b64encode(png(spec_of([]))).decode().startswith("iVBORw0KGgo")
