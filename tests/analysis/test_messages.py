"""Which events belong to which message, by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from analysis.events import PUSH, day, frame, on

from optimove_analysis import Catalogue, messages
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, MESSAGES


def facts(interactions: pl.DataFrame, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    return messages(interactions, **options).select(columns).rows()


def test_a_resend_on_another_day_is_another_message_and_takes_the_events_from_there_on() -> None:
    rows = frame(on(3, "sent"), on(4, "opened"), on(10, "sent"), on(10, "clicked"))
    found = facts(rows, "send_date", "opened_on", "clicked_on", "rows")
    assert found == [(day(3), day(4), None, 2), (day(10), None, day(10), 2)]


def test_an_event_on_the_day_of_a_resend_is_the_resends() -> None:
    rows = frame(on(3, "sent"), on(10, "opened"), on(10, "sent"))
    assert facts(rows, "send_date", "opened_on") == [(day(3), None), (day(10), day(10))]


@pytest.mark.parametrize("name", ["customer_id", "campaign_id", "recipient_group_id", "action_id"])
def test_a_message_is_told_apart_by_each_of_its_ids(name: str) -> None:
    other: dict[str, Any] = {name: "B" if name == "customer_id" else 77}
    rows = frame(on(3, "sent"), on(3, "sent", **other), on(4, "opened", **other))
    found = messages(rows).filter(pl.col("opened_on").is_not_null())
    assert found.height == 1
    assert found[name].to_list() == [other[name]]


def test_a_null_id_is_a_value() -> None:
    rows = frame(on(3, "sent", template_id=None), on(3, "sent"), on(4, "clicked", template_id=None))
    assert facts(rows, "template_id", "clicked_on") == [(None, day(4)), (2, None)]


def test_an_orphan_is_kept_and_counted_and_marks_no_stage() -> None:
    rows = frame(on(2, "clicked"), on(3, "sent"))
    assert facts(rows, "send_date", "clicked_on", "n_orphans", "rows") == [(day(3), None, 1, 2)]


def test_an_orphan_click_does_not_hide_a_real_one() -> None:
    rows = frame(on(2, "clicked"), on(3, "sent"), on(6, "clicked"))
    assert facts(rows, "clicked_on", "n_orphans") == [(day(6), 1)]


def test_two_sends_on_one_day_are_one_message_and_the_second_is_counted() -> None:
    rows = frame(on(3, "sent"), on(3, "sent"), on(4, "opened"))
    assert facts(rows, "send_date", "n_collapsed", "rows") == [(day(3), 1, 3)]


def test_ids_that_were_never_sent_make_one_message_from_their_earliest_event() -> None:
    rows = frame(on(9, "clicked"), on(4, "delivered"), on(6, "opened"))
    found = facts(rows, "send_date", "send_observed", "delivered_on", "clicked_on")
    assert found == [(day(4), False, day(4), day(9))]
    assert facts(rows, "n_orphans", "n_collapsed") == [(0, 0)]


def test_an_unknown_event_and_one_without_an_id_are_counted_and_mark_nothing() -> None:
    rows = frame(on(3, "sent"), on(4, 17), on(4, None))
    reached = [f"{event}_on" for event in ("delivered", "opened", "clicked", "bounced")]
    found = facts(rows, "n_unknown", "rows", *reached)
    assert found == [(2, 3, None, None, None, None)]


def test_an_undated_row_is_counted_on_the_first_message_of_its_ids() -> None:
    rows = frame(on(3, "sent"), on(10, "sent"), on(None, "clicked"))
    assert facts(rows, "send_date", "n_undated", "clicked_on") == [
        (day(3), 1, None),
        (day(10), 0, None),
    ]


def test_ids_without_any_date_make_a_message_without_a_day() -> None:
    rows = frame(on(None, "sent"), on(None, "opened"))
    assert facts(rows, "send_date", "send_observed", "rows") == [(None, False, 2)]


def test_the_first_day_of_each_event_is_kept() -> None:
    rows = frame(on(3, "sent"), *(on(n, "opened") for n in (8, 5, 6)), on(7, "unsubscribed"))
    assert facts(rows, "opened_on", "unsubscribed_on") == [(day(5), day(7))]


def test_of_two_fetches_the_later_one_says_how_far_the_data_goes() -> None:
    rows = frame(on(3, "sent", data_through=day(5)), on(3, "sent", data_through=day(20)))
    assert facts(rows, "data_through") == [(day(20),)]


def test_the_catalogue_says_which_event_is_which() -> None:
    rows = frame(on(3, 100), on(4, 200), on(4, "clicked"))
    mine = Catalogue(events={100: "sent", 101: "sent", 200: "clicked"})
    found = facts(rows, "send_observed", "clicked_on", "n_unknown", catalogue=mine)
    assert found == [(True, day(4), 1)]


def test_with_no_known_event_at_all_every_row_is_unknown() -> None:
    found = facts(
        frame(on(3, "sent")), "send_observed", "n_unknown", catalogue=Catalogue(events={})
    )
    assert found == [(False, 1)]


def test_a_column_that_is_kept_is_the_smallest_value_of_the_message() -> None:
    rows = frame(on(3, "sent"), on(4, "opened"), on(5, "clicked")).with_columns(
        segment=pl.Series(["vip", None, "new"])
    )
    assert facts(rows, "segment", keep=["segment"]) == [("new",)]


@pytest.mark.parametrize("name", ["_first", "_latest", "_not_sent", "_orphan", "_keep_0"])
def test_a_column_that_is_kept_may_have_any_name(name: str) -> None:
    rows = frame(on(3, "sent"), on(4, "opened")).with_columns(pl.lit("mine").alias(name))
    assert facts(rows, name, "opened_on", keep=[name]) == [("mine", day(4))]


@pytest.mark.parametrize("name", ["rows", "send_date", "customer_id"])
def test_a_column_that_messages_have_cannot_be_kept_as_well(name: str) -> None:
    rows = frame(on(3, "sent")).with_columns(rows=1, send_date=1)
    with pytest.raises(InputError, match=name):
        messages(rows, keep=[name])


def test_a_column_to_keep_that_is_not_there_is_answered_with_the_right_one() -> None:
    rows = frame(on(3, "sent")).with_columns(segment=1)
    with pytest.raises(SchemaError, match="did you mean 'segment'"):
        messages(rows, keep=["segmnt"])


def test_a_list_cannot_be_kept_for_it_has_no_order() -> None:
    rows = frame(on(3, "sent")).with_columns(tags=pl.Series([["a", "b"]]))
    with pytest.raises(SchemaError, match=r"'tags' is List\(String\)"):
        messages(rows, keep=["tags"])


def test_columns_that_we_do_not_know_do_no_harm_whatever_their_type() -> None:
    rows = frame(on(3, "sent")).with_columns(
        tags=pl.Series([["a"]]),
        more=pl.struct(pl.lit(1)),
        thing=pl.Series([object()], dtype=pl.Object),
        send_date=pl.lit("mine"),
    )
    assert messages(rows).equals(messages(frame(on(3, "sent"))))


def test_no_rows_make_no_messages_with_all_columns_and_types() -> None:
    found = messages(INTERACTIONS.empty())
    assert found.schema == MESSAGES.schema
    assert found.height == 0


def test_messages_are_the_documented_table_in_the_order_of_ids_and_days() -> None:
    rows = frame(
        on(9, "sent", customer_id="B"), on(3, "sent", customer_id="B"), on(5, "sent", campaign_id=8)
    )
    found = messages(rows)
    assert found.schema == MESSAGES.schema
    assert found.select("customer_id", "campaign_id", "send_date").rows() == [
        ("A", 8, day(5)),
        ("B", 3, day(3)),
        ("B", 3, day(9)),
    ]


def test_a_lazy_frame_is_answered_with_a_lazy_one() -> None:
    rows = frame(on(3, "sent"), on(4, "opened"))
    found = messages(rows.lazy())
    assert isinstance(found, pl.LazyFrame)
    assert found.collect().equals(messages(rows))


def test_huge_ids_and_far_days_are_taken_as_they_are() -> None:
    huge = {"customer_id": "9" * 400, "campaign_id": 2**63 - 1, "template_id": -(2**63)}
    early, late = dt.date(1, 1, 1), dt.date(9999, 12, 31)
    rows = frame({**on(1, "sent", **huge), "date": early}, {**on(1, 4, **huge), "date": late})
    found = facts(rows, "campaign_id", "send_date", "clicked_on")
    assert found == [(2**63 - 1, early, late)]


@pytest.mark.parametrize("name", [n for n in INTERACTIONS.names if not INTERACTIONS[n].optional])
def test_a_missing_column_is_named(name: str) -> None:
    with pytest.raises(SchemaError, match=f"needs the column '{name}'"):
        messages(frame(on(3, "sent")).drop(name))


def test_a_column_of_another_type_is_named_with_both_types() -> None:
    rows = frame(on(3, "sent")).with_columns(pl.col("date").cast(pl.String))
    with pytest.raises(SchemaError, match=r"'date' .* must be Date, this one is String"):
        messages(rows)


def test_what_is_no_frame_is_answered_with_how_to_make_one() -> None:
    rows: Any = [on(3, "sent")]
    with pytest.raises(SchemaError, match=r"must be a polars frame, this is list; pl\.DataFrame"):
        messages(rows)


def test_what_is_no_catalogue_is_refused() -> None:
    mine: Any = {}
    with pytest.raises(InputError, match="must be a Catalogue"):
        messages(frame(on(3, "sent", channel_id=PUSH)), catalogue=mine)
