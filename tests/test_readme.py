"""Every block of the README does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import optimove_analysis
from optimove_analysis import OptimoveClient

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [line for language, code in BLOCKS if language == "sh" for line in code.splitlines()]


def test_there_are_blocks_of_no_other_kind() -> None:
    assert PYTHON
    assert SHELL
    assert {language for language, _ in BLOCKS} == {"python", "sh"}


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.split("client = ")[1].split("(")[0])
def test_a_block_of_python_runs(code: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "OPTIMOVE_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for name in re.findall(r'"(\w+\.html)"', code):
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("line", SHELL)
def test_a_command_is_one_that_make_knows(line: str) -> None:
    command = line.split("#", maxsplit=1)[0].split()
    assert command[0] == "make"
    # What they do is too long to be done inside a test: `make test` is running, and the demo has
    # a test of its own (test_cli.py).
    subprocess.run(["make", "--dry-run", *command[1:]], cwd=ROOT, check=True, capture_output=True)


def test_links_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_calls_of_the_table_run(tmp_path: Path) -> None:
    table = [line for line in TEXT.splitlines() if line.startswith("| ")]
    calls = [call for line in table for call in re.findall(r"`([\w.]+\(.*?\))`", line)]
    assert len(calls) >= 6
    interactions = pl.read_parquet(ROOT / "data/interactions.parquet").head(2000)
    with OptimoveClient.sandbox(cache_dir=tmp_path) as client:
        names = {
            "pl": pl,
            **{name: getattr(optimove_analysis, name) for name in optimove_analysis.__all__},
            "interactions": interactions.with_columns(segment=pl.lit("mine")),
            "client": client,
            "start": "2025-01-01",
            "end": "2025-12-31",
        }
        for call in calls:
            assert eval(call, names) is not None  # noqa: S307 - our own README
