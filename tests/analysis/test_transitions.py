"""Transitions by hand, against plain Python, and the laws that they keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import CALLS, EMAIL, PUSH, SMS, UNKNOWN, frame, on
from analysis.intervals import interval
from analysis.oracle import Numbers, Rules, _judged, assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, transitions
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, TRANSITIONS

LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORLD = worlds.interactions()
ASSUME = st.sampled_from([None, True, False])
BY = st.sampled_from([[], [], ["campaign_id"], ["customer_id"], ["action_id", "template_id"]])
ENDS = ["from_channel_id", "to_channel_id"]


def sent(*messages: tuple[int, int | None], **ids: Any) -> list[dict[str, Any]]:
    """One message a day and channel, each of a campaign of its own."""
    return [
        on(day, "sent", channel_id=channel, campaign_id=number, **ids)
        for number, (day, channel) in enumerate(messages)
    ]


def counts(rows: list[dict[str, Any]], **options: Any) -> dict[tuple[Any, Any], int]:
    found = transitions(frame(*rows), **options)
    return {(a, b): n for a, b, n in found.select(*ENDS, "n").iter_rows()}


def ties(rows: list[dict[str, Any]]) -> tuple[int, float]:
    found = transitions(frame(*rows))
    (pair,) = set(found.select("n_tied", "tied_share").iter_rows())
    return pair


def test_each_message_leads_to_the_next_in_days_however_long_it_takes() -> None:
    rows = sent((9, SMS), (3, EMAIL), (4, EMAIL), (200, EMAIL))
    assert counts(rows) == {(EMAIL, EMAIL): 1, (EMAIL, SMS): 1, (SMS, EMAIL): 1}
    found = transitions(frame(*rows))
    assert found.select("from_channel", "to_channel", "share", "n_from").rows() == [
        ("E-mail", "E-mail", 0.5, 2),
        ("E-mail", "SMS", 0.5, 2),
        ("SMS", "E-mail", 1.0, 1),
    ]
    assert ties(rows) == (0, 0.0)


def test_a_day_with_several_channels_has_no_order_within_nor_before_nor_after() -> None:
    rows = sent((1, EMAIL), (2, EMAIL), (3, EMAIL), (3, SMS), (4, EMAIL), (5, PUSH))
    assert counts(rows) == {(EMAIL, EMAIL): 1, (EMAIL, PUSH): 1}
    assert ties(rows) == (3, 3 / 5)


def test_a_day_with_several_messages_of_one_channel_is_a_tie_within_only() -> None:
    rows = sent((1, SMS), (2, EMAIL), (2, EMAIL), (2, EMAIL), (3, PUSH))
    assert counts(rows) == {(SMS, EMAIL): 1, (EMAIL, PUSH): 1}
    assert ties(rows) == (2, 2 / 4)


def test_customers_do_not_lead_to_one_another() -> None:
    rows = sent((1, EMAIL), (2, SMS)) + sent((3, PUSH), (4, EMAIL), customer_id="B")
    rows += sent((1, SMS), customer_id="C")
    assert counts(rows) == {(EMAIL, SMS): 1, (PUSH, EMAIL): 1}
    # Nor is one without an id followed by the nothing after the last row.
    nobody = sent((1, EMAIL), (2, SMS), customer_id=None) + sent((3, SMS))
    assert counts(nobody) == {(EMAIL, SMS): 1}
    assert ties(nobody) == (0, 0.0)


def test_a_pair_keeps_to_one_group() -> None:
    rows = [
        on(1, "sent", template_id=1),
        on(2, "sent", template_id=2, channel_id=SMS),
        on(3, "sent", template_id=1, channel_id=PUSH),
    ]
    assert counts(rows) == {(EMAIL, SMS): 1, (SMS, PUSH): 1}
    found = transitions(frame(*rows), by="template_id")
    assert found.select("template_id", *ENDS, "n").rows() == [(1, EMAIL, PUSH, 1)]


def test_a_group_that_has_ties_only_says_so_in_one_row() -> None:
    found = transitions(frame(*sent((3, EMAIL), (3, SMS))))
    assert found.height == 1
    row = found.row(0, named=True)
    assert [row[name] for name in (*ENDS, "from_channel", "to_channel", "share", "lo")] == [
        None
    ] * 6
    assert (row["n"], row["n_from"], row["n_tied"], row["tied_share"]) == (0, 0, 1, 1.0)
    assert row["notes"] == ["Every pair is a tie."]
    assert transitions(frame(*sent((3, EMAIL)))).height == 0


def test_a_channel_without_an_id_is_one_and_unknown_ones_are_named_by_id() -> None:
    found = transitions(frame(*sent((1, None), (2, None), (3, UNKNOWN), (4, CALLS))))
    assert found.select("from_channel", "to_channel").rows() == [
        ("channel (no id)", "channel (no id)"),
        ("channel (no id)", "channel 7 (unnamed)"),
        ("channel 7 (unnamed)", "Call centre"),
    ]


def test_only_sends_count_and_what_is_left_out_is_said() -> None:
    rows = [
        *sent((1, EMAIL), (3, SMS)),
        on(2, "bounced", channel_id=EMAIL, campaign_id=0),
        on(2, "sent", channel_id=PUSH, action_id=1),
        on(2, "opened", channel_id=EMAIL, campaign_id=77),
        on(None, "sent", campaign_id=78),
    ]
    assert counts(rows) == {(EMAIL, SMS): 1}
    found = transitions(frame(*rows)).row(0, named=True)
    assert found["n_unobserved"] == 1
    assert [note.split(" ", 2)[2][:20] for note in found["notes"]] == [
        "without a sent row l",
        "of the control group",
        "without any date lef",
    ]
    assert counts(rows, assume_sent=True) == {(EMAIL, EMAIL): 1, (EMAIL, SMS): 1}


@pytest.mark.parametrize(("names", "method"), [("A", "wilson"), ("AB", "wilson-cluster")])
def test_from_two_customers_on_the_interval_is_called_clustered(names: str, method: str) -> None:
    rows = [row for name in names for row in sent((3, EMAIL), (4, SMS), customer_id=name)]
    assert transitions(frame(*rows))["method"].to_list() == [method]


def test_the_interval_has_the_customer_as_the_cluster() -> None:
    # By hand: customers with (to SMS, from e-mail) of (4, 4), (0, 4), (4, 4), (0, 4): p = 1/2;
    # residuals 4 * 2^2 = 16, variance 16 * 4/3 / 16^2 = 1/12, against 1/64: n = 16 * 12/64 = 3.
    turns = {EMAIL: [EMAIL] * 5, SMS: [EMAIL, SMS] * 4}
    rows = [
        row
        for name, channel in zip("ABCD", [SMS, EMAIL, SMS, EMAIL], strict=True)
        for row in sent(*enumerate(turns[channel], start=1), customer_id=name)
    ]
    found = transitions(frame(*rows)).filter(from_channel_id=EMAIL, to_channel_id=SMS)
    row = found.row(0, named=True)
    assert (row["n"], row["n_from"], row["customers"], row["small"]) == (8, 16, 4, True)
    assert row["n_effective"] == pytest.approx(3)
    assert (row["lo"], row["hi"]) == pytest.approx(interval([(4, 4), (0, 4), (4, 4), (0, 4)]))
    one = transitions(frame(*sent(*enumerate([EMAIL, SMS] * 20)))).row(0, named=True)
    assert (one["method"], one["n_effective"], one["n_from"]) == ("wilson", 20, 20)
    many = transitions(frame(*sent(*enumerate([EMAIL] * 31)))).row(0, named=True)
    assert (many["small"], many["n_from"]) == (False, 30)


# Against plain Python, and laws


def reference(path: Path, by: Sequence[str], *, assume_sent: bool | None) -> Numbers:
    """Pairs of neighbours in each customer's list, ties found pair by pair."""
    lists: dict[tuple[Any, ...], dict[Any, list[Any]]] = {}
    for row in _judged(path, Rules(window=None, assume_sent=assume_sent)):
        if row["fate"] == "counted":
            key = tuple(row[name] for name in by)
            mine = lists.setdefault(key, {}).setdefault(row["customer_id"], [])
            mine.append((row["send_date"], row["channel_id"]))
    result: Numbers = {}
    for key, customers in lists.items():
        seen: dict[Any, Counter[Any]] = {}
        tied = total = 0
        for customer, messages in customers.items():
            channels: dict[Any, set[Any]] = {}
            for day, channel in messages:
                channels.setdefault(day, set()).add(channel)
            for (day, one), (later, two) in pairwise(sorted(messages, key=lambda m: m[0])):
                total += 1
                if day == later or len(channels[day]) > 1 or len(channels[later]) > 1:
                    tied += 1
                else:
                    seen.setdefault(customer, Counter())[one, two] += 1
        every = sum(seen.values(), Counter())
        for one, two in every or ([(None, None)] if total else []):
            pairs = [
                (c[one, two], sum(n for (start, _), n in c.items() if start == one))
                for c in seen.values()
            ]
            ends = interval(pairs) or (None, None)
            n = sum(n for _, n in pairs)
            result[*key, one, two] = {
                "n": every[one, two],
                "n_from": n,
                "share": every[one, two] / n if n else None,
                "lo": ends[0],
                "hi": ends[1],
                "customers": sum(n > 0 for _, n in pairs),
                "n_tied": tied,
                "tied_share": tied / total,
            }
    return result


