"""The overlap by hand, against plain Python and the funnel, and the laws that it keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import CALLS, EMAIL, IN_APP, PUSH, SMS, UNKNOWN, frame, on
from analysis.intervals import wilson
from analysis.oracle import STAGES_OF, Numbers, Rules, _judged, assert_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, funnel, overlap
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, OVERLAP

LAW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORLD = worlds.interactions()
OF = st.sampled_from(["sent", "delivered", "engaged"])
BY = st.sampled_from([[], [], ["campaign_id"], ["customer_id"], ["action_id", "template_id"]])


def got(customer: str, *channels: int | None, event: str = "sent") -> list[dict[str, Any]]:
    """One message a channel, each with its send, and the event on the day after."""
    events = ["sent"] if event == "sent" else ["sent", event]
    return [
        on(3 + place, what, channel_id=channel, customer_id=customer)
        for channel in channels
        for place, what in enumerate(events)
    ]


def sets(rows: Sequence[dict[str, Any]], **options: Any) -> dict[tuple[Any, ...], int]:
    found = overlap(frame(*rows), **options)
    return {tuple(ids): n for ids, n in found.select("channel_ids", "customers").iter_rows()}


def sizes_of(found: pl.DataFrame) -> dict[Any, int]:
    """How many customers each channel reached at all."""
    pair = ("channel_ids", "channel_customers")
    return dict(found.select(pair).explode(pair, empty_as_null=False).iter_rows())


def test_each_customer_is_in_the_set_of_exactly_the_channels_that_reached_them() -> None:
    rows = got("A", EMAIL, SMS) + got("B", EMAIL) + got("C", EMAIL) + got("D", PUSH)
    rows += [on(9, "sent", customer_id="B", campaign_id=8)]  # twice by e-mail is once
    found = overlap(frame(*rows))
    columns = ("channels", "n_channels", "customers", "total", "channel_customers", "messages")
    assert found.select(columns).rows() == [
        (["E-mail"], 1, 2, 4, [3], 3),
        (["Push"], 1, 1, 4, [1], 1),
        (["E-mail", "SMS"], 2, 1, 4, [3, 1], 2),
    ]
    assert found["share"].to_list() == [0.5, 0.25, 0.25]
    # Wilson's interval of 2 of 4, by hand: (2 + z2/2 -+ z sqrt(1 + z2/4)) / (4 + z2).
    assert found.select(pl.col("lo", "hi").round(4)).row(0) == (0.15, 0.85)


def test_whom_nothing_engaged_is_in_the_empty_set() -> None:
    rows = got("A", EMAIL, SMS, event="clicked") + got("B", EMAIL, event="opened") + got("C", SMS)
    assert sets(rows, of="engaged") == {(): 1, (EMAIL,): 1, (EMAIL, SMS): 1}
    assert sets(rows, of="engaged", opens="ignore") == {(): 2, (EMAIL, SMS): 1}
    assert sets(rows) == {(EMAIL,): 1, (SMS,): 1, (EMAIL, SMS): 1}
    empty = overlap(frame(*rows), of="engaged").row(0, named=True)
    assert [empty[name] for name in ("channels", "channel_customers", "messages")] == [[], [], 0]


def test_what_came_after_the_window_or_bounced_reaches_nobody() -> None:
    late = [on(3, "sent"), on(11, "clicked")]
    assert sets(late, of="engaged") == {(): 1}
    assert sets(late, of="engaged", window=8) == {(EMAIL,): 1}
    assert "1 message whose first engagement came after the window." in (
        overlap(frame(*late), of="engaged")["notes"][0].to_list()
    )
    bounced = got("A", EMAIL, event="bounced") + got("A", SMS, event="delivered")
    assert sets(bounced) == {(EMAIL, SMS): 1}
    assert sets(bounced, of="delivered") == {(SMS,): 1}


def test_a_channel_whose_kind_has_no_deliveries_delivers_what_it_sent_and_says_so() -> None:
    found = overlap(frame(*got("A", IN_APP, EMAIL)), of="delivered")
    assert found["channels"].to_list() == [["In-app"]]
    assert "1 message of channels whose kind has no deliveries counted as sent." in (
        found["notes"][0].to_list()
    )
    calls = overlap(frame(*got("A", CALLS, EMAIL, event="clicked")), of="engaged")
    assert calls["channels"].to_list() == [["E-mail"]]
    assert "report nothing that is engagement" in str(calls["notes"][0].to_list())


def test_immature_control_and_unobserved_messages_reach_nobody_and_are_counted() -> None:
    rows = [
        *got("A", EMAIL),
        on(300, "sent", channel_id=SMS),
        on(3, "sent", channel_id=PUSH, action_id=1),
        on(3, "opened", channel_id=IN_APP),
        on(3, "sent", customer_id="B", action_id=1),
    ]
    assert sets(rows) == {(EMAIL,): 1}
    row = overlap(frame(*rows)).row(0, named=True)
    assert (row["total"], row["n_immature"], row["n_unobserved"]) == (1, 1, 1)
    assert "2 messages of the control group left out (action 1)." in row["notes"]
    assert sets(rows, assume_sent=True) == {(EMAIL, IN_APP): 1}


def test_a_channel_without_an_id_is_one_and_unknown_ones_are_named_by_id() -> None:
    found = overlap(frame(*got("A", None, UNKNOWN, EMAIL), *got("B", None)))
    assert found["channels"].to_list() == [
        ["channel (no id)"],
        ["E-mail", "channel (no id)", "channel 7 (unnamed)"],
    ]
    assert found["channel_ids"].to_list() == [[None], [EMAIL, None, UNKNOWN]]
    assert found["channel_customers"].to_list() == [[2], [1, 2, 1]]


def test_two_channels_of_one_name_stay_two() -> None:
    says = Catalogue(channels={1: "Mail", 2: "Mail"})
    found = overlap(frame(*got("A", 1, 2), *got("B", 2)), catalogue=says)
    assert found.select("channels", "channel_ids", "channel_customers").rows() == [
        (["Mail"], [2], [2]),
        (["Mail", "Mail"], [1, 2], [1, 2]),
    ]


def test_a_customer_without_an_id_is_one_customer() -> None:
    nobody: Any = None
    assert sets(got(nobody, EMAIL) + got(nobody, SMS)) == {(EMAIL, SMS): 1}


def test_a_customer_is_in_each_group_that_they_have_messages_of() -> None:
    rows = [on(3, "sent", template_id=1), on(3, "sent", template_id=2, channel_id=SMS)]
    found = overlap(frame(*rows), by="template_id")
    assert found.select("template_id", "channel_ids", "total").rows() == [
        (1, [EMAIL], 1),
        (2, [SMS], 1),
    ]


# Against plain Python and the funnel, and laws


def reference(path: Path, by: Sequence[str], of: str, **options: Any) -> Numbers:
    """The channels of each customer, one customer after another."""
    rules = Rules(**options)
    wanted = rules.engagement("engaged") if of == "engaged" else {of}
    groups: dict[tuple[Any, ...], dict[Any, dict[Any, int]]] = {}
    for row in _judged(path, rules):
        if row["fate"] == "counted":
            customers = groups.setdefault(tuple(row[name] for name in by), {})
            mine = customers.setdefault(row["customer_id"], {})
            deaf = of == "delivered" and of not in STAGES_OF.get(row["channel_id"], {of})
            if deaf or row["reached"] & wanted:
                mine[row["channel_id"]] = mine.get(row["channel_id"], 0) + 1
    result: Numbers = {}
    for key, customers in groups.items():
        sizes = Counter(channel for mine in customers.values() for channel in mine)
        for members in {frozenset(mine) for mine in customers.values()}:
            own = [mine for mine in customers.values() if set(mine) == members]
            k, n = len(own), len(customers)
            result[*key, members] = {
                "customers": k,
                "total": n,
                "share": k / n,
                "lo": max(wilson(k, n)[0], 0.0) if k else 0.0,
                "hi": min(wilson(k, n)[1], 1.0) if k < n else 1.0,
                "n_channels": len(members),
                "messages": sum(sum(mine.values()) for mine in own),
                "sizes": {channel: sizes[channel] for channel in members},
                "small": n < 30,
            }
    return result


@settings(LAW, max_examples=16)
@given(world=WORLD, by=BY, of=OF, options=worlds.RULES)
def test_plain_python_finds_the_same(
    world: pl.DataFrame, by: list[str], of: Any, options: dict[str, Any], tmp_path_factory: Any
) -> None:
    path: Path = tmp_path_factory.mktemp("world") / "rows.parquet"
    world.write_parquet(path)
    found = overlap(world, by=by, of=of, **options)
    pairs = [
        dict(zip(ids, sizes, strict=True))
        for ids, sizes in found.select("channel_ids", "channel_customers").iter_rows()
    ]
    ours = found.with_columns(
        members=pl.Series([frozenset(one) for one in pairs], dtype=pl.Object),
        sizes=pl.Series(pairs, dtype=pl.Object),
    )
    assert_equal(ours, [*by, "members"], reference(path, by, of, **options))


@LAW
@given(world=WORLD, options=worlds.RULES)
def test_a_channels_customers_are_those_of_the_funnel_that_counts_customers(
    world: pl.DataFrame, options: dict[str, Any]
) -> None:
    def of_channels(of: Any) -> dict[Any, int]:
        return sizes_of(overlap(world, of=of, **options))

    counted = funnel(world, unit="customer", **options).filter(pl.col("messages") > 0)
    by_stage = {
        stage: dict(counted.filter(stage=stage).select("channel_id", "messages").iter_rows())
        for stage in ("sent", "delivered")
    }
    assert of_channels("sent") == by_stage["sent"]
    delivered = of_channels("delivered")
    assert {channel: delivered[channel] for channel in by_stage["delivered"]} == (
        by_stage["delivered"]
    )


@LAW
@given(world=WORLD, by=BY, of=OF, options=worlds.RULES)
def test_the_sets_of_a_group_add_up_and_shares_lie_in_their_intervals(
    world: pl.DataFrame, by: list[str], of: Any, options: dict[str, Any]
) -> None:
    found = overlap(world, by=by, of=of, **options)
    if found.is_empty():
        return
    sums = (
        found.with_columns(_all=0)
        .group_by("_all", *by)
        .agg(pl.col("share").sum(), pl.col("customers").sum(), pl.col("total").unique())
    )
    assert sums.select(((pl.col("share") - 1).abs() < 1e-12).all()).item()
    assert sums["total"].to_list() == [[n] for n in sums["customers"]]
    assert found.select(pl.col("share").is_between(pl.col("lo"), pl.col("hi")).all()).item()
    assert found["channels"].to_list() == [sorted(names) for names in found["channels"].to_list()]
    first = found.group_by(by, maintain_order=True).first() if by else found.head(1)
    most = (
        found.group_by(by, maintain_order=True).max()
        if by
        else found.select(pl.col("customers").max())
    )
    assert first["customers"].to_list() == most["customers"].to_list()


@LAW
@given(world=WORLD, by=BY, of=OF, chance=st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter_and_lazy_gives_what_eager_gives(
    world: pl.DataFrame, by: list[str], of: Any, chance: Any
) -> None:
    options: dict[str, Any] = {"by": by, "of": of}
    plain = overlap(world, **options)
    shuffled = world[chance.sample(range(world.height), world.height)]
    assert_frame_equal(overlap(shuffled, **options), plain)
    twice = overlap(pl.concat([world, world]), **options)
    assert_frame_equal(twice.drop("notes"), plain.drop("notes"))  # they count rows
    lazy = overlap(world.lazy(), **options)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == plain.schema
    assert_frame_equal(lazy.collect(), plain)
    group = {name: world.schema[name] for name in by}
    assert list(plain.schema.items()) == [*group.items(), *OVERLAP.schema.items()]
    never = [column.name for column in OVERLAP.columns if not column.nulls]
    assert plain.select(never).null_count().sum_horizontal().to_list() == [0]


@LAW
@given(world=WORLD, of=OF)
def test_one_customer_alone_gets_what_they_get_among_all(world: pl.DataFrame, of: Any) -> None:
    says = Catalogue(reports_sent=True)
    among = overlap(world, by="customer_id", of=of, catalogue=says)
    for customer in world["customer_id"].unique():
        alone = overlap(world.filter(customer_id=customer), of=of, catalogue=says)
        assert_frame_equal(alone, among.filter(customer_id=customer).drop("customer_id"))


@LAW
@given(world=WORLD, options=worlds.RULES)
def test_who_was_engaged_by_a_channel_was_delivered_to_and_sent_to(
    world: pl.DataFrame, options: dict[str, Any]
) -> None:
    sizes: list[dict[Any, int]] = []
    for of in ("sent", "delivered", "engaged"):
        wanted: Any = of
        found = overlap(world, of=wanted, **options | {"implied": "lower"})
        sizes.append(sizes_of(found))
    for more, fewer in pairwise(sizes):
        assert all(more[channel] >= n for channel, n in fewer.items())


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent", action_id=1)), frame(on(None, 17))])
def test_no_message_that_counts_gives_the_documented_table_without_a_row(
    rows: pl.DataFrame,
) -> None:
    for by in ([], ["campaign_id"]):
        found = overlap(rows, by=by)
        assert dict(list(found.schema.items())[len(by) :]) == dict(OVERLAP.schema)
        assert found.height == 0
    assert overlap(INTERACTIONS.empty().drop("data_through")).height == 0


def test_wrong_input_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'date'"):
        overlap(frame(on(3, "sent")).drop("date"))
    wrong: Any = "opened"
    with pytest.raises(InputError, match="of='opened' is not known"):
        overlap(frame(), of=wrong)
    with pytest.raises(InputError, match="name of a column of the result"):
        overlap(frame(), by="channels")
    mine = frame(*got("A", EMAIL)).with_columns(_all=pl.lit("x"), channel=pl.lit("y"))
    assert overlap(mine, by=["_all", "channel"])["customers"].to_list() == [1]
