from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.reading import alt_text, plain, records, told
from charts.svg import panels, written
from charts.tables import audience_funnel
from charts.time_tables import curve_rows, curve_table, no_curve_rows

from optimove_analysis import charts
from optimove_analysis.charts.dodge import dodged
from optimove_analysis.charts.theme import CHANNEL_COLOURS, SMALL_COLOUR
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import TIME_TO_ENGAGE

EMAIL = {0: (40, 0), 1: (20, 0), 3: (4, 5), 9: (0, 10), 20: (1, 10), 40: (0, 10)}
NUMBERS = ["day", "engaged", "lo", "hi", "at_risk"]


def two(**kwargs: Any) -> pl.DataFrame:
    rows = curve_rows(EMAIL, n=100, channel_id=504, **kwargs)
    rows += curve_rows({0: (1, 0), 2: (1, 3), 30: (0, 15)}, n=20, channel="SMS", channel_id=505)
    return curve_table(rows)


def steps(chart: alt.TopLevelMixin, name: str = "E-mail") -> list[dict[str, Any]]:
    return [r for r in records(chart) if r.get("name") == name and "at_risk" in r]


def ends(chart: alt.TopLevelMixin) -> dict[str, dict[str, Any]]:
    return {r["name"]: r for r in records(chart) if "label_at" in r}


def risk(chart: alt.TopLevelMixin) -> dict[tuple[str, int], str]:
    return {(r["name"], r["day"]): r["risk"] for r in records(chart) if "risk" in r}


def test_the_picture_holds_the_tables_own_numbers_on_the_days_on_which_it_moves() -> None:
    table = two().filter(channel="E-mail")
    drawn = steps(charts.time_to_engage(table, days=30))
    moved = table.filter(pl.col("day").is_in([0, 1, 3, 20])).select(NUMBERS).rows()
    assert [tuple(r[n] for n in NUMBERS) for r in drawn[:-1]] == moved
    # The end of the picture: nothing happens after day 20.
    assert drawn[-1]["day"] == 30
    assert drawn[-1]["engaged"] == drawn[-2]["engaged"]


def test_a_curve_ends_with_its_last_message() -> None:
    drawn = steps(charts.time_to_engage(two(), days=60))
    assert drawn[-1]["day"] == 40


def test_it_is_drawn_until_nearly_all_engagements_came_and_says_how_many_came_later() -> None:
    # 64 of 67 engagements come by day 3, and the last on day 20: 99 in 100 are 67 of 67.
    whole = charts.time_to_engage(two())
    assert max(r["day"] for r in steps(whole)) == 30
    assert "later than is drawn" not in told(whole)
    assert "1 message engaged with later than is drawn." in told(
        charts.time_to_engage(two(), days=7)
    )


def test_the_band_goes_on_until_all_are_engaged_with() -> None:
    table = curve_table(curve_rows({0: (0, 0), 2: (3, 0), 5: (1, 0)}, n=4, channel_id=504))
    first, some, every = steps(charts.time_to_engage(table))[:3]
    assert first["band_lo"] is None
    assert (some["band_lo"], some["band_hi"]) == (some["lo"], some["hi"])
    assert (every["band_lo"], every["band_hi"]) == (some["lo"], some["hi"])
    assert every["lo"] is None


def test_a_curve_is_named_at_its_end_with_its_share() -> None:
    end = ends(charts.time_to_engage(two(), days=7))
    # 1 - 60/100 * (1 - 20/60) * (1 - 4/40) = 0.64
    assert plain(end["E-mail"]["text"]) == "E-mail  64.0 %, median day 1"
    assert plain(end["SMS"]["text"]) == "SMS  10.0 %"


def test_the_median_day_is_marked_where_there_is_one() -> None:
    chart = charts.time_to_engage(two(), days=7)
    assert [r["day"] for r in steps(chart) if r["is_median"]] == [1]
    assert not any(r["is_median"] for r in steps(chart, "SMS"))
    assert "Large dot: the median day." in told(chart)
    assert "Large dot" not in told(charts.time_to_engage(two().filter(channel="SMS")))


def test_the_numbers_at_risk_are_the_tables() -> None:
    seen = risk(charts.time_to_engage(two(), days=30, width=600))
    assert seen["E-mail", 0] == "100"
    assert seen["E-mail", 3] == "40"
    assert seen["E-mail", 7] == "31"  # 40 - 4 - 5: those of the next row, day 9
    assert seen["E-mail", 30] == "10"  # 21 - 1 - 10
    assert seen["SMS", 14] == "15"
    assert seen["SMS", 30] == "15"


def test_channels_have_their_colours_and_small_ones_are_grey() -> None:
    chart = charts.time_to_engage(two())
    assert {r["colour"] for r in steps(chart)} == {CHANNEL_COLOURS["email"]}
    assert {r["colour"] for r in steps(chart, "SMS")} == {SMALL_COLOUR}
    assert "Grey: fewer than 30 sent." in told(chart)
    own = charts.time_to_engage(two(), colours={"E-mail": "#123456"})
    assert {r["colour"] for r in steps(own)} == {"#123456"}


