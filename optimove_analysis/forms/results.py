"""What a customer's form shows: tabs whose contents are exchanged, never made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import ipywidgets as widgets
import polars as pl

from optimove_analysis import charts
from optimove_analysis.analysis import Dossier
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.charts.tables import main_columns
from optimove_analysis.forms.chart_view import ChartView
from optimove_analysis.forms.export import (
    Artefact,
    Export,
    chart_artefacts,
    table_artefacts,
    text_artefact,
)
from optimove_analysis.forms.page_parts import Html
from optimove_analysis.forms.parts import code_block, notes_html, picture, table_html
from optimove_analysis.forms.view import View

__all__ = ["CustomerResults"]

_TITLES = ("Overview", "Funnel", "Channel mix", "Journey", "Calendar", "Data", "Request")
_FEW = 6
"""Of more customers there is no picture of a journey; the table has them all."""


class CustomerResults:
    """The tabs of a customer's form."""

    def __init__(self) -> None:
        self._who = widgets.Dropdown(description="Customer", layout={"width": "16em"})
        self._who.observe(lambda change: self._show_dossier(change["new"]), "value")
        self._dossier = Html()
        self._dossiers: Mapping[str, Dossier] = {}
        self._charts = {name: ChartView() for name in ("funnel", "mix", "journey", "calendar")}
        self._notes = {name: Html() for name in ("funnel", "mix")}
        self._messages, self._rows, self._code = Html(), Html(), Html()
        self._view: View | None = None
        self._undrawn: dict[int, Callable[[], None]] = {}
        self.export = Export(self._artefacts)
        self.widget = widgets.Tab(
            [
                widgets.VBox([self._who, self._dossier]),
                *(
                    widgets.VBox([self._charts[name], self._notes[name]])
                    for name in ("funnel", "mix")
                ),
                widgets.VBox([self._charts["journey"], self._messages]),
                widgets.VBox([self._charts["calendar"]]),
                widgets.VBox([self.export.widget, self._rows]),
                widgets.VBox([self._code]),
            ],
            titles=_TITLES,
        )
        self.widget.observe(lambda change: self._opened(change["new"]), "selected_index")

    def show_funnel(
        self, table: pl.DataFrame, chart: alt.TopLevelMixin, narrow: alt.TopLevelMixin
    ) -> None:
        """Show the funnel, and what is to be known of it."""
        self._charts["funnel"].show(chart, narrow)
        self._notes["funnel"].value = notes_html(table)

    def show_mix(
        self, table: pl.DataFrame, chart: alt.TopLevelMixin, narrow: alt.TopLevelMixin
    ) -> None:
        """Show the channel mix, and what is to be known of it."""
        self._charts["mix"].show(chart, narrow)
        self._notes["mix"].value = notes_html(table)

    def show_rest(self, view: View, catalogue: Catalogue) -> None:
        """Show what stands behind the pictures that most people look at first."""
        self._dossiers = view.dossiers
        self._who.options = list(view.dossiers)
        self._who.layout.display = None if len(view.dossiers) > 1 else "none"
        self._show_dossier(next(iter(view.dossiers), None))
        self._view = view
        self.export.refresh()
        self._show_in_time(view)
        shown = main_columns(view.journey)
        if len(view.dossiers) < 2:  # noqa: PLR2004 - the id would be the same in all rows
            shown = shown.drop("customer_id")
        self._messages.value = table_html(shown, "Messages in time")
        self._rows.value = table_html(_readable(view.interactions, catalogue), "Interactions")
        self._code.value = code_block(view.code, "Python that makes the same again")

    def _artefacts(self) -> list[Artefact]:
        view = self._view
        if view is None:
            return []
        tables = {
            "Interactions": view.interactions,
            "Funnel": view.funnel,
            "Channel mix": view.mix,
            "Journey": view.journey,
        }
        pictures = {"Funnel chart": view.funnel_chart, "Mix chart": view.mix_chart}
        return [
            *(
                artefact
                for label, table in tables.items()
                for artefact in table_artefacts(label, label.lower().replace(" ", "-"), table)
            ),
            *(
                artefact
                for label, chart in pictures.items()
                for artefact in chart_artefacts(label, label.lower().replace(" ", "-"), chart)
            ),
            text_artefact("Code", "view.py", view.code),
        ]

    def _show_in_time(self, view: View) -> None:
        """Draw what hangs on time when its tab is opened: it takes longer than all the rest."""
        every = view.journey

        def draw_journey() -> None:
            if len(view.dossiers) > _FEW:
                self._charts["journey"].clear()
                return
            wide = picture("Journey", lambda: charts.journey(every))
            narrow = picture("Journey", lambda: charts.journey(every, width=380))
            self._charts["journey"].show(wide, narrow)

        def draw_calendar() -> None:
            wide = picture("Calendar", lambda: charts.calendar(every))
            narrow = picture("Calendar", lambda: charts.calendar(every, width=440))
            self._charts["calendar"].show(wide, narrow)

        for name in ("journey", "calendar"):
            self._charts[name].clear()  # the last one's would pass for this one's
        self._undrawn = {
            _TITLES.index("Journey"): draw_journey,
            _TITLES.index("Calendar"): draw_calendar,
        }
        self._opened(self.widget.selected_index)

    def _opened(self, tab: int | None) -> None:
        if tab is not None and (draw := self._undrawn.pop(tab, None)) is not None:
            draw()

    def _show_dossier(self, customer_id: Any) -> None:  # noqa: ANN401 - what a dropdown has
        found = self._dossiers.get(customer_id)
        self._dossier.value = "" if found is None else found._repr_html_()


def _readable(interactions: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Return the rows with what ids mean beside them, without columns that hold nothing."""
    named = interactions.with_columns(
        _named(interactions["channel_id"], catalogue.channel).alias("channel"),
        _named(interactions["event_id"], catalogue.event).alias("event"),
    )
    first = ["customer_id", "date", "channel", "event"]
    order = [*first, *(name for name in interactions.columns if name not in first)]
    return named.select(name for name in order if not named[name].is_null().all())


def _named(ids: pl.Series, name_of: Callable[[int | None], str]) -> pl.Series:
    names = {one: name_of(one) for one in ids.unique()}
    return ids.replace_strict(names, return_dtype=pl.String)
