"""Tiers at their boundaries by hand, against plain Python, and the laws that they keep."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import customer_oracle, worlds
from analysis.events import IN_APP, SMS, day, frame, on, seeded, sends
from analysis.oracle import assert_equal
from analysis.test_recency import RULES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import recency, tiers
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, TIER_NAMES, TIERS

LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = list("ABCDEFGHIJKLMNOPQRST")


def tier(*rows: dict[str, Any], **options: Any) -> str | None:
    found = tiers(frame(*rows), **options)
    assert found.height == 1
    name: str | None = found["tier"][0]
    return name


def crowd(clicked: dict[str, int], each: int = 10) -> pl.DataFrame:
    """So many clicks each, of ten messages; the others clicked none."""
    return frame(
        *(
            row
            for name in NAMES
            for row in sends(each, clicked=clicked.get(name, 0), customer_id=name)
        )
    )


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, "active"),
        (30, "active"),
        (31, "cooling"),
        (90, "cooling"),
        (91, "dormant"),
        (500, "dormant"),
    ],
)
def test_tiers_turn_on_the_days_of_the_definitions(days: int, expected: str) -> None:
    rows = [*sends(5), on(4, "opened", campaign_id=0)]
    assert tier(*rows, as_of=day(4) + dt.timedelta(days=days)) == expected


def test_who_has_fewer_than_five_delivered_is_new_engaged_or_not() -> None:
    assert tier(*sends(4)) == "new"
    assert tier(*sends(4, clicked=4), as_of=day(5)) == "new"
    assert tier(*sends(5)) == "never engaged"
    assert tier(*sends(5), on(3, "bounced", campaign_id=0)) == "new"
    assert tier(*sends(9), *(on(3, "delivered", campaign_id=i) for i in range(4))) == "new"


def test_what_has_no_deliveries_does_not_make_a_customer_known() -> None:
    found = tiers(frame(*sends(9, clicked=3, channel_id=IN_APP)), as_of=day(5))
    assert (found["tier"][0], found["delivered"][0], found["engaged"][0]) == ("new", 0, 3)
    assert found["notes"][0].to_list() == [
        "9 messages of channels whose kind has no deliveries: not among delivered."
    ]


def test_all_channels_count_together() -> None:
    rows = [*sends(3), *sends(2, clicked=1, channel_id=SMS)]
    assert tier(*rows, as_of=day(5)) == "active"
    assert tier(*rows, as_of=day(50)) == "cooling"


def test_the_last_engagement_decides_and_any_ever_is_engagement() -> None:
    rows = [*sends(5), on(4, "opened", campaign_id=0), on(200, "opened", campaign_id=0)]
    assert tier(*rows, as_of=day(210)) == "active"
    assert tier(*rows, as_of=day(199)) == "dormant"


def test_without_a_day_to_stand_on_a_tier_of_days_is_null_and_the_others_are_not() -> None:
    rows = frame(*sends(5, clicked=1), *sends(5, customer_id="B"), *sends(2, customer_id="C"))
    found = tiers(rows.with_columns(data_through=pl.lit(None, pl.Date)))
    assert found["tier"].to_list() == [None, "never engaged", "new"]
    assert all("No days" in notes[0] for notes in found["notes"].to_list())


def test_champions_are_the_active_of_the_top_tenth_by_click_rate() -> None:
    found = tiers(crowd({"C": 9, "D": 8, "E": 3, "F": 2}), as_of=day(10))
    champions = found.filter(tier="champion")
    assert champions["customer_id"].to_list() == ["C", "D"]
    assert found["threshold"].unique().to_list() == [champions["click_rate"].min()]
    assert found["n_ranked"].unique().to_list() == [20]
    cooling = tiers(crowd({"C": 9, "D": 8, "E": 3, "F": 2}), as_of=day(60))
    assert cooling.filter(tier="champion").height == 0
    assert cooling.filter(customer_id="C")["tier"].to_list() == ["cooling"]


def test_those_tied_are_champions_together_or_not_at_all() -> None:
    three = tiers(crowd({"C": 9, "D": 8, "E": 8}), as_of=day(10))
    assert three.filter(tier="champion")["customer_id"].to_list() == ["C"]
    two = tiers(crowd({"C": 9, "D": 9, "E": 8}), as_of=day(10))
    assert two.filter(tier="champion")["customer_id"].to_list() == ["C", "D"]
    all_alike = tiers(crowd(dict.fromkeys(NAMES, 2)), as_of=day(10))
    assert set(all_alike["tier"]) == {"active"}
    assert all_alike["threshold"].null_count() == 20


def test_a_rate_of_few_messages_is_shrunk() -> None:
    many = [*sends(60, clicked=36, customer_id="many")]
    few = [*sends(5, clicked=4, customer_id="few")]
    rest = [row for name in NAMES[:8] for row in sends(60, clicked=3, customer_id=name)]
    found = tiers(frame(*many, *few, *rest), as_of=day(10))
    rate = dict(zip(found["customer_id"], found["click_rate"], strict=True))
    assert 0.5 < rate["many"] < 0.6
    assert rate["few"] < 0.75 < 4 / 5


def test_of_fewer_than_ten_customers_there_are_no_champions() -> None:
    rows = [row for name in NAMES[:8] for row in sends(10, customer_id=name)]
    nine = frame(*rows, *sends(10, clicked=9, customer_id="X"))
    assert "champion" not in tiers(nine, as_of=day(5))["tier"].to_list()
    ten = frame(*rows, *sends(10, customer_id="Y"), *sends(10, clicked=9, customer_id="X"))
    assert tiers(ten, as_of=day(5)).filter(tier="champion")["customer_id"].to_list() == ["X"]
    # Who had nothing delivered is not among those the tenth is of.
    nothing = frame(
        *rows, on(3, "bounced", customer_id="Y"), *sends(10, clicked=9, customer_id="X")
    )
    assert "champion" not in tiers(nothing, as_of=day(5))["tier"].to_list()


@LAW
@given(world=worlds.interactions(), rules=RULES)
def test_plain_python_finds_the_same(
    world: pl.DataFrame, rules: dict[str, Any], tmp_path_factory: Any
) -> None:
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    expected = customer_oracle.tiers(world, path, **rules)
    assert_equal(tiers(world, **rules), ["customer_id"], expected)


def large(seed: int) -> pl.DataFrame:
    """Forty customers over half a year, of unlike zeal: every tier has some."""
    chance = seeded(seed)
    rows: list[dict[str, Any]] = []
    for number in range(40):
        zeal, last = chance.choice([0, 0.05, 0.2, 0.5]), chance.randint(10, 200)
        if number < 3:  # those who stand out are among the active
            zeal, last = 0.95, 150
        for campaign in range(chance.choice([3, 8, 20, 40] if number > 2 else [40])):
            sent = chance.randint(1, last)
            ids: dict[str, Any] = {"customer_id": f"{number:02}", "campaign_id": campaign}
            rows.append(on(sent, "sent", **ids))
            if chance.random() < zeal:
                rows.append(
                    on(sent + chance.randint(0, 9), chance.choice(["opened", "clicked"]), **ids)
                )
    return frame(*rows)


@pytest.mark.parametrize("seed", range(3))
def test_plain_python_finds_the_same_in_worlds_with_every_tier(seed: int, tmp_path: Path) -> None:
    rules: dict[str, Any] = {"as_of": day(150), "implied": "lower", "opens": "trust"}
    world = large(seed)
    found = tiers(world, **rules)
    expected = customer_oracle.tiers(world, tmp_path / "rows.parquet", **rules)
    assert_equal(found, ["customer_id"], expected)
    assert set(found["tier"]) == set(TIER_NAMES)


@LAW
@given(world=worlds.interactions(), rules=RULES, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter_and_lazy_gives_what_eager_gives(
    world: pl.DataFrame, rules: dict[str, Any], chance: Any
) -> None:
    plain = tiers(world, **rules)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(tiers(shuffled, **rules), plain)
    twice = tiers(pl.concat([world, world]), **rules)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))
    lazy = tiers(world.lazy(), **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == plain.schema == TIERS.schema
    assert_frame_equal(lazy.collect(), plain)
    never = [column.name for column in TIERS.columns if not column.nulls]
    assert plain.select(never).null_count().sum_horizontal().to_list() == [0]
    same = ["customer_id", "delivered", "engaged", "days_since_engaged", "as_of", "notes"]
    assert_frame_equal(plain.select(same), recency(world, **rules).select(same))


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    found = tiers(rows)
    assert found.schema == TIERS.schema
    assert found["tier"].to_list() == ["new"] * min(rows.height, 1)
    nobody = rows.with_columns(customer_id=pl.lit(None, pl.String))
    assert tiers(nobody)["customer_id"].to_list() == [None] * rows.height
    assert tiers(INTERACTIONS.empty()).height == 0


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        tiers(frame(on(3, "sent")).drop("date"))
    wrong: Any = "both"
    with pytest.raises(InputError, match="opens='both' is not known"):
        tiers(frame(), opens=wrong)
