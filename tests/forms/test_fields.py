"""Each field alone: what it gives back, and what it does not take."""

from __future__ import annotations

import datetime as dt

import pytest

from optimove_analysis.errors import InputError
from optimove_analysis.forms.fields import Choice, Choices, Day, Line, Number, Presets, split_ids

LAST = dt.date(2025, 12, 31)


def test_ids_are_split_at_commas_semicolons_and_any_space() -> None:
    assert split_ids(" 000001,841231;\n7\t7  ,") == ["000001", "841231", "7"]
    assert split_ids("  ") == []


def test_a_day_may_be_written_as_text() -> None:
    day = Day("From")
    day.value = "2025-02-28"
    assert day.value == dt.date(2025, 2, 28)
    with pytest.raises(InputError, match="'2025-02-30' is no day"):
        day.value = "2025-02-30"
    day.value = None
    assert day.value is None


def test_a_number_that_is_not_usual_is_offered_once_it_is_set() -> None:
    window = Number("Window", usual=(1, 7), unit="day", none="no window")
    assert [name for name, _ in window.widget.options] == ["1 day", "7 days", "no window"]
    window.value = 10
    assert window.value == 10
    assert [name for name, _ in window.widget.options][-2:] == ["10 days", "no window"]
    window.value = None
    assert window.value is None


@pytest.mark.parametrize("wrong", [-1, 2.5, "7", True])
def test_a_number_is_a_whole_one(wrong: object) -> None:
    window = Number("Window", usual=(1, 7), unit="day", none="no window")
    with pytest.raises(InputError, match="whole number"):
        window.value = wrong  # type: ignore[assignment] # what a user may write


def test_a_wrong_choice_is_answered_with_the_right_ones() -> None:
    opens = Choice("Opens", {"Trust opens": "trust", "Ignore opens": "ignore"}, what="opens")
    assert opens.value == "trust"
    with pytest.raises(InputError, match="did you mean 'ignore'"):
        opens.value = "ignored"


def test_one_name_is_as_good_as_a_list_of_it() -> None:
    channels = Choices("Channels", ["E-mail", "SMS"], what="channel")
    channels.value = "SMS"
    assert channels.value == ["SMS"]
    channels.value = ()
    assert channels.value == []


def test_suggestions_are_distinct_and_not_more_than_a_browser_can_use() -> None:
    line = Line("Customer", suggestions=["000001", "000001", *map(str, range(10_000))])
    assert line.widget.options[:3] == ("000001", "0", "1")
    assert len(line.widget.options) == 500


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Last 30 days", dt.date(2025, 12, 2)),
        ("Last 90 days", dt.date(2025, 10, 3)),
        ("Last 365 days", dt.date(2025, 1, 1)),
        ("This year", dt.date(2025, 1, 1)),
    ],
)
def test_a_preset_sets_both_days_with_the_last_one_counted(name: str, first: dt.date) -> None:
    start, end = Day("From"), Day("until")
    presets = Presets(start, end, LAST)
    presets.widget.value = name
    assert (start.value, end.value) == (first, LAST)


def test_days_that_make_a_preset_are_named_by_it_and_others_are_ones_own() -> None:
    start, end = Day("From"), Day("until")
    presets = Presets(start, end, LAST)
    start.value, end.value = "2025-12-02", LAST
    assert presets.widget.value == "Last 30 days"
    end.value = dt.date(2025, 12, 30)
    assert presets.widget.value == "Own dates"
    assert (start.value, end.value) == (dt.date(2025, 12, 2), dt.date(2025, 12, 30))
