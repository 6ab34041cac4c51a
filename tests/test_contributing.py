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

from optimove_analysis.client.endpoints import SETTLE_AFTER
from optimove_analysis.client.settings import QUOTA

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


def table_under(first: str) -> dict[str, list[str]]:
    """Return the rows of a table whose first heading is this one, by their first cells."""
    lines = PROSE[PROSE.index(f"| {first} |") :].partition("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: cells for name, *cells in rows}


def numbers(cells: list[str]) -> list[float]:
    return [float(cell.replace(",", "")) for cell in cells]


def test_the_plan_is_the_quota_and_what_was_measured_times_the_customers() -> None:
    measured = {name: cells[0] for name, cells in table_under("of one customer's year").items()}
    plan = table_under("a year of so many customers")
    customers = numbers(plan.pop("a year of so many customers"))
    limit, seconds = QUOTA
    day = 24 * 60 * 60
    # What one customer adds to each row.
    each = {
        "**customer by customer**: requests, a round": float(measured["requests, the first time"]),
        f"days at {limit} requests in {seconds:.0f} s": seconds / limit / day,
        "days at 2,000 requests in an hour": 1 / 2_000 / 24,
        "requests in 10 s for a round in a night of 8 hours": 10 / (8 * 60 * 60),
        "requests in 10 s for a round in 30 days": 10 / (30 * day),
        "**kept**: million rows": float(measured["rows"]) / 1e6,
        "GB on the wire and in the HTTP cache": (
            float(measured["kB on the wire and in the HTTP cache"]) / 1e6
        ),
        "GB in the archive": float(measured["kB in the archive"]) / 1e6,
    }
    hours = {
        "hours to import it": "ms to import it from an export",
        "hours to write it to an archive": "ms to write it to an archive",
        "hours of the funnel": "ms of the funnel, over the archive",
    }
    each |= {row: float(measured[name]) / 1e3 / 60 / 60 for row, name in hours.items()}
    fixed = {"**campaign by campaign**: requests, at least", "**an export**: requests", "---"}
    assert set(plan) == set(each) | fixed
    for row, one in each.items():
        for said, many in zip(numbers(plan[row]), customers, strict=True):
            assert said == pytest.approx(one * many, rel=0.05), row


def test_where_a_route_ends_is_how_many_the_quota_lets_through() -> None:
    limit, seconds = QUOTA
    hour = limit / seconds * 60 * 60
    ends = list(table_under("customers"))[2:-1]
    found = [float(re.sub(r"\D", "", end)) * (1e6 if "million" in end else 1) for end in ends]
    # An hour or so, a night, a day, a week, and until an answer settles.
    spans = [1, 8, 24, 7 * 24, SETTLE_AFTER.days * 24]
    assert found == pytest.approx([hour * span for span in spans], rel=0.12)
    assert "**100 million customers are 231 days at the quota" in PROSE
    assert round(100e6 / hour / 24) == 231
