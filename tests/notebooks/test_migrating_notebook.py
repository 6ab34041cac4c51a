"""What the notebook on migrating finds is what differs, counted here in another way."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest

from optimove_analysis.client import CHANNEL_INTERACTIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """The notebook's own function."""
    notebook = nbformat.read(ROOT / "notebooks/07_migrating.ipynb", as_version=4)
    (source,) = (cell.source for cell in notebook.cells if "def unlike" in cell.source)
    names = {"pl": pl, "filled": ["customer_id", *CHANNEL_INTERACTIONS.fields.values()]}
    exec(source.split("\n\n\n")[0], names)  # noqa: S102 - our own notebook
    return names


def test_rows_that_one_answer_has_more_often_are_found_and_counted(found: dict[str, Any]) -> None:
    rows = pl.read_parquet(ROOT / "data/interactions.parquet").head(2_000)
    null = rows.filter(pl.col("template_id").is_null()).head(1)
    assert null.height == 1
    moved = rows.slice(7, 1).with_columns(date=pl.col("date") + dt.timedelta(days=1))
    other = pl.concat([rows.slice(1), null, null, moved])

    columns = found["filled"]
    before, after = (Counter(frame.select(columns).rows()) for frame in (rows, other))
    wanted = {
        (*row, before[row], after[row]) for row in before | after if before[row] != after[row]
    }
    assert set(found["unlike"](rows, other).select(*columns, "in_old", "in_new").rows()) == wanted
    assert len(wanted) == 3


def test_equal_answers_in_another_order_do_not_differ(found: dict[str, Any]) -> None:
    rows = pl.read_parquet(ROOT / "data/interactions.parquet").head(2_000)
    assert found["unlike"](rows, rows.reverse()).is_empty()
