"""The hand-off by hand, against plain Python, and the laws that it keeps."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import rates_oracle, worlds
from analysis.events import CALLS, EMAIL, IN_APP, PUSH, SMS, day, frame, on
from analysis.intervals import interval
from analysis.oracle import Numbers, Row, Rules, assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, hand_off
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import HAND_OFF, INTERACTIONS

LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORLD = worlds.interactions()
BY = st.sampled_from([[], [], ["campaign_id"], ["customer_id"], ["action_id", "template_id"]])
WITHIN = st.sampled_from([None, None, 3, 10])
CELL = ["from_channel_id", "next", "to_channel_id"]
AFTER = dt.date(2025, 6, 1)
FIRST = on(1, "sent")
"""The e-mail of campaign 3 that stays unanswered."""


def other(number: int, what: str, channel: int | None = SMS, **ids: Any) -> dict[str, Any]:
    """An event of another message: that of campaign 8."""
    return on(number, what, **{"campaign_id": 8, "channel_id": channel} | ids)


def after_email(*rows: dict[str, Any], **options: Any) -> dict[tuple[Any, Any], tuple[Any, ...]]:
    """What came after e-mails, how often and the median days."""
    found = hand_off(frame(FIRST, *rows), **{"as_of": AFTER} | options)
    found = found.filter(pl.col("from_channel_id") == EMAIL)
    return {
        (kind, to): (n, days)
        for kind, to, n, days in found.select("next", "to_channel_id", "n", "median_days").rows()
    }


def row(*rows: dict[str, Any], **options: Any) -> dict[str, Any]:
    found = hand_off(frame(FIRST, *rows), **{"as_of": AFTER} | options)
    return found.filter(pl.col("from_channel_id") == EMAIL).row(0, named=True)


def test_the_next_engagement_is_the_earliest_with_another_message_after_the_day_of_the_send() -> (
    None
):
    rows = [other(2, "sent"), other(5, "clicked"), other(9, "clicked", PUSH)]
    assert after_email(*rows) == {("engaged", SMS): (1, 4)}
    # An older message will do, and so will its click after its open.
    old = [other(-5, "sent", EMAIL), other(-4, "opened", EMAIL), other(3, "clicked", EMAIL)]
    assert (
        hand_off(frame(FIRST, *old), as_of=AFTER)
        .filter(pl.col("n_answered") == 1)
        .select("next", "to_channel", "n", "n_from", "median_days")
        .rows()
    ) == [("engaged", "E-mail", 1, 1, 2)]


def test_none_by_as_of_is_none_yet() -> None:
    rows = [other(2, "sent"), other(40, "clicked")]
    assert after_email(*rows) == {("engaged", SMS): (1, 39)}
    assert after_email(*rows, as_of=day(39)) == {("none", None): (1, None)}
    assert after_email(*rows, as_of=day(40)) == {("engaged", SMS): (1, 39)}
    assert after_email() == {("none", None): (1, None)}


def test_within_bounds_the_days_and_asks_for_as_many_to_have_passed() -> None:
    rows = [other(2, "sent"), other(40, "clicked")]
    assert after_email(*rows, within=39) == {("engaged", SMS): (1, 39)}
    assert after_email(*rows, within=38) == {("none", None): (1, None)}
    assert after_email(*rows, within=39, as_of=day(40)) == {("engaged", SMS): (1, 39)}
    assert after_email(*rows, within=39, as_of=day(39)) == {}
    two = row(*rows, on(30, "sent", campaign_id=9), within=39, as_of=day(45))
    assert (two["n_from"], two["n_immature"], two["within"]) == (1, 1, 39)


def test_engagement_on_the_day_of_the_send_is_passed_over_and_counted() -> None:
    rows = [other(1, "sent"), other(1, "clicked")]
    assert after_email(*rows) == {("none", None): (1, None)}
    assert row(*rows)["n_same_day"] == 1
    assert after_email(*rows, other(4, "clicked", PUSH)) == {("engaged", PUSH): (1, 3)}
    assert row(other(2, "sent"), other(2, "clicked"))["n_same_day"] == 0


def test_engagement_on_several_channels_on_one_day_has_no_order() -> None:
    rows = [other(5, "clicked"), other(5, "clicked", PUSH), other(6, "clicked")]
    assert after_email(*rows) == {("several", None): (1, 4)}
    same = [other(5, "clicked"), other(5, "clicked", campaign_id=9)]
    assert after_email(*same) == {("engaged", SMS): (1, 4)}


def test_the_message_itself_answered_late_is_no_next_engagement() -> None:
    own = [on(12, "opened"), on(20, "clicked")]
    assert after_email(*own) == {("none", None): (1, None)}
    assert row(*own)["n_answered_late"] == 1
    # Its open and its click on one day are one message's.
    assert after_email(on(12, "opened"), on(12, "clicked")) == {("none", None): (1, None)}
    assert after_email(*own, other(30, "clicked")) == {("engaged", SMS): (1, 29)}
    # On one day with another it takes no part: neither for its channel nor in a tie.
    assert after_email(*own, other(12, "clicked")) == {("engaged", SMS): (1, 11)}
    assert after_email(*own, other(20, "clicked"), other(20, "clicked", PUSH)) == {
        ("several", None): (1, 19)
    }
    again = other(20, "opened", EMAIL, campaign_id=11)
    assert after_email(*own, again) == {("engaged", EMAIL): (1, 19)}
    assert after_email(*own, again, other(20, "clicked")) == {("several", None): (1, 19)}


def test_an_answer_in_the_window_and_a_bounce_are_no_unanswered_message() -> None:
    rows = [on(1, "sent", campaign_id=4), on(8, "opened", campaign_id=4)]
    rows += [on(1, "sent", campaign_id=5), on(1, "bounced", campaign_id=5)]
    found = row(*rows)
    assert (found["n_from"], found["n_answered"], found["n_undelivered"]) == (1, 1, 1)
    assert row(*rows, opens="ignore")["n_from"] == 2
    assert row(*rows, window=6)["n_from"] == 2
    # Where the channel reports deliveries, one that was not reported is none.
    found = row(on(2, "delivered"), on(1, "sent", campaign_id=6), *rows)
    assert (found["n_from"], found["n_answered"], found["n_undelivered"]) == (1, 1, 2)


def test_where_a_kind_has_no_deliveries_the_sent_count_and_a_call_is_never_answered() -> None:
    rows = [other(1, "sent", IN_APP), other(1, "sent", CALLS), other(9, "clicked")]
    found = hand_off(frame(*rows), as_of=AFTER)
    assert found.select("from_channel", "to_channel", "n").rows() == [
        ("Call centre", "SMS", 1),
        ("In-app", "SMS", 1),
    ]
    assert any("no message of it is answered" in note for note in found["notes"][0])
    assert not any("no message of it is answered" in note for note in found["notes"][1])


def test_engagement_counts_whatever_is_known_of_the_send_but_not_a_control_members() -> None:
    assert after_email(other(5, "clicked")) == {("engaged", SMS): (1, 4)}
    assert after_email(other(3, "sent", action_id=1), other(5, "clicked", action_id=1)) == {
        ("none", None): (1, None)
    }
    assert after_email(other(5, "opened")) == {("none", None): (1, None)}  # no stage of an SMS


def test_customers_do_not_hand_off_to_one_another_even_without_ids_or_long_ago() -> None:
    assert after_email(other(5, "clicked", customer_id="B")) == {("none", None): (1, None)}
    nobody = frame(FIRST, other(5, "clicked")).with_columns(customer_id=pl.lit(None, pl.String))
    assert hand_off(nobody, as_of=AFTER)["to_channel"].to_list() == ["SMS"]
    old = pl.concat([frame(FIRST, other(5, "clicked")), nobody]).with_columns(
        pl.col("date").dt.offset_by("-100y")
    )
    found = hand_off(old, as_of=AFTER).filter(from_channel="E-mail")
    assert found.select("to_channel", "n").rows() == [("SMS", 2)]


def test_days_have_a_median_and_quartiles() -> None:
    rows = [
        one
        for name, days in zip("BCDEF", [1, 2, 3, 4, 20], strict=True)
        for one in (on(1, "sent", customer_id=name), other(1 + days, "clicked", customer_id=name))
    ]
    found = row(*rows)
    assert (found["n"], found["n_from"], found["share"]) == (5, 6, pytest.approx(5 / 6))
    assert [found[name] for name in ("days_q1", "median_days", "days_q3")] == [2, 3, 4]
    assert (found["method"], found["customers"], found["small"]) == ("wilson-cluster", 6, True)


def test_without_a_window_too_nothing_after_as_of_is_looked_at() -> None:
    rows = [on(9, "clicked"), other(12, "sent"), other(13, "clicked")]
    assert after_email(*rows, window=None, as_of=day(5)) == {("none", None): (1, None)}
    found = row(*rows, window=None, as_of=day(5))
    assert (found["n_answered"], found["n_answered_late"], found["n_immature"]) == (0, 0, 0)
    assert after_email(*rows, window=None, as_of=day(9)) == {}
    nothing = hand_off(frame(FIRST, *rows), window=None, as_of=dt.date(1980, 1, 1))
    assert nothing.height == 0


# Against plain Python, and laws


def _engagements(message: Row, rules: Rules) -> set[dt.date]:
    if message["fate"] not in {"counted", "unobserved", "immature"}:
        return set()
    lost = message["d6"] is not None and message["d4"] is None
    through = rules.as_of or message["data_through"]
    found = set()
    if message["d4"] and "clicked" in message["has"]:
        found.add(message["d4"])
    if message["d3"] and "opened" in message["has"] and not lost and rules.opens == "trust":
        found.add(message["d3"])
    return {one for one in found if not through or one <= through}


def _next(message: Row, others: Sequence[Row], rules: Rules, within: int | None) -> tuple[Any, ...]:
    through = rules.as_of or message["data_through"]
    by_day: dict[dt.date, set[Any]] = {}
    for one in others:
        for when in one["days"]:
            if one is not message and when > message["send_date"]:
                by_day.setdefault(when, set()).add(one["channel_id"])
    first = min(by_day, default=None)
    if first is None or (through and first > through):
        return "none", None, None
    days = (first - message["send_date"]).days
    if within is not None and days > within:
        return "none", None, None
    if len(by_day[first]) > 1:
        return "several", None, days
    return "engaged", *by_day[first], days


def reference(path: Path, by: Sequence[str], within: int | None, **options: Any) -> Numbers:
    rules = Rules(**options)
    everything = rates_oracle.judged(path, rules)
    engaging = {"clicked", "opened"} if rules.opens == "trust" else {"clicked"}
    beside: Counter[Any] = Counter()
    starts: dict[tuple[Any, ...], list[tuple[Row, tuple[Any, ...]]]] = {}
    for message in everything:
        message["days"] = _engagements(message, rules)
    for message in everything:
        through = rules.as_of or message["data_through"]
        key = (*(message[name] for name in by), message["channel_id"])
        if message["fate"] != "counted":
            continue
        if through and (through - message["send_date"]).days < (within or 0):
            continue
        if message["reached"] & engaging and message["days"]:
            beside[key, "answered"] += 1
            continue
        if "delivered" in message["has"] and not message["facts"]["delivered"]:
            beside[key, "undelivered"] += 1
            continue
        mine = [one for one in everything if one["customer_id"] == message["customer_id"]]
        same = any(message["send_date"] in one["days"] for one in mine if one is not message)
        message["same"] = same
        starts.setdefault(key, []).append((message, _next(message, mine, rules, within)))
    result: Numbers = {}
    for key, members in starts.items():
        for kind, to in {(kind, to) for _, (kind, to, _) in members}:
            hits = [(m["customer_id"], (k, t) == (kind, to)) for m, (k, t, _) in members]
            took = [days for _, (k, t, days) in members if (k, t) == (kind, to)]
            pairs = [
                (sum(h for c, h in hits if c == who), sum(c == who for c, _ in hits))
                for who in {c for c, _ in hits}
            ]
            lo, hi = interval(pairs) or (None, None)
            result[*key, kind, to] = {
                "n": len(took),
                "n_from": len(members),
                "share": len(took) / len(members),
                "lo": lo,
                "hi": hi,
                "median_days": None if kind == "none" else float(statistics.median(took)),
                "n_same_day": sum(m["same"] for m, _ in members),
                "n_answered_late": sum(bool(m["days"]) for m, _ in members),
                "n_answered": beside[key, "answered"],
                "n_undelivered": beside[key, "undelivered"],
                "customers": len(pairs),
            }
    return result


@settings(LAW, max_examples=16)
@given(world=WORLD, by=BY, rules=worlds.RULES, within=WITHIN)
def test_plain_python_finds_the_same(
    world: pl.DataFrame,
    by: list[str],
    rules: dict[str, Any],
    within: int | None,
    tmp_path_factory: Any,
) -> None:
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    world.write_parquet(path)
    expected = reference(path, by, within, **rules)
    assert_equal(hand_off(world, by=by, within=within, **rules), [*by, *CELL], expected)


@LAW
@given(
    world=WORLD,
    by=BY,
    rules=worlds.RULES,
    within=WITHIN,
    chance=st.randoms(use_true_random=False),
)
def test_neither_order_nor_repeats_matter_lazy_gives_what_eager_gives_and_shares_add_up(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], within: int | None, chance: Any
) -> None:
    options: dict[str, Any] = {"by": by, "within": within} | rules
    plain = hand_off(world, **options)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(hand_off(shuffled, **options), plain)
    twice = hand_off(pl.concat([world, world]), **options)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))
    lazy = hand_off(world.lazy(), **options)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == plain.schema
    assert_frame_equal(lazy.collect(), plain)
    group = {name: world.schema[name] for name in by}
    assert list(plain.schema.items()) == [*group.items(), *HAND_OFF.schema.items()]
    never = [column.name for column in HAND_OFF.columns if not column.nulls]
    assert plain.select(never).null_count().sum_horizontal().to_list() == [0]
    sums = plain.group_by(*by, "from_channel").agg(
        pl.col("share").sum(), pl.col("n").sum(), pl.col("n_from").first()
    )
    assert sums.select(((pl.col("share") - 1).abs() < 1e-12).all()).item()
    assert sums["n"].equals(sums["n_from"], check_names=False)


@LAW
@given(world=WORLD, more=WORLD, rules=worlds.RULES)
def test_immature_messages_change_no_share_and_one_customer_alone_gets_the_same(
    world: pl.DataFrame, more: pl.DataFrame, rules: dict[str, Any]
) -> None:
    # What a channel reports is seen in the frame: here none reports deliveries.
    world, more = (one.filter(pl.col("event_id").ne_missing(2)) for one in (world, more))
    rules |= {"window": 7, "as_of": None, "catalogue": Catalogue(reports_sent=True)}
    immature = more.with_columns(
        campaign_id=pl.col("campaign_id").fill_null(0) + 100,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    beside = ["n_immature", "n_unobserved", "notes"]
    both = hand_off(pl.concat([world, immature]), **rules).drop(beside)
    assert_frame_equal(both, hand_off(world, **rules).drop(beside))
    among = hand_off(world, by="customer_id", **rules)
    for customer in world["customer_id"].unique():
        alone = hand_off(world.filter(customer_id=customer), **rules)
        assert_frame_equal(alone, among.filter(customer_id=customer).drop("customer_id"))


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["campaign_id"]):
        found = hand_off(rows, by=by)
        assert dict(list(found.schema.items())[len(by) :]) == dict(HAND_OFF.schema)
    assert hand_off(INTERACTIONS.empty().drop("data_through")).height == 0


@pytest.mark.parametrize("within", [0, -3, True, 2.5, "7", 10**10])
def test_a_wrong_within_is_named(within: Any) -> None:
    with pytest.raises(InputError, match="must be a number of days, 1 to 1,000,000, or None"):
        hand_off(frame(), within=within)


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        hand_off(frame(on(3, "sent")).drop("date"))
    wrong: Any = "both"
    with pytest.raises(InputError, match="opens='both' is not known"):
        hand_off(frame(), opens=wrong)
    with pytest.raises(InputError, match="name of a column of the result"):
        hand_off(frame(), by="next")
    names = ["time", "_code", "_all", "days", "channels"]
    mine = frame(FIRST).with_columns(pl.lit("x").alias(name) for name in names)
    assert hand_off(mine, by=names)["n"].to_list() == [1]
