"""What forms are made of: a line that speaks, a table, a chart that needs no network."""

from __future__ import annotations

import html

import altair as alt
import ipywidgets as widgets
import polars as pl

from optimove_analysis.schema import Table

__all__ = ["SpeakingLine", "chart_widget", "table_widget"]

_MOST_ROWS = 200

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


def chart_widget(chart: alt.TopLevelMixin) -> widgets.Widget:
    """Return the chart as a widget."""
    _OfflineChart.enable_offline()
    return _OfflineChart(chart)


def table_widget(frame: pl.DataFrame, table: Table) -> widgets.Widget:
    """Return the frame as an HTML table, under the labels that the schema gives."""
    shown = frame.head(_MOST_ROWS).rename({name: table.label(name) for name in frame.columns})
    with pl.Config(
        tbl_rows=_MOST_ROWS,
        tbl_cols=-1,
        fmt_str_lengths=60,
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
    ):
        body = shown._repr_html_()
    count = f"{min(frame.height, _MOST_ROWS):,} of {frame.height:,} rows"
    return widgets.HTML(f"<p>{count}</p><div style='overflow-x: auto'>{body}</div>")
