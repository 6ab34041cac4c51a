"""What is missing, replaced and known: held against sets of days, counted one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from optimove_analysis.archive.ranges import (
    chained,
    disjoint,
    missing,
    replaced_by,
    still_held,
    taken,
)
from optimove_analysis.client.maturity import Maturity, good, settled
from optimove_analysis.client.store import Facts
from optimove_analysis.schema import ANSWER_KEY, COVERAGE

FIRST = date(2025, 1, 1)
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
DAY = timedelta(days=1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def covered(*answers: dict[str, Any]) -> pl.DataFrame:
    """Return coverage of answers that say what differs from the usual; days are numbers."""
    usual: dict[str, Any] = {
        "customer_id": "A",
        "fetched_at": NOW,
        "last_update": NOW.date(),
        "known_through": NOW.date(),
        "data_through": NOW.date(),
        "found": True,
        "format": None,
        "rows": 0,
    }
    rows = []
    for one in answers:
        days = {name: day(one[name]) for name in ("start", "end")}
        known = {"known_through": day(one["known"])} if "known" in one else {}
        given = {name: one[name] for name in usual if name in one}
        rows.append({**usual, **given, **days, **known})
    return pl.DataFrame(rows, schema=COVERAGE.schema)


@st.composite
def ranges(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw answers about two customers, no two of one customer sharing a day."""
    found = []
    for customer in "AB":
        cuts = sorted(draw(st.sets(st.integers(0, 40), max_size=10)))
        for start, stop in zip(cuts[::2], cuts[1::2], strict=False):
            known = draw(st.integers(start, 60))
            answer = {"customer_id": customer, "start": start, "end": stop - 1, "known": known}
            found.append(answer | {"good": draw(st.booleans()), "rows": draw(st.integers(0, 2))})
    return found


def days_of(start: date, end: date) -> set[date]:
    return {start + timedelta(days=n) for n in range((end - start).days + 1)}


@given(answers=ranges(), asked=st.tuples(st.integers(0, 45), st.integers(0, 45)).map(sorted))
def test_what_is_asked_for_is_all_that_is_missing_and_cuts_no_answer(
    answers: list[dict[str, Any]], asked: list[int]
) -> None:
    start, end = day(asked[0]), day(asked[1])
    frame = covered(*answers).with_columns(
        good=pl.Series([one["good"] for one in answers], dtype=pl.Boolean)
    )
    found = missing(frame, pl.Series(["B", "C", "A"]), start, end)

    expected = []
    for customer in "BCA":
        mine = frame.filter(customer_id=customer)
        lacking = days_of(start, end)
        for one in mine.filter("good").iter_rows(named=True):
            lacking -= days_of(one["start"], one["end"])
        if not lacking:
            continue
        hull = days_of(min(lacking), max(lacking))
        for one in mine.iter_rows(named=True):
            whole = days_of(one["start"], one["end"])
            if whole & days_of(min(lacking), max(lacking)):
                hull |= whole
        expected.append((customer, min(hull), max(hull)))
    assert found.rows() == expected


@given(answers=ranges())
def test_data_reaches_as_far_as_answers_follow_on_each_other_and_were_known(
    answers: list[dict[str, Any]],
) -> None:
    frame = covered(*answers)
    for one in chained(frame).iter_rows(named=True):
        reach, known = one["end"], one["known_through"]
        if known >= reach:
            for other in (
                frame.filter(customer_id=one["customer_id"]).sort("start").rows(named=True)
            ):
                if other["start"] != reach + DAY:
                    continue
                reach = min(other["end"], other["known_through"])
                if other["known_through"] < other["end"]:
                    break
        assert one["data_through"] == min(reach, known)


def test_one_answer_by_itself_reaches_as_far_as_the_client_says() -> None:
    frame = covered({"start": 0, "end": 9, "known": 5}, {"start": 20, "end": 29, "known": 50})
    assert chained(frame)["data_through"].to_list() == [day(5), day(29)]


def test_an_early_answer_is_not_said_to_know_what_came_after_it_was_fetched() -> None:
    frame = covered({"start": 0, "end": 9, "known": 15}, {"start": 10, "end": 39, "known": 50})
    assert chained(frame)["data_through"].to_list() == [day(15), day(39)]


