"""The README does what it says: every block and call runs, every name is there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import altair as alt
import polars as pl
import pytest

import optimove_analysis
from optimove_analysis import OptimoveClient, analysis, charts
from optimove_analysis.charts.tables import ReadableTable
from optimove_analysis.commands.parser import parser

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
NAMED = re.findall(r"`([^`\n]+)`", PROSE)
"""What stands between backticks in the text, the table's calls included."""
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [
    line
    for language, code in BLOCKS
    if language == "sh"
    for line in code.replace("\\\n", "").splitlines()
]
MAKE = [line for line in SHELL if line.startswith("make ")]
COMMANDS = [line for line in SHELL if line not in MAKE]

NO_QUESTION: Final = {"messages", "step"}
"""What the others are made with."""
NO_RESULT: Final = {"channel_colours", "save", "themed"}
"""What is done with a chart."""


def words(line: str) -> list[str]:
    return shlex.split(line, comments=True)


def test_there_are_blocks_of_no_other_kind() -> None:
    assert PYTHON
    assert MAKE
    assert COMMANDS
    known = ("export OPTIMOVE_INSTANCE=", "printf ", "optimove-analysis ")
    assert all(line.startswith(known) for line in COMMANDS)
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
    for name in re.findall(r'"([\w.]+\.(?:html|json|oma|parquet))"', code):
        assert (tmp_path / name).stat().st_size > 0


def in_make() -> list[str]:
    return [*MAKE, *(name for name in NAMED if name.startswith("make "))]


@pytest.mark.parametrize("line", in_make())
def test_a_command_is_one_that_make_knows(line: str) -> None:
    # What they do is too long to be done inside a test: `make test` is running, and the demo has
    # a test of its own (test_cli.py).
    subprocess.run(
        ["make", "--dry-run", *words(line)[1:]], cwd=ROOT, check=True, capture_output=True
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on this machine")
def test_the_commands_run_one_after_the_other(tmp_path: Path) -> None:
    places = {f"OPTIMOVE_{name}": str(tmp_path / name) for name in ("CACHE", "STATE")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-eux", "-c", "\n".join(COMMANDS)],
        cwd=tmp_path,
        env={**os.environ, **places, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert pl.read_parquet(tmp_path / "interactions.parquet")["customer_id"].n_unique() == 2
    written = [name for line in COMMANDS for name in re.findall(r"(?:-o|--out) (\S+)", line)]
    assert len(written) > 4
    for name in written:
        assert (tmp_path / name).stat().st_size > 0, name


@pytest.mark.parametrize(
    "line",
    [name for name in NAMED if name.startswith("optimove-analysis ") and name[18].islower()],
)
def test_a_command_in_the_text_is_understood(line: str) -> None:
    _, *arguments = words(line)
    if arguments == ["cache", "forget"]:  # whom, stands in the block below it
        arguments.append("841231")
    assert parser().parse_args(arguments)


def test_links_and_pictures_are_there() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in re.findall(
            r"^#+ (.*)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE
        )
    }
    targets = re.findall(r"\]\(([^)]+)\)", TEXT) + re.findall(r'src="([^"]+)"', TEXT)
    for target in targets:
        if not target.startswith("http"):
            file, _, anchor = target.partition("#")
            assert (ROOT / file).exists(), target
            assert not anchor or anchor in anchors, target


def test_names_in_the_text_are_there() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    source = "".join(path.read_text("utf-8") for path in (ROOT / "optimove_analysis").rglob("*.py"))
    with OptimoveClient("api5", api_key="not a real one") as client:
        roots = {
            "client": client,
            **{name: getattr(optimove_analysis, name) for name in optimove_analysis.__all__},
        }
        seen = 0
        for name in NAMED:
            for extra in re.findall(r"^pip install '\.\[(\w+)\]'$", name):
                assert extra in extras
            for variable in re.findall(r"^OPTIMOVE_\w+", name):
                assert f'"{variable}"' in source, variable
            path = re.match(r"(\w+)((?:\.\w+)+)(?![\w/])", name)
            is_file = name.endswith((".html", ".oma"))
            if path and path[1] in roots and not is_file:
                found: Any = roots[path[1]]
                for part in path[2][1:].split("."):
                    found = getattr(found, part)
                seen += 1
        assert seen > 30


@dataclass(frozen=True)
class Row:
    """A question, and what is run to answer it."""

    question: str
    call: str
    chart: str


def rows() -> Iterator[Row]:
    """The rows of the table of questions, without its headings."""
    _, _, table = TEXT.partition("| question | call | chart |\n")
    for line in table.partition("\n\n")[0].splitlines()[1:]:
        question, call, chart = (cell.strip() for cell in line.strip("|").split("|"))
        if not question.startswith("**"):
            (call,) = re.findall(r"`([\w.]+\(.*\))`$", call)
            yield Row(question, call, chart)


ROWS: Final = list(rows())


def test_each_question_is_in_the_table_and_each_chart() -> None:
    called = {row.call.partition("(")[0] for row in ROWS}
    asked = set(analysis.__all__) & set(optimove_analysis.__all__) - NO_QUESTION
    assert called >= asked, asked - called
    drawn = {row.chart.strip("`") for row in ROWS}
    to_draw = {f"charts.{name}" for name in set(charts.__all__) - NO_RESULT}
    assert drawn >= to_draw, to_draw - drawn


def test_the_calls_of_the_table_run_and_the_charts_take_what_they_return(tmp_path: Path) -> None:
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
        for row in ROWS:
            result = eval(row.call, names)  # noqa: S307 - our own README
            assert result is not None, row
            if not row.chart.startswith("`"):
                assert row.chart.startswith("it "), row
                continue
            names["result"] = result
            drawn = eval(f"{row.chart.strip('`')}(result)", names)  # noqa: S307 - as above
            if isinstance(drawn, alt.TopLevelMixin):
                # A chart of nothing would say so in the place of its marks.
                assert "no messages" not in str(drawn.to_dict()["description"]), row
            else:
                assert isinstance(drawn, ReadableTable), row
