"""What earlier days predict, against scipy, by hand and by simulation."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from optimove_analysis.analysis.baseline import lower_tail, predict

TAIL = lower_tail(*(pl.col(name) for name in "knab"))


def predicted(*days: tuple[int, int]) -> tuple[Any, ...]:
    frame = pl.DataFrame(days, schema={"k": pl.Int64, "n": pl.Int64}, orient="row")
    a, b = predict(pl.col("k"), pl.col("n"))
    return frame.select(a=a, b=b).row(0)


def test_the_tail_is_scipys() -> None:
    rows = [
        (k, n, a, b)
        for n, a, b in product((1, 2, 30, 500), (0.5, 3.0, 900.5), (0.5, 20.0, 45.5))
        for k in {0, 1, n // 3, n // 2, n - 1, n}
    ]
    frame = pl.DataFrame(rows, schema=list("knab"), orient="row")
    found = frame.select(TAIL).to_series()
    for row, p in zip(rows, found, strict=True):
        assert p == pytest.approx(betabinom.cdf(*row), rel=1e-8, abs=1e-11), row


def test_a_tiny_tail_keeps_its_digits() -> None:
    # All equally likely, Beta(1, 1): (k + 1) / (n + 1). And none of n: the product of
    # (b + i) / (a + b + i), by hand.
    frame = pl.DataFrame(
        {
            "k": [0, 0, 100_000],
            "n": [100_000, 50, 100_000],
            "a": [1.0, 95.5, 1.0],
            "b": [1.0, 5.5, 1.0],
        }
    )
    product_of = np.prod([(5.5 + i) / (101 + i) for i in range(50)])
    found = frame.select(TAIL).to_series().to_list()
    assert found == pytest.approx([1 / 100_001, product_of, 1.0], rel=1e-8, abs=0)
    assert product_of < 1e-15


def test_a_tiny_tail_keeps_its_digits_where_its_own_side_is_the_longer_one() -> None:
    rows = [(350, 500, 950.0, 50.0), (420, 500, 950.0, 50.0), (450, 500, 950.0, 50.0)]
    found = pl.DataFrame(rows, schema=list("knab"), orient="row").select(TAIL).to_series()
    expected = [betabinom.cdf(*row) for row in rows]
    assert found.to_list() == pytest.approx(expected, rel=1e-8, abs=0)
    assert expected[0] < 1e-20


def test_many_long_tails_are_added_up_a_part_at_a_time() -> None:
    # Five million steps in all; with Beta(1, 1) the tail is (k + 1) / (n + 1).
    beyond = [0, 1, 70_000, 99_999] * 30
    frame = pl.DataFrame({"k": [200_000 - one for one in beyond], "n": 200_000, "a": 1.0, "b": 1.0})
    expected = [(200_001 - one) / 200_001 for one in beyond]
    assert frame.select(TAIL).to_series().to_list() == pytest.approx(expected, rel=1e-8)


def test_a_tail_without_all_its_numbers_is_null_and_others_keep_their_place() -> None:
    frame = pl.DataFrame(
        {
            "k": [None, 1, 3, 1],
            "n": [3, None, 3, 1],
            "a": [1.0, 1.0, None, 1.0],
            "b": [1.0, 1.0, 1.0, 1.0],
        }
    )
    assert frame.select(TAIL).to_series().to_list() == [None, None, None, 1.0]
    assert frame.clear().select(TAIL).schema["k"] == pl.Float64()
    assert frame.head(2).lazy().select(TAIL).collect().to_series().to_list() == [None, None]


def test_days_that_differ_by_chance_alone_give_the_posterior_of_all_their_messages() -> None:
    assert predicted((95, 100), (94, 100), (96, 100)) == pytest.approx((285.5, 15.5))
    assert predicted((40, 40), (60, 60)) == pytest.approx((100.5, 0.5))
    assert predicted((0, 40), (0, 60)) == pytest.approx((0.5, 100.5))
    assert predicted((38, 40)) == pytest.approx((38.5, 2.5))


def test_days_that_differ_by_more_are_predicted_with_their_own_variance() -> None:
    # By hand: p = 285/300 = 0.95, spread 0.74, noise 0.095, own = 0.645/198; mean = 285.5/301,
    # variance = mean (1 - mean)/302 + own (1 + 1/3) = 0.0045051; a + b = 9.842.
    a, b = predicted((99, 100), (88, 100), (98, 100))
    assert a + b == pytest.approx(9.842, abs=1e-3)
    assert a / (a + b) == pytest.approx(285.5 / 301)


def test_days_without_messages_predict_nothing() -> None:
    assert predicted() == (None, None)
    assert predicted((0, 0), (0, 0)) == (None, None)


@settings(max_examples=28, deadline=None)
@given(
    days=st.lists(
        st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        min_size=1,
        max_size=8,
    )
)
def test_a_prediction_is_a_beta_at_most_as_narrow_as_the_messages_allow(
    days: list[tuple[int, int]],
) -> None:
    a, b = predicted(*days)
    k, n = (sum(day[place] for day in days) for place in (0, 1))
    assert a / (a + b) == pytest.approx((k + 0.5) / (n + 1))
    assert 1 - 1e-9 <= a + b <= (n + 1) * (1 + 1e-9)


def simulated(mean: float, *, spread: float, groups: int) -> float:
    """The share of stable days below alpha = 0.01, of days whose own rate varies by ``spread``."""
    chance = np.random.default_rng(5)
    weeks = 9
    shape = (groups, weeks)
    weight = mean * (1 - mean) / spread**2 - 1 if spread else 0.0
    rate = (
        chance.beta(mean * weight, (1 - mean) * weight, shape) if spread else np.full(shape, mean)
    )
    n = chance.integers(200, 400, shape)
    days = pl.DataFrame(
        {
            "group": np.repeat(np.arange(groups), weeks),
            "week": list(range(weeks)) * groups,
            "k": chance.binomial(n, rate).ravel(),
            "n": n.ravel(),
        }
    )
    a, b = predict(pl.col("k"), pl.col("n"))
    base = days.filter(pl.col("week") < 8).group_by("group").agg(a=a, b=b)
    value: float = days.filter(week=8).join(base, on="group").select((TAIL < 0.01).mean()).item()
    return value


def test_stable_days_raise_as_many_false_alarms_as_alpha_says() -> None:
    # 6,000 tests: 60 are expected at 0.01, a few less since counts are whole and some days
    # look more spread out than they are.
    share = simulated(0.95, spread=0, groups=6_000)
    assert 0.002 < share < 0.012


def test_days_that_truly_differ_raise_more_since_eight_days_show_it_poorly() -> None:
    # What the docstring of anomalies warns of.
    share = simulated(0.95, spread=0.03, groups=6_000)
    assert 0.012 < share < 0.04
