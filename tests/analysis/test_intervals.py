"""Intervals against published numbers, a bootstrap, and simulated coverage."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from analysis.events import frame, seeded, sends
from statsmodels.stats.proportion import confint_proportions_2indep

from optimove_analysis import funnel
from optimove_analysis.analysis.intervals import effective_n, log_ratio, newcombe, wilson

K, N = pl.col("k"), pl.col("n")


def interval(k: float, n: float) -> tuple[Any, ...]:
    lo, hi = wilson(K, N)
    found: tuple[Any, ...] = pl.DataFrame({"k": [k], "n": [n]}).select(lo=lo, hi=hi).row(0)
    return found


@pytest.mark.parametrize(
    ("k", "n", "lo", "hi"),
    [
        # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
        # Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(k: int, n: int, lo: float, hi: float) -> None:
    assert interval(k, n) == pytest.approx((lo, hi), abs=5e-5)
    assert interval(n - k, n) == pytest.approx((1 - hi, 1 - lo), abs=5e-5)


@pytest.mark.parametrize("n", [1, 3, 29, 10_007, 10**12])
def test_the_ends_are_exact_at_none_and_all(n: int) -> None:
    assert interval(0, n)[0] == 0.0
    assert interval(n, n)[1] == 1.0
    assert 0 < interval(0, n)[1] < 1
    assert 0 < interval(n, n)[0] < 1


def test_of_nothing_there_is_no_interval() -> None:
    assert interval(0, 0) == (None, None)


def test_the_interval_holds_the_rate_and_narrows_with_n() -> None:
    widths = []
    for n in (4, 40, 400, 4000):
        lo, hi = interval(n / 4, n)
        assert lo < 0.25 < hi
        widths.append(hi - lo)
    assert widths == sorted(widths, reverse=True)


def effective(clusters: list[tuple[int, int]]) -> float:
    """Return the effective sample size of clusters of (k, n)."""
    sums = {"k": K.sum(), "n": N.sum(), "kk": (K * K).sum(), "kn": (K * N).sum()}
    sums |= {"nn": (N * N).sum(), "m": (N > 0).sum()}
    wide = pl.DataFrame(clusters, schema=["k", "n"], orient="row").select(**sums)
    found: float = wide.select(
        effective_n(*(pl.col(name) for name in ("k", "n", "kk", "kn", "nn", "m")))
    ).item()
    return found


@pytest.mark.parametrize(
    ("clusters", "expected"),
    [
        ([(3, 10)], 10),  # one cluster says nothing of how clusters differ
        ([(0, 5), (0, 7)], 12),  # nor do clusters that all say the same
        ([(5, 5), (7, 7)], 12),
        ([(5, 10), (5, 10)], 20),  # less than chance differs by chance: never above n
        # Two that differ utterly: sum((k - n/2)^2) * 2/1 / 20^2 = 50 * 2 / 400 = 1/4 against
        # 1/80 for independent messages: 20 of them are worth 1.
        ([(10, 10), (0, 10)], 1),
        ([(10, 10), (0, 10), (0, 0)], 1),  # who was sent nothing is no cluster
    ],
)
def test_clusters_are_worth_fewer_messages(
    clusters: list[tuple[int, int]], expected: float
) -> None:
    assert effective(clusters) == pytest.approx(expected)


def _customers(chance: random.Random, customers: int) -> list[tuple[int, int]]:
    """Return (clicked, sent) of customers whose appetites differ: Beta(0.6, 2.4), mean 0.2."""
    drawn = []
    for _ in range(customers):
        appetite, n = chance.betavariate(0.6, 2.4), chance.randint(1, 20)
        drawn.append((sum(chance.random() < appetite for _ in range(n)), n))
    return drawn


def test_the_interval_across_customers_agrees_with_a_bootstrap_over_them() -> None:
    chance = seeded(5)
    customers = _customers(chance, 200)
    rows = frame(
        *(
            row
            for number, (clicked, n) in enumerate(customers)
            for row in sends(n, clicked=clicked, customer_id=f"{number}")
        )
    )
    found = funnel(rows).filter(stage="clicked").row(0, named=True)
    rates = []
    for _ in range(2000):
        sample = chance.choices(customers, k=200)
        rates.append(sum(k for k, _ in sample) / sum(n for _, n in sample))
    rates.sort()
    lo, hi = rates[50], rates[-51]
    assert found["overall_lo"] == pytest.approx(lo, abs=0.15 * (hi - lo))
    assert found["overall_hi"] == pytest.approx(hi, abs=0.15 * (hi - lo))
    # Taking messages for independent would be far too sure.
    plain = interval(found["messages"], found["sent"])
    assert plain[1] - plain[0] < 0.75 * (hi - lo)


def test_the_interval_across_customers_holds_the_truth_about_95_times_in_100() -> None:
    chance = seeded(17)
    worlds = pl.DataFrame(
        [(world, k, n) for world in range(600) for k, n in _customers(chance, 40)],
        schema=["world", "k", "n"],
        orient="row",
    )
    sums = worlds.group_by("world").agg(
        K.sum(),
        N.sum(),
        kk=(K * K).sum(),
        kn=(K * N).sum(),
        nn=(N * N).sum(),
        m=(N > 0).sum(),
    )
    n_eff = effective_n(*(pl.col(name) for name in ("k", "n", "kk", "kn", "nn", "m")))
    lo, hi = wilson(K / N * n_eff, n_eff)
    plain_lo, plain_hi = wilson(K, N)
    truth = pl.lit(0.2)
    held, plain = sums.select(
        truth.is_between(lo, hi).mean(), plain=truth.is_between(plain_lo, plain_hi).mean()
    ).row(0)
    assert 0.91 <= held <= 0.985
    assert plain < 0.8


ARMS = tuple(pl.col(name) for name in ("k", "n", "k0", "n0"))


def of_arms(
    ends: tuple[pl.Expr, pl.Expr], k: float, n: float, k0: float, n0: float
) -> tuple[Any, ...]:
    lo, hi = ends
    arms = pl.DataFrame({"k": [k], "n": [n], "k0": [k0], "n0": [n0]})
    found: tuple[Any, ...] = arms.select(lo=lo, hi=hi).row(0)
    return found


@pytest.mark.parametrize(
    ("k", "n", "k0", "n0", "lo", "hi"),
    [
        # R. G. Newcombe, "Interval estimation for the difference between independent proportions",
        # Statistics in Medicine 17 (1998), table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_newcombes_interval_is_the_published_one(  # noqa: PLR0917 - a row of the table
    k: int, n: int, k0: int, n0: int, lo: float, hi: float
) -> None:
    assert of_arms(newcombe(*ARMS), k, n, k0, n0) == pytest.approx((lo, hi), abs=5e-5)
    assert of_arms(newcombe(*ARMS), k0, n0, k, n) == pytest.approx((-hi, -lo), abs=5e-5)


@pytest.mark.parametrize("arms", [(30, 100, 20, 100), (1, 31, 900, 1000), (40, 40, 3, 80)])
def test_difference_and_ratio_agree_with_statsmodels(arms: tuple[int, int, int, int]) -> None:
    theirs = confint_proportions_2indep(*arms, compare="diff", method="newcomb")
    assert of_arms(newcombe(*ARMS), *arms) == pytest.approx(theirs, abs=1e-12)
    theirs = confint_proportions_2indep(*arms, compare="ratio", method="log")
    assert of_arms(log_ratio(*ARMS), *arms) == pytest.approx(theirs, rel=1e-12)


def test_two_arms_without_messages_or_without_a_logarithm_have_no_interval() -> None:
    assert of_arms(newcombe(*ARMS), 0, 0, 3, 10) == (None, None)
    assert of_arms(newcombe(*ARMS), 3, 10, 0, 0) == (None, None)
    assert of_arms(log_ratio(*ARMS), 0, 10, 3, 10) == (None, None)
    assert of_arms(log_ratio(*ARMS), 3, 10, 0, 10) == (None, None)
    assert of_arms(log_ratio(*ARMS), 10, 10, 5, 5) == (1.0, 1.0)
