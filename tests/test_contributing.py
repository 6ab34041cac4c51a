"""CONTRIBUTING speaks of the house as it is: its files, and where its worked examples go."""

from __future__ import annotations

import ast
import re
import subprocess
import textwrap
from pathlib import Path
from subprocess import DEVNULL
from typing import Final

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
DIFFS = [code for language, code in BLOCKS if language == "diff"]
PYTHON = [code for language, code in BLOCKS if language == "python"]
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)

INVENTED: Final = {
    "analysis/contacts.py",
    "charts/contacts.py",
    "schema/contact_tables.py",
    "tests/analysis/test_contacts.py",
}
"""The files that the examples would add."""


def test_there_are_blocks_of_no_other_kind() -> None:
    assert {language for language, _ in BLOCKS} == {"diff", "python"}
    assert len(DIFFS) > 8
    assert len(PYTHON) > 4


@pytest.mark.parametrize("code", DIFFS, ids=range(len(DIFFS)))
def test_an_example_can_be_put_where_it_says(code: str) -> None:
    name, *lines = code.splitlines()
    there = (ROOT / name).read_text(encoding="utf-8")
    assert any(line.startswith("+") for line in lines)
    place = 0
    for hunk in "\n".join(lines).split("\n...\n"):
        known = [line[1:] for line in hunk.splitlines() if line[:1] in (" ", "-")]
        assert known
        # What is there stands together, whatever is put between.
        place = there.index("\n".join(known) + "\n", place)


@pytest.mark.parametrize("code", [*DIFFS, *PYTHON], ids=range(len(DIFFS) + len(PYTHON)))
def test_what_an_example_adds_is_python(code: str) -> None:
    added = [line[1:] for line in code.splitlines() if line.startswith("+")]
    if code in PYTHON:
        added = code.splitlines()
        ast.parse(textwrap.dedent("\n".join(added)))
    assert all(len(line) <= 100 for line in added)


def test_links_lead_to_headings() -> None:
    headings = re.findall(r"^#+ (.*)", PROSE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
    links = re.findall(r"\]\(#([^)]+)\)", PROSE)
    assert len(links) > 8
    assert set(links) <= anchors


def test_commands_are_ones_that_make_knows() -> None:
    for command in set(re.findall(r"`make ([^`]+)`", PROSE)):
        subprocess.run(
            ["make", "--dry-run", *command.split()], cwd=ROOT, check=True, stdout=DEVNULL
        )


def test_files_that_are_named_are_there() -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for room in ("optimove_analysis", "tests", "notebooks", "data")
        for path in (ROOT / room).rglob("*.*")
    }
    named = set(re.findall(r"`([\w/.]+\.(?:py|ipynb|md|toml|js))`", PROSE)) - INVENTED
    assert len(named) > 60
    top = {"pyproject.toml", "CHANGELOG.md", "README.md"}
    for name in named - top:
        assert any(f"/{file}".endswith(f"/{name}") for file in files), name
