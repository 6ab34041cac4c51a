"""The audit, against plain Python that looks at each row, and by hand where words are made."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import EMAIL, IN_APP, SMS, UNKNOWN, day, frame, on
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import audit
from optimove_analysis.analysis.checks import CHECKED
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import AUDIT, CHECKS, INTERACTIONS, MESSAGE_KEY

WORLDS = settings(max_examples=22, deadline=None, suppress_health_check=[HealthCheck.too_slow])
START, END = worlds.DAY0 + dt.timedelta(days=3), worlds.DAY0 + dt.timedelta(days=20)
KNOWN_CHANNELS = {502, 504, 505, 506, 510, 511}
ANY = {7, None}
"""Channels of no known kind, which have all stages."""
STAGES = {2: {504, 505, 506, 510} | ANY, 3: {504} | ANY, 4: {504, 505, 506, 510, 511} | ANY}


def expected(interactions: pl.DataFrame) -> dict[str, int]:
    """Count what is odd, row by row, as the definitions say it."""
    rows = interactions.to_dicts()
    found: Counter[str] = Counter(dict.fromkeys(CHECKS, 0))
    keys: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        keys.setdefault(tuple(row[name] for name in MESSAGE_KEY), []).append(row)
        event, channel, date, through = (
            row[name] for name in ("event_id", "channel_id", "date", "data_through")
        )
        for name in (*MESSAGE_KEY, "event_id"):
            found[f"null_{name}"] += row[name] is None
        found["undated"] += date is None
        found["before_range"] += date is not None and date < START
        found["after_range"] += date is not None and date > END
        found["no_data_through"] += through is None
        found["after_data_through"] += None not in {date, through} and date > through
        found["control"] += row["action_id"] == 1
        found["unknown_event"] += event is not None and event not in range(1, 8)
        found["unknown_channel"] += channel not in KNOWN_CHANNELS | {
            None
        }  # no id is no unknown one
        found["off_stage"] += event in STAGES and channel not in STAGES[event]
    same = Counter(tuple(row[n] for n in (*MESSAGE_KEY, "date", "event_id")) for row in rows)
    found["duplicate"] = sum(n - 1 for n in same.values())
    for key, of_key in keys.items():
        sends = [r["date"] for r in of_key if r["event_id"] == 1 and r["date"] is not None]
        days = sorted(set(sends))
        found["double_send"] += len(sends) - len(days)
        dated = [r for r in of_key if r["date"] is not None]
        orphans = [r for r in dated if days and r["date"] < days[0]]
        found["orphan"] += len(orphans)
        if key[3] == 1:
            continue
        found["no_send"] += not days
        for number, first in enumerate(days or [None]):
            last = days[number + 1] if number + 1 < len(days) else dt.date.max
            own = {r["event_id"] for r in dated if first is None or (first <= r["date"] < last)}
            found["bounced_and_delivered"] += 6 in own and bool(own & {2, 3})
    for channel in {key[4] for key in keys}:
        rest = [r for k, of in keys.items() if k[4] == channel for r in of if k[3] != 1]
        sent = any(
            r["event_id"] == 1 and r["date"] is not None
            for k, of in keys.items()
            if k[4] == channel
            for r in of
        )
        found["channel_without_sends"] += bool(rest) and not sent
    return found


@WORLDS
@given(interactions=worlds.interactions())
def test_every_count_is_what_a_look_at_each_row_finds(interactions: pl.DataFrame) -> None:
    found = dict(audit(interactions, start=START, end=END).select("check", "count").iter_rows())
    wanted = expected(interactions)
    unchecked = {"event_name", "channel_name"}
    if interactions.height and interactions["data_through"].null_count() == interactions.height:
        unchecked.add("after_data_through")
    assert {c: n for c, n in found.items() if c not in unchecked} == {
        c: n for c, n in wanted.items() if c not in unchecked
    }
    assert all(found[check] is None for check in unchecked)


@WORLDS
@given(
    interactions=worlds.interactions(),
    by=st.sampled_from([(), "channel_id", ["customer_id", "campaign_id"]]),
)
def test_every_check_is_always_there_in_its_order_and_typed(
    interactions: pl.DataFrame, by: Any
) -> None:
    found = audit(interactions, by=by)
    names = [by] if isinstance(by, str) else list(by)
    assert found.columns == [*names, *AUDIT.names]
    assert dict(found.schema) | dict(AUDIT.schema) == dict(found.schema)
    groups = found.partition_by(names) if names else [found]
    if names and not interactions.height:
        groups = []
    assert all(group["check"].to_list() == list(CHECKS) for group in groups)
    assert found.filter(pl.col("severity") == "ok", pl.col("count") > 0).is_empty()


@WORLDS
@given(interactions=worlds.interactions(), seed=st.integers(0, 99))
def test_the_order_of_rows_is_no_matter_and_a_plan_gives_the_same(
    interactions: pl.DataFrame, seed: int
) -> None:
    found = audit(interactions)
    shuffled = interactions.sample(fraction=1, shuffle=True, seed=seed)
    assert_frame_equal(audit(shuffled), found)
    planned = audit(interactions.lazy())
    assert isinstance(planned, pl.LazyFrame)
    assert_frame_equal(planned.collect(), found)


@WORLDS
@given(interactions=worlds.interactions())
def test_no_customer_is_named(interactions: pl.DataFrame) -> None:
    named = interactions.with_columns(pl.format("person-{}", "customer_id").alias("customer_id"))
    found = audit(named, start=START, end=END)
    assert "person" not in str(found.select("what", "what_to_do", "examples").to_dicts())


def test_nothing_odd_is_said_in_plain_words() -> None:
    found = audit(frame(on(3, "sent"), on(3, "delivered")), start=day(1), end=day(9))
    assert set(found["severity"]) == {"ok"}
    assert found["what_to_do"].null_count() == len(CHECKS)
    assert found.filter(check="orphan")["what"].item() == CHECKED["orphan"].none


def test_what_is_odd_is_counted_named_and_told_what_to_do_about() -> None:
    rows = frame(
        on(3, "sent"),
        on(2, "opened", campaign_id=8),
        on(4, "sent", campaign_id=8),
        on(4, 17, channel_id=UNKNOWN),
        on(4, "opened", channel_id=SMS),
        on(4, "sent", channel_id=SMS),
    )
    found = {row["check"]: row for row in audit(rows).iter_rows(named=True)}
    assert found["orphan"]["examples"] == ["campaign 8"]
    assert found["unknown_event"]["examples"] == ["event 17 (unknown)"]
    assert found["unknown_channel"]["examples"] == ["channel 7 (unnamed)"]
    assert found["off_stage"]["examples"] == ["opened on SMS"]
    assert found["orphan"]["share"] == pytest.approx(1 / 6)
    assert found["orphan"]["severity"] == "warning"
    assert "1 event is dated before" in found["orphan"]["what"]


def test_names_of_the_api_that_contradict_the_catalogue_are_errors() -> None:
    rows = frame(on(3, "sent"), on(4, "opened")).with_columns(
        event_name=pl.Series(["Email Sent", "Email Clicked"]),
        channel_name=pl.Series(["Email", "Push notification"]),
    )
    found = {row["check"]: row for row in audit(rows).iter_rows(named=True)}
    assert (found["event_name"]["count"], found["event_name"]["severity"]) == (1, "error")
    assert found["event_name"]["examples"] == ["event 3: opened, by the API Email Clicked"]
    assert found["channel_name"]["count"] == 1  # Email is E-mail


def test_fields_that_nobody_knows_are_named() -> None:
    rows = frame(on(3, "sent"), on(4, "opened")).with_columns(
        extra=pl.Series(['{"Colour": 1, "Size": 2}', None])
    )
    found = audit(rows).filter(check="extra")
    assert found["examples"].item().to_list() == ["Colour", "Size"]


def test_a_catalogue_of_another_account_is_an_error_and_an_account_without_sends_is_not() -> None:
    rows = frame(on(3, 71), on(4, 72, channel_id=IN_APP))
    found = audit(rows).filter(check="unknown_event")
    assert found["severity"].item() == "error"
    rows = frame(on(3, "opened"), on(4, "clicked", channel_id=IN_APP))
    by_check = {row["check"]: row["severity"] for row in audit(rows).iter_rows(named=True)}
    assert (by_check["no_send"], by_check["channel_without_sends"]) == ("note", "note")
    rows = frame(on(3, "opened"), on(4, "sent", channel_id=IN_APP))
    by_check = {row["check"]: row["severity"] for row in audit(rows).iter_rows(named=True)}
    assert (by_check["no_send"], by_check["channel_without_sends"]) == ("warning", "warning")


def test_a_group_of_the_control_group_alone_has_no_channels_which_is_0() -> None:
    rows = frame(on(3, "sent", action_id=1), on(3, "sent", action_id=7))
    found = audit(rows, by="action_id").filter(action_id=1, of="channels")
    assert found["total"].to_list() == [0] * found.height
    assert found.height


def test_an_empty_frame_has_nothing_odd() -> None:
    found = audit(INTERACTIONS.empty())
    assert found.height == len(CHECKS)
    assert found["count"].sum() == 0
    assert found["share"].null_count() == found.height


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"start": "2025-01-01"}, InputError, "start='2025-01-01' must be a datetime.date"),
        ({"start": day(9), "end": day(3)}, InputError, "is after end="),
        ({"catalogue": {}}, InputError, "must be a Catalogue"),
        ({"by": "segmnt"}, SchemaError, "no column 'segmnt'"),
        ({"by": "check"}, InputError, "name of a column of the result"),
    ],
)
def test_a_wrong_option_is_answered_with_what_is_wrong(
    options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        audit(frame(on(3, "sent", channel_id=EMAIL)), **options)


def test_the_catalogue_may_say_that_the_account_reports_no_sends() -> None:
    rows = frame(on(3, "opened"), on(4, "sent", channel_id=IN_APP))
    found = audit(rows, catalogue=Catalogue(reports_sent=False)).filter(check="no_send")
    assert found["severity"].item() == "note"
