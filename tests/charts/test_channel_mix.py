from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.svg import panels
from charts.tables import (
    audience_funnel,
    audience_mix,
    funnel_rows,
    funnel_table,
    mix_by_month,
    mix_rows,
    mix_table,
)

from optimove_analysis import charts
from optimove_analysis.charts.theme import CHANNEL_COLOURS
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import CHANNEL_MIX

MONTHS = [date(2026, month, 1) for month in (1, 2, 3, 5)]  # April without messages
SHARES = ["sends", "engagements", "share_of_sends", "share_of_engagements", "index"]


def records(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def one(chart: alt.TopLevelMixin, name: str) -> dict[str, Any]:
    (found,) = [record for record in records(chart) if record["name"] == name]
    return found


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_picture_holds_the_tables_own_numbers() -> None:
    table = audience_mix()
    drawn = records(charts.channel_mix(table))
    names = [*SHARES, "index_lo", "index_hi", "customers"]
    assert [tuple(r[n] for n in names) for r in drawn] == table.select(names).rows()


def test_over_time_the_picture_holds_the_tables_own_numbers() -> None:
    table = mix_table(mix_by_month(MONTHS))
    drawn = records(charts.channel_mix(table))
    seen = {(r["period"], r["name"]): tuple(r[n] for n in SHARES) for r in drawn}
    keys = table.select(pl.col("period").cast(pl.String), "channel").rows()
    assert seen == dict(zip(keys, table.select(SHARES).rows(), strict=True))


def test_the_index_is_written_beside_its_dot_with_its_interval() -> None:
    # 1020 / 1197 engagements over 4210 / 7240 sends is 0.85213 / 0.58149 = 1.4654
    assert one(charts.channel_mix(audience_mix()), "E-mail")["index_text"].startswith("1.47  (")


def test_a_channel_without_engagement_says_so() -> None:
    call = one(charts.channel_mix(audience_mix()), "Call centre")
    assert call["index_text"] == call["engagements_text"] == "n/a"


def test_an_index_of_nothing_points_beyond_the_log_axis() -> None:
    table = mix_table(mix_rows([(504, "E-mail", 300, 40), (505, "SMS", 100, 0)]))
    sms = one(charts.channel_mix(table), "SMS")
    assert sms["index_text"] == "0.00"
    assert sms["beyond"] == "below the axis"
    assert sms["at"] > 0


def test_channels_stand_by_size_and_in_their_colours() -> None:
    spec = charts.channel_mix(audience_mix()).to_dict()
    dots = spec["concat"][0]["hconcat"][0]["layer"][-1]["encoding"]
    assert dots["y"]["sort"] == ["E-mail", "Push", "SMS", "In-app", "Call centre", "Web push"]
    scale = dots["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True))["SMS"] == CHANNEL_COLOURS["sms"]


def test_the_subtitle_says_size_unit_window_day_and_what_engagement_is() -> None:
    told = plain(" ".join(charts.channel_mix(audience_mix()).to_dict()["title"]["subtitle"]))
    assert "7,240 messages; 18 immature left out" in told
    assert "Unit: message \u00b7 window 7 days from the send \u00b7 as of 2026-11-30" in told
    assert "Engaged: clicked or opened, at most once a message." in told


def test_with_opens_ignored_engagement_is_a_click() -> None:
    table = audience_mix().with_columns(opens=pl.lit("ignore"))
    told = plain(" ".join(charts.channel_mix(table).to_dict()["title"]["subtitle"]))
    assert "opens ignored" in told
    assert "Engaged: clicked, at most once" in told


def test_the_alt_text_reads_as_a_sentence() -> None:
    text = plain(charts.channel_mix(audience_mix()).to_dict()["description"])
    assert "E-mail has 58.1 % of sends and 85.2 % of engagements (index 1.47, 95 % interval" in text
    assert "Call centre has 0.79 % of sends and no known share of engagements" in text


def test_over_time_the_alt_text_tells_the_first_and_the_last_period() -> None:
    text = plain(charts.channel_mix(mix_table(mix_by_month(MONTHS))).to_dict()["description"])
    assert "In the period from 2026-01-01: E-mail 64.1 % of sends" in text  # 420 / 655
    assert "In the period from 2026-05-01: E-mail 56.9 % of sends" in text  # 378 / 664


def test_a_month_without_messages_is_a_gap() -> None:
    drawn = records(charts.channel_mix(mix_table(mix_by_month(MONTHS))))
    spans = sorted({(record["period"], record["end"]) for record in drawn})
    assert spans[2:] == [("2026-03-01", "2026-04-01"), ("2026-05-01", "2026-06-01")]


def test_weeks_are_seven_days_wide() -> None:
    weeks = [date(2025, 12, 29) + timedelta(7 * place) for place in (0, 1, 4)]
    drawn = records(charts.channel_mix(mix_table(mix_by_month(weeks))))
    assert ("2026-01-26", "2026-02-02") in {(r["period"], r["end"]) for r in drawn if "period" in r}


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_dates_do_not_move_with_the_readers_time_zone(zone: str, tmp_path: Path) -> None:
    chart = charts.channel_mix(mix_table(mix_by_month(MONTHS)))
    spec = tmp_path / "spec.json"
    spec.write_text(chart.to_json(), encoding="utf-8")
    code = (
        "import sys, vl_convert; print(vl_convert.get_local_tz()); "
        "print(vl_convert.vegalite_to_svg(open(sys.argv[1]).read(), vl_version='6.4'))"
    )

    def drawn(tz: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", code, str(spec)],
            env={**os.environ, "TZ": tz},
            capture_output=True,
            text=True,
            check=True,
        )
        local, _, svg = done.stdout.partition("\n")
        return local, svg

    local, svg = drawn(zone)
    assert local == zone  # the zone did reach the renderer
    labels = re.findall(r">([A-Z][a-z]{2} 20\d\d)</text>", svg)
    assert labels == ["Jan 2026", "Feb 2026", "Mar 2026", "May 2026"]

    def shapes(of: str) -> list[str]:
        return re.findall(r' d="([^"]+)"', of)

    assert shapes(svg) == shapes(drawn("UTC")[1])


def test_further_groups_are_blocks_with_their_names() -> None:
    rows = [
        row
        for segment in ("vip", "regular")
        for row in mix_rows([(504, "E-mail", 300, 40), (505, "SMS", 100, 9)], segment=segment)
    ]
    spec = charts.channel_mix(mix_table(rows)).to_dict()
    assert [block["title"]["text"] for block in spec["concat"]] == [
        "Segment vip",
        "Segment regular",
    ]


def test_two_channels_of_one_name_are_told_apart_by_id() -> None:
    table = mix_table(mix_rows([(504, "E-mail", 300, 40), (601, "E-mail", 100, 9)]))
    drawn = records(charts.channel_mix(table))
    assert [record["name"] for record in drawn] == ["E-mail (id 504)", "E-mail (id 601)"]


def test_a_panel_without_engagements_says_why_it_is_empty() -> None:
    table = mix_table(mix_rows([(504, "E-mail", 10, 0)], period=date(2026, 1, 1)))
    assert "Share of engagements: there were none" in str(charts.channel_mix(table).to_dict())


def index_domain(chart: alt.TopLevelMixin) -> list[float]:
    index = chart.to_dict()["concat"][0]["hconcat"][1]["layer"]
    (domain,) = {
        tuple(x["scale"]["domain"]) for layer in index if "scale" in (x := layer["encoding"]["x"])
    }
    return list(domain)


def test_each_side_of_the_index_axis_goes_as_far_as_its_intervals() -> None:
    # Of 300 and 100 sends 40 and 9 engagements: SMS's index is 0.73, from 0.36 on.
    table = mix_table(mix_rows([(504, "E-mail", 300, 40), (505, "SMS", 100, 9)]))
    low, high = (min(table["index_lo"].drop_nulls()), max(table["index_hi"].drop_nulls()))
    assert 1 / 4 < low < 1 / 2
    assert high < 2
    assert index_domain(charts.channel_mix(table)) == [1 / 4, 2]


def test_the_index_axis_holds_half_and_double_at_least_and_sixteen_times_at_most() -> None:
    par = mix_table(mix_rows([(504, "E-mail", 30_000, 4000), (505, "SMS", 30_000, 4000)]))
    assert index_domain(charts.channel_mix(par)) == [1 / 2, 2]
    far = mix_table(mix_rows([(504, "E-mail", 30_000, 4), (505, "SMS", 300, 4000)]))
    assert index_domain(charts.channel_mix(far)) == [1 / 16, 16]


def test_an_interval_narrower_than_its_dot_shows_its_ends() -> None:
    layers = charts.channel_mix(audience_mix()).to_dict()["concat"][0]["hconcat"][1]["layer"]
    marks = [layer["mark"]["type"] for layer in layers]
    assert marks.count("tick") == 2
    assert marks.index("tick") > marks.index("point")  # over the dot


def names_at_the_end(chart: alt.TopLevelMixin) -> list[str]:
    return [record["label"] for record in records(chart) if "label" in record]


def test_channels_are_named_at_the_last_bar_where_they_have_room() -> None:
    counts: list[tuple[int, str, int, int | None]] = [
        (504, "E-mail", 60, 9),
        (505, "SMS", 25, 2),
        (506, "Push", 15, 1),
    ]
    rows = [row for month in MONTHS for row in mix_rows(counts, period=month)]
    chart = charts.channel_mix(mix_table(rows))
    assert names_at_the_end(chart) == ["E-mail", "SMS", "Push"]
    # The middles of 0 to 60, 60 to 85 and 85 to 100 hundredths.
    assert [r["at"] for r in records(chart) if "label" in r] == pytest.approx([0.3, 0.725, 0.925])
    assert "'legend': None" in str(chart.to_dict())


@pytest.mark.parametrize(
    "last",
    [
        [(504, "E-mail", 60, 9), (505, "SMS", 40, 2)],  # Push is not in it
        [(504, "E-mail", 600, 9), *((place, f"C{place}", 1, 0) for place in range(601, 607))],
    ],
)
def test_else_there_is_a_legend(last: list[tuple[int, str, int, int | None]]) -> None:
    first: list[tuple[int, str, int, int | None]] = [(506, "Push", 15, 1), *last]
    rows = mix_rows(first, period=MONTHS[0]) + mix_rows(last, period=MONTHS[1])
    chart = charts.channel_mix(mix_table(rows))
    assert names_at_the_end(chart) == []
    assert "'legend': None" not in str(chart.to_dict())


def test_blocks_of_a_column_begin_at_one_place(tmp_path: Path) -> None:
    rows = mix_rows([(504, "E-mail", 300, 40), (505, "S", 100, 9)], segment="vip")
    rows += mix_rows([(505, "S", 100, 9), (506, "A very long name " * 9, 9, 1)], segment="rest")
    places = panels(charts.channel_mix(mix_table(rows)), tmp_path, height=60)
    assert len(places) == 4
    assert len({left for left, _ in places}) == 2


def test_blocks_over_time_begin_at_one_place_however_large_their_counts(tmp_path: Path) -> None:
    rows = [
        row
        for segment, n in (("vip", 30), ("rest", 30_000_000))
        for row in mix_rows([(504, "E-mail", n, 3)], period=MONTHS[0], segment=segment)
    ]
    places = panels(charts.channel_mix(mix_table(rows), columns=1), tmp_path, height=120)
    assert len(places) == 4
    assert len({left for left, _ in places}) == 1


def test_small_channels_are_grey() -> None:
    assert one(charts.channel_mix(audience_mix()), "Web push")["colour"] == "fewer than 30 sent"


def test_an_empty_table_says_no_messages() -> None:
    assert "no messages" in charts.channel_mix(CHANNEL_MIX.empty()).to_dict()["description"]


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"channel_mix\(interactions"):
        charts.channel_mix(audience_funnel())


def test_a_column_of_another_type_is_refused_with_what_to_do() -> None:
    table = audience_mix().with_columns(pl.col("sends").cast(pl.Int32))
    with pytest.raises(SchemaError, match=r"'sends'.* must be Int64.* cast it first"):
        charts.channel_mix(table)


def test_all_time_and_periods_in_one_table_are_refused() -> None:
    rows = mix_by_month(MONTHS) + mix_rows([(504, "E-mail", 10, 2)])
    with pytest.raises(SchemaError, match="have no period"):
        charts.channel_mix(mix_table(rows))


def test_too_many_periods_are_refused_with_what_to_do() -> None:
    days = [date(2024, 1, 1) + timedelta(place) for place in range(801)]
    counts: list[tuple[int, str, int, int | None]] = [
        (place, f"Channel {place}", 10, 1) for place in range(5)
    ]
    rows = [row for day in days for row in mix_rows(counts, period=day)]
    with pytest.raises(InputError, match=r"4,005 rows .*every='1mo'"):
        charts.channel_mix(mix_table(rows))


def test_too_many_groups_are_refused() -> None:
    rows = [r for i in range(13) for r in mix_rows([(504, "E-mail", 40, 4)], customer_id=str(i))]
    with pytest.raises(InputError, match="filter the table first"):
        charts.channel_mix(mix_table(rows))


@pytest.mark.parametrize("table", [audience_mix(), mix_table(mix_by_month(MONTHS))])
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_renders(table: pl.DataFrame, kind: str, tmp_path: Path) -> None:
    content = charts.save(charts.channel_mix(table), tmp_path / f"mix.{kind}").read_bytes()
    assert content.startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])


def test_a_funnel_and_a_mix_give_a_channel_one_colour() -> None:
    mix = charts.channel_mix(audience_mix()).to_dict()
    funnel = charts.funnel(
        funnel_table(funnel_rows((40, 30, None, 2), channel="SMS", channel_id=5))
    )
    assert CHANNEL_COLOURS["sms"] in str(mix)
    assert CHANNEL_COLOURS["sms"] in str(funnel.to_dict())
