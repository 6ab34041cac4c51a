"""What the console is made of: fields with their labels above them, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets

from optimove_analysis.schema import ApiParameter

__all__ = ["labelled", "parameter_field", "side_by_side"]


def labelled(widget: widgets.Widget) -> widgets.Widget:
    """Let a widget have its label above it; `reply_view.STYLE` has the look."""
    widget.add_class("optimove-field")
    widget.layout.width = "auto"
    return widget


def parameter_field(
    parameter: ApiParameter, text: str, changed: Callable[[], None]
) -> widgets.Widget:
    """Return the field of a parameter; ``changed`` is called at each letter that is typed."""
    # Any text can be typed, for a flag too: what it says is the API's to judge.
    is_flag = parameter.kind == "flag"
    field = (widgets.Combobox if is_flag else widgets.Text)(
        value=text,
        placeholder=parameter.example,
        description=parameter.title,
        tooltip=parameter.what,
    )
    if is_flag:
        field.options = ("True", "False")
    field.observe(lambda _: changed(), "value")
    return labelled(field)


def side_by_side(
    request: Sequence[widgets.Widget],
    answer: Sequence[widgets.Widget],
    code: Sequence[widgets.Widget],
) -> widgets.VBox:
    """Return request and code beside each other, the answer below them.

    Where there is no room, and by keyboard, they come in the order of the arguments.
    """
    parts = {"request": request, "answer": answer, "code-side": code}
    boxes = [widgets.VBox(list(children)) for children in parts.values()]
    for name, box in zip(parts, boxes, strict=True):
        box.add_class(name)
    grid = widgets.VBox(boxes)
    grid.add_class("grid")
    return grid
