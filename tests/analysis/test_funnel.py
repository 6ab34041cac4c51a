"""The funnel's channels, totals, rates and shape, counted by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from analysis.events import (
    CALLS,
    COMPLETE,
    EMAIL,
    IN_APP,
    PUSH,
    SMS,
    UNKNOWN,
    day,
    frame,
    notes,
    on,
    reached,
    sends,
)

from optimove_analysis import Catalogue, funnel
from optimove_analysis.schema import FUNNEL, INTERACTIONS, KIND_STAGES, STAGES

# Channels


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (EMAIL, [1, 1, 1, 1]),
        (SMS, [1, 1, None, 1]),
        (PUSH, [1, 1, None, 1]),
        (IN_APP, [1, None, None, 1]),
        (CALLS, [1, None, None, None]),
        (UNKNOWN, [1, 1, 1, 1]),
        (None, [1, 1, 1, 1]),
    ],
)
def test_a_channel_has_its_own_stages_and_null_for_the_others(
    channel: int | None, expected: list[int | None]
) -> None:
    rows = frame(on(3, "sent", channel_id=channel), on(4, "clicked", channel_id=channel))
    assert reached(rows) == expected
    lacking = [stage for stage, n in zip(STAGES, expected, strict=True) if n is None]
    found = funnel(rows).filter(pl.col("stage").is_in(lacking))
    numbers = ["messages", "n_observed", "n_implied", "n_late", "previous"]
    numbers += [f"{rate}_{end}" for rate in ("overall", "step") for end in ("rate", "lo", "hi")]
    assert found.select(numbers).null_count().row(0) == (len(lacking),) * len(numbers)


def test_the_stage_before_is_the_last_one_that_the_channel_has() -> None:
    rows = frame(*sends(4, clicked=1, channel_id=IN_APP))
    assert reached(rows, "previous") == [None, None, None, 4]
    assert reached(rows, "step_rate") == [None, None, None, 0.25]


def test_a_channel_of_unknown_kind_is_said_and_a_set_kind_is_not() -> None:
    rows = frame(on(3, "sent", channel_id=UNKNOWN))
    assert notes(rows) == [
        "1 message of channels of unknown kind, taken to have all stages (set Catalogue.kinds)."
    ]
    assert notes(rows, catalogue=Catalogue(kinds={UNKNOWN: "sms"})) == []
    assert reached(rows, catalogue=Catalogue(kinds={UNKNOWN: "sms"})) == [1, 0, None, 0]


def test_channels_are_called_by_the_catalogues_names() -> None:
    rows = frame(*(on(3, "sent", channel_id=channel) for channel in (None, UNKNOWN, EMAIL)))
    found = funnel(rows).filter(stage="sent").select("channel_id", "channel").rows()
    assert found == [(None, "channel (no id)"), (7, "channel 7 (unnamed)"), (504, "E-mail")]
    mine = Catalogue(channels={7: "Newsletter"})
    assert "Newsletter" in funnel(rows, catalogue=mine)["channel"]


def test_with_no_known_channel_every_one_has_all_stages() -> None:
    rows = frame(on(3, "sent", channel_id=IN_APP), on(4, "clicked", channel_id=IN_APP))
    found = funnel(rows, catalogue=Catalogue(channels={}))
    assert found["messages"].to_list() == [1, 1, 1, 1]
    assert found["channel"].to_list() == ["channel 511 (unnamed)"] * 4


# Totals


def test_a_total_has_the_stages_that_its_channels_share() -> None:
    rows = frame(*sends(3, clicked=1), *sends(2, clicked=1, channel_id=SMS))
    assert reached(rows, by=()) == [5, 2, None, 2]
    assert reached(rows, "previous", by=()) == [None, 5, None, 2]
    rows = frame(*sends(3, clicked=1), *sends(2, clicked=1, channel_id=IN_APP))
    assert reached(rows, by=()) == [5, None, None, 2]
    assert reached(rows, "channel", by=()) == [None] * 4


def test_stages_are_shared_within_each_group_not_within_the_frame() -> None:
    rows = frame(
        *sends(1, clicked=1),
        *sends(1, clicked=1, customer_id="B"),
        *sends(1, clicked=1, customer_id="B", channel_id=IN_APP),
    )
    found = funnel(rows, by="customer_id")
    assert found["messages"].to_list() == [1, 1, 1, 1, 2, None, None, 2]


def test_the_call_centre_is_left_out_of_a_total_and_said() -> None:
    rows = frame(*sends(2, clicked=1), *sends(3, channel_id=CALLS))
    assert reached(rows, by=()) == [2, 1, 1, 1]
    assert notes(rows, by=()) == [
        "3 messages of channels with a single stage (call centre) left out of the total."
    ]
    # One funnel a channel leaves nothing out.
    calls = funnel(rows).filter(channel_id=CALLS)
    assert calls["messages"].to_list() == [3, None, None, None]
    assert calls["notes"].to_list() == [[]] * 4


def test_what_a_total_leaves_out_is_not_in_its_other_numbers_or_notes() -> None:
    rows = frame(
        *sends(2),
        on(3, "sent", channel_id=CALLS, data_through=None),
        on(3, "sent", channel_id=CALLS, campaign_id=8, data_through=day(4)),
        on(3, "opened", channel_id=CALLS, campaign_id=9),
    )
    found = funnel(rows, by=())
    assert found["n_immature"].to_list() == [0] * 4
    assert found["n_unobserved"].to_list() == [0] * 4
    assert found["as_of"].to_list() == [COMPLETE] * 4
    assert found["notes"][0].to_list() == [
        "1 message of channels with a single stage (call centre) left out of the total."
    ]


def test_an_immature_channel_has_no_say_in_which_stages_are_shared() -> None:
    rows = frame(*sends(2, clicked=1), on(3, "sent", channel_id=IN_APP, data_through=day(4)))
    assert reached(rows, by=()) == [2, 1, 1, 1]
    assert reached(rows, "n_immature", by=()) == [1] * 4


# Rates and their intervals


def test_rates_divide_by_sent_and_by_the_stage_before() -> None:
    rows = frame(
        *sends(8, clicked=2),
        *(on(4, "delivered", campaign_id=i) for i in range(6)),
        *(on(4, "opened", campaign_id=i) for i in range(3)),
    )
    assert reached(rows) == [8, 6, 3, 2]
    assert reached(rows, "overall_rate") == [1.0, 0.75, 0.375, 0.25]
    assert reached(rows, "step_rate") == [None, 0.75, 0.5, pytest.approx(2 / 3)]
    assert reached(rows, "previous") == [None, 8, 6, 3]


def test_within_one_customer_the_interval_is_wilsons() -> None:
    # Newcombe 1998, table I, method 3: 1 of 29.
    rows = frame(*sends(29, clicked=1))
    found = funnel(rows).filter(stage="clicked").row(0, named=True)
    assert found["overall_lo"] == pytest.approx(0.0061, abs=5e-5)
    assert found["overall_hi"] == pytest.approx(0.1718, abs=5e-5)
    assert (found["method"], found["customers"], found["small"]) == ("wilson", 1, True)


def test_all_and_nothing_are_exact_ends() -> None:
    rows = frame(*sends(20))
    assert reached(rows, "overall_rate") == [1.0, 0.0, 0.0, 0.0]
    assert reached(rows, "overall_lo")[3] == 0.0
    assert reached(rows, "overall_hi")[3] == pytest.approx(0.1611, abs=5e-5)  # Newcombe: 0 of 20
    rows = frame(*sends(20, clicked=20))
    assert reached(rows, "overall_rate") == [1.0] * 4
    assert reached(rows, "overall_hi") == [1.0] * 4
    assert reached(rows, "overall_lo")[3] == pytest.approx(1 - 0.1611, abs=5e-5)


def test_sent_of_sent_is_not_an_estimate() -> None:
    found = funnel(frame(*sends(3))).filter(stage="sent")
    assert found.select("overall_rate", "overall_lo", "overall_hi").row(0) == (1.0, 1.0, 1.0)
    assert found.select("step_rate", "step_lo", "step_hi").row(0) == (None, None, None)


def test_an_empty_stage_before_gives_no_answer_not_0() -> None:
    rows = frame(*sends(3))
    assert reached(rows, "step_rate") == [None, 0.0, None, None]
    assert reached(rows, "step_hi")[2:] == [None, None]


def test_customers_who_always_and_never_click_make_the_interval_as_wide_as_two_customers() -> None:
    # Ten customers of 10 messages each, half of them clicking all and half none: the messages of a
    # customer say one thing. Variance of the ratio: sum((k - pn)^2) m/(m - 1) / n^2 with p = 1/2 is
    # 10 * 25 * 10/9 / 100^2 = 1/36; independent messages have 1/400; the design effect is 100/9,
    # so the interval is Wilson's of 4.5 in 9: 0.5 +- z/2 / sqrt(9 + z^2) = 0.5 +- 0.2735.
    rows = frame(
        *(
            row
            for number in range(10)
            for row in sends(10, clicked=10 if number < 5 else 0, customer_id=f"{number}")
        )
    )
    found = funnel(rows).filter(stage="clicked").row(0, named=True)
    assert found["overall_rate"] == 0.5
    assert found["overall_lo"] == pytest.approx(0.5 - 0.2735, abs=5e-5)
    assert found["overall_hi"] == pytest.approx(0.5 + 0.2735, abs=5e-5)
    assert (found["method"], found["customers"], found["small"]) == ("wilson-cluster", 10, False)


def test_fewer_than_30_sends_are_small() -> None:
    assert reached(frame(*sends(29)), "small") == [True] * 4
    assert reached(frame(*sends(30)), "small") == [False] * 4


# The table


@pytest.mark.parametrize("opens", ["trust", "ignore"])
@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_the_result_is_the_documented_table_however_few_rows_there_are(
    rows: pl.DataFrame, opens: Any
) -> None:
    group = pl.Schema({"channel_id": pl.Int64(), "customer_id": pl.String()})
    for by in ([], ["channel_id"], ["channel_id", "customer_id"]):
        found = funnel(rows, by=by, opens=opens)
        expected = {name: group[name] for name in by} | dict(FUNNEL.schema)
        assert dict(found.schema) == expected
        assert list(found.schema) == list(expected)


def test_no_rows_make_no_groups_and_an_empty_total() -> None:
    assert funnel(INTERACTIONS.empty()).height == 0
    total = funnel(INTERACTIONS.empty(), by=())
    assert total["messages"].to_list() == [0, 0, 0, 0]
    assert total["overall_rate"].to_list() == [None] * 4
    assert total["overall_hi"].to_list() == [None] * 4
    assert total["notes"].to_list() == [[]] * 4


def test_a_lazy_frame_is_answered_with_a_lazy_one() -> None:
    rows = frame(*sends(3, clicked=1))
    found = funnel(rows.lazy())
    assert isinstance(found, pl.LazyFrame)
    assert found.collect().equals(funnel(rows))
    assert list(found.collect_schema()) == ["channel_id", *FUNNEL.names]
    assert dict(found.collect_schema()) == dict(funnel(rows).schema)


def test_rows_come_in_the_order_of_groups_and_stages() -> None:
    rows = frame(*(on(3, "sent", channel_id=i) for i in (SMS, EMAIL, None)))
    found = funnel(rows).select("channel_id", "stage").rows()
    assert found == [(channel, stage) for channel in (None, EMAIL, SMS) for stage in STAGES]


def test_every_kind_of_channel_has_sent_first_and_stages_in_rank_order() -> None:
    for stages in KIND_STAGES.values():
        assert stages[0] == "sent"
        assert list(stages) == [stage for stage in STAGES if stage in stages]
