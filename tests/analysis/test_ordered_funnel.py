"""The ordered funnel, held against every chain there is, ClickHouse's windowFunnel, and laws."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import chdb
import polars as pl
import pytest
from analysis.chains import Asked, Event, best
from analysis.events import day, frame, on, seeded
from analysis.worlds import interactions as worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from statsmodels.stats.proportion import (
    proportion_confint,
)

from optimove_analysis import Catalogue, ordered_funnel, ordered_funnel_counts, step
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, ORDERED_FUNNEL, ORDERED_FUNNEL_COUNTS

LAW = settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG_LAW = settings(LAW, max_examples=7)  # those that ask many times over
SEED = st.integers(0, 2**32)
STEPS = {
    "e-mail opened": {"channel": "E-mail", "event": "opened"},
    "clicked": {"event": "clicked"},
    "in-app": {"channel": "in_app"},
}
OVERLAP = STEPS | {"opened again": {"event": ["opened", "clicked"]}}
QUESTIONS = st.fixed_dictionaries(
    {
        "within": st.sampled_from([7, 0, 3, None]),
        "mode": st.sampled_from(["loose", "strict", "any"]),
        "optional": st.sampled_from([(), ("clicked",), ("e-mail opened",), tuple(STEPS)]),
        "exclude": st.sampled_from([None, {"event": "unsubscribed"}]),
    }
)
WAYS = st.sampled_from([STEPS, OVERLAP])

Question = dict[str, Any]


def letters(text: str, **ids: Any) -> list[dict[str, Any]]:
    """Return events of a customer from ``"A1 B3"``: letter A is event 1, on day 1."""
    return [on(int(one[1:]), ord(one[0]) - 64, **ids) for one in text.split()]


def asked(number: int) -> dict[str, pl.Expr]:
    """Return so many steps, A, B, C, ..."""
    return {chr(64 + i): pl.col("event_id") == i for i in range(1, number + 1)}


def done(text: str, steps: int = 2, **options: Any) -> str:
    """Return the best chain of events like ``"A1 B3"`` in the same words."""
    found = ordered_funnel(frame(*letters(text)), asked(steps), **{"within": 7} | options)
    dates = found.select([*asked(steps)]).row(0, named=True)
    return " ".join(
        f"{name}{(date - day(0)).days}" for name, date in dates.items() if date is not None
    )


@pytest.mark.parametrize(
    ("text", "steps", "options", "chain"),
    [
        ("A1 B8", 2, {}, "A1 B8"),
        ("A1 B9", 2, {}, "A1"),
        ("A1 B9", 2, {"within": None}, "A1 B9"),
        ("A1 B5 C9", 3, {}, "A1 B5"),  # the window runs from the first step, not the one before
        ("A1 A3 B9", 2, {}, "A3 B9"),  # over all first events, not only the earliest
        ("B3 A3", 2, {}, "A3 B3"),  # ties count in favour
        ("B3 A4", 2, {}, "A4"),
        ("B3 A4", 2, {"mode": "any"}, "A4 B3"),
        ("B3 A11", 2, {"mode": "any"}, "A11"),
        ("B3", 2, {"mode": "any"}, ""),
        ("A1 C2 B3", 3, {}, "A1 B3"),
        ("A1 C2 B3", 3, {"mode": "strict"}, "A1"),
        ("A1 C1 B3", 3, {"mode": "strict"}, "A1 B3"),
        ("A1 C3 B3", 3, {"mode": "strict"}, "A1 B3 C3"),
        ("A1 B2 D2 C3", 4, {"mode": "strict"}, "A1 B2"),  # no order within day 2 lets D out
        ("A1 B2 A3 C4", 3, {"mode": "strict"}, "A1 B2"),
        ("A1 B2 B3 C4", 3, {"mode": "strict"}, "A1 B2 C4"),
        ("A1 C2", 3, {"optional": ["B"]}, "A1 C2"),
        ("A1 C2 B3 C4", 3, {"optional": ["B"]}, "A1 B3 C4"),  # with the optional step, if it can
        ("B2 C3", 3, {"optional": ["A"]}, "B2 C3"),
        ("A1 C2 B3", 3, {"exclude": {"event": 3}}, "A1"),
        ("A1 C1 B3", 3, {"exclude": {"event": 3}}, "A1 B3"),  # it may have come before A
        ("A1 C3 B3", 3, {"exclude": {"event": 3}}, "A1 B3"),  # or after B
        ("A1 B2 E2 C3", 3, {"exclude": {"event": 5}}, "A1 B2"),
        ("A1 E1 B2", 2, {"exclude": {"event": 5}, "mode": "any"}, "A1 B2"),
        ("A1 E1 B2 E2", 2, {"exclude": {"event": 5}, "mode": "any"}, "A1 B2"),
        ("B1 E2 A3", 2, {"exclude": {"event": 5}, "mode": "any"}, "A3"),
        ("A1 A2 B3 B4", 2, {}, "A2 B3"),  # first to end, then last to begin
    ],
)
def test_a_chain_is_what_the_definition_says(
    text: str, steps: int, options: Question, chain: str
) -> None:
    assert done(text, steps, **options) == chain


def test_one_event_serves_one_step_and_a_repeated_row_is_one_event() -> None:
    twice = {"opened": {"event": "opened"}, "opened again": {"event": "opened"}}
    once = [on(3, "opened"), on(3, "opened")]
    for mode in ("loose", "strict", "any"):
        one = ordered_funnel(frame(*once), twice, within=7, mode=mode)
        assert one["furthest"].to_list() == ["opened"]
        other = frame(*once, on(3, "opened", campaign_id=4))
        two = ordered_funnel(other, twice, within=7, mode=mode)
        assert two["furthest"].to_list() == ["opened again"]
        # An excluded event of the day on which a chain begins, or ends, may lie outside it.
        excluded = frame(*once, on(3, 5), on(4, "opened"), on(4, 5))
        same = ordered_funnel(excluded, twice, within=7, mode=mode, exclude={"event": 5})
        assert same["furthest"].to_list() == ["opened again"]


def test_events_of_one_day_are_matched_to_steps_not_taken_in_turn() -> None:
    # Taking the first event that fits for A would leave none for B.
    steps = {"A": pl.col("event_id") <= 2, "B": pl.col("event_id") == 1, "C": step(event=[2, 3])}
    rows = frame(on(3, 1), on(3, 2), on(3, 3))
    for mode in ("loose", "strict", "any"):
        assert ordered_funnel(rows, steps, within=0, mode=mode)["furthest"].item() == "C"
        assert ordered_funnel(rows[:2], steps, within=0, mode=mode)["furthest"].item() == "B"


def random_rows(chance: random.Random, customers: int, kinds: int) -> list[dict[str, Any]]:
    span = chance.choice([3, 6, 12])
    rows: list[dict[str, Any]] = []
    for customer in range(customers):
        for _ in range(chance.randint(0, 6)):
            row = on(
                chance.randint(1, span),
                chance.randint(1, kinds),
                customer_id=f"c{customer:02}",
                campaign_id=chance.randint(1, 2),
                data_through=day(span),
            )
            rows += [row] * chance.choice([1, 1, 1, 2])
    return rows


def all_chains(
    rows: list[dict[str, Any]], sets: list[list[int]], excluded: list[int], want: Asked
) -> dict[str, dict[int, dt.date]]:
    """Return each customer's best chain by the oracle."""
    own: dict[str, set[tuple[dt.date, int, int]]] = {}
    for row in rows:
        event = (row["date"], row["event_id"], row["campaign_id"])
        own.setdefault(row["customer_id"], set()).add(event)
    return {
        customer: best(
            [
                Event(
                    date,
                    frozenset(i for i, ids in enumerate(sets, 1) if kind in ids),
                    kind in excluded,
                )
                for date, kind, _ in sorted(events)
            ],
            want,
        )
        for customer, events in own.items()
    }