def test_names_at_the_ends_do_not_overlap() -> None:
    rows = [
        row
        for place in range(12)
        for row in curve_rows({0: (5, 0)}, n=100, channel=f"Channel {place}", channel_id=place)
    ]
    end = ends(charts.time_to_engage(curve_table(rows)))
    hi = max(row["hi"] for row in rows)
    pixels = sorted(record["label_at"] / hi * 210 for record in end.values())
    assert all(b - a >= 14.99 for a, b in itertools.pairwise(pixels))


@pytest.mark.parametrize("places", [[5.0, 5.0, 5.0, 80.0], [99.0, 98.0, 97.0], [1.0], []])
def test_dodging_keeps_order_gap_and_bounds(places: list[float]) -> None:
    moved = dodged(places, 10, 0, 100)
    assert sorted(range(len(places)), key=lambda i: places[i]) == sorted(
        range(len(places)), key=lambda i: moved[i]
    )
    ordered = sorted(moved)
    assert all(b - a >= 10 - 1e-9 for a, b in itertools.pairwise(ordered))
    assert all(0 <= place <= 100 for place in moved)


def test_what_has_room_is_not_moved() -> None:
    assert dodged([70, 20, 45], 10, 0, 100) == [70, 20, 45]


def test_the_subtitle_says_size_settings_and_how_to_read() -> None:
    seen = told(charts.time_to_engage(two(immature=7)))
    assert "120 delivered messages \u00b7 Unit: message \u00b7 window 7 days from the send" in seen
    assert "as of 2026-11-30" in seen
    assert "Kaplan-Meier" in seen
    assert "7 immature messages left out." in seen


def test_with_opens_ignored_it_speaks_of_clicks() -> None:
    chart = charts.time_to_engage(two().with_columns(opens=pl.lit("ignore")))
    assert chart.to_dict()["title"]["text"] == "Clicked, by days since the send"
    assert "At risk: not yet clicked" in told(chart)
    assert "opens ignored" in told(chart)


def test_the_alt_text_tells_each_curves_end() -> None:
    text = alt_text(charts.time_to_engage(two()))
    # 1 - 0.36 * 20/21: of the 21 at risk on day 20 one is engaged with.
    assert "E-mail 65.7 % of 100 messages, half by day 1 and SMS 10.0 % of 20 messages" in text


def test_channels_share_a_panel_and_other_groups_have_their_own(tmp_path: Path) -> None:
    table = pl.concat([two().with_columns(segment=pl.lit(name)) for name in ("vip", "rest")])
    table = table.select("segment", *two().columns)
    chart = charts.time_to_engage(table)
    assert [r["text"] for r in records(chart) if set(r) == {"text"}] == [
        "Segment vip",
        "Segment rest",
    ]
    places = panels(chart, tmp_path, height=210)
    assert len({left for left, _ in places}) == 1
    assert len(places) == 2


def test_two_channels_of_one_name_are_two_curves() -> None:
    rows = curve_rows(EMAIL, n=100, channel_id=504) + curve_rows(EMAIL, n=100, channel_id=601)
    assert set(ends(charts.time_to_engage(curve_table(rows)))) == {
        "E-mail (id 504)",
        "E-mail (id 601)",
    }


def test_a_total_over_channels_is_called_so() -> None:
    chart = charts.time_to_engage(curve_table(curve_rows(EMAIL, n=100, channel=None)))
    assert set(ends(chart)) == {"All channels"}


def test_channels_without_deliveries_are_named_and_not_drawn() -> None:
    rows = curve_rows(EMAIL, n=100, channel_id=504)
    rows += no_curve_rows("In-app", channel_id=511)
    chart = charts.time_to_engage(curve_table(rows))
    assert set(ends(chart)) == {"E-mail"}
    assert "No deliveries known: In-app." in told(chart)


@pytest.mark.parametrize(
    "empty",
    [TIME_TO_ENGAGE.empty(), curve_table(no_curve_rows("In-app", immature=2, channel_id=511))],
)
def test_without_a_message_it_says_so(empty: pl.DataFrame, tmp_path: Path) -> None:
    chart = charts.time_to_engage(empty)
    assert "no messages to follow" in alt_text(chart)
    assert "No messages to follow" in written(chart, tmp_path)


@pytest.mark.parametrize("days", [{0: (0, 5)}, {0: (5, 0)}, {0: (0, 0), 300: (1, 4)}])
def test_curves_of_one_day_of_nothing_and_of_all_are_drawn(
    days: dict[int, tuple[int, int]], tmp_path: Path
) -> None:
    chart = charts.time_to_engage(curve_table(curve_rows(days, n=5, channel_id=504)))
    assert "E-mail" in " ".join(written(chart, tmp_path))


@pytest.mark.parametrize("days", [0, True, 1.5, -3])
def test_a_last_day_that_is_none_is_refused(days: Any) -> None:
    with pytest.raises(InputError, match="must be a number of days"):
        charts.time_to_engage(two(), days=days)


def test_too_many_groups_are_refused_with_what_to_do() -> None:
    rows = [row for i in range(25) for row in curve_rows(EMAIL, n=100, campaign_id=i)]
    with pytest.raises(InputError, match=r"25 groups .* at most 24: filter the table first"):
        charts.time_to_engage(curve_table(rows))


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"time_to_engage\(interactions"):
        charts.time_to_engage(audience_funnel())
