from __future__ import annotations

import datetime as dt
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
import vl_convert
from charts.journeys import START, journey_table, message
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.charts.journey_lanes import pressures, rows
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import JOURNEY

SMS: dict[str, Any] = {"channel": "SMS", "channel_id": 505}


def marks(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "campaign_id" in record]


def steps(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "whole" in record]


def sample(*customers: str) -> pl.DataFrame:
    frame = pl.read_parquet(Path(__file__).parents[2] / "data" / "interactions.parquet")
    return oa.journey(frame.filter(pl.col("customer_id").is_in(customers)))


def test_every_message_of_the_table_is_a_mark_on_its_day_and_in_its_lane() -> None:
    table = sample("001801")
    drawn = sorted((r["lane"], r["day"], r["campaign_id"]) for r in marks(charts.journey(table)))
    keys = table.select(
        pl.col("channel"), pl.col("send_date", "campaign_id").cast(pl.String)
    ).rows()
    assert drawn == sorted(keys)


def test_no_mark_hides_another() -> None:
    table = journey_table([message(day) for day in (0, 0, 0, 1, 1, 2, 400)])
    chart = charts.journey(table, width=400)
    days = [dt.date.fromisoformat(record["day"]) for record in marks(chart)]
    spots = [
        ((day - START).days * 400 / 416, record["y"])  # margins of ceil(0.015 * 400) = 6 days
        for day, record in zip(days, marks(chart), strict=True)
    ]
    for (x, y), (other_x, other_y) in itertools.combinations(spots, 2):
        assert max(abs(x - other_x), abs(y - other_y)) > 9


def test_rows_are_the_lowest_that_are_free() -> None:
    # By hand: 0 takes row 0; 4 touches it, takes 1 and, being two high, 2; 8 touches 4 only.
    assert rows([0, 4, 8, 12], [1, 2, 1, 1], 6) == [0, 1, 0, 1]


def test_the_shape_is_the_furthest_stage_and_is_filled_where_engaged() -> None:
    stages = ["sent", "delivered", "opened", "clicked", None]
    table = journey_table([message(5 * day, stage) for day, stage in enumerate(stages)])
    seen = [(r["kind"], r["filled"]) for r in marks(charts.journey(table))]
    assert seen == [
        ("sent", 0),
        ("delivered", 0),
        ("opened", 1),
        ("clicked", 1),
        ("no known stage", 0),
    ]


def test_a_control_members_rows_are_marked_as_not_sent() -> None:
    table = journey_table([message(0), message(1, "sent", action_id=1)])
    assert [r["kind"] for r in marks(charts.journey(table))][1] == "control group, not sent"


def test_bounces_and_side_events_are_marked_and_in_the_key() -> None:
    table = journey_table(
        [
            message(0, "sent", side_events="bounced"),
            message(9, side_events="unsubscribed, spam complaint"),
            message(20, side_events="event 17 (unknown)"),
        ]
    )
    chart = charts.journey(table)
    beside = {(r["day"], r["what"]) for r in records(chart) if "what" in r and "day" in r}
    assert beside == {
        ("2025-03-03", "bounced"),
        ("2025-03-12", "unsubscribed"),
        ("2025-03-12", "spam complaint"),
        ("2025-03-23", "unknown event"),
    }
    in_key = [r["what"] for r in records(chart) if "what" in r and "x" in r]
    assert in_key == [
        "sent",
        "delivered",
        "bounced",
        "unsubscribed",
        "spam complaint",
        "unknown event",
    ]


def test_the_key_names_nothing_that_is_not_there() -> None:
    chart = charts.journey(journey_table([message(0)]))
    assert [r["what"] for r in records(chart) if "what" in r] == ["delivered"]


def test_pressure_counts_the_messages_of_the_seven_days_before() -> None:
    table = sample("001801")
    days = table.filter(pl.col("action_id") != 1)["send_date"].to_list()
    for day, sent, before, whole in pressures(table).iter_rows():
        ago = [(day - other).days for other in days]
        assert sent == ago.count(0)
        assert before == sum(1 <= n <= 7 for n in ago)
        assert whole == ((day - table["send_date"].min()).days >= 7)


def test_the_pressures_steps_cover_every_day_once() -> None:
    drawn = steps(charts.journey(sample("001801")))
    assert drawn[0]["day"] == "2025-01-01"
    assert all(one["end"] == other["day"] for one, other in itertools.pairwise(drawn))
    assert drawn[-1]["last"] == "2025-12-31"


def test_control_and_stageless_messages_do_not_press() -> None:
    table = journey_table(
        [message(0), message(0, "sent", action_id=1), message(0, None), message(9)]
    )
    assert {step["before"] for step in steps(charts.journey(table))} == {0, 1}


def test_a_message_is_told_what_was_sent_before_and_beside_it() -> None:
    table = journey_table([message(0), message(3), message(7), message(7, **SMS)])
    seen = [(r["before"], r["same_day"]) for r in marks(charts.journey(table))]
    assert seen == [(0, 0), (1, 0), (2, 1), (2, 1)]


def test_one_selection_moves_all_panels() -> None:
    spec = charts.journey(sample("001801", "000773")).to_dict()
    (param,) = spec["params"]
    named = re.findall(r"'name': '(optimove_(?:messages|pressure)[^']*)'", str(spec["vconcat"]))
    assert param["bind"] == "scales"
    assert named == param["views"]
    assert len(set(named)) == 4


