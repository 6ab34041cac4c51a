"""Bytes to typed frames, in bulk, with nothing dropped and nothing rounded.

A response format is data, not code: `ResponseFormat` says which field fills which column, which
fields must be there, and by which it is recognised. Recognition is per response, so that an
account whose flag is switched half way, or a cache that holds both, reads as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, repeat
from typing import Any, Final

import polars as pl

from optimove_analysis.client.convert import loads, to_column, to_json
from optimove_analysis.errors import ResponseError, SchemaError
from optimove_analysis.schema import INTERACTIONS, Column, Table

__all__ = ["CHANNEL_INTERACTIONS", "ENGAGEMENT_METRICS", "ResponseFormat", "parse", "parse_table"]

_EMPTY: Final[Mapping[str, object]] = {}
_GIVEN: Final = ("customer_id", "data_through", "extra")
"""Columns of the interactions that no field of a row fills."""


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


def _fields(columns: Iterable[Column]) -> dict[str, str]:
    return {column.api: column.name for column in columns if column.api}


_ALL: Final = [column for column in INTERACTIONS.columns if column.name not in _GIVEN]
_OLD: Final = _fields(column for column in _ALL if not column.optional)
_NEW: Final = _fields(column for column in _ALL if column.optional)

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


def parse(
    bodies: Iterable[tuple[str, bytes, date | None]],
    *,
    formats: Sequence[ResponseFormat] = FORMATS,
) -> pl.DataFrame:
    """Make one frame of many interactions responses.

    Rows keep the order of the responses and of the rows in each. Nulls stay null; a whole number
    given as text is converted; a field that the format does not know is kept in ``extra``, as
    JSON. An empty response gives no row.

    Args:
        bodies: (customer id, body, data through) of each response.
        formats: tried in order; the first whose mark is found, else the first without marks.

    Returns:
        The interactions table, exactly.

    Raises:
        ResponseError: a body is not a JSON list of objects.
        SchemaError: no format fits, a field is missing, or a value has no exact counterpart in
            its column.
    """
    parts: list[pl.DataFrame] = []
    batch: list[_Response] = []
    for customer, body, through in bodies:
        place = f"interactions response for customer {customer}"
        rows, keys = _rows(body, place)
        fitting = (form for form in formats if form.marks & keys or not form.marks)
        layout = next(fitting, None)
        if layout is None:
            raise SchemaError(f"the {place} has none of the marks of {[f.name for f in formats]}.")
        if batch and batch[0].layout is not layout:
            parts.append(_frame(batch))
            batch = []
        batch.append(_Response(place, rows, layout, customer, through))
    if batch:
        parts.append(_frame(batch))
    return pl.concat(parts) if parts else INTERACTIONS.empty()


def parse_table(
    table: Table, bodies: Iterable[tuple[str, bytes, Mapping[str, object]]]
) -> pl.DataFrame:
    """Make one frame of a catalogue's responses, by the field names of its table.

    Args:
        table: the catalogue's table; each of its columns names its field.
        bodies: (what was asked, body, constants) of each response. A constant fills a column of
            that name, which no field then does: the channel whose templates were asked for.

    Returns:
        The table; fields that it does not know are in a last column ``extra``, as JSON, only where
        there are any.

    Raises:
        ResponseError: a body is not a JSON object or list of objects.
        SchemaError: a field is missing, or a value has no exact counterpart in its column.
    """
    responses = []
    for asked, body, constants in bodies:
        place = f"{table.name} response to {asked}"
        rows, _ = _rows(body, place, bare=True)
        columns = (column for column in table.columns if column.name not in constants)
        fields = _fields(columns)
        layout = ResponseFormat(table.name, fields, frozenset(fields))
        responses.append(_Response(place, rows, layout, constants=constants))
    parts = [_columns(table.columns, [response]) for response in responses if response.rows]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema={**table.schema, "extra": pl.String})
    return frame.drop("extra") if frame["extra"].null_count() == frame.height else frame


@dataclass(frozen=True, slots=True)
class _Response:
    """One response, its rows read and its format known."""

    place: str
    """What an error calls it."""
    rows: list[dict[str, Any]]
    layout: ResponseFormat
    customer: str = ""
    data_through: date | None = None
    constants: Mapping[str, object] = field(default_factory=dict)


def _rows(body: bytes, place: str, *, bare: bool = False) -> tuple[list[dict[str, Any]], set[str]]:
    """Return the rows of a response and the fields that occur in them."""
    try:
        content = loads(body)
    except ValueError as error:
        start = body[:80].decode("utf-8", "replace")
        raise ResponseError(f"the {place} is not JSON ({error}); it starts {start!r}.") from error
    if bare and isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not set(map(type, content)) <= {dict}:
        start = body[:80].decode("utf-8", "replace")
        raise ResponseError(
            f"the {place} should be a list of objects and is not; it starts {start!r}."
        )
    keys: set[str] = set()
    return content, keys.union(*content)


def _frame(responses: list[_Response]) -> pl.DataFrame:
    """Make the interactions of responses of one format."""
    frame = _columns(_ALL, responses)
    counts = [len(response.rows) for response in responses]
    customers = chain.from_iterable(
        repeat(response.customer, n) for response, n in zip(responses, counts, strict=True)
    )
    through = chain.from_iterable(
        repeat(response.data_through, n) for response, n in zip(responses, counts, strict=True)
    )
    return frame.with_columns(
        pl.Series("customer_id", list(customers), dtype=pl.String),
        pl.Series("data_through", list(through), dtype=pl.Date),
    ).select(INTERACTIONS.names)


def _columns(columns: Iterable[Column], responses: list[_Response]) -> pl.DataFrame:
    """Make the columns that fields fill, and ``extra``, of responses of one format."""
    layout, constants = responses[0].layout, responses[0].constants
    rows = [row for response in responses for row in response.rows]
    extra = _check_fields(responses)
    field_of = {name: api for api, name in layout.fields.items()}
    made: list[pl.Series] = []
    for column in columns:
        api = field_of.get(column.name)
        if api is None:
            value = constants.get(column.name)
            made.append(pl.Series(column.name, [value] * len(rows), dtype=column.dtype))
            continue

        def culprit(position: int, value: object, wanted: str, api: str = api) -> SchemaError:
            place = _place(responses, position)
            shown = to_json(value)
            shown = shown if len(shown) <= 80 else f"{shown[:80]}..."  # noqa: PLR2004 - a line
            return SchemaError(f"{place}: {api!r} is {shown}; {wanted}, or null, is wanted.")

        values = [row.get(api) for row in rows]
        made.append(to_column(column.name, column.dtype, values, culprit))
    made.append(pl.Series("extra", extra, dtype=pl.String))
    return pl.DataFrame(made)


def _check_fields(responses: list[_Response]) -> list[str | None]:
    """Return the unknown fields of each row, as JSON; raise if a required one is missing."""
    layout = responses[0].layout
    known = layout.fields.keys()
    fine: set[tuple[str, ...]] = set()  # rows mostly look alike: judge each look once
    extra: list[str | None] = []
    for response in responses:
        for number, row in enumerate(response.rows):
            look = tuple(row)
            if look in fine:
                extra.append(None)
                continue
            missing = [name for name in layout.fields if name in layout.required - row.keys()]
            if missing:
                has = ", ".join(map(repr, row)) or "no fields at all"
                lacks = ", ".join(map(repr, missing))
                raise SchemaError(
                    f"row {number} of the {response.place} lacks {lacks}; it has {has}. "
                    "Has the API changed? optimove_analysis.schema names its fields."
                )
            unknown = {name: row[name] for name in row if name not in known}
            extra.append(to_json(unknown) if unknown else None)
            if not unknown:
                fine.add(look)
    return extra


def _place(responses: list[_Response], position: int) -> str:
    """Return what an error calls the row at a position of the responses' rows together."""
    for response in responses:
        if position < len(response.rows):
            return f"row {position} of the {response.place}"
        position -= len(response.rows)
    raise AssertionError(position)
