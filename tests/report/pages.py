"""Notebooks that have run, made by hand, and pages taken apart as a browser does."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import altair as alt
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from optimove_analysis.report.figure import Figure
from optimove_analysis.report.kernel import CHART
from optimove_analysis.report.page import page

EVIL = "</script><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
VOID = {"meta", "img", "br", "link", "input", "hr"}


def notebook_of(*shown: Any) -> NotebookNode:
    """Return a notebook whose cells have shown these; a text is a cell of prose."""
    cells = []
    for number, one in enumerate(shown):
        if isinstance(one, str):
            cells.append(new_markdown_cell(one, id=f"prose-{number}"))
            continue
        data, metadata = _bundle(one)
        output = new_output(
            "execute_result", data=data, metadata=metadata, execution_count=number + 1
        )
        cells.append(new_code_cell("shown", id=f"code-{number}", outputs=[output]))
    made: NotebookNode = new_notebook(cells=cells)
    return made


def _bundle(one: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if isinstance(one, Mapping):
        return dict(one), {}
    if isinstance(one, Figure):
        narrow = {"narrow": one.narrow.to_dict()}
        return {CHART: one.chart.to_dict(), "text/plain": "chart"}, {CHART: narrow}
    if isinstance(one, alt.TopLevelMixin):
        return {CHART: one.to_dict(), "text/plain": "chart"}, {}
    return {"text/html": one._repr_html_(), "text/plain": repr(one)}, {}


def written(path: Path, *shown: Any) -> Path:
    """Write the page of what cells have shown."""
    path.write_text(page(notebook_of(*shown), "by hand"), encoding="utf-8")
    return path


class Page(HTMLParser):
    """A page as a browser takes it apart: elements, their text, and whether they nest."""

    def __init__(self, source: str | Path) -> None:
        super().__init__()
        self.source = source if isinstance(source, str) else source.read_text(encoding="utf-8")
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(self.source)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data))

    def of(self, tag: str) -> list[str]:
        """Return the texts in elements of a kind."""
        return [text.replace("\u00a0", " ") for inside, text in self.texts if inside == tag]

    def attributes(self, tag: str) -> list[Mapping[str, str | None]]:
        """Return the attributes of elements of a kind."""
        return [attrs for seen, attrs in self.elements if seen == tag]

    def facts(self) -> dict[str, str]:
        """Return the terms of the provenance."""
        return dict(zip(self.of("dt"), self.of("dd"), strict=True))
