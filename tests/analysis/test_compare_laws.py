"""Comparisons against statsmodels over SQL's counts, and the laws that they keep."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import polars as pl
from analysis import rates_oracle, worlds
from analysis.oracle import Numbers, Rules, assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from statsmodels.stats.proportion import confint_proportions_2indep

from optimove_analysis import Catalogue, compare, rates
from optimove_analysis.schema import COMPARISON

LIFT = ["lift", "lift_lo", "lift_hi"]
DIFFERENCE = ["difference", "difference_lo", "difference_hi"]
LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORLD = worlds.interactions()
BETWEEN: Any = st.sampled_from(
    [("channel_id", 504, 505), ("campaign_id", 1, 2), ("customer_id", "A", "B")]
)
BY = st.sampled_from([[], ["recipient_group_id"], ["action_id"]])


def _many(world: pl.DataFrame, times: int = 12) -> pl.DataFrame:
    """Return the world as often, with other templates, so that arms have thirty messages."""
    copies = [
        world.with_columns(template_id=pl.col("template_id").fill_null(0) + 10 * number)
        for number in range(times)
    ]
    return pl.concat(copies)


def _effective(pairs: dict[str, list[int]]) -> float:
    k, n = (sum(pair[i] for pair in pairs.values()) for i in (0, 1))
    p, some = k / n, [pair for pair in pairs.values() if pair[1]]
    if len(some) < 2 or not 0 < p < 1:
        return float(n)
    spread = sum((mine - p * of) ** 2 for mine, of in some) * len(some) / (len(some) - 1)
    return n / max(1.0, spread / n**2 / (p * (1 - p) / n))


def _expected(path: Path, between: Any, by: list[str], rules: dict[str, Any]) -> Numbers:
    column, *values = between
    groups: dict[tuple[Any, ...], list[list[Any]]] = {} if by else {(): [[], []]}
    for one in rates_oracle.judged(path, Rules(**rules)):
        if one[column] in values:
            arms = groups.setdefault(tuple(one[name] for name in by), [[], []])
            arms[values.index(one[column])].append(one)
    expected: Numbers = {}
    for group, arms in groups.items():
        for rate, (k, n, needs) in rates_oracle.RATES.items():
            of_opens = needs == "opened" and rules["opens"] == "ignore"
            if rate != "total opens per delivered" and not of_opens:
                expected[*group, rate] = _both(arms, k, n, needs, column)
    return expected


def _both(arms: list[list[Any]], k: str, n: str, needs: str, column: str) -> dict[str, Any]:
    sums: list[tuple[int, int]] = []
    worth: list[float] = []
    who: list[set[str]] = []
    counted = [[one for one in arm if one["fate"] == "counted"] for arm in arms]
    for some in counted:
        pairs: dict[str, list[int]] = {}
        for one in some:
            if needs in one["has"]:
                pair = pairs.setdefault(one["customer_id"], [0, 0])
                pair[0] += one["facts"][k]
                pair[1] += one["facts"][n]
        sums.append((sum(p[0] for p in pairs.values()), sum(p[1] for p in pairs.values())))
        worth.append(_effective(pairs) if sums[-1][1] else 0.0)
        who.append({name for name, pair in pairs.items() if pair[1]})
    # A channel lacks a stage by its kind; a total only if all that count lack it.
    about = arms if column == "channel_id" else counted
    if any(some and not any(needs in one["has"] for one in some) for some in about):
        return {"reason": "no such stage", "difference": None, "lift": None}
    (k0, n0), (k1, n1) = sums
    found: dict[str, Any] = {"k0": k0, "n0": n0, "k": k1, "n": n1}
    found["customers_in_both"] = len(who[0] & who[1])
    if min(n0, n1) < 30:
        return found | {"difference": None, "lift": None, "difference_lo": None}
    p0, p1 = k0 / n0, k1 / n1
    given_arms = (p1 * worth[1], worth[1], p0 * worth[0], worth[0])
    ends = confint_proportions_2indep(*given_arms, compare="diff", method="newcomb")
    found |= dict(zip(DIFFERENCE, (p1 - p0, *map(float, ends)), strict=True))
    if k0 and k1 and not p0 == p1 == 1:
        half = 1.959963984540054 * math.sqrt(
            (1 - p1) / (p1 * worth[1]) + (1 - p0) / (p0 * worth[0])
        )
        ends = (p1 / p0 * math.exp(-half) - 1, p1 / p0 * math.exp(half) - 1)
        found |= dict(zip(LIFT, (p1 / p0 - 1, *ends), strict=True))
        found["reason"] = None
    return found


@LAW
@given(world=WORLD, between=BETWEEN, by=BY, rules=worlds.RULES)
def test_statsmodels_finds_the_same_over_other_counts(
    world: pl.DataFrame, between: Any, by: list[str], rules: dict[str, Any], tmp_path_factory: Any
) -> None:
    rules |= {"implied": "lower"}
    many = _many(world)
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    many.write_parquet(path)
    column, baseline, against = between
    found = compare(many, between=column, baseline=baseline, against=against, by=by, **rules)
    assert_equal(found, [*by, "rate"], _expected(path, between, by, rules))


@LAW
@given(
    world=WORLD,
    between=BETWEEN,
    by=BY,
    rules=worlds.RULES,
    chance=st.randoms(use_true_random=False),
)
def test_neither_order_nor_repeats_matter_and_lazy_is_eager(
    world: pl.DataFrame, between: Any, by: list[str], rules: dict[str, Any], chance: Any
) -> None:
    many = _many(world)
    options = {"between": between[0], "baseline": between[1], "against": between[2], "by": by}
    plain = compare(many, **options, **rules)
    shuffled = many[chance.sample(range(many.height), many.height)]
    assert_frame_equal(compare(shuffled, **options, **rules), plain)
    twice = compare(pl.concat([many, many]), **options, **rules)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))
    lazy = compare(many.lazy(), **options, **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == plain.schema
    assert_frame_equal(lazy.collect(), plain)


@LAW
@given(world=WORLD, more=WORLD, between=BETWEEN, by=BY, rules=worlds.RULES)
def test_immature_messages_change_no_comparison(
    world: pl.DataFrame, more: pl.DataFrame, between: Any, by: list[str], rules: dict[str, Any]
) -> None:
    rules |= {"window": 7, "as_of": None, "catalogue": Catalogue(reports_sent=True)}
    options = {"between": between[0], "baseline": between[1], "against": between[2], "by": by}
    many = _many(world)
    immature = _many(more).with_columns(
        template_id=pl.col("template_id") + 1000,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    alone = compare(many, **options, **rules)
    beyond = compare(pl.concat([many, immature]), **options, **rules)
    keys = [*by, "rate"]
    old = beyond.join(alone.select(keys), on=keys, how="semi", nulls_equal=True)
    beside = ["n_immature", "n_immature0", "n_unobserved", "n_unobserved0", "notes"]
    compared = pl.col("difference").is_not_null()
    assert_frame_equal(old.filter(compared).drop(beside), alone.filter(compared).drop(beside))
    assert old["difference"].null_count() == alone["difference"].null_count()


@LAW
@given(world=WORLD, between=BETWEEN, by=BY, rules=worlds.RULES)
def test_the_numbers_of_a_row_agree_with_each_other_and_with_rates(
    world: pl.DataFrame, between: Any, by: list[str], rules: dict[str, Any]
) -> None:
    many = _many(world)
    column, baseline, against = between
    options = {"between": column, "by": by, **rules}
    found = compare(many, baseline=baseline, against=against, **options)
    never = [one.name for one in COMPARISON.columns if not one.nulls]
    assert found.select(never).null_count().sum_horizontal().to_list() == [0]
    floats = [name for name, dtype in found.schema.items() if dtype == pl.Float64]
    assert not found.select(pl.any_horizontal(pl.col(floats).is_nan().any())).item()
    for mid, lo, hi in (DIFFERENCE, LIFT):
        inside = pl.col(mid).is_between(pl.col(lo) - 1e-12, pl.col(hi) + 1e-12)
        assert found.select(inside.all()).item()
    reasoned = pl.any_horizontal(pl.col(*DIFFERENCE, *LIFT).is_null())
    assert found.select((reasoned == pl.col("reason").is_not_null()).all()).item()
    # The other way round the difference is the same with its sign turned.
    turned = compare(many, baseline=against, against=baseline, **options)
    ends = pl.col("difference"), pl.col("difference_hi"), pl.col("difference_lo")
    assert_frame_equal(
        turned.select(-pl.col(DIFFERENCE)),
        found.select(*(e.alias(n) for e, n in zip(ends, DIFFERENCE, strict=True))),
    )
    theirs = rates(many, by=[*by, column], **rules)
    shared = ["value", "k", "n", "n_effective", "customers", "n_late", "n_implied"]
    for value, suffix in ((baseline, "0"), (against, "")):
        mine = theirs.filter(pl.col(column) == value).select(*by, "rate", *shared)
        both = found.join(mine, on=[*by, "rate"], nulls_equal=True, suffix="_of_rates")
        for name in shared:
            ours = both[f"{name}{suffix}"]
            others = both[f"{name}_of_rates"]
            assert ours.equals(others), name


@LAW
@given(world=WORLD, between=BETWEEN, by=BY, rules=worlds.RULES)
def test_a_flip_is_what_ignoring_opens_shows(
    world: pl.DataFrame, between: Any, by: list[str], rules: dict[str, Any]
) -> None:
    options = {"between": between[0], "baseline": between[1], "against": between[2], "by": by}
    rate: Any = "engagement rate"
    both = [
        compare(_many(world), rate=rate, **options, **rules | {"opens": opens})
        for opens in ("trust", "ignore")
    ]
    for trusted, ignored in zip(*(one.iter_rows(named=True) for one in both), strict=True):
        if trusted["difference_lo"] is None or ignored["difference_lo"] is None:
            assert trusted["flips"] is None
        else:
            signs = [
                (one["difference_lo"] > 0) - (one["difference_hi"] < 0)
                for one in (trusted, ignored)
            ]
            assert trusted["flips"] == (signs[0] != signs[1])
