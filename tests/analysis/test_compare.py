"""Comparisons by hand, against published figures and statsmodels, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from analysis.events import CALLS, EMAIL, SMS, UNKNOWN, day, frame, on, sends
from statsmodels.stats.proportion import confint_proportions_2indep

from optimove_analysis import compare
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import COMPARISON, INTERACTIONS

LIFT = ["lift", "lift_lo", "lift_hi"]
DIFFERENCE = ["difference", "difference_lo", "difference_hi"]


def arm(template: int, n: int, clicked: int, **ids: Any) -> list[dict[str, Any]]:
    """Return n messages of a template, all delivered, the first of them clicked."""
    ids |= {"template_id": template}
    delivered = [on(3, "delivered", campaign_id=i, **ids) for i in range(n)]
    return sends(n, clicked=clicked, **ids) + delivered


def each_to_another(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"customer_id": f"{row['template_id']}-{row['campaign_id']}"} for row in rows]


def row(interactions: pl.DataFrame, rate: Any = "click rate", **options: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"between": "template_id", "baseline": 3, "against": 7, **options}
    found = compare(interactions, rate=rate, **asked)
    assert found.height == 1
    return found.row(0, named=True)


def numbers(found: dict[str, Any], names: list[str]) -> list[Any]:
    return [found[name] for name in names]


# Published figures, and statsmodels


@pytest.mark.parametrize(
    ("k", "n", "k0", "n0", "lo", "hi"),
    [  # R. G. Newcombe, Statistics in Medicine 17 (1998), table II, method 10; n below 30 is ours
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 45, 3, 45, -0.0087, 0.2745),
    ],
)
def test_within_one_customer_the_difference_is_newcombes(  # noqa: PLR0917 - a row of the table
    k: int, n: int, k0: int, n0: int, lo: float, hi: float
) -> None:
    found = row(frame(*arm(3, n0, k0), *arm(7, n, k)))
    assert numbers(found, ["k", "n", "k0", "n0", "customers", "customers0"]) == [k, n, k0, n0, 1, 1]
    assert (found["method"], found["lift_method"]) == ("newcombe", "log-ratio")
    theirs = confint_proportions_2indep(k, n, k0, n0, compare="diff", method="newcomb")
    assert numbers(found, DIFFERENCE) == pytest.approx([k / n - k0 / n0, *theirs], abs=1e-12)
    if (k, n) == (56, 70):
        assert numbers(found, DIFFERENCE[1:]) == pytest.approx([lo, hi], abs=5e-5)
    ratio = confint_proportions_2indep(k, n, k0, n0, compare="ratio", method="log")
    lift = [k / n / (k0 / n0) - 1, ratio[0] - 1, ratio[1] - 1]
    assert numbers(found, LIFT) == pytest.approx(lift, rel=1e-12)
    assert found["reason"] is None


def test_across_customers_the_intervals_are_those_at_the_effective_n() -> None:
    # In each arm ten customers of 8 messages each; half of them click all, or one in eight.
    rows = []
    for number in range(10):
        rows += arm(3, 8, 8 if number < 2 else 0, customer_id=f"a{number}")
        rows += arm(7, 8, 8 if number < 7 else 1, customer_id=f"b{number}")
    found = row(frame(*rows))
    assert (found["method"], found["lift_method"]) == ("newcombe-cluster", "log-ratio-cluster")
    # Baseline: p = 0.2, clusters' variance (2 * 6.4^2 + 8 * 1.6^2) / 80^2 * 10/9 = 0.8/45; that of
    # 80 apart 0.16/80: an effect of 80/9, so 80 messages are worth 9.
    assert found["n_effective0"] == pytest.approx(9)
    p = 59 / 80
    spread = 7 * (8 - 8 * p) ** 2 + 3 * (1 - 8 * p) ** 2
    worth = 80 / (spread / 80**2 * 10 / 9 / (p * (1 - p) / 80))
    assert found["n_effective"] == pytest.approx(worth)
    arms = (p * worth, worth, 0.2 * 9, 9)
    theirs = confint_proportions_2indep(*arms, compare="diff", method="newcomb")
    assert numbers(found, DIFFERENCE[1:]) == pytest.approx(list(theirs))
    theirs = confint_proportions_2indep(*arms, compare="ratio", method="log")
    assert numbers(found, LIFT[1:]) == pytest.approx([theirs[0] - 1, theirs[1] - 1])
    assert found["customers_in_both"] == 0


# Why there is no number


def test_below_thirty_in_either_arm_nothing_is_said() -> None:
    for few, many in ((29, 90), (90, 29)):
        found = row(frame(*arm(3, few, 9), *arm(7, many, 20)))
        assert (found["reason"], found["small"]) == ("insufficient", True)
        assert numbers(found, [*DIFFERENCE, *LIFT]) == [None] * 6
        assert (found["n0"], found["n"]) == (few, many)
        assert found["value"] == 20 / many
    # It is messages that count, however little they are worth.
    rows = [*arm(3, 30, 30, customer_id="A"), *arm(3, 30, 0, customer_id="B"), *arm(7, 30, 3)]
    found = row(frame(*rows))
    assert found["n_effective0"] < 30
    assert (found["reason"], found["small"]) == (None, False)


@pytest.mark.parametrize(
    ("clicked", "clicked0", "reason", "lift"),
    [(9, 0, "zero baseline", None), (0, 0, "zero baseline", None), (0, 9, "zero count", -1.0)],
)
def test_a_count_of_zero_has_a_difference_and_a_reason(
    clicked: int, clicked0: int, reason: str, lift: float | None
) -> None:
    found = row(frame(*arm(3, 40, clicked0), *arm(7, 40, clicked)))
    theirs = confint_proportions_2indep(clicked, 40, clicked0, 40, method="newcomb")
    assert numbers(found, DIFFERENCE[1:]) == pytest.approx(list(theirs), abs=1e-12)
    assert found["reason"] == reason
    assert numbers(found, LIFT) == [lift, None, None]


def test_two_whole_rates_have_a_lift_of_nothing_and_no_interval_of_it() -> None:
    found = row(frame(*arm(3, 40, 0), *arm(7, 40, 0)), "delivery rate")
    assert numbers(found, LIFT) == [0.0, None, None]
    assert (found["reason"], found["difference"]) == ("both whole", 0.0)


def test_an_arm_that_is_not_there_is_absent() -> None:
    for template, side in ((3, "0"), (7, "")):
        found = row(frame(*arm(10 - template, 40, 9)))
        assert (found["reason"], found[f"n{side}"], found[f"k{side}"]) == ("absent", 0, 0)
        assert found[f"value{side}"] is None
        assert numbers(found, [*DIFFERENCE, *LIFT]) == [None] * 6
    immature = [r | {"data_through": day(4)} for r in arm(7, 40, 9)]
    found = row(frame(*arm(3, 40, 9), *immature))
    assert (found["reason"], found["n"], found["n_immature"]) == ("absent", 0, 40)
    assert (found["n_immature0"], found["n0"]) == (0, 40)


def test_a_channel_without_the_stage_has_no_comparison() -> None:
    rows = frame(*sends(40, channel_id=CALLS, template_id=3), *sends(9, template_id=7))
    found = row(rows)
    assert (found["reason"], found["n0"], found["small"]) == ("no such stage", None, None)
    by = compare(rows, between="template_id", rate="click rate", by="channel_id")
    assert by.select("channel", "reason").rows() == [
        ("Call centre", "no such stage"),
        ("E-mail", "absent"),
    ]


def test_with_nothing_implied_there_is_no_interval_where_k_is_no_part_of_n() -> None:
    rows = frame(*arm(3, 40, 9), *arm(7, 40, 12))
    found = row(rows, implied="none")
    assert numbers(found, DIFFERENCE) == [pytest.approx(3 / 40), None, None]
    assert numbers(found, LIFT) == [pytest.approx(1 / 3), None, None]
    assert (found["reason"], found["implied"]) == ("not a part", "none")
    # 38 clicked and 35 reported delivered: no share at all.
    rows = frame(*arm(3, 40, 9), *sends(40, clicked=38, template_id=7), *arm(7, 35, 0))
    found = row(rows, implied="none")
    assert numbers(found, ["k", "n", "reason", "difference"]) == [38, 35, "k above n", None]


def test_a_comparison_with_control_members_is_refused_with_its_reason() -> None:
    rows = frame(*arm(3, 40, 9), *arm(7, 40, 9, action_id=1))
    with pytest.raises(InputError, match=r"control group.*table of outcomes"):
        compare(rows, between="action_id", baseline=1, against=9)
    with pytest.raises(InputError, match="control group"):
        compare(rows, between=pl.col("action_id"), baseline=9, against=1)
    with pytest.raises(InputError, match="has 1 values among the messages that count: 9"):
        compare(rows, between="action_id")
    assert row(rows)["reason"] == "control group"
    assert any("of the control group left out" in note for note in row(rows)["notes"])


# Opens are soft


def _soft(opened: int) -> pl.DataFrame:
    rows = [*arm(3, 100, 20), *arm(7, 100, 22)]
    rows += [on(4, "opened", campaign_id=50 + i, template_id=7) for i in range(opened)]
    return frame(*rows)


def test_a_conclusion_that_rests_on_opens_is_flagged() -> None:
    found = row(_soft(40), "engagement rate")
    assert (found["k0"], found["k"], found["flips"]) == (20, 62, True)
    assert found["difference_lo"] > 0
    assert "The conclusion flips: with opens ignored, no difference is shown." in found["notes"]
    without = row(_soft(40), "engagement rate", opens="ignore")
    assert without["difference_lo"] < 0 < without["difference_hi"]
    assert (without["k"], without["flips"]) == (22, None)
    steady = row(_soft(3), "engagement rate")
    assert (steady["flips"], steady["k"]) == (False, 25)
    assert not any("flips" in note for note in steady["notes"])
    assert row(_soft(40))["flips"] is None
    assert row(frame(*arm(3, 9, 2)), "engagement rate")["flips"] is None


def test_a_conclusion_may_turn_round() -> None:
    rows = [*arm(3, 100, 5), *arm(7, 100, 30)]
    rows += [on(4, "opened", campaign_id=i, template_id=3) for i in range(90)]
    found = row(frame(*rows), "engagement rate")
    assert (found["flips"], found["difference_hi"] < 0) == (True, True)
    assert (
        "The conclusion flips: with opens ignored, the arm is above the baseline." in found["notes"]
    )


def test_each_group_has_a_conclusion_of_its_own() -> None:
    clear = frame(*arm(3, 100, 5), *arm(7, 100, 40)).with_columns(
        campaign_id=pl.col("campaign_id") + 1000
    )
    mine = pl.when(pl.col("campaign_id") < 1000).then(40).otherwise(3)
    rows = pl.concat([_soft(40), clear]).with_columns(campaign=mine)
    options: Any = {"between": "template_id", "baseline": 3, "against": 7, "by": "campaign"}
    found = compare(rows, rate=["engagement rate", "click rate"], **options)
    assert found.select("campaign", "rate", "flips").rows() == [
        (3, "click rate", None),
        (3, "engagement rate", False),
        (40, "click rate", None),
        (40, "engagement rate", True),
    ]


# What the arms are


def test_two_periods_are_compared_by_an_expression() -> None:
    early = sends(40, clicked=8)
    late = [r | {"date": r["date"] + dt.timedelta(days=30)} for r in sends(50, clicked=25)]
    after = pl.col("send_date") >= day(20)
    found = row(frame(*early, *late), "bounce rate", between=after, baseline=False, against=True)
    assert numbers(found, ["n0", "n", "between"]) == [40, 50, "send_date"]
    assert (found["baseline"], found["against"]) == ("false", "true")
    found = row(frame(*early, *late), between=after, baseline=None, against=None)
    assert numbers(found, ["k0", "k", "baseline"]) == [8, 25, "false"]


def test_without_values_the_smaller_of_two_is_the_baseline() -> None:
    rows = frame(*arm(7, 40, 9), *arm(3, 50, 12), *sends(2, template_id=None))
    found = row(rows, baseline=None, against=None)
    assert numbers(found, ["baseline", "against", "n0", "n"]) == ["3", "7", 50, 40]
    swapped = row(rows, baseline=7, against=3)
    assert swapped["difference"] == -found["difference"]
    with pytest.raises(InputError, match="has 3 values among the messages that count: 3, 5, 7"):
        compare(pl.concat([rows, frame(*sends(1, template_id=5))]), between="template_id")
    with pytest.raises(InputError, match="has 0 values"):
        compare(frame(), between="template_id")
    lazy = compare(frame().lazy(), between="template_id")
    with pytest.raises(InputError, match="has 0 values"):
        lazy.collect()


def test_a_column_of_the_users_tells_arms_apart_whatever_it_is_called() -> None:
    rows = frame(*arm(3, 40, 9), *arm(7, 50, 20))
    mine = rows.with_columns(
        reason=pl.when(pl.col("template_id") == 3).then(pl.lit("x")).otherwise(pl.lit("y"))
    )
    found = row(mine, between="reason", baseline="x", against="y")
    assert numbers(found, ["between", "baseline", "n0", "n"]) == ["reason", "x", 40, 50]
    both = mine.with_columns(side=pl.col("reason").cast(pl.Enum(["y", "x"])))
    assert row(both, between="side", baseline=None, against=None)["baseline"] == "y"


def test_customers_in_both_arms_are_counted_and_said() -> None:
    rows = [*each_to_another(arm(3, 40, 9)), *each_to_another(arm(7, 40, 12))]
    for who in ("X", "Y"):
        rows += [*arm(3, 2, 1, customer_id=who), *arm(7, 2, 1, customer_id=who)]
    found = row(frame(*rows))
    assert (found["customers_in_both"], found["customers0"], found["customers"]) == (2, 42, 42)
    assert found["notes"][-1].startswith("2 customers are in both arms, which are then not indep")
    assert row(frame(*arm(3, 40, 9), *arm(7, 40, 12)))["customers_in_both"] == 1
    assert row(frame(*arm(3, 40, 9), *arm(7, 40, 12)))["notes"] == []


def test_what_the_arms_rest_on_is_said_of_each_apart() -> None:
    rows = [*arm(3, 40, 9), *arm(7, 40, 9), *sends(40, channel_id=SMS, template_id=7)]
    rows += [on(None, "opened", campaign_id=1, template_id=7)]
    notes = row(frame(*rows))["notes"]
    assert "Arm: 1 event without a date, in no stage." in notes
    assert any(
        note.startswith("The arms are over unlike channels, E-mail, SMS and") for note in notes
    )
    assert "Arm: Delivered means not bounced where a channel reports no delivered events." in notes
    delivery = row(frame(*rows), "delivery rate")
    assert delivery["label"] == "delivered or not bounced"
    assert any("not counted alike" in note for note in delivery["notes"])
    ignored = row(frame(*arm(3, 40, 9), *arm(7, 40, 9)), opens="ignore")["notes"]
    assert ignored == ["Opens are ignored: engagement means a click."]
    lone = row(frame(*arm(3, 40, 9), *each_to_another(arm(7, 40, 9))))["notes"]
    assert lone == ["An arm is of one customer: how far customers differ is not seen in it."]


def test_the_day_through_which_the_data_is_complete_is_the_later_arms() -> None:
    early = [r | {"data_through": day(20)} for r in arm(7, 40, 9)]
    for template, other in ((3, 7), (7, 3)):
        rows = frame(*arm(3, 40, 9), *early)
        assert row(rows, baseline=template, against=other)["as_of"] == dt.date(2025, 12, 31)
    assert row(frame(*early))["as_of"] == day(20)
    assert row(frame(), as_of=day(30))["as_of"] == day(30)


def test_an_unknown_channel_is_an_arm_too() -> None:
    rows = frame(*sends(40, clicked=5), *sends(40, clicked=9, channel_id=UNKNOWN))
    found = row(rows, "click rate", between="channel_id", baseline=EMAIL, against=UNKNOWN)
    assert numbers(found, ["k0", "k", "channel"]) == [5, 9, None]
    assert found["channels"] == ["E-mail", "channel 7 (unnamed)"]


def test_two_channels_are_compared_in_the_stages_that_both_have() -> None:
    late = [r | {"data_through": day(4)} for r in sends(40, channel_id=SMS)]
    for rows in (sends(40, channel_id=SMS), late):
        both = frame(*sends(40, clicked=5), *rows)
        options = {"between": "channel_id", "baseline": EMAIL, "against": SMS}
        assert row(both, "open rate", **options)["reason"] == "no such stage"


# What is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rate": "total opens per delivered"}, "a mean of counts and no share"),
        ({"rate": ["click rate", "clik rate"]}, "did you mean 'click rate'"),
        ({"rate": []}, "must be a rate's name"),
        ({"rate": 3}, "must be a rate's name"),
        ({"rate": "open rate", "opens": "ignore"}, "opens='ignore' leaves out"),
        ({"between": 5}, "must be a column's name or a polars expression"),
        ({"between": pl.col("template_id", "channel_id")}, "many columns"),
        ({"against": None}, "give both, or neither"),
        ({"against": 3}, "one arm is no comparison"),
        ({"against": "7"}, "is Int64: '7' is no value"),
        ({"against": True}, "is Int64: True is no value"),
        ({"against": 2**70}, "is no value"),
        ({"between": "send_date"}, "is Date: 3 is no value"),
        ({"between": pl.col("send_date") > "x"}, "cannot be asked of these interactions"),
        ({"between": pl.concat_list("template_id")}, "no plain values"),
        ({"between": pl.duration(days="template_id")}, "no plain values"),
        ({"by": "reason"}, "name of a column of the result"),
        ({"window": -1}, "a number of days"),
    ],
)
def test_what_cannot_be_compared_is_refused(options: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {"between": "template_id", "baseline": 3, "against": 7, **options}
    with pytest.raises(InputError, match=said):
        compare(frame(on(3, "sent")), **asked)
    with pytest.raises(InputError, match=said):
        compare(frame(on(3, "sent")).lazy(), **asked)


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(SchemaError, match="no column 'tempalte_id'; did you mean 'template_id'"):
        compare(frame(), between="tempalte_id", baseline=3, against=7)
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        compare(frame().drop("date"), between="template_id", baseline=3, against=7)


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["channel_id"], ["channel_id", "customer_id"]):
        found = compare(rows, between="template_id", baseline=3, against=2, by=by)
        assert list(found.schema.items())[len(by) :] == list(COMPARISON.schema.items())
        assert found["difference"].null_count() == found.height
    nothing = compare(INTERACTIONS.empty(), between="template_id", baseline=3, against=7)
    assert nothing["reason"].to_list() == ["absent"] * 8


def test_channels_are_called_by_their_names() -> None:
    rows = frame(*sends(40, clicked=9), *sends(40, clicked=3, channel_id=SMS))
    found = compare(rows, between="channel_id", rate="click rate")
    assert found.select("baseline", "against", "k0", "k").row(0) == ("E-mail", "SMS", 9, 3)
