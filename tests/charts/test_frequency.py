from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.reading import alt_text, plain, records, told
from charts.svg import panels, written
from charts.tables import audience_funnel, wilson
from charts.time_tables import contrast_table, frequency_rows, frequency_table

from optimove_analysis import charts
from optimove_analysis.charts.theme import CHANNEL_COLOURS, SMALL_COLOUR
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import FREQUENCY

NUMBERS = ["level", "k", "n", "value", "lo", "hi", "customers"]
LEVELS: dict[int | None, tuple[int | None, int | None]] = {
    0: (40, 100),
    1: (90, 300),
    2: (1, 8),
    6: (10, 60),
    None: (3, 31),
}


def table(**kwargs: Any) -> pl.DataFrame:
    return frequency_table(frequency_rows(LEVELS, channel_id=504, **kwargs))


def levels(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """The records of levels, without the panels' names; each dataset once."""
    return [record for record in records(chart) if "level" in record]


def one(chart: alt.TopLevelMixin, level: str) -> dict[str, Any]:
    (found,) = [record for record in levels(chart) if record["level"] == level]
    return found


def names(chart: alt.TopLevelMixin) -> list[str]:
    return [record["text"] for record in records(chart) if "text" in record]


def test_the_picture_holds_the_tables_own_numbers() -> None:
    drawn = levels(charts.frequency(table()))
    assert [tuple(r[n] for n in NUMBERS) for r in drawn] == table().select(NUMBERS).rows()


def test_a_levels_label_says_its_rate_and_its_tooltip_k_and_n() -> None:
    first = one(charts.frequency(table()), "0")
    assert plain(first["value_text"]) == "40.0 %"
    assert plain(first["k_of_n"]) == "40 / 100 = 40.0 %"
    low, high = wilson(40, 100)
    assert plain(first["interval"]) == f"{low * 100:.1f} to {high * 100:.1f} %"


def test_a_level_that_does_not_occur_keeps_its_place_and_ends_the_line() -> None:
    drawn = levels(charts.frequency(table()))
    assert [record["at"] for record in drawn][:4] == [0, 1, 2, 6]
    runs = {record["level"]: record["run"] for record in drawn}
    assert runs["0"] == runs["1"]
    assert len({runs["1"], runs["2"], runs["6+"]}) == 3


def test_unknown_pressure_stands_apart_on_the_right_and_in_no_line() -> None:
    unknown = one(charts.frequency(table()), "unknown")
    assert unknown["at"] > 7
    assert unknown["joins"] is False
    assert "Unknown: the days before begin before the data." in told(charts.frequency(table()))


def test_levels_of_few_messages_are_grey_and_set_no_scale() -> None:
    rows = frequency_rows({0: (5, 100), 1: (4, 90), 2: (1, 1)}, channel_id=504)
    chart = charts.frequency(frequency_table(rows))
    few = one(chart, "2")
    assert few["colour"] == SMALL_COLOUR
    assert few["beyond"] == "above the axis"  # 1 of 1 would make the others a line at the bottom
    assert few["drawn"] < 0.2
    assert few["value"] == 1
    assert "Grey: fewer than 30 sent." in told(chart)


def test_a_channel_has_its_colour() -> None:
    assert one(charts.frequency(table()), "0")["colour"] == CHANNEL_COLOURS["email"]
    own = charts.frequency(table(), colours={"E-mail": "#123456"})
    assert one(own, "0")["colour"] == "#123456"


def test_the_subtitle_says_size_settings_and_that_it_is_an_association() -> None:
    seen = told(charts.frequency(table(immature=2, early=1)))
    assert "499 messages \u00b7 Unit: message \u00b7 window 7 days from the send" in seen
    assert "as of 2026-11-30" in seen
    assert "An association: heavy engagers are targeted more" in seen
    assert "10 immature messages left out." in seen
    assert "4 messages may have more before them than the data holds." in seen  # known levels


def test_the_title_says_which_rate_and_how_many_days() -> None:
    title = charts.frequency(table()).to_dict()["title"]["text"]
    assert title == "Engagement rate by messages in the 7 days before"
    assert charts.frequency(table(), title="Mine").to_dict()["title"]["text"] == "Mine"


def test_the_alt_text_tells_the_first_and_the_last_sure_level() -> None:
    text = alt_text(charts.frequency(table()))
    low, high = wilson(10, 60)
    assert "E-mail: 40.0 % of 100 messages at level 0" in text
    assert (
        f"16.7 % of 60 messages at level 6+ (95 % interval {low * 100:.1f} to {high * 100:.1f} %)"
    ) in text


def test_the_contrast_is_said_under_its_panels_name() -> None:
    rows = frequency_rows(LEVELS, channel_id=504)
    rows += frequency_rows(LEVELS, channel_id=505, channel="SMS")
    within = contrast_table(
        [
            {"channel_id": 505, "channel": "SMS", "slope": 0.012, "lo": None, "hi": None},
            {"channel_id": 504, "slope": -0.0091, "lo": -0.019, "hi": 0.0008},
        ]
    )
    chart = charts.frequency(frequency_table(rows), within)
    assert [plain(text) for text in names(chart)] == [
        "E-mail",
        "Same customer: \u22120.91 points a message (\u22121.9 to +0.08)",
        "SMS",
        "Same customer: +1.2 points a message",
    ]
    assert "Same customer: +1.2 points a message." in alt_text(chart)
    many = [row for i in range(24) for row in frequency_rows(LEVELS, campaign_id=i)]
    assert len(alt_text(charts.frequency(frequency_table(many)))) <= 600


def test_a_contrast_of_nobody_says_so() -> None:
    within = contrast_table([{"channel_id": 504, "slope": None}])
    assert "not known" in names(charts.frequency(table(), within))[1]


def test_a_contrast_of_few_customers_says_so() -> None:
    row = {"channel_id": 504, "slope": 0.1, "customers": 3, "small": True}
    chart = charts.frequency(table(), contrast_table([row]))
    assert plain(names(chart)[1]).endswith("+10.0 points a message, of only 3 customers")


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ({"channel_id": 504, "days": 28}, "the contrast's days is 28, the frequency's is 7"),
        ({"segment": "vip"}, r"the contrast has the groups \['segment'\], the frequency \['chan"),
    ],
)
def test_a_contrast_of_another_question_is_refused(row: dict[str, Any], match: str) -> None:
    with pytest.raises(SchemaError, match=match):
        charts.frequency(table(), contrast_table([row]))


