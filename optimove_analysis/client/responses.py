"""Bytes to typed frames, in bulk, with nothing dropped and nothing rounded.

A response format is data, not code: `ResponseFormat` says which field fills which column, which
fields must be there, and by which it is recognised. Recognition is per response, so that an
account whose flag is switched half way, or a cache that holds both, reads as one.

Responses are taken in batches. Those that are plain are read by `bulk`, all at once; the others by
`exact`. Which of them reads a response changes nothing but the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

import polars as pl

from optimove_analysis.client.bulk import Look, Placed, learn, read
from optimove_analysis.client.exact import Response, read_columns, read_interactions, read_rows
from optimove_analysis.client.formats import (
    CHANNEL_INTERACTIONS,
    ENGAGEMENT_METRICS,
    FILLED,
    FORMATS,
    ResponseFormat,
    fields_of,
    format_of,
)
from optimove_analysis.schema import INTERACTIONS, Table

__all__ = [
    "CHANNEL_INTERACTIONS",
    "ENGAGEMENT_METRICS",
    "FORMATS",
    "Reader",
    "ResponseFormat",
    "parse",
    "parse_table",
]

_Body: TypeAlias = tuple[str, bytes, date | None]

_READ: Final = pl.Schema(
    {"place": pl.get_index_type(), **{c.name: c.dtype for c in FILLED}, "extra": pl.String()}
)
"""What is read of responses: the place of the response, the columns of its fields."""

_BATCH: Final = 32_000_000
"""Bytes of bodies that are held at a time; what is made of them takes a few times as much."""
_BODIES: Final = 100_000
"""So many are held at most, however short."""
_FEW: Final = 100_000
"""Below so many bytes the exact reader is as fast."""
_SEEDS: Final = (0, 1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8, 7 / 8)
"""Where among the bodies of no known look those lie whose look is learned, one after another."""
_LOOKS: Final = 8
"""So many looks are remembered from one batch to the next."""


def parse(bodies: Iterable[_Body], *, formats: Sequence[ResponseFormat] = FORMATS) -> pl.DataFrame:
    """Make one frame of many interactions responses.

    Rows keep the order of the responses and of the rows in each. Nulls stay null; a whole number
    given as text is converted; a field that the format does not know is kept in ``extra``, as
    JSON. An empty response gives no row. Bodies are taken as they are needed, and let go.

    Args:
        bodies: (customer id, body, data through) of each response.
        formats: tried in order; the first whose mark is found, else the first without marks.

    Returns:
        The interactions table, exactly.

    Raises:
        ResponseError: a body is not a JSON list of objects.
        SchemaError: no format fits, a field is missing, or a value has no exact counterpart in
            its column. Of several errors, it is the one of the first response.
    """
    reader = Reader(formats)
    parts = [reader.read(batch) for batch in _batches(bodies)]
    return pl.concat(parts) if parts else INTERACTIONS.empty()


def _batches(bodies: Iterable[_Body]) -> Iterator[list[_Body]]:
    batch: list[_Body] = []
    size = 0
    for body in bodies:
        batch.append(body)
        size += len(body[1])
        if size >= _BATCH or len(batch) == _BODIES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class Reader:
    """Reads batches of interactions responses, and remembers what plain ones look like.

    Args:
        formats: as `parse` has them.
        few: below so many bytes, responses are read by themselves.
        repeats: as `bulk.read` has it.
    """

    def __init__(
        self,
        formats: Sequence[ResponseFormat] = FORMATS,
        *,
        few: int = _FEW,
        repeats: bool | None = None,
    ) -> None:
        self._formats = formats
        self._few = few
        self._repeats = repeats
        self._looks: list[Look] = []
        self.exact = 0
        """How many responses were read by themselves so far, since they are not plain, or few."""

    def read(self, batch: Sequence[_Body]) -> pl.DataFrame:
        """Return the interactions of some responses, in order; errors as `parse` has them."""
        customers, contents, through = zip(*batch, strict=True)
        parts, left = self._read_plain(contents)
        self.exact += len(left)
        if left:
            others = [(place, customers[place], contents[place]) for place in left]
            parts.append(read_interactions(others, self._formats))
        frame = pl.concat(parts) if parts else pl.DataFrame(schema=_READ)
        if len(parts) > 1:
            frame = frame.sort("place", maintain_order=True)
        return frame.with_columns(
            pl.Series("customer_id", customers, dtype=pl.String).gather(frame["place"]),
            pl.Series("data_through", through, dtype=pl.Date).gather(frame["place"]),
        ).select(INTERACTIONS.names)

    def _read_plain(self, contents: Sequence[bytes]) -> tuple[list[pl.DataFrame], list[int]]:
        """Return the rows of the plain responses, and the places of the others."""
        parts: list[pl.DataFrame] = []
        if sum(map(len, contents)) <= self._few:
            return parts, list(range(len(contents)))
        left = _texts(contents).to_frame().with_row_index("place")
        if format_of(self._formats, ()) is not None:
            left = left.filter(pl.col("text").ne_missing("[]"))
        gains: list[tuple[int, Look]] = []
        tried: list[Look] = []

        def take(look: Look) -> None:
            nonlocal left
            tried.append(look)
            rows = read(left, look, repeats=self._repeats)
            plain = rows["place"].unique()
            if len(plain):
                gains.append((len(plain), look))
                parts.append(_complete(rows))
                left = left.filter(~pl.col("place").is_in(plain.implode()))

        for look in self._looks:
            take(look)
        for share in _SEEDS:
            if left["text"].str.len_bytes().sum() <= self._few:
                break
            new = learn(contents[left["place"][int(share * left.height)]], self._placed)
            if new is not None and new not in tried:
                take(new)
        # A look that nothing has is forgotten; it costs little to learn again.
        gains.sort(key=lambda gain: -gain[0])
        self._looks = [look for _, look in gains[:_LOOKS]]
        return parts, left["place"].to_list()

    def _placed(self, names: tuple[str, ...]) -> Placed | None:
        """Say where fields of these names go; None if rows of them are an error."""
        layout = format_of(self._formats, names)
        if layout is None or layout.missing(names):
            return None
        field_of = {name: api for api, name in layout.fields.items()}
        columns = {field_of[c.name]: c for c in FILLED if c.name in field_of}
        return Placed(columns, frozenset(names) - layout.fields.keys())


def _texts(contents: Sequence[bytes]) -> pl.Series:
    """Return bodies as text, null where they are no UTF-8."""
    raw = pl.Series("text", contents, dtype=pl.Binary)
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:  # one is not: polars does not say which

        def decoded(body: bytes) -> str | None:
            try:
                return body.decode()
            except UnicodeDecodeError:
                return None

        return pl.Series("text", map(decoded, contents), dtype=pl.String)


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that a look has no field for."""
    return rows.select(
        pl.col(name) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in _READ.items()
    )


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
        title = f"{table.name} response to {asked}"
        rows = read_rows(body, title, bare=True)
        fields = fields_of(column for column in table.columns if column.name not in constants)
        layout = ResponseFormat(table.name, fields, frozenset(fields))
        responses.append(Response(title, rows, layout, constants=constants))
    parts = [read_columns(table.columns, [response]) for response in responses if response.rows]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema={**table.schema, "extra": pl.String})
    return frame.drop("extra") if frame["extra"].null_count() == frame.height else frame
