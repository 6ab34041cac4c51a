"""What a form asks, a field each: a widget to see, and a plain value to read, keep and set."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import ipywidgets as widgets

from optimove_analysis.errors import InputError

__all__ = [
    "Choice",
    "Choices",
    "Day",
    "Field",
    "Line",
    "Number",
    "Presets",
    "split_ids",
]

_USUAL: Final = "13.5em"
_OWN: Final = "Own dates"
_MOST_OPTIONS: Final = 500
"""So many suggestions are sent to the browser at most."""


def _look(description: str, width: str = _USUAL) -> dict[str, Any]:
    return {
        "description": description,
        "style": {"description_width": "initial"},
        "layout": widgets.Layout(width=width, max_width="100%"),
    }


class Field(Protocol):
    """One thing that a form asks for."""

    @property
    def widget(self) -> widgets.Widget:
        """What is shown."""

    @property
    def value(self) -> Any:  # noqa: ANN401 - each field has its own type
        """What is asked for, as a plain value."""

    @value.setter
    def value(self, value: Any) -> None: ...  # noqa: ANN401 - as above


class Line:
    """A line of text, completed from suggestions as it is typed."""

    def __init__(
        self,
        description: str,
        *,
        suggestions: Iterable[str] = (),
        placeholder: str = "",
        width: str = _USUAL,
    ) -> None:
        self.widget = widgets.Combobox(
            placeholder=placeholder, ensure_option=False, **_look(description, width)
        )
        self.suggest(suggestions)

    def suggest(self, suggestions: Iterable[str]) -> None:
        """Offer these, the first few hundred of them, in place of earlier ones."""
        distinct = dict.fromkeys(map(str, suggestions))
        self.widget.options = tuple(distinct)[:_MOST_OPTIONS]

    @property
    def value(self) -> str:
        """The text as it stands there."""
        return str(self.widget.value)

    @value.setter
    def value(self, value: str | int | Iterable[str | int] | None) -> None:
        if isinstance(value, str):
            self.widget.value = value
        elif value is None:
            self.widget.value = ""
        else:
            many = [value] if isinstance(value, int) else value
            self.widget.value = ", ".join(map(_one_id, many))


def _one_id(value: object) -> str:
    """Return an id as text.

    Raises:
        InputError: it is none, or would be several in a line.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        message = f"{value!r} is no id; write it as text, with its leading zeros."
        raise InputError(message)
    if split_ids(str(value)) != [str(value)]:
        message = f"the id {value!r} has a space, a comma or a semicolon in it, or nothing at all."
        raise InputError(message)
    return str(value)


class Day:
    """A day; None while none is chosen."""

    def __init__(self, description: str) -> None:
        self.widget = widgets.DatePicker(**_look(description))

    @property
    def value(self) -> dt.date | None:
        """The day."""
        day: dt.date | None = self.widget.value
        return day

    @value.setter
    def value(self, value: dt.date | str | None) -> None:
        if isinstance(value, str):
            try:
                value = dt.date.fromisoformat(value)
            except ValueError:
                message = f"{value!r} is no day; write it as 2025-12-31."
                raise InputError(message) from None
        if isinstance(value, dt.datetime):
            value = value.date()
        if value is not None and not isinstance(value, dt.date):
            message = f"{value!r} is no day; give a date, or text such as 2025-12-31."
            raise InputError(message)
        self.widget.value = value


class Number:
    """A whole number that may be absent; ``none`` is what its absence is called."""

    def __init__(self, description: str, *, usual: Sequence[int], unit: str, none: str) -> None:
        self._unit, self._none = unit, none
        self.widget = widgets.Dropdown(**_look(description))
        self._offer(usual)

    def _offer(self, numbers: Iterable[int]) -> None:
        known = sorted(set(numbers))
        named = [(f"{n} {self._unit}{'' if n == 1 else 's'}", n) for n in known]
        self.widget.options = [*named, (self._none, None)]

    @property
    def value(self) -> int | None:
        """The number."""
        number: int | None = self.widget.value
        return number

    @value.setter
    def value(self, value: int | None) -> None:
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                message = f"{value!r} is no number of {self._unit}s; give a whole number or None."
                raise InputError(message)
            known = [number for _, number in self.widget.options if number is not None]
            if value not in known:
                self._offer([*known, value])
        self.widget.value = value


class Choice:
    """One of several, each with a name that reads well."""

    def __init__(
        self, description: str, options: Mapping[str, Any], *, what: str, width: str = _USUAL
    ) -> None:
        self._options, self._what = dict(options), what
        self.widget = widgets.Dropdown(options=list(options.items()), **_look(description, width))

    @property
    def value(self) -> Any:  # noqa: ANN401 - of whatever type the options are
        """The chosen option's value."""
        return self.widget.value

    @value.setter
    def value(self, value: Any) -> None:  # noqa: ANN401 - as above
        if value not in self._options.values():
            raise InputError.option(self._what, value, self._options.values())
        self.widget.value = value


class Choices:
    """Any of several, a checkbox each; none means all."""

    def __init__(self, description: str, names: Iterable[str], *, what: str) -> None:
        self._what = what
        self.boxes = {
            name: widgets.Checkbox(
                description=name, indent=False, layout=widgets.Layout(width="auto")
            )
            for name in names
        }
        self.widget = widgets.HBox(
            [widgets.Label(f"{description} (none: all)"), *self.boxes.values()],
            layout=widgets.Layout(flex_flow="row wrap", grid_gap="0 16px", align_items="center"),
        )
        self.widget.add_class("optimove-group")  # `Manners` names it

    @property
    def value(self) -> list[str]:
        """The names that are chosen."""
        return [name for name, box in self.boxes.items() if box.value]

    @value.setter
    def value(self, value: Iterable[str] | None) -> None:
        wanted = [value] if isinstance(value, str) else list(value or ())
        for name in wanted:
            if name not in self.boxes:
                raise InputError.option(self._what, name, self.boxes)
        for name, box in self.boxes.items():
            box.value = name in wanted


class Presets:
    """The ranges that people ask for most: chosen here, the two days are set."""

    def __init__(self, start: Day, end: Day, last: dt.date) -> None:
        self._days = (start, end)
        self._setting = False
        self._ranges = {
            f"Last {days} days": (last - dt.timedelta(days=days - 1), last)
            for days in (30, 90, 365)
        }
        self._ranges["This year"] = (last.replace(month=1, day=1), last)
        self.widget = widgets.Dropdown(
            options=[*self._ranges, _OWN], value=_OWN, **_look("Sent in")
        )
        self.widget.observe(self._chosen, "value")
        for day in self._days:
            day.widget.observe(lambda _: self._follow(), "value")

    def _chosen(self, change: Mapping[str, Any]) -> None:
        if change["new"] not in self._ranges:
            return
        self._setting = True  # between the two days the range is neither the old nor the new
        for day, value in zip(self._days, self._ranges[change["new"]], strict=True):
            day.value = value
        self._setting = False

    def _follow(self) -> None:
        """Name the range that the days make, if it has a name."""
        if not self._setting:
            now = tuple(day.value for day in self._days)
            names = (name for name, days in self._ranges.items() if days == now)
            self.widget.value = next(names, _OWN)


def split_ids(text: str) -> list[str]:
    """Return the ids in a text: between commas, semicolons or spaces, each once, zeros kept.

    >>> split_ids("000001, 841231;000001")
    ['000001', '841231']
    """
    return list(dict.fromkeys(one for one in re.split(r"[\s,;]+", text) if one))