def test_groups_without_the_rate_are_named_and_not_drawn() -> None:
    rows = frequency_rows(LEVELS, channel_id=504)
    rows += frequency_rows({0: (None, None)}, channel_id=511, channel="In-app")
    chart = charts.frequency(frequency_table(rows))
    assert names(chart) == ["E-mail"]
    assert "No such rate: In-app." in told(chart)


@pytest.mark.parametrize(
    "empty",
    [
        FREQUENCY.empty(),
        frequency_table(frequency_rows({0: (None, None)}, channel="In-app")),
        frequency_table(frequency_rows({0: (0, 0)}, immature=3)),
    ],
)
def test_without_a_message_it_says_so(empty: pl.DataFrame, tmp_path: Path) -> None:
    chart = charts.frequency(empty)
    assert "no messages that this rate divides by" in alt_text(chart)
    assert "No messages that this rate divides by" in written(chart, tmp_path)


def test_a_channel_of_no_name_and_one_row_are_drawn(tmp_path: Path) -> None:
    rows = frequency_rows({None: (0, 1)}, channel=None)
    chart = charts.frequency(frequency_table(rows))
    assert names(chart) == ["All channels"]
    assert charts.save(chart, tmp_path / "f.png").stat().st_size > 1000


def test_hundreds_of_levels_are_thinned_on_the_axis(tmp_path: Path) -> None:
    rows = frequency_rows(dict.fromkeys(range(301), (10, 100)), top=300)
    seen = written(charts.frequency(frequency_table(rows)), tmp_path)
    assert "300+" in seen
    assert len(seen) < 60


@pytest.mark.parametrize("other", [{"days": 28}, {"rate": "click rate"}])
def test_two_questions_at_once_are_refused(other: dict[str, Any]) -> None:
    rows = frequency_rows({0: (4, 100)}) + [row | other for row in frequency_rows({1: (4, 100)})]
    with pytest.raises(SchemaError, match="draw one at a time"):
        charts.frequency(frequency_table(rows))


def test_too_many_groups_are_refused_with_what_to_do() -> None:
    rows = [row for i in range(25) for row in frequency_rows(LEVELS, campaign_id=i)]
    with pytest.raises(InputError, match=r"25 groups .* at most 24: filter the table first"):
        charts.frequency(frequency_table(rows))


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"frequency\(interactions"):
        charts.frequency(audience_funnel())


def test_panels_of_a_column_begin_at_one_place_and_of_a_row_at_one_height(tmp_path: Path) -> None:
    rows = [
        row
        for place, (k, n) in enumerate([(4, 100), (90_000, 100_000), (1, 3000), (30, 60)])
        for row in frequency_rows({0: (k, n), 1: (k, n)}, campaign_id=place)
    ]
    places = panels(charts.frequency(frequency_table(rows)), tmp_path, height=130)
    lefts, tops = {left for left, _ in places}, {top for _, top in places}
    assert (len(places), len(lefts), len(tops)) == (4, 2, 2)
