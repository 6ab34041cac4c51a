"""What all forms share: fields with a value, Run and Cancel, progress, and a line that speaks."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import ipywidgets as widgets

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import (
    CancelledError,
    InputError,
    OfflineError,
    OptimoveAnalysisError,
)
from optimove_analysis.forms.chart_view import VegaEngine
from optimove_analysis.forms.fields import Field
from optimove_analysis.forms.job import Job
from optimove_analysis.forms.parts import FORM_STYLE, SpeakingLine
from optimove_analysis.forms.source import Progress, Source

__all__ = ["ROW", "Form", "ask_source"]

ViewT = TypeVar("ViewT")
ROW: Final = widgets.Layout(
    flex_flow="row wrap", grid_gap="4px 16px", align_items="center", width="100%"
)
"""Fields beside each other, and below where there is no room."""
_OFTEN: Final = 0.15
"""Seconds between two updates of the progress: a browser can be drowned in them."""


class Form(widgets.VBox, Generic[ViewT]):  # type: ignore[misc] # ipywidgets has no types
    """A form: `value` is what it asks for, `run` answers, `view` is what was found.

    A subclass says how to find (`_find`) and how to show (`_show`); a click on Run does both in a
    thread, so that Cancel is heard. What goes wrong is said on the form and kept in `error`.
    """

    def __init__(self, source: Source, fields: Mapping[str, Field]) -> None:
        self.source = source
        self.view: ViewT | None = None
        self.error: Exception | None = None
        self._fields = dict(fields)
        self._job = Job()
        self._line = SpeakingLine()
        self._bar = widgets.FloatProgress(
            min=0, max=1, layout=widgets.Layout(width="12em", display="none")
        )
        self._bar.tooltip = "How much is fetched"
        self._run = widgets.Button(description="Run", button_style="primary", icon="play")
        self._cancel = widgets.Button(description="Cancel", icon="stop", disabled=True)
        self._run.on_click(lambda _: self.start())
        self._cancel.on_click(lambda _: self.cancel())
        self._told = 0.0
        super().__init__()

    def _lay_out(self, rows: Sequence[widgets.Widget], results: widgets.Widget) -> None:
        """Put the form together: the rows of fields, the buttons with the line, the results."""
        self._results = results
        results.layout.display = "none"
        buttons = widgets.HBox([self._run, self._cancel, self._bar, self._line], layout=ROW)
        style = widgets.HTML(FORM_STYLE, layout=widgets.Layout(display="none"))
        self.children = [VegaEngine(), style, *rows, buttons, results]
        self.add_class("optimove-form")

    @property
    def value(self) -> dict[str, Any]:
        """What the form asks for, to be read, kept and set: a view can be made again from it."""
        return {name: field.value for name, field in self._fields.items()}

    @value.setter
    def value(self, value: Mapping[str, Any]) -> None:
        for name in value:
            if name not in self._fields:
                raise InputError.option("form value", name, self._fields)
        before = self.value
        try:
            for name, one in value.items():
                self._fields[name].value = one
        except OptimoveAnalysisError:
            for name, one in before.items():  # all of it, or nothing
                self._fields[name].value = one
            raise

    @property
    def running(self) -> bool:
        """Whether a run that a click has started has not ended."""
        return self._job.running

    def start(self) -> None:
        """Do what a click on Run does: `run` in a thread, with what goes wrong said on the form."""
        self._set_busy(busy=True)
        if not self._job.start(self._work):
            self._line.say("The last run has not ended yet: cancel it, or wait.")

    def cancel(self) -> None:
        """Have a run end as soon as it can; what came is kept."""
        if self.running:
            self._cancel.disabled = True
            self._line.say("Cancelling; the answers that are under way are waited for ...")
        self._job.cancel()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for a run that a click has started; False where it has not ended in time."""
        return self._job.wait(seconds)

    def run(self) -> ViewT:
        """Fetch, count and draw what the form asks for; show it, and return it.

        Raises:
            OptimoveAnalysisError: what cannot be used or had; `error` and the form say it too.
        """
        if self.running:
            raise InputError("the last run has not ended yet: cancel() it, or wait() for it.")
        self._job.begin()
        return self._do()

    def _work(self) -> None:
        # The form's line says it in plain words; a traceback would say no more.
        with contextlib.suppress(Exception):
            self._do()

    def _do(self) -> ViewT:
        self.error = None
        self._set_busy(busy=True)
        try:
            view = self._find(self.value)
        except Exception as error:
            self._fail(error)
            raise
        finally:
            self._set_busy(busy=False)
        self.view = view
        return view

    def _fail(self, error: Exception) -> None:
        # The last picture would pass for the answer to what is asked now.
        self.view, self.error = None, error
        self._results.layout.display = "none"
        if isinstance(error, CancelledError):
            self._line.say("Cancelled. What was fetched is kept: Run goes on from there.")
        elif isinstance(error, OptimoveAnalysisError):
            self._line.warn(str(error))
        else:
            self._line.warn(f"unexpected {type(error).__name__}: {error}")

    def _find(self, asked: Mapping[str, Any]) -> ViewT:
        """Find and show what is asked for."""
        raise NotImplementedError

    def _set_busy(self, *, busy: bool) -> None:
        self._run.disabled, self._cancel.disabled = busy, not busy
        self._bar.value = 0.0
        if not busy:
            self._bar.layout.display = "none"

    def _progress(self, so_far: Progress) -> None:
        """Show how far a fetch has come; end it where it was cancelled."""
        self._job.go_on()
        now = time.monotonic()
        if now - self._told < _OFTEN:
            return
        self._told = now
        self._bar.layout.display = None
        done = so_far.fetched + so_far.cached + so_far.failed
        self._bar.value = done / max(so_far.total, 1)
        self._line.say(f"{so_far.total:,} customers: {so_far}")


def ask_source(source: Source, line: SpeakingLine) -> tuple[Catalogue, dt.date]:
    """Learn what ids mean and the last day of the data; without them, say so and go on."""
    catalogue, end = Catalogue(), dt.datetime.now(tz=dt.UTC).date()
    missing: list[OptimoveAnalysisError] = []
    try:
        try:
            catalogue = source.catalogue()
        except OfflineError as error:  # a snapshot may well have the one and not the other
            missing.append(error)
        end = source.last_update()
    except OptimoveAnalysisError as error:
        missing.append(error)
    if missing:
        line.warn(" ".join(map(str, missing)))
    return catalogue, end
