"""Time to engage: by hand, against lifelines and numeric derivatives, and the laws it keeps."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import IN_APP, SMS, day, frame, on, seeded, sends
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, rates, time_to_engage
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, TIME_TO_ENGAGE

LAW = settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SHORT_LAW = settings(LAW, max_examples=7)
WORLD = worlds.interactions()
Z = 1.959963984540054


def curve(rows: pl.DataFrame, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    names = columns or ("day", "at_risk", "events", "censored")
    return time_to_engage(rows, **options).select(*names).rows()


def message(number: int, days: int | None, through: int, **ids: Any) -> list[dict[str, Any]]:
    """Return a campaign sent on 1 March, clicked some days after it, complete through a day."""
    more = {"campaign_id": number, "data_through": day(1 + through), **ids}
    rows = [on(1, "sent", **more)]
    return rows if days is None else [*rows, on(1 + days, "clicked", **more)]


# By hand


def test_an_event_comes_before_censoring_on_the_same_day() -> None:
    # Five at risk; one on day 0; on day 9 one is engaged with and one censored; day 12, 30.
    rows = frame(
        *message(1, 0, 30),
        *message(2, 9, 30),
        *message(3, None, 9),
        *message(4, 12, 30),
        *message(5, None, 30),
    )
    assert curve(rows) == [(0, 5, 1, 0), (9, 4, 1, 1), (12, 2, 1, 0), (30, 1, 0, 1)]
    expected = [1 - 4 / 5, 1 - 4 / 5 * 3 / 4, 1 - 4 / 5 * 3 / 4 / 2, 1 - 4 / 5 * 3 / 4 / 2]
    assert [value for (value,) in curve(rows, "engaged")] == pytest.approx(expected)
    assert curve(rows, "median_day", "n", "n_engaged", "n_late", "n_implied")[0] == (12, 5, 3, 2, 5)
    # Greenwood on day 9: 1/(5*4) + 1/(4*3) = 2/15; the interval of S = 0.6 is 0.6 to the power of
    # exp(+-1.96 sqrt(2/15)/ln 0.6).
    factor = math.exp(Z * math.sqrt(2 / 15) / -math.log(0.6))
    found = curve(rows, "lo", "hi", "method")[1]
    assert found == (
        pytest.approx(1 - 0.6 ** (1 / factor)),
        pytest.approx(1 - 0.6**factor),
        "log-log",
    )


def test_who_answers_at_once_or_never_leaves_no_interval() -> None:
    every = frame(*message(1, 0, 30), *message(2, 0, 30))
    assert curve(every, "engaged", "lo", "hi", "median_day") == [(1.0, None, None, 0)]
    nobody = frame(*message(1, None, 30), *message(2, None, 40))
    assert curve(nobody, "day", "engaged", "lo", "hi", "median_day") == [
        (0, 0.0, None, None, None),
        (30, 0.0, None, None, None),
        (40, 0.0, None, None, None),
    ]


def test_the_median_is_the_first_day_by_which_half_are_engaged_with() -> None:
    # (1 - 1/6)(1 - 1/5)(1 - 1/4) = 1/2, which is a hair above a half in floating point.
    rows = frame(*(row for i in range(6) for row in message(i, i + 1 if i < 3 else None, 30)))
    assert curve(rows, "median_day")[0] == (3,)


def test_an_open_is_engagement_only_where_trusted_and_the_first_of_the_two_counts() -> None:
    rows = frame(*message(1, 5, 30), on(3, "opened", campaign_id=1, data_through=day(31)))
    assert [row[0] for row in curve(rows) if row[2]] == [2]
    assert [row[0] for row in curve(rows, opens="ignore") if row[2]] == [5]
    # An SMS has no opens; what bounced was not opened, unless it was clicked.
    sms = rows.with_columns(channel_id=pl.lit(SMS, pl.Int64).cast(rows.schema["channel_id"]))
    assert [row[0] for row in curve(sms) if row[2]] == [5]
    bounced = on(1, "bounced", campaign_id=1, data_through=day(31))
    more = pl.concat([rows, frame(bounced).select(rows.columns)])
    assert [row[0] for row in curve(more) if row[2]] == [2]
    unclicked = more.filter(pl.col("event_id") != 4)
    assert curve(unclicked, "n", "engaged") == [(0, None)]


def test_an_event_after_the_day_through_which_data_is_complete_is_not_counted() -> None:
    rows = frame(*message(1, 12, 10), *message(2, 3, 10))
    assert curve(rows) == [(0, 2, 0, 0), (3, 2, 1, 0), (10, 1, 0, 1)]
    said = curve(rows, "notes")[0][0]
    assert (
        "1 message engaged with only after the day through which the data is complete: censored "
        "there." in said
    )
    assert curve(rows, as_of=day(13))[-1] == (12, 1, 1, 0)


def test_immature_messages_are_followed_only_where_there_is_no_window() -> None:
    rows = frame(*message(1, None, 3), *message(2, 2, 3), *message(3, None, -1), *message(4, 5, 9))
    assert curve(rows) == [(0, 1, 0, 0), (5, 1, 1, 0)]
    assert curve(rows, "n", "n_immature")[0] == (1, 3)
    assert curve(rows, window=None) == [(0, 3, 0, 0), (2, 3, 1, 0), (3, 2, 0, 1), (5, 1, 1, 0)]
    assert curve(rows, "n", "n_immature", window=None)[0] == (3, 1)
    note = "1 message sent after the day through which the data is complete left out."
    assert note in curve(rows, "notes", window=None)[0][0]


def test_where_nobody_knows_the_end_messages_are_followed_to_the_end_of_the_window() -> None:
    rows = frame(*message(1, 3, 0), *message(2, None, 0), *message(3, 12, 0))
    rows = rows.with_columns(data_through=pl.lit(None, pl.Date))
    assert curve(rows) == [(0, 3, 0, 0), (3, 3, 1, 0), (7, 2, 0, 2)]
    assert curve(rows, window=None) == [(0, 3, 0, 0), (3, 3, 1, 0), (12, 2, 1, 0)]
    assert curve(rows, "engaged", window=None)[-1] == (pytest.approx(2 / 3),)
    note = "followed to the end of the window only: nobody knows through which day the data is."
    assert any(note in one for one in curve(rows, "notes")[0][0])


def test_a_channel_without_deliveries_has_no_answer() -> None:
    rows = frame(*sends(3, clicked=1, channel_id=IN_APP))
    names = ("day", "at_risk", "events", "engaged", "n", "customers", "small")
    assert curve(rows, *names) == [(0, *[None] * 6)]
    both = frame(*sends(3, clicked=1, channel_id=IN_APP), *sends(2))
    assert curve(both, "n", "channels", by=())[0] == (2, ["E-mail"])


# Against lifelines


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("opens", ["trust", "ignore"])
def test_lifelines_finds_the_same_curve_and_interval(seed: int, opens: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines import KaplanMeierFitter  # noqa: PLC0415 - its import warns
    chance = seeded(seed)
    ends = [
        (chance.choice([0, 0, 1, 2, 5, 9, 14, 20, None]), chance.randint(7, 25)) for _ in range(80)
    ]
    rows = frame(*(row for i, end in enumerate(ends) for row in message(i, *end)))
    happened = [took is not None and took <= through for took, through in ends]
    times = [took if took is not None and took <= through else through for took, through in ends]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = KaplanMeierFitter().fit(times, happened)
        bounds = fit.confidence_interval_survival_function_
    found = time_to_engage(rows, opens=opens)
    assert found["day"].to_list() == sorted({0, *times})
    for row in found.iter_rows(named=True):
        assert row["engaged"] == pytest.approx(1 - fit.predict(row["day"]))
        if 0 < row["engaged"] < 1:
            lower, upper = bounds.loc[row["day"]]
            assert row["lo"] == pytest.approx(1 - upper)
            assert row["hi"] == pytest.approx(1 - lower)
    # Where 40 of 80 are left, S of lifelines is a hair above a half, and its median a day late.
    half = [when for when in found["day"] if fit.predict(when) <= 0.5 + 1e-12]
    assert found["median_day"][0] == (half[0] if half else None)
    if half and fit.predict(half[0]) < 0.5 - 1e-9:
        assert fit.median_survival_time_ == half[0]
    table = fit.event_table.loc[found["day"].to_list()]
    assert found["at_risk"].to_list()[1:] == table["at_risk"].to_list()[1:]
    assert found["events"].to_list() == table["observed"].to_list()
    assert found["censored"].to_list() == table["censored"].to_list()


# Across customers


def log_s(ends: list[tuple[str, int, bool]], until: int, weights: dict[str, float]) -> float:
    total = 0.0
    for when in sorted({time for _, time, event in ends if event and time <= until}):
        risk = sum(weights[who] for who, time, _ in ends if time >= when)
        events = sum(weights[who] for who, time, event in ends if event and time == when)
        total += math.log(1 - events / risk)
    return total


def clustered_variance(ends: list[tuple[str, int, bool]], until: int) -> float:
    """Variance of log S by what each customer's weight does to it, differentiated numerically."""
    customers = sorted({who for who, _, _ in ends})
    one = dict.fromkeys(customers, 1.0)
    parts = [
        (log_s(ends, until, one | {who: 1 + 1e-5}) - log_s(ends, until, one | {who: 1 - 1e-5}))
        / 2e-5
        for who in customers
    ]
    m = len(customers)
    return sum(part**2 for part in parts) * m / (m - 1)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_across_customers_the_interval_is_that_of_customers_as_wholes(seed: int) -> None:
    chance = seeded(seed)
    rows: list[dict[str, Any]] = []
    ends: list[tuple[str, int, bool]] = []
    number = 0
    for customer in range(12):
        who, pace = f"C{customer}", chance.choice([0, 1, 6])
        for _ in range(chance.randint(1, 9)):
            number += 1
            took = chance.choice([pace, pace, pace + 2, None])
            through = chance.randint(8, 12)
            rows += message(number, took, through, customer_id=who)
            ends.append((who, through if took is None else took, took is not None))
    found = time_to_engage(frame(*rows))
    assert set(found["method"]) == {"log-log-cluster"}
    wider = 0
    for row in found.iter_rows(named=True):
        s = math.exp(log_s(ends, row["day"], dict.fromkeys({who for who, _, _ in ends}, 1.0)))
        assert row["engaged"] == pytest.approx(1 - s)
        if not 0 < s < 1:
            continue
        greenwood = 0.0
        for when in sorted({time for _, time, event in ends if event and time <= row["day"]}):
            risk = sum(time >= when for _, time, _ in ends)
            events = sum(event and time == when for _, time, event in ends)
            greenwood += events / (risk * (risk - events))
        clustered = clustered_variance(ends, row["day"])
        wider += clustered > greenwood
        factor = math.exp(Z * math.sqrt(max(clustered, greenwood)) / -math.log(s))
        assert row["lo"] == pytest.approx(1 - s ** (1 / factor), rel=1e-6)
        assert row["hi"] == pytest.approx(1 - s**factor, rel=1e-6)
    assert wider


