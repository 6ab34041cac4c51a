from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.reading import alt_text, plain, records, told
from charts.svg import panels, written
from charts.tables import audience_funnel, wilson
from charts.time_tables import day_rows, day_table

from optimove_analysis import charts
from optimove_analysis.charts.anomaly_labels import placed
from optimove_analysis.charts.theme import CHANNEL_COLOURS, SMALL_COLOUR
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import ANOMALIES

# Two days, a gap, an anomaly, a small day below all others, and a day with 9 immature messages.
DAYS: list[tuple[int, int | None]] = [(100, 96), (100, 98), (0, 0), (80, 60), (3, 0), (0, 0)]
NUMBERS = ["rate", "lo", "hi", "k", "n", "expected", "drop", "p", "n_immature"]


def table() -> pl.DataFrame:
    return day_table(day_rows(DAYS, odd={3: 0.96}, immature={5: 9}, channel_id=504))


def days(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "day" in record]


def one(chart: alt.TopLevelMixin, day: str) -> dict[str, Any]:
    (found,) = [record for record in days(chart) if record["day"] == day]
    return found


def labels(chart: alt.TopLevelMixin) -> list[str]:
    return [plain(record["label"]) for record in records(chart) if "label" in record]


def test_the_picture_holds_the_tables_own_numbers() -> None:
    drawn = days(charts.anomalies(table()))
    with_messages = table().filter((pl.col("n") > 0) | (pl.col("n_immature") > 0))
    assert [tuple(r[n] for n in NUMBERS) for r in drawn] == with_messages.select(NUMBERS).rows()


def test_a_day_without_messages_is_a_gap_and_ends_the_line() -> None:
    chart = charts.anomalies(table())
    assert "2026-03-03" not in {record["day"] for record in days(chart)}
    runs = [one(chart, f"2026-03-0{day}")["run"] for day in (1, 2, 4)]
    assert runs[0] == runs[1] != runs[2]


def test_an_anomaly_is_ringed_and_named_with_day_and_drop_in_words() -> None:
    chart = charts.anomalies(table())
    assert [record["day"] for record in days(chart) if record["odd"]] == ["2026-03-04"]
    # 96 - 60/80 = 21 points
    assert labels(chart) == ["4 Mar 2026: 21.0 points below the expected 96.0 %"]


def test_the_expected_rate_is_drawn_where_the_day_was_tested() -> None:
    chart = charts.anomalies(table())
    assert one(chart, "2026-03-04")["dash"] == 0.96
    assert one(chart, "2026-03-05")["dash"] is None


def test_small_days_are_grey_and_set_no_scale() -> None:
    small = one(charts.anomalies(table()), "2026-03-05")
    assert small["colour"] == SMALL_COLOUR
    assert small["rate"] == 0
    assert small["beyond"] == "below the axis"
    low, _ = wilson(60, 80)
    assert small["drawn"] == pytest.approx(int(low * 10) / 10)


def test_immature_messages_are_faint_in_the_lane_below() -> None:
    last = one(charts.anomalies(table()), "2026-03-06")
    assert (last["n"], last["total"]) == (0, 9)
    assert "Faint bars: immature." in told(charts.anomalies(table()))


def test_the_title_counts_the_anomalies() -> None:
    def title(frame: pl.DataFrame) -> str:
        return str(charts.anomalies(frame).to_dict()["title"]["text"])

    assert title(table()) == "Delivery rate by day, and 1 anomaly"
    assert title(table().head(2)) == "Delivery rate by day, and no anomaly"
    assert charts.anomalies(table(), title="Mine").to_dict()["title"]["text"] == "Mine"


def test_the_subtitle_says_size_settings_and_how_many_days_were_tested() -> None:
    seen = told(charts.anomalies(table()))
    assert "283 messages \u00b7 Unit: message \u00b7 window 1 day from the send" in seen
    assert "as of 2026-11-30" in seen
    assert "3 of 5 days with messages tested at alpha 0.001" in seen
    assert "Grey: too few messages to test." in seen


def test_the_alt_text_tells_the_anomalies() -> None:
    text = alt_text(charts.anomalies(table()))
    assert "E-mail, 2026-03-01 to 2026-03-06: 5 days with messages" in text
    assert "4 Mar 2026 75.0 % of 80 messages, 21.0 points below the expected 96.0 %." in text


def test_the_alt_text_of_many_anomalies_is_not_endless() -> None:
    rows = day_rows([(100, 50)] * 200, odd=dict.fromkeys(range(200), 0.95), channel_id=504)
    text = alt_text(charts.anomalies(day_table(rows)))
    assert "and 194 more." in text
    assert len(text) < 700


