from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.tables import audience_funnel, funnel_rows, funnel_table, mix_rows, mix_table, wilson

from optimove_analysis import charts
from optimove_analysis.charts.theme import CHANNEL_COLOURS, SMALL_COLOUR
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import FUNNEL


def records(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """All data that the chart carries."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def one(chart: alt.TopLevelMixin, group: str, stage: str) -> dict[str, Any]:
    (found,) = [r for r in records(chart) if r["group"] == group and r["stage"] == stage]
    return found


def texts(chart: alt.TopLevelMixin, folder: Path) -> list[str]:
    """All text of the rendered picture."""
    svg = charts.save(chart, folder / "chart.svg").read_text(encoding="utf-8")
    return re.findall(r">([^<>]+)</text>", svg)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_picture_holds_the_tables_own_numbers() -> None:
    table = audience_funnel()
    drawn = records(charts.funnel(table))
    names = ["messages", "n_observed", "n_implied", "n_late", "sent", "overall_rate", "step_rate"]
    names += ["overall_lo", "overall_hi", "step_lo", "step_hi", "previous", "customers"]
    assert [tuple(r[n] for n in names) for r in drawn] == table.select(names).rows()


def test_a_bars_label_says_count_and_both_rates() -> None:
    opened = one(charts.funnel(audience_funnel()), "E-mail", "Opened")
    assert opened["count_text"] == "1,020"
    assert plain(opened["overall_text"]) == "24.2 %"  # 1020 / 4210
    assert plain(opened["step_text"]) == "24.9 %"  # 1020 / 4102


def test_the_interval_lies_on_the_scale_of_counts() -> None:
    clicked = one(charts.funnel(audience_funnel()), "E-mail", "Clicked")
    low, high = wilson(131, 4210)
    assert clicked["lo_count"] == pytest.approx(low * 4210)
    assert clicked["hi_count"] == pytest.approx(high * 4210)


def test_the_first_stage_has_no_interval_since_its_share_is_one_by_definition() -> None:
    sent = one(charts.funnel(audience_funnel()), "E-mail", "Sent")
    assert sent["lo_count"] == sent["hi_count"] == 4210


def test_a_stage_that_the_channel_lacks_says_so() -> None:
    lacking = one(charts.funnel(audience_funnel()), "SMS", "Opened")
    assert (lacking["count_text"], lacking["overall_text"], lacking["step_text"]) == ("n/a", "", "")


def test_a_rate_over_nothing_is_a_dash_and_no_zero() -> None:
    table = funnel_table(
        [
            *funnel_rows((0, 0, 0, 0), channel="E-mail", channel_id=504),
            *funnel_rows((40, 30, None, 0), channel="SMS", channel_id=505),
        ]
    )
    chart = charts.funnel(table)
    assert one(chart, "E-mail", "Clicked")["overall_text"] == "\u2013"
    assert plain(one(chart, "SMS", "Clicked")["overall_text"]) == "0.0 %"


def test_channels_have_their_fixed_colours_and_small_groups_are_grey() -> None:
    spec = charts.funnel(audience_funnel()).to_dict()
    scale = spec["spec"]["layer"][0]["encoding"]["color"]["scale"]
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colours["E-mail"] == CHANNEL_COLOURS["email"]
    assert colours["In-app"] == CHANNEL_COLOURS["in_app"]
    small = one(charts.funnel(audience_funnel()), "Web push", "Sent")["colour"]
    assert colours[small] == SMALL_COLOUR


def test_panels_come_in_the_tables_order() -> None:
    spec = charts.funnel(audience_funnel()).to_dict()
    assert spec["facet"]["sort"] == [
        "Call centre",
        "E-mail",
        "SMS",
        "Push",
        "Web push",
        "In-app",
    ]


def test_the_subtitle_says_unit_window_and_day() -> None:
    title = charts.funnel(audience_funnel()).to_dict()["title"]
    told = plain(" ".join(title["subtitle"]))
    assert "Unit: message" in told
    assert "window 7 days from the send" in told
    assert "as of 2026-11-30" in told
    assert "fewer than 30 sent" in told


def test_groups_that_end_on_different_days_say_the_range() -> None:
    table = audience_funnel().with_columns(
        as_of=pl.when(channel_id=505).then(pl.date(2026, 11, 28)).otherwise("as_of")
    )
    told = " ".join(charts.funnel(table).to_dict()["title"]["subtitle"])
    assert "as of 2026-11-28 to 2026-11-30" in plain(told)


def test_the_alt_text_reads_as_a_sentence() -> None:
    two = audience_funnel().filter(pl.col("channel").is_in(["E-mail", "Call centre"]))
    text = plain(charts.funnel(two).to_dict()["description"])
    assert (
        "E-mail: of 4,210 messages sent to 198 customers, "
        "4,102 were delivered (97.4 %, 95 % interval 96.9 to 97.9 %), "
        "1,020 were opened (24.2 %, 95 % interval 23.0 to 25.5 %) and "
        "131 were clicked (3.1 %, 95 % interval 2.6 to 3.7 %)."
    ) in text
    assert "Call centre: of 57 messages sent to 51 customers, no further stage is known." in text


def test_the_alt_text_of_many_panels_is_short() -> None:
    text = plain(charts.funnel(audience_funnel()).to_dict()["description"])
    assert "E-mail: 4,210 messages, 97.4 % delivered, 24.2 % opened, 3.1 % clicked." in text
    assert "Web push: 22 messages (few), 86.4 % delivered, 9.1 % clicked." in text
    assert "Call centre: 57 messages." in text
    rows = [
        row
        for place in range(24)
        for row in funnel_rows((50, 40, 20, 4), channel="E-mail", campaign_id=place)
    ]
    many = plain(charts.funnel(funnel_table(rows)).to_dict()["description"])
    assert len(many) <= 600
    assert re.search(r"And \d+ more panels\.$", many)


def test_other_units_than_messages_are_called_what_they_are() -> None:
    customers = audience_funnel().filter(channel="E-mail").with_columns(unit=pl.lit("customer_day"))
    drawn = charts.funnel(customers).to_dict()
    assert "of 4,210 customer-days with a message sent, 4,102 were delivered" in plain(
        drawn["description"]
    )
    heads = [layer["mark"].get("text") for layer in drawn["spec"]["layer"]]
    assert "customer-days" in heads
    assert "messages" not in heads


def test_further_group_columns_are_in_the_panels_names() -> None:
    table = funnel_table(
        [
            *funnel_rows((50, 40, 20, 4), channel="E-mail", channel_id=504, campaign_id=221),
            *funnel_rows((60, 50, 30, 5), channel="E-mail", channel_id=504, campaign_id=None),
        ]
    )
    assert charts.funnel(table).to_dict()["facet"]["sort"] == [
        "E-mail \u00b7 Campaign 221",
        "E-mail \u00b7 Campaign (none)",
    ]


def test_two_channels_of_one_name_stay_two_panels() -> None:
    table = funnel_table(
        [
            *funnel_rows((50, 40, 20, 4), channel="E-mail", channel_id=504),
            *funnel_rows((60, 50, 30, 5), channel="E-mail", channel_id=601),
        ]
    )
    assert charts.funnel(table).to_dict()["facet"]["sort"] == ["E-mail (504)", "E-mail (601)"]


def test_a_total_over_channels_is_called_so() -> None:
    table = funnel_table(funnel_rows((50, 40, None, 4), channel=None))
    assert charts.funnel(table).to_dict()["facet"]["sort"] == ["All channels"]


def test_an_empty_table_says_no_messages(tmp_path: Path) -> None:
    chart = charts.funnel(FUNNEL.empty())
    assert "no messages" in chart.to_dict()["description"]
    assert "No messages" in texts(chart, tmp_path)


def test_messages_that_are_all_immature_are_told() -> None:
    table = funnel_table(funnel_rows((0, 0, 0, 0), channel="E-mail", channel_id=504, immature=12))
    assert "12 messages whose window" in plain(charts.funnel(table).to_dict()["description"])


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    mix = mix_table(mix_rows([(504, "E-mail", 10, 2)]))
    with pytest.raises(SchemaError, match=r"funnel\(interactions.*needs the column 'stage'"):
        charts.funnel(mix)


def test_a_lazy_frame_is_asked_to_be_collected() -> None:
    with pytest.raises(SchemaError, match=r"collect\(\)"):
        charts.funnel(audience_funnel().lazy())  # type: ignore[arg-type] # that is the point


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(SchemaError, match="this is a dict"):
        charts.funnel({})  # type: ignore[arg-type] # that is the point


def test_a_table_without_its_group_columns_is_refused_rather_than_overdrawn() -> None:
    table = funnel_table(
        [
            *funnel_rows((50, 40, 20, 4), channel="E-mail", campaign_id=221),
            *funnel_rows((60, 50, 30, 5), channel="E-mail", campaign_id=222),
        ]
    ).drop("campaign_id")
    with pytest.raises(SchemaError, match="Keep the group columns in front"):
        charts.funnel(table)


def test_too_many_groups_are_refused_with_what_to_do() -> None:
    rows = [
        r
        for i in range(25)
        for r in funnel_rows((50, 40, 20, 4), channel="E-mail", customer_id=f"{i:03}")
    ]
    with pytest.raises(InputError, match=r"25 groups .* at most 24: filter the table first"):
        charts.funnel(funnel_table(rows))
    charts.funnel(funnel_table(rows[:96]))  # 24 are drawn


def test_the_users_own_title_and_colours_are_taken() -> None:
    chart = charts.funnel(audience_funnel(), title="Spring", colours={"E-mail": "#123456"})
    assert chart.to_dict()["title"]["text"] == "Spring"
    assert "#123456" in str(chart.to_dict())


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_it_renders(kind: str, tmp_path: Path) -> None:
    content = charts.save(charts.funnel(audience_funnel()), tmp_path / f"f.{kind}").read_bytes()
    assert content.startswith({"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}[kind])


def test_the_rendered_picture_shows_the_numbers(tmp_path: Path) -> None:
    shown = texts(charts.funnel(audience_funnel()), tmp_path)
    for text in ("4,210", "1,020", "131", "n/a", "E-mail", "Delivered"):
        assert text in shown
    assert shown.count("of stage before") == 6


def test_it_is_an_altair_chart_that_can_be_customised() -> None:
    chart = charts.funnel(audience_funnel())
    assert isinstance(chart, alt.FacetChart)
    assert chart.properties(title="Mine").to_dict()["title"] == "Mine"


def test_a_customers_total_needs_no_word_for_all_channels() -> None:
    table = funnel_table(
        [
            *funnel_rows((50, 40, None, 4), channel=None, customer_id="A1"),
            *funnel_rows((60, 50, None, 5), channel=None, customer_id="B2"),
        ]
    )
    assert charts.funnel(table).to_dict()["facet"]["sort"] == ["Customer A1", "Customer B2"]


def test_groups_that_are_alike_are_each_counted_where_all_is_immature() -> None:
    rows = [
        row
        for place in (1, 2)
        for row in funnel_rows((0, 0, 0, 0), channel="E-mail", campaign_id=place, immature=12)
    ]
    assert "24 messages whose window" in plain(
        str(charts.funnel(funnel_table(rows)).to_dict()["description"])
    )


def test_bars_are_as_long_as_their_counts_and_the_implied_part_follows_the_observed(
    tmp_path: Path,
) -> None:
    path = charts.save(charts.funnel(audience_funnel(), width=421), tmp_path / "f.svg")
    drawn = re.findall(
        r'd="M([\d.]+),[\d.]+h([\d.]+)v[^"]*" fill="([^"]+)"', path.read_text(encoding="utf-8")
    )
    bars = [(float(a), float(b)) for a, b, fill in drawn if fill == CHANNEL_COLOURS["email"]]
    # 421 pixels are 4,210 messages: of 4,102 delivered 3,890 were observed, 212 more implied.
    observed, implied = bars[1], bars[5]
    assert observed == pytest.approx((0, 389.0))
    assert implied == pytest.approx((389.0, 21.2))