@settings(LAW, max_examples=33)
@given(seed=SEED)
def test_of_all_chains_there_are_the_best_is_found(seed: int) -> None:
    chance = seeded(seed)
    number = chance.randint(1, 4)
    mixed = chance.random() < 0.6
    sets = [chance.sample(range(1, 6), chance.randint(1, 2)) for _ in range(number)]
    sets = sets if mixed else [[i] for i in range(1, number + 1)]
    excluded = chance.choice([[], [5], [5, 1]])
    rows = random_rows(chance, 25, 5)
    names = [f"s{i}" for i in range(1, number + 1)]
    optional = [i for i in range(1, number + 1) if chance.random() < 0.3]
    want = Asked(
        steps=number,
        within=chance.choice([None, 0, 2, 4]),
        mode=chance.choice(["loose", "strict", "any"]),
        optional=optional,
    )
    options: Question = {
        "within": want.within,
        "mode": want.mode,
        "optional": [names[i - 1] for i in optional],
        "exclude": {"event": excluded} if excluded else None,
    }
    steps = {name: pl.col("event_id").is_in(ids) for name, ids in zip(names, sets, strict=True)}
    excluding = {kind: (kind in excluded) for kind in range(1, 6)}
    sets_left = [[kind for kind in ids if not excluding[kind]] for ids in sets]
    expected = all_chains(rows, sets_left, excluded, want)
    found = ordered_funnel(frame(*rows), steps, **options)
    for row in found.iter_rows(named=True):
        chain = expected.pop(row["customer_id"])
        have = {i: row[name] for i, name in enumerate(names, 1) if row[name] is not None}
        assert have == chain
        assert row["position"] == max(chain, default=0)
        assert row["furthest"] == (names[max(chain) - 1] if chain else None)
        assert row["steps"] == len(chain)
        assert row["days"] == ((max(chain.values()) - min(chain.values())).days if chain else None)
        required = [i for i in range(1, number + 1) if i not in optional]
        assert row["completed"] == (max(chain, default=0) >= max(required, default=1))
    assert not expected

    # Counted are chains that began so early that their window has closed.
    counted = ordered_funnel_counts(frame(*rows), steps, **options)
    through = max((row["data_through"] for row in rows), default=None)
    if want.within is not None and through is not None:
        closed = through - dt.timedelta(days=want.within)
        want = Asked(
            steps=number,
            within=want.within,
            mode=want.mode,
            optional=optional,
            last_start=closed,
        )
    mature = [chain for chain in all_chains(rows, sets_left, excluded, want).values() if chain]
    entered = found["position"] > 0
    for row in counted.iter_rows(named=True):
        assert row["customers"] == sum(row["position"] in chain for chain in mature)
        assert row["entered"] == len(mature)
        assert row["n_immature"] == entered.sum() - len(mature)
        assert row["audience"] == found.height


