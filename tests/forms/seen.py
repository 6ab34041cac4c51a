"""What a user sees of a form, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets

from optimove_analysis.forms.page_parts import SpeakingLine

__all__ = ["all_of", "html_of", "spoken"]


def all_of(widget: Any) -> Iterator[Any]:
    """Yield a widget and all that are in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_of(child)


def spoken(line: SpeakingLine) -> str:
    """Return what a line says, and how; "" where it says nothing."""
    return f'role="{line.kind}": {line.text}' if line.text else ""


def html_of(widget: Any) -> str:
    """Return all that a widget puts into the page as HTML."""
    return " ".join(one.value for one in all_of(widget) if isinstance(one, widgets.HTML))
