"""The contrast within customers: by hand, against statsmodels, and the laws that it keeps."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
from analysis import worlds
from analysis.events import IN_APP, day, frame, on, seeded, sends
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import stats

from optimove_analysis import Catalogue, frequency_contrast, rates
from optimove_analysis.errors import InputError
from optimove_analysis.schema import FREQUENCY_CONTRAST, INTERACTIONS

LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORLD = worlds.interactions()


def row(rows: pl.DataFrame, **options: Any) -> dict[str, Any]:
    found = frequency_contrast(rows, **options)
    assert found.height == 1
    return found.row(0, named=True)


def story(customer: str, **days: bool) -> list[dict[str, Any]]:
    """Return a send a day (``d3=True``: on 3 March, and clicked)."""
    rows = []
    for name, clicked in days.items():
        number = int(name[1:])
        ids = {"customer_id": customer, "campaign_id": number}
        rows.append(on(number, "sent", **ids))
        rows += [on(number, "clicked", **ids)] * clicked
    return rows


# By hand


def test_the_slope_is_that_of_deviations_from_the_customers_own_mean() -> None:
    # A: pressure 0, 1, 2, clicked 1, 1, 0: deviations -1, 0, 1 and 1/3, 1/3, -2/3: -1 over 2.
    # B: pressure 0, 1, clicked 1, 0: deviations -1/2, 1/2 and 1/2, -1/2: -1/2 over 1/2.
    # Slope -1.5/2.5 = -0.6. What is left: A -1 + 0.6 * 2 = 0.2, B -0.5 + 0.6 * 0.5 = -0.2.
    # Standard error sqrt((0.04 + 0.04) * 2/1) / 2.5 = 0.16; t with 1 degree of freedom 12.706.
    rows = frame(
        *story("A", d3=True, d4=True, d5=False),
        *story("B", d3=True, d4=False),
        *story("C", d3=True),
    )
    found = row(rows)
    assert (found["n"], found["customers"], found["n_constant"]) == (5, 2, 1)
    assert found["slope"] == pytest.approx(-0.6)
    assert found["lo"] == pytest.approx(-0.6 - 12.7062 * 0.16, abs=1e-4)
    assert found["hi"] == pytest.approx(-0.6 + 12.7062 * 0.16, abs=1e-4)
    # Across: pressure 0, 1, 2, 0, 1, 0 with 1, 1, 0, 1, 0, 1: means 2/3, 2/3, and
    # sum xy 1 - 6 * 4/9 = -5/3 over sum xx 6 - 6 * 4/9 = 10/3.
    assert found["slope_across"] == pytest.approx(-0.5)
    assert found["mean_pressure"] == pytest.approx(4 / 6)
    assert (found["method"], found["small"], found["days"]) == ("within-cluster-t", True, 7)
    assert (
        "1 message of customers whose pressure does not vary: they say nothing of the slope."
        in (found["notes"])
    )
    assert found["notes"][0].startswith("An association, no effect")


def test_who_differs_in_level_alone_gives_a_slope_across_and_none_within() -> None:
    # B is sent more and clicks all; within each of the two nothing changes.
    rows = frame(
        *story("A", d1=False, d9=False, d13=False),
        *story("B", d1=True, d2=True, d3=True, d4=True),
    )
    found = row(rows)
    assert found["slope"] == 0
    assert found["slope_across"] > 0.2


def test_one_customer_has_a_slope_and_no_interval_and_nobody_who_varies_has_none() -> None:
    found = row(frame(*story("A", d3=True, d4=False)))
    assert (found["slope"], found["lo"], found["hi"]) == (-1, None, None)
    assert "No interval: the pressure of one customer only varies." in found["notes"]
    found = row(frame(*story("A", d3=True), *story("B", d3=False)))
    assert [found[name] for name in ("slope", "lo", "hi", "slope_across")] == [None] * 4
    assert (found["n"], found["n_constant"], found["mean_pressure"]) == (0, 2, 0)


def test_messages_of_unknown_pressure_are_left_out() -> None:
    rows = frame(*story("A", d3=True, d4=True, d11=True, d12=False), *story("B", d3=True))
    found = row(rows, since=day(3))
    # On 11 March one was sent in the 7 days before, on 12 March one too.
    assert (found["n"], found["n_constant"], found["n_unknown"]) == (0, 2, 3)
    assert found["mean_pressure"] == 1
    assert (
        "3 messages of unknown pressure left out: the days before begin before since."
        in (found["notes"])
    )


def test_a_channel_that_lacks_the_rate_has_none_and_presses() -> None:
    rows = frame(*story("A", d3=True, d8=False), *sends(5, channel_id=IN_APP, customer_id="A"))
    found = frequency_contrast(rows)
    assert found["channel"].to_list() == ["E-mail", "In-app"]
    # Sends of the same day do not press, those on the day after do: pressure 0 and 6.
    assert found["slope"].to_list() == [pytest.approx(-1 / 6), None]
    assert found["n"].to_list() == [2, 0]


# Against statsmodels


def drawn(seed: int, customers: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return interactions, and each message's customer, pressure in plain Python and response."""
    chance = seeded(seed)
    rows: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for number in range(customers):
        who, keen = f"C{number}", chance.random() * 0.6
        days = sorted(chance.choices(range(1, 60), k=chance.randint(1, 12)))
        for campaign, send in enumerate(days):
            before = sum(send - 7 <= other < send for other in days)
            clicked = chance.random() < max(0, keen - 0.08 * before)
            ids = {"customer_id": who, "campaign_id": campaign}
            rows.append(on(send, "sent", **ids))
            rows += [on(send + chance.randint(0, 7), "clicked", **ids)] * clicked
            told.append({"who": who, "x": before, "y": int(clicked)})
    return frame(*rows), pl.DataFrame(told)