def test_labels_do_not_overlap_and_what_has_no_room_is_still_ringed() -> None:
    rows = day_rows([(100, 50)] * 40, odd=dict.fromkeys(range(40), 0.95), channel_id=504)
    chart = charts.anomalies(day_table(rows))
    assert sum(record["odd"] for record in days(chart)) == 40
    assert 1 <= len(labels(chart)) < 40


def test_a_label_without_room_is_the_shorter_one_or_none() -> None:
    assert [label.text for label in placed([(50, 50, ["x" * 30, "short"])], 120, 100)] == ["short"]
    assert placed([(50, 50, ["x" * 30])], 120, 100) == []


def test_a_channel_has_its_colour_and_panels_share_their_days(tmp_path: Path) -> None:
    rows = day_rows(DAYS, channel_id=504)
    rows += day_rows([(9000, 8000)], channel="SMS", channel_id=505, start=date(2026, 3, 20))
    chart = charts.anomalies(day_table(rows))
    colours = {record["group"]: record["colour"] for record in days(chart) if not record["faint"]}
    assert colours == {"E-mail": CHANNEL_COLOURS["email"], "SMS": CHANNEL_COLOURS["sms"]}
    places = panels(chart, tmp_path, height=130)
    assert len(places) == 2
    assert len({left for left, _ in places}) == 1
    domains = re.findall(r"'domain': \[(\{'date': 1.*?\}), (\{.*?\})\]", str(chart.to_dict()))
    assert len(set(domains)) == 1
    assert "'date': 21" in domains[0][1]  # the end of 20 March


def test_channels_without_deliveries_are_named_and_not_drawn() -> None:
    rows = day_rows(DAYS, channel_id=504)
    rows += day_rows([(5, None)], channel="In-app", channel_id=511)
    chart = charts.anomalies(day_table(rows))
    assert {record["group"] for record in days(chart)} == {"E-mail"}
    assert "No delivery rate: In-app." in told(chart)


def test_another_way_to_count_delivery_is_told() -> None:
    frame = table().with_columns(label=pl.lit("not bounced"))
    assert "Delivery as counted: not bounced." in told(charts.anomalies(frame))


@pytest.mark.parametrize(
    "empty",
    [
        ANOMALIES.empty(),
        day_table(day_rows([(0, 0)], immature={0: 3})),
        day_table(day_rows([(0, None)])),
    ],
)
def test_without_a_message_it_says_so(empty: pl.DataFrame, tmp_path: Path) -> None:
    chart = charts.anomalies(empty)
    assert "no messages of which a delivery rate is known" in alt_text(chart)
    assert "No messages of which a delivery rate is known" in written(chart, tmp_path)


def test_one_day_of_a_channel_of_no_name_is_drawn(tmp_path: Path) -> None:
    chart = charts.anomalies(day_table(day_rows([(1, 0)], channel=None)))
    assert "All channels" in written(chart, tmp_path)


def test_years_of_days_and_several_channels_are_drawn_but_not_more_than_can_be_read() -> None:
    rows = [row for i in range(2) for row in day_rows([(100, 97)] * 200, channel=f"C{i}", cid=i)]
    assert len(days(charts.anomalies(day_table(rows)))) == 400
    rows = [row for i in range(11) for row in day_rows([(100, 97)] * 365, channel=f"C{i}", cid=i)]
    with pytest.raises(InputError, match=r"4,015 days with messages are too many"):
        charts.anomalies(day_table(rows))
    rows = [row for i in range(25) for row in day_rows([(100, 97)], channel=f"C{i}", cid=i)]
    with pytest.raises(InputError, match=r"25 groups .* at most 24"):
        charts.anomalies(day_table(rows))


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"anomalies\(interactions"):
        charts.anomalies(audience_funnel())


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_days_do_not_move_with_the_readers_time_zone(zone: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(charts.anomalies(table()).to_json(), encoding="utf-8")
    code = (
        "import sys, vl_convert; print(vl_convert.get_local_tz()); "
        "print(vl_convert.vegalite_to_svg(open(sys.argv[1]).read(), vl_version='6.4'))"
    )

    def drawn(tz: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, str(spec)],
            env={**os.environ, "TZ": tz},
            capture_output=True,
            text=True,
            check=True,
        )
        local, _, svg = done.stdout.partition("\n")
        assert local == tz  # the zone did reach the renderer
        return re.findall(r' d="([^"]+)"|>([^<>]+)</text>', svg)

    assert drawn(zone) == drawn("UTC")
