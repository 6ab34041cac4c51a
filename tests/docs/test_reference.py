"""The reference, built from the docstrings: whole, linked, and nobody's machine is in it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("pdoc")

from docs.links import addresses, broken_in_html, is_well_formed
from docs.reference import ROOMS, build

from optimove_analysis import schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(once: Callable[..., Path]) -> Path:
    return once("reference", build)


def page(folder: Path, room: str) -> str:
    return (folder / f"{room.replace('.', '/')}.html").read_text(encoding="utf-8")


def entry(folder: Path, room: str, name: str) -> str:
    """Return what a page says of a name, as text."""
    found = re.search(
        rf'<(section|div) id="{re.escape(name)}".*?</\1>', page(folder, room), flags=re.DOTALL
    )
    assert found, f"{room} has no entry of {name}"
    return text(found[0])


def text(html: str) -> str:
    said: list[str] = []
    parser = HTMLParser()
    parser.handle_data = said.append  # type: ignore[assignment,method-assign]
    parser.feed(html)
    return re.sub(r"\s+", " ", "".join(said))


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_place_on_the_page_of_its_room(folder: Path, room: str) -> None:
    module = importlib.import_module(room)
    rooms = {name.rpartition(".")[2] for name in ROOMS}
    there = set(re.findall(r' id="([^"]+)"', page(folder, room)))
    assert set(module.__all__) - there - rooms == set()


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_explained(folder: Path, room: str) -> None:
    rows = re.findall(
        r'<a href="[^"]*#(\w+)"><code>\1</code></a></td>\s*<td>(.*?)</td>',
        page(folder, room),
        flags=re.DOTALL,
    )
    assert len(rows) > 1
    assert [name for name, said in rows if not text(said).strip()] == []


def test_only_rooms_have_a_page(folder: Path) -> None:
    pages = {str(path.relative_to(folder)) for path in folder.rglob("*.html")}
    prose = {"index.html", "changelog.html", "contributing.html", "data/index.html"}
    assert pages == prose | {f"{room.replace('.', '/')}.html" for room in ROOMS}


def test_every_link_and_anchor_within_leads_somewhere(folder: Path) -> None:
    assert broken_in_html(folder) == []


def test_addresses_outside_could_be_addresses(folder: Path) -> None:
    outside = addresses(folder, ROOT)
    assert "https://www.optimove.com" in outside
    assert [address for address in outside if not is_well_formed(address)] == []


def test_no_page_tells_where_it_was_made(folder: Path) -> None:
    traces = (str(ROOT), str(Path.home()), str(folder), " at 0x", "site-packages", "ForwardRef")
    for path in [*folder.rglob("*.html"), folder / "search.js"]:
        said = path.read_text(encoding="utf-8")
        assert [trace for trace in traces if trace in said] == [], path.name


def test_a_signature_reads_as_in_the_source(folder: Path) -> None:
    said = entry(folder, "optimove_analysis", "funnel")
    assert "by: str | pl.Expr | Sequence[str | pl.Expr] = 'channel_id'" in said
    assert "opens: Literal['trust', 'ignore'] = 'trust'" in said
    assert "catalogue: Catalogue | None = None" in said
    assert ") -> pl.DataFrame" in said
    assert "any_engine" not in said


def test_a_docstring_is_shown_with_its_parts_and_its_example(folder: Path) -> None:
    said = entry(folder, "optimove_analysis", "funnel")
    for part in ("Arguments:", "Returns:", "Raises:", "SchemaError:", ">>> funnel(frame)"):
        assert part in said


def test_each_of_several_errors_leads_to_its_page(folder: Path) -> None:
    html = page(folder, "optimove_analysis.client")
    for name in ("SchemaError", "ResponseError"):
        assert f'<a href="errors.html#{name}">{name}</a>' in html


def test_no_word_of_another_packages_constructor_is_taken_for_ours(folder: Path) -> None:
    said = entry(folder, "optimove_analysis.forms", "AudienceForm")
    assert "Public constructor" not in said
    assert "view: ViewT | None" in said


def test_a_client_has_what_it_has_of_classes_that_are_not_shown(folder: Path) -> None:
    there = page(folder, "optimove_analysis.client")
    for name in ("sandbox", "replay", "snapshot", "close", "interactions"):
        assert f'id="OptimoveClient.{name}"' in there


def test_a_table_shows_its_columns_in_order(folder: Path) -> None:
    html = page(folder, "optimove_analysis.schema")
    names = [name for name in schema.__all__ if isinstance(getattr(schema, name), schema.Table)]
    assert len(names) == len(schema.TABLES)
    for name in names:
        section = re.search(rf'<section id="{name}">.*?</section>', html, flags=re.DOTALL)
        assert section
        table: schema.Table = getattr(schema, name)
        columns = re.findall(r"<tr>\s*<td><code>(\w+)</code></td>", section[0])
        assert columns == list(pl.DataFrame(schema=table.schema).columns)


def test_the_readme_is_the_front_page_and_has_its_pictures(folder: Path) -> None:
    front = (folder / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="([^"]+)"', front)
    assert pictures
    for picture in pictures:
        assert (folder / picture).read_bytes() == (ROOT / picture).read_bytes()
