"""The data dictionary's own promises, and how a frame is held against it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from optimove_analysis import schema
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import INTERACTIONS, MESSAGE_KEY, MESSAGES, TABLES, Column, Table

SMALL = Table(
    "things",
    "One row a thing.",
    (
        Column("name", pl.String(), "Name", "What it is called."),
        Column("n", pl.Int64(), "Count", "How many.", "not counted"),
        Column("seen", pl.Date(), "Seen on", "The last day.", "never", optional=True),
    ),
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_a_name_of_its_own_a_label_and_a_sentence(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    for column in table.columns:
        assert column.name.isidentifier()
        assert column.name == column.name.lower()
        assert column.label
        assert column.what.endswith((".", "..."))
        assert not column.nulls.endswith(".")
        assert table.label(column.name) == column.label


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_empty_table_is_typed_and_passes_its_own_check(table: Table) -> None:
    empty = table.empty()
    assert empty.height == 0
    assert empty.schema == table.schema
    assert table.check(empty).equals(empty)


def test_every_table_is_in_the_dictionary() -> None:
    tables = {one.name for one in vars(schema).values() if isinstance(one, Table)}
    assert tables == {table.name for table in TABLES}


def test_a_message_is_the_six_ids_and_the_day_of_its_send() -> None:
    assert len(MESSAGE_KEY) == 6
    assert MESSAGES.names[:7] == [*MESSAGE_KEY, "send_date"]
    assert set(MESSAGE_KEY) < set(INTERACTIONS.names)


def test_an_optional_column_that_is_absent_is_added_as_nulls_and_others_are_kept() -> None:
    frame = pl.DataFrame({"mine": [True], "n": [1], "name": ["a"]})
    checked = SMALL.check(frame)
    assert checked.columns == ["mine", "n", "name", "seen"]
    assert checked.schema["seen"] == pl.Date()
    assert checked.row(0) == (True, 1, "a", None)


def test_a_frame_that_has_all_columns_is_returned_as_it_is() -> None:
    frame = SMALL.empty()
    assert SMALL.check(frame) is frame


def test_a_lazy_frame_is_checked_without_being_read() -> None:
    def explode(_: pl.DataFrame) -> pl.DataFrame:
        raise AssertionError

    lazy = pl.LazyFrame({"name": ["a"], "n": [1]}).map_batches(
        explode, schema={"name": pl.String(), "n": pl.Int64()}
    )
    checked = SMALL.check(lazy)
    assert isinstance(checked, pl.LazyFrame)
    assert checked.collect_schema() == SMALL.schema


def test_a_missing_column_is_named_with_what_it_is_and_what_there_is() -> None:
    with pytest.raises(SchemaError) as caught:
        SMALL.check(pl.DataFrame({"name": ["a"], "N": [1]}))
    assert str(caught.value) == (
        "a frame of things needs the column 'n' (How many.); this one has 'name', 'N'."
    )
    with pytest.raises(SchemaError, match="this one has no columns at all"):
        SMALL.check(pl.DataFrame())


def test_a_column_of_another_type_is_named_with_both_types() -> None:
    frame = pl.DataFrame({"name": ["a"], "n": [1.0]})
    answer = "column 'n' of a frame of things must be Int64, this one is Float64: cast it first."
    with pytest.raises(SchemaError) as caught:
        SMALL.check(frame)
    assert str(caught.value) == answer
    with pytest.raises(SchemaError) as caught:
        SMALL.check(frame.lazy())
    assert str(caught.value) == answer


@pytest.mark.parametrize("thing", [None, [], {"name": []}, "things.parquet"])
def test_what_is_no_frame_is_answered_with_how_to_make_one(thing: Any) -> None:
    with pytest.raises(SchemaError, match=r"things must be a polars frame, .* make one\."):
        SMALL.check(thing)


def test_a_column_that_a_table_lacks_is_answered_with_the_right_one() -> None:
    with pytest.raises(SchemaError, match="no column 'sen'; did you mean 'seen'"):
        SMALL["sen"]
    with pytest.raises(SchemaError, match="it may be 'name', 'n', 'seen'"):
        SMALL.label("xyz")
