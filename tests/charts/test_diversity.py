"""Diversity's picture: the table's effective channels, over time or a row a group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from analysis.events import EMAIL, PUSH, SMS, frame, on
from charts.reading import alt_text, records, told

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import DIVERSITY, TRANSITIONS

SAMPLE = Path(__file__).parents[2] / "data/interactions.parquet"


def points(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """The records of the marks, and not those of the labels at the lines' ends."""
    spec = chart.to_dict()
    # What one panel alone has, Altair lifts to the top.
    rows: list[dict[str, Any]] = spec["datasets"][spec["data"]["name"]]
    return rows


def weekly(*channels: tuple[int, list[int]], **ids: Any) -> pl.DataFrame:
    return frame(
        *[
            on(day, "sent", channel_id=channel, campaign_id=place, **ids)
            for day, own in channels
            for place, channel in enumerate(own)
        ]
    )


@pytest.mark.parametrize("every", ["1mo", None])
def test_the_picture_holds_the_tables_own_numbers(every: str | None) -> None:
    table = oa.diversity(pl.read_parquet(SAMPLE), every=every)
    names = ("share", "effective_channels", "evenness", "hhi", "n", "n_channels", "customers")
    drawn = [tuple(one[name] for name in names) for one in points(charts.diversity(table))]
    assert sorted(drawn) == sorted(table.select(names).rows())


def test_like_shares_of_two_channels_are_two() -> None:
    chart = charts.diversity(oa.diversity(weekly((3, [EMAIL, SMS]))))
    sends, engagements = points(chart)
    assert sends["text"] == "sends 2.00"
    assert engagements["effective_channels"] is None
    assert "2.00 / \u2013" in {one.get("text") for one in records(chart)}
    assert "Grey: fewer than 30." in told(chart)


def test_a_line_goes_from_one_period_to_the_next_one_only() -> None:
    weeks = weekly((3, [EMAIL]), (10, [EMAIL, SMS]), (24, [EMAIL]), (31, [PUSH, SMS]))
    table = oa.diversity(weeks, every="1w")
    sends = [one for one in points(charts.diversity(table)) if one["share"] == "sends"]
    assert [(one["from"], one["run"]) for one in sends] == [
        ("2025-03-03", "sends 1"),
        ("2025-03-10", "sends 1"),
        ("2025-03-24", "sends 2"),
        ("2025-03-31", "sends 2"),
    ]


def test_lines_are_labelled_at_their_ends_and_labels_do_not_meet() -> None:
    spec = charts.diversity(oa.diversity(pl.read_parquet(SAMPLE), every="1mo")).to_dict()
    texts = [layer for layer in spec["concat"][0]["layer"] if layer["mark"]["type"] == "text"]
    assert [spec["datasets"][one["data"]["name"]][0]["text"] for one in texts] == [
        "sends 3.09",
        "engagements 1.56",
    ]
    assert [one["mark"]["dy"] for one in texts] == [0, 0]
    rows = [on(3, what, customer_id=f"c{n}") for n in range(3) for what in ("sent", "clicked")]
    spec = charts.diversity(oa.diversity(frame(*rows), every="1w")).to_dict()
    texts = [layer for layer in spec["concat"][0]["layer"] if layer["mark"]["type"] == "text"]
    assert [one["mark"]["dy"] for one in texts] == [-7, 7]


def test_groups_are_panels_over_time_and_else_rows() -> None:
    rows = pl.concat([weekly((3, [EMAIL]), template_id=1), weekly((3, [SMS]), template_id=2)])
    timed = charts.diversity(oa.diversity(rows, by="template_id", every="1w")).to_dict()
    assert [one["title"]["text"] for one in timed["concat"]] == ["Template 1", "Template 2"]
    timeless = charts.diversity(oa.diversity(rows, by="template_id")).to_dict()
    (panel,) = timeless["concat"]
    assert panel["layer"][0]["encoding"]["y"]["sort"] == ["Template 1", "Template 2"]


def test_the_subtitle_and_the_alt_text_say_what_it_is() -> None:
    chart = charts.diversity(oa.diversity(pl.read_parquet(SAMPLE), every="1mo", of="clicked"))
    assert "Unit: message \u00b7 window 7 days from the send \u00b7 as of 2025-12-31" in told(chart)
    assert "Ring: of sends; dot: of engagements (clicked)." in told(chart)
    assert "In the period from 2025-12-01 effective channels 3.09 of 1,333 sends and" in (
        alt_text(chart)
    )


def test_nothing_sent_is_said_in_words_and_wrong_tables_are_refused() -> None:
    assert "no messages" in alt_text(charts.diversity(DIVERSITY.empty()))
    young = oa.diversity(frame(on(305, "sent")))
    assert "Left out: 1 message whose window has not closed yet" in told(charts.diversity(young))
    with pytest.raises(SchemaError, match=r"diversity\(interactions"):
        charts.diversity(TRANSITIONS.empty())
    rows = weekly((3, [EMAIL]))
    both = pl.concat([oa.diversity(rows), oa.diversity(rows, every="1w")])
    with pytest.raises(SchemaError, match="2 of 4 rows of this diversity have no period"):
        charts.diversity(both)
    many = frame(*[on(3, "sent", customer_id=f"c{n}") for n in range(61)])
    with pytest.raises(InputError, match="61 groups are too many"):
        charts.diversity(oa.diversity(many, by="customer_id"))


@pytest.mark.parametrize("every", ["1mo", None])
def test_it_renders(every: str | None, tmp_path: Path) -> None:
    chart = charts.diversity(oa.diversity(pl.read_parquet(SAMPLE), every=every))
    content = charts.save(chart, tmp_path / "diversity.svg").read_text(encoding="utf-8")
    assert "Effective channels" in content
