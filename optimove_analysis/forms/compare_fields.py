"""The fields that ask what an audience is held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import ipywidgets as widgets

from optimove_analysis.errors import InputError
from optimove_analysis.forms.audience_field import AudienceField
from optimove_analysis.forms.fields import Choice, Day, Field
from optimove_analysis.forms.source import AudienceSource

__all__ = ["Before", "CompareFields", "earlier_days"]

_KINDS: Final = {
    "Nothing": "nothing",
    "Another audience": "audience",
    "An earlier period": "period",
}
_Days = tuple[dt.date, dt.date]


class Before:
    """The earlier period: None where it is as long as the other and directly before it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._choice = widgets.Dropdown(
            options=["Directly before, as long", "Own dates"],
            description="Earlier period",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="20em", max_width="100%"),
        )
        self._start, self._end = Day("From"), Day("until")
        self._own = [self._start.widget, self._end.widget]
        # A layout of its own: this one is hidden and shown.
        layout = widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px", align_items="center")
        self.widget = widgets.HBox([self._choice, *self._own], layout=layout)
        for one in (self._choice, *self._own):
            one.observe(lambda _: self._follow(changed), "value")
        self._follow(lambda: None)

    def _follow(self, changed: Callable[[], None]) -> None:
        for one in self._own:
            one.layout.display = None if self._choice.index else "none"
        changed()

    @property
    def value(self) -> tuple[dt.date | None, dt.date | None] | None:
        """The first and the last day, or None."""
        return (self._start.value, self._end.value) if self._choice.index else None

    @value.setter
    def value(self, value: tuple[dt.date | str, dt.date | str] | None) -> None:
        if value is not None:
            if not isinstance(value, list | tuple) or len(value) != 2:  # noqa: PLR2004 - two days
                raise InputError(f"before={value!r} must be two days, or None.")
            self._start.value, self._end.value = value
        self._choice.index = 0 if value is None else 1


def earlier_days(
    given: tuple[dt.date | None, dt.date | None] | None, start: dt.date, end: dt.date
) -> _Days:
    """Return the earlier period of one; ``given`` is the value of `Before`.

    Raises:
        InputError: a day is missing, or the two periods share days.
    """
    if given is None:
        length = end - start + dt.timedelta(days=1)
        try:
            return start - length, end - length
        except OverflowError:  # a year that is being typed: 2, 20, 202
            message = f"before {start} there are no days to compare with."
            raise InputError(message) from None
    first, last = given
    if first is None or last is None:
        raise InputError("choose both days of the earlier period.")
    if first > last:
        raise InputError(f"the earlier period is the wrong way round: {first} is after {last}.")
    if last >= start:
        raise InputError(
            f"the earlier period, {first} to {last}, must end before {start}, when the other "
            "one begins."
        )
    return first, last


class CompareFields:
    """Nothing, another audience, or an earlier period."""

    def __init__(self, source: AudienceSource, last: dt.date, changed: Callable[[], None]) -> None:
        self.kind = Choice("Compare with", _KINDS, what="compare", width="20em")
        self.other = AudienceField(source, "Other customers", last, changed)
        self.before = Before(changed)
        self.all: dict[str, Field] = {
            "compare": self.kind,
            "other": self.other,
            "before": self.before,
        }
        self.widget = widgets.VBox(
            [self.kind.widget, self.other.widget, self.before.widget],
            layout=widgets.Layout(width="100%"),
        )
        self.kind.widget.observe(lambda _: self._follow(changed), "value")
        self._follow(lambda: None)

    def _follow(self, changed: Callable[[], None]) -> None:
        for kind, field in (("audience", self.other), ("period", self.before)):
            field.widget.layout.display = None if self.kind.value == kind else "none"
        changed()
