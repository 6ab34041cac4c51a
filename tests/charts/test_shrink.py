from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from charts.rate_tables import messages
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import InputError, SchemaError


def customers(number: int, *, channel: int = 504) -> pl.DataFrame:
    """Customers of whom every third clicks half of ten messages, and the others none."""
    frames = [
        messages(10, 5 if i % 3 == 0 else 0, channel=channel, customers=[f"c{i:04}"])
        for i in range(number)
    ]
    return oa.shrink(pl.concat(frames))


def rows_of(chart: Any) -> list[dict[str, Any]]:
    return [record for record in records(chart) if record.get("shrunk") is not None]


def test_the_picture_holds_the_tables_own_numbers() -> None:
    table = customers(9)
    drawn = {record["name"]: record for record in rows_of(charts.shrink(table))}
    for row in table.iter_rows(named=True):
        record = drawn.pop(row["customer_id"])
        for name in ("k", "n", "value", "shrunk", "lo", "hi"):
            assert record[name] == row[name]
    assert not drawn


def test_rows_stand_by_shrunk_rate() -> None:
    shrunk = [record["shrunk"] for record in rows_of(charts.shrink(customers(9)))]
    assert shrunk == sorted(shrunk, reverse=True)


def test_of_many_customers_the_ends_are_drawn_and_it_is_said() -> None:
    chart = charts.shrink(customers(100))
    spec = str(chart.to_dict())
    assert len(rows_of(chart)) == 40
    assert "The 20 highest and 20 lowest of 100" in plain(spec)
    assert "60 more between" in [record.get("text") for record in records(chart)]
    assert "100 customers" in alt_text(chart)


def test_the_pooled_rate_is_a_line_with_its_number() -> None:
    # Three of nine click five of ten: 15 of 90.
    (line,) = [record for record in records(charts.shrink(customers(9))) if "pooled" in record]
    assert line["pooled"] == 15 / 90
    assert plain(line["pooled_text"]) == "all 16.7 %"


def test_channels_share_the_rows_and_none_goes_missing() -> None:
    table = pl.concat(
        [customers(60), customers(60, channel=505), oa.shrink(messages(40, 0, channel=502))]
    )
    chart = charts.shrink(table)
    assert len(rows_of(chart)) == 40
    assert "No rate: Call centre." in told(chart)


def test_the_ring_of_few_messages_is_grey() -> None:
    chart = charts.shrink(customers(9))
    assert {record["raw_colour"] for record in rows_of(chart)} == {"fewer than 30 sent"}
    assert {record["colour"] for record in rows_of(chart)} == {"E-mail"}
    assert "grey where n is below 30" in told(chart)


def test_a_scatter_draws_each_customer() -> None:
    table = customers(100)
    drawn = [record for record in rows_of(charts.shrink(table, kind="scatter")) if "size" in record]
    assert len(drawn) == 100
    assert {record["size"] for record in drawn} == {10}


def test_thousands_are_counted_in_cells_and_none_is_lost() -> None:
    few = customers(300)
    many = pl.concat(
        [few.with_columns(customer_id=pl.col("customer_id") + f"-{i}") for i in range(20)]
    )
    chart = charts.shrink(many, kind="scatter")
    drawn = [record for record in rows_of(chart) if "size" in record]
    assert len(drawn) < 4_000
    assert sum(record["size"] for record in drawn) == 6_000
    assert "larger with more customers" in told(chart)


def test_where_nobody_has_an_answer_the_picture_says_so() -> None:
    assert "no messages" in alt_text(charts.shrink(oa.shrink(messages(40, 0, channel=502))))


def test_one_customer_with_markup_in_the_id_is_drawn() -> None:
    chart = charts.shrink(oa.shrink(messages(40, 4, customers=["<script>1</script>"])))
    assert [record["name"] for record in rows_of(chart)] == ["<script>1</script>"]


def test_a_customer_called_like_the_gap_is_no_gap() -> None:
    named = customers(100).with_columns(
        customer_id=pl.when(pl.col("customer_id") == "c0000")
        .then(pl.lit("\N{VERTICAL ELLIPSIS}"))
        .otherwise("customer_id")
    )
    names = [record["name"] for record in records(charts.shrink(named)) if "raw_text" in record]
    assert len(names) == len(set(names)) == 41


def test_wrong_options_and_tables_are_refused() -> None:
    table = customers(3)
    with pytest.raises(InputError, match="kind"):
        charts.shrink(table, kind="bars")  # type: ignore[arg-type] # what a user may try
    with pytest.raises(InputError, match="most"):
        charts.shrink(table, most=0)
    with pytest.raises(SchemaError, match="customer_id"):
        charts.shrink(table.drop("customer_id"))
