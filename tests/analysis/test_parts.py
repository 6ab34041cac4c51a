"""Customers are counted in turn where there are many rows: that changes no number."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl
import pytest
from analysis import worlds
from analysis.events import frame, on
from analysis.test_agreement import WORLDS
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import channel_mix, diversity, funnel
from optimove_analysis.analysis import counting, grouping
from optimove_analysis.analysis.keys import PackedKey
from optimove_analysis.schema import MESSAGE_KEY

NUMBERS = MESSAGE_KEY[1:]


@pytest.mark.parametrize("parts", [1, 2, 3, 20])
def test_each_row_is_in_one_part_with_all_the_rows_of_its_customer(parts: int) -> None:
    ids = "ABCDEFG"
    rows = frame(
        *(on(3, "sent", customer_id=who, campaign_id=i) for i in range(4) for who in ids),
        # The smallest numbers that keys can have: those at which a part begins.
        *(on(3, "sent", customer_id=who, **dict.fromkeys(NUMBERS)) for who in (None, *ids)),
    )
    key = PackedKey.of(rows.lazy())
    assert key is not None
    packed = key.write(nw.from_native(rows.lazy())).to_native().collect()
    found = [part.collect() for part in key.parts(packed, parts)]
    assert len(found) == parts
    assert_frame_equal(pl.concat(found), packed, check_row_order=False)
    customers = [who for part in found for who in part["customer_id"].unique() if who]
    assert sorted(customers) == list(ids)
    if parts > 1:
        assert max(part.height for part in found) < rows.height


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_ROWS_AT_ONCE", 10)


RANK = pl.col("send_date").rank("dense").over("channel_id").alias("rank")
"""What only all messages together show: these are not parted."""
BY: list[list[Any]] = [[], ["customer_id"], ["channel_id", RANK], [pl.len().alias("all")]]


@settings(WORLDS, max_examples=8)
@given(interactions=worlds.interactions(), by=st.sampled_from(BY), rules=worlds.RULES)
@pytest.mark.usefixtures("few_at_once")
def test_in_parts_the_numbers_are_those_of_the_whole(
    interactions: pl.DataFrame, by: list[Any], rules: dict[str, Any]
) -> None:
    def count() -> list[pl.DataFrame]:
        return [
            funnel(interactions, by=by, **rules),
            # Groups of one customer are whole in their part, and counted before the next.
            funnel(interactions, by=["customer_id"], unit="campaign", **rules),
            channel_mix(interactions, by=[], **rules),
            channel_mix(interactions, by=["customer_id", "campaign_id"], **rules),
            diversity(interactions, **rules),
        ]

    in_parts = count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_ROWS_AT_ONCE", 10**9)
        whole = count()
    for ours, theirs in zip(in_parts, whole, strict=True):
        assert_frame_equal(ours, theirs, check_row_order=True, rel_tol=1e-12)


@settings(WORLDS, max_examples=7)
@given(interactions=worlds.interactions(), by=st.sampled_from([["customer_id"], ["campaign_id"]]))
def test_a_mix_is_made_of_its_groups_in_turn(interactions: pl.DataFrame, by: list[str]) -> None:
    whole = channel_mix(interactions, by=by, every="1mo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_ROWS_OF_A_PART", 3)
        assert_frame_equal(channel_mix(interactions, by=by, every="1mo"), whole)
