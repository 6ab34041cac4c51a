"""The catalogues' responses to typed frames."""

from __future__ import annotations

import json

import pytest

from optimove_analysis.client import parse_table
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import (
    ACTIONS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    TARGET_GROUPS,
    TEMPLATES,
    Table,
)

Response = tuple[str, bytes, dict[str, object]]

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
def test_an_empty_catalogue_is_typed_and_a_lacking_field_named(table: Table) -> None:
    assert parse_table(table, [("x", b"[]", {})]).schema == table.schema
    assert parse_table(table, []).schema == table.schema
    with pytest.raises(SchemaError, match=rf"row 0 of the {table.name} response to x lacks"):
        parse_table(table, [("x", b'[{"Other": 1}]', {})])
