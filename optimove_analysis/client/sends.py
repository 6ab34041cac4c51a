"""A campaign's sends: what to ask for them, and the interactions table that the answers make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Final, Protocol

import polars as pl

from optimove_analysis.client.convert import loads
from optimove_analysis.client.endpoints import CAMPAIGNS_PATH
from optimove_analysis.client.responses import parse_table
from optimove_analysis.client.session import Answer, Shape
from optimove_analysis.errors import ApiError, ResponseError, SchemaError
from optimove_analysis.schema import CAMPAIGNS, INTERACTIONS, SENDS

__all__ = [
    "AUDIENCE",
    "Asks",
    "Request",
    "campaigns_of",
    "data_through",
    "day_lists",
    "digest",
    "height",
    "sends_of",
    "sent_interactions",
]

AUDIENCE: Final = pl.Schema({"customer_id": pl.String(), "_place": pl.Int64()})
"""Whose sends are wanted, and in which order they are to come."""
_NO_CONSTANTS: Final[Mapping[str, object]] = {}
# A day, and a clock time that is not read but kept: its zone is not documented.
_TIME: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of many."""

    function: str
    params: dict[str, str]
    label: str
    """What an error calls it; no two of the requests asked at once have the same."""


class Asks(Protocol):
    """How the API is asked; `Session` is one."""

    def kept(self, function: str, params: Mapping[str, str]) -> Answer | None:
        """Return the answer that is kept, if any, and send nothing."""

    def get(
        self,
        function: str,
        params: Mapping[str, str],
        *,
        shape: Shape = ...,
        sleep: Callable[[float], None] | None = ...,
        absent: Callable[[ApiError], bool | None] | None = ...,
    ) -> Answer:
        """Return the answer, kept or new.

        ``sleep`` waits, and may raise to give up. ``absent`` tells which errors of the API are
        empty answers, as for `Session.fetch`.
        """


def day_lists(first: date, last: date) -> list[Request]:
    """Return the requests for the campaigns of each day."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [
        Request(CAMPAIGNS_PATH, {"Date": day.isoformat()}, f"campaigns of {day}") for day in days
    ]


def campaigns_of(answers: Iterable[Answer]) -> tuple[list[int], int]:
    """Return the ids of the campaigns that lists name, each once, and how many have no id."""
    bodies = ((answer.asked, answer.body, _NO_CONSTANTS) for answer in answers)
    numbers = parse_table(CAMPAIGNS, bodies)["campaign_id"]
    return numbers.drop_nulls().unique(maintain_order=True).to_list(), numbers.null_count()


def sends_of(campaign_id: int) -> dict[str, str]:
    """Return the parameters of a campaign's sends, with their templates."""
    return {"CampaignID": str(campaign_id), "IncludeTemplateIDs": "True"}


def height(answer: Answer) -> int:
    """Return how many rows an answer has; reading them as a table would take ten times as long.

    Raises:
        ResponseError: it is not JSON.
    """
    try:
        return len(loads(answer.body))
    except ValueError as error:
        raise ResponseError(f"the response to {answer.asked} is not JSON ({error}).") from error


def digest(answer: Answer) -> bytes:
    """Return what is equal for equal bodies, and small."""
    return blake2b(answer.body, digest_size=16).digest()


def data_through(answer: Answer, last: date) -> date:
    """Return the day through which an answer's data is complete, as for a customer's interactions.

    Args:
        answer: the answer.
        last: the end of the requested range.
    """
    return min(filter(None, [last, answer.last_update, answer.fetched_at.date()]))


def sent_interactions(sends: list[pl.DataFrame], sent_event_id: int | None) -> pl.DataFrame:
    """Make the interactions table of sends, each with its place in the audience.

    Args:
        sends: frames of ``schema.SENDS``, with ``_place``, ``data_through`` and perhaps ``extra``.
        sent_event_id: the event id of all rows.

    Raises:
        SchemaError: a ScheduledTime that has no day.
    """
    if not sends:
        return INTERACTIONS.empty()
    frame = pl.concat(sends, how="diagonal")
    time = pl.col("scheduled_time")
    day = time.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    frame = frame.with_columns(date=pl.when(time.str.contains(_TIME)).then(day))
    wrong = frame.filter(pl.col("date").is_null() & time.is_not_null()).head(1)
    for number, value in wrong.select("campaign_id", "scheduled_time").iter_rows():
        raise SchemaError(
            f"a send of campaign {number}: {SENDS['scheduled_time'].api!r} is {value[:80]!r}; "
            "a day and time as text, as '2015-12-30 10:30:00', or null, is wanted."
        )
    kept = pl.struct(pl.col(name).alias(SENDS[name].api) for name in ("scheduled_time", "send_id"))
    extra = kept.struct.json_encode()
    if "extra" in frame.columns:  # fields that the package does not know: two objects made one
        more = pl.concat_str(
            extra.str.strip_suffix("}"), pl.lit(", "), pl.col("extra").str.strip_prefix("{")
        )
        extra = pl.coalesce(more, extra)
    absent = {
        column.name: pl.lit(None, column.dtype)
        for column in INTERACTIONS.columns
        if column.name not in frame.columns
    }
    made = absent | {"extra": extra, "event_id": pl.lit(sent_event_id, pl.Int64)}
    order = ("_place", "date", "campaign_id", "channel_id", "template_id")
    frame = frame.with_columns(**made).sort(order, maintain_order=True)
    return frame.select(INTERACTIONS.names)
