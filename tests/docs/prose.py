"""The house's own pages, in Markdown, as pages of the reference; the README is the front page."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pdoc.render
from markupsafe import Markup
from pdoc import doc
from pdoc.render_helpers import to_html

__all__ = ["PROSE", "Page", "write_prose"]


@dataclass(frozen=True)
class Page:
    """A file in Markdown and what becomes of it."""

    file: str
    address: str
    title: str


PROSE: Final = (
    Page("README.md", "index.html", "Read me"),
    Page("CHANGELOG.md", "changelog.html", "Changes"),
    Page("CONTRIBUTING.md", "contributing.html", "Contributing"),
    Page("data/README.md", "data/index.html", "Data dictionary"),
)

_ADDRESS: Final = re.compile(r'(href|src)="(?![a-z]+:)([^"#]+)(#[^"]*)?"')


def write_prose(root: Path, folder: Path, modules: Mapping[str, doc.Module]) -> None:
    """Write the pages, and beside them the files that they show or link to."""
    template = pdoc.render.env.get_template("prose.html.jinja2")
    for page in PROSE:
        html = to_html((root / page.file).read_text(encoding="utf-8"))
        toc = Markup(getattr(html, "toc_html", "") or "")  # noqa: S704 - of our own Markdown
        text = Markup(_moved(html, page, root, folder))  # noqa: S704
        path = folder / page.address
        path.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * page.address.count("/")
        shown = template.render(
            page=page, toc=toc, text=text, up=up, all_modules=modules, search=False
        )
        path.write_text(shown, encoding="utf-8")


def _moved(html: str, page: Page, root: Path, folder: Path) -> str:
    """Let links lead to where the files have come to lie."""
    address_of = {each.file: each.address for each in PROSE}

    def moved(found: re.Match[str]) -> str:
        attribute, target, anchor = found[1], found[2], found[3] or ""
        file = posixpath.normpath(posixpath.join(posixpath.dirname(page.file), target))
        if file not in address_of:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / file, folder / file)
        to = address_of.get(file, file)
        to = posixpath.relpath(to, posixpath.dirname(page.address) or ".")
        return f'{attribute}="{to}{anchor}"'

    return _ADDRESS.sub(moved, html)
