"""What an audience's form shows: tabs that are there when there is something in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ipywidgets as widgets

from optimove_analysis.forms.audience_code import IDS_FILE, OTHER_IDS_FILE
from optimove_analysis.forms.audience_tables import change_html, comparison_html, overview_html
from optimove_analysis.forms.audience_view import AudienceView, Pictures, draw
from optimove_analysis.forms.chart_view import ChartView
from optimove_analysis.forms.export import (
    Artefact,
    Export,
    chart_artefacts,
    table_artefacts,
    text_artefact,
)
from optimove_analysis.forms.page_parts import Html
from optimove_analysis.forms.parts import code_block, notes_html, said_html, table_html

__all__ = ["AudienceResults"]

_TITLES: Final = (
    *("Overview", "Funnel", "Channel mix", "Compare", "Data", "Failures", "Export", "Request"),
)
_COMPARED: Final = ("compare", "explained", "baseline", "against")
_TOO_MUCH: Final = "By month it has more months and channels than a picture can show."


class AudienceResults:
    """The tabs of an audience's form; each keeps its place while its content is exchanged."""

    def __init__(self) -> None:
        self._view: AudienceView | None = None
        self._pictures: Pictures | None = None
        self._texts = {name: Html() for name in _TITLES}
        self._charts = {name: ChartView() for name in ("Funnel", "Channel mix", "by month")}
        self._arms = {name: ChartView() for name in _COMPARED}
        self._change = Html()
        self._month_text = Html()
        self.export = Export(self._artefacts)
        self._pages: dict[str, widgets.Widget] = {
            name: widgets.VBox([text]) for name, text in self._texts.items()
        }
        charts = self._charts
        self._pages["Funnel"] = widgets.VBox([charts["Funnel"], self._texts["Funnel"]])
        self._pages["Channel mix"] = widgets.VBox(
            [
                *(charts["Channel mix"], self._texts["Channel mix"]),
                *(charts["by month"], self._month_text),
            ]
        )
        arms = self._arms
        self._pages["Compare"] = widgets.VBox(
            [
                *(arms["compare"], self._texts["Compare"]),
                *(arms["explained"], self._change),
                *(arms["baseline"], arms["against"]),
            ]
        )
        self._pages["Export"] = self.export.widget
        self.widget = widgets.Tab()
        self._arrange(compares=False, failed=0)

    def _arrange(self, *, compares: bool, failed: int) -> None:
        """Have the tabs there that have something in them; the reader stays where they are."""
        names = [
            name
            for name in _TITLES
            if not (name == "Compare" and not compares) and not (name == "Failures" and not failed)
        ]
        titles = [f"Failures ({failed:,})" if name == "Failures" else name for name in names]
        pages = [self._pages[name] for name in names]
        if list(self.widget.children) != pages:
            at = self.widget.selected_index
            looked_at = None if at is None else self.widget.children[at]
            self.widget.children = pages
            self.widget.titles = titles
            self.widget.selected_index = pages.index(looked_at) if looked_at in pages else 0
        elif list(self.widget.titles) != titles:
            self.widget.titles = titles

    def show(self, view: AudienceView) -> None:
        """Show a view, complete or not."""
        pictures = draw(view)
        self._arrange(compares=view.comparison is not None, failed=view.failures.height)
        self._view, self._pictures = view, pictures
        self._texts["Overview"].value = overview_html(view)
        self._charts["Funnel"].show(*pictures.funnel)
        self._texts["Funnel"].value = notes_html(view.funnel)
        self._charts["Channel mix"].show(*pictures.mix)
        self._texts["Channel mix"].value = notes_html(view.mix)
        if pictures.by_month is None:
            self._charts["by month"].clear()
        else:
            self._charts["by month"].show(*pictures.by_month)
        self._month_text.value = said_html(_TOO_MUCH) if pictures.by_month is None else ""
        self._show_comparison(view, pictures)
        so_far = f" of {view.so_far}" if view.so_far else ""
        self._texts["Data"].value = table_html(view.interactions, f"Interactions{so_far}")
        self._texts["Failures"].value = table_html(view.failures, "Customers who failed")
        self._texts["Request"].value = code_block(view.code, "Python that makes the same again")

    def settle(self) -> None:
        """Offer what is shown now to be exported: no more comes."""
        self.export.refresh()

    def _show_comparison(self, view: AudienceView, pictures: Pictures) -> None:
        found = view.comparison
        self._texts["Compare"].value = "" if found is None else comparison_html(found)
        self._change.value = "" if found is None else change_html(found)
        for name, place in self._arms.items():
            if name in pictures.comparison:
                place.show(*pictures.comparison[name])
            else:
                place.clear()

    def _artefacts(self) -> Sequence[Artefact]:
        view, pictures = self._view, self._pictures
        if view is None or pictures is None:
            return ()
        made = [
            *table_artefacts("Interactions", "interactions", view.interactions),
            *chart_artefacts("Funnel chart", "funnel", pictures.funnel[0]),
            *chart_artefacts("Channel mix chart", "channel_mix", pictures.mix[0]),
        ]
        if pictures.by_month is not None:
            made += chart_artefacts("Mix by month chart", "mix_by_month", pictures.by_month[0])
        tables = {
            "Rates": view.rates,
            "Funnel table": view.funnel,
            "Channel mix table": view.mix,
            "Mix by month table": view.mix_by_month,
        }
        if pictures.comparison:
            made += chart_artefacts(
                "Comparison chart", "compare", pictures.comparison["compare"][0]
            )
        made.append(text_artefact("Code", "audience.py", f"{view.code}\n"))
        if view.comparison is not None:
            tables["Comparison"] = view.comparison.rates
            tables["Comparison by channel"] = view.comparison.by_channel
        if view.failures.height:
            tables["Failures"] = view.failures
        for name, table in tables.items():
            made += table_artefacts(name, name.lower().replace(" ", "_"), table)
        made.append(text_artefact("Customer ids", IDS_FILE, _lines(view.customer_ids)))
        if view.comparison is not None and view.other_ids:
            made.append(text_artefact("Other customer ids", OTHER_IDS_FILE, _lines(view.other_ids)))
        return made


def _lines(ids: Sequence[str]) -> str:
    return "".join(f"{one}\n" for one in ids)
