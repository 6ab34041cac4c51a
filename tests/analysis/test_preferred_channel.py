"""The preferred channel by hand, and against plain Python over the rows."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl
import pytest
from analysis import mix_laws, worlds
from analysis.events import CALLS, EMAIL, IN_APP, PUSH, SMS, UNKNOWN, day, frame, on, sends
from hypothesis import given
from hypothesis import strategies as st

from optimove_analysis import Catalogue, messages, preferred_channel
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import INTERACTIONS, PREFERRED_CHANNEL

RANKS = ["status", "rank", "channel", "engaged", "received"]
THROUGH = day(100)


def world(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows whose data is complete through a day near them."""
    return frame(*rows).with_columns(data_through=pl.lit(THROUGH))


def test_the_first_of_two_whose_intervals_part_is_preferred() -> None:
    found = preferred_channel(world(*sends(10, clicked=1), *sends(10, clicked=9, channel_id=SMS)))
    assert found.select(RANKS).rows() == [
        ("preferred", 1, "SMS", 9, 10),
        ("preferred", 2, "E-mail", 1, 10),
    ]
    # Wilson's interval of 9 of 10, by the formula
    z = 1.959963984540054
    half = z * math.sqrt(9 * 1 / 10 + z * z / 4)
    assert found["lo"][0] == pytest.approx((9 + z * z / 2 - half) / (10 + z * z))
    assert found["hi"][0] == pytest.approx((9 + z * z / 2 + half) / (10 + z * z))
    assert found.select("rate", "as_of", "lookback", "received_as").row(0) == (
        0.9, THROUGH, 180, "not bounced",
    )  # fmt: skip


def test_where_the_first_two_overlap_it_is_undecided() -> None:
    found = preferred_channel(world(*sends(10, clicked=4), *sends(10, clicked=8, channel_id=SMS)))
    assert found["lo"][0] < found["hi"][1]
    assert found["status"].to_list() == ["undecided"] * 2


@pytest.mark.parametrize(("received", "status"), [(2, "insufficient"), (3, "preferred")])
def test_a_channel_needs_three_messages_and_there_must_be_two_such(
    received: int, status: str
) -> None:
    rows = world(
        *sends(received), *sends(20, clicked=20, channel_id=SMS), *sends(2, channel_id=PUSH)
    )
    found = preferred_channel(rows)
    assert found["status"].to_list() == [status] * 3
    ranks = dict(found.select("channel", "rank").rows())
    assert ranks == {"SMS": 1, "E-mail": 2 if received == 3 else None, "Push": None}
    push = found.filter(channel_id=PUSH).row(0, named=True)
    assert push["rank"] is None
    assert "No rank: fewer than 3 messages were received." in push["notes"]


def test_ties_go_to_the_most_recently_engaged() -> None:
    rows = world(
        *sends(3), *sends(3, channel_id=SMS), *sends(3, channel_id=PUSH),
        on(5, "clicked", campaign_id=0),
        on(4, "clicked", campaign_id=0, channel_id=SMS),
        on(6, "clicked", campaign_id=0, channel_id=PUSH),
    )  # fmt: skip
    found = preferred_channel(rows)
    assert found["channel_id"].to_list() == [PUSH, EMAIL, SMS]
    assert found["last_engaged"].to_list() == [day(6), day(5), day(4)]
    none = preferred_channel(world(*sends(3), *sends(3, channel_id=SMS)))
    assert none.select("channel_id", "rank", "status", "last_engaged").rows() == [
        (EMAIL, 1, "undecided", None),
        (SMS, 2, "undecided", None),
    ]


def test_the_last_180_days_are_looked_back_on_and_the_last_of_them_is_as_of() -> None:
    rows = world(*(on(number, "sent", campaign_id=number) for number in range(1, 6)))
    for end, received in [(180, 5), (181, 4), (184, 1), (185, 0)]:
        found = preferred_channel(rows, as_of=day(end))
        assert found["received"].to_list() == [received]
        assert found["as_of"].to_list() == [day(end)]
    assert preferred_channel(rows, as_of=day(12), lookback=10)["received"].to_list() == [3]
    # What is sent later than as_of does not count either.
    assert preferred_channel(rows, as_of=day(3), window=None)["received"].to_list() == [3]


