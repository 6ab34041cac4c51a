"""What a form asks of what it is given: the client fulfils it, and so may a file or a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal, Protocol, overload

import polars as pl

from optimove_analysis.catalogue import Catalogue

__all__ = ["AudienceSource", "FetchPlan", "Progress", "Source"]


class Progress(Protocol):
    """How far a fetch has come; as text it reads as a line, with the time that is left."""

    @property
    def fetched(self) -> int:
        """Customers asked for and answered."""

    @property
    def cached(self) -> int:
        """Customers whose answer was kept."""

    @property
    def failed(self) -> int:
        """Customers whose answer could not be had."""

    @property
    def total(self) -> int:
        """All customers."""

    @property
    def eta(self) -> float:
        """Seconds until the last request can be sent."""


class Source(Protocol):
    """Where a form's data comes from."""

    def interactions(
        self,
        customer_ids: list[str],
        start: dt.date,
        end: dt.date,
        *,
        progress: Callable[[Any], None] | None = None,
    ) -> pl.DataFrame:
        """Return the customers' interactions; ``progress`` is called with a `Progress`.

        What ``progress`` raises ends the fetch: so a form cancels it.
        """

    def catalogue(self) -> Catalogue:
        """Return what channel and event ids mean."""

    def last_update(self) -> dt.date:
        """Return the day through which the data is complete."""


class FetchPlan(Protocol):
    """What a fetch would cost, before anything is sent."""

    @property
    def customers(self) -> int:
        """All customers."""

    @property
    def kept(self) -> int:
        """Customers whose answer is kept and good."""

    @property
    def to_fetch(self) -> int:
        """Customers who must be asked for."""

    @property
    def requests(self) -> int:
        """Requests to send."""

    @property
    def seconds(self) -> float:
        """Seconds until the last of them can be sent."""


class AudienceSource(Source, Protocol):
    """A source that can also say what many customers cost, go on where one fails, and list them."""

    @overload
    def interactions(
        self,
        customer_ids: list[str],
        start: dt.date,
        end: dt.date,
        *,
        progress: Callable[[Any], None] | None = None,
    ) -> pl.DataFrame: ...

    @overload
    def interactions(
        self,
        customer_ids: list[str],
        start: dt.date,
        end: dt.date,
        *,
        progress: Callable[[Any], None] | None = None,
        on_error: Literal["collect"],
    ) -> tuple[pl.DataFrame, pl.DataFrame]: ...

    def plan(self, customer_ids: list[str], start: dt.date, end: dt.date) -> FetchPlan:
        """Say what `interactions` would cost; nothing is sent."""

    def target_groups(self) -> pl.DataFrame:
        """Return ``target_group_id`` and ``target_group_name``, one row a group."""

    def customers(self, target_group_id: int, day: dt.date) -> pl.DataFrame:
        """Return the customers of a target group on a day, their ids in ``customer_id``."""
