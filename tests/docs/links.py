"""Where links lead: within the reference, within the house's Markdown, and out of both.

``python docs/links.py dist/docs`` asks for every address outside, where there is a network.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import requests

__all__ = [
    "addresses",
    "anchors",
    "broken_in_html",
    "broken_in_markdown",
    "is_well_formed",
    "markdown_files",
]

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 20.0
UNKNOWN_TO_ALL: Final = {"127.0.0.1", "localhost", "example.com", "www.w3.org"}
"""Hosts that are examples, or names of formats: nobody is to be asked."""


@dataclass
class _Page(HTMLParser):
    """The ids and the links of a page."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if (tag, name) in {("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")}:
                self.links.append(value or "")


def _pages(folder: Path) -> dict[Path, _Page]:
    pages = {}
    for path in sorted(folder.rglob("*.html")):
        pages[path.resolve()] = page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
    return pages


def _is_outside(link: str) -> bool:
    return bool(urlsplit(link).scheme)


def broken_in_html(folder: Path) -> list[str]:
    """Return the links of the pages in a folder that lead to no file, or to no place in one."""
    pages, broken = _pages(folder), []
    for path, page in pages.items():
        for link in filter(lambda link: not _is_outside(link), page.links):
            file, _, anchor = link.partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            in_there = not anchor or (target in pages and unquote(anchor) in pages[target].ids)
            if not target.is_file() or not in_there or not target.is_relative_to(folder.resolve()):
                broken.append(f"{path.relative_to(folder.resolve())}: {link}")
    return broken


def markdown_files(root: Path) -> list[Path]:
    """Return what people read in Markdown: the house's files, and the notebooks."""
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")
    return [*(root / name for name in names), *sorted((root / "notebooks").glob("*.ipynb"))]


def _markdown(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(it["source"]) for it in cells if it["cell_type"] == "markdown")
    return re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(markdown: str) -> set[str]:
    """Return the places in a text that can be linked to: its headings, as code hosts name them.

    >>> sorted(anchors(chr(10).join(["# What `it` is, in short", "## Limits", "## Limits"])))
    ['limits', 'limits-1', 'what-it-is-in-short']
    """
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", markdown, flags=re.MULTILINE):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def _links(markdown: str) -> Iterator[str]:
    plain = re.sub(r"(`+)[^`]+\1", "", markdown)
    yield from re.findall(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)", plain)
    yield from re.findall(r"^\[[^\]]+\]: +<?(\S+?)>?$", plain, flags=re.MULTILINE)
    yield from re.findall(r"<(https?://[^>\s]+)>", plain)


def broken_in_markdown(root: Path) -> list[str]:
    """Return the links of the house's Markdown that lead to no file, or to no heading in one."""
    broken = []
    for path in markdown_files(root):
        for link in filter(lambda link: not _is_outside(link), _links(_markdown(path))):
            file, _, anchor = link.partition("#")
            target = path.parent / unquote(file) if file else path
            in_there = not anchor or (
                target.suffix in {".md", ".ipynb"} and anchor in anchors(_markdown(target))
            )
            if not target.exists() or not in_there:
                broken.append(f"{path.relative_to(root)}: {link}")
    return broken


def addresses(folder: Path, root: Path) -> list[str]:
    """Return every address outside that the reference or the house's Markdown links to."""
    links = [link for page in _pages(folder).values() for link in page.links]
    links += [link for path in markdown_files(root) for link in _links(_markdown(path))]
    return sorted({link for link in links if _is_outside(link) and not link.startswith("data:")})


def is_well_formed(address: str) -> bool:
    """Say whether an address could be one: https, a host, no space, no bracket left over.

    >>> is_well_formed("https://pola.rs"), is_well_formed("https://pola.rs).")
    (True, False)
    """
    parts = urlsplit(address)
    ends_well = not re.search(r"[\s<>\"'`]|[.,;:)\]]$", address)
    return parts.scheme in {"http", "https"} and "." in (parts.hostname or "") and ends_well


def _trouble(address: str) -> str:
    try:
        with requests.get(address, timeout=SECONDS, stream=True) as answer:
            return "" if answer.ok else f"{answer.status_code} {answer.reason}"
    except requests.RequestException as error:
        return type(error).__name__


def _main(folder: Path) -> int:
    asked = [it for it in addresses(folder, ROOT) if urlsplit(it).hostname not in UNKNOWN_TO_ALL]
    with ThreadPoolExecutor(8) as pool:
        troubles = list(zip(asked, pool.map(_trouble, asked), strict=True))
    bad = [(address, trouble) for address, trouble in troubles if trouble]
    for address, trouble in bad:
        print(f"{trouble}: {address}")  # noqa: T201 - a command line prints
    print(f"{len(asked) - len(bad)} of {len(asked)} addresses answer.")  # noqa: T201
    return min(len(bad), 1)


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
