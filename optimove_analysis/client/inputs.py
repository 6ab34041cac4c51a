"""What a user gives, made plain: customer ids to texts, days to dates, or a clear error."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import polars as pl

from optimove_analysis.errors import InputError

__all__ = ["Day", "Ids", "as_day", "as_days", "as_ids", "as_instant", "as_numbers", "as_range"]

Day: TypeAlias = date | str
"""A calendar day: a date, a datetime (its day counts) or ISO text such as ``"2018-08-19"``."""

Ids: TypeAlias = "str | int | Iterable[Any] | pl.Series | pl.DataFrame"
"""One customer id or many: text or whole numbers, in a list, Series, array or one-column frame."""


def as_ids(given: Ids, what: str = "customer id") -> list[str]:
    """Return ids as text, in the order given, each once.

    >>> as_ids(841231), as_ids(["A8272", 7, "A8272"]), as_ids(pl.Series([1, 2]))
    (['841231'], ['A8272', '7'], ['1', '2'])

    Raises:
        InputError: no id at all, a null or blank one, or one that is neither text nor whole.
    """
    many = list(_many(given, what))
    if not _are_ids(many):  # one may be: find it, and say what is wrong with it
        many = [_as_id(value, what) for value in many]
    ids = list(dict.fromkeys(many))
    if not ids:
        raise InputError(f"there is no {what} to ask for: the list is empty.")
    return ids


def as_numbers(given: Ids, what: str) -> list[int]:
    """Return ids that are whole numbers, as those of channels are; the rest is as in `as_ids`."""
    ids = as_ids(given, what)
    if not all(re.fullmatch(r"-?[0-9]+", text) for text in ids):  # int() also reads " 5_04"
        raise InputError(f"{what}={given!r} must be whole numbers.")
    return list(map(int, ids))


def as_day(given: Day, what: str = "date") -> date:
    """Return a day.

    >>> as_day("2018-08-19"), as_day(datetime(2018, 8, 19, 23, 5))
    (datetime.date(2018, 8, 19), datetime.date(2018, 8, 19))

    Raises:
        InputError: it is no day.
    """
    value: Any = given
    if isinstance(value, pl.Expr):  # pl.date(2018, 8, 19)
        try:
            value = pl.select(value).item()
        except (pl.exceptions.PolarsError, ValueError):
            value = given
    elif not isinstance(value, str) and hasattr(value, "item"):  # a scalar of numpy, a Series of 1
        try:
            value = value.item()
        except ValueError:
            value = given
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip()).date()
        except ValueError:
            pass
    raise InputError(
        f"{what}={given!r} is not a day; give a date, or text (year-month-day) as '2018-08-19'."
    )


def as_days(given: Day | Iterable[Day]) -> list[date]:
    """Return one day or many, in the order given, each once.

    Raises:
        InputError: there is none, or one is no day.
    """
    many = given if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    days = list(dict.fromkeys(map(as_day, many)))
    if not days:
        raise InputError("there is no day to ask for: the list is empty.")
    return days


def as_instant(given: timedelta | datetime | date | str, what: str) -> datetime:
    """Return a time, with its zone: that of an age counts back from now.

    >>> as_instant("2026-01-31T12:00:00+00:00", "since").isoformat()
    '2026-01-31T12:00:00+00:00'

    Raises:
        InputError: it is neither an age nor a day nor a time.
    """
    value: Any = given
    if isinstance(value, timedelta):
        return datetime.now(UTC) - value
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(at, date) and not isinstance(at, datetime):
            at = datetime(at.year, at.month, at.day)  # noqa: DTZ001 - this computer's calendar
        return at if at.tzinfo else at.astimezone()
    except (AttributeError, ValueError):
        raise InputError(
            f"{what}={given!r} must be an age, as timedelta(days=90), or a day, as '2026-01-31'."
        ) from None


def as_range(start: Day, end: Day) -> tuple[date, date]:
    """Return the first and the last day of a range, both of which are in it.

    Raises:
        InputError: one is no day, or they are the wrong way round.
    """
    first, last = as_day(start, "start"), as_day(end, "end")
    if first > last:
        raise InputError(
            f"the range is the wrong way round: start={first} comes after end={last}; swap them?"
        )
    return first, last


def _many(given: Any, what: str) -> Iterable[Any]:  # noqa: ANN401 - whatever a user gives
    if isinstance(given, pl.DataFrame):
        if given.width != 1:
            columns = ", ".join(map(repr, given.columns))
            raise InputError(
                f"a frame of ids must have one column, this one has {given.width} ({columns}); "
                "select the one that holds the ids."
            )
        return given.to_series().to_list()
    if isinstance(given, Mapping) or hasattr(type(given), "columns"):
        # To iterate over one gives the names of its columns, which would be taken for ids.
        raise InputError(f"a {type(given).__name__} is no list of {what}s; give one column of it.")
    if hasattr(given, "tolist"):  # an array or Series, of numpy, pandas or polars
        listed = given.tolist()
        return listed if isinstance(listed, list) else [listed]
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        return [given]
    return given


def _are_ids(many: list[Any]) -> bool:
    """Tell whether all are texts that are ids, in one pass for hundreds of thousands."""
    if set(map(type, many)) != {str} or not all(map(str.strip, many)):
        return False
    try:
        "".join(many).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True


def _as_id(value: Any, what: str) -> str:  # noqa: ANN401 - whatever a user gives
    # Half a surrogate pair is no text that could be sent.
    if isinstance(value, str) and value.strip() and not re.search("[\ud800-\udfff]", value):
        return str(value)
    try:
        if not isinstance(value, bool):
            return str(operator.index(value))
    except TypeError:
        pass
    hint = " It came as a float, perhaps by way of nulls." if isinstance(value, float) else ""
    raise InputError(
        f"{value!r} is not a {what}; an id is text that is not blank, or a whole number.{hint}"
    )
