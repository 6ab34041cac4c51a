"""Parts of a form that need a script in the page: for those who hear it, or have no mouse."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final, Literal

import anywidget
import ipywidgets as widgets
import traitlets

__all__ = ["Html", "Manners", "SpeakingLine", "is_off", "turn_off"]

_OFF: Final = "optimove-off"
_MARK: Final = '<div class="mathjax_ignore">'


@functools.cache
def _script(name: str) -> str:
    return resources.files("optimove_analysis.forms").joinpath(name).read_text(encoding="utf-8")


class SpeakingLine(anywidget.AnyWidget):
    """One line of plain words, always as text; a screen reader reads it out when it changes.

    How far something has come changes too often for that: it is read out every few seconds.
    """

    said = traitlets.Dict({"kind": "status", "text": ""}).tag(sync=True)

    def __init__(self) -> None:
        self._esm = _script("speaking_line.js")
        super().__init__()

    @property
    def text(self) -> str:
        """What stands there."""
        return str(self.said["text"])

    @property
    def kind(self) -> str:
        """How it is said: ``status``, ``alert`` or ``progress``."""
        return str(self.said["kind"])

    def say(self, text: str) -> None:
        """Show what is going on."""
        self._set("status", text)

    def warn(self, text: str) -> None:
        """Show what went wrong."""
        self._set("alert", f"Sorry: {text}")

    def tell(self, text: str) -> None:
        """Show how far it has come."""
        self._set("progress", text)

    def clear(self) -> None:
        """Show nothing."""
        self._set("status", "")

    def _set(self, kind: Literal["status", "alert", "progress"], text: str) -> None:
        self.said = {"kind": kind, "text": text}


class Html(widgets.HTML):  # type: ignore[misc] # ipywidgets has no types
    """HTML whose dollars are dollars: else a page sets "$5 off, $10" as a formula."""

    @traitlets.validate("value")
    def _mark(self, proposal: Mapping[str, Any]) -> str:
        value = str(proposal["value"])
        return value if not value or value.startswith(_MARK) else f"{_MARK}{value}</div>"


class Manners(anywidget.AnyWidget):
    """Names a form's groups, and tells which of its buttons are off; it shows nothing."""

    def __init__(self) -> None:
        self._esm = _script("manners.js")
        super().__init__(layout={"display": "none"})


def turn_off(button: widgets.Button, *, off: bool) -> None:
    """Show a button as one that does nothing now; it keeps the focus, which a disabled one loses.

    Whoever listens to it has to do nothing then.
    """
    if off:
        button.add_class(_OFF)
    else:
        button.remove_class(_OFF)


def is_off(button: widgets.Button) -> bool:
    """Tell whether a button is shown as one that does nothing."""
    return _OFF in button._dom_classes  # noqa: SLF001 - ipywidgets has no other way to ask
