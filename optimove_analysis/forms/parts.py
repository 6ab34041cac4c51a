"""What forms are made of: a line that speaks, a table, a chart that needs no network."""

from __future__ import annotations

import html
from typing import Final

import altair as alt
import ipywidgets as widgets
import polars as pl

from optimove_analysis.charts.tables import ReadableTable

__all__ = ["SpeakingLine", "chart_widget", "notes_widget", "table_widget"]

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


class _OfflineChart(alt.JupyterChart):
    """Altair's chart widget with its JavaScript from vl-convert: no network is needed.

    A class of our own, since the choice is kept on the class: the user's own charts stay as they
    were set.
    """


def chart_widget(chart: alt.TopLevelSpec) -> widgets.Widget:
    """Return the chart as a widget."""
    _OfflineChart.enable_offline()
    return _OfflineChart(chart)


def table_widget(frame: pl.DataFrame, caption: str) -> widgets.Widget:
    """Return the frame as an HTML table; of a long one the first rows, and how many there are."""
    shown = frame.head(_MOST_ROWS)
    if frame.height > _MOST_ROWS:
        caption = f"{caption}: the first {_MOST_ROWS} of {frame.height:,} rows"
    return widgets.HTML(ReadableTable(shown, caption)._repr_html_())


def notes_widget(frame: pl.DataFrame) -> widgets.Widget:
    """Return what a result's rows say of themselves: each note once, under its channel."""
    notes = (
        frame.select(pl.col("channel").fill_null("Channel without a name"), "notes")
        .explode("notes", empty_as_null=False, keep_nulls=False)
        .group_by("channel", maintain_order=True)
        .agg(pl.col("notes").unique(maintain_order=True).str.join(" "))
    )
    lines = "".join(f"<li>{html.escape(f'{where}: {told}')}</li>" for where, told in notes.rows())
    return widgets.HTML(f'<ul style="{_STYLE["status"]}; line-height: 1.4">{lines}</ul>')
