"""Recency by hand, against plain Python, and the laws that it keeps."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import customer_oracle, worlds
from analysis.events import CALLS, IN_APP, SMS, UNKNOWN, day, frame, on
from analysis.oracle import assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, recency
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, RECENCY

LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RULES = st.fixed_dictionaries(
    {
        "as_of": st.sampled_from([None, None, worlds.DAY0 + dt.timedelta(days=14)]),
        "implied": st.sampled_from(["lower", "none"]),
        "assume_sent": st.sampled_from([None, True, False]),
        "opens": st.sampled_from(["trust", "ignore"]),
    }
)
BY = st.sampled_from([[], [], ["channel_id"], ["action_id", "template_id"]])
THE_31ST: dict[str, Any] = {"as_of": day(31)}


def row(*rows: dict[str, Any], **options: Any) -> dict[str, Any]:
    found = recency(frame(*rows), **options)
    assert found.height == 1
    return found.row(0, named=True)


def test_days_run_from_the_last_send_and_the_last_engagement_to_as_of() -> None:
    found = row(
        on(3, "sent"), on(5, "opened"), on(6, "clicked"), on(20, "sent", campaign_id=4), **THE_31ST
    )
    assert (found["first_sent"], found["last_sent"], found["last_engaged"]) == (
        day(3),
        day(20),
        day(6),
    )
    assert (found["days_since_sent"], found["days_since_engaged"]) == (11, 25)
    assert found["days_censored"] is None
    assert [found[name] for name in ("sent", "delivered", "engaged", "clicked")] == [2, 2, 1, 1]


def test_an_open_once_more_is_the_last_engagement_and_no_window_closes() -> None:
    found = row(on(1, "sent"), on(2, "clicked"), on(2, "opened"), on(29, "opened"), **THE_31ST)
    assert found["days_since_engaged"] == 2
    assert row(on(1, "sent"), on(29, "clicked"), on(2, "clicked"), **THE_31ST)["engaged"] == 1


def test_who_never_engaged_has_the_days_without_since_the_first_send() -> None:
    found = row(on(3, "sent"), on(20, "sent"), on(21, "delivered"), **THE_31ST)
    assert (found["days_since_engaged"], found["days_censored"]) == (None, 28)


def test_with_opens_ignored_engagement_is_a_click() -> None:
    rows = [on(3, "sent"), on(5, "clicked"), on(9, "opened")]
    assert row(*rows, opens="ignore")["last_engaged"] == day(5)
    assert row(*rows)["last_engaged"] == day(9)


def test_what_comes_after_as_of_is_left_out_and_said() -> None:
    found = row(
        on(3, "sent"),
        on(9, "opened"),
        on(12, "opened"),
        on(12, "sent", campaign_id=4),
        as_of=day(10),
    )
    assert (found["last_sent"], found["last_engaged"], found["days_since_engaged"]) == (
        day(3),
        day(9),
        1,
    )
    assert "2 rows of the customer dated after as_of left out." in found["notes"]
    assert recency(frame(on(12, "sent")), as_of=day(10)).height == 0


def test_as_of_is_the_latest_data_through_of_the_customer() -> None:
    found = row(
        on(3, "sent", data_through=day(10)),
        on(4, "sent", campaign_id=4, data_through=day(24)),
        on(5, "sent", campaign_id=5, data_through=None),
    )
    assert (found["as_of"], found["days_since_sent"]) == (day(24), 19)
    assert found["notes"] == []
    two = frame(
        on(3, "sent", data_through=day(10)), on(3, "sent", customer_id="B", data_through=day(24))
    )
    assert recency(two)["days_since_sent"].to_list() == [7, 21]


def test_where_nobody_says_as_of_when_there_are_no_days_and_the_notes_say_so() -> None:
    found = row(
        on(3, "sent", data_through=None),
        on(9, "opened", data_through=None),
        on(3, "sent", channel_id=SMS, data_through=None),
    )
    assert [found[name] for name in RECENCY.names if name.startswith("days")] == [None, None, None]
    assert (found["as_of"], found["last_engaged"]) == (None, day(9))
    assert found["notes"] == ["No days: no data_through says as of when this stands (or as_of=)."]


def test_engagement_counts_even_where_the_send_was_not_observed() -> None:
    found = row(on(3, "sent"), on(9, "opened", campaign_id=4), **THE_31ST)
    assert (found["sent"], found["engaged"], found["n_unobserved"]) == (1, 1, 1)
    assert found["last_engaged"] == day(9)
    assert any("not among sent" in note for note in found["notes"])
    assumed = row(on(3, "sent"), on(9, "opened", campaign_id=4), assume_sent=True)
    assert (assumed["sent"], assumed["engaged"], assumed["n_unobserved"]) == (2, 1, 0)


def test_orphans_the_control_group_and_opens_of_a_bounced_message_are_no_engagement() -> None:
    assert row(on(5, "sent"), on(3, "opened"))["last_engaged"] is None
    assert row(on(5, "sent", action_id=1), on(6, "opened", action_id=1))["sent"] == 0
    assert row(on(5, "sent", action_id=1), on(6, "opened", action_id=1))["engaged"] == 0
    assert row(on(5, "sent"), on(5, "bounced"), on(6, "opened"))["engaged"] == 0
    clicked = row(on(5, "sent"), on(5, "bounced"), on(6, "clicked"), on(8, "opened"))
    assert (clicked["engaged"], clicked["last_engaged"]) == (1, day(8))


def test_an_event_of_a_stage_that_the_channel_lacks_is_no_engagement() -> None:
    found = row(on(5, "sent", channel_id=SMS), on(6, "opened", channel_id=SMS))
    assert (found["engaged"], found["last_engaged"]) == (0, None)


def test_delivered_means_not_bounced_where_the_channel_reports_no_deliveries() -> None:
    sent = [on(3, "sent", campaign_id=i) for i in range(4)]
    bounced = on(3, "bounced", campaign_id=0)
    assert row(*sent, bounced)["delivered"] == 3
    assert row(*sent, bounced, on(3, "delivered", campaign_id=1))["delivered"] == 1
    found = row(on(3, "sent", channel_id=IN_APP), on(3, "sent", channel_id=CALLS))
    assert (found["sent"], found["delivered"]) == (2, 0)
    assert any(note.startswith("2 messages of channels whose kind") for note in found["notes"])


def test_there_may_be_a_row_a_channel_with_its_name() -> None:
    rows = frame(on(3, "sent"), on(9, "sent", channel_id=SMS), on(5, "sent", channel_id=UNKNOWN))
    found = recency(rows, by="channel_id", **THE_31ST)
    assert found.select("channel_id", "customer_id", "channel", "days_since_sent").rows() == [
        (7, "A", "channel 7 (unnamed)", 26),
        (504, "A", "E-mail", 28),
        (505, "A", "SMS", 22),
    ]
    assert recency(rows)["channel"].to_list() == [None]


def test_a_group_may_be_called_what_a_column_of_ours_is_called_while_we_count() -> None:
    rows = frame(on(3, "sent"), on(5, "opened"), on(4, "sent", customer_id="B"))
    names = ["_stands", "__opened", "_counted", "_clicked", "_n_after"]
    mine = rows.with_columns(pl.lit("x").alias(name) for name in names)
    found = recency(mine, by=names)
    assert found.columns[:5] == names
    assert_frame_equal(found.drop(names), recency(rows))


@LAW
@given(world=worlds.interactions(), by=BY, rules=RULES)
def test_plain_python_finds_the_same(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], tmp_path_factory: Any
) -> None:
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    expected = customer_oracle.recency(world, path, by=by, **rules)
    for numbers in expected.values():
        del numbers["_clicks"]
    assert_equal(recency(world, by=by, **rules), [*by, "customer_id"], expected)


@LAW
@given(world=worlds.interactions(), by=BY, rules=RULES, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter_and_lazy_gives_what_eager_gives(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], chance: Any
) -> None:
    plain = recency(world, by=by, **rules)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(recency(shuffled, by=by, **rules), plain)
    twice = recency(pl.concat([world, world]), by=by, **rules)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))
    lazy = recency(world.lazy(), by=by, **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == plain.schema
    assert_frame_equal(lazy.collect(), plain)
    group = {name: world.schema[name] for name in by}
    assert list(plain.schema.items()) == [*group.items(), *RECENCY.schema.items()]
    never = [column.name for column in RECENCY.columns if not column.nulls]
    assert plain.select(never).null_count().sum_horizontal().to_list() == [0]


@LAW
@given(world=worlds.interactions(), rules=RULES)
def test_one_customer_alone_gets_the_same_row_and_what_comes_later_changes_none(
    world: pl.DataFrame, rules: dict[str, Any]
) -> None:
    # What a channel reports is seen in the frame.
    rules |= {"catalogue": Catalogue(reports_sent=True)}
    among = recency(world, **rules).drop("delivered")
    for customer in world["customer_id"].unique():
        alone = recency(world.filter(customer_id=customer), **rules).drop("delivered")
        assert_frame_equal(alone, among.filter(customer_id=customer))
    later = world.with_columns(
        date=pl.lit(worlds.COMPLETE), campaign_id=pl.lit(99, pl.Int64)
    ).filter(pl.col("data_through").is_not_null() | pl.lit(rules["as_of"] is not None))
    both = recency(pl.concat([world, later]), **rules).drop("notes", "delivered")
    assert_frame_equal(both, among.drop("notes"))


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["channel_id"]):
        found = recency(rows, by=by, **THE_31ST)
        assert dict(list(found.schema.items())[len(by) :]) == dict(RECENCY.schema)
        assert found.height == (1 if rows.height else 0)
    nobody = rows.with_columns(customer_id=pl.lit(None, pl.String))
    assert recency(nobody)["customer_id"].to_list() == [None] * rows.height
    assert recency(INTERACTIONS.empty().drop("data_through")).height == 0


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        recency(frame(on(3, "sent")).drop("date"))
    wrong: Any = "both"
    with pytest.raises(InputError, match="opens='both' is not known"):
        recency(frame(), opens=wrong)
    with pytest.raises(InputError, match="as_of='2025' must be"):
        recency(frame(), as_of="2025")  # type: ignore[arg-type] # what is tested
    with pytest.raises(InputError, match="name of a column of the result"):
        recency(frame(), by="customer_id")
    with pytest.raises(SchemaError, match="no column 'segmnt'"):
        recency(frame(), by="segmnt")
