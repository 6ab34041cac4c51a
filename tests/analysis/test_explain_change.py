"""Kitagawa's decomposition by hand, in fractions, and its intervals by jackknife."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from analysis import mix_laws, worlds
from analysis.events import EMAIL, IN_APP, PUSH, SMS, UNKNOWN, day, frame, on, seeded, sends
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import explain_change, rates
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import EXPLAIN_CHANGE, INTERACTIONS, RATE_NAMES

MARCH = (day(1), day(31))
APRIL = (dt.date(2025, 4, 1), dt.date(2025, 4, 30))
FIRST = (worlds.DAY0, worlds.DAY0 + dt.timedelta(days=9))
SECOND = (worlds.DAY0 + dt.timedelta(days=11), worlds.DAY0 + dt.timedelta(days=24))
EFFECTS = ["change", "mix_effect", "rate_effect"]
ENDS = [f"{effect}_{end}" for effect in EFFECTS for end in ("lo", "hi")]
BY = st.sampled_from([[], ["customer_id"], ["action_id"]])


def later(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, a month on and of other campaigns."""
    by = dt.timedelta(days=31)
    return [
        row | {"date": row["date"] + by, "campaign_id": row["campaign_id"] + 500} for row in rows
    ]


def explained(interactions: pl.DataFrame, **options: Any) -> pl.DataFrame:
    return explain_change(interactions, before=MARCH, after=APRIL, **options)


GREW = frame(
    *sends(80, clicked=8), *sends(20, clicked=4, channel_id=SMS),
    *later(sends(30, clicked=6)), *later(sends(30, clicked=9, channel_id=SMS)),
)  # fmt: skip
"""E-mail 10 % of 80 %, then 20 % of 50 %; SMS 20 % of 20 %, then 30 % of 50 %."""


def test_by_hand() -> None:
    found = explained(GREW, rate="click rate")
    assert found["channel"].to_list() == ["E-mail", "SMS", None]
    assert found["channel_id"].to_list() == [EMAIL, SMS, None]
    wanted = {
        "share_before": [0.8, 0.2, 1.0],
        "share_after": [0.5, 0.5, 1.0],
        "rate_before": [0.1, 0.2, 0.12],
        "rate_after": [0.2, 0.3, 0.25],
        "mix_effect": [-0.3 * 0.15, 0.3 * 0.25, 0.03],
        "rate_effect": [0.1 * 0.65, 0.1 * 0.35, 0.1],
        "change": [0.02, 0.11, 0.13],
    }
    for column, values in wanted.items():
        assert found[column].to_list() == pytest.approx(values), column
    assert found.select("k_before", "n_before", "k_after", "n_after").rows() == [
        (8, 80, 6, 30),
        (4, 20, 9, 30),
        (12, 100, 15, 60),
    ]
    assert found["small"].to_list() == [False, True, False]
    assert found["rate"].to_list() == ["click rate"] * 3
    assert found.select("before_from", "before_to", "after_from", "after_to").row(2) == (
        *MARCH,
        *APRIL,
    )


def test_a_channel_in_one_period_only_counts_to_the_mix_with_the_rate_that_it_has() -> None:
    rows = frame(
        *sends(6, clicked=3), *sends(4, clicked=1, channel_id=SMS),
        *later(sends(5, clicked=1)), *later(sends(5, clicked=2, channel_id=PUSH)),
    )  # fmt: skip
    found = explained(rows)
    assert found["channel"].to_list() == ["E-mail", "SMS", "Push", None]
    assert found["rate_effect"].to_list() == pytest.approx([-0.3 * 0.55, 0, 0, -0.3 * 0.55])
    # E-mail (0.5 - 0.6) * 0.35; SMS leaves with 0.4 * 0.25, push comes with 0.5 * 0.4.
    assert found["mix_effect"].to_list() == pytest.approx([-0.035, -0.1, 0.2, 0.065])
    assert found["rate_before"].to_list() == [0.5, 0.25, None, 0.4]
    assert found["rate_after"].to_list() == pytest.approx([0.2, None, 0.4, 0.3])
    assert found["change"][3] == pytest.approx(-0.1)


