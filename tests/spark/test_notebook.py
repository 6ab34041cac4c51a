"""The notebook on scale, with PySpark: what is kept of it is what its cells give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark.sql", reason="PySpark is not installed here: make spark")

SCALE = Path(__file__).parents[2] / "notebooks/08_scale.ipynb"


def test_the_notebook_runs_and_what_is_kept_of_it_is_fresh() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "optimove_analysis", "notebooks", "--check", SCALE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
