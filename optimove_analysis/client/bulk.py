"""Many plain response bodies at once: split as text by polars, proven piece by piece.

A body is *plain* under a `Look`, the fields of its rows in their order and how it is spaced, if it
is ``[{"`` + rows joined by ``},{"`` + ``}]``, and each row is that look's ``name":value`` joined by
``,"``. For such a body `read` gives exactly what the reader of single bodies gives:

- Splitting loses no byte: the pieces, joined again, are the body. So a body whose pieces bear the
  look's names in turn, each with one whole JSON value behind it, *is* the JSON of a list of objects
  of these fields. None can be new, missing or repeated; none can hide in a text, for a text that
  holds a separator falls into two pieces, neither of which is a value.
- A piece holds a value if a regular expression says so that admits only what polars casts exactly
  (whole numbers of at most 18 digits; texts without quote, backslash and control character; days
  and times, if they exist), or else if the exact reader itself, `convert.loads` and the column's
  converter, takes it. The latter reads each distinct piece once.

Where many rows are in several bodies, as those of a campaign are, bodies are cut into rows first,
and each distinct row is read once, as a body of its own. A cut at ``},{"`` loses no byte either;
where that stood in a text, neither half is a row.

So nothing rests on how lenient a fast JSON decoder is. ``str.json_decode`` of polars 2.1 is not
only lenient (422.7 becomes 422, a bad day null, an unknown field is dropped), it is slower. What is
not plain is for the exact reader: other spacing, fields that come and go within a body, values
without an exact counterpart, whatever is no JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from optimove_analysis.client.convert import converter_of, loads, to_json
from optimove_analysis.schema import Column

__all__ = ["Look", "Placed", "learn", "read"]

_CHARACTER: Final = r'[^"\\\x00-\x1f]'
_TEXT: Final = f'"{_CHARACTER}*"'
_INTEGER: Final = "0|-?[1-9][0-9]{0,17}"
_DAY: Final = "[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
_TIME: Final = "[0-9]{2}:[0-9]{2}:[0-5][0-9]"
_SECONDS: Final = len("2018-08-20T09:30:00")
_SAMPLE: Final = 1_000
"""So many rows tell whether the pieces of a field repeat."""
_FIRST: Final = 250
"""So many bodies tell whether whole rows do: the more bodies, the more do."""
_NEW: Final = 0.9
"""Whole rows repeat if fewer of theirs than this are new."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the fields of a row go."""

    columns: Mapping[str, Column]
    """Field to column."""
    unknown: frozenset[str] = frozenset()
    """Fields to keep in ``extra``. A field of neither is read, and dropped."""


@dataclass(frozen=True, slots=True)
class Look:
    """The fields of a body's rows in their order, where they go, and how the body is spaced."""

    names: tuple[str, ...]
    placed: Placed
    comma: str = ","
    """Between two values: ``,`` in compact JSON, ``, `` as Python writes by default."""
    colon: str = ":"


def learn(body: bytes, place: Callable[[tuple[str, ...]], Placed | None]) -> Look | None:
    """Return the look of a body's first row; None if it has none that could be plain.

    Args:
        body: a response.
        place: says where fields of these names go; None if rows of them are an error.
    """
    try:
        rows = loads(body)
    except ValueError:
        return None
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
        return None
    names = tuple(rows[0])
    # One field leaves nothing to split at; a name with an escape does not stand there as it is.
    if len(names) <= 1 or not all(re.fullmatch(f"{_CHARACTER}*", name) for name in names):
        return None
    placed = place(names)
    if placed is None:
        return None
    spaced = body.startswith(f'[{{"{names[0]}": '.encode(errors="replace"))
    return Look(names, placed, *((", ", ": ") if spaced else (",", ":")))


def read(bodies: pl.DataFrame, look: Look, *, repeats: bool | None = None) -> pl.DataFrame:
    """Read the bodies that are plain under a look.

    Args:
        bodies: one row a body: ``place``, any number; ``text``, null for bytes that are no UTF-8.
        look: what the rows should look like.
        repeats: whether to read each distinct row once, which changes nothing but the time; None:
            if the first bodies say that it is worth it.

    Returns:
        One row a row of the plain bodies, in order: ``place``, the look's columns, and ``extra``
        if the look has unknown fields. A place that does not occur belongs to no plain body.
    """
    if repeats is None:
        some = _cut(bodies.head(_FIRST), look)["row"]
        repeats = some.n_unique() < _NEW * len(some)
    return _read_distinct(bodies, look) if repeats else _read_all(bodies, look)


