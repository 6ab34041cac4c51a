"""Bytes to frames: the right value or our error, never a near one, and nothing lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from optimove_analysis.client import ResponseFormat, parse
from optimove_analysis.client.responses import CHANNEL_INTERACTIONS, FORMATS
from optimove_analysis.errors import ResponseError, SchemaError
from optimove_analysis.schema import (
    INTERACTIONS,
)

Response = tuple[str, bytes, dict[str, object]]

# The sample on the reference page of GetCustomerChannelInteractions (read 2026-11).
DOCUMENTED = (
    b'[{"Date":"2018-08-20","CampaignID":422,"RecipientGroupID":1,"ActionID":26,"ChannelID":7,'
    b'"TemplateID":13,"EventID":2},'
    b'{"Date":"2018-08-27","CampaignID":428,"RecipientGroupID":1,"ActionID":28,"ChannelID":7,'
    b'"TemplateID":54,"EventID":2}]'
)
ROW: dict[str, Any] = json.loads(DOCUMENTED)[0]
NEW: dict[str, Any] = {
    "CampaignType": "Triggered",
    "EventTime": "2018-08-20T09:30:00.25Z",
    "EventName": "Delivered",
    "ChannelName": "E-mail",
}
THROUGH = date(2018, 9, 19)


def one(*rows: object) -> pl.DataFrame:
    return parse([("841231", json.dumps(rows).encode(), THROUGH)])


def test_the_documented_sample_gives_the_documented_rows() -> None:
    frame = parse([("841231", DOCUMENTED, THROUGH)])
    assert frame.schema == INTERACTIONS.schema
    documented = ["date", "campaign_id", "recipient_group_id", "action_id", "channel_id"]
    assert frame.select(*documented, "template_id", "event_id").rows() == [
        (date(2018, 8, 20), 422, 1, 26, 7, 13, 2),
        (date(2018, 8, 27), 428, 1, 28, 7, 54, 2),
    ]
    assert frame["customer_id"].to_list() == ["841231", "841231"]
    assert frame["data_through"].to_list() == [THROUGH, THROUGH]
    assert frame.select("campaign_type", "event_time", "extra").null_count().row(0) == (2, 2, 2)


def test_the_assumed_format_fills_its_columns() -> None:
    frame = one(ROW | NEW)
    assert frame.schema == INTERACTIONS.schema
    row = frame.row(0, named=True)
    assert row["campaign_type"] == "Triggered"
    assert row["event_time"] == datetime(2018, 8, 20, 9, 30, 0, 250_000, tzinfo=UTC)
    assert (row["event_name"], row["channel_name"]) == ("Delivered", "E-mail")
    assert row["extra"] is None


def test_formats_are_told_apart_response_by_response_and_order_is_kept() -> None:
    old, new = json.dumps([ROW]).encode(), json.dumps([ROW | NEW]).encode()
    bodies = [("a", new), ("b", old), ("c", b"[]"), ("d", new), ("e", new), ("f", old)]
    frame = parse([(customer, body, None) for customer, body in bodies])
    assert frame["customer_id"].to_list() == ["a", "b", "d", "e", "f"]
    assert frame["event_name"].is_null().to_list() == [False, True, False, False, True]
    assert frame["data_through"].null_count() == 5


def test_no_responses_and_empty_ones_give_the_typed_empty_table() -> None:
    for frame in (parse([]), parse([("a", b"[]", None), ("b", b" [ ] ", THROUGH)])):
        assert frame.equals(INTERACTIONS.empty())
        assert frame.schema == INTERACTIONS.schema


def test_a_field_that_is_new_is_kept_digit_for_digit() -> None:
    body = (
        DOCUMENTED[:-2]
        + b', "Price": 1.10, "Big": 123456789012345678901234567890, "Nested": '
        + b'{"a": [true, null, "\xc3\xa9"]}, "Half": "\\ud800", "Nothing": null}]'
    )
    frame = parse([("x", body, None)])
    assert frame["extra"].to_list()[0] is None
    extra = frame["extra"].to_list()[1]
    assert '"Price": 1.10' in extra
    assert json.loads(extra) == {
        "Price": 1.1,
        "Big": 123456789012345678901234567890,
        "Nested": {"a": [True, None, "é"]},
        "Half": "\ud800",
        "Nothing": None,
    }


def test_nulls_stay_null() -> None:
    frame = one(dict.fromkeys(ROW) | dict.fromkeys(NEW))
    assert frame.drop("customer_id", "data_through").null_count().row(0) == (1,) * 12


@pytest.mark.parametrize("written", ["422", "422.0", '"422"', "4.22e2"])
def test_a_whole_number_is_taken_however_it_is_written(written: str) -> None:
    body = DOCUMENTED.replace(b"422", written.encode())
    assert parse([("x", body, None)])["campaign_id"].to_list() == [422, 428]


HOSTILE = [
    ("CampaignID", "422.7"),
    ("CampaignID", '"abc"'),
    ("CampaignID", '""'),
    ("CampaignID", '"0422"'),
    ("CampaignID", '"-0"'),
    ("CampaignID", '" 422"'),
    ("CampaignID", '"\u0664\u0662"'),
    ("CampaignID", "true"),
    ("CampaignID", "[422]"),
    ("CampaignID", '{"id": 422}'),
    ("CampaignID", "9223372036854775808"),
    ("CampaignID", '"9223372036854775808"'),
    ("CampaignID", "-9223372036854775809"),
    ("CampaignID", "1e400"),
    ("CampaignID", "9007199254740993.5"),
    ("Date", '"2018-13-45"'),
    ("Date", '"2018-02-30"'),
    ("Date", '"20.08.2018"'),
    ("Date", '"2018-08-20T09:30:00"'),
    ("Date", '"20180820"'),
    ("Date", '"2018-W34-1"'),
    ("Date", '""'),
    ("Date", "20180820"),
    ("Date", "1534723200000"),
    ("Date", "true"),
    ("EventTime", '"2018-08-20"'),
    ("EventTime", '"2018-08-20T25:00:00Z"'),
    ("EventTime", '"2018-08-20T09:30:00.1234567Z"'),
    ("EventTime", '"0001-01-01T00:00:00+14:00"'),
    ("EventTime", "1534757400"),
    ("EventName", "7"),
    ("ChannelName", "true"),
    ("ChannelName", '"\\ud800"'),
]


@pytest.mark.parametrize(("field", "written"), HOSTILE)
def test_a_value_without_an_exact_counterpart_is_named_with_its_place(
    field: str, written: str
) -> None:
    good = json.dumps(ROW | NEW)
    bad = json.dumps(ROW | NEW | {field: "?"}).replace('"?"', written)
    bodies = [("a", f"[{good}]".encode(), None), ("b", f"[{good}, {bad}]".encode(), None)]
    with pytest.raises(SchemaError) as raised:
        parse(bodies)
    said = str(raised.value)
    assert f"row 1 of the interactions response for customer b: {field!r} is " in said
    assert said.endswith("is wanted.")


def test_a_missing_field_is_named_with_those_that_are_there() -> None:
    lacking = {name: value for name, value in ROW.items() if name != "ChannelID"}
    with pytest.raises(SchemaError) as raised:
        parse([("7", json.dumps([ROW, lacking]).encode(), None)])
    assert str(raised.value) == (
        "row 1 of the interactions response for customer 7 lacks 'ChannelID'; it has 'Date', "
        "'CampaignID', 'RecipientGroupID', 'ActionID', 'TemplateID', 'EventID'. "
        "Has the API changed? optimove_analysis.schema names its fields."
    )
    with pytest.raises(SchemaError, match="no fields at all"):
        one({})


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[1]", b"[[]]", b"null", b'"x"', b"", b"<html>", b"[{]", b"\xff\xfe[", b"[NaN]"],
)
def test_what_is_no_list_of_objects_is_quoted(body: bytes) -> None:
    with pytest.raises(ResponseError, match="customer 7"):
        parse([("7", body, None)])


def test_another_accounts_format_is_data_not_code() -> None:
    theirs = ResponseFormat(
        "theirs",
        {"Day": "date", "Campaign": "campaign_id", "What": "event_name"},
        required=frozenset({"Day"}),
        marks=frozenset({"Day"}),
    )
    body = b'[{"Day": "2018-08-20", "What": "Open", "Else": 1}]'
    frame = parse([("a", body, None), ("b", DOCUMENTED, None)], formats=[theirs, *FORMATS])
    assert frame.schema == INTERACTIONS.schema
    assert frame["event_name"].to_list() == ["Open", None, None]
    assert frame["campaign_id"].to_list() == [None, 422, 428]
    assert frame["extra"].to_list() == ['{"Else": 1}', None, None]


def test_the_formats_know_the_documented_fields() -> None:
    assert set(CHANNEL_INTERACTIONS.fields) == set(ROW) == CHANNEL_INTERACTIONS.required


def test_a_response_that_no_format_fits_is_named() -> None:
    only = ResponseFormat("ours", {"Day": "date"}, frozenset(), marks=frozenset({"Day"}))
    with pytest.raises(SchemaError, match=r"customer 841231 has none of the marks of .*ours"):
        parse([("841231", DOCUMENTED, THROUGH)], formats=[only])
