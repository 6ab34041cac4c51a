"""Within a notebook's kernel: what is shown comes as what a page without a kernel can keep."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, Final

import altair as alt
import ipywidgets as widgets
from IPython.core.getipython import get_ipython

from optimove_analysis.forms.form import Form

__all__ = ["SPEC", "form_as_html", "still"]

SPEC: Final = "application/vnd.vegalite.v6+json"
"""The MIME type of a chart, as JupyterLab has it; Altair's ends in what no notebook may hold."""


def still() -> None:
    """Have charts come as specs and forms as tables, whatever the notebook's cells enable."""
    alt.renderers.register("jupyter", _spec)
    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        shell.display_formatter.mimebundle_formatter.for_type(Form, _form)


def _spec(spec: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - a renderer's options
    return {SPEC: spec, "text/plain": spec.get("description") or "A chart."}


def _form(form: Form[Any], **_: Any) -> dict[str, str]:  # noqa: ANN401 - include= and exclude=
    return {"text/html": form_as_html(form), "text/plain": repr(form)}


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
