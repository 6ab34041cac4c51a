"""What by= takes, and what the options refuse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from analysis.events import (
    day,
    frame,
    on,
    sends,
)

from optimove_analysis import channel_mix, funnel
from optimove_analysis.errors import InputError, SchemaError

# Groups


def test_by_may_be_an_expression_over_the_send() -> None:
    rows = frame(on(3, "sent"), on(5, "clicked"), on(33, "sent"))
    month = pl.col("send_date").dt.truncate("1mo").alias("month")
    found = funnel(rows, by=month).filter(stage="clicked")
    assert found.columns[0] == "month"
    assert found.select("month", "sent", "messages").rows() == [
        (day(1), 1, 1),
        (dt.date(2025, 4, 1), 1, 0),
    ]


def test_an_expression_may_keep_the_name_of_the_column_that_it_is_made_of() -> None:
    rows = frame(*sends(2), *sends(2, customer_id="AB"), *sends(2, customer_id="AC"))
    found = funnel(rows, by=pl.col("customer_id").str.len_chars()).filter(stage="sent")
    # The clusters are still the customers, three of them, and not their names' lengths.
    assert found.select("customer_id", "sent", "customers").rows() == [(1, 2, 1), (2, 4, 2)]


def test_by_may_be_a_column_that_the_user_joined_on() -> None:
    segments = pl.DataFrame({"customer_id": ["A", "B"], "segment": ["vip", None]})
    rows = frame(*sends(2, clicked=1), *sends(3, customer_id="B")).join(
        segments, on="customer_id", how="left"
    )
    found = funnel(rows, by=["segment", "channel_id"]).filter(stage="clicked")
    assert found.columns[:3] == ["segment", "channel_id", "channel"]
    assert found.select("segment", "sent", "messages", "channel").rows() == [
        (None, 3, 0, "E-mail"),
        ("vip", 2, 1, "E-mail"),
    ]


def test_by_may_be_a_function_of_the_users() -> None:
    rows = frame(*sends(2), *sends(3, customer_id="B"))
    # polars cannot look into it: it may say of one message what only all of them show.
    last = pl.col("customer_id").map_batches(lambda ids: ids == ids.max(), pl.Boolean)
    found = funnel(rows, by=last.alias("last")).filter(stage="sent")
    assert found.select("last", "messages").rows() == [(False, 2), (True, 3)]


def test_by_may_be_an_optional_column_that_the_frame_does_not_have() -> None:
    rows = frame(*sends(2)).drop("campaign_type")
    assert funnel(rows, by="campaign_type")["campaign_type"].to_list() == [None] * 4


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["b", "a"]), pl.String(), pl.Binary()])
def test_by_keeps_its_type_and_its_nulls(dtype: pl.DataType) -> None:
    rows = frame(*(on(3, "sent", campaign_id=i) for i in range(3)))
    rows = rows.with_columns(kind=pl.Series(["a", "b", None]).cast(dtype))
    found = funnel(rows, by="kind")
    assert found.schema["kind"] == dtype
    assert found["sent"].to_list() == [1] * 12
    assert found["kind"].null_count() == 4


@pytest.mark.parametrize(
    "name",
    ["_by_0", "_first", "_channel", "_counted", "s", "sa", "g_s", "engaged", "n_control", "_late"],
)
def test_a_group_may_be_called_like_anything_inside(name: str) -> None:
    rows = frame(*sends(2, clicked=1)).with_columns(pl.lit("mine").alias(name))
    found = funnel(rows, by=name)
    assert found[name].to_list() == ["mine"] * 4
    assert found["messages"].to_list() == [2, 1, 1, 1]
    mixed = channel_mix(rows, by=name)
    assert mixed.select(name, "sends", "engagements").rows() == [("mine", 2, 1)]


def test_a_group_beside_the_customer_may_be_made_of_a_column_called_like_anything_inside() -> None:
    rows = frame(*sends(2)).with_columns(_by_0=pl.lit("mine"), by_0=pl.lit("too"))
    # The customer is grouped by first and in another form: it took the place of the column.
    for of_mine in ("_by_0", pl.col("_by_0") + pl.col("customer_id").str.slice(0, 0)):
        by: list[str | pl.Expr] = ["customer_id", pl.col("_by_0").alias("other"), of_mine]
        found = channel_mix(rows, by=by)
        assert found.select("customer_id", "other", "_by_0").rows() == [("A", "mine", "mine")]


def test_a_group_may_not_be_called_like_a_column_of_the_result() -> None:
    with pytest.raises(InputError, match=r"by='stage' is the name of a column of the result"):
        funnel(frame(), by="stage")
    with pytest.raises(InputError, match="by= names 'action_id' twice"):
        funnel(frame(), by=["action_id", pl.col("action_id") + 1])
    with pytest.raises(InputError, match="'channel_id' another meaning"):
        funnel(frame(), by=pl.col("channel_id") // 100)


@pytest.mark.parametrize("by", [5, None, [None], {"a": 1}, pl.all(), pl.col("action_id", "date")])
def test_by_must_be_columns(by: Any) -> None:
    with pytest.raises(InputError, match="by="):
        funnel(frame(), by=by)


def test_a_group_that_is_no_column_is_answered_with_the_right_one() -> None:
    with pytest.raises(SchemaError, match="did you mean 'channel_id'"):
        funnel(frame(), by="chanel_id")
    with pytest.raises(SchemaError, match="did you mean 'send_date'"):
        funnel(frame().lazy(), by="sent_date")


# Options and shapes


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"implied": "lowr"}, "did you mean 'lower'"),
        ({"opens": "ignored"}, "did you mean 'ignore'"),
        ({"window": -1}, "number of days"),
        ({"window": 7.0}, "number of days"),
        ({"window": True}, "number of days"),
        ({"window": 10**9}, "number of days, 0 to 1,000,000, or None"),
        ({"window": "7"}, "number of days"),
        ({"as_of": "2025-01-01"}, "must be a datetime.date"),
        ({"as_of": dt.datetime(2025, 1, 1, tzinfo=dt.UTC)}, "must be a datetime.date"),
        ({"assume_sent": "yes"}, "it may be 'None', 'True', 'False'"),
        ({"assume_sent": 1}, "it may be 'None', 'True', 'False'"),
        ({"catalogue": {}}, "must be a Catalogue"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_ones(
    options: dict[str, Any], answer: str
) -> None:
    with pytest.raises(InputError, match=answer):
        funnel(frame(*sends(1)), **options)


def test_a_missing_or_mistyped_column_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'event_id'"):
        funnel(frame(*sends(1)).drop("event_id"))
    with pytest.raises(SchemaError, match=r"'channel_id' .* must be Int64, this one is Int32"):
        funnel(frame(*sends(1)).with_columns(pl.col("channel_id").cast(pl.Int32)))