def test_without_as_of_each_customer_has_a_last_day_of_its_own() -> None:
    rows = frame(
        on(1, "sent", data_through=day(20)), on(11, "sent", campaign_id=4, data_through=day(30)),
        on(1, "sent", customer_id="B", data_through=day(20)),
    )  # fmt: skip
    found = preferred_channel(rows, lookback=20)
    assert found.select("customer_id", "received", "as_of").rows() == [
        ("A", 1, day(30)),
        ("B", 1, day(20)),
    ]
    unknown = preferred_channel(frame(on(1, "sent", data_through=None)), lookback=2)
    assert unknown.select("received", "as_of").row(0) == (1, None)
    assert (
        "All messages count, however old: no data_through says where to look back from."
        in unknown["notes"][0]
    )


def test_received_is_delivered_where_the_customer_has_deliveries_and_else_not_bounced() -> None:
    rows = world(
        *sends(5), *(on(3, "delivered", campaign_id=i) for i in range(3)),
        on(4, "opened", campaign_id=3),
        *sends(4, channel_id=SMS), on(4, "bounced", campaign_id=1, channel_id=SMS),
        *sends(3, clicked=1, channel_id=IN_APP),
    )  # fmt: skip
    found = preferred_channel(rows).sort("channel_id")
    columns = ["channel_id", "received", "received_as", "n_implied", "engaged"]
    assert found.select(columns).rows() == [
        (EMAIL, 4, "delivered", 1, 1),
        (SMS, 3, "not bounced", 3, 0),
        (IN_APP, 3, "not bounced", 3, 1),
    ]
    said = "Delivered means not bounced where a channel reports no delivered events."
    assert [said in notes for notes in found["notes"]] == [False, True, True]


def test_a_channel_that_reports_no_engagement_has_no_rank() -> None:
    found = preferred_channel(world(*sends(9, channel_id=CALLS), *sends(9, clicked=9)))
    assert found.select("channel", "rank", "rate", "status").rows() == [
        ("E-mail", 1, 1.0, "insufficient"),
        ("Call centre", None, None, "insufficient"),
    ]
    assert "No rank: this channel reports nothing that is engagement." in found["notes"][1]


def test_with_nothing_implied_more_engaged_than_received_is_no_rate() -> None:
    rows = world(*sends(4, clicked=4), *(on(3, "delivered", campaign_id=i) for i in range(3)))
    found = preferred_channel(rows, implied="none").row(0, named=True)
    assert (found["engaged"], found["received"], found["rate"], found["rank"]) == (4, 3, None, None)
    assert found["notes"] == [
        "No rank: more were engaged with than received, and nothing is implied."
    ]


def test_opens_count_where_they_are_trusted() -> None:
    rows = world(*sends(3), *(on(4, "opened", campaign_id=i) for i in range(2)))
    assert preferred_channel(rows)["engaged"].to_list() == [2]
    ignored = preferred_channel(rows, opens="ignore")
    assert ignored.select("engaged", "last_engaged").row(0) == (0, None)


def test_a_row_even_where_nothing_counts() -> None:
    found = preferred_channel(world(*sends(2, channel_id=UNKNOWN)), as_of=day(5))
    assert found.select("status", "received", "n_immature").row(0) == ("insufficient", 0, 2)
    assert preferred_channel(INTERACTIONS.empty()).equals(PREFERRED_CHANNEL.empty())
    nobody = world(on(None, None, customer_id=None, channel_id=None, campaign_id=None))
    assert preferred_channel(nobody).select("customer_id", "received").row(0) == (None, 0)


@pytest.mark.parametrize(
    "options", [{"lookback": 0}, {"lookback": "180"}, {"lookback": 2**31}, {"window": -1}]
)
def test_wrong_options_are_answered(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="must be a number of days"):
        preferred_channel(frame(*sends(1)), **options)
    with pytest.raises(SchemaError, match="channel_id"):
        preferred_channel(frame(*sends(1)).drop("channel_id"))


# A second reckoning, in plain Python over messages


