from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.rate_tables import messages
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import COMPARISON


def templates(n0: int, k0: int, n: int, k: int, channel: int = 504) -> pl.DataFrame:
    return pl.concat(
        [
            messages(n0, k0, template=3, channel=channel),
            messages(n, k, template=7, channel=channel),
        ]
    )


def compared(frame: pl.DataFrame, **options: Any) -> pl.DataFrame:
    return oa.compare(frame, between="template_id", baseline=3, against=7, **options)


def one(chart: alt.TopLevelMixin, name: str = "Click rate") -> dict[str, Any]:
    (found,) = [record for record in records(chart) if record.get("name") == name]
    return found


def test_the_picture_holds_the_tables_own_numbers() -> None:
    table = compared(templates(80, 48, 70, 56))
    names = ["k0", "n0", "value0", "k", "n", "value", "difference", "lift"]
    drawn = [tuple(record[name] for name in names) for record in records(charts.compare(table))]
    assert drawn == table.select(names).rows()


def test_the_difference_is_in_points_and_the_lift_in_per_cent() -> None:
    # 56/70 - 48/80 = 0.2, Newcombe's interval 0.0514 to 0.3347; 0.8 / 0.6 - 1 = 0.333.
    row = one(charts.compare(compared(templates(80, 48, 70, 56))))
    assert plain(row["line_1"]) == "+20.0 points (+5.1 to +33.5)"
    assert plain(row["line_2"]).startswith("lift +33.3 % (+7.5 to +65.4 %)")
    assert row["sure"]


def test_a_row_runs_from_nothing_to_the_highest_in_it() -> None:
    row = one(charts.compare(compared(templates(80, 48, 70, 56))))
    assert row["hi_at"] == 1.0
    assert row["at"] / row["at0"] == pytest.approx(0.8 / 0.6)
    assert row["lo_at"] > row["at0"]  # the interval does not reach the ring


def test_what_chance_explains_is_not_sure() -> None:
    assert not one(charts.compare(compared(templates(80, 20, 70, 18))))["sure"]


def test_few_messages_are_insufficient_in_words() -> None:
    chart = charts.compare(compared(templates(80, 20, 12, 3)))
    row = one(chart)
    assert plain(row["line_1"]) == "Insufficient: n of an arm below 30"
    assert row["colour"] == "fewer than 30 sent"
    assert "Grey" in told(chart)


def test_a_baseline_of_nothing_has_no_lift_in_words() -> None:
    row = one(charts.compare(compared(templates(80, 0, 70, 7))))
    assert plain(row["line_1"]).startswith("+10.0 points (")
    assert row["line_2"] == "No lift: the baseline is 0"


def test_a_conclusion_that_flips_says_so() -> None:
    opened = messages(200, 0).with_columns(event_id=pl.col("event_id").replace({2: 3}))
    frame = pl.concat([opened, messages(200, 40, channel=505)])
    table = oa.compare(frame, between="channel_id", baseline=504, against=505)
    assert table.filter(pl.col("rate") == "engagement rate")["flips"].to_list() == [True]
    chart = charts.compare(table)
    assert "opens ignored" in one(chart, "Engagement rate")["line_3"]
    assert "Flips" in alt_text(chart)


def test_arms_that_are_channels_have_their_colours_and_name_the_title() -> None:
    frame = pl.concat([messages(200, 20), messages(200, 40, channel=505)])
    chart = charts.compare(oa.compare(frame, between="channel_id", baseline=504, against=505))
    row = one(chart)
    assert (row["colour0"], row["colour"]) == ("E-mail", "SMS")
    assert chart.to_dict()["title"]["text"] == "SMS against E-mail"


def test_a_group_that_lacks_the_rates_is_named_and_not_drawn() -> None:
    frame = pl.concat([templates(80, 48, 70, 56), templates(80, 0, 70, 0, channel=502)])
    chart = charts.compare(compared(frame, by="channel_id", rate="click rate"))
    assert len(records(chart)) == 1
    assert "n/a: Call centre." in told(chart)


def test_where_all_lack_the_rate_it_is_still_drawn() -> None:
    chart = charts.compare(compared(templates(80, 0, 70, 0, channel=502), rate="click rate"))
    assert one(chart)["line_1"].startswith("n/a")


def test_an_empty_table_says_so_and_another_is_refused() -> None:
    assert "no messages" in alt_text(charts.compare(COMPARISON.empty()))
    with pytest.raises(SchemaError, match="compare"):
        charts.compare(oa.rates(messages(40, 4)))
