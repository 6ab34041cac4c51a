"""The fields that every form has: which days, which channels, and how messages are counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import ipywidgets as widgets
import polars as pl

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.forms.fields import (
    Choice,
    Choices,
    Day,
    Field,
    Line,
    Number,
    Presets,
    split_ids,
)
from optimove_analysis.forms.form import ROW

__all__ = ["CountingFields", "chosen_days"]

_UNITS: Final = {
    "Messages": "message",
    "Customers": "customer",
    "Customer-days": "customer_day",
    "Campaigns": "campaign",
}
_OPENS: Final = {"Trust opens": "trust", "Ignore opens": "ignore"}


class CountingFields:
    """Days with presets, channels, campaigns, window, unit and opens policy."""

    def __init__(self, catalogue: Catalogue, last: dt.date) -> None:
        self._catalogue = catalogue
        self.start, self.end = Day("From"), Day("until")
        presets = Presets(self.start, self.end, last)
        self.channels = Choices(
            "Channels", sorted(set(catalogue.channels.values())), what="channel"
        )
        self.campaigns = Line("Campaigns (none: all)", placeholder="4211, 4305", width="20em")
        window = Number("Window", usual=(1, 3, 7, 14, 30), unit="day", none="no window")
        unit = Choice("Count", _UNITS, what="unit")
        opens = Choice("Opens", _OPENS, what="opens")
        window.value = 7
        self.all: dict[str, Field] = {
            "start": self.start,
            "end": self.end,
            "channels": self.channels,
            "campaigns": self.campaigns,
            "window": window,
            "unit": unit,
            "opens": opens,
        }
        self.days = [presets.widget, self.start.widget, self.end.widget]
        how: list[Field] = [self.campaigns, window, unit, opens]
        self.rows = [
            self.channels.widget,
            widgets.HBox([field.widget for field in how], layout=ROW),
        ]

    def narrow(self, interactions: pl.DataFrame, asked: Mapping[str, Any]) -> pl.DataFrame:
        """Keep the channels and campaigns that are asked for.

        Raises:
            InputError: a campaign's id is no number.
        """
        if asked["channels"]:
            ids = self.channel_ids(asked)
            interactions = interactions.filter(pl.col("channel_id").is_in(ids))
        self.check(asked)
        if campaigns := split_ids(asked["campaigns"]):
            interactions = interactions.filter(
                pl.col("campaign_id").is_in([int(one) for one in campaigns])
            )
        return interactions

    def check(self, asked: Mapping[str, Any]) -> None:
        """Refuse what cannot be counted, before anything is fetched for it.

        Raises:
            InputError: a campaign's id is no number.
        """
        for one in split_ids(asked["campaigns"]):
            if not one.isdecimal():
                message = f"{one!r} is no campaign's id; it is a whole number, such as 4211."
                raise InputError(message)

    def channel_ids(self, asked: Mapping[str, Any]) -> list[int]:
        """Return the ids of the channels that are asked for; none: all."""
        names = asked["channels"]
        return [i for i, name in self._catalogue.channels.items() if name in names]

    def rules(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return how messages are counted, as the analysis takes it."""
        rules = {name: asked[name] for name in ("window", "opens")}
        return {**rules, "catalogue": self._catalogue}


def chosen_days(asked: Mapping[str, Any]) -> tuple[dt.date, dt.date]:
    """Return the first and the last day.

    Raises:
        InputError: one of them is not chosen.
    """
    for name, day in (("first", asked["start"]), ("last", asked["end"])):
        if day is None:
            message = f"choose the {name} day of the sends."
            raise InputError(message)
    return asked["start"], asked["end"]