def test_an_answer_takes_the_place_of_all_that_it_covers() -> None:
    there = covered({"start": 0, "end": 9}, {"start": 10, "end": 19}, {"start": 30, "end": 39})
    new = covered({"start": 0, "end": 25, "rows": 3})
    assert taken(new, there).equals(new)
    after = replaced_by(new, there).sort("start")
    assert after.select("start", "end").rows() == [(day(0), day(25)), (day(30), day(39))]


def test_an_answer_that_would_cut_another_is_not_taken() -> None:
    there = covered({"start": 0, "end": 9})
    assert taken(covered({"start": 5, "end": 25}), there).is_empty()


def test_an_answer_is_not_taken_where_a_later_one_is_as_wide() -> None:
    there = covered({"start": 0, "end": 9})
    before = {"start": 0, "end": 9, "fetched_at": NOW - DAY}
    assert taken(covered(before), there).is_empty()
    assert taken(covered(before | {"fetched_at": NOW + DAY}), there).height == 1
    assert taken(covered(before | {"end": 10}), there).height == 1  # wider: it knows more days


def test_the_rows_decide_which_answers_are_there() -> None:
    there = covered(
        {"start": 0, "end": 9, "rows": 2},
        {"start": 10, "end": 19, "rows": 1},
        {"start": 20, "end": 29},
    )
    key = there.select(list(ANSWER_KEY)).rename(ANSWER_KEY)
    rows = pl.concat([key[0], key[0], key[1].with_columns(asked_to=day(25))])
    assert still_held(there, rows)["start"].to_list() == [day(0), day(20)]


@given(first=ranges(), second=ranges())
def test_where_writers_met_no_day_is_covered_twice_and_rows_win(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    later = [one | {"fetched_at": NOW + DAY} for one in second]
    both = covered(*first, *later)
    left = disjoint(both)
    for customer in "AB":
        mine = left.filter(customer_id=customer)
        days = [days_of(one["start"], one["end"]) for one in mine.iter_rows(named=True)]
        assert sum(map(len, days)) == len(set().union(*days))
    alone = both.filter(pl.col("rows") > 0, pl.col("fetched_at") > NOW)
    assert alone.join(left, on=list(ANSWER_KEY), how="anti").is_empty()


@given(
    facts=st.lists(
        st.tuples(
            st.integers(-20, 70),
            st.integers(-40, 2),
            st.none() | st.integers(20, 70),
            st.booleans(),
        ),
        max_size=8,
    ),
    updated=st.none() | st.integers(20, 70).map(day),
)
def test_many_answers_are_judged_as_each_by_itself(
    facts: list[tuple[int, int, int | None, bool]], updated: date | None
) -> None:
    rows, expected = [], []
    for end, hours, update, found in facts:
        at, last = NOW + timedelta(hours=hours), None if update is None else day(update)
        one = Maturity(day(end), MONTH, DAY)
        said = Facts(at, last, found)
        expected.append(one.settled(said, NOW) or one.current(said, updated, NOW))
        known = at.date() if last is None else min(at.date(), last)
        rows.append((day(end), at, last, known, found))
    names = ["end", "fetched_at", "last_update", "known_through", "found"]
    frame = pl.DataFrame(rows, schema={n: COVERAGE.schema[n] for n in names}, orient="row")
    assert frame.select(good(MONTH, DAY, updated, NOW)).to_series().to_list() == expected
    alone = frame.select(settled(MONTH, NOW)).to_series().to_list()
    assert alone == [
        Maturity(end, MONTH, DAY).settled(Facts(at, last, found), NOW)
        for end, at, last, _, found in rows
    ]


def test_an_empty_archive_lacks_everything() -> None:
    nothing = covered().with_columns(good=pl.lit(True))
    assert missing(nothing, pl.Series(["A"]), day(0), day(1)).rows() == [("A", day(0), day(1))]
    assert chained(covered()).schema == COVERAGE.schema


def test_of_an_answer_that_is_recorded_twice_one_stays() -> None:
    once = covered({"start": 0, "end": 9, "rows": 2})
    twice = pl.concat([once.with_columns(data_through=day(30)), once])
    assert disjoint(twice).select(list(ANSWER_KEY)).equals(once.select(list(ANSWER_KEY)))


def test_what_meets_an_answer_that_goes_stays() -> None:
    three = covered(
        {"start": 0, "end": 9, "rows": 2},
        {"start": 0, "end": 19, "fetched_at": NOW + DAY},  # goes: the first has rows
        {"start": 10, "end": 19},
    )
    assert disjoint(three)["end"].to_list() == [day(9), day(19)]
    assert disjoint(three)["start"].to_list() == [day(0), day(10)]
