"""What forms are made of: a line that speaks, a table, code, notes."""

from __future__ import annotations

import html
from typing import Final

import ipywidgets as widgets
import polars as pl

from optimove_analysis.charts.tables import ReadableTable

__all__ = ["SpeakingLine", "code_block", "notes_html", "table_html"]

_MOST_ROWS: Final = 200

_STYLE = {
    "status": "color: var(--jp-ui-font-color1, #333)",
    # A bar and a word beside the colour: red alone says nothing to who cannot see it.
    "alert": "border-left: 4px solid #c62828; padding: 2px 8px; "
    "color: var(--jp-ui-font-color1, #333)",
}


class SpeakingLine(widgets.HTML):  # type: ignore[misc] # ipywidgets has no types
    """One line of plain words; a screen reader reads it out when it changes."""

    def say(self, text: str) -> None:
        """Show what is going on."""
        self.value = _line("status", text)

    def warn(self, text: str) -> None:
        """Show what went wrong."""
        self.value = _line("alert", f"Sorry: {text}")


def _line(role: str, text: str) -> str:
    return f'<div role="{role}" style="{_STYLE[role]}">{html.escape(text)}</div>'


def code_block(code: str, what: str) -> str:
    """Return code as HTML, to be read, selected and copied."""
    return (
        f'<p style="{_STYLE["status"]}">{html.escape(what)}:</p>'
        f'<pre tabindex="0" aria-label="{html.escape(what)}" style="{_STYLE["status"]}; '
        'overflow: auto; padding: 8px; border: 1px solid var(--jp-border-color2, #ddd)">'
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
    return f'<ul style="{_STYLE["status"]}; line-height: 1.4">{lines}</ul>' if lines else ""