@pytest.mark.parametrize(("seed", "customers"), [(1, 40), (2, 5), (3, 12)])
def test_it_is_least_squares_with_a_dummy_a_customer_and_clustered_errors(
    seed: int, customers: int
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api as sm  # noqa: PLC0415 - its import warns

    rows, told = drawn(seed, customers)
    varying = told.filter(pl.col("x").n_unique().over("who") > 1)
    m = varying["who"].n_unique()
    dummies = varying["who"].to_dummies().to_numpy()
    design = np.column_stack([varying["x"].to_numpy(), dummies]).astype(float)
    codes = varying["who"].rank("dense").to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sm.OLS(varying["y"].to_numpy().astype(float), design).fit(
            cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
        )
    error = fit.bse[0] * np.sqrt(m / (m - 1))
    half = stats.t.ppf(0.975, m - 1) * error
    found = row(rows)
    assert (found["customers"], found["n"]) == (m, varying.height)
    assert found["slope"] == pytest.approx(fit.params[0])
    assert found["lo"] == pytest.approx(fit.params[0] - half)
    assert found["hi"] == pytest.approx(fit.params[0] + half)
    across = np.polyfit(told["x"].to_numpy(), told["y"].to_numpy(), 1)[0]
    assert found["slope_across"] == pytest.approx(across)


# Laws


@LAW
@given(
    world=WORLD,
    by=worlds.BY,
    rules=worlds.RULES,
    chance=st.randoms(use_true_random=False),
    since=st.sampled_from([None, day(9)]),
)
def test_neither_order_nor_repeats_matter_and_counts_add_up(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], chance: Any, since: dt.date | None
) -> None:
    rules |= {"since": since}
    plain = frequency_contrast(world, by=by, **rules)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(frequency_contrast(shuffled, by=by, **rules), plain)
    twice = frequency_contrast(pl.concat([world, world]), by=by, **rules)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))
    del rules["since"]
    whole = rates(world, by=by, **rules).filter(rate="engagement rate")
    parts = plain.select(pl.sum_horizontal("n", "n_constant", "n_unknown")).to_series()
    assert parts.to_list() == whole["n"].fill_null(0).to_list()
    assert plain["slope"].is_null().equals(plain["customers"] == 0)
    assert plain["hi"].is_null().equals(plain["customers"] <= 1)


@LAW
@given(world=WORLD, rules=worlds.RULES)
def test_a_customer_who_never_varies_changes_no_slope(
    world: pl.DataFrame, rules: dict[str, Any]
) -> None:
    rules |= {"catalogue": Catalogue(reports_sent=True)}
    plain = frequency_contrast(world, by=(), **rules)
    still = frame(*sends(5, clicked=3, customer_id="Z", channel_id=3)).select(world.columns)
    more = pl.concat([world, still])
    beyond = frequency_contrast(more, by=(), **rules)
    same = ["slope", "lo", "hi", "n", "customers"]
    assert_frame_equal(beyond.select(same), plain.select(same))


@LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_lazy_gives_what_eager_gives_and_both_are_the_documented_table(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    eager = frequency_contrast(world, by=by, **rules)
    lazy = frequency_contrast(world.lazy(), by=by, **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert_frame_equal(lazy.collect(), eager)
    group = {name: world.schema[name] for name in by}
    assert list(eager.schema.items()) == [*group.items(), *FREQUENCY_CONTRAST.schema.items()]
    assert lazy.collect_schema() == eager.schema
    never = [column.name for column in FREQUENCY_CONTRAST.columns if not column.nulls]
    assert eager.select(never).null_count().sum_horizontal().to_list() == [0]
    numbers = eager.select("slope", "lo", "hi", "slope_across", "mean_pressure")
    assert not numbers.select(pl.any_horizontal(pl.all().is_nan().any())).item()


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["channel_id"], ["channel_id", "customer_id"]):
        found = frequency_contrast(rows, by=by)
        assert list(found.schema)[len(by) :] == FREQUENCY_CONTRAST.names
        assert found["slope"].null_count() == found.height
    assert frequency_contrast(INTERACTIONS.empty(), by=()).height == 1
    assert frequency_contrast(INTERACTIONS.empty()).height == 0


def test_wrong_input_is_named() -> None:
    wrong: Any = 0
    with pytest.raises(InputError, match="days=0"):
        frequency_contrast(frame(), days=wrong)
    wrong = "clicks"
    with pytest.raises(InputError, match="rate='clicks' is not known"):
        frequency_contrast(frame(), rate=wrong)
    with pytest.raises(InputError, match="name of a column of the result"):
        frequency_contrast(frame(), by="slope")