def test_where_a_period_has_nothing_to_divide_by_there_is_no_answer_and_it_is_said() -> None:
    rows = frame(*sends(3, clicked=1), *later(sends(1)), *later([on(3, "bounced", campaign_id=0)]))
    found = explained(rows)
    assert found["n_after"].to_list() == [0, 0]
    assert found.select(EFFECTS + ENDS).null_count().sum_horizontal().item() == 2 * 9
    assert found["rate_before"].to_list() == pytest.approx([1 / 3] * 2)
    none = "No answer: the rate divides by nothing in the period after."
    assert all(none in notes for notes in found["notes"])
    assert explained(INTERACTIONS.empty()).equals(EXPLAIN_CHANGE.empty())
    assert explained(frame(on(200, "sent"))).height == 0


def test_channels_without_the_rate_are_left_out_and_it_is_said_of_the_total() -> None:
    rows = frame(*sends(4, clicked=1), *later(sends(4)), *sends(2, clicked=2, channel_id=IN_APP))
    found = explained(rows)
    assert found["channel"].to_list() == ["E-mail", None]
    said = "2 messages of channels whose kind has no deliveries left out."
    not_bounced = "Delivered means not bounced where a channel reports no delivered events."
    assert found["notes"].to_list() == [[not_bounced], [said, not_bounced]]
    only = explained(frame(*sends(2, channel_id=IN_APP), *later(sends(2, channel_id=IN_APP))))
    assert (only.height, only["n_before"].item(), only["change"].item()) == (1, 0, None)


def test_with_nothing_implied_a_rate_beyond_1_is_no_answer() -> None:
    rows = frame(*sends(3, clicked=3), on(3, "delivered", campaign_id=0), *later(sends(2)))
    found = explained(rows, implied="none", rate="click rate")
    assert found["rate_before"].to_list() == [None, None]
    assert found["change"].to_list() == [None, None]
    assert (
        "No answer: more were reported of k than of n, and nothing is implied." in found["notes"][1]
    )


