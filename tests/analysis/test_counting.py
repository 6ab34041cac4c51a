"""Which messages count and what they reached: the definitions, one a test, counted by hand."""

from __future__ import annotations

import pytest
from analysis.events import (
    COMPLETE,
    SMS,
    day,
    frame,
    notes,
    on,
    reached,
    sends,
)

from optimove_analysis import Catalogue, funnel

# The window


def test_the_seventh_day_after_the_send_is_in_the_window_and_the_eighth_is_late() -> None:
    rows = frame(
        on(3, "sent"),
        on(10, "clicked"),
        on(3, "sent", campaign_id=4),
        on(11, "clicked", campaign_id=4),
    )
    assert reached(rows) == [2, 1, 1, 1]
    assert reached(rows, "n_late") == [0, 0, 0, 1]
    assert reached(rows, window=8) == [2, 2, 2, 2]
    assert reached(rows, "n_late", window=8) == [0, 0, 0, 0]


def test_a_window_of_0_days_is_the_day_of_the_send() -> None:
    rows = frame(on(3, "sent"), on(3, "opened"), on(4, "clicked"))
    assert reached(rows, window=0) == [1, 1, 1, 0]


def test_no_window_takes_all_events_however_late() -> None:
    rows = frame(on(3, "sent", data_through=day(4)), on(300, "clicked", data_through=day(4)))
    assert reached(rows, window=None) == [1, 1, 1, 1]
    assert funnel(rows, window=None)["window"].to_list() == [None] * 4


# Maturity


def test_a_message_matures_when_its_window_has_closed_by_data_through() -> None:
    rows = frame(
        on(3, "sent", data_through=day(10)), on(4, "sent", campaign_id=4, data_through=day(10))
    )
    assert reached(rows, "sent") == [1] * 4
    assert reached(rows, "n_immature") == [1] * 4
    assert reached(rows, "as_of") == [day(10)] * 4


def test_as_of_overrides_what_the_rows_say() -> None:
    rows = frame(
        on(3, "sent", data_through=day(3)), on(4, "sent", campaign_id=4, data_through=COMPLETE)
    )
    assert reached(rows, "sent", as_of=day(10)) == [1] * 4
    assert reached(rows, "n_immature", as_of=day(10)) == [1] * 4
    assert reached(rows, "as_of", as_of=day(10)) == [day(10)] * 4
    assert reached(rows, "sent", as_of=day(11)) == [2] * 4


def test_a_frame_that_does_not_say_how_far_it_goes_counts_all_and_says_so() -> None:
    rows = frame(on(3, "sent"), on(4, "sent", campaign_id=4)).drop("data_through")
    assert reached(rows, "sent") == [2] * 4
    assert reached(rows, "as_of") == [None] * 4
    assert notes(rows) == [
        (
            "2 messages taken as mature: no data_through says through which day the data is "
            "complete (or as_of=)."
        )
    ]
    assert notes(rows, as_of=COMPLETE) == []


def test_data_complete_through_different_days_is_said() -> None:
    rows = frame(
        on(3, "sent", data_through=day(20)), on(3, "sent", campaign_id=4, data_through=day(25))
    )
    assert notes(rows) == [
        (
            "The data of these messages is complete through different days, from 2025-03-20 to "
            "2025-03-25."
        )
    ]
    assert reached(rows, "as_of") == [day(25)] * 4


def test_answers_that_reach_past_data_through_are_said_but_not_past_the_users_own_as_of() -> None:
    rows = frame(on(3, "sent", data_through=day(5)), on(6, "clicked", data_through=day(5)))
    assert notes(rows) == [
        (
            "1 message with events dated after data_through: the answers reach further than it "
            "says, and as_of=client.last_update() would count up to 1 more."
        )
    ]
    assert notes(rows, as_of=day(5)) == []


# Sends


def test_without_a_sent_row_a_message_is_left_out_beside_others_that_have_one() -> None:
    rows = frame(on(3, "sent"), on(3, "opened", campaign_id=4))
    assert reached(rows, "sent") == [1] * 4
    assert reached(rows, "n_unobserved") == [1] * 4
    assert notes(rows) == ["1 message without a sent row left out (assume_sent=True counts them)."]


