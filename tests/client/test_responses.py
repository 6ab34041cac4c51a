"""Bytes to frames: the right value or our error, never a near one, and nothing lost."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimove_analysis.client import ResponseFormat, parse, parse_table
from optimove_analysis.client.responses import CHANNEL_INTERACTIONS, FORMATS
from optimove_analysis.errors import OptimoveAnalysisError, ResponseError, SchemaError
from optimove_analysis.schema import (
    ACTIONS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    INTERACTIONS,
    TARGET_GROUPS,
    TEMPLATES,
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


int64 = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
instants = st.datetimes(timezones=st.just(UTC))
rows = st.fixed_dictionaries(
    {"Date": st.none() | st.dates()} | {name: st.none() | int64 for name in ROW if name != "Date"},
    optional={
        "CampaignType": st.none() | texts,
        "EventTime": st.none() | instants,
        "EventName": st.none() | texts,
        "ChannelName": st.none() | texts,
    },
)


@given(st.lists(st.tuples(texts, st.lists(rows, max_size=4), st.none() | st.dates()), max_size=5))
def test_what_is_written_is_read_back(
    responses: list[tuple[str, list[dict[str, Any]], Any]],
) -> None:
    bodies = [
        (customer, json.dumps(content, default=lambda value: value.isoformat()).encode(), through)
        for customer, content, through in responses
    ]
    frame = parse(bodies)
    column_of = {column.api: column.name for column in INTERACTIONS.columns if column.api}
    expected = [
        dict.fromkeys(INTERACTIONS.names)
        | {column_of[name]: value for name, value in row.items()}
        | {"customer_id": customer, "data_through": through}
        for customer, content, through in responses
        for row in content
    ]
    assert frame.schema == INTERACTIONS.schema
    assert frame.rows(named=True) == expected


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.from_regex(r"[+-]?[0-9]{1,22}(\.[0-9]{1,3})?", fullmatch=True)
    | st.dates().map(str)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00)?", fullmatch=True),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


def written(value: object) -> str:
    """Write JSON, decimals digit for digit."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)}: {written(v)}' for k, v in value.items())}}}"
    return json.dumps(value)


@given(field=st.sampled_from([*ROW, *NEW, "Else"]), value=json_values)
def test_a_hostile_value_is_read_exactly_or_refused(field: str, value: object) -> None:
    body = written([ROW | NEW | {field: value}]).encode()
    column_of = {column.api: column.name for column in INTERACTIONS.columns if column.api}
    try:
        frame = parse([("x", body, None)])
    except SchemaError:
        return
    got = frame.item(0, column_of.get(field, "extra"))
    if field == "Else":
        assert json.loads(got, parse_float=Decimal) == json.loads(
            written({"Else": value}), parse_float=Decimal
        )
    elif value is None:
        assert got is None
    elif isinstance(got, int):
        assert isinstance(value, int | str | Decimal)
        assert not isinstance(value, bool)
        assert Decimal(value) == got
        assert not isinstance(value, str) or value == str(got)
    elif isinstance(got, datetime):
        raise AssertionError((value, got))  # no strategy makes an instant
    elif isinstance(got, date):
        assert value in {str(got), f"{got}T00:00:00"}
    else:
        assert got == value


@given(st.integers(0, len(DOCUMENTED) - 1))
def test_a_cut_answer_is_never_taken_for_a_whole_one(length: int) -> None:
    with pytest.raises(ResponseError):
        parse([("x", DOCUMENTED[:length], None)])


@given(st.binary(max_size=60))
def test_any_bytes_at_all_give_a_frame_or_our_error(body: bytes) -> None:
    with contextlib.suppress(OptimoveAnalysisError):
        assert parse([("x", body, None)]).schema == INTERACTIONS.schema


# As in the tests of the public client `optimove` 2.0.0 (read 2026-11).
CAMPAIGN = {
    "CampaignID": 221,
    "TargetGroupID": 15,
    "CampaignType": "Test/Control",
    "Duration": 7,
    "LeadTime": 3,
    "Notes": "",
    "IsMultiChannel": "false",
    "IsRecurrence": "true",
    "Status": "Successful",
    "Error": "",
}


def test_flags_of_campaigns_come_as_text_and_go_as_booleans() -> None:
    frame = parse_table(CAMPAIGNS, [("one", json.dumps([CAMPAIGN]).encode(), {})])
    assert frame.schema == CAMPAIGNS.schema
    assert frame.row(0) == (221, 15, "Test/Control", 7, 3, "", False, True, "Successful", "")
    bad = json.dumps(CAMPAIGN | {"IsRecurrence": "yes"}).encode()
    with pytest.raises(SchemaError, match="'IsRecurrence' is \"yes\"; true or false"):
        parse_table(CAMPAIGNS, [("one", bad, {})])


def test_one_object_is_a_table_of_one_row() -> None:
    frame = parse_table(CAMPAIGNS, [("one", json.dumps(CAMPAIGN).encode(), {})])
    assert frame.height == 1


def test_the_channel_of_templates_is_the_one_asked_for() -> None:
    bodies = [
        ("7", b'[{"TemplateID": 1, "TemplateName": "a"}]', {"channel_id": 7}),
        ("8", b"[]", {"channel_id": 8}),
        ("9", b'[{"TemplateID": 1, "TemplateName": null}]', {"channel_id": 9}),
    ]
    frame = parse_table(TEMPLATES, bodies)
    assert frame.schema == TEMPLATES.schema
    assert frame.rows() == [(7, 1, "a"), (9, 1, None)]


def test_a_customer_id_that_comes_as_a_number_becomes_text() -> None:
    body = (
        b'[{"CustomerID": 841231, "ActionID": 2, "ChannelID": 504}, '
        b'{"CustomerID": "007", "ActionID": 2, "ChannelID": null}]'
    )
    frame = parse_table(CUSTOMERS, [("x", body, {})])
    assert frame.rows() == [("841231", 2, 504), ("007", 2, None)]
    for wrong in (b"7.5", b"true"):
        with pytest.raises(SchemaError, match="text or a whole number"):
            parse_table(CUSTOMERS, [("x", body.replace(b"841231", wrong), {})])


def test_a_catalogues_new_fields_are_kept_only_where_there_are_any() -> None:
    plain: Response = ("x", b'[{"ActionID": 2, "ActionName": "a"}]', {})
    more: Response = ("y", b'[{"ActionID": 3, "ActionName": "b", "Since": 2019}]', {})
    assert parse_table(ACTIONS, [plain]).columns == ACTIONS.names
    frame = parse_table(ACTIONS, [plain, more])
    assert frame.columns == [*ACTIONS.names, "extra"]
    assert frame["extra"].to_list() == [None, '{"Since": 2019}']


@pytest.mark.parametrize("table", [CHANNELS, ACTIONS, CAMPAIGNS, TARGET_GROUPS, CUSTOMERS])
def test_an_empty_catalogue_is_typed_and_a_lacking_field_named(table: Any) -> None:  # noqa: ANN401 - a Table
    assert parse_table(table, [("x", b"[]", {})]).schema == table.schema
    assert parse_table(table, []).schema == table.schema
    with pytest.raises(SchemaError, match=rf"row 0 of the {table.name} response to x lacks"):
        parse_table(table, [("x", b'[{"Other": 1}]', {})])


def test_the_formats_know_the_documented_fields() -> None:
    assert set(CHANNEL_INTERACTIONS.fields) == set(ROW) == CHANNEL_INTERACTIONS.required
