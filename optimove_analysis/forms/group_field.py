"""A target group on a day: its members are the customers."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from functools import partial
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
        # What went wrong, by what was asked for: None for the groups themselves.
        self._wrong: dict[tuple[int, dt.date] | None, OptimoveAnalysisError] = {}
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

    def name_of(self, group: int) -> str:
        """Return a group's name; "" of one that is not known."""
        return next((name for name, one in self._group.options if one == group), "")

    @property
    def audience(self) -> Audience | None:
        """Who they are; None while that is not known.

        Raises:
            OptimoveAnalysisError: they cannot be had.
        """
        asked = self._asked
        if asked in self._wrong:
            raise self._wrong[asked]
        return self._known.get(asked) if asked else None

    @property
    def _asked(self) -> tuple[int, dt.date] | None:
        group, day = self._group.value, self._day.value
        return None if group is None or day is None else (group, day)

    def open(self) -> None:
        """Have the groups there to be chosen from."""
        if not self._group.options:
            self._in_thread(None, self._offer)

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
        asked = self._asked
        if asked is not None and asked not in self._known:
            self._in_thread(asked, partial(self.members, *asked, load=True))
        self._changed()

    def _in_thread(self, asked: tuple[int, dt.date] | None, work: Callable[[], object]) -> None:
        """Do what takes long beside; what goes wrong is said of what was asked, and of no other."""
        self._wrong.pop(asked, None)

        def quietly() -> None:
            try:
                work()
            except OptimoveAnalysisError as error:
                self._wrong[asked] = error
            except Exception as error:  # noqa: BLE001 - a thread's exception would go unseen
                message = f"unexpected {type(error).__name__}: {error}"
                self._wrong[asked] = OptimoveAnalysisError(message)
            self._changed()

        threading.Thread(target=quietly, name="optimove-group", daemon=True).start()

    def members(self, group: int | None, day: dt.date | None, *, load: bool) -> Audience:
        """Return the members of a group on a day; ``load``: the API may be asked for them.

        Raises:
            InputError: no group or day is chosen, or they are not known and must not be asked for.
            OptimoveAnalysisError: they cannot be had.
        """
        if group is None or day is None:
            raise InputError("choose a target group and a day.")
        asked = (group, day)
        if asked not in self._known:
            if not load:
                raise InputError("who is in this target group is not known yet.")
            found = self._source.customers(group, day)["customer_id"]
            self._known[asked] = from_ids(found.drop_nulls().unique(maintain_order=True))
        self._wrong.pop(asked, None)
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
