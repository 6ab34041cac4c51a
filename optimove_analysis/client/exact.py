"""The exact reader: responses through Python's own JSON, every value looked at.

What it says of a response holds; `bulk` gives the same, faster, for most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import polars as pl

from optimove_analysis.client.convert import loads, to_column, to_json
from optimove_analysis.client.formats import FILLED, ResponseFormat, format_of
from optimove_analysis.errors import OptimoveAnalysisError, ResponseError, SchemaError
from optimove_analysis.schema import Column

__all__ = ["Response", "read_columns", "read_interactions", "read_rows"]

_SHOWN: Final = 80
"""So many characters or bytes of what is wrong are shown."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response, its rows read and its format known."""

    title: str
    """What an error calls it."""
    rows: list[dict[str, Any]]
    layout: ResponseFormat
    place: int = 0
    """Which of many it is."""
    constants: Mapping[str, object] = field(default_factory=dict)


def read_interactions(
    bodies: Sequence[tuple[int, str, bytes]], formats: Sequence[ResponseFormat]
) -> pl.DataFrame:
    """Read (place, customer id, body) of responses, all at once where they are sound.

    Returns:
        One row a row, in order: ``place``, the columns that fields fill, ``extra``.

    Raises:
        ResponseError, SchemaError: of the first response that has one.
    """
    try:
        responses = [_recognised(*body, formats) for body in bodies]
        alike = groupby(responses, key=lambda response: id(response.layout))
        parts = [_frame(list(group)) for _, group in alike]
    except OptimoveAnalysisError:
        # Whole columns were read of many responses: say what is wrong with the first of them.
        for body in bodies[: len(bodies) if len(bodies) > 1 else 0]:
            _frame([_recognised(*body, formats)])
        raise
    return pl.concat(parts)


def _recognised(
    place: int, customer: str, body: bytes, formats: Sequence[ResponseFormat]
) -> Response:
    title = f"interactions response for customer {customer}"
    rows = read_rows(body, title)
    names: set[str] = set()
    layout = format_of(formats, names.union(*rows))
    if layout is None:
        raise SchemaError(f"the {title} has none of the marks of {[f.name for f in formats]}.")
    return Response(title, rows, layout, place)


def _frame(responses: list[Response]) -> pl.DataFrame:
    place = [response.place for response in responses for _ in response.rows]
    frame = read_columns(FILLED, responses)
    return frame.insert_column(0, pl.Series("place", place, dtype=pl.get_index_type()))


def read_rows(body: bytes, title: str, *, bare: bool = False) -> list[dict[str, Any]]:
    """Return the rows of a response.

    Args:
        body: the response.
        title: what an error calls it.
        bare: one object by itself is a row, too.

    Raises:
        ResponseError: it is not JSON, or not a list of objects.
    """
    try:
        content = loads(body)
    except ValueError as error:
        start = body[:_SHOWN].decode("utf-8", "replace")
        raise ResponseError(f"the {title} is not JSON ({error}); it starts {start!r}.") from error
    if bare and isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not set(map(type, content)) <= {dict}:
        start = body[:_SHOWN].decode("utf-8", "replace")
        raise ResponseError(
            f"the {title} should be a list of objects and is not; it starts {start!r}."
        )
    return content


def read_columns(columns: Iterable[Column], responses: list[Response]) -> pl.DataFrame:
    """Make the columns that fields fill, and ``extra``, of responses of one format.

    Raises:
        SchemaError: a field is missing, or a value has no exact counterpart in its column.
    """
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
            where = _where(responses, position)
            shown = to_json(value)
            shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
            return SchemaError(f"{where}: {api!r} is {shown}; {wanted}, or null, is wanted.")

        values = [row.get(api) for row in rows]
        made.append(to_column(column.name, column.dtype, values, culprit))
    made.append(pl.Series("extra", extra, dtype=pl.String))
    return pl.DataFrame(made)


def _check_fields(responses: list[Response]) -> list[str | None]:
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
            missing = layout.missing(row.keys())
            if missing:
                has = ", ".join(map(repr, row)) or "no fields at all"
                lacks = ", ".join(map(repr, missing))
                raise SchemaError(
                    f"row {number} of the {response.title} lacks {lacks}; it has {has}. "
                    "Has the API changed? optimove_analysis.schema names its fields."
                )
            unknown = {name: row[name] for name in row if name not in known}
            extra.append(to_json(unknown) if unknown else None)
            if not unknown:
                fine.add(look)
    return extra


def _where(responses: list[Response], position: int) -> str:
    """Return what an error calls the row at a position of the responses' rows together."""
    for response in responses:
        if position < len(response.rows):
            return f"row {position} of the {response.title}"
        position -= len(response.rows)
    raise AssertionError(position)
