"""A file of ids that is uploaded: which column holds them, and whether the first line names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from optimove_analysis.errors import InputError
from optimove_analysis.forms.audience import Audience, column_of, from_rows
from optimove_analysis.id_lists import Row, csv_rows, decoded

__all__ = ["UploadField"]


class UploadField:
    """Reads the file in the kernel; what it holds is in `audience`."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._rows: list[Row] = []
        self._read: tuple[tuple[int, bool], Audience] | None = None
        self._wrong: InputError | None = None
        self._settling = False
        self.name = ""
        """The file's name."""
        self._file = widgets.FileUpload(
            accept=".csv,.txt,.tsv,text/csv,text/plain", description="Upload CSV or text"
        )
        self._file.layout.width = "16em"
        self._column = widgets.Dropdown(
            description="Column with the ids",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="20em", max_width="100%", display="none"),
        )
        self._header = widgets.Checkbox(
            description="The first line names the columns",
            indent=False,
            layout=widgets.Layout(width="auto", display="none"),
        )
        self.widget = widgets.HBox(
            [self._file, self._column, self._header],
            layout=widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px", align_items="center"),
        )
        self._file.observe(self._uploaded, "value")
        self._column.observe(lambda _: self._settled(), "value")
        self._header.observe(lambda _: self._name_columns(), "value")

    @property
    def audience(self) -> Audience:
        """Return the ids in the file.

        Raises:
            InputError: it cannot be read.
        """
        if self._wrong is not None:
            raise self._wrong
        if not self._rows:
            return Audience()
        how = (self._column.value or 0, self._header.value)
        if self._read is None or self._read[0] != how:  # it is asked for often, and may be long
            self._read = (how, from_rows(self._rows, how[0], header=how[1]))
        return self._read[1]

    def _uploaded(self, change: Mapping[str, Any]) -> None:
        files = change["new"]
        if not files:
            return
        self.name, content = str(files[0]["name"]), bytes(files[0]["content"])
        self._rows, self._wrong, self._read = [], None, None
        try:
            self._rows = _read(content, self.name)
        except InputError as error:
            self._wrong = error
        several = bool(self._rows) and len(self._rows[0][1]) > 1
        self._column.layout.display = None if several else "none"
        self._header.layout.display = None if self._rows else "none"
        if self._rows:
            column, header = column_of(self._rows)
            self._settling = True
            self._header.value = header
            self._offer(column)
            self._settling = False
        self._changed()

    def _offer(self, column: int) -> None:
        first = self._rows[0][1]
        named = self._header.value
        names = [
            f"{place}: {cell or '(no name)'}" if named else f"{place} (such as {cell})"
            for place, cell in enumerate(first, start=1)
        ]
        self._column.options = [(name, place) for place, name in enumerate(names)]
        self._column.value = column

    def _name_columns(self) -> None:
        if not self._settling:
            self._settling = True
            self._offer(self._column.value or 0)
            self._settling = False
            self._changed()

    def _settled(self) -> None:
        if not self._settling:
            self._changed()


def _read(content: bytes, name: str) -> list[Row]:
    rows = csv_rows(decoded(content, name), name)
    if not rows:
        raise InputError(f"{name} holds no customer id.")
    return rows
