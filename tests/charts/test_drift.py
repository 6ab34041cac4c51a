"""Drift's picture: the table's own divergences beside their chance, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from analysis.events import EMAIL, SMS, frame, on
from charts.reading import alt_text, plain, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import DRIFT, TRANSITIONS

SAMPLE = Path(__file__).parents[2] / "data/interactions.parquet"
HALVES: dict[str, Any] = {
    "before": ("2025-01-01", "2025-06-30"),
    "after": ("2025-07-01", "2025-12-31"),
}


def dots(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return [record for record in records(chart) if "divergence" in record]


def mixes(*pairs: tuple[int, int], **ids: Any) -> list[dict[str, Any]]:
    """Each pair is a day in March 2025 and the channel of 40 customers' messages."""
    return [
        on(day, "sent", channel_id=channel, customer_id=f"c{n}", **ids)
        for day, channel in pairs
        for n in range(40)
    ]


@pytest.mark.parametrize("options", [{"every": "1mo"}, HALVES])
def test_the_picture_holds_the_tables_own_numbers(options: dict[str, Any]) -> None:
    table = oa.drift(pl.read_parquet(SAMPLE), **options)
    names = ("share", "divergence", "by_chance", "by_chance_95", "n_before", "n_after", "customers")
    drawn = [tuple(one[name] for name in names) for one in dots(charts.drift(table))]
    assert sorted(drawn, key=str) == sorted(table.select(names).rows(), key=str)


def test_full_dots_are_those_beyond_chance() -> None:
    table = oa.drift(pl.read_parquet(SAMPLE), every="1mo")
    beyond = table.filter(pl.col("divergence") > pl.col("by_chance_95"))
    full = {(one["from"], one["share"]) for one in dots(charts.drift(table)) if one["is_beyond"]}
    assert full == set(beyond.select(pl.col("after_from").cast(pl.String), "share").rows())
    assert 0 < beyond.height < table.height - 2


def test_a_move_to_another_channel_is_1_and_none_is_0() -> None:
    weeks = frame(*mixes((3, EMAIL), (10, EMAIL), (17, SMS)))
    chart = charts.drift(oa.drift(weeks, every="1w"))
    sends = [one for one in dots(chart) if one["share"] == "sends"]
    seen = [(one["from"], one["divergence"], one["nothing"] != "") for one in sends]
    assert seen == [
        ("2025-03-03", None, True),
        ("2025-03-10", 0.0, False),
        ("2025-03-17", 1.0, False),
    ]
    assert "\u2013: no answer." in told(chart)
    text = alt_text(chart)
    assert "Sends of 2025-03-17 to 2025-03-23 1, more than the" in text
    assert "Sends of 2025-03-10 to 2025-03-16 0, within the 0" in text


def test_a_period_without_an_answer_keeps_its_place_on_the_axis() -> None:
    chart = charts.drift(oa.drift(frame(*mixes((3, EMAIL), (10, SMS))), every="1w"))
    panel = chart.to_dict()["concat"][0]["vconcat"][0]
    scale = panel["layer"][0]["encoding"]["x"]["scale"]
    assert scale["type"] == "utc"
    days = [(day["year"], day["month"], day["date"]) for day in scale["domain"]]
    assert days == [(2025, 3, 3), (2025, 3, 17)]


def test_two_periods_are_a_row_a_group_and_the_subtitle_names_them() -> None:
    table = oa.drift(pl.read_parquet(SAMPLE), by="action_id", **HALVES)
    chart = charts.drift(table)
    panels = chart.to_dict()["concat"][0]["vconcat"]
    assert [panel["title"]["text"] for panel in panels] == [
        "Divergence of the mix of sends",
        "Divergence of the mix of engagements",
    ]
    rows = panels[0]["layer"][0]["encoding"]["y"]["sort"]
    assert rows == [f"Action {n}" for n in table["action_id"].unique(maintain_order=True)]
    assert "2025-07-01 to 2025-12-31, against 2025-01-01 to 2025-06-30." in told(chart)
    none = next(one for one in dots(chart) if one["divergence"] is None)
    assert none["text"] == "\u2013"


def test_few_are_grey_and_said_so_only_where_there_are_some() -> None:
    few = frame(*[row for row in mixes((3, EMAIL), (10, SMS)) if row["customer_id"] < "c2"])
    chart = charts.drift(oa.drift(few, every="1w"))
    assert {one["tone"] for one in dots(chart)} == {"few"}
    assert "Grey: fewer than 30 in one of the periods." in told(chart)
    enough = charts.drift(oa.drift(frame(*mixes((3, EMAIL), (10, SMS))), every="1w"))
    assert "Grey" not in told(enough)


def test_groups_over_time_are_blocks_on_one_scale() -> None:
    rows = mixes((3, EMAIL), (10, SMS), template_id=1) + mixes((3, SMS), (10, SMS), template_id=2)
    chart = charts.drift(oa.drift(frame(*rows), every="1w", by="template_id"))
    blocks = chart.to_dict()["concat"]
    assert [block["title"]["text"] for block in blocks] == ["Template 1", "Template 2"]
    tops = {
        str(panel["layer"][0]["encoding"]["y"]["scale"]["domain"])
        for block in blocks
        for panel in block["vconcat"]
    }
    assert tops == {"[0, 1.0]"}


def test_the_subtitle_says_what_it_is_and_the_tooltip_has_all() -> None:
    chart = charts.drift(oa.drift(pl.read_parquet(SAMPLE), every="1mo"))
    assert "Unit: message \u00b7 window 7 days from the send \u00b7 as of 2025-12-31" in told(chart)
    assert "Each period against the one before." in told(chart)
    february = next(
        one for one in dots(chart) if (one["from"], one["share"]) == ("2025-02-01", "sends")
    )
    assert plain(february["chance_text"]) == "0.00092, at most 0.0022"
    assert len(alt_text(chart)) < 2000


def test_nothing_to_compare_is_said_in_words_and_another_table_is_refused() -> None:
    assert "no comparison" in alt_text(charts.drift(DRIFT.empty()))
    once = oa.drift(frame(*mixes((3, EMAIL))), every="1w")
    assert "No two periods have messages" in told(charts.drift(once))
    with pytest.raises(SchemaError, match=r"drift\(interactions"):
        charts.drift(TRANSITIONS.empty())


def test_too_many_groups_are_refused() -> None:
    rows = [row for n in range(61) for row in mixes((3, EMAIL), (10, SMS), template_id=n)]
    periods: dict[str, Any] = {
        "before": ("2025-03-01", "2025-03-07"),
        "after": ("2025-03-08", "2025-03-14"),
    }
    with pytest.raises(InputError, match="61 groups are too many"):
        charts.drift(oa.drift(frame(*rows), by="template_id", **periods))
    with pytest.raises(InputError, match="122 panels are too many"):
        charts.drift(oa.drift(frame(*rows), by="template_id", every="1w"))


@pytest.mark.parametrize("options", [{"every": "1mo"}, HALVES])
def test_it_renders(options: dict[str, Any], tmp_path: Path) -> None:
    chart = charts.drift(oa.drift(pl.read_parquet(SAMPLE), **options))
    content = charts.save(chart, tmp_path / "drift.svg").read_text(encoding="utf-8")
    assert "Divergence of the mix of engagements" in content
