"""Drift by hand, against scipy's distance, and its chance against drawn mixes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from analysis import mix_laws, worlds
from analysis.events import CALLS, EMAIL, PUSH, SMS, UNKNOWN, day, frame, on, sends
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from polars.testing import assert_frame_equal
from scipy.spatial.distance import jensenshannon

from optimove_analysis import channel_mix, drift
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import DRIFT, INTERACTIONS

MARCH = (day(1), day(31))
APRIL = (dt.date(2025, 4, 1), dt.date(2025, 4, 30))
IN_WORLDS = (
    (worlds.DAY0, worlds.DAY0 + dt.timedelta(days=9)),
    (worlds.DAY0 + dt.timedelta(days=12), worlds.DAY0 + dt.timedelta(days=24)),
)


def later(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, a month on and of other campaigns."""
    by = dt.timedelta(days=31)
    return [
        row | {"date": row["date"] + by, "campaign_id": row["campaign_id"] + 500} for row in rows
    ]


def of(share: str, interactions: pl.DataFrame, **options: Any) -> dict[str, Any]:
    found = drift(interactions, before=MARCH, after=APRIL, **options).filter(share=share)
    assert found.height == 1
    return found.row(0, named=True)


def test_half_and_half_against_all_of_one_by_hand() -> None:
    rows = frame(*sends(2, clicked=2), *sends(2, channel_id=SMS), *later(sends(4, clicked=2)))
    found = of("sends", rows)
    # m = (3/4, 1/4): 1/2 (1/2 log2 2/3 + 1/2 log2 2) + 1/2 log2 4/3
    by_hand = (0.5 * np.log2(2 / 3) + 0.5) / 2 + np.log2(4 / 3) / 2
    assert found["divergence"] == pytest.approx(by_hand)
    assert (found["n_before"], found["n_after"], found["n_channels"]) == (4, 4, 2)
    # (S - 1)(1/4 + 1/4) / 8 ln 2
    assert found["by_chance"] == pytest.approx(0.5 / (8 * np.log(2)))
    # ... of which chi-square's 95 % is at 3.841 for one degree of freedom
    assert found["by_chance_95"] == pytest.approx(3.841 * 0.5 / (8 * np.log(2)), rel=1e-3)
    assert (found["method"], found["small"], found["customers"]) == ("chi-square", True, 1)
    assert [found[name] for name in ("before_from", "before_to")] == list(MARCH)
    assert [found[name] for name in ("after_from", "after_to")] == list(APRIL)
    engaged = of("engagements", rows)
    assert [engaged[name] for name in ("divergence", "by_chance", "by_chance_95")] == [0.0] * 3
    assert (engaged["n_channels"], engaged["n_before"], engaged["n_after"]) == (1, 2, 2)


def test_no_channel_in_both_is_1_and_the_same_shares_are_0() -> None:
    apart = frame(*sends(3), *later(sends(5, channel_id=SMS)))
    assert of("sends", apart)["divergence"] == 1.0
    alike = frame(
        *sends(1), *sends(2, channel_id=SMS), *later(sends(2)), *later(sends(4, channel_id=SMS))
    )
    assert of("sends", alike)["divergence"] == pytest.approx(0.0, abs=1e-15)
    assert of("sends", alike)["divergence"] >= 0


def test_with_every_each_period_is_held_against_the_one_directly_before() -> None:
    rows = frame(*sends(2), *later(sends(2, channel_id=SMS)), on(100, "sent", campaign_id=9))
    found = drift(rows, every="1mo").filter(share="sends")
    days = [dt.date(2025, month, 1) for month in (3, 4, 6)]
    assert found["after_from"].to_list() == days
    assert found["after_to"].to_list() == [
        dt.date(2025, m, d) for m, d in [(3, 31), (4, 30), (6, 30)]
    ]
    assert found["before_from"].to_list() == [dt.date(2025, month, 1) for month in (2, 3, 5)]
    assert found["before_to"].to_list() == [
        dt.date(2025, m, d) for m, d in [(2, 28), (3, 31), (5, 31)]
    ]
    assert found["divergence"].to_list() == [None, 1.0, None]
    assert found.select("n_before", "n_after").rows() == [(0, 2), (2, 2), (0, 1)]
    none = "No answer: none of the sends of the period before counts."
    assert found["notes"].to_list() == [[none], [], [none]]


def test_where_a_period_has_nothing_there_is_no_answer_and_it_is_said() -> None:
    rows = frame(*sends(3, clicked=1), *later(sends(1)))
    found = of("engagements", rows)
    columns = ["divergence", "by_chance", "by_chance_95", "design_effect"]
    assert [found[name] for name in columns] == [None] * 4
    assert found["notes"] == ["No answer: none of the engagements of the period after counts."]
    assert drift(INTERACTIONS.empty(), before=MARCH, after=APRIL).equals(DRIFT.empty())
    assert drift(INTERACTIONS.empty(), every="1w").equals(DRIFT.empty())
    outside = frame(*sends(2))
    assert drift(outside, before=APRIL, after=(day(70), day(80))).height == 0


