from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.rate_tables import messages
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import EXPLAIN_CHANGE

LATER = date(2025, 4, 3)
PERIODS: dict[str, Any] = {
    "before": (date(2025, 3, 1), date(2025, 3, 31)),
    "after": (date(2025, 4, 1), date(2025, 4, 30)),
}


def world() -> pl.DataFrame:
    """By mail 10 then 20 % of 100 then 300, by SMS 40 then 30 % of 100 each."""
    return pl.concat(
        [
            messages(100, 10),
            messages(100, 40, channel=505),
            messages(300, 60, day=LATER, campaign=9),
            messages(100, 30, channel=505, day=LATER, campaign=9),
        ]
    )


def explained(frame: pl.DataFrame, **options: Any) -> pl.DataFrame:
    return oa.explain_change(frame, **PERIODS, rate="click rate", **options)


def steps(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "kind" in record]


def test_it_goes_from_before_to_after_and_leaves_nothing_over() -> None:
    drawn = steps(charts.explain_change(explained(world())))
    assert drawn[0]["to"] == 50 / 200
    assert drawn[-1]["from"] == 90 / 400
    for one, following in pairwise(drawn):
        assert following["from"] == pytest.approx(one["to"], abs=1e-12)


def test_mix_and_rates_are_those_of_the_table() -> None:
    # Mail's share goes from 1/2 to 3/4 and its rate from 0.1 to 0.2; SMS' from 1/2 to 1/4 and
    # from 0.4 to 0.3. Mix: 0.25 * 0.15 - 0.25 * 0.35; rates: 0.1 * 0.625 and -0.1 * 0.375.
    drawn = {one["name"]: one for one in steps(charts.explain_change(explained(world())))}
    assert drawn["Mix of channels"]["mix_effect"] == pytest.approx(-0.05)
    assert drawn["Rate of E-mail"]["rate_effect"] == pytest.approx(0.0625)
    assert drawn["Rate of SMS"]["rate_effect"] == pytest.approx(-0.0375)
    assert plain(drawn["Mix of channels"]["number"]) == "\N{MINUS SIGN}5.0"
    assert list(drawn) == ["Before", "Mix of channels", "Rate of E-mail", "Rate of SMS", "After"]


def test_the_whole_change_is_said() -> None:
    chart = charts.explain_change(explained(world()))
    assert "From 25.0 % to 22.5 %: \N{MINUS SIGN}2.5 points" in told(chart)
    assert "From 25.0 % to 22.5 %" in alt_text(chart)


def test_small_channels_are_grey() -> None:
    few = messages(10, 2, channel=506)
    drawn = {
        one["name"]: one
        for one in steps(charts.explain_change(explained(pl.concat([world(), few]))))
    }
    assert drawn["Rate of Push"]["colour"] == "fewer than 30 sent"
    assert drawn["Rate of SMS"]["colour"] == "SMS"


def test_a_period_without_messages_says_that_there_is_no_answer() -> None:
    chart = charts.explain_change(explained(messages(100, 10)))
    assert "No answer" in alt_text(chart)
    assert "No answer: the rate divides by nothing in the period after." in told(chart)
    assert records(chart) == [{"text": "No answer"}]


def test_groups_are_panels() -> None:
    chart = charts.explain_change(explained(world(), by="action_id"))
    assert len(chart.to_dict()["concat"]) == 1
    assert "Action 9" in str(chart.to_dict())


def test_a_mean_is_in_no_points() -> None:
    opened = [
        messages(40, 0, day=day).with_columns(event_id=pl.col("event_id").replace({2: 3}))
        for day in (date(2025, 3, 3), LATER)
    ]
    again = opened[1].filter(pl.col("event_id") == 3)
    table = oa.explain_change(
        pl.concat([*opened, again]), **PERIODS, rate="total opens per delivered"
    )
    chart = charts.explain_change(table)
    drawn = steps(chart)
    assert (drawn[0]["number"], drawn[-1]["number"]) == ("1.00", "2.00")
    assert "From 1.00 to 2.00: +1.00" in told(chart)
    assert "points" not in alt_text(chart)


def test_an_empty_table_says_so_and_another_is_refused() -> None:
    assert "no messages" in alt_text(charts.explain_change(EXPLAIN_CHANGE.empty()))
    with pytest.raises(SchemaError, match="explain_change"):
        charts.explain_change(oa.rates(messages(40, 4)))
