from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from charts.journeys import START, journey_table, message
from charts.reading import alt_text, records, told
from charts.test_theme import contrast

import optimove_analysis as oa
from optimove_analysis import charts
from optimove_analysis.charts.calendar_days import tints
from optimove_analysis.charts.theme import INKS, RAMP, Mode
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import JOURNEY


def sample() -> pl.DataFrame:
    return oa.journey(pl.read_parquet(Path(__file__).parents[2] / "data" / "interactions.parquet"))


def squares(chart: alt.TopLevelMixin) -> dict[str, dict[str, Any]]:
    """The days by their ISO text, each drawn once."""
    found = [record for record in records(chart) if "when" in record]
    by_day = {record["when"].split()[1]: record for record in found}
    assert len(by_day) == len(found)
    return by_day


def test_every_day_has_as_many_messages_as_the_table() -> None:
    table = sample()
    counts: dict[str, int] = {}
    for day, action in table.select("send_date", "action_id").iter_rows():
        if action != 1:
            counts[day.isoformat()] = counts.get(day.isoformat(), 0) + 1
    drawn = squares(charts.calendar(table))
    assert {day: one["messages"] for day, one in drawn.items() if one["messages"]} == counts


def test_every_day_of_the_range_is_there_and_no_other() -> None:
    drawn = squares(charts.calendar(journey_table([message(0), message(45)])))
    assert list(drawn) == [(START + dt.timedelta(day)).isoformat() for day in range(46)]


def test_squares_stand_in_the_rows_of_their_weekdays_as_python_has_them() -> None:
    table = journey_table([message(dt.date(2023, 12, 25)), message(dt.date(2025, 1, 12))])
    drawn = squares(charts.calendar(table))
    for text, one in drawn.items():
        day = dt.date.fromisoformat(text)
        block = {2023: 0, 2024: 10, 2025: 20}[day.year]
        assert int(one["y"]) == block + day.weekday()
        # The weeks of a year that begin on Monday, as strftime counts them.
        first = dt.date(day.year, 1, 1).weekday()
        assert int(one["x"]) == int(day.strftime("%W")) - (first == 0)


def test_two_days_never_share_a_square() -> None:
    table = journey_table([message(dt.date(2019, 1, 1)), message(dt.date(2025, 12, 31))])
    drawn = squares(charts.calendar(table)).values()
    assert len({(one["x"], one["y"]) for one in drawn}) == len(drawn)


def test_a_dot_is_on_the_day_of_the_engagement_and_not_of_the_send() -> None:
    table = journey_table(
        [message(0, "opened", days=2), message(1, "clicked", days=9), message(3, "delivered")]
    )
    drawn = squares(charts.calendar(table))
    engaged = {day for day, one in drawn.items() if one["engaged"]}
    assert engaged == {"2025-03-05", "2025-03-13"}


def test_the_tooltip_counts_by_channel() -> None:
    sms: dict[str, Any] = {"channel": "SMS", "channel_id": 505}
    table = journey_table([message(0), message(0, **sms), message(0, **sms), message(1)])
    assert squares(charts.calendar(table))["2025-03-03"]["channels"] == "SMS 2 \u00b7 E-mail 1"


def test_control_members_are_not_counted_and_told_of() -> None:
    chart = charts.calendar(journey_table([message(0), message(1, "sent", action_id=1)]))
    assert squares(chart)["2025-03-04"]["messages"] == 0
    assert "Not counted: 1 row of a control group." in told(chart)


@pytest.mark.parametrize(
    ("counts", "labels"),
    [
        ([0, 1], ["1"]),
        ([1, 2, 5], ["1", "2", "3", "4", "5"]),
        ([1] * 60 + [2, 3, 40], ["1", "2", "3", "4", "5+"]),
        (list(range(1, 101)), ["1 to 50", "51 to 100"]),
        ([0, 0], []),
    ],
)
def test_the_legend_reads(counts: list[int], labels: list[str]) -> None:
    assert [tint.label for tint in tints(counts)] == labels


@pytest.mark.parametrize("most", [1, 2, 5, 6, 9, 40, 41, 99, 1234])
def test_every_count_has_exactly_one_tint(most: int) -> None:
    classes = tints(list(range(most + 1)))
    for count in range(1, most + 1):
        fits = [t for t in classes if t.low <= count and (t.high is None or count <= t.high)]
        assert len(fits) == 1


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_tints_leave_the_paper_step_by_step(mode: Mode) -> None:
    steps = [contrast(colour, INKS[mode]["paper"]) for colour in RAMP[mode]]
    assert steps[0] > 1.5
    assert all(more / less > 1.3 for less, more in itertools.pairwise(steps))


def test_the_title_names_one_customer_or_counts_many() -> None:
    one = charts.calendar(journey_table([message(0)])).to_dict()
    two = charts.calendar(journey_table([message(0), message(0, customer_id="B")])).to_dict()
    assert one["title"]["text"] == "Messages a day to customer A"
    assert two["title"]["text"] == "Messages a day to 2\u00a0customers"


def test_the_alt_text_has_the_main_numbers() -> None:
    table = journey_table([message(0), message(0, "clicked"), message(9, "sent")])
    text = alt_text(charts.calendar(table))
    assert "Calendar of 3 messages to customer A." in text
    assert "From 2025-03-03 to 2025-03-12 something was sent on 2 of 10 days." in text
    assert "Most on 2025-03-03: 2 (E-mail 2)." in text
    assert "opened or clicked on 1 day" in text


def test_a_journey_of_control_rows_only_is_a_calendar_of_empty_days() -> None:
    chart = charts.calendar(journey_table([message(0, "sent", action_id=1)]))
    assert [one["messages"] for one in squares(chart).values()] == [0]
    chart.to_dict()


@pytest.mark.parametrize("table", [JOURNEY.empty(), journey_table([message(None, None)])])
def test_nothing_to_draw_says_no_messages(table: pl.DataFrame) -> None:
    assert "no messages" in alt_text(charts.calendar(table))


def test_too_many_days_are_refused() -> None:
    table = journey_table([message(dt.date(1999, 1, 1)), message(0)])
    with pytest.raises(InputError, match="days are too many"):
        charts.calendar(table)


def test_another_table_is_refused_with_the_name_of_the_function() -> None:
    with pytest.raises(SchemaError, match=r"journey\(interactions"):
        charts.calendar(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_renders(kind: str, tmp_path: Path) -> None:
    table = journey_table([message(day, "opened") for day in (0, 0, 3, 400)])
    content = charts.save(charts.calendar(table), tmp_path / f"calendar.{kind}").read_bytes()
    assert content.startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])
