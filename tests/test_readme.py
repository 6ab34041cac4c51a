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
MAKE = [line for line in SHELL if line.startswith("make ")]
COMMANDS = [line for line in SHELL if line.startswith("optimove-analysis ")]


def test_there_are_blocks_of_no_other_kind() -> None:
    assert PYTHON
    assert MAKE
    assert COMMANDS
    assert len(SHELL) == len(MAKE) + len(COMMANDS)
    assert {language for language, _ in BLOCKS} == {"python", "sh"}


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
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


@pytest.mark.parametrize("line", MAKE)
def test_a_command_is_one_that_make_knows(line: str) -> None:
    command = line.split("#", maxsplit=1)[0].split()
    # What they do is too long to be done inside a test: `make test` is running, and the demo has
    # a test of its own (test_cli.py).
    subprocess.run(["make", "--dry-run", *command[1:]], cwd=ROOT, check=True, capture_output=True)


def test_the_commands_run_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("customer_id\n000001\n841231\n")
    places = {f"OPTIMOVE_{name}": str(tmp_path / name) for name in ("CACHE", "STATE")}
    said = {}
    for line in COMMANDS:
        run = subprocess.run(
            [sys.executable, "-m", *line.split("#", maxsplit=1)[0].replace("-", "_", 1).split()],
            cwd=tmp_path,
            env={**os.environ, **places, "OPTIMOVE_INSTANCE": "sandbox"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{line}: {run.stderr}"
        said[line] = run.stdout
    assert pl.read_parquet(tmp_path / "interactions.parquet")["customer_id"].n_unique() == 2
    assert (tmp_path / "study.oma").stat().st_size > 0
    assert all(said.values())


def test_links_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_calls_of_the_table_run(tmp_path: Path) -> None:
    table = [line for line in TEXT.splitlines() if line.startswith("| ")]
    calls = [call for line in table for call in re.findall(r"`([\w.]+\(.*?\))`", line)]
    assert len(calls) >= 27
    interactions = pl.read_parquet(ROOT / "data/interactions.parquet").head(2000)
    with OptimoveClient.sandbox(cache_dir=tmp_path) as client:
        names = {
            "pl": pl,
            **{name: getattr(optimove_analysis, name) for name in optimove_analysis.__all__},
            "interactions": interactions.with_columns(segment=pl.lit("mine")),
            "client": client,
            "start": "2025-01-01",
            "end": "2025-12-31",
            "steps": {"opened": {"event": "opened"}, "clicked": {"event": "clicked"}},
        }
        for call in calls:
            assert eval(call, names) is not None  # noqa: S307 - our own README
