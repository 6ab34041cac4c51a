"""The channel mix, counted by hand, and its interval against a bootstrap."""

from __future__ import annotations

import datetime as dt
import math
import random
from typing import Any

import polars as pl
import pytest
from analysis.events import (
    CALLS,
    COMPLETE,
    EMAIL,
    IN_APP,
    PUSH,
    SMS,
    UNKNOWN,
    day,
    frame,
    on,
    seeded,
    sends,
)

from optimove_analysis import Catalogue, channel_mix
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import CHANNEL_MIX, INTERACTIONS


def test_shares_and_index_by_hand() -> None:
    rows = frame(*sends(6, clicked=1), *sends(2, clicked=2, channel_id=SMS))
    columns = ["channel", "sends", "engagements", "share_of_sends", "share_of_engagements", "index"]
    assert channel_mix(rows).select(columns).rows() == [
        ("E-mail", 6, 1, 0.75, 1 / 3, pytest.approx(4 / 9)),
        ("SMS", 2, 2, 0.25, 2 / 3, pytest.approx(8 / 3)),
    ]


def test_a_message_is_engaged_with_once_however_often_it_is_opened_and_clicked() -> None:
    rows = frame(
        on(3, "sent"), on(3, "opened"), on(4, "opened"), on(4, "clicked"), on(5, "clicked")
    )
    assert channel_mix(rows)["engagements"].to_list() == [1]


@pytest.mark.parametrize(
    ("of", "opens", "expected"),
    [
        ("engaged", "trust", [2, 1, 1]),
        ("engaged", "ignore", [1, 1, 1]),
        ("clicked", "trust", [1, 1, 1]),
        ("clicked", "ignore", [1, 1, 1]),
        ("opened", "trust", [2, None, None]),
        ("delivered", "trust", [3, 1, None]),
    ],
)
def test_of_names_what_counts_as_engagement(
    of: Any, opens: Any, expected: list[int | None]
) -> None:
    rows = frame(
        *sends(4, clicked=1),
        on(4, "opened", campaign_id=1),
        on(4, "delivered", campaign_id=2),
        *sends(2, clicked=1, channel_id=SMS),
        *sends(2, clicked=1, channel_id=IN_APP),
    )
    found = channel_mix(rows, of=of, opens=opens)
    assert found["channel_id"].to_list() == [EMAIL, SMS, IN_APP]
    assert found["engagements"].to_list() == expected
    assert found["of"].to_list() == [of] * 3


def test_a_channel_that_cannot_be_engaged_with_has_its_share_of_sends_only_and_it_is_said() -> None:
    rows = frame(*sends(3, clicked=1), *sends(1, channel_id=CALLS))
    calls = channel_mix(rows).row(0, named=True)
    assert (calls["channel"], calls["sends"], calls["share_of_sends"]) == ("Call centre", 1, 0.25)
    for column in ("engagements", "share_of_engagements", "index", "index_lo", "index_hi"):
        assert calls[column] is None
    assert calls["notes"] == ["This channel reports nothing that is engagement: its sends count."]


def test_the_window_and_what_came_after_it() -> None:
    rows = frame(
        *sends(3),
        on(10, "clicked", campaign_id=0),
        *(on(11, "clicked", campaign_id=i) for i in (1, 2)),
    )
    found = channel_mix(rows).row(0, named=True)
    assert found["engagements"] == 1
    assert found["notes"] == ["2 messages whose first engagement came after the window."]
    assert channel_mix(rows, window=8)["engagements"].to_list() == [3]
    late = channel_mix(rows, of="clicked").row(0, named=True)
    assert late["notes"] == ["2 messages whose first clicked event came after the window."]


def test_an_early_open_is_engagement_and_its_late_click_is_not_late() -> None:
    rows = frame(on(3, "sent"), on(4, "opened"), on(20, "clicked"))
    assert channel_mix(rows).select("engagements", "notes").row(0) == (1, [])


def test_immature_and_unobserved_messages_are_counted_beside() -> None:
    rows = frame(
        *sends(2, clicked=1),
        on(3, "sent", channel_id=SMS, data_through=day(9)),
        on(3, "clicked", channel_id=PUSH),
    )
    found = channel_mix(rows)
    assert found["share_of_sends"].to_list() == [1.0, 0.0, 0.0]
    assert found.select("channel_id", "sends", "n_immature", "n_unobserved").rows() == [
        (EMAIL, 2, 0, 0),
        (SMS, 0, 1, 0),
        (PUSH, 0, 0, 1),
    ]


def test_where_nothing_was_engaged_with_there_is_no_share_of_it() -> None:
    found = channel_mix(frame(*sends(3), *sends(1, channel_id=SMS)))
    assert found["share_of_sends"].to_list() == [0.75, 0.25]
    nulls = found.select("share_of_engagements", "index", "index_lo", "index_hi").null_count()
    assert nulls.row(0) == (2, 2, 2, 2)


