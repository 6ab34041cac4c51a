"""One customer's dossier: what it gathers, what it says, and whom it refuses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import CALLS, COMPLETE, EMAIL, SMS, day, frame, on, sends
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal

from optimove_analysis import audit, channel_mix, dossier, funnel, journey, preferred_channel
from optimove_analysis.errors import InputError

WORLDS = settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@WORLDS
@given(interactions=worlds.interactions())
def test_its_tables_are_the_customers_rows_of_the_whole(interactions: pl.DataFrame) -> None:
    for who in interactions["customer_id"].unique():
        found = dossier(interactions, who)
        assert_frame_equal(found.interactions, interactions.filter(customer_id=who))
        everybody = funnel(interactions, by=["customer_id", "channel_id"])
        of_whole = everybody.filter(customer_id=who).drop("customer_id")
        assert_frame_equal(found.funnel, of_whole)
        mixes = channel_mix(interactions, by="customer_id").filter(customer_id=who)
        assert_frame_equal(found.channel_mix, mixes.drop("customer_id"))
        assert_frame_equal(found.journey, journey(interactions).filter(customer_id=who))
        ranks = preferred_channel(interactions).filter(customer_id=who)
        assert_frame_equal(found.preferred_channel, ranks)
        assert_frame_equal(found.audit, audit(found.interactions))
        assert str(found).startswith(f"Customer {who}\n")
        assert found._repr_html_().startswith("<section>")


@pytest.mark.parametrize(
    ("clicks", "says"),
    [
        ((0, 8), "SMS"),
        ((4, 5), "undecided, first SMS, then E-mail"),
        ((None, 8), "not to be said: too few messages, or one channel"),
    ],
)
def test_it_says_which_channel_is_preferred_if_that_can_be_said(clicks: Any, says: str) -> None:
    channels = [(EMAIL, clicks[0]), (SMS, clicks[1])]
    rows = [
        row
        for channel, k in channels
        if k is not None
        for row in sends(8, clicked=k, channel_id=channel, data_through=day(40))
    ]
    assert dossier(frame(*rows), "A").facts()["Preferred channel"] == says


def test_it_says_what_a_reader_looks_at_first() -> None:
    rows = frame(
        on(3, "sent"),
        on(12, "clicked"),
        on(20, "sent", campaign_id=4),
        on(20, "bounced", campaign_id=4),
        on(5, "sent", channel_id=SMS),
        on(5, "sent", customer_id="B"),
    )
    found = dossier(rows, "A")
    assert (found.first_sent_on, found.last_sent_on) == (day(3), day(20))
    assert found.last_engaged_on == day(12)  # after the window, but engaged
    assert found.complete_through == COMPLETE
    assert found.side_events == {"unsubscribed": 0, "bounced": 1, "spam_complaint": 0}
    facts = found.facts()
    assert facts["Messages"] == "3, from 2025-03-03 to 2025-03-20"
    assert facts["Last engaged"] == "2025-03-12, 294 days before the data ends"
    assert facts["Also"] == "1 bounced"
    table = str(found).splitlines()[-3:]
    assert table[1].split() == ["E-mail", "2", "0", "0", "0", "67%"]
    assert table[2].split() == ["SMS", "1", "0", "0", "33%"]


def test_without_engagement_it_says_never() -> None:
    rows = frame(on(3, "sent"), on(3, "sent", channel_id=CALLS), on(4, "opened", action_id=1))
    found = dossier(rows, "A")
    assert found.last_engaged_on is None  # what is put down to a control member is none of ours
    assert found.facts()["Last engaged"] == "never"
    assert (
        dossier(frame(on(3, "sent"), on(4, "opened")), "A", opens="ignore").facts()["Last engaged"]
        == "never"
    )


def test_a_day_before_the_end_is_one_day_and_an_unknown_end_is_said() -> None:
    rows = frame(on(3, "sent"), on(4, "opened"))
    assert "1 day before" in dossier(rows, "A", as_of=day(5)).facts()["Last engaged"]
    unknown = dossier(rows.with_columns(data_through=pl.lit(None, pl.Date)), "A")
    assert unknown.facts()["Complete through"] == "not known"
    assert unknown.facts()["Last engaged"] == "2025-03-04"


def test_undated_rows_alone_are_a_dossier_too() -> None:
    found = dossier(frame(on(None, "sent")), "A")
    assert found.first_sent_on is None
    assert found.facts()["Messages"] == "1"
    assert "no date" in found.facts()["Odd"]


def test_whether_sends_are_assumed_is_seen_in_everybodys_rows() -> None:
    rows = frame(on(4, "opened"), on(3, "sent", customer_id="B"))
    assert dossier(rows, "A").funnel["messages"].to_list() == [0, 0, 0, 0]
    alone = dossier(rows.filter(customer_id="A"), "A")
    assert alone.funnel["messages"].to_list() == [1, 1, 1, 0]


def test_a_plan_gives_the_same_dossier() -> None:
    rows = frame(on(3, "sent"), on(4, "opened"), on(3, "sent", customer_id="B"))
    assert str(dossier(rows.lazy(), "A")) == str(dossier(rows, "A"))


def test_markup_in_an_id_is_text() -> None:
    found = dossier(frame(on(3, "sent", customer_id="<b>&")), "<b>&")
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;&amp;" in found._repr_html_()


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("Z", r"no customer 'Z'; they have 2 others\.$"),
        ("7", r"Did you mean '007'\?"),
        (7, "must be text"),
    ],
)
def test_a_customer_who_is_not_there_is_refused(who: Any, said: str) -> None:
    rows = frame(on(3, "sent", customer_id="007"), on(3, "sent"))
    with pytest.raises(InputError, match=said):
        dossier(rows, who)


def test_a_wrong_option_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InputError, match="window="):
        dossier(frame(on(3, "sent")), "A", window=-1)
    with pytest.raises(InputError, match="as_of="):
        dossier(frame(on(3, "sent")), "A", as_of=dt.datetime(2025, 1, 1))  # noqa: DTZ001
