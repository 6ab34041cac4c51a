"""Links in what people read before they have installed anything; and the checker itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.links import broken_in_html, broken_in_markdown, is_well_formed

ROOT = Path(__file__).parents[2]


def test_every_link_in_the_markdown_of_the_house_leads_somewhere() -> None:
    assert broken_in_markdown(ROOT) == []


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        (tmp_path / name).write_text("# A heading: `code`, and more\n", encoding="utf-8")
    for name in ("data", "notebooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "README.md").write_text("[up](../README.md#all)\n", encoding="utf-8")
    (tmp_path / "notebooks" / "1.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["# One\\n", "[gone](2.ipynb)"]}]}',
        encoding="utf-8",
    )
    return tmp_path


def test_a_link_to_no_file_or_to_no_heading_is_found(house: Path) -> None:
    (house / "README.md").write_text(
        "# All\n[a](CONTRIBUTING.md#a-heading-code-and-more) [b](CHANGELOG.md#b) [c](c.md)\n"
        "```\n[d](d.md)\n```\n`[e](e.md)` [f](https://example.com/f.md)\n"
        "[g](notebooks/1.ipynb#one)\n",
        encoding="utf-8",
    )
    assert broken_in_markdown(house) == [
        "README.md: CHANGELOG.md#b",
        "README.md: c.md",
        "notebooks/1.ipynb: 2.ipynb",
    ]


def test_a_link_to_no_place_in_a_page_is_found(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(
        '<p id="here"></p><a href="#here"></a><a href="#gone"></a><a href="sub/b.html#b"></a>'
        '<a href="sub/b.html#c"></a><img src="no.png"><a href="../outside.html"></a>',
        encoding="utf-8",
    )
    (tmp_path / "sub" / "b.html").write_text('<p id="b"></p><a href="../a.html"></a>')
    (tmp_path.parent / "outside.html").write_text("")
    assert broken_in_html(tmp_path) == [
        "a.html: #gone",
        "a.html: sub/b.html#c",
        "a.html: no.png",
        "a.html: ../outside.html",
    ]


@pytest.mark.parametrize(
    "address", ["https://", "https://host", "https://a.b/c)", "https://a.b/c d", "ftp://a.b", "a.b"]
)
def test_what_could_be_no_address_is_found(address: str) -> None:
    assert not is_well_formed(address)
