"""Shrinkage against a textbook's figures, a likelihood, and worlds whose truth is known."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from analysis.events import seeded
from scipy.optimize import minimize
from scipy.stats import betabinom

from optimove_analysis.analysis.shrinkage import beta_of, fit_beta, shrunk_mean

K, N = pl.col("k"), pl.col("n")

# Tumours in groups of rats: R. E. Tarone (1982), as given in Gelman and others, "Bayesian Data
# Analysis", table 5.1: 70 earlier groups and the current one, 4 of 14.
TUMOURS = (
    *((0, 20),) * 7,
    *((0, 19),) * 4,
    *((0, 18),) * 2,
    (0, 17),
    *((1, 20),) * 4,
    *((1, 19),) * 2,
    *((1, 18),) * 2,
    *((2, 25), (2, 24), (2, 23)),
    *((2, 20),) * 6,
    *((1, 10), (5, 49), (2, 19), (5, 46), (3, 27), (2, 17), (7, 49), (7, 47)),
    *((3, 20), (3, 20), (2, 13), (9, 48), (10, 50)),
    *((4, 20),) * 7,
    (10, 48),
    *((4, 19),) * 3,
    *((5, 22), (11, 46), (12, 49), (5, 20), (5, 20), (6, 23), (5, 19), (6, 22)),
    *((6, 20),) * 3,
    *((16, 52), (15, 46), (15, 47), (9, 24)),
)


def counts(*pairs: tuple[int | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"k": pl.Int64, "n": pl.Int64}, orient="row")


def fit(frame: pl.DataFrame) -> tuple[Any, ...]:
    a, b = fit_beta(K, N)
    found: tuple[Any, ...] = frame.select(a=a, b=b).row(0)
    return found


def shrunk(frame: pl.DataFrame) -> list[float | None]:
    found: list[float | None] = frame.select(shrunk_mean(K, N)).to_series().to_list()
    return found


def test_the_moments_of_the_textbooks_rats_give_its_prior_and_its_posterior_mean() -> None:
    # Bayesian Data Analysis, 5.1: mean 0.136, sd 0.103; Beta(1.4, 8.6); 4 of 14 becomes 0.223.
    groups = counts(*TUMOURS)
    assert groups.height == 70
    rate = K / N
    mean, sd = groups.select(mean=rate.mean(), sd=rate.std()).row(0)
    assert (round(mean, 3), round(sd, 3)) == (0.136, 0.103)
    a, b = groups.select(*beta_of(rate.mean().alias("a"), rate.var().alias("b"))).row(0)
    assert (round(a, 1), round(b, 1)) == (1.4, 8.6)
    assert round((4 + a) / (14 + a + b), 3) == 0.223


def test_without_the_noise_the_prior_is_near_the_likeliest() -> None:
    def surprise(logs: Any) -> float:
        a, b = 2.718281828 ** logs[0], 2.718281828 ** logs[1]
        return -sum(float(betabinom.logpmf(k, n, a, b)) for k, n in TUMOURS)

    best = minimize(surprise, x0=(0.5, 2.0), method="Nelder-Mead")
    a, b = fit(counts(*TUMOURS))
    assert surprise((pl.select(pl.lit(a).log()).item(), pl.select(pl.lit(b).log()).item())) < (
        best.fun + 1.0  # well inside the likelihood's own 95 % region (3.0 for two parameters)
    )


def _world(seed: int, a: float, b: float, customers: int) -> pl.DataFrame:
    chance = seeded(seed)
    pairs = []
    for _ in range(customers):
        appetite, n = chance.betavariate(a, b), chance.choice([1, 2, 3, 5, 10, 40])
        pairs.append((sum(chance.random() < appetite for _ in range(n)), n))
    return counts(*pairs)


@pytest.mark.parametrize(("a", "b"), [(0.6, 2.4), (2.0, 18.0), (5.0, 5.0)])
def test_the_fit_finds_the_beta_that_customers_were_drawn_from(a: float, b: float) -> None:
    assert fit(_world(3, a, b, 8000)) == pytest.approx((a, b), rel=0.12)
