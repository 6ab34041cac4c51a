"""Days of bad delivery: by hand, against a plain reference, in simulated outages, and laws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from analysis import anomalies_reference, worlds
from analysis.events import CALLS, EMAIL, IN_APP, PUSH, SMS, day, frame, on, seeded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.stats import betabinom

from optimove_analysis import Catalogue, anomalies
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import ANOMALIES

MONDAY = 3
THROUGH = day(MONDAY + 70)


def sent(number: int, n: int, delivered: int, **ids: Any) -> list[dict[str, Any]]:
    """Return n messages of a day, one a customer, the first few of them delivered at once."""
    ids = {"campaign_id": number, "data_through": THROUGH} | ids
    rows = [on(number, "sent", customer_id=str(who), **ids) for who in range(n)]
    return rows + [on(number, "delivered", customer_id=str(who), **ids) for who in range(delivered)]


def weekly(*days: tuple[int, int], **ids: Any) -> pl.DataFrame:
    """Return days a week apart, each with its (delivered, sent)."""
    rows = [row for week, (k, n) in enumerate(days) for row in sent(MONDAY + 7 * week, n, k, **ids)]
    return frame(*rows)


def on_day(number: int, interactions: pl.DataFrame, **options: Any) -> dict[str, Any]:
    found = anomalies(interactions, **options).filter(send_date=day(number))
    assert found.height == 1
    return found.row(0, named=True)


def statuses(interactions: pl.DataFrame, **options: Any) -> list[str]:
    """The statuses of the days that have messages."""
    found = anomalies(interactions, **options).filter(pl.col("status") != "no data")
    said: list[str] = found["status"].to_list()
    return said


# By hand

EIGHT = [(38, 40)] * 8


def test_a_day_far_below_the_same_weekdays_is_an_anomaly() -> None:
    rows = weekly(*EIGHT, (20, 40), (38, 40))
    assert statuses(rows) == ["no baseline"] * 6 + ["ok"] * 2 + ["anomaly", "ok"]
    found = on_day(MONDAY + 56, rows)
    assert (found["k"], found["n"], found["rate"]) == (20, 40, 0.5)
    assert (found["baseline_k"], found["baseline_n"], found["baseline_days"]) == (304, 320, 8)
    assert (found["expected"], found["drop"]) == (0.95, pytest.approx(0.45))
    # The days are alike: Jeffreys's Beta(304.5, 16.5).
    p = float(betabinom.cdf(20, 40, 304.5, 16.5))
    assert found["p"] == pytest.approx(p, rel=1e-9, abs=0)
    assert p < 1e-12
    assert (found["channel"], found["label"], found["method"]) == (
        "E-mail",
        "delivery rate",
        "wilson-cluster",
    )


def test_only_the_trailing_same_weekdays_are_the_baseline() -> None:
    # Sundays are bad; that is no news of a Monday, nor is a Monday nine weeks ago, nor next week.
    sundays = [row for week in range(9) for row in sent(MONDAY - 1 + 7 * week, 40, 4)]
    rows = pl.concat([weekly((0, 40), *EIGHT, (38, 40), (10, 40)), frame(*sundays)])
    found = on_day(MONDAY + 63, rows)
    assert (found["baseline_k"], found["baseline_n"], found["status"]) == (304, 320, "ok")


def test_a_baseline_needs_three_quarters_of_the_weeks_and_says_so() -> None:
    gaps = [(38, 40)] * 5 + [(0, 0)] * 3 + [(1, 40)]
    found = on_day(MONDAY + 56, weekly(*gaps))
    assert (found["status"], found["p"], found["baseline_days"]) == ("no baseline", None, 5)
    note = "5 of the 8 trailing same weekdays with messages; a baseline needs 6."
    assert note in found["notes"]
    assert on_day(MONDAY + 56, weekly(*gaps), weeks=4)["baseline_days"] == 1
    assert on_day(MONDAY + 35, weekly(*gaps[:5], (1, 40)), weeks=4)["status"] == "anomaly"


def test_a_day_with_few_messages_is_small_and_not_tested() -> None:
    found = on_day(MONDAY + 56, weekly(*EIGHT, (0, 29)))
    assert (found["status"], found["p"], found["rate"]) == ("small", None, 0.0)
    assert on_day(MONDAY + 56, weekly(*EIGHT, (0, 30)))["status"] == "anomaly"
    assert on_day(MONDAY + 56, weekly(*EIGHT, (0, 29)), min_n=29)["status"] == "anomaly"


def test_a_drop_that_is_too_small_is_none_however_sure() -> None:
    rows = weekly(*[(400, 400)] * 8, (380, 400))
    found = on_day(MONDAY + 56, rows)
    assert found["p"] < 1e-6
    assert on_day(MONDAY + 56, rows, min_drop=0.051)["status"] == "ok"
    # 5 points exactly, of which rounding leaves a hair less.
    found = on_day(MONDAY + 56, weekly(*[(380, 400)] * 8, (360, 400)))
    assert found["drop"] < 0.05
    assert found["status"] == "anomaly"


def test_a_rise_is_no_anomaly() -> None:
    found = on_day(MONDAY + 56, weekly(*[(20, 40)] * 8, (40, 40)), min_drop=0)
    assert (found["status"], found["drop"]) == ("ok", -0.5)
    assert found["p"] == 1.0


def test_a_day_without_messages_is_no_data_and_a_channel_that_fell_silent_shows() -> None:
    found = anomalies(frame(*sent(3, 2, 2), *sent(6, 2, 2)))
    assert found["send_date"].to_list() == [day(3 + number) for number in range(71)]
    assert found["status"].to_list() == ["small", "no data", "no data", "small", *["no data"] * 67]
    silent = found.row(1, named=True)
    assert (silent["k"], silent["n"], silent["rate"], silent["label"]) == (0, 0, None, None)
    assert (silent["channel"], silent["notes"], silent["unit"]) == ("E-mail", [], "message")
    assert anomalies(frame(*sent(3, 2, 2)), as_of=day(5)).height == 3
    assert anomalies(frame(*sent(3, 2, 2, data_through=None))).height == 1


def test_a_day_whose_window_has_not_closed_is_immature() -> None:
    rows = weekly(*EIGHT, (0, 40))
    last = day(MONDAY + 56)
    found = on_day(MONDAY + 56, rows, as_of=last)
    assert (found["status"], found["n"], found["n_immature"]) == ("immature", 0, 40)
    assert on_day(MONDAY + 56, rows, as_of=last, window=0)["status"] == "anomaly"
    assert on_day(MONDAY + 56, rows, as_of=last, window=None)["status"] == "anomaly"
    assert on_day(MONDAY + 56, rows, as_of=last + dt.timedelta(days=1))["status"] == "anomaly"


def test_a_delivery_after_the_window_is_late_and_the_notes_say_so() -> None:
    late = [
        on(MONDAY + 58, "delivered", customer_id=str(who), campaign_id=MONDAY + 56,
           data_through=THROUGH)
        for who in range(38)
    ]  # fmt: skip
    rows = pl.concat([weekly(*EIGHT, (0, 40)), frame(*late)])
    found = on_day(MONDAY + 56, rows)
    assert (found["status"], found["k"], found["n_late"]) == ("anomaly", 0, 38)
    assert "38 messages delivered after the window: not in time." in found["notes"]
    assert on_day(MONDAY + 56, rows, window=2)["status"] == "ok"


def test_where_no_deliveries_are_reported_the_rate_is_of_the_not_bounced() -> None:
    bounces = [
        on(MONDAY + 56, "bounced", customer_id=str(who), campaign_id=MONDAY + 56,
           data_through=THROUGH)
        for who in range(20)
    ]  # fmt: skip
    rows = pl.concat([weekly(*[(0, 40)] * 9), frame(*bounces)])
    found = on_day(MONDAY + 56, rows)
    assert (found["label"], found["k"], found["status"]) == ("not bounced", 20, "anomaly")
    assert found["n_implied"] == 20


@pytest.mark.parametrize("channel", [IN_APP, CALLS])
def test_a_channel_without_deliveries_has_no_rate(channel: int) -> None:
    found = anomalies(weekly(*[(0, 40)] * 2, channel_id=channel), as_of=day(MONDAY + 9))
    assert found["status"].unique().to_list() == ["no rate"]
    assert found.height == 10
    nothing = found.select("k", "n", "rate", "expected", "p", "n_late")
    assert nothing.null_count().row(0) == (10,) * 6


def test_an_anomaly_stays_in_later_baselines_and_the_notes_say_so() -> None:
    found = on_day(MONDAY + 63, weekly(*EIGHT, (20, 40), (30, 40)))
    assert (found["baseline_k"], found["baseline_anomalies"]) == (38 * 7 + 20, 1)
    assert "The baseline holds 1 anomaly: a further one shows less." in found["notes"]
    clean = on_day(MONDAY + 63, weekly(*EIGHT, (38, 40), (30, 40)))
    assert (clean["status"], clean["baseline_anomalies"]) == ("anomaly", 0)
    assert found["p"] > clean["p"]


def test_how_many_false_alarms_are_to_be_expected_is_said() -> None:
    found = on_day(MONDAY + 56, weekly(*EIGHT, (38, 40)), alpha=0.01)
    assert (found["n_tests"], found["alpha"]) == (3, 0.01)
    expected = (
        "3 days of the group tested: where days differ by chance alone, 0.03 false alarms are to "
        "be expected at most."
    )
    assert found["notes"] == [expected]
    assert on_day(MONDAY, weekly(*EIGHT))["notes"] == [
        "0 of the 8 trailing same weekdays with messages; a baseline needs 6."
    ]


def test_control_members_and_messages_without_a_day_have_no_day() -> None:
    rows = frame(*sent(3, 2, 2), *sent(1, 2, 2, action_id=1), on(None, "sent", campaign_id=9))
    assert anomalies(rows)["send_date"].min() == day(3)
    assert anomalies(frame(*sent(1, 2, 2, action_id=1))).is_empty()


# Simulated

CHANNELS = {EMAIL: (0.97, 120), PUSH: (0.9, 80), SMS: (0.98, 60)}


def simulated(outages: Mapping[tuple[int, int], float], *, days: int = 140) -> pl.DataFrame:
    """Return messages of three channels, each day with its own number of them, a share delivered.

    On the days (channel, number) of ``outages`` the share is another.
    """
    chance = seeded(11)
    rows = []
    for channel, (rate, mean) in CHANNELS.items():
        for number in range(1, days + 1):
            # A weekday has its own level: Sundays deliver less, each week.
            share = outages.get((channel, number), rate - 0.1 * (day(number).weekday() == 6))
            for who in range(chance.randint(mean // 2, mean * 3 // 2)):
                rows.append((str(who), number, channel, day(number), 1))
                if chance.random() < share:
                    rows.append((str(who), number, channel, day(number + (who % 4 == 0)), 2))
    names = ["customer_id", "campaign_id", "channel_id", "date", "event_id"]
    made = pl.DataFrame(rows, schema=names, orient="row")
    return made.with_columns(
        pl.lit(1, pl.Int64).alias("recipient_group_id"),
        pl.lit(5, pl.Int64).alias("action_id"),
        pl.lit(2, pl.Int64).alias("template_id"),
    )


def test_simulated_outages_are_found_and_nothing_else() -> None:
    outages = {(EMAIL, 100): 0.6, (EMAIL, 101): 0.5, (SMS, 60): 0.7, (PUSH, 139): 0.0}
    found = anomalies(simulated(outages))
    assert found.height == 3 * 140
    assert set(found["status"]) == {"ok", "anomaly", "no baseline"}
    odd = found.filter(status="anomaly").select("channel_id", "send_date").rows()
    assert set(odd) == {(channel, day(number)) for channel, number in outages}


def test_a_world_without_outages_raises_no_alarm_beyond_what_alpha_says() -> None:
    found = anomalies(simulated({}))
    tests = found["n_tests"].unique().to_list()
    assert tests == [140 - 6 * 7]
    assert found.filter(status="anomaly").is_empty()  # 0.3 are expected at most
    loose = anomalies(simulated({}), alpha=0.05, min_drop=0)
    assert 1 <= loose.filter(status="anomaly").height <= 25  # of 294 tests, 15 at most expected


def test_a_lasting_change_is_found_first_and_then_taken_as_normal() -> None:
    lasting = {(EMAIL, number): 0.8 for number in range(71, 141)}
    found = anomalies(simulated(lasting)).filter(channel_id=EMAIL)
    odd = found.filter(status="anomaly")["send_date"].to_list()
    # Its first Sunday is 0.8 as well, of 0.87 expected: no sure drop.
    assert set(odd) >= {day(n) for n in range(71, 78) if day(n).weekday() != 6}
    assert max(odd) < day(71 + 28)


# Against the reference, and laws

LAW = settings(max_examples=11, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SHORT_LAW = settings(LAW, max_examples=6)
WORLD = worlds.interactions()
SAYS = Catalogue(reports_sent=True)
ALARMS = st.fixed_dictionaries(
    {
        "weeks": st.sampled_from([2, 3]),
        "min_n": st.sampled_from([1, 2]),
        "min_drop": st.sampled_from([0, 0.1]),
        "alpha": st.sampled_from([0.3, 0.6]),
    }
)
COMPARED = [
    *("send_date", "status", "rate", "k", "n", "expected", "drop", "p"),
    *("baseline_k", "baseline_n", "baseline_days", "baseline_anomalies", "n_immature", "n_tests"),
]


def same_weekdays(world: pl.DataFrame) -> pl.DataFrame:
    """Move each message to a Monday or a Tuesday, so that days have earlier same weekdays."""
    off = (pl.col("date") - pl.lit(worlds.DAY0)).dt.total_days()
    return world.with_columns(
        date=pl.lit(worlds.DAY0) + pl.duration(days=off // 4 * 7 + off % 2)
    ).with_columns(data_through=pl.col("data_through") + pl.duration(days=30))


@LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES, alarm=ALARMS, moved=st.booleans())
def test_the_reference_finds_the_same(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], alarm: dict[str, Any], moved: Any
) -> None:
    rules.pop("opens")
    world = same_weekdays(world) if moved else world
    expected = anomalies_reference.counted(world, by, **rules)
    found = anomalies(world, by=by, **rules, **alarm)
    if by:
        assert found.select(by).unique().height == len(expected)
    assert found.is_empty() == (not expected)
    for key, days in expected.items():
        same = [pl.col(name).eq_missing(pl.lit(value)) for name, value in zip(by, key, strict=True)]
        mine = found.filter(same) if by else found
        ours = mine.select(COMPARED).to_dicts()
        theirs = anomalies_reference.anomalies(days, **alarm)
        assert len(ours) == len(theirs)
        for row, reference in zip(ours, theirs, strict=True):
            assert row == {
                name: pytest.approx(value, rel=1e-9, abs=1e-12)
                if isinstance(value, float)
                else value
                for name, value in reference.items()
            }


def opened(rules: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rules.items() if name != "opens"}


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES, alarm=ALARMS, chance=st.randoms())
def test_neither_order_nor_repeats_matter(
    world: pl.DataFrame,
    by: Sequence[str],
    rules: dict[str, Any],
    alarm: dict[str, Any],
    chance: Any,
) -> None:
    world = same_weekdays(world)
    options = {**opened(rules), **alarm, "by": by}
    shuffled = world[chance.sample(range(world.height), world.height)]
    found = anomalies(world, **options)
    assert_frame_equal(anomalies(shuffled, **options), found)
    twice = anomalies(pl.concat([world, shuffled]), **options)
    assert_frame_equal(twice.drop("notes"), found.drop("notes"))
    lazy = anomalies(world.lazy(), **options)
    assert_frame_equal(lazy.collect(), found)
    group = {name: world.schema[name] for name in by}
    assert list(found.schema.items()) == [*group.items(), *ANOMALIES.schema.items()]
    assert lazy.collect_schema() == found.schema
    never = [column.name for column in ANOMALIES.columns if not column.nulls]
    assert not [name for name in never if found[name].null_count() and name != "channel"]


@SHORT_LAW
@given(world=WORLD, more=WORLD, rules=worlds.RULES, alarm=ALARMS)
def test_immature_messages_and_other_groups_change_no_day(
    world: pl.DataFrame, more: pl.DataFrame, rules: dict[str, Any], alarm: dict[str, Any]
) -> None:
    options = {**opened(rules), **alarm, "window": 7, "as_of": None, "catalogue": SAYS}
    immature = more.with_columns(
        campaign_id=pl.col("campaign_id").fill_null(0) + 100,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    alone, both = anomalies(world, **options), anomalies(pl.concat([world, immature]), **options)
    days = ["channel_id", "send_date"]
    old = both.join(alone.select(days), on=days, how="semi", nulls_equal=True)
    beside = ["n_immature", "n_unobserved", "notes", "label", "as_of", "status"]
    assert_frame_equal(old.drop(beside), alone.drop(beside))
    statuses = pl.DataFrame({"old": alone["status"], "new": old["status"]}).cast(pl.String)
    changed = statuses.filter(pl.col("old") != pl.col("new"))
    assert set(changed.iter_rows()) <= {("no data", "immature")}
    for channel in world["channel_id"].unique():
        one = pl.col("channel_id").eq_missing(pl.lit(channel, pl.Int64))
        assert_frame_equal(anomalies(world.filter(one), **options), alone.filter(one))


@SHORT_LAW
@given(world=WORLD, rules=worlds.RULES, alarm=ALARMS)
def test_other_channel_ids_permute_the_result(
    world: pl.DataFrame, rules: dict[str, Any], alarm: dict[str, Any]
) -> None:
    options = {**opened(rules), **alarm}
    other = {504: 511, 511: 505, 505: 502, 502: 504, 506: 506, 510: 510}
    back = {new: old for old, new in other.items()}
    names = Catalogue().channels
    there = Catalogue(channels={other[channel]: name for channel, name in names.items()})
    renamed = world.with_columns(pl.col("channel_id").replace(other))
    found = anomalies(renamed, catalogue=there, **options)
    restored = found.with_columns(pl.col("channel_id").replace(back)).sort(
        "channel_id", "send_date"
    )
    assert_frame_equal(restored, anomalies(world, **options))


# What may come in


@pytest.mark.parametrize(
    "rows",
    [
        frame(),
        frame(on(3, "sent")),
        frame(on(3, None)),
        frame(on(None, "sent")),
        frame(on(3, "delivered")),
        frame(on(3, "sent", **dict.fromkeys(worlds.ODDS))),
    ],
)
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in (["channel_id"], [], ["customer_id"]):
        found = anomalies(rows, by=by)
        assert list(found.schema.items())[len(by) :] == [*ANOMALIES.schema.items()]
        assert anomalies(rows.lazy(), by=by).collect().equals(found)
        assert set(found["status"]) <= {"small", "no data"}
    bare = rows.drop("data_through")
    assert anomalies(bare).height == min(1, anomalies(rows).height)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"weeks": 1}, "weeks=1 must be a whole number, 2 to 104"),
        ({"weeks": 105}, "weeks=105"),
        ({"weeks": 8.0}, "weeks=8.0"),
        ({"min_n": 0}, "min_n=0 must be a whole number, 1 or more"),
        ({"min_n": True}, "min_n=True"),
        ({"min_drop": -0.1}, "min_drop=-0.1 must be a number from 0 to 1"),
        ({"min_drop": float("nan")}, "min_drop=nan"),
        ({"min_drop": "5%"}, "min_drop='5%'"),
        ({"alpha": 5}, "alpha=5 must be a number from 0 to 1"),
        ({"alpha": None}, "alpha=None"),
        ({"window": -1}, "window=-1"),
        ({"implied": "upper"}, "implied='upper' is not known; it may be 'lower'"),
        ({"by": "send_date"}, "by='send_date' is the name of a column of the result"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], answer: str) -> None:
    with pytest.raises(InputError, match=answer):
        anomalies(frame(), **options)


def test_a_frame_that_is_none_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        anomalies(frame().drop("date"))


def test_a_group_may_be_called_what_a_column_of_ours_is_called_while_we_count() -> None:
    rows = weekly(*EIGHT, (20, 40)).with_columns(n_control=1, tested=2, a=3, has_rate=4, value=5)
    mine = ["n_control", "tested", "a", "has_rate", "value"]
    found = anomalies(rows, by=mine)
    assert found.select(mine).unique().rows() == [(1, 2, 3, 4, 5)]
    assert_frame_equal(found.drop(mine), anomalies(rows, by=()))