def test_with_a_message_a_customer_the_variance_is_greenwoods_but_for_the_few() -> None:
    ends = [(0, 20), (0, 20), (3, 20), (None, 8), (5, 20), (None, 9), (9, 20), (None, 20)]
    one = frame(*(row for i, end in enumerate(ends) for row in message(i, *end)))
    each = frame(
        *(row for i, end in enumerate(ends) for row in message(i, *end, customer_id=f"C{i}"))
    )
    for (s, lo), (_, lo_each) in zip(
        curve(one, "engaged", "lo"), curve(each, "engaged", "lo"), strict=True
    ):
        assert s is not None
        log = math.log(1 - s)
        plain, clustered = (math.log(math.log(1 - end) / log) for end in (lo, lo_each))
        assert clustered / plain == pytest.approx(math.sqrt(8 / 7))


# Laws


@LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES, window=st.sampled_from([0, 2, 7]))
def test_by_the_end_of_the_window_the_share_is_the_engagement_rate(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], window: int
) -> None:
    rules |= {"window": window, "implied": "lower"}
    whole = rates(world, by=by, **rules).filter(rate="engagement rate")
    found = time_to_engage(world, by=by, **rules)
    for row in whole.iter_rows(named=True):
        own = found.filter(*(pl.col(name).eq_missing(pl.lit(row[name])) for name in by))
        assert own["n"].unique().to_list() == [row["n"]]
        assert own["n_implied"][0] == row["base_implied"]
        inside = own.filter(pl.col("day") <= window)
        assert inside["engaged"][-1] == pytest.approx(row["value"])
        assert inside["events"].sum() == (row["k"] or 0)


@LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_every_message_is_engaged_with_or_censored_or_followed_for_ever(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    found = time_to_engage(world, by=by, **rules)
    days = [*by, "day"]
    assert found.select(pl.struct(days).is_duplicated().any()).item() is False
    held = {
        "in 0..1": pl.col("engaged").is_between(0, 1),
        "inside": pl.col("engaged").is_between(pl.col("lo") - 1e-12, pl.col("hi") + 1e-12),
        "an interval": pl.col("hi").is_null() == ~pl.col("engaged").is_between(1e-9, 1 - 1e-9),
        "at risk": pl.col("events") + pl.col("censored") <= pl.col("at_risk"),
    }
    for law, condition in held.items():
        assert found.select(condition.all()).item(), law
    sums = found.group_by(*by, "n", "n_engaged").agg(
        pl.col("events", "censored").sum(), still=(pl.col("at_risk") - pl.col("events")).last()
    )
    assert sums.select((pl.col("events") == pl.col("n_engaged")).all()).item()
    assert sums.select((pl.col("events") + pl.col("censored") <= pl.col("n")).all()).item()
    if rules["window"] is not None:
        assert sums.select((pl.col("events") + pl.col("censored") == pl.col("n")).all()).item()
    rising = pl.col("engaged").diff()
    rises = found.select(rising.over(by) if by else rising).to_series().fill_null(0)
    assert (rises >= -1e-12).all()


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any], chance: Any
) -> None:
    plain = time_to_engage(world, by=by, **rules)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(time_to_engage(shuffled, by=by, **rules), plain)
    twice = time_to_engage(pl.concat([world, world]), by=by, **rules)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))


