"""Rates counted by hand, against an oracle in SQL, and the laws that they keep."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import rates_oracle, worlds
from analysis.events import (
    CALLS,
    EMAIL,
    IN_APP,
    PUSH,
    SMS,
    UNKNOWN,
    day,
    frame,
    on,
    sends,
)
from analysis.oracle import assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, funnel, messages, rates
from optimove_analysis.analysis.rate_counts import RATIOS
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import (
    INTERACTIONS,
    KIND_STAGES,
    MESSAGE_KEY,
    RATE_NAMES,
    RATES,
    Stage,
)

NUMBERS = ["value", "lo", "hi", "k", "n", "n_effective", "small", "n_implied", "n_late"]
WITH_OPENS = ["open rate", "click-to-open rate", "total opens per delivered"]


def row(interactions: pl.DataFrame, rate: str, **options: Any) -> dict[str, Any]:
    found = rates(interactions, **options).filter(pl.col("rate") == rate)
    assert found.height == 1
    return found.row(0, named=True)


def counts(interactions: pl.DataFrame, rate: str, **options: Any) -> tuple[Any, Any]:
    found = row(interactions, rate, **options)
    return found["k"], found["n"]


def said(interactions: pl.DataFrame, rate: str, **options: Any) -> list[str]:
    notes: list[str] = row(interactions, rate, **options)["notes"]
    return notes


# The table of definitions, counted by hand

EIGHT = frame(
    *sends(8, clicked=1),
    *(on(3, "delivered", campaign_id=i) for i in range(5)),
    *(on(4, "opened", campaign_id=i) for i in (0, 1, 1, 5)),
    on(20, "opened", campaign_id=2),
    on(3, "bounced", campaign_id=6),
    on(5, "unsubscribed", campaign_id=1),
    on(5, "spam_complaint", campaign_id=4),
)
"""Eight sent, 0 to 5 delivered (5 by its open); 0, 1, 5 opened, 1 twice, 2 late; 0 clicked."""


@pytest.mark.parametrize(
    ("rate", "k", "n"),
    [
        ("delivery rate", 6, 8),
        ("bounce rate", 1, 8),
        ("open rate", 3, 6),
        ("click rate", 1, 6),
        ("click-to-open rate", 1, 3),
        ("unsubscribe rate", 1, 6),
        ("spam complaint rate", 1, 6),
        ("engagement rate", 3, 6),
        ("total opens per delivered", 4, 6),
    ],
)
def test_each_rate_divides_what_its_definition_says(rate: str, k: int, n: int) -> None:
    found = row(EIGHT, rate)
    assert (found["k"], found["n"], found["value"]) == (k, n, pytest.approx(k / n))
    assert (found["label"], found["channel"], found["channels"]) == (rate, "E-mail", ["E-mail"])


def test_implied_and_late_are_shown_apart() -> None:
    assert row(EIGHT, "delivery rate")["n_implied"] == 1
    assert row(EIGHT, "open rate")["n_implied"] == 0
    assert row(EIGHT, "open rate")["base_implied"] == 1
    assert row(EIGHT, "open rate")["n_late"] == 1
    assert row(EIGHT, "total opens per delivered")["n_late"] == 1
    assert row(frame(*sends(2, clicked=1)), "click-to-open rate")["base_implied"] == 1
    rows = frame(*sends(2), on(30, "bounced", campaign_id=0), on(30, "unsubscribed", campaign_id=1))
    assert row(rows, "bounce rate")["n_late"] == 1
    assert row(rows, "unsubscribe rate")["n_late"] == 1


def test_with_opens_ignored_rates_with_opens_are_absent_and_engagement_is_a_click() -> None:
    found = rates(EIGHT, opens="ignore")
    assert found["rate"].to_list() == [name for name in RATE_NAMES if name not in WITH_OPENS]
    assert counts(EIGHT, "engagement rate", opens="ignore") == (1, 6)


def test_with_nothing_implied_counts_are_as_reported_and_only_of_the_sent_is_a_proportion() -> None:
    none: dict[str, Any] = {"implied": "none"}
    assert counts(EIGHT, "delivery rate", **none) == (5, 8)
    assert counts(EIGHT, "open rate", **none) == (3, 5)
    assert row(EIGHT, "delivery rate", **none)["hi"] is not None
    assert row(EIGHT, "open rate", **none)["hi"] is None
    more = frame(*sends(3, clicked=3), on(3, "delivered", campaign_id=0))
    found = row(more, "click rate", **none)
    assert (found["k"], found["n"], found["value"]) == (3, 1, None)
    assert found["notes"] == ["No rate: more were reported of k than of n, and nothing is implied."]


def test_the_denominator_0_is_no_answer() -> None:
    rows = frame(on(3, "sent"), on(3, "bounced"))
    for rate in ("open rate", "click rate", "click-to-open rate", "total opens per delivered"):
        found = row(rows, rate)
        assert [found[name] for name in ("value", "lo", "hi", "k", "n")] == [None, None, None, 0, 0]
    assert row(rows, "delivery rate")["value"] == 0.0


# Not bounced


def test_where_a_channel_reports_no_deliveries_delivered_is_not_bounced() -> None:
    rows = frame(*sends(4, clicked=1), on(4, "bounced", campaign_id=3))
    found = row(rows, "delivery rate")
    assert (found["label"], found["k"], found["n"], found["n_implied"]) == ("not bounced", 3, 4, 3)
    # With only the opened taken for delivered, everything delivered would have been opened.
    assert counts(rows, "open rate") == (1, 3)
    assert found["notes"] == [
        "Delivered means not bounced where a channel reports no delivered events."
    ]


def test_what_a_channel_reports_is_seen_in_all_its_counted_messages_of_the_frame() -> None:
    rows = frame(
        *sends(2), *sends(1, customer_id="B"), on(3, "delivered", customer_id="B", campaign_id=0)
    )
    found = rates(rows, by="customer_id").filter(rate="delivery rate")
    assert found["label"].to_list() == ["delivery rate"] * 2
    assert found["value"].to_list() == [0.0, 1.0]
    # A delivery of a message that does not count says nothing of those that do.
    immature = frame(
        *sends(2),
        on(3, "sent", campaign_id=9, data_through=day(4)),
        on(3, "delivered", campaign_id=9, data_through=day(4)),
    )
    assert row(immature, "delivery rate")["label"] == "not bounced"
    # Nor does another channel's.
    other = frame(*sends(2), *sends(1, channel_id=SMS), on(3, "delivered", campaign_id=0))
    assert row(other, "delivery rate", by=())["label"] == "delivered or not bounced"
    # A late one does.
    assert row(frame(*sends(2), on(40, "delivered", campaign_id=0)), "delivery rate")["k"] == 0


def test_who_complains_of_a_bounced_message_is_in_no_rate_and_a_click_undoes_the_bounce() -> None:
    rows = frame(
        *sends(3), *(on(3, e, campaign_id=0) for e in ("bounced", "unsubscribed", "spam_complaint"))
    )
    assert counts(rows, "unsubscribe rate") == (0, 2)
    assert counts(rows, "spam complaint rate") == (0, 2)
    clicked = frame(*sends(3), *(on(3, event, campaign_id=0) for event in ("bounced", "clicked")))
    assert counts(clicked, "bounce rate") == (0, 3)
    assert counts(clicked, "delivery rate") == (3, 3)


def test_a_late_bounce_is_late_in_the_bounce_rate_and_still_no_delivery() -> None:
    rows = frame(*sends(2), on(20, "bounced", campaign_id=0))
    assert counts(rows, "bounce rate") == (0, 2)
    assert counts(rows, "delivery rate") == (1, 2)


# Channels


@pytest.mark.parametrize(
    ("channel", "lacking"),
    [
        (EMAIL, []),
        (UNKNOWN, []),
        (None, []),
        (SMS, WITH_OPENS),
        (PUSH, WITH_OPENS),
        (IN_APP, list(RATE_NAMES)),
        (CALLS, list(RATE_NAMES)),
    ],
)
def test_a_rate_whose_stage_the_channel_lacks_is_null_with_the_reason(
    channel: int | None, lacking: list[str]
) -> None:
    rows = frame(*sends(2, clicked=1, channel_id=channel), on(5, "opened", channel_id=channel))
    found = rates(rows)
    nothing = found.filter(pl.col("k").is_null())
    assert set(nothing["rate"]) == set(lacking)
    assert nothing.select(NUMBERS).null_count().row(0) == (len(lacking),) * len(NUMBERS)
    reasons = {note for notes in nothing["notes"] for note in notes if note.startswith("No rate")}
    kinds = {"No rate: the channel's kind has no opens."} if WITH_OPENS[0] in lacking else set()
    if channel in {IN_APP, CALLS}:
        kinds.add("No rate: the channel's kind has no deliveries.")
    assert reasons == kinds
    assert nothing["channels"].list.len().sum() == 0


def test_a_total_is_over_the_channels_that_have_both_stages_and_names_them() -> None:
    rows = frame(
        *sends(3, clicked=1),
        *sends(2, clicked=1, channel_id=SMS),
        *sends(4, channel_id=CALLS),
        *sends(1, channel_id=IN_APP),
    )
    found = row(rows, "click rate", by=())
    assert (found["k"], found["n"], found["channels"]) == (2, 5, ["E-mail", "SMS"])
    assert found["channel"] is None
    assert "5 messages of channels whose kind has no deliveries left out." in found["notes"]
    found = row(rows, "open rate", by=())
    assert (found["k"], found["n"], found["channels"]) == (1, 3, ["E-mail"])
    assert "7 messages of channels whose kind has no opens left out." in found["notes"]


def test_a_total_that_no_channel_can_give_is_null_with_the_reason() -> None:
    rows = frame(*sends(2, channel_id=SMS))
    assert said(rows, "open rate", by=())[0] == "No rate: no channel of the group has opens."
    assert counts(rows, "open rate", by=()) == (None, None)
    assert counts(frame(), "open rate", by=()) == (0, 0)


def test_what_takes_no_part_in_a_total_is_not_in_its_numbers_and_notes() -> None:
    rows = frame(
        *sends(2),
        on(3, "delivered", campaign_id=0),
        on(3, "sent", channel_id=SMS, campaign_id=7, data_through=day(4)),
        on(3, "opened", channel_id=SMS, campaign_id=8),
    )
    assert row(rows, "click rate", by=())["n_immature"] == 1
    assert row(rows, "click rate", by=())["n_unobserved"] == 1
    assert row(rows, "open rate", by=())["n_immature"] == 0
    assert row(rows, "open rate", by=())["n_unobserved"] == 0
    assert said(rows, "open rate", by=()) == []


def test_a_kind_with_opens_has_deliveries_and_clicks_and_one_with_deliveries_has_clicks() -> None:
    # One stage says whether a channel has both of a rate's: true of every kind there is.
    stages_of: dict[str, Stage] = {"opens": "opened", "engaged": "clicked"}
    for stages in KIND_STAGES.values():
        for ratio in RATIOS.values():
            both = {stages_of.get(part, part) for part in (ratio.k, ratio.n)}
            both -= {"bounced", "unsubscribed", "spam_complaint"}
            assert (ratio.needs in stages) == ({*both, ratio.needs} <= {*stages})


# Total opens


def test_open_rows_count_repeats_and_go_to_the_latest_send() -> None:
    rows = frame(
        on(3, "sent"),
        on(3, "opened"),
        on(9, "opened"),
        on(9, "opened"),
        on(10, "sent"),
        on(10, "opened"),
        on(1, "opened"),  # an orphan
        on(None, "opened"),
        on(30, "opened"),  # late
    )
    found = row(rows, "total opens per delivered")
    assert (found["k"], found["n"], found["value"], found["n_late"]) == (4, 2, 2.0, 1)
    assert row(rows, "total opens per delivered", window=None)["k"] == 5


def test_a_null_id_is_a_value_for_open_rows_too() -> None:
    ids: dict[str, Any] = {"template_id": None, "action_id": None}
    rows = frame(on(3, "sent", **ids), on(4, "opened", **ids), on(4, "opened"), on(3, "sent"))
    assert counts(rows, "total opens per delivered") == (2, 2)


def test_a_mean_of_opens_without_a_spread_has_no_interval() -> None:
    for rows in (
        frame(on(3, "sent"), on(4, "opened")),
        frame(*sends(9)),
        frame(*sends(9), *(on(4, "opened", campaign_id=i) for i in range(9))),
    ):
        found = row(rows, "total opens per delivered")
        assert (found["value"] is not None, found["lo"], found["hi"]) == (True, None, None)


def test_within_one_customer_the_spread_of_opens_is_that_of_messages() -> None:
    # Opens 0, 1, 2, 3 of four messages: mean 1.5, sample variance 5/3, standard error
    # sqrt(5/12) = 0.6455; relative 0.4303; 1.5 * exp(-+1.96 * 0.4303) = 0.6453, 3.4866.
    rows = frame(*sends(4), *(on(4, "opened", campaign_id=i) for i in range(4) for _ in range(i)))
    found = row(rows, "total opens per delivered")
    assert (found["value"], found["method"]) == (1.5, "log-linear")
    assert found["lo"] == pytest.approx(0.6453, abs=1e-4)
    assert found["hi"] == pytest.approx(3.4866, abs=2e-4)
    assert found["n_effective"] is None


# Against the oracle, and laws

LAW = settings(max_examples=22, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SHORT_LAW = settings(LAW, max_examples=11)
WORLD = worlds.interactions()
BESIDE = ["n_immature", "n_unobserved", "notes", "channels"]


@LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_the_oracle_finds_the_same(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], tmp_path_factory: Any
) -> None:
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    world.write_parquet(path)
    expected = rates_oracle.rates(path, by=by, **rules)
    assert_equal(rates(world, by=by, **rules), [*by, "rate"], expected)


def test_the_oracle_finds_the_same_in_the_sample() -> None:
    path = Path("data/interactions.parquet")
    sample = pl.read_parquet(path)
    for by in (["channel_id"], []):
        expected = rates_oracle.rates(path, by=by)
        assert_equal(rates(sample, by=by), [*by, "rate"], expected)


@LAW
@given(world=WORLD, rules=worlds.RULES)
def test_every_open_row_is_in_the_window_or_late_or_an_orphan_or_undated(
    world: pl.DataFrame, rules: dict[str, Any]
) -> None:
    # With every message counted and every channel having opens, open rows are only placed.
    everything = Catalogue(channels={}, reports_sent=False)
    rules |= {"opens": "trust", "window": 7, "as_of": worlds.COMPLETE, "assume_sent": True}
    world = world.filter(
        pl.col("action_id").ne_missing(1),
        pl.col("event_id").ne_missing(6),
        pl.col("date").is_not_null(),
    )
    found = rates(world, by=(), catalogue=everything, **rules)
    mean = found.filter(rate="total opens per delivered").row(0, named=True)
    first = (
        pl.when(pl.col("event_id") == 1).then("date").min().over(MESSAGE_KEY).alias("first_send")
    )
    opened = world.with_columns(first).filter(pl.col("event_id") == 3)
    orphans = opened.filter(pl.col("date") < pl.col("first_send")).height
    assert mean["k"] + mean["n_late"] + orphans == opened.height


@SHORT_LAW
@given(world=WORLD, rules=worlds.RULES)
def test_rates_and_the_funnel_count_alike_where_deliveries_are_reported(
    world: pl.DataFrame, rules: dict[str, Any]
) -> None:
    rules |= {"implied": "lower"}
    found, steps = rates(world, **rules), funnel(world, **rules)
    reporting = found.filter(~pl.col("label").eq("not bounced"), rate="delivery rate")
    pairs = {"delivery rate": "delivered", "open rate": "opened"}
    pairs |= {"click-to-open rate": "clicked"} if rules["opens"] == "trust" else {}
    for rate, stage in pairs.items():
        both = (
            found.filter(rate=rate)
            .join(reporting.select("channel_id"), on="channel_id", how="semi", nulls_equal=True)
            .join(steps.filter(stage=stage), on="channel_id", nulls_equal=True)
            .filter(pl.col("messages").is_not_null(), pl.col("n").is_not_null())
        )
        for ours, theirs in (("k", "messages"), ("n", "previous"), ("value", "step_rate")):
            assert both[ours].equals(both[theirs]), (rate, ours)
        assert both["lo"].equals(both["step_lo"])


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter_but_to_total_opens(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], chance: Any
) -> None:
    plain = rates(world, by=by, **rules)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(rates(shuffled, by=by, **rules), plain)
    unique = pl.col("rate") != "total opens per delivered"
    twice = rates(pl.concat([world, world]), by=by, **rules)
    assert_frame_equal(twice.filter(unique).drop("notes"), plain.filter(unique).drop("notes"))
    assert twice.filter(~unique)["k"].equals(plain.filter(~unique)["k"] * 2)


@SHORT_LAW
@given(world=WORLD, more=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_immature_messages_change_no_rate(
    world: pl.DataFrame, more: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    rules |= {"window": 7, "as_of": None, "catalogue": Catalogue(reports_sent=True)}
    immature = more.with_columns(
        campaign_id=pl.col("campaign_id").fill_null(0) + 100,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    alone = rates(world, by=by, **rules)
    beyond = rates(pl.concat([world, immature]), by=by, **rules)
    old = beyond.join(alone.select(*by, "rate"), on=[*by, "rate"], how="semi", nulls_equal=True)
    # The total of a group without any counted message may come to be one over no channel.
    some = pl.col("channels").list.len() > 0
    assert_frame_equal(old.filter(some).drop(BESIDE), alone.filter(some).drop(BESIDE))
    assert old.filter(~some)["value"].null_count() == alone.filter(~some).height


@SHORT_LAW
@given(world=worlds.interactions(complete=True), by=worlds.BY, rules=worlds.RULES)
def test_a_wider_window_never_lowers_a_count(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    rules |= {"as_of": None}
    before: pl.DataFrame | None = None
    for window in (0, 2, 7, None):
        found = rates(world, by=by, **rules | {"window": window})
        if before is not None:
            assert (found["k"] >= before["k"]).all()
            assert (found["n"] >= before["n"]).all()
        before = found


@SHORT_LAW
@given(world=WORLD, rules=worlds.RULES)
def test_one_customer_alone_gets_the_same_rates_where_the_same_is_reported(
    world: pl.DataFrame, rules: dict[str, Any]
) -> None:
    # What a channel reports is seen in the frame, as is whether sends are reported.
    rules |= {"catalogue": Catalogue(reports_sent=True)}
    by = ["customer_id", "channel_id"]
    among = rates(world, by=by, **rules)
    for customer in world["customer_id"].unique():
        alone = rates(world.filter(customer_id=customer), by=by, **rules)
        mine = among.filter(customer_id=customer)
        same = alone["label"] == mine["label"]
        channels = mine.filter(same & (mine["rate"] == "delivery rate")).select("channel_id")
        assert_frame_equal(
            alone.join(channels, on="channel_id", how="semi", nulls_equal=True),
            mine.join(channels, on="channel_id", how="semi", nulls_equal=True),
        )


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_lazy_gives_what_eager_gives_and_both_are_the_documented_table(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    eager = rates(world, by=by, **rules)
    lazy = rates(world.lazy(), by=by, **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert_frame_equal(lazy.collect(), eager)
    group = {name: world.schema[name] for name in by}
    assert list(eager.schema.items()) == [*group.items(), *RATES.schema.items()]
    assert lazy.collect_schema() == eager.schema
    never = [column.name for column in RATES.columns if not column.nulls]
    assert eager.select(never).null_count().sum_horizontal().to_list() == [0]
    mid = pl.col("value")
    inside = mid.is_between(pl.col("lo") - 1e-12, pl.col("hi") + 1e-12)
    assert eager.select(inside.all()).item()
    assert eager.select((pl.col("n_effective") <= pl.col("n")).all()).item()


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["channel_id"], ["channel_id", "customer_id"]):
        found = rates(rows, by=by)
        assert list(found.schema)[len(by) :] == RATES.names
        assert found.schema["notes"] == pl.List(pl.String)
        assert found.schema["channels"] == pl.List(pl.String)
    assert rates(INTERACTIONS.empty()).height == 0
    assert rates(INTERACTIONS.empty(), by=()).height == 9


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        rates(frame(on(3, "sent")).drop("date"))
    wrong: Any = "both"
    with pytest.raises(InputError, match="opens='both' is not known"):
        rates(frame(), opens=wrong)
    with pytest.raises(InputError, match="name of a column of the result"):
        rates(frame(), by="rate")
    assert "send_date" in messages(frame()).columns


def test_a_group_may_be_called_what_a_column_of_ours_is_called_while_we_count() -> None:
    mine = EIGHT.with_columns(_opens=pl.lit("x"), counted=pl.lit("y"), _is_opened=pl.lit("z"))
    found = rates(mine, by=["_opens", "counted", "_is_opened", "channel_id"])
    assert found["value"].equals(rates(EIGHT)["value"])
