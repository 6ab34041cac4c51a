"""What a report shows besides charts: headings, sentences, tables, provenance.

Each is a plain text in a terminal, and HTML, every character of it escaped, in a notebook and in a
report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import polars as pl

from optimove_analysis.charts.tables import html_table, main_columns, text_table

__all__ = ["Shown", "heading", "paragraphs", "table", "terms"]


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """Something to look at: the last value of a notebook's cell, or ``display(...)`` of it."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def heading(title: object, *intro: str, level: int = 1) -> Shown:
    """Return the report's title, and paragraphs below it on whom and what it is about.

    A title may be a number, as the year that ``--set title=2025`` gives. Level 2 is the heading of
    a part, for those that a template makes in a loop.

    >>> heading("How they engaged", "200 customers of an invented account.")
    How they engaged
    <BLANKLINE>
    200 customers of an invented account.
    """
    texts = [text for text in intro if text]
    html = "".join(f"<p>{escape(text)}</p>" for text in texts)
    return Shown(
        "\n\n".join([str(title), *texts]),
        f"<h{level}>{escape(str(title))}</h{level}>{html}",
    )


def paragraphs(*texts: str) -> Shown:
    """Return paragraphs, in plain text whatever characters they hold.

    >>> paragraphs("Rates are of <sent> messages.").html
    '<p>Rates are of &lt;sent&gt; messages.</p>'
    """
    return Shown("\n\n".join(texts), "".join(f"<p>{escape(text)}</p>" for text in texts))


def table(result: pl.DataFrame, caption: str = "", *, also: Sequence[str] = ()) -> Shown:
    """Return the main columns of a result, or any frame, written as on the charts.

    A long table is folded: on paper it is open.

    Args:
        result: what an analysis returns, or a frame of yours.
        caption: what it is.
        also: columns of the result to show after the main ones.
    """
    frame = main_columns(result, also=list(also))
    return Shown(text_table(frame), html_table(frame, caption))


def terms(pairs: Mapping[str, str]) -> Shown:
    """Return names with what they stand for, as of a report's provenance.

    >>> terms({"Data through": "2025-12-31", "Customers": "200"})
    Data through: 2025-12-31
    Customers: 200
    """
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(to)}</dd>" for name, to in pairs.items())
    return Shown(
        "\n".join(f"{name}: {to}" for name, to in pairs.items()),
        f'<dl class="terms">{items}</dl>',
    )
