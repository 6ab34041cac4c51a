"""What a user may give as ids and days, and what they are told otherwise."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from optimove_analysis.client.inputs import as_day, as_ids, as_numbers, as_range
from optimove_analysis.errors import InputError

DAY = date(2018, 8, 19)


class Frame:
    """A frame as another library has it: to iterate over it gives its columns' names."""

    columns = ("customer_id",)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (841231, ["841231"]),
        ("A8272", ["A8272"]),
        ("000123", ["000123"]),
        (["a", "b", "a"], ["a", "b"]),
        ((1, "1", 2), ["1", "2"]),
        (pl.Series([3, 1, 2]), ["3", "1", "2"]),
        (pl.Series(["x", "y"]), ["x", "y"]),
        (array("q", [3, 1]), ["3", "1"]),
        (pl.DataFrame({"customer_id": ["x", "y"]}), ["x", "y"]),
        ((str(n) for n in range(2)), ["0", "1"]),
    ],
)
def test_ids_come_in_many_shapes(given: Any, ids: list[str]) -> None:
    assert as_ids(given) == ids


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "no customer id"),
        (pl.Series([], dtype=pl.String), "no customer id"),
        (None, "None is not a customer id"),
        (["a", None], "None is not"),
        (["a", " "], "' ' is not"),
        ("", "'' is not"),
        (True, "True is not"),
        ([841231.0], "float"),
        (pl.DataFrame({"a": [1], "b": [2]}), "one column"),
        ({"a": {}}.values(), "{} is not"),
        (b"841231", "b'841231' is not"),
        ([b"841231"], "b'841231' is not"),
        ({"841231": 1}, "dict"),
        (Frame(), "one column of it"),
        (pl.LazyFrame({"a": ["1"]}), "one column of it"),
        ("\ud800", "is not a customer id"),
    ],
)
def test_what_is_no_id_is_named(given: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        as_ids(given)


def test_an_id_that_must_be_a_number_is() -> None:
    assert as_numbers(["7", 8], "channel_id") == [7, 8]
    with pytest.raises(InputError, match="channel_id='mail'"):
        as_numbers("mail", "channel_id")


@pytest.mark.parametrize("given", ["5_04", " 7", "+7", "\u0667", [], [1.5], True])
def test_what_is_nearly_a_number_is_named_with_what_was_asked(given: Any) -> None:
    with pytest.raises(InputError, match="channel_id") as raised:
        as_numbers(given, "channel_id")
    assert "customer" not in str(raised.value)


@pytest.mark.parametrize(
    "given",
    [
        DAY,
        "2018-08-19",
        "2018-08-19T23:59:59",
        datetime(2018, 8, 19, 23, tzinfo=UTC),
        pl.date(2018, 8, 19),
        pl.Series([DAY]),
        pl.Series([datetime(2018, 8, 19, 4)])[0],  # noqa: DTZ001 - as a frame gives it
    ],
)
def test_days_come_in_many_shapes(given: Any) -> None:
    assert as_day(given) == DAY


@pytest.mark.parametrize(
    "given", ["19.08.2018", "2018-13-45", "2018-02-30", "", "today", None, 20180819, pl.col("x")]
)
def test_what_is_no_day_is_named_with_what_is(given: Any) -> None:
    with pytest.raises(InputError, match=r"start=.*is not a day.*2018-08-19"):
        as_day(given, "start")


def test_a_reversed_range_is_refused_and_one_day_is_a_range() -> None:
    assert as_range(DAY, DAY) == (DAY, DAY)
    with pytest.raises(InputError, match="start=2018-09-19 comes after end=2018-08-19"):
        as_range("2018-09-19", "2018-08-19")
