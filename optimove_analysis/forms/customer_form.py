"""The form for one customer: who, when, which channels; then funnel, mix and journey."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import ipywidgets as widgets
import polars as pl

from optimove_analysis import charts
from optimove_analysis.analysis import channel_mix, funnel, journey
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.charts.tables import main_columns
from optimove_analysis.errors import InputError, OfflineError, OptimoveAnalysisError
from optimove_analysis.forms.parts import SpeakingLine, chart_widget, notes_widget, table_widget
from optimove_analysis.forms.source import Source

__all__ = ["CustomerForm", "View"]

_YEAR: Final = dt.timedelta(days=364)


@dataclass(frozen=True, slots=True)
class View:
    """What a run found: the frames, and the charts made of them."""

    interactions: pl.DataFrame
    funnel: pl.DataFrame
    mix: pl.DataFrame
    journey: pl.DataFrame
    funnel_chart: alt.TopLevelSpec
    mix_chart: alt.TopLevelSpec


class CustomerForm(widgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """How one customer, or a few, respond to campaigns, and on which channel.

    Show it as the last line of a cell, or set `value` and call `run` from code: both do the same.
    What was found is in `view`; what went wrong is said on the form and kept in `error`.

    Args:
        source: where the data comes from: an `OptimoveClient`, or whatever answers alike.
        customer_id: the customer, or several with commas between.
        start: the first day of the sends; a year before ``end`` by default.
        end: the last day; by default the day through which the data is complete.
        channels: names of channels to look at; none: all.
    """

    def __init__(
        self,
        source: Source,
        *,
        customer_id: str = "",
        start: dt.date | None = None,
        end: dt.date | None = None,
        channels: Iterable[str] = (),
    ) -> None:
        self.source = source
        self.view: View | None = None
        self.error: Exception | None = None
        self._line = SpeakingLine()
        self._catalogue = Catalogue()
        end = end or self._ask_source()
        look: dict[str, Any] = {
            "style": {"description_width": "initial"},
            "layout": widgets.Layout(width="15em"),
        }
        self._customer = widgets.Text(
            value=customer_id, description="Customer", placeholder="000001", **look
        )
        self._start = widgets.DatePicker(
            value=start or end - _YEAR, description="Sent from", **look
        )
        self._end = widgets.DatePicker(value=end, description="Sent until", **look)
        self._channels = {
            name: widgets.Checkbox(
                description=name, indent=False, layout=widgets.Layout(width="auto")
            )
            for name in sorted(set(self._catalogue.channels.values()))
        }
        self._run = widgets.Button(description="Run", button_style="primary", icon="play")
        self._run.on_click(self._clicked)
        self._results = widgets.Tab(layout=widgets.Layout(display="none"))
        box = widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px", align_items="center")
        super().__init__(
            [
                widgets.HBox([self._customer, self._start, self._end], layout=box),
                widgets.HBox(
                    [widgets.Label("Channels (none: all)"), *self._channels.values()], layout=box
                ),
                widgets.HBox([self._run, self._line], layout=box),
                self._results,
            ]
        )
        self.value = {"channels": list(channels)}

    @property
    def value(self) -> dict[str, Any]:
        """What the form asks for, to be read, kept and set: a view can be made again from it."""
        chosen = [name for name, box in self._channels.items() if box.value]
        return {
            "customer_id": self._customer.value,
            "start": self._start.value,
            "end": self._end.value,
            "channels": chosen,
        }

    @value.setter
    def value(self, value: Mapping[str, Any]) -> None:
        for name in value:
            if name not in self.value:
                raise InputError.option("form value", name, self.value)
        for name in value.get("channels", ()):
            if name not in self._channels:
                raise InputError.option("channel", name, self._channels)
        if "channels" in value:
            for name, box in self._channels.items():
                box.value = name in value["channels"]
        fields = {"customer_id": self._customer, "start": self._start, "end": self._end}
        for name, field in fields.items():
            if name in value:
                field.value = value[name]

    def run(self) -> View:
        """Fetch, count and draw what the form asks for; show it, and return it.

        Raises:
            OptimoveAnalysisError: what cannot be used or had; `error` and the form say it too.
        """
        self.error = None
        self._run.disabled = True
        try:
            self.view = self._find()
        except Exception as error:
            # The last picture would pass for the answer to what is asked now.
            self.view, self.error = None, error
            self._results.layout.display = "none"
            known = isinstance(error, OptimoveAnalysisError)
            self._line.warn(str(error) if known else f"unexpected {type(error).__name__}: {error}")
            raise
        finally:
            self._run.disabled = False
        self._show(self.view)
        return self.view

    def _clicked(self, _button: widgets.Button) -> None:
        # The form's line says it in plain words; a traceback would say no more.
        with contextlib.suppress(OptimoveAnalysisError):
            self.run()

    def _ask_source(self) -> dt.date:
        """Learn the channels' names and the last day of the data; without them, go on."""
        end = dt.datetime.now(tz=dt.UTC).date()
        missing: list[OptimoveAnalysisError] = []
        try:
            try:
                self._catalogue = self.source.catalogue()
            except OfflineError as error:  # a snapshot may well have the one and not the other
                missing.append(error)
            end = self.source.last_update()
        except OptimoveAnalysisError as error:
            missing.append(error)
        if missing:
            self._line.warn(" ".join(map(str, missing)))
        return end

    def _find(self) -> View:
        asked = self.value
        ids = [one for one in re.split(r"[\s,;]+", asked["customer_id"]) if one]
        if not ids:
            raise InputError("type a customer's id, such as 000001 (leading zeros count).")
        for name, day in (("first", asked["start"]), ("last", asked["end"])):
            if day is None:
                message = f"choose the {name} day of the sends."
                raise InputError(message)
        self._line.say(f"Asking for {', '.join(ids[:3])}{' ...' if ids[3:] else ''}")
        found = self.source.interactions(
            ids,
            asked["start"],
            asked["end"],
            progress=lambda so_far: self._line.say(f"{len(ids):,} customers: {so_far}"),
        )
        if asked["channels"]:
            wanted = [
                i for i, name in self._catalogue.channels.items() if name in asked["channels"]
            ]
            found = found.filter(pl.col("channel_id").is_in(wanted))
        by_channel = funnel(found, catalogue=self._catalogue)
        shares = channel_mix(found, catalogue=self._catalogue)
        return View(
            interactions=found,
            funnel=by_channel,
            mix=shares,
            journey=journey(found, catalogue=self._catalogue),
            # Narrow, one panel a line: a notebook beside its file browser has no room for more.
            funnel_chart=charts.funnel(by_channel, columns=1, width=220),
            mix_chart=charts.channel_mix(shares, width=150),
        )

    def _show(self, view: View) -> None:
        self._results.children = [
            widgets.VBox([chart_widget(view.funnel_chart), notes_widget(view.funnel)]),
            widgets.VBox([chart_widget(view.mix_chart), notes_widget(view.mix)]),
            table_widget(_shown(view.journey), "Messages in time"),
        ]
        self._results.titles = ("Funnel", "Channel mix", "Journey")
        self._results.layout.display = None
        asked = self.value
        if view.interactions.is_empty():
            self._line.say(
                f"No interactions of {asked['customer_id']} with campaigns sent from "
                f"{asked['start']} to {asked['end']}. Is the id right, leading zeros included?"
            )
        else:
            count, events = view.journey.height, view.interactions.height
            self._line.say(f"{count:,} messages, {events:,} interactions.")


def _shown(journey: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that a reader looks at; the customer's where there are several."""
    shown = main_columns(journey)
    return shown if journey["customer_id"].n_unique() > 1 else shown.drop("customer_id")
