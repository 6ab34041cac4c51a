"""Diversity by hand, against scipy's entropy, and the laws that it keeps."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from analysis import mix_laws, worlds
from analysis.events import CALLS, EMAIL, IN_APP, PUSH, SMS, UNKNOWN, day, frame, on, sends
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.stats import entropy

from optimove_analysis import channel_mix, diversity
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import DIVERSITY, INTERACTIONS

NUMBERS = ["shannon", "effective_channels", "hhi", "evenness", "n_channels", "n"]


def of(share: str, interactions: pl.DataFrame, **options: Any) -> dict[str, Any]:
    found = diversity(interactions, **options).filter(share=share)
    assert found.height == 1
    return found.row(0, named=True)


def test_half_a_quarter_and_a_quarter_by_hand() -> None:
    rows = frame(
        *sends(4, clicked=1), *sends(2, clicked=1, channel_id=SMS), *sends(2, channel_id=PUSH)
    )
    # -(1/2 ln 1/2 + 2/4 ln 1/4) = 3/2 ln 2; 1/4 + 1/16 + 1/16
    assert [of("sends", rows)[name] for name in NUMBERS] == [
        pytest.approx(1.5 * math.log(2)),
        pytest.approx(2**1.5),
        0.375,
        pytest.approx(1.5 * math.log(2) / math.log(3)),
        3,
        8,
    ]
    # One click each of two channels: the third has no share of them.
    assert [of("engagements", rows)[name] for name in NUMBERS] == [
        pytest.approx(math.log(2)),
        pytest.approx(2.0),
        0.5,
        pytest.approx(1.0),
        2,
        2,
    ]


def test_one_channel_is_one_and_has_no_evenness() -> None:
    found = of("sends", frame(*sends(7)))
    assert [found[name] for name in NUMBERS] == [0.0, 1.0, 1.0, None, 1, 7]
    assert math.copysign(1, found["shannon"]) == 1


def test_of_nothing_there_is_no_diversity() -> None:
    rows = frame(*sends(7))
    assert [of("engagements", rows)[name] for name in NUMBERS] == [None] * 4 + [0, 0]
    assert [of("sends", rows, as_of=day(4))[name] for name in NUMBERS] == [None] * 4 + [0, 0]
    assert of("sends", rows, as_of=day(4))["n_immature"] == 7
    assert diversity(INTERACTIONS.empty()).equals(DIVERSITY.empty())


def test_channels_that_cannot_be_engaged_with_are_in_the_mix_of_sends_only_and_it_is_said() -> None:
    rows = frame(*sends(2, clicked=1), *sends(1, channel_id=CALLS))
    assert of("sends", rows)["n_channels"] == 2
    assert of("sends", rows)["notes"] == []
    found = of("engagements", rows)
    assert (found["n_channels"], found["n"]) == (1, 1)
    assert found["notes"] == [
        "1 message of channels that report nothing that is engagement: not in this mix."
    ]
    only = of("engagements", frame(*sends(2, channel_id=CALLS)))
    assert (only["n"], only["shannon"]) == (0, None)


def test_late_engagements_and_channels_of_unknown_kind_are_said() -> None:
    rows = frame(
        *sends(2, channel_id=UNKNOWN), on(30, "clicked", campaign_id=0, channel_id=UNKNOWN)
    )
    kindless = (
        "2 messages of channels of unknown kind, taken to have all stages (set Catalogue.kinds)."
    )
    assert of("sends", rows)["notes"] == [kindless]
    assert of("engagements", rows)["notes"] == [
        kindless,
        "1 message whose first engagement came after the window.",
    ]


def test_of_and_opens_say_what_is_engagement() -> None:
    rows = frame(
        *sends(3, clicked=1),
        on(4, "opened", campaign_id=1),
        *sends(2, clicked=2, channel_id=IN_APP),
    )
    assert of("engagements", rows)["n"] == 4
    assert of("engagements", rows, opens="ignore")["n"] == 3
    assert of("engagements", rows, of="opened")["n"] == 2
    assert of("engagements", rows, of="opened")["of"] == "opened"


def test_small_and_customers_are_those_of_the_share() -> None:
    rows = frame(*sends(30, clicked=29), *sends(1, customer_id="B"))
    sent, engaged = of("sends", rows), of("engagements", rows)
    assert (sent["n"], sent["small"], sent["customers"]) == (31, False, 2)
    assert (engaged["n"], engaged["small"], engaged["customers"]) == (29, True, 1)


def test_a_row_a_group_and_period_in_their_order() -> None:
    rows = frame(*sends(1), on(40, "sent", channel_id=SMS), *sends(1, customer_id="B"))
    found = diversity(rows, by="customer_id", every="1mo")
    assert found.select("customer_id", pl.col("period").dt.month(), "share").rows() == [
        (who, month, share)
        for who, month in [("A", 3), ("A", 4), ("B", 3)]
        for share in ("sends", "engagements")
    ]


def test_wrong_options_are_answered() -> None:
    rows = frame(*sends(1))
    wrong: Any = "read"
    with pytest.raises(InputError, match="of="):
        diversity(rows, of=wrong)
    with pytest.raises(InputError, match="every="):
        diversity(rows, every="month")
    with pytest.raises(InputError, match="contradict"):
        diversity(rows, of="opened", opens="ignore")
    with pytest.raises(InputError, match="'hhi' is the name"):
        diversity(rows, by=pl.col("customer_id").alias("hhi"))
    with pytest.raises(SchemaError, match="customer_id"):
        diversity(rows.drop("customer_id"))


@mix_laws.LAW
@given(
    frame=worlds.interactions(),
    rules=worlds.RULES,
    by=st.sampled_from([[], ["customer_id"], ["action_id"]]),
    every=st.sampled_from([None, "1w"]),
)
def test_it_is_what_scipy_makes_of_the_mix(
    frame: pl.DataFrame, rules: dict[str, Any], by: list[str], every: str | None
) -> None:
    mix = channel_mix(frame, by=by, every=every, **rules)
    found = diversity(frame, by=by, every=every, **rules)
    keys = [*by, "period"]
    assert found.height == 2 * mix.select(keys).unique().height
    for row in found.iter_rows(named=True):
        own = mix.filter(pl.all_horizontal(pl.col(key).eq_missing(row[key]) for key in keys))
        counts = [count for count in own[row["share"]].to_list() if count]
        assert (row["n"], row["n_channels"]) == (sum(counts), len(counts))
        if not counts:
            assert [row[name] for name in NUMBERS[:4]] == [None] * 4
            continue
        h = entropy(counts)
        assert row["shannon"] == pytest.approx(h, abs=1e-12)
        assert row["effective_channels"] == pytest.approx(math.exp(h))
        assert row["hhi"] == pytest.approx(sum((c / sum(counts)) ** 2 for c in counts))
        even = entropy(counts, base=len(counts)) if len(counts) > 1 else None
        assert row["evenness"] == (None if even is None else pytest.approx(even, abs=1e-12))
        assert 1 - 1e-12 <= row["effective_channels"] <= len(counts) + 1e-12


@mix_laws.LAW
@given(
    frame=worlds.interactions(),
    more=worlds.interactions(),
    rules=worlds.RULES,
    chance=st.randoms(use_true_random=False),
)
def test_the_laws(
    frame: pl.DataFrame, more: pl.DataFrame, rules: dict[str, Any], chance: Any
) -> None:
    mix_laws.order_and_repeats_change_nothing(
        lambda rows: diversity(rows, every="1w", **rules), frame, chance
    )
    mix_laws.lazy_is_eager_and_both_are_the_table(
        lambda rows: diversity(rows, by="action_id", **rules),
        frame,
        DIVERSITY,
        {"action_id": pl.Int64()},
    )
    rules |= {"catalogue": mix_laws.SAYS}
    mix_laws.a_customer_alone_is_as_among_all(
        lambda rows: diversity(rows, by="customer_id", **rules), frame
    )
    rules |= {"window": 7, "as_of": None}
    mix_laws.immature_messages_change_no_number(
        lambda rows: diversity(rows, by="customer_id", **rules),
        frame,
        more,
        ["customer_id", "share"],
    )


@mix_laws.LAW
@given(frame=worlds.interactions(), rules=worlds.RULES)
def test_it_does_not_matter_which_channel_is_which(
    frame: pl.DataFrame, rules: dict[str, Any]
) -> None:
    other = frame.with_columns(pl.col("channel_id").replace({EMAIL: UNKNOWN, UNKNOWN: EMAIL}))
    # Both have all stages; only that the one is of unknown kind is said.
    assert_frame_equal(
        diversity(other, **rules).drop("notes"), diversity(frame, **rules).drop("notes")
    )
