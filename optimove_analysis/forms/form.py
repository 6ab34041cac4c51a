"""What all forms share: fields with a value, Run and Cancel, progress, and a line that speaks."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from html import escape
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
from optimove_analysis.forms.page_parts import Html, Manners, SpeakingLine, turn_off
from optimove_analysis.forms.parts import FORM_STYLE
from optimove_analysis.forms.source import Progress, Source

__all__ = ["ROW", "Form", "ask_source"]

ViewT = TypeVar("ViewT")
ROW: Final = widgets.Layout(
    flex_flow="row wrap", grid_gap="4px 16px", align_items="center", width="100%"
)
"""Fields beside each other, and below where there is no room."""
_OFTEN: Final = 0.15
"""Seconds between two updates of the progress: a browser can be drowned in them."""
_LONG: Final = 80
"""Characters of a value that are said."""


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
        self._line = SpeakingLine()
        self._bar = widgets.FloatProgress(
            min=0, max=1, layout=widgets.Layout(width="12em", display="none")
        )
        self._bar.tooltip = "How much is fetched"
        self._run = widgets.Button(description="Run", button_style="primary", icon="play")
        self._cancel = widgets.Button(description="Cancel", icon="stop")
        turn_off(self._cancel, off=True)
        self._run.on_click(lambda _: self.start())
        self._cancel.on_click(lambda _: self.cancel())
        self._job = Job(self._show_busy)
        self._told = 0.0
        self._shown_for: Mapping[str, Any] | None = None
        # Of what the pictures are, once the fields ask for something else.
        self._note = Html()
        super().__init__()

    def _lay_out(self, rows: Sequence[widgets.Widget], results: widgets.Widget) -> None:
        """Put the form together: the rows of fields, the buttons with the line, the results."""
        self._results = results
        results.layout.display = "none"
        buttons = widgets.HBox([self._run, self._cancel, self._bar, self._line], layout=ROW)
        style = widgets.HTML(FORM_STYLE, layout=widgets.Layout(display="none"))
        self.children = [VegaEngine(), Manners(), style, *rows, buttons, self._note, results]
        self.add_class("optimove-form")
        for field in self._fields.values():
            for one in _all_in(field.widget):
                if one.has_trait("value") and not isinstance(one, widgets.HTML):
                    one.observe(lambda _: self._note_change(), "value")

    def __repr__(self) -> str:
        # ipywidgets would write out all that is in the page.
        texts = {name: repr(one) for name, one in self.value.items()}
        told = (
            f"{name}={text if len(text) <= _LONG else f'{text[:_LONG]}...'}"
            for name, text in texts.items()
        )
        return f"{type(self).__name__}({', '.join(told)})"

    @property
    def value(self) -> dict[str, Any]:
        """What the form asks for, to be read, kept and set: a view can be made again from it."""
        return {name: field.value for name, field in self._fields.items()}

    @value.setter
    def value(self, value: Mapping[str, Any]) -> None:
        for name in value:
            if name not in self._fields:
                raise InputError.option("form value", name, self._fields)
        before: dict[str, Any] = {}
        try:
            for name, one in value.items():
                before[name] = self._fields[name].value
                self._fields[name].value = one
        except Exception as error:
            for other, one in before.items():  # all of it, or nothing
                if self._fields[other].value != one:
                    self._fields[other].value = one
            if isinstance(error, OptimoveAnalysisError):
                raise
            name = [*before][-1]
            text = repr(value[name])[:_LONG]
            raise InputError(f"{name}={text} cannot be used here ({error}).") from error

    @property
    def running(self) -> bool:
        """Whether a run has not ended."""
        return self._job.running

    def start(self) -> None:
        """Do what a click on Run does: `run` in a thread, with what goes wrong said on the form.

        While a run is going it does nothing: two clicks are no two runs.
        """
        # Read here: what is typed a moment later is not what was asked for.
        self._job.start(partial(self._quietly, self.value))

    def cancel(self) -> None:
        """Have a run end as soon as it can; what came is kept."""
        if self.running:
            turn_off(self._cancel, off=True)
            self._line.say("Cancelling; the answers that are under way are waited for ...")
            self._job.cancel()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for a run to end; False where it has not in time."""
        return self._job.wait(seconds)

    def run(self) -> ViewT:
        """Fetch, count and draw what the form asks for; show it, and return it.

        Raises:
            OptimoveAnalysisError: what cannot be used or had; `error` and the form say it too.
        """
        return self._job.run(partial(self._do, self.value))

    def _quietly(self, asked: Mapping[str, Any]) -> None:
        # The form's line says it in plain words; a traceback would say no more.
        with contextlib.suppress(Exception):
            self._do(asked)

    def _do(self, asked: Mapping[str, Any]) -> ViewT:
        self.error = None
        try:
            view = self._find(asked)
        except BaseException as error:
            self._fail(error)
            raise
        self.view = view
        return view

    def _fail(self, error: BaseException) -> None:
        # The last picture would pass for the answer to what is asked now.
        self.view = None
        self._shown_for = None
        self._note.value = ""
        self._results.layout.display = "none"
        if isinstance(error, KeyboardInterrupt):
            error = CancelledError("interrupted; what came until then is kept.")
        self.error = error if isinstance(error, Exception) else None
        if isinstance(error, CancelledError):
            self._line.say("Cancelled. What was fetched is kept: Run goes on from there.")
        elif isinstance(error, OptimoveAnalysisError):
            self._line.warn(str(error))
        else:
            self._line.warn(f"unexpected {type(error).__name__}: {error}")

    def _show_results(self, asked: Mapping[str, Any]) -> None:
        """Have the results seen, which are of what was asked."""
        self._shown_for = asked
        self._note_change()
        self._results.layout.display = None

    def _note_change(self) -> None:
        """Say what the results are of, where the fields ask for something else by now."""
        shown = self._shown_for
        if shown is None or self.value == shown:
            self._note.value = ""
        else:
            told = f"The fields have changed. What is shown is of {self._about(shown)}."
            self._note.value = f'<p class="optimove-note">{escape(told)}</p>'

    def _about(self, asked: Mapping[str, Any]) -> str:
        """Return whom and when something asks for, in a few words."""
        raise NotImplementedError

    def _find(self, asked: Mapping[str, Any]) -> ViewT:
        """Find and show what is asked for."""
        raise NotImplementedError

    def _show_busy(self, busy: bool) -> None:  # noqa: FBT001 - it is what a `Job` tells
        self._bar.value = 0.0
        self._bar.layout.display = "none"
        turn_off(self._cancel, off=not busy)
        turn_off(self._run, off=busy)  # the last: whoever sees it on may click

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
        self._line.tell(f"{so_far.total:,} customers: {so_far}")


def _all_in(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all_in(child)


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
