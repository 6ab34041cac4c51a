from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from charts.rate_tables import messages
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.charts.forest import axis_over
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import RATES


def two_channels() -> pl.DataFrame:
    return pl.concat([messages(200, 10), messages(100, 20, channel=505)])


def rows_of(chart: Any, name: str) -> list[dict[str, Any]]:
    return [record for record in records(chart) if record.get("rate") == name]


def test_the_picture_holds_the_tables_own_numbers() -> None:
    table = oa.rates(two_channels())
    drawn = rows_of(charts.rates(table, rate="click rate"), "click rate")
    names = ["value", "lo", "hi", "k", "n", "customers"]
    wanted = table.filter(pl.col("rate") == "click rate").select(names).rows()
    assert [tuple(record[name] for name in names) for record in drawn] == wanted
    assert [(record["k"], record["n"]) for record in drawn] == [(10, 200), (20, 100)]


def test_each_row_says_its_rate_interval_and_counts() -> None:
    email, sms = rows_of(charts.rates(oa.rates(two_channels()), rate="click rate"), "click rate")
    assert plain(email["text"]).startswith("5.0 % (")
    assert (email["k_of_n"], sms["k_of_n"]) == ("10 / 200", "20 / 100")


def test_a_panel_a_rate_has_its_own_axis() -> None:
    spec = charts.rates(oa.rates(two_channels())).to_dict()
    titles = [panel["title"]["text"] for panel in spec["concat"]]
    assert titles == ["Delivery rate", "Open rate", "Click rate", "Engagement rate"]


def test_a_channel_that_lacks_the_rate_is_named_and_not_drawn() -> None:
    chart = charts.rates(oa.rates(two_channels()), rate="open rate")
    assert [record["name"] for record in rows_of(chart, "open rate")] == ["E-mail"]
    assert "n/a: SMS." in told(chart)
    assert "n/a: SMS." in alt_text(chart)


def test_rows_stand_by_value_where_that_is_asked_for() -> None:
    table = oa.rates(two_channels())
    by_value = rows_of(charts.rates(table, rate="click rate", sort="value"), "click rate")
    assert [record["name"] for record in by_value] == ["SMS", "E-mail"]
    with pytest.raises(InputError, match="sort"):
        charts.rates(table, sort="size")  # type: ignore[arg-type] # what a user may try


def test_the_pooled_rate_is_a_line_with_its_number() -> None:
    pooled = oa.rates(two_channels(), by=())
    chart = charts.rates(oa.rates(two_channels()), rate="click rate", pooled=pooled)
    (line,) = [record for record in records(chart) if "pooled" in record]
    assert line["pooled"] == 30 / 300
    assert plain(line["pooled_text"]) == "all 10.0 %"
    assert "all together 10.0 %" in alt_text(chart)


def test_without_a_pooled_table_there_is_no_line() -> None:
    chart = charts.rates(oa.rates(two_channels()))
    assert not [record for record in records(chart) if "pooled" in record]
    assert "Dashed" not in told(chart)


def test_a_pooled_table_made_otherwise_is_refused() -> None:
    table = oa.rates(two_channels())
    with pytest.raises(InputError, match="window"):
        charts.rates(table, pooled=oa.rates(two_channels(), by=(), window=3))
    with pytest.raises(InputError, match="one line"):
        charts.rates(table, pooled=table)


def test_a_small_group_is_grey_and_cannot_stretch_the_axis() -> None:
    frame = pl.concat([messages(200, 10), messages(1, 1, channel=505)])
    chart = charts.rates(oa.rates(frame), rate="click rate")
    email, sms = rows_of(chart, "click rate")
    assert email["colour"] == "E-mail"
    assert sms["colour"] == "fewer than 30 sent"
    assert sms["beyond"] == "value above"  # 1 of 1, where the others are below 10 %
    assert "Grey: n below 30." in told(chart)


def test_a_mean_is_never_a_percentage() -> None:
    opened = messages(40, 0).with_columns(event_id=pl.col("event_id").replace({2: 3}))
    table = oa.rates(pl.concat([opened, opened.filter(pl.col("event_id") == 3)]))
    chart = charts.rates(table, rate="total opens per delivered")
    (row,) = rows_of(chart, "total opens per delivered")
    assert row["value"] == 2.0
    assert "%" not in row["text"]
    assert "%" not in alt_text(chart).replace("95 % interval", "")


def test_a_group_without_messages_to_divide_by_has_a_dash() -> None:
    bounced = messages(40, 0, channel=505).with_columns(event_id=pl.col("event_id").replace({2: 6}))
    table = oa.rates(pl.concat([messages(40, 2), bounced]))
    chart = charts.rates(table, rate="click rate", sort="value")
    assert [record["name"] for record in rows_of(chart, "click rate")] == ["E-mail", "SMS"]


def test_customers_are_rows_and_the_title_says_so() -> None:
    names = ["<b>1</b>", "0007", "x" * 300]
    table = oa.rates(messages(90, 9, customers=names), by="customer_id")
    chart = charts.rates(table, rate="click rate")
    assert {record["name"] for record in rows_of(chart, "click rate")} == set(names)
    assert chart.to_dict()["title"]["text"] == "Click rate by customer"


def test_hundreds_of_rows_are_refused_with_what_to_do() -> None:
    table = oa.rates(messages(300, 3), by="customer_id")
    with pytest.raises(InputError, match="300 groups are too many"):
        charts.rates(table, rate="click rate")


def test_of_many_groups_the_alt_text_tells_the_ends() -> None:
    names = [f"c{i}" for i in range(40)]
    table = oa.rates(messages(400, 40, customers=names), by="customer_id")
    text = alt_text(charts.rates(table, rate="click rate"))
    assert "40 groups, the lowest and the highest" in text
    assert len(text) < 500


def test_nothing_at_all_is_said() -> None:
    assert "no messages" in alt_text(charts.rates(RATES.empty()))
    only_calls = oa.rates(messages(40, 0, channel=502))
    assert "n/a: Call centre" in alt_text(charts.rates(only_calls))


def test_another_table_or_rate_is_refused() -> None:
    with pytest.raises(SchemaError, match="rates"):
        charts.rates(pl.DataFrame({"a": [1]}))
    with pytest.raises(InputError, match="click rate"):
        charts.rates(oa.rates(two_channels()), rate="klick rate")  # type: ignore[arg-type] # a typo


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0.0, 0.0], (0.0, 1.0)),
        ([None], (0.0, 1.0)),
        ([0.02, 0.093], (0.0, 0.1)),
        ([1.0, 1.0], (0.94, 1.0)),
        ([0.88, 1.0], (0.85, 1.0)),
    ],
)
def test_an_axis_holds_its_values_and_no_rate_above_one(
    values: list[float | None], ends: tuple[float, float]
) -> None:
    axis = axis_over(values, most=1.0)
    assert (axis.low, axis.high) == pytest.approx(ends)
    assert all(axis.low <= value <= axis.high for value in values if value is not None)
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
