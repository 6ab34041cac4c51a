"""The parameters of a template, and the values that a report puts in their place."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from optimove_analysis.errors import InputError
from optimove_analysis.report.parameters import defaults, injected

SOURCE = """\
snapshot = "study.oma"  # a file
start, end = None, "2025-12-31"
window: int = 7
today = date.today()
names = ["a", "b"]
"""


def template(source: str = SOURCE, *tags: str) -> NotebookNode:
    cell = new_code_cell(source, metadata={"tags": list(tags or ("parameters",))})
    made: NotebookNode = new_notebook(cells=[new_code_cell("1"), cell, new_code_cell("window")])
    return made


def test_defaults_are_those_of_the_tagged_cell_in_its_order() -> None:
    assert defaults(template(), "mine") == {
        "snapshot": "study.oma",
        "start": None,
        "end": "2025-12-31",
        "window": 7,
        "today": "date.today()",
        "names": ["a", "b"],
    }


def test_values_come_in_a_cell_after_it_as_python_reads_them() -> None:
    notebook = template()
    given: dict[str, Any] = {
        "window": 14,
        "start": dt.date(2025, 1, 1),
        "names": ("it's", 'a "b"\n'),
        "snapshot": "a'b.oma",
    }
    held = injected(notebook, "mine", given)
    cell = notebook.cells[2]
    assert cell.metadata["tags"] == ["injected-parameters"]
    known: dict[str, Any] = {}
    exec(cell.source, known)  # noqa: S102 - it is to be run
    wanted = {
        "window": 14,
        "start": "2025-01-01",
        "names": ["it's", 'a "b"\n'],
        "snapshot": "a'b.oma",
    }
    assert {name: known[name] for name in wanted} == wanted
    assert {name: held[name] for name in wanted} == wanted
    assert held["end"] == "2025-12-31"


def test_a_notebook_is_as_it_was_where_nothing_is_given() -> None:
    notebook = template()
    injected(notebook, "mine", {})
    assert len(notebook.cells) == 3


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(InputError, match=r"has no parameter 'windw'; did you mean 'window'"):
        injected(template(), "mine", {"windw": 3})
    with pytest.raises(InputError, match="must be text, a finite number"):
        injected(template(), "mine", {"window": object()})
    with pytest.raises(InputError, match="has no cell with the tag 'parameters'"):
        defaults(template(SOURCE, "other"), "mine")
    with pytest.raises(InputError, match="is no Python"):
        defaults(template("start ="), "mine")


class Opens(str, Enum):  # noqa: UP042 - as many an older program has it
    IGNORE = "ignore"


def test_values_of_other_libraries_are_written_as_what_is_within_them() -> None:
    notebook = template()
    given: dict[str, Any] = {
        "window": np.float64(0.5),
        "start": dt.datetime(2025, 1, 1, 12),  # noqa: DTZ001 - a day is meant
        "end": Opens.IGNORE,
        "snapshot": Path("a") / "b.oma",
    }
    injected(notebook, "mine", given)
    assert notebook.cells[2].source.splitlines() == [
        "window = 0.5",
        "start = '2025-01-01T12:00:00'",
        "end = 'ignore'",
        "snapshot = 'a/b.oma'",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")], "\udcff.oma"])
def test_what_no_cell_can_hold_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="must be text, a finite number"):
        injected(template(), "mine", {"window": value})


def test_the_values_of_an_earlier_run_are_replaced() -> None:
    notebook = template()
    injected(notebook, "mine", {"window": 14})
    injected(notebook, "mine", {"window": 3})
    assert [cell.source for cell in notebook.cells] == ["1", SOURCE, "window = 3", "window"]
