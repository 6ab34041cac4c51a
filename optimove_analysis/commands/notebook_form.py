"""A form as what a page without a kernel can show: its fields with what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import ipywidgets as widgets

from optimove_analysis.forms.form import Form

__all__ = ["form_as_html"]


def form_as_html(form: Form[Any]) -> str:
    """Return what stands in a form, a line for each of its rows."""
    rows = [" &emsp; ".join(filter(None, map(_one, _seen(row)))) for row in form.children]
    told = "<p><em>A form stands here in a running notebook. Its fields:</em></p>"
    return "\n".join([told, *(f"<p>{row}</p>" for row in rows if row)])


def _one(widget: widgets.Widget) -> str:
    name = escape(getattr(widget, "description", ""))
    match widget:
        case widgets.Label():
            return escape(widget.value)
        case widgets.Button():
            return f"<kbd>{name}</kbd>" if name else ""
        case widgets.Checkbox():
            return f"{'☑' if widget.value else '☐'} {name}"
    if not (name and widget.has_trait("value")):
        return ""
    value = "" if widget.value is None else escape(str(widget.value))
    return f"{name} <code>{value or '&nbsp;'}</code>"


def _seen(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """Give what a reader sees of a widget, from top to bottom."""
    if getattr(widget.layout, "display", None) == "none":
        return
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _seen(child)
