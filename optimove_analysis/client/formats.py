"""The formats of interactions responses, as data: which field fills which column."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from optimove_analysis.client.convert import loads
from optimove_analysis.schema import INTERACTIONS, Column

__all__ = [
    "CHANNEL_INTERACTIONS",
    "ENGAGEMENT_METRICS",
    "FILLED",
    "FORMATS",
    "ResponseFormat",
    "fields_of",
    "format_of",
    "name_of",
]

_DECODER: Final = json.JSONDecoder()

_GIVEN: Final = ("customer_id", "data_through", "extra")

FILLED: Final = tuple(column for column in INTERACTIONS.columns if column.name not in _GIVEN)
"""The columns of the interactions that a field of a row may fill."""


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """How the rows of one kind of interactions response are laid out.

    >>> CHANNEL_INTERACTIONS.fields["ChannelID"]
    'channel_id'
    """

    name: str
    fields: Mapping[str, str]
    """Field of the API to column of the interactions table."""
    required: frozenset[str]
    """Fields without which a row is an error; others that are absent are null."""
    marks: frozenset[str] = field(default=frozenset())
    """A response with any of these fields has this format; with none, the format is a fallback."""

    def missing(self, names: Collection[str]) -> list[str]:
        """Return the required fields that are not among these."""
        return [name for name in self.fields if name in self.required and name not in names]


def fields_of(columns: Iterable[Column]) -> dict[str, str]:
    """Return field to column, of the columns that have a field."""
    return {column.api: column.name for column in columns if column.api}


def format_of(formats: Sequence[ResponseFormat], names: Collection[str]) -> ResponseFormat | None:
    """Return the format of a response in which fields of these names occur, None if none fits."""
    fitting = (form for form in formats if not form.marks.isdisjoint(names) or not form.marks)
    return next(fitting, None)


def name_of(body: bytes, formats: Sequence[ResponseFormat]) -> str | None:
    """Return the name of the format of a response that was read; None where it has no rows.

    >>> name_of(b'[{"Date": "2018-08-20", "EventTime": null}]', FORMATS)
    'engagement metrics'
    """
    text = body.decode()
    start = text.find("{")
    if start < 0:
        return None
    # The first row tells, unless a later one may have a mark that it lacks.
    names = set(_DECODER.raw_decode(text, start)[0])
    marks = frozenset().union(*(form.marks for form in formats)) - names
    # One character is found a hundred times as fast as two.
    escapes = "\\" in text and "\\u" in text
    if escapes or any(f'"{mark}"' in text for mark in marks):
        names = names.union(*loads(body))
    form = format_of(formats, names)
    return None if form is None else form.name


_OLD: Final = fields_of(column for column in FILLED if not column.optional)
_NEW: Final = fields_of(column for column in FILLED if column.optional)

CHANNEL_INTERACTIONS: Final = ResponseFormat("channel interactions", _OLD, frozenset(_OLD))
"""The documented format of GetCustomerChannelInteractions, all seven fields required.

developer.optimove.com, reference of GetCustomerChannelInteractions, read 2026-11.
"""

ENGAGEMENT_METRICS: Final = ResponseFormat(
    "engagement metrics", {**_OLD, **_NEW}, frozenset(_OLD), frozenset(_NEW)
)
"""ASSUMED format of GetCampaignEngagementMetrics, and of an account with its flag on.

Optimove announces a "new, richer" format, and no public page lists its fields. We assume the seven
documented ones, and CampaignType, EventTime (ISO 8601, UTC), EventName and ChannelName, each of
which may be absent. Where your account differs, describe it as another `ResponseFormat`.
"""

FORMATS: Final = (ENGAGEMENT_METRICS, CHANNEL_INTERACTIONS)