def test_where_nothing_counts_there_is_no_share_of_sends_either() -> None:
    found = channel_mix(frame(*sends(3)), as_of=day(4))
    assert found.select("sends", "share_of_sends", "index").row(0) == (0, None, None)


def test_one_channel_alone_is_at_par_with_itself() -> None:
    found = channel_mix(frame(*sends(4, clicked=2)))
    assert found.select("share_of_sends", "share_of_engagements", "index").row(0) == (1.0, 1.0, 1.0)


def test_a_channel_of_unknown_kind_is_said() -> None:
    rows = frame(*sends(2, channel_id=UNKNOWN))
    assert channel_mix(rows)["notes"].to_list() == [
        ["2 messages of channels of unknown kind, taken to have all stages (set Catalogue.kinds)."]
    ]
    assert channel_mix(rows, catalogue=Catalogue(kinds={UNKNOWN: "sms"}))["notes"].to_list() == [[]]


def test_months_begin_on_their_first_day_and_weeks_on_monday() -> None:
    rows = frame(on(9, "sent"), on(10, "sent"), on(33, "sent"))  # a Sunday, a Monday, 2 April
    months = channel_mix(rows, every="1mo").select("period", "sends").rows()
    assert months == [(day(1), 2), (dt.date(2025, 4, 1), 1)]
    weeks = channel_mix(rows, every="1w")["period"].to_list()
    assert weeks == [day(3), day(10), dt.date(2025, 3, 31)]
    assert channel_mix(rows)["period"].to_list() == [None]


def test_shares_are_of_the_period() -> None:
    rows = frame(
        on(3, "sent"), on(3, "sent", channel_id=SMS), on(33, "sent", channel_id=SMS, campaign_id=8)
    )
    found = channel_mix(rows, every="1mo").select("period", "channel_id", "share_of_sends").rows()
    assert found == [(day(1), EMAIL, 0.5), (day(1), SMS, 0.5), (day(32), SMS, 1.0)]


def test_the_period_is_the_sends_whatever_the_group_is_called() -> None:
    rows = frame(on(9, "sent"), on(33, "sent"))
    year = pl.col("send_date").dt.truncate("1y")
    found = channel_mix(rows, by=year, every="1mo").select("send_date", "period").rows()
    assert found == [(dt.date(2025, 1, 1), day(1)), (dt.date(2025, 1, 1), day(32))]


def test_one_mix_a_group() -> None:
    rows = frame(*sends(1), *sends(3, customer_id="B"), *sends(1, customer_id="B", channel_id=SMS))
    found = channel_mix(rows, by="customer_id").select(
        "customer_id", "channel_id", "share_of_sends"
    )
    assert found.rows() == [("A", EMAIL, 1.0), ("B", EMAIL, 0.75), ("B", SMS, 0.25)]


def test_a_group_without_a_name_is_a_group() -> None:
    rows = frame(*sends(2, clicked=1), *sends(2, customer_id="B", channel_id=SMS)).with_columns(
        segment=pl.when(customer_id="A").then(pl.lit("vip"))
    )
    found = channel_mix(rows, by="segment").select("segment", "sends", "share_of_sends")
    assert found.rows() == [(None, 2, 1.0), ("vip", 2, 1.0)]


def test_within_one_customer_the_interval_of_the_index_is_over_messages() -> None:
    # E-mail 10 of 50, SMS 20 of 50. ln(index) of e-mail, linearised: a message adds
    # [engaged]/10 - 1/50 where it is an e-mail, and -[engaged]/30 + 1/100 wherever it is. So
    # 10 * 0.056667^2 + 40 * 0.01^2 + 20 * 0.023333^2 + 30 * 0.01^2 = 0.05, times 100/99.
    rows = frame(*sends(50, clicked=10), *sends(50, clicked=20, channel_id=SMS))
    found = channel_mix(rows).row(0, named=True)
    half = 1.959964 * math.sqrt(0.05 * 100 / 99)
    assert found["index"] == pytest.approx(2 / 3)
    assert found["index_lo"] == pytest.approx(2 / 3 * math.exp(-half), rel=1e-5)
    assert found["index_hi"] == pytest.approx(2 / 3 * math.exp(half), rel=1e-5)
    assert (found["method"], found["customers"], found["small"]) == ("log-linear", 1, False)