@LAW
@given(world=WORLD, by=BY, assume_sent=ASSUME)
def test_plain_python_finds_the_same(
    world: pl.DataFrame, by: list[str], assume_sent: Any, tmp_path_factory: Any
) -> None:
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    world.write_parquet(path)
    expected = reference(path, by, assume_sent=assume_sent)
    assert_equal(transitions(world, by=by, assume_sent=assume_sent), [*by, *ENDS], expected)


@LAW
@given(world=WORLD, by=BY, assume_sent=ASSUME)
def test_the_shares_of_a_channel_add_up_to_1_and_lie_in_their_intervals(
    world: pl.DataFrame, by: list[str], assume_sent: Any
) -> None:
    found = transitions(world, by=by, assume_sent=assume_sent).filter(pl.col("n") > 0)
    sums = found.group_by(*by, "from_channel").agg(
        pl.col("share").sum(), pl.col("n").sum(), pl.col("n_from").first()
    )
    assert sums.select(((pl.col("share") - 1).abs() < 1e-12).all()).item()
    assert sums["n"].equals(sums["n_from"], check_names=False)
    inside = pl.col("share").is_between(pl.col("lo") - 1e-12, pl.col("hi") + 1e-12)
    assert found.select(inside.all()).item()
    assert found.select((pl.col("n_effective") <= pl.col("n_from")).all()).item()


