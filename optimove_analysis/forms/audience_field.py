"""The field that asks whom: ids in a box, a file of them, or a target group on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import ipywidgets as widgets

from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.forms.audience import Audience, from_ids, from_text
from optimove_analysis.forms.fields import Day
from optimove_analysis.forms.group_field import GroupField
from optimove_analysis.forms.page_parts import SpeakingLine
from optimove_analysis.forms.source import AudienceSource
from optimove_analysis.forms.upload_field import UploadField

__all__ = ["AudienceField"]

_BOX, _FILE, _GROUP, _CODE = "Ids in a box", "A file of ids", "A target group", "Given in code"
_MOST_IN_BOX: Final = 2_000
"""So many ids can be looked through in a box; more are only counted."""
_Value = list[str] | dict[str, Any]


class AudienceField:
    """Whom to ask for. As a value: a list of ids, or ``{"target_group": 3, "day": day}``.

    Args:
        source: which has the target groups.
        description: what the field is called.
        last: the day that is offered for a target group.
        changed: called when it stands for other customers than before.
    """

    def __init__(
        self, source: AudienceSource, description: str, last: dt.date, changed: Callable[[], None]
    ) -> None:
        self._changed = changed
        self._given = Audience()
        self._read = ("", Audience())
        self._kind = widgets.Dropdown(
            options=[_BOX, _FILE, _GROUP],
            description=description,
            style={"description_width": "initial"},
            layout=widgets.Layout(width="20em", max_width="100%"),
        )
        self._box = widgets.Textarea(
            description="Ids",
            placeholder="000001, 000002, ... or one a line; leading zeros count",
            rows=3,
            style={"description_width": "initial"},
            layout=widgets.Layout(width="100%", max_width="44em"),
        )
        self._upload = UploadField(self._tell)
        self._group = GroupField(source, Day("on"), last, self._tell)
        self._count = SpeakingLine()
        self._parts: dict[str, widgets.Widget] = {
            _BOX: self._box,
            _FILE: self._upload.widget,
            _GROUP: self._group.widget,
        }
        self.widget = widgets.VBox(
            [self._kind, *self._parts.values(), self._count], layout=widgets.Layout(width="100%")
        )
        self._box.observe(lambda _: self._tell(), "value")
        self._kind.observe(lambda _: self._choose(), "value")
        self._choose()

    def _choose(self) -> None:
        for kind, part in self._parts.items():
            part.layout.display = None if kind == self._kind.value else "none"
        if self._kind.value == _GROUP:
            self._group.open()
        self._tell()

    def _tell(self) -> None:
        """Say how many customers are chosen now."""
        try:
            audience = self.known
        except OptimoveAnalysisError as error:
            self._count.warn(str(error))
        else:
            if audience is None:
                self._count.say(self._group.state)
            elif audience.bad:
                self._count.warn(str(audience))
            else:
                empty = not audience.ids and self._kind.value != _GROUP
                self._count.say("" if empty else str(audience))
        self._changed()

    @property
    def known(self) -> Audience | None:
        """Who is chosen; None while the members of a target group are not known.

        Raises:
            InputError: a file that cannot be read.
        """
        kind = self._kind.value
        if kind == _BOX:
            text = self._box.value
            if self._read[0] != text:  # it is asked for often, and may be long
                self._read = (text, from_text(text))
            return self._read[1]
        if kind == _FILE:
            return self._upload.audience
        return self._group.audience if kind == _GROUP else self._given

    def members(self, value: _Value, *, load: bool) -> tuple[str, Sequence[str]]:
        """Return what the customers of a value are called, "" where they have no name, and who.

        Args:
            value: what `value` was: it may be another by now.
            load: whether the API may be asked for the members of a target group.

        Raises:
            InputError: nobody is chosen, or it cannot be read.
            OptimoveAnalysisError: the target group's members cannot be had.
        """
        if isinstance(value, dict):
            group, day = value["target_group"], value["day"]
            found = self._group.members(group, day, load=load)
            if not found.ids:
                message = "this target group has no customers on that day; choose another."
                raise InputError(message)
            return self._group.name_of(group), found.ids
        if not value:
            _ = self.known  # a file that cannot be read says so
            if self._kind.value == _FILE:
                raise InputError("upload a file of customer ids: CSV, or one id a line.")
            raise InputError(
                "paste the customers' ids (leading zeros count), or choose a file or a target "
                "group."
            )
        is_file = self._kind.value == _FILE and value == self.value
        return self._upload.name if is_file else "", value

    @property
    def value(self) -> _Value:
        """A list of ids, or a target group and its day."""
        if self._kind.value == _GROUP:
            return self._group.value
        try:
            known = self.known
        except OptimoveAnalysisError:
            known = None
        return [] if known is None else list(known.ids)

    @value.setter
    def value(self, value: str | Iterable[Any] | Mapping[str, Any]) -> None:
        if isinstance(value, Mapping):
            self._group.value = dict(value)
            self._kind.value = _GROUP
            self._tell()
            return
        given = from_text(value) if isinstance(value, str) else from_ids(value)
        if given.bad:
            raise InputError(f"customers: {given}")
        now = self.value
        if isinstance(now, list) and given.ids == tuple(now):  # a file stays a file
            return
        if len(given.ids) > _MOST_IN_BOX or any(_splits(one) for one in given.ids):
            self._given = given
            self._kind.options = [_BOX, _FILE, _GROUP, _CODE]
            self._kind.value = _CODE
            self._tell()
        else:
            self._box.value = ", ".join(given.ids)
            self._kind.value = _BOX


def _splits(one: str) -> bool:
    """Tell whether an id would be several in the box."""
    return from_text(one).ids != (one,)