def test_what_a_reader_must_know_is_said() -> None:
    rows = frame(
        *sends(2, channel_id=UNKNOWN), on(30, "clicked", campaign_id=0, channel_id=UNKNOWN),
        *sends(1, channel_id=CALLS), on(31, "sent", channel_id=PUSH, data_through=day(32)),
    )  # fmt: skip
    found = of("engagements", rows)
    assert found["n_immature"] == 1
    assert "1 message whose first engagement came after the window." in found["notes"]
    assert (
        "1 message of channels that report nothing that is engagement: not in this mix."
        in found["notes"]
    )
    assert len(of("sends", rows)["notes"]) == 2
    assert of("sends", rows)["notes"][0].startswith("2 messages of channels of unknown kind")


def test_days_may_be_given_as_text() -> None:
    rows = frame(*sends(3), on(33, "sent", channel_id=SMS))
    text = drift(rows, before=("2025-03-01", "2025-03-31"), after=("2025-04-01", "2025-04-30"))
    assert_frame_equal(text, drift(rows, before=MARCH, after=(day(32), day(61))))
    assert text["divergence"][0] == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "before= and after=, or every="),
        ({"before": MARCH}, "before= and after=, or every="),
        ({"before": MARCH, "after": APRIL, "every": "1mo"}, "before= and after=, or every="),
        ({"before": MARCH, "every": "1mo"}, "before= and after=, or every="),
        ({"before": MARCH, "after": (day(31), day(40))}, "share days"),
        ({"before": MARCH, "after": (day(40), day(39))}, "ends before it begins"),
        ({"before": ("2025-03-01", "31 March"), "after": APRIL}, "must be two days"),
        ({"before": day(3), "after": APRIL}, "must be two days"),
        ({"every": "month"}, "no length of time"),
        ({"every": "1mo", "of": "read"}, "of="),
        ({"every": "1mo", "by": "share"}, "name of a column of the result"),
    ],
)
def test_wrong_options_are_answered(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        drift(frame(*sends(1)), **options)
    with pytest.raises(SchemaError, match="polars frame"):
        drift([1, 2], every="1w")


# Chance


def drawn(
    seed: int, n: tuple[int, int], shares: list[float], each: int, draws: int = 2000
) -> NDArray[np.float64]:
    """Divergences by scipy of mixes that only chance parts; a customer has ``each`` alike."""
    generator = np.random.default_rng(seed)
    one, other = (generator.multinomial(size // each, shares, size=draws) for size in n)
    both = zip(one, other, strict=True)
    return np.array([jensenshannon(p, q, base=2) ** 2 for p, q in both])


def world_of(n: tuple[int, int], shares: list[float], each: int) -> pl.DataFrame:
    """A world with just these shares, each customer with so many messages of one channel."""
    rows: list[dict[str, Any]] = []
    for period, size in enumerate(n):
        for channel, share in zip((EMAIL, SMS, PUSH), shares, strict=True):
            for customer in range(round(size * share / each)):
                own = sends(each, customer_id=f"{period}-{channel}-{customer}", channel_id=channel)
                rows += later(own) if period else own
    return frame(*rows)


@pytest.mark.parametrize("each", [1, 4])
def test_chance_is_what_draws_show_also_where_customers_are_clusters(each: int) -> None:
    n, shares = (400, 240), [0.5, 0.3, 0.2]
    found = of("sends", world_of(n, shares, each))
    assert (found["n_before"], found["n_after"], found["small"]) == (*n, False)
    assert of("sends", frame(*sends(40), *later(sends(20))))["small"]
    assert found["divergence"] == pytest.approx(0.0, abs=1e-12)
    assert found["method"] == "chi-square-cluster"
    chance = drawn(7, n, shares, each)
    assert found["by_chance"] == pytest.approx(chance.mean(), rel=0.06)
    assert found["by_chance_95"] == pytest.approx(np.quantile(chance, 0.95), rel=0.06)
    assert found["design_effect"] == pytest.approx(each, rel=0.02)


def test_who_is_in_both_periods_with_the_same_channel_adds_no_chance() -> None:
    rows = world_of((60, 0), [0.5, 0.3, 0.2], 1).to_dicts()
    found = of("sends", frame(*rows, *later(rows)))
    # All differences within customers are 0: less than independent messages', which is the least.
    assert (found["customers"], found["design_effect"]) == (60, 1.0)


def test_the_design_effect_is_that_of_a_sum_over_customers_in_plain_python() -> None:
    own = {
        "A": ([3, 0, 1], [1, 1, 0]), "B": ([0, 4, 0], [0, 5, 1]), "C": ([6, 1, 0], [0, 0, 0]),
        "D": ([0, 0, 0], [2, 0, 7]),
    }  # fmt: skip
    rows = [
        row
        for customer, periods in own.items()
        for number, counts in enumerate(periods)
        for channel, count in zip((EMAIL, SMS, PUSH), counts, strict=True)
        for sent in [sends(count, customer_id=customer, channel_id=channel)]
        for row in (later(sent) if number else sent)
    ]
    x = np.array([own[customer] for customer in own], dtype=float)  # customer, period, channel
    n = x.sum(axis=(0, 2))
    p = x.sum(axis=0) / n[:, None]
    residual = (x - p[None] * x.sum(axis=2, keepdims=True)) / n[None, :, None]
    variance = ((residual[:, 0] - residual[:, 1]) ** 2).sum(axis=0) * 4 / 3
    middle = p.mean(axis=0)
    independent = ((p * (1 - p)) / n[:, None]).sum(axis=0)
    effect = (variance / middle).sum() / (independent / middle).sum()
    assert effect > 1
    found = of("sends", frame(*rows))
    assert found["design_effect"] == pytest.approx(effect)
    assert found["by_chance"] == pytest.approx(2 * (1 / n[0] + 1 / n[1]) / (8 * np.log(2)) * effect)


# Laws


@mix_laws.LAW
@given(
    frame=worlds.interactions(),
    rules=worlds.RULES,
    by=st.sampled_from([[], ["customer_id"], ["action_id"]]),
)
def test_it_is_what_scipy_makes_of_the_mix_of_each_week(
    frame: pl.DataFrame, rules: dict[str, Any], by: list[str]
) -> None:
    mix = channel_mix(frame, by=by, every="1w", **rules)
    found = drift(frame, by=by, every="1w", **rules)
    weeks = mix.select(*by, "period").drop_nulls("period").unique()
    assert found.height == 2 * weeks.height
    for row in found.iter_rows(named=True):
        group = mix.filter(
            pl.all_horizontal(pl.lit(True), *(pl.col(k).eq_missing(row[k]) for k in by))
        )
        channels = group["channel_id"].unique().sort().to_list()
        counts = [
            [
                sum(one[row["share"]] or 0 for one in group.iter_rows(named=True)
                    if one["channel_id"] == channel and one["period"] == row[first])
                for channel in channels
            ]
            for first in ("before_from", "after_from")
        ]  # fmt: skip
        assert [row["n_before"], row["n_after"]] == [sum(own) for own in counts]
        if all(sum(own) for own in counts):
            expected = jensenshannon(counts[0], counts[1], base=2) ** 2
            assert row["divergence"] == pytest.approx(expected, abs=1e-12)
            assert 0 <= row["divergence"] <= 1
            assert row["design_effect"] >= 1
            assert row["by_chance"] <= row["by_chance_95"] <= 1
        else:
            assert row["divergence"] is None


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
    before, after = IN_WORLDS

    def ask(rows: Any) -> Any:
        return drift(rows, before=before, after=after, by="customer_id", **rules)

    mix_laws.order_and_repeats_change_nothing(ask, frame, chance)
    who: dict[str, pl.DataType] = {"customer_id": pl.String()}
    mix_laws.lazy_is_eager_and_both_are_the_table(ask, frame, DRIFT, who)
    mix_laws.lazy_is_eager_and_both_are_the_table(
        lambda rows: drift(rows, every="1w", **rules), frame, DRIFT, {}
    )
    rules |= {"catalogue": mix_laws.SAYS}
    mix_laws.a_customer_alone_is_as_among_all(ask, frame)
    rules |= {"window": 7, "as_of": None}
    mix_laws.immature_messages_change_no_number(ask, frame, more, ["customer_id", "share"])


@mix_laws.LAW
@given(frame=worlds.interactions(), rules=worlds.RULES)
def test_which_is_called_before_does_not_matter(frame: pl.DataFrame, rules: dict[str, Any]) -> None:
    one, other = IN_WORLDS
    there = drift(frame, before=one, after=other, **rules)
    back = drift(frame, before=other, after=one, **rules)
    same = ["share", "divergence", "by_chance", "by_chance_95", "design_effect", "n_channels"]
    assert_frame_equal(there.select(same), back.select(same))
    assert there["n_before"].equals(back["n_after"].alias("n_before"))


@mix_laws.LAW
@given(frame=worlds.interactions(), rules=worlds.RULES)
def test_a_week_by_name_is_the_week_by_every(frame: pl.DataFrame, rules: dict[str, Any]) -> None:
    by_every = drift(frame, every="1w", **rules)
    for monday in by_every["after_from"].unique().sort()[1:3]:
        week = by_every.filter(after_from=monday)
        spans: dict[str, Any] = {
            p: week.select(f"{p}_from", f"{p}_to").row(0) for p in ("before", "after")
        }
        assert_frame_equal(drift(frame, **spans, **rules), week)