@LAW
@given(world=WORLD, by=BY, assume_sent=ASSUME, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter_and_lazy_gives_what_eager_gives(
    world: pl.DataFrame, by: list[str], assume_sent: Any, chance: Any
) -> None:
    options: dict[str, Any] = {"by": by, "assume_sent": assume_sent}
    plain = transitions(world, **options)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(transitions(shuffled, **options), plain)
    assert_frame_equal(transitions(pl.concat([world, world]), **options), plain)
    lazy = transitions(world.lazy(), **options)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == plain.schema
    assert_frame_equal(lazy.collect(), plain)
    group = {name: world.schema[name] for name in by}
    assert list(plain.schema.items()) == [*group.items(), *TRANSITIONS.schema.items()]
    never = [column.name for column in TRANSITIONS.columns if not column.nulls]
    assert plain.select(never).null_count().sum_horizontal().to_list() == [0]


@LAW
@given(world=WORLD)
def test_channels_of_other_ids_make_the_same_transitions_and_one_customer_alone_too(
    world: pl.DataFrame,
) -> None:
    says = Catalogue(channels={}, reports_sent=True)
    plain = transitions(world, catalogue=says).drop("from_channel", "to_channel")
    other = world.with_columns(channel_id=1000 - pl.col("channel_id"))
    back = transitions(other, catalogue=says).drop("from_channel", "to_channel")
    back = back.with_columns((1000 - pl.col(name)).alias(name) for name in ENDS).sort(ENDS)
    assert_frame_equal(back, plain)
    among = transitions(world, by="customer_id", catalogue=says)
    for customer in world["customer_id"].unique():
        alone = transitions(world.filter(customer_id=customer), catalogue=says)
        assert_frame_equal(alone, among.filter(customer_id=customer).drop("customer_id"))


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_few_rows_and_none_give_the_documented_table(rows: pl.DataFrame) -> None:
    for by in ([], ["campaign_id"]):
        found = transitions(rows, by=by)
        assert dict(list(found.schema.items())[len(by) :]) == dict(TRANSITIONS.schema)
        assert found.height == 0
    assert transitions(INTERACTIONS.empty().drop("data_through")).height == 0


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        transitions(frame(on(3, "sent")).drop("date"))
    wrong: Any = "both"
    with pytest.raises(InputError, match="assume_sent='both' is not known"):
        transitions(frame(), assume_sent=wrong)
    with pytest.raises(InputError, match="name of a column of the result"):
        transitions(frame(), by="n_from")
    mine = frame(*sent((1, EMAIL), (2, SMS))).with_columns(_all=pl.lit("x"), channel=pl.lit("y"))
    assert transitions(mine, by=["_all", "channel"])["n"].to_list() == [1]
