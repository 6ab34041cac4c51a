"""Customers' shrunk rates: by hand, against scipy and plain Python over SQL's counts, and laws."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import rates_oracle, worlds
from analysis.events import CALLS, EMAIL, PUSH, frame, on, seeded, sends
from analysis.intervals import interval, wilson
from analysis.oracle import Numbers, Rules, assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import stats

from optimove_analysis import Catalogue, rates, shrink
from optimove_analysis.analysis.shrinkage import beta_interval, fit_beta
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, SHRUNK

BY = ["customer_id", "channel_id"]
UNLIKE = frame(
    *(
        event
        for who, n, clicked in [("A", 10, 0), ("B", 10, 5), ("C", 10, 1), ("D", 1, 0)]
        for event in sends(n, clicked=clicked, customer_id=who)
    ),
    *(on(3, "delivered", customer_id=who, campaign_id=i) for who in "ABC" for i in range(10)),
    on(3, "delivered", customer_id="D", campaign_id=0),
)
ALIKE = frame(
    *(event for who in "ABCD" for event in sends(10, clicked=2, customer_id=who)),
    *(on(3, "delivered", customer_id=who, campaign_id=i) for who in "ABCD" for i in range(10)),
)


def of(interactions: pl.DataFrame, customer: str, **options: Any) -> dict[str, Any]:
    found = shrink(interactions, **options).filter(customer_id=customer)
    assert found.height == 1
    return found.row(0, named=True)


# By hand, and against scipy


def test_a_posterior_is_that_of_the_beta_by_moments() -> None:
    # p = 6/31; spread sum(n(k/n - p)^2); noise p(1 - p)3; divisor 31 - 301/31 - 3.
    p = 6 / 31
    spread = 10 * p**2 + 10 * (0.5 - p) ** 2 + 10 * (0.1 - p) ** 2 + p**2
    variance = (spread - 3 * p * (1 - p)) / (31 - 301 / 31 - 3)
    weight = p * (1 - p) / variance - 1
    a, b = p * weight, (1 - p) * weight
    for who, k, n in [("A", 0, 10), ("B", 5, 10), ("C", 1, 10), ("D", 0, 1)]:
        found = of(UNLIKE, who)
        assert (found["k"], found["n"], found["value"]) == (k, n, k / n)
        assert (found["method"], found["customers"], found["pooled_n"]) == ("beta-binomial", 4, 31)
        assert (found["prior_a"], found["prior_b"]) == pytest.approx((a, b))
        assert found["pooled"] == pytest.approx(p)
        assert found["shrunk"] == pytest.approx((k + a) / (n + a + b))
        ends = stats.beta.ppf([0.025, 0.975], k + a, n - k + b)
        assert (found["lo"], found["hi"]) == pytest.approx(tuple(ends), rel=1e-9)


def test_customers_who_differ_by_chance_get_the_pooled_rate_and_its_interval() -> None:
    for who in "ABCD":
        found = of(ALIKE, who)
        assert (found["method"], found["shrunk"], found["pooled"]) == ("pooled", 0.2, 0.2)
        assert (found["prior_a"], found["prior_b"]) == (None, None)
        # Less than chance between the customers, so 40 messages are worth 40.
        assert (found["lo"], found["hi"]) == pytest.approx(wilson(8, 40))
        assert any("differ no more than by chance" in note for note in found["notes"])


def test_the_pooled_rates_interval_knows_that_messages_of_a_customer_are_alike() -> None:
    rows = [
        event
        for number, (n, clicked) in enumerate([(100, 30), (100, 20), *[(4, 1)] * 10])
        for event in (
            *sends(n, clicked=clicked, customer_id=f"c{number}"),
            *(on(3, "delivered", customer_id=f"c{number}", campaign_id=i) for i in range(n)),
        )
    ]
    # Spread 100 * 0.05^2 * 2 = 0.5, binomial noise 0.1875 * 11 = 2.06: pooled. Over customers the
    # variance of 60/240 is (25 + 25)/240^2 * 12/11, that of messages apart 0.1875/240.
    effect = 50 / 240**2 * 12 / 11 / (0.1875 / 240)
    assert effect > 1.2
    found = of(frame(*rows), "c3")
    assert (found["method"], found["shrunk"]) == ("pooled", 0.25)
    assert (found["lo"], found["hi"]) == pytest.approx(wilson(60 / effect, 240 / effect))


def test_a_customer_without_a_message_gets_what_the_others_say() -> None:
    lost = [on(3, "sent", customer_id="Z"), on(3, "bounced", customer_id="Z")]
    found = of(pl.concat([UNLIKE, frame(*lost)]), "Z")
    a, b = found["prior_a"], found["prior_b"]
    assert (found["k"], found["n"], found["value"]) == (0, 0, None)
    assert found["shrunk"] == pytest.approx(6 / 31)
    ends = stats.beta.ppf([0.025, 0.975], a, b)
    assert (found["lo"], found["hi"]) == pytest.approx(tuple(ends), rel=1e-9)
    assert (
        "The customer has no message to divide by: the value is what the others say."
        in (found["notes"])
    )
    assert found["customers"] == 4


def test_a_customer_alone_keeps_the_raw_rate_and_is_told_so() -> None:
    found = of(UNLIKE.filter(customer_id="B"), "B")
    assert (found["method"], found["shrunk"], found["customers"]) == ("pooled", 0.5, 1)
    assert (found["lo"], found["hi"]) == pytest.approx(wilson(5, 10))
    assert any("Only this customer" in note for note in found["notes"])


def test_a_prior_of_few_customers_is_said_to_be_one() -> None:
    said = of(UNLIKE, "A")["notes"]
    assert (
        "The prior is made of 4 customers only, and is taken for known: the interval is too narrow."
    ) in said
    assert not any("The prior" in note for note in of(ALIKE, "A")["notes"])


def test_rounding_makes_no_prior() -> None:
    # In exact fractions the spread of these is the binomial noise; in floats it misses by a hair.
    a, b = fit_beta(pl.col("k"), pl.col("n"))
    for n in range(2, 7):
        for ks in combinations_with_replacement(range(n + 1), 4):
            p = Fraction(sum(ks), 4 * n)
            spread = sum(n * (Fraction(k, n) - p) ** 2 for k in ks)
            if 0 < p < 1 and spread == p * (1 - p) * 3:
                rows = pl.DataFrame({"k": ks, "n": [n] * 4})
                assert rows.select(a=a, b=b).row(0) == (None, None), (n, ks)


def test_a_channel_that_lacks_the_stage_has_no_answer() -> None:
    found = of(frame(on(3, "sent", channel_id=CALLS)), "A")
    empty = ["k", "n", "value", "shrunk", "lo", "hi", "method", "pooled", "small", "prior_a"]
    assert [found[name] for name in empty] == [None] * len(empty)
    assert found["channel"] == "Call centre"


def test_each_channel_and_further_group_has_its_own_prior() -> None:
    moved = UNLIKE.with_columns(channel_id=pl.lit(PUSH, pl.Int64))
    both = pl.concat([UNLIKE, moved.filter(pl.col("customer_id") != "B")])
    found = shrink(both)
    alone = shrink(UNLIKE)
    assert_frame_equal(found.filter(channel_id=EMAIL), alone)
    assert found.filter(channel_id=PUSH)["pooled"].unique().to_list() == pytest.approx([1 / 21])
    split = shrink(both, by=[*BY, pl.col("campaign_id") < 5])
    first = shrink(both.filter(pl.col("campaign_id") < 5))
    assert_frame_equal(split.filter("campaign_id").drop("campaign_id"), first)


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.7), (1.4, 8.6), (5.4, 18.6), (400.0, 9e5), (1e-3, 2)])
def test_ends_are_the_quantiles_of_the_beta(a: float, b: float) -> None:
    ends = pl.select(beta_interval(pl.lit(a), pl.lit(b))).unnest("beta_interval").row(0)
    assert ends == pytest.approx(tuple(stats.beta.ppf([0.025, 0.975], a, b)), rel=1e-8)


def test_no_beta_has_no_ends() -> None:
    rows = pl.DataFrame({"a": [None, 2.0], "b": [None, 2.0]}, schema_overrides={"a": pl.Float64})
    ends = rows.select(beta_interval(pl.col("a"), pl.col("b"))).unnest("beta_interval").rows()
    assert ends[0] == (None, None)
    assert ends[1] == pytest.approx(tuple(stats.beta.ppf([0.025, 0.975], 2, 2)))


def test_shrunk_rates_come_nearer_to_the_truth_and_their_intervals_hold_it() -> None:
    # 400 customers whose own rates are known: Beta(2, 8), with 1 to 20 messages each.
    chance, truth, rows = seeded(5), {}, []
    for number in range(400):
        who = f"c{number:03}"
        truth[who], n = chance.betavariate(2, 8), chance.choice([1, 2, 5, 10, 20])
        clicked = sum(chance.random() < truth[who] for _ in range(n))
        rows += sends(n, clicked=clicked, customer_id=who)
        rows += [on(3, "delivered", customer_id=who, campaign_id=i) for i in range(n)]
    found = shrink(frame(*rows)).sort("customer_id")
    own = pl.Series([truth[who] for who in found["customer_id"]])
    raw, shrunk = (((found[name] - own) ** 2).mean() for name in ("value", "shrunk"))
    assert isinstance(raw, float)
    assert isinstance(shrunk, float)
    assert shrunk < raw / 2
    held = found.select(pl.lit(own).is_between("lo", "hi").mean()).item()
    assert 0.92 < held < 0.98


# Against plain Python over SQL's counts, and laws

LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORLD = worlds.interactions()
RATE = st.sampled_from(["click rate", "bounce rate", "engagement rate"])


def _expected(path: Path, rate: str, **options: Any) -> Numbers:
    rules = Rules(**options)
    of_k, of_n, needs = rates_oracle.RATES[rate]
    pairs: dict[tuple[Any, ...], list[int]] = {}
    for row in rates_oracle.judged(path, rules):
        if needs in row["has"]:
            pair = pairs.setdefault((row["customer_id"], row["channel_id"]), [0, 0])
            if row["fate"] == "counted":
                pair[0] += row["facts"][of_k]
                pair[1] += row["facts"][of_n]
    expected: Numbers = {}
    for (who, channel), (k, n) in pairs.items():
        some = [(x, m) for (_, other), (x, m) in pairs.items() if other == channel and m]
        all_k, all_n = sum(x for x, _ in some), sum(m for _, m in some)
        expected[who, channel] = {
            "k": k,
            "n": n,
            "customers": len(some),
            "pooled_n": all_n,
            **_posterior(k, n, some, all_k, all_n),
        }
    return expected


def _posterior(
    k: int, n: int, some: list[tuple[int, int]], all_k: int, all_n: int
) -> dict[str, Any]:
    if not some:
        return {"shrunk": None, "method": None, "lo": None}
    p = all_k / all_n
    excess = sum(m * (x / m - p) ** 2 for x, m in some) - p * (1 - p) * (len(some) - 1)
    divisor = all_n - sum(m * m for _, m in some) / all_n - (len(some) - 1)
    if divisor <= 1e-12 or excess <= 1e-12:
        ends = interval(some)
        return {"shrunk": p, "method": "pooled", "lo": ends and ends[0], "hi": ends and ends[1]}
    weight = max(1.0, p * (1 - p) * divisor / excess - 1)
    a, b = p * weight, (1 - p) * weight
    lo, hi = (float(end) for end in stats.beta.ppf([0.025, 0.975], k + a, n - k + b))
    return {
        "shrunk": (k + a) / (n + a + b),
        "method": "beta-binomial",
        "lo": lo,
        "hi": hi,
    }


@LAW
@given(world=WORLD, rate=RATE, rules=worlds.RULES)
def test_plain_python_finds_the_same(
    world: pl.DataFrame, rate: Any, rules: dict[str, Any], tmp_path_factory: Any
) -> None:
    rules |= {"implied": "lower"}
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    world.write_parquet(path)
    found = shrink(world, rate, **rules)
    assert_equal(found.filter(pl.col("n").is_not_null()), BY, _expected(path, rate, **rules))


@LAW
@given(world=WORLD, rate=RATE, rules=worlds.RULES, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter_and_lazy_is_eager(
    world: pl.DataFrame, rate: Any, rules: dict[str, Any], chance: Any
) -> None:
    rules |= {"implied": "lower"}
    plain = shrink(world, rate, **rules)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(shrink(shuffled, rate, **rules), plain)
    twice = shrink(pl.concat([world, world]), rate, **rules)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))
    lazy = shrink(world.lazy(), rate, **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == plain.schema
    assert_frame_equal(lazy.collect(), plain)


@LAW
@given(world=WORLD, more=WORLD, rate=RATE, rules=worlds.RULES)
def test_immature_messages_change_nothing(
    world: pl.DataFrame, more: pl.DataFrame, rate: Any, rules: dict[str, Any]
) -> None:
    rules |= {"window": 7, "as_of": None, "implied": "lower"}
    rules |= {"catalogue": Catalogue(reports_sent=True)}
    immature = more.with_columns(
        campaign_id=pl.col("campaign_id").fill_null(0) + 100,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    alone = shrink(world, rate, **rules)
    beyond = shrink(pl.concat([world, immature]), rate, **rules)
    old = beyond.join(alone.select(BY), on=BY, how="semi", nulls_equal=True)
    beside = ["n_immature", "n_unobserved", "notes"]
    assert_frame_equal(old.drop(beside), alone.drop(beside))


@LAW
@given(world=WORLD, rate=RATE, rules=worlds.RULES)
def test_a_shrunk_value_lies_between_the_raw_and_the_pooled_one_and_is_of_rates(
    world: pl.DataFrame, rate: Any, rules: dict[str, Any]
) -> None:
    rules |= {"implied": "lower"}
    found = shrink(world, rate, **rules)
    assert list(found.schema.items())[len(BY) :] == list(SHRUNK.schema.items())
    never = [column.name for column in SHRUNK.columns if not column.nulls]
    assert found.select(never).null_count().sum_horizontal().to_list() == [0]
    floats = [name for name, dtype in found.schema.items() if dtype == pl.Float64]
    assert not found.select(pl.any_horizontal(pl.col(floats).is_nan().any())).item()
    ends = [pl.col("value").fill_null(pl.col("pooled")), pl.col("pooled")]
    between = pl.col("shrunk").is_between(
        pl.min_horizontal(ends) - 1e-12, pl.max_horizontal(ends) + 1e-12
    )
    inside = pl.col("shrunk").is_between(pl.col("lo"), pl.col("hi"))
    pooled = pl.col("method") == "pooled"
    assert found.select(between.all(), inside=(inside | ~pooled).all()).row(0) == (True, True)
    theirs = rates(world, by=BY, **rules).filter(pl.col("rate") == rate)
    shared = ["channel", "label", "value", "k", "n", "small", "n_implied", "n_late", "n_immature"]
    assert_frame_equal(found.select(*BY, *shared), theirs.select(*BY, *shared))


# What is refused


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    found = shrink(rows)
    assert list(found.schema.items())[2:] == list(SHRUNK.schema.items())
    assert shrink(INTERACTIONS.empty()).height == 0


def test_what_cannot_be_shrunk_is_refused_with_its_reason() -> None:
    wrong: Any = "clicks"
    with pytest.raises(InputError, match="did you mean 'click rate'"):
        shrink(frame(), "clik rate")  # type: ignore[arg-type] # the mistake that is tested
    with pytest.raises(InputError, match="rate='clicks' is not known"):
        shrink(frame(), wrong)
    with pytest.raises(InputError, match="a mean of counts and no share"):
        shrink(frame(), "total opens per delivered")
    with pytest.raises(InputError, match="opens='ignore' leaves out"):
        shrink(frame(), "open rate", opens="ignore")
    with pytest.raises(InputError, match="k is no part of n"):
        shrink(frame(), implied="none")
    with pytest.raises(InputError, match="by= must have 'channel_id'"):
        shrink(frame(), by="customer_id")
    with pytest.raises(InputError, match="by= must have 'customer_id'"):
        shrink(frame(), by=[pl.col("customer_id").str.slice(1), "channel_id"])
    with pytest.raises(InputError, match="name of a column of the result"):
        shrink(frame(), by=[*BY, "rate"])
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        shrink(frame(on(3, "sent")).drop("date"))


def test_with_nothing_implied_a_rate_of_the_sent_is_shrunk() -> None:
    found = of(UNLIKE, "D", rate="delivery rate", implied="none")
    assert (found["k"], found["n"]) == (1, 1)
    clicked_only = UNLIKE.filter(pl.col("event_id") != 2)
    found = of(pl.concat([clicked_only, UNLIKE.filter(customer_id="D")]), "B", rate="delivery rate")
    assert (found["k"], found["n"]) == (5, 10)
    none = of(
        pl.concat([clicked_only, UNLIKE.filter(customer_id="D")]),
        "B",
        rate="delivery rate",
        implied="none",
    )
    assert (none["k"], none["n"]) == (0, 10)