def test_where_no_sent_row_is_seen_at_all_sends_are_assumed_and_it_is_said() -> None:
    rows = frame(on(3, "opened"), on(3, "clicked", campaign_id=4))
    assert reached(rows) == [2, 2, 2, 1]
    assert reached(rows, "n_observed") == [0, 0, 1, 1]
    assert reached(rows, "n_implied") == [2, 2, 1, 0]
    assert notes(rows) == ["2 messages without a sent row counted as sent."]


def test_a_sent_row_without_a_date_is_no_send_that_was_seen() -> None:
    assert reached(frame(on(None, "sent", campaign_id=4), on(3, "opened"))) == [1, 1, 1, 0]


@pytest.mark.parametrize(("assume_sent", "sent", "left_out"), [(True, 2, 0), (False, 1, 1)])
def test_assume_sent_is_obeyed(assume_sent: bool, sent: int, left_out: int) -> None:  # noqa: FBT001 - a parameter
    rows = frame(on(3, "sent"), on(3, "opened", campaign_id=4))
    assert reached(rows, "sent", assume_sent=assume_sent) == [sent] * 4
    assert reached(rows, "n_unobserved", assume_sent=assume_sent) == [left_out] * 4


def test_a_catalogue_that_knows_decides_for_every_frame_alike() -> None:
    unsent = frame(on(3, "opened", campaign_id=4))
    mixed = frame(on(3, "sent"), on(3, "opened", campaign_id=4))
    reports, silent = Catalogue(reports_sent=True), Catalogue(reports_sent=False)
    assert reached(unsent, "sent", catalogue=reports) == [0] * 4
    assert reached(mixed, "sent", catalogue=silent) == [2] * 4
    assert reached(mixed, "sent", catalogue=silent, assume_sent=False) == [1] * 4


def test_a_double_send_on_one_day_is_one_message_and_said() -> None:
    rows = frame(on(3, "sent"), on(3, "sent"), on(3, "sent"))
    assert reached(rows, "sent") == [1] * 4
    assert notes(rows) == [
        "2 further sent rows of the same message on the same day taken as one send."
    ]
    two = frame(*2 * [on(3, "sent")], *3 * [on(3, "sent", campaign_id=4)])
    assert notes(two) == [
        "3 further sent rows of the same message on the same day taken as one send."
    ]


# Implied stages


def test_a_click_implies_the_open_and_the_delivery() -> None:
    rows = frame(on(3, "sent"), on(4, "clicked"))
    assert reached(rows) == [1, 1, 1, 1]
    assert reached(rows, "n_observed") == [1, 0, 0, 1]
    assert reached(rows, "n_implied") == [0, 1, 1, 0]


def test_an_open_implies_the_delivery_only() -> None:
    assert reached(frame(on(3, "sent"), on(4, "opened"))) == [1, 1, 1, 0]


@pytest.mark.parametrize("what", ["unsubscribed", "spam_complaint"])
def test_a_complaint_implies_the_delivery_only_and_only_in_the_window(what: str) -> None:
    assert reached(frame(on(3, "sent"), on(10, what))) == [1, 1, 0, 0]
    assert reached(frame(on(3, "sent"), on(11, what))) == [1, 0, 0, 0]


def test_with_nothing_implied_only_what_was_reported_counts() -> None:
    rows = frame(on(3, "sent"), on(4, "clicked"), on(4, "unsubscribed"))
    assert reached(rows, implied="none") == [1, 0, 0, 1]
    assert reached(rows, "n_implied", implied="none") == [0, 0, 0, 0]


def test_a_stage_reported_more_often_than_the_one_before_gives_no_rate() -> None:
    rows = frame(*sends(3, clicked=2), on(4, "opened", campaign_id=0))
    assert reached(rows, "previous", implied="none") == [None, 3, 0, 1]
    assert reached(rows, "step_rate", implied="none") == [None, 0.0, None, None]
    assert reached(rows, "overall_rate", implied="none")[3] == pytest.approx(2 / 3)


def test_with_nothing_implied_a_stage_is_no_part_of_the_one_before_and_has_no_interval() -> None:
    # One opened and another clicked: 1 / 1 is no 100 % of anything.
    rows = frame(*sends(3, clicked=1), on(4, "opened", campaign_id=2))
    assert reached(rows, "step_rate", implied="none")[3] == 1.0
    assert reached(rows, "step_lo", implied="none") == [None] * 4
    assert reached(rows, "step_hi", implied="none") == [None] * 4
    assert reached(rows, "overall_hi", implied="none")[3] < 1.0


