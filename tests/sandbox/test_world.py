"""The world: the same everywhere, and each customer apart from all others."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimove_analysis.errors import InputError
from optimove_analysis.sandbox import WORLD_VERSION, World
from optimove_analysis.sandbox.plan import easter, season
from optimove_analysis.sandbox.tenant import TARGET_GROUPS

WORLD = World()
YEAR = (date(2025, 1, 1), date(2025, 12, 31))
DAYS = st.dates(date(2024, 12, 1), date(2026, 1, 31))
IDS = st.sampled_from([*WORLD.customer_ids(60), "841231", "A000040"])

DIGEST = """
import hashlib, json
from datetime import date
from optimove_analysis.sandbox import World
world = World()
rows = [
    world.interactions(i, date(2018, 1, 1), date(2025, 12, 31), engagement_metrics=True)
    for i in [*world.customer_ids(20), "841231"]
]
print(hashlib.sha256(json.dumps(rows).encode()).hexdigest())
"""


def digest_in_a_new_process(hash_seed: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", DIGEST],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_rows_are_the_same_in_every_process() -> None:
    assert digest_in_a_new_process("1") == digest_in_a_new_process("2")


def test_whoever_changes_the_answers_raises_the_world_version() -> None:
    # A client's cache outlives a new version of this package. If this fails and the change is
    # meant: raise WORLD_VERSION, and write the new pair here.
    world = World()
    rows = [
        world.interactions(i, date(2018, 1, 1), date(2025, 12, 31), engagement_metrics=True)
        for i in [*world.customer_ids(20), "841231"]
    ]
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    assert (WORLD_VERSION, digest[:16]) == (1, "862e86efb6dbb024")


def test_another_seed_is_another_world() -> None:
    assert World(8).events("000001", *YEAR) != WORLD.events("000001", *YEAR)


@given(IDS, DAYS, DAYS)
@settings(max_examples=60, deadline=None)
def test_a_narrower_range_is_the_wide_one_filtered_by_the_day_of_the_send(
    customer_id: str, one: date, other: date
) -> None:
    start, end = sorted((one, other))
    wide = WORLD.events(customer_id, date(2018, 1, 1), date(2026, 12, 31))
    inside = [e for e in wide if start <= date.fromordinal(e.sent_on) <= end]
    assert WORLD.events(customer_id, start, end) == inside


def test_events_may_follow_the_end_of_the_range_but_not_of_the_data() -> None:
    tuesday = date(2025, 1, 28)  # the day of the newsletter
    january = [e for i in WORLD.customer_ids(50) for e in WORLD.events(i, YEAR[0], tuesday)]
    assert any(date.fromordinal(e.day) > tuesday for e in january)
    december = [
        e for i in WORLD.customer_ids(50) for e in WORLD.events(i, date(2025, 12, 1), YEAR[1])
    ]
    assert max(date.fromordinal(e.day) for e in december) <= WORLD.last_data_update


def test_a_customers_rows_do_not_depend_on_the_size_of_the_world() -> None:
    small, large = World(customers=10), World(customers=10_000_000)
    for customer_id in ("000001", "000010", "841231"):
        assert small.interactions(customer_id, *YEAR) == large.interactions(customer_id, *YEAR)


def test_a_world_of_ten_millions_takes_no_more_memory_than_one_of_ten() -> None:
    def peak(customers: int) -> int:
        tracemalloc.start()
        world = World(customers=customers)
        world.events(world.customer_ids(10)[-1], *YEAR)
        next(world.members(4), None)
        world.exists("A000040")
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    ten = peak(10)
    # One byte a customer would be 10 MB; what is used is the year's list of campaigns.
    assert peak(10_000_000) < ten + 200_000


def test_ids_are_text_with_leading_zeros_and_every_fortieth_has_a_letter() -> None:
    assert World(customers=41).customer_ids(41)[38:] == ["000039", "A000040", "000041"]
    assert World(customers=2_000_000).customer_ids(2) == ["000001", "1000001"]


def test_all_ids_given_exist_and_are_unlike() -> None:
    ids = WORLD.customer_ids(5_000)
    assert len(set(ids)) == 5_000
    assert all(map(WORLD.exists, ids))


@pytest.mark.parametrize(
    "customer_id",
    [
        "",
        "0",
        "000000",
        "1",
        "40",
        "000040",
        "A00040",
        "A000041",
        "005001",
        "-00001",
        "\N{ARABIC-INDIC DIGIT ZERO}00001",
        "x",
    ],
)
def test_other_ids_do_not_exist_and_have_no_rows(customer_id: str) -> None:
    assert not WORLD.exists(customer_id)
    assert WORLD.interactions(customer_id, *YEAR) == []


def test_the_customer_of_the_sample_exists_in_every_world_and_has_an_ordinary_year() -> None:
    assert World(customers=1).exists("841231")
    assert len(World(customers=1).events("841231", *YEAR)) > 30


def test_more_ids_than_customers_is_an_error() -> None:
    with pytest.raises(InputError, match="n=11: this world has 10"):
        World(customers=10).customer_ids(11)


@pytest.mark.parametrize(
    "wrong", [{"customers": 0}, {"first": date(2025, 2, 1), "last": date(2025, 1, 1)}]
)
def test_an_impossible_world_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        World(**wrong)


def test_target_groups_share_out_the_customers() -> None:
    members = {group: list(WORLD.members(group)) for group in TARGET_GROUPS}
    everyone = [i for ids in members.values() for i in ids]
    assert sorted(everyone, key=lambda i: i.removeprefix("A")) == WORLD.customer_ids(5_000)
    assert all(250 <= len(ids) <= 1000 for ids in members.values())
    for group, ids in members.items():
        found = [WORLD.customer(i) for i in ids[:5]]
        assert [who and who.target_group_id for who in found] == [group] * 5


@given(st.integers(1, 12), st.integers(0, 1100))
@settings(max_examples=40)
def test_skipping_members_is_the_same_as_leaving_out_the_first(group: int, skip: int) -> None:
    assert list(WORLD.members(group, skip)) == list(WORLD.members(group))[skip:]


def test_a_campaign_is_found_by_its_id_and_its_day() -> None:
    for day in (date(2025, 1, 1), date(2025, 7, 8), date(2025, 12, 31)):
        campaigns = WORLD.campaigns(day)
        assert len({c.campaign_id for c in campaigns}) == len(campaigns) >= 16
        assert [WORLD.campaign(c.campaign_id) for c in campaigns] == campaigns
    assert WORLD.campaign(0) is WORLD.campaign(10**9) is None


def test_every_event_belongs_to_a_campaign_of_its_day_group_and_channel() -> None:
    for customer_id in WORLD.customer_ids(20):
        who = WORLD.customer(customer_id)
        assert who is not None
        for event in WORLD.events(customer_id, *YEAR):
            campaign = WORLD.campaign(event.campaign_id)
            assert campaign is not None
            assert not campaign.failed
            assert event.sent_on - campaign.day in ((0, 3) if campaign.resent else (0,))
            assert campaign.triggered or campaign.target_group_id == who.target_group_id
            assert event.channel_id in campaign.channels
            assert event.channel_id in who.channels


def test_the_calendar_has_the_published_feasts() -> None:
    # Easter: tables of the Book of Common Prayer. Black Friday: the day after the fourth Thursday
    # of November, 28 November 2025 and 29 November 2024.
    assert [easter(y) for y in (2019, 2024, 2025, 2038)] == [
        date(2019, 4, 21),
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2038, 4, 25),
    ]
    for friday in (date(2025, 11, 28), date(2024, 11, 29)):
        assert season(friday.year)[friday.toordinal()][2] == "Black Friday"
