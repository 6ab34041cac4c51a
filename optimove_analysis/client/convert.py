"""JSON values to column values, without loss: the right value, or a ValueError, never a near one.

Whole columns go at once where every value has the JSON type that is documented; value by value,
to convert or to find the culprit, where not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

import polars as pl

from optimove_analysis.errors import SchemaError

__all__ = ["CONVERTERS", "Converter", "converter_of", "loads", "to_column", "to_json"]

_INT64: Final = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Converter:
    """How the JSON values of a field become the values of a column.

    ``one`` takes any JSON value but null, and raises ValueError for one that has no exact
    counterpart. ``plain`` is the JSON type whose values need no look at each one's type.
    """

    wanted: str
    plain: type
    one: Callable[[Any], Any]
    as_is: bool = False
    """Values of the plain type need no conversion, where polars takes them."""


def _integer(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,18}", value):
        value = int(value)
    elif isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 20:  # noqa: PLR2004 - digits of int64, and one
        whole = int(value)
        value = whole if whole == value else value
    if type(value) is int and _INT64[0] <= value <= _INT64[1]:  # a bool is an int to isinstance
        return value
    raise ValueError


def _text(value: object) -> str:
    if isinstance(value, str):
        value.encode()  # half a surrogate pair is no text: UnicodeEncodeError, a ValueError
        return value
    raise ValueError


def _identifier(value: object) -> str:
    return str(value) if type(value) is int else _text(value)


def _day(value: object) -> date:
    # A day with a clock time other than midnight is more than a day: not ours to cut.
    if isinstance(value, str) and re.fullmatch(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00(\.0+)?)?", value
    ):
        return date.fromisoformat(value[:10])
    raise ValueError


def _instant(value: object) -> datetime:
    # Python reads more than six decimals and drops them; ones that are not 0 would be lost.
    if not isinstance(value, str) or not re.fullmatch(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?"
        r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
        value,
    ):
        raise ValueError
    instant = datetime.fromisoformat(value)
    try:
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except OverflowError as error:  # the year 1, or 9999, in another zone
        raise ValueError from error


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError


_INTEGER: Final = Converter("a whole number of at most 64 bits", int, _integer, as_is=True)
_TEXT: Final = Converter("text", str, _text, as_is=True)
IDENTIFIER: Final = Converter("text or a whole number", str, _identifier, as_is=True)
_DAY: Final = Converter("a day as text, as '2018-08-20'", str, _day)
_INSTANT: Final = Converter("an ISO 8601 time as text, as '2018-08-20T09:30:00Z'", str, _instant)
_FLAG: Final = Converter("true or false", bool, _flag, as_is=True)

CONVERTERS: Final[dict[pl.DataType, Converter]] = {
    pl.Int64(): _INTEGER,
    pl.String(): _TEXT,
    pl.Date(): _DAY,
    pl.Datetime("us", "UTC"): _INSTANT,
    pl.Boolean(): _FLAG,
}
"""The converter of a column of this type."""


def converter_of(name: str, dtype: pl.DataType) -> Converter:
    """Return the converter of a column."""
    return IDENTIFIER if name == "customer_id" else CONVERTERS[dtype]


def to_column(
    name: str,
    dtype: pl.DataType,
    values: Sequence[Any],
    culprit: Callable[[int, object, str], SchemaError],
) -> pl.Series:
    """Make a typed column of JSON values; null stays null.

    Args:
        name: the column's name.
        dtype: its type, one of `CONVERTERS`.
        values: JSON values, as `loads` gives them.
        culprit: makes the error for (position, value, what was wanted).

    Raises:
        SchemaError: as ``culprit`` makes it, for the first value that has no exact counterpart.
    """
    converter = converter_of(name, dtype)
    if set(map(type, values)) <= {converter.plain, type(None)}:
        try:
            if converter.as_is:
                return pl.Series(name, values, dtype=dtype, strict=True)
            # Days repeat a lot: convert each once.
            known = {value: converter.one(value) for value in set(values) if value is not None}
            return pl.Series(name, list(map(known.get, values)), dtype=dtype, strict=True)
        except (ValueError, TypeError, OverflowError, pl.exceptions.PolarsError):
            pass  # some value does not fit: find it below
    converted = []
    for position, value in enumerate(values):
        try:
            converted.append(None if value is None else converter.one(value))
        except ValueError:
            raise culprit(position, value, converter.wanted) from None
    return pl.Series(name, converted, dtype=dtype, strict=True)


def loads(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """Read JSON without loss: a number with a point is a Decimal, a repeated name is an error.

    Raises:
        ValueError: not JSON, or JSON of which Python would drop a part.
    """
    try:
        return _decode(body)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _decode(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    return json.loads(
        body, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_object
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the field {repeated!r} more than once")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def to_json(value: object) -> str:
    """Write a value of `loads` as JSON again, numbers digit for digit.

    >>> to_json(loads(b'{"a": 1.10, "b": [null, "x"]}'))
    '{"a": 1.10, "b": [null, "x"]}'
    """
    written: list[str] = []
    # What is to be written, the next last: a stack of our own, for JSON may be nested deeper than
    # Python calls. Text of ours has type _Mark.
    todo: list[object] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            pairs = ((_Mark(f"{_scalar(name)}: "), inner) for name, inner in item.items())
            todo += _reversed("{", pairs, "}")
        elif isinstance(item, list):
            todo += _reversed("[", ((inner,) for inner in item), "]")
        else:
            written.append(item if isinstance(item, _Mark) else _scalar(item))
    return "".join(written)


class _Mark(str):
    """JSON as it is to stand."""

    __slots__ = ()


def _reversed(opening: str, items: Iterable[tuple[object, ...]], closing: str) -> list[object]:
    parts: list[object] = []
    for item in items:
        parts += (_Mark(", ") if parts else _Mark(opening), *item)
    return [_Mark(closing), *reversed(parts or [_Mark(opening)])]


def _scalar(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    # Half a surrogate pair is JSON, but no text that a frame could hold: write it as an escape.
    return text if text.isascii() or _encodes(text) else json.dumps(value)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