def test_a_bounce_undoes_the_delivery_and_the_open_unless_clicked() -> None:
    lost = [on(3, "sent"), on(3, "delivered"), on(4, "opened"), on(4, "bounced")]
    assert reached(frame(*lost)) == [1, 0, 0, 0]
    assert reached(frame(*lost, on(5, "clicked"))) == [1, 1, 1, 1]
    # A bounce is a fact about the message: it does not become untrue outside the window.
    assert reached(frame(*lost, on(30, "clicked"))) == [1, 1, 1, 0]
    assert notes(frame(*lost)) == [
        "1 message both bounced and delivered: not delivered, unless clicked."
    ]


def test_what_bounced_was_not_opened_late_either() -> None:
    rows = frame(on(3, "sent"), on(3, "bounced"), on(30, "opened"))
    assert reached(rows, "n_late") == [0, 0, 0, 0]


def test_a_bounce_alone_is_no_conflict() -> None:
    rows = frame(on(3, "sent"), on(3, "bounced"))
    assert reached(rows) == [1, 0, 0, 0]
    assert notes(rows) == []


def test_ignoring_opens_leaves_the_stage_out_and_divides_clicks_by_deliveries() -> None:
    rows = frame(*sends(4, clicked=1), *(on(4, "opened", campaign_id=i) for i in range(2)))
    found = funnel(rows, opens="ignore")
    assert found["stage"].to_list() == ["sent", "delivered", "clicked"]
    assert found["messages"].to_list() == [4, 2, 1]
    assert found["previous"].to_list() == [None, 4, 2]
    assert found["opens"].to_list() == ["ignore"] * 3
    assert found["notes"][0].to_list() == ["Opens are ignored: engagement means a click."]


# What is in no funnel


def test_the_control_group_is_left_out_and_said() -> None:
    rows = frame(on(3, "sent"), on(3, "sent", action_id=1), on(4, "clicked", action_id=1))
    assert reached(rows) == [1, 0, 0, 0]
    assert notes(rows) == ["1 message of the control group left out (action 1)."]


def test_an_orphan_is_in_no_rate_and_said() -> None:
    rows = frame(on(1, "clicked"), on(1, "opened"), on(3, "sent"))
    assert reached(rows) == [1, 0, 0, 0]
    assert notes(rows) == ["2 orphans dated before every send of the same ids, in no rate."]


def test_an_unknown_event_is_in_no_stage_and_said() -> None:
    rows = frame(on(3, "sent"), on(4, 17))
    assert reached(rows) == [1, 0, 0, 0]
    assert notes(rows) == [
        "1 event of an id that the catalogue lacks, such as event 17 (unknown), in no stage."
    ]
    two = [on(3, "sent", campaign_id=9), on(4, 18, campaign_id=9)]
    assert notes(frame(on(3, "sent"), on(4, 17), *two)) == [
        "2 events of ids that the catalogue lacks, such as event 17 (unknown), in no stage."
    ]
    without_id = frame(on(3, "sent"), on(3, None))
    assert notes(without_id) == ["1 event of an id that the catalogue lacks, in no stage."]


def test_ids_with_unknown_events_only_are_no_send() -> None:
    rows = frame(on(3, 17), on(3, "opened", campaign_id=4))
    assert reached(rows) == [1, 1, 1, 0]
    assert "1 message with no known event left out." in notes(rows)


def test_undated_rows_are_in_no_stage_and_said() -> None:
    rows = frame(on(3, "sent"), on(None, "clicked"), on(None, "sent", campaign_id=4))
    assert reached(rows) == [1, 0, 0, 0]
    assert notes(rows) == [
        "2 events without a date, in no stage.",
        "1 message without any date left out.",
    ]


def test_an_event_that_the_channel_does_not_have_is_not_counted_and_said() -> None:
    rows = frame(on(3, "sent", channel_id=SMS), on(4, "opened", channel_id=SMS))
    assert reached(rows) == [1, 0, None, 0]
    assert notes(rows) == [
        (
            "1 message with an event of a stage that the channel's kind lacks; that event is not "
            "counted."
        )
    ]
