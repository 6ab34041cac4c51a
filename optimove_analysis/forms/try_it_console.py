"""The form in which a user tries the API's functions, as on its documentation page."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import ipywidgets as widgets

from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.forms.console_parts import labelled, parameter_field, side_by_side
from optimove_analysis.forms.job import Job
from optimove_analysis.forms.page_parts import Html, Manners, SpeakingLine, turn_off
from optimove_analysis.forms.parts import FORM_STYLE
from optimove_analysis.forms.reply_view import (
    STYLE,
    VIEWS,
    code_html,
    doc,
    facts_html,
    heading,
    is_json,
    url_html,
    views,
)
from optimove_analysis.forms.snippets import LANGUAGES, snippet
from optimove_analysis.forms.source import Answered, Asked
from optimove_analysis.schema import ApiEndpoint, ParameterValue

__all__ = ["TryItConsole"]


class TryItConsole(widgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """Ask one function of the API one thing, and look at all that comes back.

    Show it as the last line of a cell, or set `value` and call `run` from code: both do the same.
    What came back is in `reply`; what went wrong is said on the form and kept in `error`. An error
    that the API answers with is a reply, to be looked at.

    The address and the code change as one types. The credential is never shown, nor is it in the
    code, which reads it from the environment.

    >>> from optimove_analysis import OptimoveClient, forms
    >>> client = OptimoveClient.sandbox()
    >>> console = forms.TryItConsole(client, "GetChannelTemplates", {"ChannelID": 7})
    >>> console.run().json()[0]
    {'TemplateID': 13, 'TemplateName': 'Late summer letter'}
    >>> client.close()

    Args:
        source: whom to ask: an `OptimoveClient`, or whatever answers alike.
        endpoint: the function to begin with.
        parameters: what its fields hold at the start.

    Raises:
        InputError: there is no such function or parameter.
    """

    def __init__(
        self,
        source: Asked,
        endpoint: str = "GetCustomerChannelInteractions",
        parameters: Mapping[str, ParameterValue] | None = None,
    ) -> None:
        self.source = source
        self.reply: Answered | None = None
        self.error: Exception | None = None
        self._job = Job(self._show_busy)
        self._line = SpeakingLine()
        self._typed: dict[str, str] = {}
        self._fields: dict[str, Any] = {}
        self._looked_at: int | None = None
        self._endpoint = labelled(
            widgets.Dropdown(options=list(source.endpoints), description="Function")
        )
        self._language = labelled(widgets.Dropdown(options=LANGUAGES, description="Language"))
        self._refresh = widgets.Checkbox(
            description="Ask anew, even if the answer is kept",
            indent=False,
            layout=widgets.Layout(width="auto"),
        )
        self._run = widgets.Button(description="Send", button_style="primary", icon="play")
        self._example = widgets.Button(description="Fill in the example")
        self._about, self._address, self._code, self._facts = (Html() for _ in range(4))
        self._parameters = widgets.VBox()
        # Made once, and filled anew: the tab that is looked at stays the one that is looked at.
        self._views = {name: widgets.VBox() for name in VIEWS}
        self._results = widgets.Tab(list(self._views.values()), titles=VIEWS, selected_index=0)
        self._response = widgets.VBox([heading("Response"), self._facts, self._results])
        self._listen()
        super().__init__([Manners(), widgets.HTML(FORM_STYLE + STYLE), self._laid_out()])
        for name in ("optimove-form", "optimove-try"):
            self.add_class(name)
        self._set_up()
        self.value = {"endpoint": endpoint, "parameters": parameters or {}}

    def __repr__(self) -> str:
        # ipywidgets would write out all that is in the page.
        asked = self.value
        return f"TryItConsole({asked['endpoint']!r}, {asked['parameters']!r})"

    @property
    def value(self) -> dict[str, Any]:
        """What the form asks, to be read, kept and set; the credential is not in it."""
        texts = {name: field.value.strip() for name, field in self._fields.items()}
        return {
            "endpoint": self._endpoint.value,
            "parameters": {name: text for name, text in texts.items() if text},
            "language": self._language.value,
            "refresh": self._refresh.value,
        }

    @value.setter
    def value(self, value: Mapping[str, Any]) -> None:
        # All is looked at before anything is set: a form that is half set asks what nobody wanted.
        for name in value:
            if name not in self.value:
                raise InputError.option("form value", name, self.value)
        known, chosen = self.source.endpoints, value.get("endpoint", self._endpoint.value)
        if chosen not in known:
            raise InputError.option("endpoint", chosen, known)
        if value.get("language", LANGUAGES[0]) not in LANGUAGES:
            raise InputError.option("language", value["language"], LANGUAGES)
        given = known[chosen].given(value.get("parameters", {}))
        self._endpoint.value = chosen
        if "parameters" in value:
            for name, field in self._fields.items():
                field.value = given.get(name, "")
        self._language.value = value.get("language", self._language.value)
        self._refresh.value = bool(value.get("refresh", self._refresh.value))

    @property
    def code(self) -> str:
        """The request as code, in the language that is chosen."""
        asked, where = self.value, self.source.settings
        return snippet(
            asked["language"], self._chosen, asked["parameters"], where.url, where.header
        )

    def start(self) -> None:
        """Do what a click on Send does: `run` in a thread; what goes wrong is said on the form.

        While a request is under way it does nothing: two clicks are no two requests.
        """
        # Read here: what is typed a moment later is not what was asked.
        self._job.start(partial(self._quietly, self._asked()))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for a request that a click has sent; False where it has not ended in time."""
        return self._job.wait(seconds)

    def run(self) -> Answered:
        """Send what the form asks, show what comes back, and return it.

        Raises:
            OptimoveAnalysisError: what cannot be asked, or no answer came; `error` and the form
                say it too.
        """
        return self._job.run(partial(self._do, self._asked()))

    def _asked(self) -> tuple[ApiEndpoint, dict[str, Any]]:
        return self._chosen, self.value

    def _show_busy(self, busy: bool) -> None:  # noqa: FBT001 - it is what a `Job` tells
        turn_off(self._run, off=busy)

    def _quietly(self, asked: tuple[ApiEndpoint, dict[str, Any]]) -> None:
        # The form's line says it in plain words; a traceback would say no more.
        with contextlib.suppress(Exception):
            self._do(asked)

    def _do(self, asked: tuple[ApiEndpoint, dict[str, Any]]) -> Answered:
        endpoint, value = asked
        self.error = None
        self._line.say(f"Asking {endpoint.name} ...")
        try:
            reply = self._ask(endpoint, value["parameters"], refresh=value["refresh"])
            self._show(reply)
        except BaseException as error:
            # The last answer would pass for the answer to what is asked now.
            self.reply, self.error = None, error if isinstance(error, Exception) else None
            self._forget()
            known = isinstance(error, OptimoveAnalysisError)
            self._line.warn(str(error) if known else f"unexpected {type(error).__name__}: {error}")
            raise
        self.reply = reply
        return reply

    def _ask(
        self, endpoint: ApiEndpoint, parameters: Mapping[str, str], *, refresh: bool
    ) -> Answered:
        if missing := endpoint.missing(parameters):
            examples = ", ".join(f"{name} as {endpoint.example[name]}" for name in missing)
            message = f"fill in what is required: {examples}."
            raise InputError(message)
        return self.source.ask(endpoint.name, refresh=refresh, **parameters)

    def _show(self, reply: Answered) -> None:
        facts = reply.facts()
        self._facts.value = facts_html(reply)
        for name, view in views(reply).items():
            self._views[name].children = [view]
        self._turn_to(raw=not is_json(reply))
        self._response.layout.display = None
        if reply.ok:
            self._line.say(f"{facts['Status']}, answered by {facts['Answered by']}.")
        else:
            self._line.warn(f"{facts['Status']}. {reply.problem}")

    def _turn_to(self, *, raw: bool) -> None:
        """Turn to the raw body where nothing else is to be seen, and back from it afterwards."""
        if raw and self._looked_at is None:
            self._looked_at = self._results.selected_index
            self._results.selected_index = VIEWS.index("Raw")
        elif not raw and self._looked_at is not None:
            self._results.selected_index, self._looked_at = self._looked_at, None

    @property
    def _chosen(self) -> ApiEndpoint:
        return self.source.endpoints[self._endpoint.value]

    def _fill_in(self, _button: widgets.Button) -> None:
        self.value = {"parameters": self._chosen.example}

    def _listen(self) -> None:
        self._run.on_click(lambda _: self.start())
        self._example.on_click(self._fill_in)
        self._endpoint.observe(lambda _: self._set_up(), "value")
        self._language.observe(lambda _: self._draw(), "value")

    def _forget(self) -> None:
        """Show no answer."""
        self._line.clear()
        self._response.layout.display = "none"

    def _laid_out(self) -> widgets.VBox:
        row = widgets.Layout(flex_flow="row wrap", grid_gap="4px 12px", align_items="center")
        buttons = widgets.HBox([self._run, self._example, self._refresh], layout=row)
        return side_by_side(
            [heading("Request"), self._endpoint, self._about, self._parameters, buttons],
            [self._line, self._response],
            [heading("The same as code"), self._address, self._language, self._code],
        )

    def _set_up(self) -> None:
        """Make the fields of the function that is chosen; what was typed stays where it fits."""
        self._typed |= {name: field.value for name, field in self._fields.items()}
        endpoint = self._chosen
        about = doc(endpoint.what)
        if endpoint.assumed:
            about += doc(f"Assumed: {endpoint.assumed}", "assumed")
        self._about.value = about if endpoint.parameters else about + doc("It takes no parameters.")
        self._fields = {
            one.name: parameter_field(one, self._typed.get(one.name, ""), self._draw)
            for one in endpoint.parameters
        }
        self._parameters.children = [
            widgets.VBox([self._fields[one.name], Html(doc(one.what))])
            for one in endpoint.parameters
        ]
        self._example.layout.display = None if endpoint.parameters else "none"
        self._forget()  # another function's answer would pass for this one's
        self._draw()

    def _draw(self) -> None:
        """Write the address and the code of what is typed."""
        where, chosen, asked = self.source.settings, self._chosen, self.value
        try:
            url = chosen.url(where.url, chosen.given(asked["parameters"]))
            code = self.code
        except InputError as error:  # a character that cannot be sent: half a pair, pasted
            url, code = f"{where.url}/current/{chosen.path}", f"# {error}"
        self._address.value = url_html(chosen.method, url, where.header, where.key_source)
        self._code.value = code_html(code, asked["language"])