def test_a_channel_that_nobody_engaged_with_has_a_high_end_of_its_own() -> None:
    # 0 of 20 is 0 to 0.1611 (Newcombe 1998, table I); the pooled rate is 10 of 40.
    rows = frame(*sends(20, clicked=10), *sends(20, channel_id=SMS))
    found = channel_mix(rows).row(1, named=True)
    assert (found["index"], found["index_lo"], found["method"]) == (0.0, 0.0, "wilson")
    assert found["index_hi"] == pytest.approx(0.1611 * 4, abs=5e-4)


def test_one_message_gives_no_interval() -> None:
    found = channel_mix(frame(*sends(1, clicked=1)))
    assert found.select("index", "index_lo", "index_hi").row(0) == (1.0, None, None)


def _world(chance: random.Random, customers: int) -> dict[str, list[tuple[int, int]]]:
    """Return each customer's (sent, clicked) by e-mail and by SMS: appetites differ widely."""
    world = {}
    for number in range(customers):
        appetite = chance.betavariate(0.6, 2)
        counts = []
        for rate in (appetite, min(1.0, 1.5 * appetite)):
            n = chance.randint(1, 12)
            counts.append((n, sum(chance.random() < rate for _ in range(n))))
        world[f"{number:03}"] = counts
    return world


def _index(world: list[list[tuple[int, int]]]) -> float:
    s, e = (sum(counts[0][i] for counts in world) for i in (0, 1))
    all_s, all_e = (sum(one[i] for counts in world for one in counts) for i in (0, 1))
    return (e / all_e) / (s / all_s)


def test_the_interval_of_the_index_agrees_with_a_bootstrap_over_customers() -> None:
    world = _world(chance := seeded(11), 150)
    rows = frame(
        *(
            row
            for customer, counts in world.items()
            for channel, (n, clicked) in zip((EMAIL, SMS), counts, strict=True)
            for row in sends(n, clicked=clicked, customer_id=customer, channel_id=channel)
        )
    )
    found = channel_mix(rows).row(0, named=True)
    drawn = sorted(_index(chance.choices(list(world.values()), k=150)) for _ in range(2000))
    lo, hi = drawn[50], drawn[-51]
    assert found["index"] == pytest.approx(_index(list(world.values())))
    assert found["index_lo"] == pytest.approx(lo, abs=0.15 * (hi - lo))
    assert found["index_hi"] == pytest.approx(hi, abs=0.15 * (hi - lo))
    assert found["method"] == "log-linear-cluster"


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"of": "click"}, "did you mean 'clicked'"),
        ({"of": "opened", "opens": "ignore"}, "contradict each other"),
        ({"every": "1month"}, "it may be '1d', '1w', '1mo', '1q', '1y'"),
        ({"every": "0d"}, "no length of time"),
        ({"every": 7}, "no length of time"),
        ({"every": "99999999y"}, "no length of time"),
        ({"by": "channel_id"}, "a column of the result"),
        ({"by": "period"}, "a column of the result"),
        ({"window": "week"}, "number of days"),
        ({"implied": "all"}, "it may be 'lower', 'none'"),
        ({"opens": "trusted"}, "did you mean 'trust'"),
        ({"catalogue": {504: "E-mail"}}, "must be a Catalogue"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_ones(
    options: dict[str, Any], answer: str
) -> None:
    with pytest.raises(InputError, match=answer):
        channel_mix(frame(*sends(1)), **options)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match="needs the column 'template_id'"):
        channel_mix(frame(*sends(1)).drop("template_id"))


@pytest.mark.parametrize("rows", [frame(), frame(on(3, "sent")), frame(on(None, 17))])
def test_the_result_is_the_documented_table_however_few_rows_there_are(rows: pl.DataFrame) -> None:
    for every in (None, "1mo"):
        found = channel_mix(rows, by="customer_id", every=every)
        expected = {"customer_id": pl.String()} | dict(CHANNEL_MIX.schema)
        assert dict(found.schema) == expected
        assert list(found.schema) == list(expected)
    assert channel_mix(INTERACTIONS.empty()).height == 0


def test_what_was_asked_for_stands_in_each_row() -> None:
    columns = ["unit", "of", "window", "as_of", "opens"]
    found = channel_mix(frame(*sends(1))).select(columns).row(0)
    assert found == ("message", "engaged", 7, COMPLETE, "trust")
    told = channel_mix(frame(*sends(1)), window=None, as_of=day(9), of="clicked").select(columns)
    assert told.row(0) == ("message", "clicked", None, day(9), "trust")


def test_a_lazy_frame_is_answered_with_a_lazy_one() -> None:
    rows, every = frame(*sends(3, clicked=1)), "1w"
    found = channel_mix(rows.lazy(), every=every)
    assert isinstance(found, pl.LazyFrame)
    assert found.collect().equals(channel_mix(rows, every=every))
    assert dict(found.collect_schema()) == dict(CHANNEL_MIX.schema)
