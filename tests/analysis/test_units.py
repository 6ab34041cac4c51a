"""Units other than the message, against sets of messages in plain Python."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import CALLS, SMS, frame, on, reached, sends
from analysis.intervals import interval
from analysis.test_agreement import WORLDS
from hypothesis import given, settings
from hypothesis import strategies as st

from optimove_analysis import Catalogue, funnel
from optimove_analysis.analysis.judging import judged
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.errors import InputError

UNITS = {
    "customer": ["customer_id"],
    "customer_day": ["customer_id", "send_date"],
    "campaign": ["campaign_id"],
}


def counted_by_hand(
    interactions: pl.DataFrame, unit: str, by: list[str], options: dict[str, Any]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return, by group and stage, the units that reached it and its interval of all sent."""
    each = judged(interactions.lazy(), Rules(**options, catalogue=Catalogue())).collect()
    single = [] if "channel_id" in by else [502]
    each = each.filter(pl.col("_counted") & pl.col("channel_id").is_in(single).ne_missing(True))
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for message in each.iter_rows(named=True):
        group = tuple(message[name] for name in by)
        what = tuple(message[name] for name in UNITS[unit])
        for stage in ("sent", "delivered", "opened", "clicked"):
            parts = found.setdefault((*group, stage), {"all": {}, "observed": set(), "late": set()})
            parts["all"][what] = parts["all"].get(what, False) or message[f"_reached_{stage}"]
            for part in ("observed", "late"):
                if message[f"_{part}_{stage}"]:
                    parts[part].add(what)
    return found


@settings(WORLDS, max_examples=22)
@given(
    interactions=worlds.interactions(),
    unit=st.sampled_from(sorted(UNITS)),
    by=st.sampled_from([["channel_id"], [], ["customer_id"], ["action_id", "channel_id"]]),
    options=worlds.RULES,
)
def test_a_unit_reached_a_stage_if_any_of_its_messages_did(
    interactions: pl.DataFrame, unit: Any, by: list[str], options: dict[str, Any]
) -> None:
    by_hand = counted_by_hand(interactions, unit, by, options)
    found = funnel(interactions, by=by, unit=unit, **options)
    assert found["unit"].unique().to_list() in ([], [unit])
    for row in found.filter(pl.col("messages").is_not_null()).iter_rows(named=True):
        units = by_hand.get((*(row[name] for name in by), row["stage"]))
        if units is None:
            assert (row["sent"], row["messages"], row["overall_rate"]) == (0, 0, None)
            continue
        reached = {what for what, did in units["all"].items() if did}
        assert row["messages"] == len(reached)
        assert row["n_observed"] == len(units["observed"])
        assert row["n_late"] == len(units["late"] - reached)
        assert row["sent"] == len(units["all"])
        if row["stage"] == "sent":
            continue
        clusters: dict[Any, list[bool]] = {}
        for what, did in units["all"].items():
            clusters.setdefault(what[0] if unit == "customer_day" else None, []).append(did)
        ends = interval([(sum(one), len(one)) for one in clusters.values()])
        assert (row["overall_lo"], row["overall_hi"]) == pytest.approx(ends, abs=1e-9)


def test_uniques_do_not_add_up_over_days() -> None:
    # One customer clicked on two days, another on neither.
    rows = frame(
        *(on(day, "sent", campaign_id=day) for day in (3, 4)),
        *(on(day, "clicked", campaign_id=day) for day in (3, 4)),
        on(3, "sent", customer_id="B"),
    )
    assert reached(rows, unit="customer") == [2, 1, 1, 1]
    assert reached(rows, unit="customer_day") == [3, 2, 2, 2]
    assert reached(rows, unit="campaign") == [2, 2, 2, 2]
    by_day = funnel(rows, by="send_date", unit="customer").filter(stage="clicked")
    assert by_day["messages"].to_list() == [1, 1]


def test_who_opened_one_of_two_in_time_is_not_late_with_the_other() -> None:
    rows = [on(3, "sent"), on(20, "opened"), on(3, "sent", campaign_id=4)]
    assert reached(frame(*rows), "n_late", unit="customer") == [0, 0, 1, 0]
    rows.append(on(4, "opened", campaign_id=4))
    assert reached(frame(*rows), "n_late", unit="customer") == [0, 0, 0, 0]


def test_customers_are_counted_beside_campaigns() -> None:
    rows = frame(*sends(3, clicked=1), *sends(3, customer_id="B"))
    found = funnel(rows, unit="campaign")
    assert found["messages"].to_list() == [3, 1, 1, 1]
    assert found["customers"].to_list() == [2, 2, 2, 2]
    assert found["method"].to_list() == ["wilson"] * 4


def test_a_customer_of_two_channels_is_one_in_their_total() -> None:
    rows = frame(on(3, "sent"), on(3, "clicked"), on(3, "sent", channel_id=SMS))
    assert reached(rows, by=(), unit="customer") == [1, 1, None, 1]
    assert funnel(rows, unit="customer")["sent"].to_list() == [1] * 8


@pytest.mark.parametrize("unit", ["message", *UNITS])
def test_a_call_makes_nobody_a_unit_of_a_total(unit: Any) -> None:
    calls = [on(3, "sent", channel_id=CALLS, customer_id="B", campaign_id=i) for i in (7, 8)]
    found = funnel(frame(on(3, "sent"), *calls), by=(), unit=unit)
    assert found["messages"].to_list() == [1, 0, 0, 0]
    assert found["customers"].to_list() == [1] * 4


def test_a_unit_that_there_is_not_is_refused_with_the_nearest() -> None:
    unit: Any = "customers"
    with pytest.raises(InputError, match="did you mean 'customer'"):
        funnel(frame(), unit=unit)