def test_lanes_are_linked_since_all_panels_have_their_days_in_one_field() -> None:
    spec = charts.journey(sample("001801")).to_dict()
    assert set(re.findall(r"'field': '(\w+)', 'scale': {[^}]*'utc'", str(spec))) == {"day"}


def test_what_is_compiled_has_one_signal_for_the_days_of_all_panels() -> None:
    spec = charts.journey(sample("001801", "000773")).to_json()
    compiled = vl_convert.vegalite_to_vega(spec, vl_version="6.4")
    raw = [str(scale["domainRaw"]) for scale in compiled["scales"] if "domainRaw" in scale]
    assert raw == ["{'signal': 'optimove_zoom[\"day\"]'}"] * 4


def test_no_scale_has_a_domain_of_days_which_pages_without_eval_could_not_read() -> None:
    spec = charts.journey(sample("001801")).to_dict()
    assert not re.findall(r"'domain': \[(?:\d{12}|{'year')", str(spec))


def test_the_subtitle_says_how_many_and_when() -> None:
    text = told(charts.journey(journey_table([message(0), message(40)])))
    assert text.startswith("2 messages \u00b7 sent 2025-03-03 to 2025-04-12")


def test_the_alt_text_has_counts_channels_and_the_last_click() -> None:
    table = journey_table([message(0, "clicked", days=2), message(4, "sent", **SMS), message(9)])
    text = alt_text(charts.journey(table))
    assert "3 messages from 2025-03-03 to 2025-03-12; by channel: E-mail 2 and SMS 1" in text
    assert "1 sent, 1 delivered and 1 clicked" in text
    assert "The last click was on 2025-03-05 (E-mail)." in text


def test_a_message_without_a_date_is_told_of() -> None:
    text = told(charts.journey(journey_table([message(0), message(None, None)])))
    assert "Not drawn: 1 message without a date." in text


def test_two_channels_of_one_name_and_one_without_are_three_lanes() -> None:
    table = journey_table(
        [message(0), message(1, channel_id=601), message(2, channel=None, channel_id=None)]
    )
    lanes = {r["lane"] for r in marks(charts.journey(table))}
    assert lanes == {"E-mail (id 504)", "E-mail (id 601)", "channel (no id)"}


def test_a_customer_id_with_markup_is_text() -> None:
    table = journey_table([message(0, customer_id="<b>A</b>")])
    chart = charts.journey(table)
    assert chart.to_dict()["title"]["text"] == "Journey of customer <b>A</b>"


def test_rows_in_any_order_give_the_same_picture() -> None:
    table = sample("001801")
    usual = charts.journey(table)
    shuffled = charts.journey(table.sample(fraction=1, shuffle=True, seed=3))
    assert max(r["y"] for r in marks(usual)) == max(r["y"] for r in marks(shuffled))


def test_thousands_of_messages_are_drawn_smaller() -> None:
    few = charts.journey(journey_table([message(day) for day in range(100)]))
    many = charts.journey(journey_table([message(day // 4) for day in range(3000)]))
    assert len(marks(many)) == 3000
    assert marks(many)[0]["area"] < marks(few)[0]["area"] / 2


def test_too_many_customers_are_refused_with_what_to_do() -> None:
    table = journey_table([message(0, customer_id=str(who)) for who in range(7)])
    with pytest.raises(InputError, match=r"7 customers .*charts\.calendar"):
        charts.journey(table)


def test_too_many_messages_are_refused() -> None:
    with pytest.raises(InputError, match="4,001 messages are too many"):
        charts.journey(journey_table([message(day % 900) for day in range(4001)]))


@pytest.mark.parametrize("table", [JOURNEY.empty(), journey_table([message(None, None)])])
def test_nothing_to_draw_says_no_messages(table: pl.DataFrame) -> None:
    assert "no messages" in alt_text(charts.journey(table))


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"journey\(interactions"):
        charts.journey(pl.DataFrame({"a": [1]}))


def test_days_do_not_move_with_the_readers_time_zone(tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(charts.journey(sample("001801")).to_json(), encoding="utf-8")
    code = (
        "import sys, vl_convert; print(vl_convert.get_local_tz()); "
        "print(vl_convert.vegalite_to_svg(open(sys.argv[1]).read(), vl_version='6.4'))"
    )

    def drawn(zone: str) -> tuple[str, list[str], list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", code, str(spec)],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        local, _, svg = done.stdout.partition("\n")
        return local, re.findall(r'transform="([^"]+)"', svg), re.findall(r">([^<>]+)</t", svg)

    local, places, texts = drawn("America/Los_Angeles")
    assert local == "America/Los_Angeles"
    assert "1 Jan" in texts
    assert (places, texts) == drawn("UTC")[1:]


@pytest.mark.parametrize("customers", [("001801",), ("001801", "000773")])
def test_it_renders_with_every_channels_colour(customers: tuple[str, ...], tmp_path: Path) -> None:
    chart = charts.journey(sample(*customers))
    svg = charts.save(chart, tmp_path / "journey.svg").read_text(encoding="utf-8")
    lanes = {record["lane"] for record in marks(chart)}
    for name, colour in charts.channel_colours(lanes).items():
        assert f'stroke="{colour}"' in svg, plain(name)
