from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.reading import alt_text, plain, records, told
from charts.svg import panels, written
from charts.tables import audience_funnel, wilson
from charts.time_tables import step_rows, step_table

from optimove_analysis import charts
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import ORDERED_FUNNEL_COUNTS

COUNTS = {"E-mail opened": 200, "Push sent": 50, "Any click": 80}
MEDIANS = {"E-mail opened": 0.0, "Push sent": 3.5, "Any click": 2.0}
NUMBERS = ["customers", "entered", "overall_rate", "overall_lo", "overall_hi", "previous"]
NUMBERS += ["step_rate", "step_lo", "step_hi", "median_days", "audience"]


def table(**other: Any) -> pl.DataFrame:
    said: dict[str, Any] = {"entered": 200, "medians": MEDIANS, "optional": ["Push sent"]}
    return step_table(step_rows(COUNTS, **(said | other)))


def one(chart: alt.TopLevelMixin, step: str) -> dict[str, Any]:
    (found,) = [record for record in records(chart) if record["step"] == step]
    return found


def groups(chart: alt.TopLevelMixin) -> list[str]:
    return list(dict.fromkeys(record["group"] for record in records(chart)))


def test_the_picture_holds_the_tables_own_numbers() -> None:
    drawn = records(charts.ordered_funnel(table()))
    assert [tuple(r[n] for n in NUMBERS) for r in drawn] == table().select(NUMBERS).rows()


def test_beside_a_bar_stand_count_both_shares_and_the_median_days() -> None:
    click = one(charts.ordered_funnel(table()), "Any click")
    assert click["count_text"] == "80"
    assert plain(click["overall_text"]) == "40.0 %"
    assert plain(click["step_text"]) == "40.0 %"  # of the 200: an optional step is passed over
    assert click["days_text"] == "2"
    assert one(charts.ordered_funnel(table()), "Push sent")["days_text"] == "3.5"


def test_the_interval_lies_on_the_scale_of_counts() -> None:
    click = one(charts.ordered_funnel(table()), "Any click")
    low, high = wilson(80, 200)
    assert click["lo_count"] == pytest.approx(low * 200)
    assert click["hi_count"] == pytest.approx(high * 200)


def test_the_first_step_has_an_interval_only_where_one_may_enter_without_it() -> None:
    first = one(charts.ordered_funnel(table()), "E-mail opened")
    assert first["lo_count"] == first["hi_count"] == 200
    other = one(charts.ordered_funnel(table(mode="any")), "E-mail opened")
    assert other["lo_count"] < 200


def test_an_optional_step_says_so() -> None:
    chart = charts.ordered_funnel(table())
    assert one(chart, "Push sent")["name"] == "Push sent (optional)"
    assert "an optional one is passed over" in told(chart)
    assert "optional" not in told(charts.ordered_funnel(table(optional=[])))


def test_steps_stand_in_their_order_even_where_rows_do_not(tmp_path: Path) -> None:
    shown = written(charts.ordered_funnel(table().reverse()), tmp_path)
    places = [shown.index(name) for name in ("E-mail opened", "Push sent (optional)", "Any click")]
    assert places == sorted(places)


def test_a_rate_over_nobody_is_a_dash_and_no_zero() -> None:
    rows = step_rows({"A": 0, "B": 0}, entered=40)
    second = one(charts.ordered_funnel(step_table(rows)), "B")
    assert second["step_text"] == "\u2013"
    assert second["days_text"] == "\u2013"
    assert plain(second["overall_text"]) == "0.0 %"


def test_the_subtitle_says_size_span_mode_and_day() -> None:
    seen = told(charts.ordered_funnel(table()))
    assert "200 customers entered \u00b7 Unit: customer \u00b7 as of 2026-11-30" in seen
    # Between two lines stands no dot.
    assert "within 14 days from the first step other events may lie between steps" in seen
    assert "from the send" not in seen
    seen = told(charts.ordered_funnel(table(window=None, mode="any")))
    assert "any time from the first step steps in any order" in seen


def test_customers_of_several_groups_are_added_up_nowhere() -> None:
    rows = [r for i in (1, 2) for r in step_rows(COUNTS, entered=200, campaign_id=i)]
    chart = charts.ordered_funnel(step_table(rows))
    assert groups(chart) == ["Campaign 1", "Campaign 2"]
    assert "entered \u00b7" not in told(chart)


def test_groups_that_few_entered_are_grey() -> None:
    rows = step_rows({"A": 20, "B": 5}, entered=20, segment="new")
    rows += step_rows({"A": 90, "B": 15}, entered=90, segment="old")
    chart = charts.ordered_funnel(step_table(rows))
    scale = chart.to_dict()["spec"]["layer"][0]["encoding"]["color"]["scale"]
    inks = dict(zip(scale["domain"], scale["range"], strict=True))
    seen = {record["group"]: inks[record["colour"]] for record in records(chart)}
    assert seen == {"Segment new": SMALL_COLOUR, "Segment old": TOTAL_COLOUR}
    assert "Grey: fewer than 30 entered." in told(chart)


def test_a_group_may_have_the_users_colour() -> None:
    chart = charts.ordered_funnel(table(), colours={"All customers": "#123456"})
    assert "#123456" in str(chart.to_dict())


def test_the_alt_text_reads_as_a_sentence() -> None:
    text = alt_text(charts.ordered_funnel(table()))
    low, high = wilson(80, 200)
    assert "All customers: of 200 customers who entered, 200 got to E-mail opened" in text
    assert (
        f"and 80 got to Any click (40.0 %, 95 % interval {low * 100:.1f} to {high * 100:.1f} %, "
        "median day 2)."
    ) in text


def test_the_alt_text_of_many_groups_is_short() -> None:
    rows = [r for i in range(24) for r in step_rows(COUNTS, entered=200, campaign_id=i)]
    text = alt_text(charts.ordered_funnel(step_table(rows)))
    assert len(text) <= 600
    assert text.endswith("more panels.")


@pytest.mark.parametrize(
    "empty",
    [ORDERED_FUNNEL_COUNTS.empty(), step_table(step_rows({"A": 0}, entered=0, n_immature=4))],
)
def test_without_a_customer_it_says_so(empty: pl.DataFrame, tmp_path: Path) -> None:
    chart = charts.ordered_funnel(empty)
    assert "no customers" in alt_text(chart)
    assert "No customers" in written(chart, tmp_path)


def test_customers_whose_window_is_open_are_told() -> None:
    empty = step_table(step_rows({"A": 0}, entered=0, n_immature=4))
    assert "4 customers whose window" in alt_text(charts.ordered_funnel(empty))
    assert "7 immature" in records(charts.ordered_funnel(table(n_immature=7)))[0]["who"]


def test_very_long_names_with_markup_leave_the_panels_where_they_are(tmp_path: Path) -> None:
    name = "<b>opened & clicked</b> " * 12
    rows = [
        row
        for who in ("A", "<i>" * 40)
        for row in step_rows({name: 40, "B": 7}, entered=40, customer_id=who)
    ]
    chart = charts.ordered_funnel(step_table(rows))
    places = panels(chart, tmp_path, height=60)
    assert len(places) == 2
    assert len({left for left, _ in places}) == 1
    assert places[0][0] < 260


def test_too_many_groups_are_refused_with_what_to_do() -> None:
    rows = [row for i in range(25) for row in step_rows(COUNTS, entered=200, campaign_id=i)]
    with pytest.raises(InputError, match=r"25 groups .* at most 24: filter the table first"):
        charts.ordered_funnel(step_table(rows))


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"ordered_funnel_counts\(interactions"):
        charts.ordered_funnel(audience_funnel())
