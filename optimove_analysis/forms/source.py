"""What a form asks of what it is given: the client fulfils it, and so may a file or a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, overload

import polars as pl

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import ApiEndpoint, ParameterValue

__all__ = ["Answered", "Asked", "AudienceSource", "FetchPlan", "Progress", "Source", "Where"]


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


class Where(Protocol):
    """Where requests go, and as whom; the credential itself is not in it."""

    @property
    def url(self) -> str:
        """The instance's address."""

    @property
    def header(self) -> str:
        """The name of the header that carries the credential."""

    @property
    def key_source(self) -> str:
        """Where the credential is from, in words."""


class Answered(Protocol):
    """What came back of one request; no credential is in it."""

    @property
    def endpoint(self) -> str:
        """The function's name."""

    @property
    def method(self) -> str:
        """GET, as a rule."""

    @property
    def url(self) -> str:
        """The whole address that was asked."""

    @property
    def ok(self) -> bool:
        """Whether the answer is what the function documents."""

    @property
    def problem(self) -> str:
        """What is wrong, in plain words; empty where nothing is."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that can be shown."""

    @property
    def withheld(self) -> tuple[str, ...]:
        """The names of the others."""

    @property
    def text(self) -> str:
        """The body as text."""

    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the body's content, or raise ValueError."""

    def frame(self) -> pl.DataFrame:
        """Return the typed table, or raise one of the family's errors."""

    def facts(self) -> dict[str, str]:
        """Return what is to be known of it beside the body, in words; "Status" is among it."""


class Asked(Protocol):
    """Whom a form can ask for one thing at a time."""

    @property
    def settings(self) -> Where:
        """Where requests go."""

    @property
    def endpoints(self) -> Mapping[str, ApiEndpoint]:
        """The functions that can be asked, by name."""

    def ask(
        self, endpoint: str, *, refresh: bool = False, **parameters: ParameterValue
    ) -> Answered:
        """Return what comes back of one request."""


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