def test_late_immature_and_unobserved_messages_are_counted_beside() -> None:
    rows = frame(
        *sends(2), on(30, "clicked", campaign_id=0), *later(sends(1)),
        on(20, "sent", campaign_id=50, data_through=day(22)), on(20, "clicked", campaign_id=51),
    )  # fmt: skip
    found = explained(rows).filter(pl.col("channel").is_null())
    assert found.select("n_late", "n_immature", "n_unobserved").row(0) == (1, 1, 1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rate": "clickrate"}, "did you mean 'click rate'"),
        ({"rate": "open rate", "opens": "ignore"}, "rate='open rate' is not known"),
        ({"by": "channel_id"}, "name of a column of the result"),
        ({"after": (day(20), day(40))}, "share days"),
        ({"after": None}, "must be two days"),
        ({"window": -1}, "window=-1"),
    ],
)
def test_wrong_options_are_answered(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        explain_change(frame(*sends(1)), **{"before": MARCH, "after": APRIL, **options})
    with pytest.raises(SchemaError, match="event_id"):
        explained(frame(*sends(1)).drop("event_id"))


# Intervals, by the infinitesimal jackknife: the slope of the effect in each unit's weight

Units = list[dict[tuple[int, str], tuple[int, int]]]
"""A unit's k and n by period and channel."""


def effects(units: Units, weights: list[float], of: str | None) -> list[float]:
    k: dict[tuple[int, str], float] = {}
    n: dict[tuple[int, str], float] = {}
    for unit, weight in zip(units, weights, strict=True):
        for key, (own_k, own_n) in unit.items():
            k[key] = k.get(key, 0) + weight * own_k
            n[key] = n.get(key, 0) + weight * own_n
    totals = [sum(value for (period, _), value in n.items() if period == i) for i in (0, 1)]
    mix = rate = 0.0
    for channel in sorted({channel for _, channel in n} if of is None else {of}):
        w = [n.get((i, channel), 0) / totals[i] for i in (0, 1)]
        r = [k[i, channel] / n[i, channel] if (i, channel) in n else None for i in (0, 1)]
        r0, r1 = (r[0] if r[0] is not None else r[1]), (r[1] if r[1] is not None else r[0])
        assert r0 is not None
        assert r1 is not None
        mix += (w[1] - w[0]) * (r0 + r1) / 2
        rate += (r1 - r0) * (w[0] + w[1]) / 2
    return [mix + rate, mix, rate]


def half_widths(units: Units, of: str | None) -> list[float]:
    squares, ones, step = [0.0] * 3, [1.0] * len(units), 1e-5
    for number in range(len(units)):
        more, less = ones.copy(), ones.copy()
        more[number] += step
        less[number] -= step
        pairs = zip(effects(units, more, of), effects(units, less, of), strict=True)
        squares = [
            old + ((a - b) / (2 * step)) ** 2 for old, (a, b) in zip(squares, pairs, strict=True)
        ]
    m = len(units)
    return [1.959964 * math.sqrt(square * m / (m - 1)) for square in squares]


def drawn_units(count: int, channels: Callable[[Any, int], str], seed: int) -> Units:
    chance = seeded(seed)
    units: Units = []
    for _ in range(count):
        unit: dict[tuple[int, str], tuple[int, int]] = {}
        keen = chance.random()
        for period in (0, 1):
            for _ in range(chance.randint(0 if period else 1, 6)):
                key = (period, channels(chance, period))
                k, n = unit.get(key, (0, 0))
                unit[key] = (k + (chance.random() < keen * 0.6), n + 1)
        units.append(unit)
    return units


IDS = {"E-mail": EMAIL, "SMS": SMS, "Push": PUSH}


def rows_of(units: Units, *, one_customer: bool = False) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, unit in enumerate(units):
        for (period, channel), (k, n) in unit.items():
            own = sends(n, clicked=k, channel_id=IDS[channel], customer_id=f"c{number}")
            if one_customer:
                own = [row | {"customer_id": "A", "template_id": number} for row in own]
            rows += later(own) if period else own
    return frame(*rows)


def some_channel(chance: Any, period: int) -> str:
    names = ["E-mail", "E-mail", "SMS", "Push"] if period else ["E-mail", "SMS", "SMS"]
    found: str = chance.choice(names)
    return found


@pytest.mark.parametrize("one_customer", [False, True])
def test_intervals_are_the_jackknifes_over_customers_or_one_customers_messages(
    *, one_customer: bool
) -> None:
    customers = drawn_units(150, some_channel, 5)
    found = explained(rows_of(customers, one_customer=one_customer))
    messages: Units = [
        {key: (int(i < k), 1)}
        for unit in customers
        for key, (k, n) in unit.items()
        for i in range(n)
    ]
    assert found["method"].unique().to_list() == ["linear" if one_customer else "linear-cluster"]
    for row in found.iter_rows(named=True):
        halves = half_widths(messages if one_customer else customers, row["channel"])
        for effect, half in zip(EFFECTS, halves, strict=True):
            if effect == "rate_effect" and row["channel"] == "Push":
                assert row[effect] == 0
                assert row[f"{effect}_lo"] is None
                continue
            assert row[f"{effect}_hi"] - row[effect] == pytest.approx(half, rel=1e-4)
            assert row[effect] - row[f"{effect}_lo"] == pytest.approx(half, rel=1e-4)


def test_there_is_no_interval_of_few_messages_nor_where_a_rate_is_0_or_1() -> None:
    ends = explained(GREW).select("channel", "change_lo", "rate_effect_hi")
    assert [row[1] is None for row in ends.rows()] == [False, True, False]
    sure = explained(frame(*sends(40), *later(sends(40, clicked=4))))
    assert sure.select(ENDS).null_count().sum_horizontal().to_list() == [12]
    few = explained(frame(*sends(29, clicked=3), *later(sends(40, clicked=4))))
    assert few.select(ENDS).null_count().sum_horizontal().to_list() == [12]


# Laws


@mix_laws.LAW
@given(
    frame=worlds.interactions(),
    rules=worlds.RULES,
    by=BY,
    rate=st.sampled_from(RATE_NAMES),
)
def test_it_is_what_fractions_make_of_the_rates_and_closes(
    frame: pl.DataFrame, rules: dict[str, Any], by: list[str], rate: Any
) -> None:
    rules |= {"opens": "trust"}
    in_second = pl.col("send_date").is_between(*SECOND)
    side = pl.when(in_second).then(1).when(pl.col("send_date").is_between(*FIRST)).then(0)
    counted = rates(frame, by=[*by, "channel_id", side.alias("side")], **rules).filter(rate=rate)
    counts: dict[Any, Fraction] = {}
    beyond: set[Any] = set()
    for row in counted.filter(pl.col("side").is_not_null()).iter_rows(named=True):
        group = tuple(row[name] for name in by)
        for part in "kn":
            key = (group, row["channel_id"], row["side"], part)
            counts[key] = Fraction(row[part] or 0)
        most = math.inf if rate == "total opens per delivered" and row["n"] else row["n"]
        if row["n"] is not None and row["k"] > most:
            beyond.add(group)
    found = explain_change(frame, before=FIRST, after=SECOND, rate=rate, by=by, **rules)
    sums: dict[Any, list[Fraction]] = {}
    for row in found.iter_rows(named=True):
        group = tuple(row[name] for name in by)
        total = [
            sum(n for (g, _, i, part), n in counts.items() if (g, i, part) == (group, side, "n"))
            for side in (0, 1)
        ]
        if not all(total) or group in beyond:
            assert [row[name] for name in EFFECTS + ENDS] == [None] * 9
            continue
        if row["channel"] is None:
            mix, by_rate = sums[group]
        else:
            k, n = (
                [counts.get((group, row["channel_id"], i, part), Fraction()) for i in (0, 1)]
                for part in "kn"
            )
            # Pooled over both periods, where one of them lacks it.
            pooled = sum(k, Fraction()) / (sum(n, Fraction()) or Fraction(1))
            r = [k[i] / n[i] if n[i] else pooled for i in (0, 1)]
            w = [n[i] / total[i] for i in (0, 1)]
            mix, by_rate = (w[1] - w[0]) * (r[0] + r[1]) / 2, (r[1] - r[0]) * (w[0] + w[1]) / 2
            old = sums.setdefault(group, [Fraction(), Fraction()])
            sums[group] = [old[0] + mix, old[1] + by_rate]
        assert abs(row["mix_effect"] - mix) < 1e-12
        assert abs(row["rate_effect"] - by_rate) < 1e-12
        assert abs(row["mix_effect"] + row["rate_effect"] - row["change"]) < 1e-12
        if row["channel"] is None:
            assert abs(row["rate_after"] - row["rate_before"] - row["change"]) < 1e-12


@mix_laws.LAW
@given(frame=worlds.interactions(complete=True), rules=worlds.RULES, by=BY)
def test_swapping_the_periods_negates_every_effect(
    frame: pl.DataFrame, rules: dict[str, Any], by: list[str]
) -> None:
    there = explain_change(frame, before=FIRST, after=SECOND, by=by, **rules)
    back = explain_change(frame, before=SECOND, after=FIRST, by=by, **rules)
    assert_frame_equal(back.select(-pl.col(EFFECTS)), there.select(EFFECTS))
    assert_frame_equal(
        back.select(-pl.col("mix_effect_hi"), "rate_before"),
        there.select(mix_effect_hi="mix_effect_lo", rate_before="rate_after"),
    )


@mix_laws.LAW
@given(
    frame=worlds.interactions(),
    more=worlds.interactions(),
    rules=worlds.RULES,
    rate=st.sampled_from(["bounce rate", "engagement rate"]),
    chance=st.randoms(use_true_random=False),
)
def test_the_laws(
    frame: pl.DataFrame, more: pl.DataFrame, rules: dict[str, Any], rate: Any, chance: Any
) -> None:
    def ask(rows: Any) -> Any:
        return explain_change(
            rows, before=FIRST, after=SECOND, rate=rate, by="customer_id", **rules
        )

    who: dict[str, pl.DataType] = {"customer_id": pl.String()}
    mix_laws.order_and_repeats_change_nothing(ask, frame, chance)
    mix_laws.lazy_is_eager_and_both_are_the_table(ask, frame, EXPLAIN_CHANGE, who)
    rules |= {"catalogue": mix_laws.SAYS}
    # As in rates, whether a channel reports deliveries is seen in the whole frame.
    undelivered = frame.filter(pl.col("event_id").ne_missing(2))
    mix_laws.a_customer_alone_is_as_among_all(ask, undelivered)
    rules |= {"window": 7, "as_of": None}
    keys = ["customer_id", "channel_id", "channel"]
    mix_laws.immature_messages_change_no_number(ask, frame, more, keys)


def test_opens_of_no_delivered_message_leave_a_mean_without_an_answer() -> None:
    # The channel reports deliveries, but not that of the message that was opened in April: with
    # nothing implied the open is in the k of all, and in no channel's rate.
    told = [on(3, "sent"), on(3, "delivered"), on(4, "opened")]
    unknown = [row | {"channel_id": UNKNOWN} for row in told]
    rows = [*told, *later(told), *unknown, *later([unknown[0], unknown[2]])]
    rate: Any = "total opens per delivered"
    found = explained(frame(*rows), rate=rate, implied="none")
    assert found["k_after"].to_list() == [1, 1, 2]
    assert found["n_after"].to_list() == [0, 1, 1]
    assert found["change"].to_list() == [None] * 3
    assert "nothing is implied" in found["notes"][2].to_list()[-1]
    assert explained(frame(*rows), rate=rate)["change"].to_list() == [0, 0, 0]