def window_funnel(rows: pl.DataFrame, path: Path, steps: int, within: int, mode: str) -> list[int]:
    """Return ClickHouse's level of each customer, in their order."""
    rows.select("customer_id", "date", "event_id").write_parquet(path)
    conditions = ", ".join(f"event_id = {i}" for i in range(1, steps + 1))
    modes = f", '{mode}'" if mode else ""
    sql = f"""
        SELECT windowFunnel({within}{modes})(toUInt32(toDate(date)), {conditions}) AS level
        FROM file('{path}', Parquet) GROUP BY customer_id ORDER BY customer_id
    """
    answer = str(chdb.query(sql, "TabSeparated"))
    return [int(line) for line in answer.split()]


def in_world(seed: int, *, once: bool = False, apart: bool = False) -> pl.DataFrame:
    """Return many customers; each step once for each, or each day with one event, if told to."""
    chance = seeded(seed)
    rows = frame(*random_rows(chance, 300, 4), *letters("A1", customer_id="c00"))
    if once:
        rows = rows.sample(fraction=1, shuffle=True, seed=seed)
        rows = rows.unique(["customer_id", "event_id"], keep="first", maintain_order=True)
    return (
        rows.unique(["customer_id", "date"], keep="first", maintain_order=True) if apart else rows
    )


def levels(rows: pl.DataFrame, **options: Any) -> list[int]:
    return ordered_funnel(rows, asked(4), **options)["position"].to_list()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("within", [0, 2, 5])
def test_loose_is_what_clickhouse_counts(tmp_path: Path, seed: int, within: int) -> None:
    # Both count ties in favour, end the window inclusively, and try every first event.
    rows = in_world(seed)
    ours = levels(rows, within=within)
    assert ours == window_funnel(rows, tmp_path / "rows.parquet", 4, within, "")
    assert ours == window_funnel(rows, tmp_path / "rows.parquet", 4, within, "strict_once")


