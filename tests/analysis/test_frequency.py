"""Rates by pressure: by hand, against every pair of messages, and the laws that they keep."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import CALLS, IN_APP, SMS, day, frame, on, sends
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, frequency, messages, rates
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import FREQUENCY, INTERACTIONS, MESSAGE_KEY, RATES

LAW = settings(max_examples=22, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SHORT_LAW = settings(LAW, max_examples=8)
WORLD = worlds.interactions()
SAYS = Catalogue(reports_sent=True)
ASSOCIATION = "An association, no effect: who engages much is targeted more, and at other times."


def levels(rows: pl.DataFrame, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    return frequency(rows, **options).select(*(columns or ("level", "k", "n"))).rows()


def on_days(*days: int, **ids: Any) -> list[dict[str, Any]]:
    """Return a campaign sent on each of the days."""
    return [on(number, "sent", campaign_id=100 + number, **ids) for number in days]


# Which messages press, by hand


@pytest.mark.parametrize(
    ("before", "pressure"),
    [(3, 0), (4, 1), (10, 1), (11, 0), (12, 0)],
    ids=["8 days before", "7 days before", "the day before", "the same day", "the day after"],
)
def test_the_days_before_are_those_that_end_with_the_day_before_the_send(
    before: int, pressure: int
) -> None:
    rows = frame(*on_days(before, channel_id=SMS), *sends_on_11())
    assert levels(rows.filter(pl.col("date") <= day(12)), "pressure", by="channel_id")[0] == (
        pressure,
    )


def sends_on_11() -> list[dict[str, Any]]:
    return [on(11, "sent", campaign_id=1), on(12, "clicked", campaign_id=1)]


def test_messages_of_all_channels_press_immature_bounced_and_undeliverable_ones_too() -> None:
    rows = frame(
        *on_days(3, channel_id=SMS),
        *on_days(4, channel_id=CALLS),
        *on_days(5, channel_id=IN_APP),
        *on_days(6, data_through=day(7)),
        *on_days(7),
        on(7, "bounced", campaign_id=107),
        *on_days(8, action_id=1),
        *on_days(9, customer_id="B"),
        on(9, "clicked", campaign_id=50),
        on(None, "sent", campaign_id=51),
        *on_days(10),
    )
    # Five, without the control's, the other customer's and those that were not seen to be sent.
    assert (5, 0, 1) in levels(rows, "pressure", "k", "n")
    # With the one that was clicked but not reported sent taken for sent.
    assert (6, 0, 1) in levels(rows, "pressure", "k", "n", assume_sent=True)
    # A group is no customer: what is asked for apart presses all the same.
    assert (1, 0, 1) in levels(rows, "pressure", "k", "n", days=3, by=["channel_id", "action_id"])


def test_repeats_press_once_and_two_campaigns_of_a_day_twice() -> None:
    rows = frame(*on_days(3), *on_days(3), on(3, "sent", campaign_id=7), *on_days(5))
    assert levels(rows) == [("0", 0, 2), ("2", 0, 1)]
    assert levels(rows, "n_same_day") == [(2,), (0,)]


def test_the_last_level_takes_all_that_is_beyond() -> None:
    rows = frame(*on_days(*range(1, 10)))
    assert levels(rows) == [*((str(i), 0, 1) for i in range(6)), ("6+", 0, 3)]
    assert levels(rows, top=2) == [("0", 0, 1), ("1", 0, 1), ("2+", 0, 7)]
    assert levels(rows, "mean_pressure", top=2)[2] == (
        pytest.approx((2 + 3 + 4 + 5 + 6 + 7 + 7) / 7),
    )
    assert levels(rows, "pressure", days=28)[-1] == (6,)
    assert levels(rows, days=1_000_000) == levels(rows, days=28)
    assert levels(rows, top=10**20) == levels(rows, top=9)


def test_what_the_frame_may_not_reach_back_to_is_counted_and_since_sets_it_apart() -> None:
    rows = frame(*on_days(3, 5, 10, 11))
    assert levels(rows, "level", "n", "n_early") == [("0", 1, 1), ("1", 1, 1), ("2", 2, 0)]
    apart = levels(rows, "level", "n", "n_early", since=day(3))
    assert apart == [("2", 2, 0), ("unknown", 2, 2)]
    assert levels(rows, "level", "n", "n_early", since=day(4)) == [("2", 1, 0), ("unknown", 3, 3)]
    assert levels(rows, "level", "n", since=day(5)) == [("unknown", 4)]
    assert levels(rows, "level", "n_early", since=day(-30)) == [("0", 0), ("1", 0), ("2", 0)]
    said = [notes for (notes,) in levels(rows, "notes", since=day(3))]
    assert said[0][0] == said[1][0] == ASSOCIATION
    assert "Pressure not known: the days before begin before since." in said[1]
    early = "1 message whose days before begin before what the frame holds of the customer"
    assert any(note.startswith(early) for note in levels(rows, "notes")[0][0])


def test_any_rate_can_be_asked_for_and_one_that_the_channel_lacks_is_null() -> None:
    rows = frame(*on_days(3, 5), on(6, "unsubscribed", campaign_id=105))
    assert levels(rows, rate="unsubscribe rate") == [("0", 0, 1), ("1", 1, 1)]
    nothing = frame(*on_days(3, 5, channel_id=IN_APP))
    assert levels(nothing, "level", "value", "k", "n", "mean_pressure") == [
        ("0", None, None, None, None),
        ("1", None, None, None, None),
    ]


# Against all pairs of messages


def with_pressure(world: pl.DataFrame, days: int, *, assume_sent: bool | None) -> pl.DataFrame:
    """Write beside each send, in plain Python, what came before it."""
    found = messages(world)
    if assume_sent is None:
        assume_sent = not found["send_observed"].any()
    events = [name for name in found.columns if name.endswith("_on")]
    rows = found.to_dicts()
    pressing = [
        row
        for row in rows
        if row["send_date"] is not None
        and row["action_id"] != 1
        and (row["send_observed"] or (assume_sent and any(row[event] for event in events)))
    ]
    for row in rows:
        gaps = [
            (row["send_date"] - other["send_date"]).days
            for other in pressing
            if row["send_date"] and other["customer_id"] == row["customer_id"] and other is not row
        ]
        row["before"] = sum(1 <= gap <= days for gap in gaps) if row["send_date"] else None
    told = pl.DataFrame(
        [
            {name: row[name] for name in (*MESSAGE_KEY, "send_date", "send_observed", "before")}
            for row in rows
        ],
        schema={
            **found.select(*MESSAGE_KEY, "send_date", "send_observed").schema,
            "before": pl.Int64,
        },
    )
    seen = told.filter("send_observed").with_columns(event_id=pl.lit(1)).drop("send_observed")
    seen = seen.cast({"event_id": world.schema["event_id"]}).rename({"send_date": "date"})
    assumed = told.filter(~pl.col("send_observed")).select(*MESSAGE_KEY, assumed="before")
    return (
        world.join(seen, on=[*MESSAGE_KEY, "date", "event_id"], how="left", nulls_equal=True)
        .join(assumed, on=MESSAGE_KEY, how="left", nulls_equal=True)
        .with_columns(before=pl.coalesce("before", "assumed"))
    )


@LAW
@given(
    world=WORLD,
    by=worlds.BY,
    rules=worlds.RULES,
    days=st.sampled_from([1, 3, 7, 28]),
    top=st.sampled_from([1, 2, 6]),
)
def test_it_is_the_rate_of_what_every_pair_of_messages_says(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], days: int, top: int
) -> None:
    marked = with_pressure(world, days, assume_sent=rules["assume_sent"])
    assert marked.height == world.height
    level = pl.col("before").clip(upper_bound=top).alias("pressure")
    expected = rates(marked, by=[*by, level], **rules).filter(rate="engagement rate")
    found = frequency(world, by=by, days=days, top=top, **rules)
    same = [*by, "pressure", *RATES.names[:-1]]
    assert_frame_equal(
        found.select(same), expected.select(same), check_row_order=False, check_dtypes=True
    )


# Laws


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], chance: Any
) -> None:
    plain = frequency(world, by=by, **rules)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(frequency(shuffled, by=by, **rules), plain)
    twice = frequency(pl.concat([world, world]), by=by, **rules)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES, since=st.sampled_from([None, day(9)]))
def test_levels_add_up_to_the_rate(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], since: dt.date | None
) -> None:
    whole = rates(world, by=by, **rules).filter(rate="engagement rate")
    parts = frequency(world, by=by, since=since, **rules)
    counts = ["k", "n", "n_late", "n_immature", "n_implied"]
    for row in whole.iter_rows(named=True):
        own = parts.filter(*(pl.col(name).eq_missing(pl.lit(row[name])) for name in by))
        for name in counts:
            assert own[name].sum() == (row[name] or 0), name
    assert (parts["n_early"] <= parts["n"].fill_null(0)).all()
    assert (parts["n_same_day"] <= parts["n"].fill_null(0)).all()


@SHORT_LAW
@given(world=WORLD, rules=worlds.RULES)
def test_one_customer_alone_has_the_same_pressure_as_among_all(
    world: pl.DataFrame, rules: dict[str, Any]
) -> None:
    # What a channel reports of deliveries is seen in the frame, but a bounce is of the sent.
    rules |= {"catalogue": SAYS, "rate": "bounce rate"}
    by = ["customer_id", "channel_id"]
    among = frequency(world, by=by, **rules)
    for customer in world["customer_id"].unique():
        alone = frequency(world.filter(customer_id=customer), by=by, **rules)
        mine = among.filter(customer_id=customer)
        assert_frame_equal(alone.drop("notes"), mine.drop("notes"))


@SHORT_LAW
@given(world=WORLD, more=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_messages_that_are_immature_on_the_last_day_change_no_number(
    world: pl.DataFrame, more: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    end = worlds.DAY0 + dt.timedelta(days=40)
    rules |= {"window": 7, "as_of": end, "catalogue": SAYS}
    immature = more.with_columns(
        pl.col("date").dt.offset_by("40d"), campaign_id=pl.col("campaign_id").fill_null(0) + 100
    )
    keys = [*by, "pressure"]
    beside = ["n_immature", "n_unobserved", "notes", "channels"]
    alone = frequency(world, by=by, **rules)
    both = frequency(pl.concat([world, immature]), by=by, **rules)
    old = both.join(alone.select(keys), on=keys, how="semi", nulls_equal=True)
    counted = pl.col("channels").list.len() > 0
    assert_frame_equal(old.filter(counted).drop(beside), alone.filter(counted).drop(beside))


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_lazy_gives_what_eager_gives_and_both_are_the_documented_table(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    eager = frequency(world, by=by, **rules)
    lazy = frequency(world.lazy(), by=by, **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert_frame_equal(lazy.collect(), eager)
    group = {name: world.schema[name] for name in by}
    assert list(eager.schema.items()) == [*group.items(), *FREQUENCY.schema.items()]
    assert lazy.collect_schema() == eager.schema
    never = [column.name for column in FREQUENCY.columns if not column.nulls]
    assert eager.select(never).null_count().sum_horizontal().to_list() == [0]


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["channel_id"], ["channel_id", "customer_id"]):
        found = frequency(rows, by=by)
        assert list(found.schema)[len(by) :] == FREQUENCY.names
        assert found.schema["notes"] == pl.List(pl.String)
    assert frequency(INTERACTIONS.empty(), by=()).height == 0


def test_wrong_input_is_named() -> None:
    rows = frame(*sends(2))
    wrong: Any
    for wrong in (0, -1, 2.5, True, None, 10**10):
        with pytest.raises(InputError, match="days="):
            frequency(rows, days=wrong)
    for wrong in (0, -1, 2.5, True, None):
        with pytest.raises(InputError, match="top="):
            frequency(rows, top=wrong)
    wrong = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
    with pytest.raises(InputError, match="since="):
        frequency(rows, since=wrong)
    wrong = "total opens per delivered"
    with pytest.raises(InputError, match="rate='total opens per delivered' is not known"):
        frequency(rows, rate=wrong)
    with pytest.raises(InputError, match="rate='open rate' is not known"):
        frequency(rows, rate="open rate", opens="ignore")
    with pytest.raises(InputError, match="name of a column of the result"):
        frequency(rows, by="level")
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        frequency(rows.drop("date"))