@SHORT_LAW
@given(world=WORLD, more=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_immature_messages_change_no_number(
    world: pl.DataFrame, more: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    rules |= {"window": 7, "as_of": None, "catalogue": Catalogue(reports_sent=True)}
    immature = more.with_columns(
        campaign_id=pl.col("campaign_id").fill_null(0) + 100,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    keys = [*by, "day"]
    alone = time_to_engage(world, by=by, **rules)
    both = time_to_engage(pl.concat([world, immature]), by=by, **rules)
    old = both.join(alone.select(keys), on=keys, how="semi", nulls_equal=True)
    some = pl.col("channels").list.len() > 0
    beside = ["n_immature", "n_unobserved", "notes", "channels"]
    assert_frame_equal(old.filter(some).drop(beside), alone.filter(some).drop(beside))


@SHORT_LAW
@given(world=WORLD, by=worlds.BY, rules=worlds.RULES)
def test_lazy_gives_what_eager_gives_and_both_are_the_documented_table(
    world: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    eager = time_to_engage(world, by=by, **rules)
    lazy = time_to_engage(world.lazy(), by=by, **rules)
    assert isinstance(lazy, pl.LazyFrame)
    assert_frame_equal(lazy.collect(), eager)
    group = {name: world.schema[name] for name in by}
    assert list(eager.schema.items()) == [*group.items(), *TIME_TO_ENGAGE.schema.items()]
    assert lazy.collect_schema() == eager.schema
    never = [column.name for column in TIME_TO_ENGAGE.columns if not column.nulls]
    assert eager.select(never).null_count().sum_horizontal().to_list() == [0]
    assert not eager.select(pl.any_horizontal(pl.col("engaged", "lo", "hi").is_nan().any())).item()


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["channel_id"], ["channel_id", "customer_id"]):
        found = time_to_engage(rows, by=by)
        assert list(found.schema)[len(by) :] == TIME_TO_ENGAGE.names
    assert time_to_engage(INTERACTIONS.empty()).height == 0
    assert curve(INTERACTIONS.empty(), "day", "n", "engaged", by=()) == [(0, 0, None)]


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        time_to_engage(frame(on(3, "sent")).drop("date"))
    wrong: Any = "both"
    with pytest.raises(InputError, match="opens='both' is not known"):
        time_to_engage(frame(), opens=wrong)
    with pytest.raises(InputError, match="name of a column of the result"):
        time_to_engage(frame(), by="day")
