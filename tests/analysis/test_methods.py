"""The paragraph on how numbers were made: what it must say, by hand and against other results."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import day, frame, on, sends
from hypothesis import HealthCheck, given, settings

from optimove_analysis import Catalogue, channel_mix, funnel, methods
from optimove_analysis.analysis.methods import methods_of_tables
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import CHANNEL_MIX

SOME = frame(*sends(4, clicked=1), *sends(2, customer_id="B"))


def test_it_says_all_that_the_definitions_ask_for() -> None:
    said = methods(SOME, source="a sandbox, seed 7", fetched_at=dt.date(2026, 1, 2))
    assert said == (
        "The interactions come from a sandbox, seed 7, and were fetched on 2026-01-02. "
        "6 messages to 2 customers count. "
        "The unit is the message; a stage counts where its event came from the day of the send to "
        "7 days after it. "
        "The data is complete through 2025-12-31; messages whose window had not closed by then are "
        "left out of every count and rate, 0 messages of these. "
        "A click implies that the message was opened and delivered, an open that it was delivered; "
        "such implied counts are shown apart. "
        "Opens are taken as reported; privacy proxies open mail by machine, so they are an upper "
        "bound of what was read. "
        "The 95 % interval of a rate is Wilson's score interval, widened since the messages of one "
        "customer are not independent. "
        f"Events and channels are read by the catalogue {Catalogue().fingerprint()}: this "
        "package's default one, whose ids an account need not share."
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": 1}, "from the day of the send to 1 day after it."),
        ({"window": 0}, "a stage counts where its event came on the day of the send."),
        ({"window": None}, "at any time after the send."),
        ({"window": None}, "through 2025-12-31; there is no window that may not have closed."),
        ({"as_of": day(5)}, "complete through 2025-03-05; "),
        ({"as_of": day(5)}, "left out of every count and rate, 6 messages of these."),
        ({"as_of": day(5)}, "0 messages to 0 customers count."),
        ({"implied": "none"}, "no stage is implied by a later one."),
        ({"opens": "ignore"}, "Opens are ignored, since privacy proxies open mail by machine."),
        (
            {"opens": "ignore"},
            "left out of every count and rate, 0 messages of these. A click or an ",
        ),
        ({"catalogue": Catalogue(kinds={504: "sms"})}, "the account's, as it was given."),
        (
            {"catalogue": Catalogue(kinds={504: "sms"})},
            f"catalogue {Catalogue(kinds={504: 'sms'}).fingerprint()}:",
        ),
        ({}, "Where the interactions come from, and when they were fetched, was not told."),
        ({"source": "api5"}, "come from api5; when they were fetched was not told."),
        ({"fetched_at": day(9)}, "come from was not told; they were fetched on 2025-03-09."),
        (
            {"source": "api5", "fetched_at": dt.datetime(2025, 3, 9, 8, 5, tzinfo=dt.UTC)},
            "were fetched on 2025-03-09 at 08:05 UTC.",
        ),
        (
            {"fetched_at": dt.datetime(2025, 3, 9, 8, 5)},  # noqa: DTZ001 - a time with no zone
            "fetched on 2025-03-09 at 08:05.",
        ),
    ],
)
def test_each_option_is_told(options: dict[str, Any], words: str) -> None:
    assert words in methods(SOME, **options)


def test_of_tables_with_no_window_none_is_said_to_be_open() -> None:
    said = methods_of_tables(funnel(SOME, window=None), channel_mix(SOME, window=None))
    assert "through 2025-12-31; there is no window that may not have closed." in said
    assert "left out of every count" not in said
    nobody_knows = SOME.drop("data_through")
    counted, mix = (make(nobody_knows, window=None) for make in (funnel, channel_mix))
    assert "complete is not known: all messages are counted." in methods_of_tables(counted, mix)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("message", "widened since the messages of one customer"),
        ("customer", "Wilson's score interval, customers taken as independent."),
        ("customer_day", "widened since the days of one customer"),
        ("campaign", "Wilson's score interval, campaigns taken as independent."),
    ],
)
def test_of_tables_the_interval_is_of_what_they_count(unit: Any, words: str) -> None:
    counted = funnel(frame(*(on(3, "sent", customer_id=c) for c in "AB")), unit=unit)
    assert words in methods_of_tables(counted, CHANNEL_MIX.empty())


def test_within_one_customer_messages_are_taken_as_independent() -> None:
    said = methods(frame(*sends(3)))
    assert "Wilson's score interval, messages taken as independent." in said
    assert "3 messages to 1 customer count." in said
    assert "1 message to 1 customer counts." in methods(frame(*sends(1)))


def test_messages_without_a_sent_row_are_told_as_they_were_taken() -> None:
    rows = frame(*sends(2), on(4, "opened", campaign_id=9))
    assert "1 message without a sent row left out." in methods(rows)
    assert "1 message without a sent row counted as sent." in methods(rows, assume_sent=True)
    assert "without a sent row" not in methods(frame(*sends(2)))


def test_through_which_day_the_data_is_complete_is_told_as_far_as_it_is_known() -> None:
    bare = SOME.drop("data_through")
    unknown = "Through which day the data is complete is not known: all messages are counted."
    assert unknown in methods(bare)
    assert unknown not in methods(bare, as_of=day(40))
    unlike = frame(*sends(2), *sends(1, customer_id="B", data_through=day(20)))
    assert "complete through 2025-03-20 to 2025-12-31, by message; " in methods(unlike)
    some = frame(*sends(2), *sends(1, customer_id="B", data_through=None))
    assert "Of 1 message it is not known through which day" in methods(some)


@pytest.mark.parametrize("rows", [frame(), frame(on(None, None)), frame(on(3, 17))])
def test_where_nothing_counts_it_says_so_and_still_says_how(rows: pl.DataFrame) -> None:
    said = methods(rows)
    assert "0 messages to 0 customers count." in said
    assert "The unit is the message" in said


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds.interactions(), rules=worlds.RULES)
def test_it_counts_what_a_funnel_counts_and_names_nobody(
    world: pl.DataFrame, rules: dict[str, Any]
) -> None:
    names = {"A": "Anna Q.", "B": "Berta Q.", "C": "Chris Q.", "007": "James Q."}
    world = world.with_columns(pl.col("customer_id").replace(names))
    said = methods(world, **rules)
    found = funnel(world, **rules).filter(stage="sent")
    customers = funnel(world, by="customer_id", **rules).filter(stage="sent")
    number = re.search(r"(\d+) messages? to (\d+) customers? count", said)
    assert number
    assert int(number[1]) == found["sent"].sum()
    # A total leaves call centres out, a channel of its own does not.
    assert int(number[2]) >= customers.filter(pl.col("sent") > 0).height
    left = re.search(r"every count and rate, (\d+) messages? of these", said)
    assert left is None or int(left[1]) == found["n_immature"].sum()
    assert not re.search("Q[.]|None|NaN|nan", said)
    assert methods(world.lazy(), **rules) == said
    assert methods(world.reverse(), **rules) == said


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"window": -1}, "window=-1"),
        ({"implied": "all"}, "implied='all' is not known"),
        ({"opens": "trusted"}, "did you mean 'trust'"),
        ({"source": 7}, "source=7 must be text or None"),
        ({"fetched_at": "today"}, "fetched_at='today' must be"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], answer: str) -> None:
    with pytest.raises(InputError, match=answer):
        methods(SOME, **options)


def test_a_frame_that_is_none_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'event_id'"):
        methods(SOME.drop("event_id"))