def _read_distinct(bodies: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Read each distinct row as a body of its own, and put each where it stands."""
    rows = _cut(bodies, look)
    if rows.is_empty():
        return rows.select("place")
    distinct = rows["row"].unique()
    text = pl.concat_str(pl.lit('[{"'), distinct, pl.lit("}]"))
    alone = pl.select(text=text).with_row_index("place")
    read_once = _read_all(alone, look)
    each = alone.select("place", bad=~pl.col("place").is_in(read_once["place"].implode())).join(
        read_once, on="place", how="left", maintain_order="left"
    )
    which = rows["row"].cast(pl.Enum(distinct)).to_physical()
    return _whole(
        rows.select("place", *(pl.lit(values).gather(which) for values in each.drop("place")))
    )


def _read_all(bodies: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Read the fields of all rows, those that are alike too."""
    pieces = _split(bodies, look)
    if pieces.is_empty():
        return pieces.select("place")
    rows = _rows(pieces, look)
    fields = _read_fields(rows, look)
    # Which of the known pieces each piece is; null if it is none of them.
    found = rows.select(
        pl.col(field.key).cast(pl.Enum(field.pieces), strict=False).to_physical()
        for field in fields
        if field.pieces is not None
    )
    wrong = pl.any_horizontal(pl.col("bad"), *(found[key].is_null() for key in found.columns))
    made: dict[str, pl.Expr] = {}
    extra: list[pl.Expr] = []
    for field in fields:
        values = pl.lit(field.values)
        if field.pieces is not None:
            values = values.gather(found[field.key])
        if field.name in look.placed.columns:
            made[look.placed.columns[field.name].name] = values
        elif field.name in look.placed.unknown:
            extra += [pl.lit(f'{", " if extra else "{"}"{field.name}": '), values]
    if extra:
        made["extra"] = pl.concat_str(*extra, pl.lit("}"))
    return _whole(rows.select("place", wrong.alias("bad"), **made))


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of bodies none of whose rows is ``bad``: one that is not plain is enough."""
    if rows["bad"].any():
        rows = rows.filter(~pl.col("bad").any().over("place"))
    return rows.drop("bad")


def _cut(bodies: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Return the ``place`` and ``row`` of each row of bodies that may be plain."""
    return _pieces(bodies, f'}}{look.comma}{{"').explode("pieces").rename({"pieces": "row"})


def _pieces(bodies: pl.DataFrame, separator: str) -> pl.DataFrame:
    """Return the ``place`` of bodies that may be plain, and the ``pieces`` that they fall into."""
    text = pl.col("text")
    inner = text.str.strip_prefix('[{"').str.strip_suffix("}]")
    return bodies.filter(text.str.starts_with('[{"') & text.str.ends_with("}]")).select(
        "place", pieces=inner.str.split(separator)
    )


def _split(bodies: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Return ``place``, ``pieces`` and the number of ``rows`` of bodies that may be plain."""
    per_row = len(look.names) - 1
    separators = pl.col("pieces").list.len() - 1
    return (
        _pieces(bodies, f'{look.comma}"')
        .filter(separators > 0, separators % per_row == 0)
        .with_columns(rows=separators // per_row)
    )


def _rows(pieces: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Return of each row its ``place``, whether it is ``bad``, and the piece of each field.

    The fields' pieces are in columns ``"0"``, ``"1"``, ... The last value of a row and the first
    of the next are one piece before, since ``},{"`` holds no separator: rows are cut there, which
    takes less than a pass of their own over all the text.
    """
    per_row = len(look.names) - 1
    lengths, rows = pieces["pieces"].list.len(), pieces["rows"]
    flat = pieces["pieces"].explode().alias("piece")
    starts = lengths.cum_sum() - lengths
    piece = pl.col("piece")
    cut = (
        flat.to_frame()
        .filter(~_marked(len(flat), starts))
        .rechunk()  # else each gather takes five times as long
        .select(
            *(piece.gather_every(per_row, n - 1).alias(str(n)) for n in range(1, per_row)),
            glued=piece.gather_every(per_row, per_row - 1).str.splitn(f'}}{look.comma}{{"', 2),
        )
        .unnest("glued")
    )
    following, ends = cut["field_1"], rows.cum_sum()
    first = following.shift(1).scatter(ends - rows, flat.gather(starts)).fill_null("")
    return cut.select(
        pieces["place"].repeat_by(rows).explode().alias("place"),
        (following.is_null() != _marked(cut.height, ends - 1)).alias("bad"),
        first.alias("0"),
        *(pl.col(str(n)) for n in range(1, per_row)),
        pl.col("field_0").alias(str(per_row)),
    )


def _marked(length: int, positions: pl.Series) -> pl.Series:
    return pl.repeat(False, length, dtype=pl.Boolean, eager=True).scatter(positions, True)


@dataclass(frozen=True, slots=True)
class _Field:
    """What the pieces of one field hold."""

    key: str
    name: str
    pieces: pl.Series | None
    """The distinct ones that hold a value; None where ``values`` has one for each row."""
    values: pl.Series


def _read_fields(rows: pl.DataFrame, look: Look) -> list[_Field]:
    """Read the pieces of each field: all fields at once, each distinct piece once."""
    keys = [str(n) for n in range(len(look.names))]
    # Ids and names repeat a lot. Times hardly do: there, finding the distinct takes longest.
    many = rows.head(_SAMPLE).select(pl.col(keys).n_unique() > _SAMPLE // 2).row(0)
    long = rows.select(pl.col(keys).str.len_bytes().max()).row(0)
    plans = []
    for key, name, each, length in zip(keys, look.names, many, long, strict=True):
        piece = pl.col(key).alias("piece")
        pieces = rows.lazy().select(piece if each else piece.unique())
        fractions = length > len(f'{name}"{look.colon}"2018-08-20T09:30:00Z"')
        plans.append(_cast(pieces, name, look, fractions=fractions))
    fields = []
    for key, name, each, cast in zip(keys, look.names, many, pl.collect_all(plans), strict=True):
        if each and cast["fine"].all():
            fields.append(_Field(key, name, None, cast["value"]))
        else:
            distinct = cast.unique("piece") if each else cast
            fields.append(_Field(key, name, *_completed(distinct, name, look)))
    return fields


def _cast(pieces: pl.LazyFrame, name: str, look: Look, *, fractions: bool) -> pl.LazyFrame:
    """Add to ``piece`` its ``value``, and whether that is proven to be ``fine``."""
    piece, text, prefix = pl.col("piece"), pl.col("text"), f'{name}"{look.colon}'
    value, pattern = _cast_of(look.placed.columns.get(name), fractions=fractions)
    return (
        pieces.with_columns(text=piece.str.slice(len(prefix)))
        .with_columns(value=value)
        .select(
            "piece",
            "value",
            fine=piece.str.starts_with(prefix)
            & text.str.contains(f"^(?:null|{pattern})$")
            & (pl.col("value").is_not_null() | (text == "null")),
        )
    )


def _cast_of(column: Column | None, *, fractions: bool) -> tuple[pl.Expr, str]:
    """Return what makes values of the JSON in ``text``, and the JSON for which it is exact.

    It gives null for JSON's null, and for what has no value: the 30th of February.
    """
    text = pl.col("text")
    if column is None:  # kept as JSON
        return text, f"true|false|{_INTEGER}|{_TEXT}"
    if column.dtype == pl.Int64:
        return text.cast(pl.Int64, strict=False), _INTEGER
    if column.dtype == pl.String:
        return pl.when(text != "null").then(text.str.strip_chars('"')), _TEXT
    if column.dtype == pl.Date:
        return text.str.strip_chars('"').str.to_date("%Y-%m-%d", strict=False), f'"{_DAY}"'
    if column.dtype == pl.Datetime("us", "UTC"):
        # The fraction apart: with it in the format, polars takes six times as long.
        second = text.str.slice(1, _SECONDS).str.to_datetime(
            "%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us", cache=False
        )
        if fractions:
            digits = text.str.slice(1 + _SECONDS + 1).str.strip_chars_end('Z"').str.pad_end(6, "0")
            second += pl.duration(microseconds=digits.cast(pl.Int64, strict=False))
        fraction = "(?:[.][0-9]{1,6})?" if fractions else ""
        return second.dt.replace_time_zone("UTC"), f'"{_DAY}T{_TIME}{fraction}Z?"'
    return pl.lit(None, column.dtype), "null"


def _completed(cast: pl.DataFrame, name: str, look: Look) -> tuple[pl.Series, pl.Series]:
    """Return the pieces that hold a value, and their values, the exact reader's included."""
    if cast["fine"].all():
        return cast["piece"], cast["value"]
    column, prefix = look.placed.columns.get(name), f'{name}"{look.colon}'
    pieces: list[str] = []
    values: list[object] = []
    for piece in cast.filter(~pl.col("fine"))["piece"]:
        try:
            if piece.startswith(prefix):
                values.append(_exactly(piece.removeprefix(prefix), column))
                pieces.append(piece)
        except ValueError:
            continue  # the body is not plain, and the exact reader says what is wrong with it
    fine = cast.filter("fine")
    more = pl.Series(values, dtype=cast["value"].dtype)
    return (
        pl.concat([fine["piece"], pl.Series(pieces, dtype=pl.String)]),
        pl.concat([fine["value"], more]),
    )


def _exactly(text: str, column: Column | None) -> object:
    value = loads(text.encode())
    if column is None:
        return to_json(value)
    return None if value is None else converter_of(column.name, column.dtype).one(value)
