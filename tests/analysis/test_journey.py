"""A customer's messages in time, by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from analysis.events import CALLS, SMS, UNKNOWN, day, frame, on

from optimove_analysis import Catalogue, journey
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, JOURNEY


def listed(interactions: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return journey(interactions).select(columns).rows()


def test_messages_come_in_the_order_of_customers_and_days() -> None:
    rows = frame(
        on(9, "sent", customer_id="B"),
        on(9, "sent", campaign_id=1),
        on(3, "sent", campaign_id=8, channel_id=SMS),
        on(3, "sent", campaign_id=9),
    )
    assert listed(rows, "customer_id", "send_date", "channel") == [
        ("A", day(3), "E-mail"),
        ("A", day(3), "SMS"),
        ("A", day(9), "E-mail"),
        ("B", day(9), "E-mail"),
    ]


def test_the_furthest_stage_is_marked_and_on_which_day_after_the_send() -> None:
    rows = frame(on(3, "sent"), on(3, "delivered"), on(20, "opened"), on(6, "opened"))
    assert listed(rows, "stage", "days", "rows") == [("opened", 3, 4)]


def test_stages_are_in_rank_order_not_in_the_order_of_days() -> None:
    rows = frame(on(3, "sent"), on(4, "clicked"), on(6, "opened"))
    assert listed(rows, "stage", "days") == [("clicked", 1)]


def test_nothing_is_implied_and_no_window_closes() -> None:
    rows = frame(on(3, "sent", data_through=day(3)), on(300, "unsubscribed", data_through=day(3)))
    assert listed(rows, "stage", "days", "side_events") == [("sent", 0, "unsubscribed")]


def test_side_events_are_named_in_one_order_and_empty_where_there_is_none() -> None:
    rows = frame(
        on(3, "sent"),
        on(5, "spam_complaint"),
        on(6, "unsubscribed"),
        on(4, "bounced"),
        on(9, "sent", campaign_id=4),
    )
    also = "unsubscribed, bounced, spam complaint"
    assert listed(rows, "side_events") == [(also,), ("",)]


def test_a_message_with_no_stage_reported_has_none() -> None:
    rows = frame(on(3, 17), on(4, "bounced", campaign_id=4))
    assert listed(rows, "stage", "days", "side_events") == [
        (None, None, "event 17 (unknown)"),
        (None, None, "bounced"),
    ]


def test_a_message_without_a_sent_row_begins_with_its_earliest_event() -> None:
    rows = frame(on(5, "opened"), on(8, "clicked"))
    assert listed(rows, "send_date", "stage", "days") == [(day(5), "clicked", 3)]


def test_a_message_without_any_date_comes_first_and_has_no_day() -> None:
    rows = frame(on(3, "sent"), on(None, "clicked", campaign_id=4))
    assert listed(rows, "send_date", "stage", "days") == [
        (None, None, None),
        (day(3), "sent", 0),
    ]


def test_the_control_group_is_there_to_be_seen() -> None:
    assert listed(frame(on(3, "sent", action_id=1)), "action_id", "stage") == [(1, "sent")]


def test_a_channel_is_called_by_its_name_or_its_id() -> None:
    rows = frame(*(on(3, "sent", channel_id=channel) for channel in (CALLS, UNKNOWN, None)))
    assert listed(rows, "channel") == [
        ("channel (no id)",),
        ("channel 7 (unnamed)",),
        ("Call centre",),
    ]
    assert journey(rows, catalogue=Catalogue(channels={}))["channel"].to_list()[2] == (
        "channel 502 (unnamed)"
    )


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_the_result_is_the_documented_table_however_few_rows_there_are(rows: pl.DataFrame) -> None:
    assert journey(rows).schema == JOURNEY.schema
    assert journey(INTERACTIONS.empty()).height == 0


def test_a_lazy_frame_is_answered_with_a_lazy_one() -> None:
    rows = frame(on(3, "sent"), on(4, "opened"))
    found = journey(rows.lazy())
    assert isinstance(found, pl.LazyFrame)
    assert found.collect().equals(journey(rows))


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        journey(frame(on(3, "sent")).drop("date"))
    mine: Any = {}
    with pytest.raises(InputError, match="must be a Catalogue"):
        journey(frame(on(3, "sent")), catalogue=mine)
