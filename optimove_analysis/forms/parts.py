"""What forms are made of: a table, code, notes, and their look."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Final

import altair as alt
import polars as pl

from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.tables import TABLE_STYLE, ReadableTable
from optimove_analysis.errors import InputError

__all__ = [
    "FORM_STYLE",
    "cells_html",
    "code_block",
    "folded_html",
    "notes_html",
    "picture",
    "said_html",
    "table_html",
]

_MOST_ROWS: Final = 200

_COLOUR: Final = "color: var(--jp-ui-font-color1, #333)"

# What ipywidgets leaves too faint, too far apart or too wide; the colours are the page's own.
FORM_STYLE: Final = """<style>
[data-jp-theme-light="false"] .optimove-form { color-scheme: dark }
.optimove-form .jupyter-widgets.widget-tab > .lm-TabBar .lm-TabBar-tab {
  color: var(--jp-ui-font-color1) }
.optimove-form .jp-Tab-contents, .optimove-form .widget-tab-contents { overflow: auto }
.optimove-form .widget-html-content { line-height: 1.45; color: var(--jp-ui-font-color1, #333);
  min-width: 0; width: 100% }
.optimove-form pre { margin: 0; padding: 8px 12px; overflow: auto; line-height: 1.45;
  color: inherit; border: 1px solid var(--jp-border-color2, #ddd);
  font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px) }
.optimove-form dl { margin: 0 0 1em }
.optimove-form dt { float: none; width: auto; margin: 0; white-space: nowrap }
.optimove-form section table { border-collapse: collapse }
.optimove-form section th, .optimove-form section td { padding: 2px 12px 2px 0 }
.optimove-form *:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2);
  outline-offset: 1px }
.optimove-form .optimove-off { opacity: 0.5; cursor: default }
.optimove-form .optimove-line { color: var(--jp-ui-font-color1, #333); line-height: 1.45;
  min-width: 0; max-width: 100%; margin: 2px; position: relative; overflow-wrap: anywhere }
/* A bar and a word beside the colour: red alone says nothing to who cannot see it. */
.optimove-form .optimove-line [role="alert"]:not(:empty) { border-left: 4px solid #c62828;
  padding: 2px 8px }
.optimove-form .optimove-line .heard { position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.optimove-form .optimove-note { border-left: 4px solid #b26a00; padding: 2px 8px;
  line-height: 1.45; color: var(--jp-ui-font-color1, #333) }
</style>"""


def code_block(code: str, what: str) -> str:
    """Return code as HTML, to be read, selected and copied."""
    return (
        f'<p style="{_COLOUR}">{html.escape(what)}:</p>'
        f'<pre tabindex="0" role="region" aria-label="{html.escape(what)}">'
        f"{html.escape(code)}</pre>"
    )


def table_html(frame: pl.DataFrame, caption: str) -> str:
    """Return the frame as an HTML table; of a long one the first rows, and how many there are."""
    shown = frame.head(_MOST_ROWS)
    if frame.height > _MOST_ROWS:
        caption = f"{caption}: the first {_MOST_ROWS} of {frame.height:,} rows"
    return ReadableTable(shown, caption)._repr_html_()


def notes_html(frame: pl.DataFrame) -> str:
    """Return what a result's rows say of themselves: each note once, under its channel."""
    notes = (
        frame.select(pl.col("channel").fill_null("Channel without a name"), "notes")
        .explode("notes", empty_as_null=False, keep_nulls=False)
        .group_by("channel", maintain_order=True)
        .agg(pl.col("notes").unique(maintain_order=True).str.join(" "))
    )
    lines = "".join(f"<li>{html.escape(f'{where}: {told}')}</li>" for where, told in notes.rows())
    return f'<ul style="{_COLOUR}; line-height: 1.4">{lines}</ul>' if lines else ""


def said_html(text: str) -> str:
    """Return a paragraph of plain words."""
    return f'<p style="{_COLOUR}; line-height: 1.5; margin: 6px 0">{html.escape(text)}</p>'


def cells_html(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return cells that are written already as an HTML table; all but the first are numbers."""
    top = "".join(
        f'<th scope="col"{" class=number" if place else ""}>{html.escape(head)}</th>'
        for place, head in enumerate(heads)
    )
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f'<td class="number">{html.escape(cell)}</td>' for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    told = html.escape(caption)
    return (
        f'{TABLE_STYLE}<div class="optimove-table"><div class="scroll" role="region" tabindex="0" '
        f'aria-label="{told}"><table><caption>{told}</caption><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></div>"
    )


def folded_html(summary: str, inner: str) -> str:
    """Return HTML that the reader opens, by keyboard too."""
    return (
        f'<details style="{_COLOUR}; margin: 8px 0"><summary style="cursor: pointer">'
        f"{html.escape(summary)}</summary>{inner}</details>"
    )


def picture(title: str, draw: Callable[[], alt.TopLevelMixin]) -> alt.TopLevelMixin:
    """Return the chart, or the picture of why there is none: the other tabs are shown all the same.

    Args:
        title: of what is drawn.
        draw: makes the chart.
    """
    try:
        return draw()
    except InputError as error:  # more groups or rows than an eye could read
        return nothing(title, "Too much for one picture", str(error))