def plainly(rows: pl.DataFrame, rules: dict[str, Any], lookback: int) -> dict[Any, dict[str, Any]]:
    catalogue = Catalogue()
    window, as_of, lower = rules["window"], rules["as_of"], rules["implied"] == "lower"
    each = messages(rows).to_dicts()
    assume = rules["assume_sent"]
    if assume is None:
        assume = not any(one["send_observed"] for one in each)
    ends: dict[Any, Any] = {}
    for one in each:
        seen = [d for d in (ends.get(one["customer_id"]), one["data_through"]) if d]
        ends[one["customer_id"]] = max(seen, default=None)
    found: dict[Any, dict[str, Any]] = {}
    for one in each:
        key = (one["customer_id"], one["channel_id"])
        own = found.setdefault(
            key, {"k": 0, "delivered": 0, "kept": 0, "reports": False, "last": None}
        )
        send, end = one["send_date"], as_of or ends[one["customer_id"]]
        events = ("delivered", "opened", "clicked", "bounced", "unsubscribed", "spam_complaint")
        days = {event: one[f"{event}_on"] for event in events}
        if send is None or one["action_id"] == 1:
            continue
        if not one["send_observed"] and (not assume or not any(days.values())):
            continue
        through = as_of or one["data_through"]
        if window is not None and through and (through - send).days < window:
            continue
        if end and not 0 <= (end - send).days < lookback:
            continue
        has = catalogue.stages(one["channel_id"])
        lost = days["bounced"] is not None and days["clicked"] is None
        happened = {
            e for e, d in days.items() if d and (window is None or (d - send).days <= window)
        }
        clicked = "clicked" in has and "clicked" in happened
        opened = "opened" in has and "opened" in happened and not lost
        arrived = {"delivered"} | ({"unsubscribed", "spam_complaint"} if lower else set())
        delivered = not lost and bool(arrived & happened or (lower and (clicked or opened)))
        engaged = clicked or (rules["opens"] == "trust" and opened)
        own["k"] += engaged
        own["delivered"] += delivered
        own["kept"] += not lost
        own["reports"] |= days["delivered"] is not None and "delivered" in has
        hits = [days["clicked"]] * clicked + [days["opened"]] * (
            opened and rules["opens"] == "trust"
        )
        own["last"] = max([*hits, *([own["last"]] if own["last"] else [])], default=None)
    return found


@mix_laws.LAW
@given(frame=worlds.interactions(), rules=worlds.RULES, lookback=st.sampled_from([180, 20, 12]))
def test_it_is_what_plain_python_makes_of_the_messages(
    frame: pl.DataFrame, rules: dict[str, Any], lookback: int
) -> None:
    found = preferred_channel(frame, lookback=lookback, **rules)
    plain = plainly(frame, rules, lookback)
    assert {(row["customer_id"], row["channel_id"]) for row in found.to_dicts()} == set(plain)
    order: dict[Any, list[Any]] = {}
    for row in found.iter_rows(named=True):
        own = plain[row["customer_id"], row["channel_id"]]
        n = own["delivered"] if own["reports"] else own["kept"]
        assert (row["engaged"], row["received"], row["last_engaged"]) == (own["k"], n, own["last"])
        able = {"clicked", "opened"} & set(Catalogue().stages(row["channel_id"]))
        rate = own["k"] / n if able and n and own["k"] <= n else None
        assert row["rate"] == (None if rate is None else pytest.approx(rate))
        ranked = order.setdefault(row["customer_id"], [])
        if rate is None or n < 3:
            assert row["rank"] is None
            continue
        last = own["last"] or dt.date(1, 1, 1)
        channel = math.inf if row["channel_id"] is None else row["channel_id"]
        ranked.append(((-rate, -last.toordinal(), channel), row))
        assert row["rank"] == len(ranked)
    for customer, ranked in order.items():
        assert [key for key, _ in ranked] == sorted(key for key, _ in ranked)
        status = "insufficient"
        if len(ranked) > 1:
            apart = ranked[0][1]["lo"] > ranked[1][1]["hi"]
            status = "preferred" if apart else "undecided"
        mine = found.filter(pl.col("customer_id").eq_missing(customer))
        assert set(mine["status"].to_list()) == {status}


@mix_laws.LAW
@given(
    frame=worlds.interactions(),
    more=worlds.interactions(),
    rules=worlds.RULES,
    chance=st.randoms(use_true_random=False),
)
def test_the_laws(
    frame: pl.DataFrame, more: pl.DataFrame, rules: dict[str, Any], chance: Any
) -> None:
    def ask(rows: Any) -> Any:
        return preferred_channel(rows, lookback=20, **rules)

    mix_laws.order_and_repeats_change_nothing(ask, frame, chance)
    mix_laws.lazy_is_eager_and_both_are_the_table(ask, frame, PREFERRED_CHANNEL, {})
    rules |= {"catalogue": mix_laws.SAYS}
    mix_laws.a_customer_alone_is_as_among_all(ask, frame)
    # Who has no day of their own to look back from would get one of the immature messages.
    frame = frame.with_columns(pl.col("data_through").fill_null(worlds.COMPLETE))
    rules |= {"window": 7, "as_of": None}
    mix_laws.immature_messages_change_no_number(ask, frame, more, ["customer_id", "channel_id"])
