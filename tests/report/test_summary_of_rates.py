"""What a report says of funnels, rates, mixes, comparisons and changes: whole sentences."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from charts.rate_tables import messages
from charts.tables import (
    audience_funnel,
    funnel_rows,
    funnel_table,
    mix_by_month,
    mix_rows,
    mix_table,
)
from report.sentences import EMPTY, FEW, MINUS, said

import optimove_analysis as oa


def test_a_funnel_tells_the_furthest_stage_of_each_channel() -> None:
    assert said(audience_funnel()) == [
        "Call centre: 57 messages sent to 51 customers; no further stage is reported.",
        (
            "E-mail: 3.1 % clicked (95 % interval 2.6 to 3.7 %) of 4,210 messages sent to 198 "
            "customers."
        ),
        "SMS: 6.2 % clicked (4.8 to 8.0 %) of 901 messages sent to 170 customers.",
        "Push: 3.1 % clicked (2.3 to 4.1 %) of 1,440 messages sent to 122 customers.",
        (
            "Web push: 2 clicked of 22 messages sent to 9 customers, too few to read as a rate "
            "(2.5 to 27.8 %)."
        ),
        "In-app: 12.3 % clicked (9.9 to 15.1 %) of 610 messages sent to 88 customers.",
        "120 more messages are too recent to count.",
    ]


def test_of_one_customer_it_is_not_said_to_how_many() -> None:
    rows = funnel_rows((40, 38, 9, 4), channel="E-mail", customers=1, immature=1)
    assert said(funnel_table(rows)) == [
        "E-mail: 10.0 % clicked (95 % interval 4.0 to 23.1 %) of 40 messages sent.",
        "1 more message is too recent to count.",
    ]


def test_another_unit_than_the_message_is_named() -> None:
    rows = funnel_rows((40, 38, 9, 4), channel="E-mail", customers=40)
    table = funnel_table(rows).with_columns(unit=pl.lit("customer_day"))
    assert said(table)[0].endswith("of 40 customer-days with messages sent.")


def test_what_cannot_be_told_yet_is_not_told_as_nothing() -> None:
    rows = funnel_rows((0, 0, 0, 0), channel="E-mail", immature=5)
    assert said(funnel_table(rows)) == [EMPTY, "5 more messages are too recent to count."]


def test_rates_of_the_same_messages_are_one_sentence_and_lacking_ones_a_reason() -> None:
    world = pl.concat(
        [messages(100, 10), messages(60, 3, channel=505), messages(9, 0, channel=502)]
    )
    assert said(oa.rates(world)) == [
        (
            "E-mail: delivery rate 100.0 % (95 % interval 96.3 to 100.0 %) of 100 messages sent to "
            "100 customers."
        ),
        # A click implies an open: all three are the same ten messages. The interval is Wilson's
        # of 99: customers of one message each have a design effect of n / (n - 1).
        (
            "E-mail: open, click and engagement rate 10.0 % (5.5 to 17.5 %) of 100 messages "
            "delivered to 100 customers."
        ),
        "SMS: delivery rate 100.0 % (94.0 to 100.0 %) of 60 messages sent to 60 customers.",
        (
            "SMS: click and engagement rate 5.0 % (1.7 to 13.8 %) of 60 messages delivered to 60 "
            "customers."
        ),
        "No rates for Call centre, where no deliveries are reported.",
    ]


def test_a_rate_that_divides_by_nothing_is_no_0() -> None:
    table = oa.rates(messages(100, 0)).filter(pl.col("rate") == "click-to-open rate")
    assert said(table) == ["E-mail: no click-to-open rate, since no message was opened."]


def test_a_mean_is_no_percentage_and_few_are_said_to_be_few() -> None:
    opened = messages(20, 10).with_columns(event_id=pl.col("event_id").replace({4: 3}))
    table = oa.rates(opened).filter(pl.col("rate") == "total opens per delivered")
    (sentence,) = said(table)
    assert sentence.startswith("E-mail: total opens per delivered 0.50 (95 % interval 0.")
    assert sentence.endswith(f"of 20 messages delivered to 20 customers. {FEW}")


def test_a_mix_tells_shares_and_index_with_a_verdict() -> None:
    counts: list[tuple[int, str, int, int | None]] = [
        (1, "E-mail", 500, 90),
        (2, "SMS", 400, 10),
        (3, "Push", 90, 0),
        (4, "Calls", 10, None),
    ]
    assert said(mix_table(mix_rows(counts))) == [
        # exp(ln 1.8 +- 1.96 sqrt(1/90 - 1/100 + 1/500)), as the table has it
        (
            "E-mail makes up 50.0 % of 1,000 messages sent and 90.0 % of 100 engagements: more "
            "than its share, index 1.80 (95 % interval 1.61 to 2.01)."
        ),
        (
            "SMS makes up 40.0 % of messages sent and 10.0 % of engagements: less than its share, "
            "index 0.25 (0.14 to 0.45)."
        ),
        "Push makes up 9.0 % of messages sent and 0.0 % of engagements: index 0.00 (no interval).",
        "Calls makes up 1.0 % of messages sent; it reports no engagement.",
        "12 more messages are too recent to count.",
    ]


def test_an_index_whose_interval_holds_1_is_not_told_from_par() -> None:
    counts: list[tuple[int, str, int, int | None]] = [(1, "A", 60, 7), (2, "B", 50, 5)]
    told = said(mix_table(mix_rows(counts)))
    assert all(": not to be told from its share, index" in line for line in told[:2])


def test_a_mix_of_one_channel_has_no_verdict_and_one_over_time_no_line_a_period() -> None:
    assert said(mix_table(mix_rows([(1, "E-mail", 40, 4)])))[0] == (
        "All 40 messages were sent on E-mail, with 4 engagements."
    )
    months = [date(2025, month, 1) for month in range(1, 8)]
    assert said(mix_table(mix_by_month(months))) == [
        (
            "The mix is counted in 7 periods, the first from 2025-01-01, the last from 2025-07-01. "
            "A period without messages is a gap."
        )
    ]


def arms(n0: int, k0: int, n: int, k: int, **options: Any) -> pl.DataFrame:
    world = pl.concat([messages(n0, k0, template=3), messages(n, k, template=7)])
    return oa.compare(
        world, between="template_id", baseline=3, against=7, rate="click rate", **options
    )


def test_a_difference_is_in_points_with_its_interval_and_lift() -> None:
    # 56/70 - 48/80 = 0.2, Newcombe's interval 0.0514 to 0.3347; 0.8 / 0.6 - 1 = 0.333.
    assert said(arms(80, 48, 70, 56)) == [
        (
            "Click rate 80.0 % of 70 messages delivered (Template 7) against 60.0 % of 80 "
            "(Template 3), a difference of +20.0 points (95 % interval +5.1 to +33.5); relative "
            "lift +33.3 % (+7.5 to +65.4 %)."
        )
    ]


def test_a_difference_that_chance_explains_is_not_claimed() -> None:
    (sentence,) = said(arms(80, 20, 70, 18))
    assert (
        f"+0.71 points (95 % interval {MINUS}13.1 to +14.8), not to be told from none" in sentence
    )


@pytest.mark.parametrize(
    ("counts", "ends"),
    [
        ((80, 20, 12, 3), "too few messages to compare: Template 7 has 12, and it takes 30."),
        ((80, 0, 70, 7), "no relative lift, since the baseline's rate is 0."),
        ((0, 0, 70, 7), "no answer, since no message counts for Template 3."),
    ],
)
def test_where_there_is_no_number_there_is_a_reason(
    counts: tuple[int, int, int, int], ends: str
) -> None:
    (sentence,) = said(arms(*counts))
    assert sentence.endswith(ends)


def test_a_conclusion_that_flips_and_customers_on_both_sides_are_told() -> None:
    opened = messages(200, 0).with_columns(event_id=pl.col("event_id").replace({2: 3}))
    who = [f"504-3-{i}" for i in range(200)]
    world = pl.concat([opened, messages(200, 40, channel=505, campaign=900, customers=who)])
    table = oa.compare(world, between="channel_id", baseline=504, against=505)
    told = said(table)
    (flips,) = [line for line in told if "without them the conclusion is another" in line]
    assert flips.startswith(
        "Engagement rate 20.0 % of 200 messages delivered (SMS) against 100.0 %"
    )
    assert "No open rate to compare: SMS has no such stage." in told
    assert told[-1] == "200 customers are on both sides, which are then not independent."


def changed(*, by_sms: int = 30) -> pl.DataFrame:
    """By mail 10 then 20 % of 100 then 300, by SMS 40 then 30 % of 100 each."""
    later = date(2025, 4, 3)
    world = pl.concat(
        [
            messages(100, 10),
            messages(100, 40, channel=505),
            messages(300, 60, day=later, campaign=9),
            messages(100, by_sms, channel=505, day=later, campaign=9),
        ]
    )
    return oa.explain_change(
        world,
        before=(date(2025, 3, 1), date(2025, 3, 31)),
        after=(date(2025, 4, 1), date(2025, 4, 30)),
        rate="click rate",
    )


def test_a_change_is_told_with_its_parts_and_the_largest_channel() -> None:
    # Mix: 0.25 * 0.15 - 0.25 * 0.35 = -0.05; rates: 0.1 * 0.625 - 0.1 * 0.375 = 0.025.
    # SMS: -0.0875 - 0.0375 = -0.125; mail: 0.0375 + 0.0625 = 0.1.
    whole, parts, largest = said(changed())
    assert whole.startswith(
        "Click rate 25.0 % of 200 messages delivered (2025-03-01 to 2025-03-31), then 22.5 % of "
        f"400 (2025-04-01 to 2025-04-30), a change of {MINUS}2.5 points (95 % interval {MINUS}"
    )
    assert whole.endswith("not to be told from none.")
    assert parts.startswith(f"Of it, the mix of channels accounts for {MINUS}5.0 points (")
    assert "their rates for +2.5 points (" in parts
    assert largest.startswith(
        f"The largest part of it, though not clearly, is that of SMS: {MINUS}12.5 points ("
    )


def test_a_change_from_nothing_has_no_answer() -> None:
    table = oa.explain_change(
        messages(100, 10),
        before=(date(2024, 3, 1), date(2024, 3, 31)),
        after=(date(2025, 3, 1), date(2025, 3, 31)),
    )
    assert said(table) == [
        (
            "No answer on the engagement rate, since no message was delivered from 2024-03-01 to "
            "2024-03-31."
        )
    ]


def test_of_very_many_channels_the_mix_tells_some_and_how_many_are_left() -> None:
    counts: list[tuple[int, str, int, int | None]] = [(n, f"c{n}", 90, 9) for n in range(30)]
    left = "The table tells of 18 more channels."
    told = said(mix_table(mix_rows(counts)))
    assert (len(told), told[12]) == (14, left)
    two = said(mix_table(mix_rows(counts, segment="a") + mix_rows(counts, segment="b")))
    assert two[12:14] == [left, "The table tells of 1 more group."]


def test_a_difference_without_an_interval_may_be_chance() -> None:
    # With nothing implied a click need not be of the delivered: no part of them, no interval.
    (sentence,) = said(arms(80, 20, 70, 18, implied="none"))
    assert sentence.endswith("a difference of +0.71 points (no interval), which may be by chance.")


def test_rates_without_an_answer_for_one_reason_are_one_sentence() -> None:
    world = pl.concat([messages(80, 9, template=3), messages(12, 3, template=7)])
    table = oa.compare(world, between="template_id", baseline=3, against=7)
    assert said(table) == [
        (
            "Delivery, open, click and engagement rate: too few messages to compare: Template 7 "
            "has 12, and it takes 30."
        )
    ]