@pytest.mark.parametrize("seed", range(4))
def test_clickhouses_strict_increase_is_loose_without_ties(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "rows.parquet"
    rows = in_world(seed, apart=True)
    assert levels(rows, within=5) == window_funnel(rows, path, 4, 5, "strict_increase")
    # With ties it wants later days, where we, having days only, count in favour.
    rows = in_world(seed)
    theirs = window_funnel(rows, path, 4, 5, "strict_increase")
    assert all(our >= their for our, their in zip(levels(rows, within=5), theirs, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_clickhouses_strict_deduplication_is_loose_without_repeats(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "rows.parquet"
    rows = in_world(seed, once=True)
    assert levels(rows, within=5) == window_funnel(rows, path, 4, 5, "strict_deduplication")
    # A repeated step ends its chain, where for us repeats are other events between.
    rows = in_world(seed)
    theirs = window_funnel(rows, path, 4, 5, "strict_deduplication")
    assert all(our >= their for our, their in zip(levels(rows, within=5), theirs, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_clickhouses_strict_order_is_strict_without_repeats(tmp_path: Path, seed: int) -> None:
    # With repeats it is neither more nor less: it stops at the first event out of order, though a
    # later chain would hold ("A1 C2 A3 B4": 1, ours 2), and lets a step that was done already lie
    # between ("A1 B2 A3 C4": 3, ours 2).
    path = tmp_path / "rows.parquet"
    rows = in_world(seed, once=True, apart=True)
    assert levels(rows, within=40, mode="strict") == window_funnel(
        rows, path, 4, 40, "strict_order"
    )
    for text, theirs, ours in (("A1 C2 A3 B4", 1, 2), ("A1 B2 A3 C4", 3, 2)):
        one = frame(*letters(text))
        assert window_funnel(one, path, 3, 40, "strict_order") == [theirs]
        found = ordered_funnel(one, asked(3), within=40, mode="strict")
        assert found["position"].to_list() == [ours]


@LONG_LAW
@given(rows=worlds(), steps=WAYS, question=QUESTIONS, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_of_rows_matter(
    rows: pl.DataFrame, steps: Any, question: Question, chance: Any
) -> None:
    found = ordered_funnel(rows, steps, **question)
    counts = ordered_funnel_counts(rows, steps, **question)
    shuffled = rows[chance.sample(range(rows.height), rows.height)]
    assert_frame_equal(ordered_funnel(shuffled, steps, **question), found)
    assert_frame_equal(ordered_funnel_counts(shuffled, steps, **question), counts)
    twice = pl.concat([rows, shuffled])
    again = ordered_funnel(twice, steps, **question)
    assert_frame_equal(again.drop("n_left_out"), found.drop("n_left_out"))
    more = ordered_funnel_counts(twice, steps, **question)
    assert_frame_equal(more.drop("notes"), counts.drop("notes"))


@LONG_LAW
@given(rows=worlds(), more=worlds(), steps=WAYS, question=QUESTIONS)
def test_wider_windows_looser_modes_and_more_events_lower_nothing(
    rows: pl.DataFrame, more: pl.DataFrame, steps: Any, question: Question
) -> None:
    def position(frame: pl.DataFrame, **changed: Any) -> pl.Series:
        found = ordered_funnel(frame, steps, **question | changed)
        known = found.join(rows.select("customer_id").unique(), on="customer_id", how="semi")
        return known["position"]

    before = pl.zeros(rows["customer_id"].n_unique(), dtype=pl.Int64, eager=True)
    for within in (0, 1, 2, 7, 30, None):
        now = position(rows, within=within)
        assert (now >= before).all()
        before = now
    strict, loose, either = (position(rows, mode=mode) for mode in ("strict", "loose", "any"))
    assert (strict <= loose).all()
    assert (loose <= either).all()
    added = position(pl.concat([rows, more]), mode="loose", exclude=None)
    assert (added >= position(rows, mode="loose", exclude=None)).all()
    assert (position(rows, exclude=None) >= position(rows)).all()


@LAW
@given(rows=worlds(), steps=WAYS, question=QUESTIONS)
def test_other_names_permute_customers_and_one_alone_gets_the_same_row(
    rows: pl.DataFrame, steps: Any, question: Question
) -> None:
    found = ordered_funnel(rows, steps, **question)
    other = {"A": "z", "B": "00", "C": "A", "007": "B"}
    renamed = ordered_funnel(
        rows.with_columns(pl.col("customer_id").replace(other)), steps, **question
    )
    expected = found.with_columns(pl.col("customer_id").replace(other)).sort("customer_id")
    assert_frame_equal(renamed, expected)
    for customer in found["customer_id"]:
        alone = ordered_funnel(rows.filter(customer_id=customer), steps, **question)
        assert_frame_equal(alone, found.filter(customer_id=customer))


@LONG_LAW
@given(rows=worlds(), steps=WAYS, question=QUESTIONS)
def test_a_chain_keeps_to_its_group_and_lazy_is_eager(
    rows: pl.DataFrame, steps: Any, question: Question
) -> None:
    by: Question = {"by": ["campaign_id", pl.col("template_id").is_null().alias("plain")]}
    for ask in (ordered_funnel, ordered_funnel_counts):
        found = ask(rows, steps, **question, **by)
        lazy = ask(rows.lazy(), steps, **question, **by)
        assert lazy.collect_schema() == found.schema
        assert_frame_equal(lazy.collect(), found)
        for campaign, plain in found.select("campaign_id", "plain").unique().iter_rows():
            group = rows.filter(
                pl.col("campaign_id").eq_missing(campaign), pl.col("template_id").is_null() == plain
            )
            own = found.filter(pl.col("campaign_id").eq_missing(campaign), plain=plain)
            assert_frame_equal(own.drop("campaign_id", "plain"), ask(group, steps, **question))


@LAW
@given(rows=worlds(), steps=WAYS, question=QUESTIONS)
def test_the_counts_are_those_of_the_customers_where_all_is_mature(
    rows: pl.DataFrame, steps: Any, question: Question
) -> None:
    found = ordered_funnel(rows, steps, **question)
    counts = ordered_funnel_counts(rows, steps, as_of=dt.date(2030, 1, 1), **question)
    assert counts["step"].to_list() == [*steps]
    required = found.filter(pl.col("position") > 0).height
    for row in counts.iter_rows(named=True):
        k, n = row["customers"], row["entered"]
        assert k == found[row["step"]].count()
        assert n == (found["position"] > 0).sum()
        assert (row["n_immature"], row["small"], row["unit"]) == (0, True, "customer")
        if row["position"] > 1:
            assert row["previous"] == required
        else:
            assert row["previous"] is None
        for over, rate in ((n, "overall"), (row["previous"], "step")):
            ends = [row[f"{rate}_{end}"] for end in ("rate", "lo", "hi")]
            if over:
                wilson = proportion_confint(k, over, method="wilson")
                assert ends == pytest.approx([k / over, *wilson], abs=1e-12)
            else:
                assert ends == [None] * 3
        start = pl.min_horizontal(*steps)
        days = found.select((pl.col(row["step"]) - start).dt.total_days().median()).item()
        assert row["median_days"] == days
        if not row["optional"]:
            required = k


def test_a_window_that_is_still_open_counts_nowhere() -> None:
    rows = frame(
        *letters("A1 B2", customer_id="early"),
        *letters("A9 B9", customer_id="late"),
        *letters("A1 A9 B9", customer_id="both"),
    ).with_columns(data_through=pl.lit(day(10)))
    counts = ordered_funnel_counts(rows, asked(2), within=7)
    assert counts["customers"].to_list() == [2, 1]  # "both": the chain from day 1 is a failure
    assert counts["n_immature"].to_list() == [1, 1]
    assert counts["as_of"].to_list() == [day(10)] * 2
    later = ordered_funnel_counts(rows, asked(2), within=7, as_of=day(16))
    assert later["customers"].to_list() == [3, 3]
    assert ordered_funnel_counts(rows, asked(2), within=None)["customers"].to_list() == [3, 3]
    assert ordered_funnel_counts(rows, asked(2), within=7, as_of=day(-99))["entered"][0] == 0


def test_what_is_left_out_is_said() -> None:
    rows = frame(
        on(1, 1),
        on(None, 2),
        on(2, 2, action_id=1),
        on(2, None),
        on(2, 17),
        on(3, 2, action_id=None),
    ).with_columns(data_through=pl.lit(None, pl.Date))
    found = ordered_funnel(rows, asked(2), within=7)
    assert found.select("furthest", "n_left_out").row(0) == ("B", 2)
    assert ordered_funnel_counts(rows, asked(2), within=7)["notes"][0].to_list() == [
        "1 customer taken as mature: no data_through says how far the data goes (or as_of=).",
        "1 event of the control group left out (action 1).",
        "1 event without a date, in no step.",
    ]
    assert ordered_funnel_counts(frame(on(1, 1)), asked(2), within=7)["notes"][0].to_list() == []


@pytest.mark.parametrize("mode", ["loose", "strict", "any"])
def test_hostile_frames_have_typed_answers(mode: Any) -> None:
    options: Question = {"within": 7, "mode": mode, "exclude": {"event": 5}, "optional": ["B"]}
    nobody = frame(on(None, None, customer_id="A"), on(3, 17, customer_id=None))
    far = frame(
        on(1, 1, date=dt.date(1, 1, 1)),
        on(1, 2, date=dt.date(9999, 12, 31)),
        on(1, 1, customer_id="B"),
    )
    for rows in (INTERACTIONS.empty(), nobody, far):
        found = ordered_funnel(rows, asked(3), **options)
        assert found.schema == ORDERED_FUNNEL.schema | dict.fromkeys("ABC", pl.Date())
        assert found.height == rows["customer_id"].n_unique()
        counts = ordered_funnel_counts(rows, asked(3), by="channel_id", **options)
        assert counts.drop("channel_id").schema == ORDERED_FUNNEL_COUNTS.schema
        assert counts.height == 3 * rows["channel_id"].n_unique()
    assert ordered_funnel(nobody, asked(3), **options)["position"].to_list() == [0, 0]
    anytime = ordered_funnel(far, asked(2), within=None, mode=mode)
    assert anytime["days"].to_list() == [(dt.date(9999, 12, 31) - dt.date(1, 1, 1)).days, 0]


def test_steps_are_said_in_words_or_in_polars() -> None:
    rows = frame(on(1, "opened"), on(2, "clicked", channel_id=506, action_id=None))
    mine = Catalogue(channels={504: "Newsletter", 506: "App"}, kinds={504: "email", 506: "push"})
    steps = {"a": {"channel": "newsletter", "event": "opened"}, "b": {"channel": "push"}}
    found = ordered_funnel(rows, steps, within=7, catalogue=mine)
    assert found["furthest"].item() == "b"
    for word in (
        step(channel="Push", event=4),
        step(channel=[504, 506], action_id=None),
        step(event="clicked") & (pl.col("campaign_id") == 3),
    ):
        assert rows.filter(word).height == 1
    assert rows.filter(step(event=[])).height == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": {}}, "must map the steps' names"),
        ({"steps": {"furthest": step(event=1)}}, "is a column of the result"),
        (
            {"steps": {"campaign_id": step(event=1)}, "by": "campaign_id"},
            "is a column of the result",
        ),
        ({"steps": {3: step(event=1)}}, "must be text"),
        ({"steps": {"A": "opened"}}, "must be an expression or words"),
        ({"steps": {"A": {"event": "open"}}}, "did you mean 'opened'"),
        ({"steps": {"A": {"channel": "Mail"}}}, "channel='Mail' is not known"),
        ({"steps": {"A": {}}}, "needs a condition"),
        ({"steps": {"A": {1: 2}}}, "must map columns' names"),
        ({"steps": {"A": {"nothing": 2}}}, "step 'A' cannot be asked"),
        ({"steps": {"A": pl.col("event_id")}}, "true or false; this one is Int64"),
        ({"steps": {"A": pl.all() == 1}}, "stands for many columns"),
        ({"steps": {f"{i}": step(event=1) for i in range(17)}}, "16 at most"),
        ({"steps": {f"{i}": step(event=i) for i in range(7)}, "optional": "0123456"}, "6 at most"),
        ({"within": -1}, "must be a number of days"),
        ({"within": 10**12}, "0 to 4,000,000, or None"),
        ({"within": True}, "must be a number of days"),
        ({"mode": "lose"}, "did you mean 'loose'"),
        ({"optional": ["D"]}, "optional='D' is not known"),
        ({"exclude": pl.col("date")}, "exclude must be a condition"),
        ({"by": "customer_id"}, "is the name of a column of the result"),
        ({"by": "nothing"}, "by= cannot be asked"),
    ],
)
def test_a_wrong_question_is_answered_with_what_would_be_right(
    options: Question, message: str
) -> None:
    if options.get("optional") == "0123456":
        options = options | {"optional": list("0123456")}
    question: Question = {"steps": asked(2), "within": 7} | options
    with pytest.raises(InputError, match=message):
        ordered_funnel(frame(on(1, 1)), **question)


def test_a_wrong_frame_or_day_is_an_error_of_ours() -> None:
    with pytest.raises(SchemaError, match="customer_id"):
        ordered_funnel(pl.DataFrame({"date": []}), asked(2), within=7)
    wrong: Any = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
    with pytest.raises(InputError, match="as_of"):
        ordered_funnel_counts(frame(), asked(2), within=7, as_of=wrong)
    with pytest.raises(InputError, match="no event id means that"):
        step(catalogue=Catalogue(events={1: "sent"}), event="opened")
