"""A target group on a day: its members are the customers."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any, Final

import ipywidgets as widgets

from optimove_analysis.errors import InputError, OptimoveAnalysisError
from optimove_analysis.forms.audience import Audience, from_ids
from optimove_analysis.forms.fields import Day
from optimove_analysis.forms.source import AudienceSource

__all__ = ["GroupField"]

_KEYS: Final = ("target_group", "day")


class GroupField:
    """The groups and their members are asked for in a thread, so that the page stays quick."""

    def __init__(
        self, source: AudienceSource, day: Day, last: dt.date, changed: Callable[[], None]
    ) -> None:
        self._source, self._day, self._changed = source, day, changed
        self._known: dict[tuple[int, dt.date], Audience] = {}
        self._lock = threading.Lock()
        self._wrong: OptimoveAnalysisError | None = None
        self._day.value = last
        self._group = widgets.Dropdown(
            description="Target group",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="22em", max_width="100%"),
        )
        self.widget = widgets.HBox(
            [self._group, self._day.widget],
            layout=widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px", align_items="center"),
        )
        self._group.observe(lambda _: self._look(), "value")
        self._day.widget.observe(lambda _: self._look(), "value")

    @property
    def state(self) -> str:
        """Return what is going on while the members are not known."""
        return "Choose a target group." if self._group.value is None else "Asking who they are ..."

    @property
    def name(self) -> str:
        """The group's name."""
        return str(self._group.label or "")

    @property
    def audience(self) -> Audience | None:
        """Who they are; None while that is not known.

        Raises:
            OptimoveAnalysisError: they cannot be had.
        """
        if self._wrong is not None:
            raise self._wrong
        return self._known.get(self._asked) if self._asked else None

    @property
    def _asked(self) -> tuple[int, dt.date] | None:
        group, day = self._group.value, self._day.value
        return None if group is None or day is None else (group, day)

    def open(self) -> None:
        """Have the groups there to be chosen from."""
        if not self._group.options:
            threading.Thread(target=self._quietly, args=(self._offer,), daemon=True).start()

    def _offer(self) -> None:
        with self._lock:
            if self._group.options:
                return
            groups = self._source.target_groups().sort("target_group_name", nulls_last=True)
            names = groups.select("target_group_name", "target_group_id").rows()
            if not names:
                raise InputError("the account has no target groups.")
            seen = [name for name, _ in names]
            self._group.options = [
                (f"{name or 'no name'} ({one})" if seen.count(name) > 1 or not name else name, one)
                for name, one in names
            ]

    def _look(self) -> None:
        self._wrong = None
        if self._asked is not None and self._asked not in self._known:
            threading.Thread(target=self._quietly, args=(self.load,), daemon=True).start()
        self._changed()

    def _quietly(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OptimoveAnalysisError as error:
            self._wrong = error
        self._changed()

    def load(self) -> Audience:
        """Return the members of the group on the day.

        Raises:
            InputError: no group or day is chosen.
            OptimoveAnalysisError: they cannot be had.
        """
        asked = self._asked
        if asked is None:
            raise InputError("choose a target group and a day.")
        if asked not in self._known:
            found = self._source.customers(*asked)["customer_id"]
            self._known[asked] = from_ids(found.drop_nulls().unique(maintain_order=True))
        self._wrong = None
        return self._known[asked]

    @property
    def value(self) -> dict[str, Any]:
        """The group's id and the day."""
        return dict(zip(_KEYS, (self._group.value, self._day.value), strict=True))

    @value.setter
    def value(self, value: dict[str, Any]) -> None:
        for name in value:
            if name not in _KEYS:
                raise InputError.option("target group", name, _KEYS)
        group = value.get("target_group")
        self._offer()
        known = [one for _, one in self._group.options]
        if group is not None and group not in known:
            raise InputError.option("target_group", group, known)
        if "day" in value:
            self._day.value = value["day"]
        self._group.value = group
