"""What a report says of customers, times, hand-offs, days and data: whole sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from charts.time_tables import (
    contrast_table,
    curve_rows,
    curve_table,
    day_rows,
    day_table,
    no_curve_rows,
    step_rows,
    step_table,
    table_of,
)
from report.sentences import DAY, FEW, MINUS, hand_off_rows, said

from optimove_analysis.schema import (
    AUDIT,
    HAND_OFF,
    OVERLAP,
    PREFERRED_CHANNEL,
    RECENCY,
    TIERS,
)


def preference(customer: str, status: str, *channels: str) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": customer,
            "status": status,
            "channel": channel,
            "rank": rank,
            "engaged": 9,
            "received": 12,
            "rate": 0.75,
            "lo": 0.4,
            "hi": 0.9,
            "lookback": 180,
            "as_of": DAY,
        }
        for rank, channel in enumerate(channels, start=1)
    ]


def test_preferred_channels_are_counted_over_customers() -> None:
    rows = [
        *preference("A", "preferred", "SMS", "Push"),
        *preference("B", "preferred", "Push", "SMS"),
        *preference("C", "preferred", "SMS", "Push"),
        *preference("D", "undecided", "Push", "SMS"),
        *preference("E", "insufficient", "SMS"),
    ]
    assert said(table_of(PREFERRED_CHANNEL, rows)) == [
        (
            "3 of 5 customers have a preferred channel in the 180 days up to 2025-12-31: SMS for 2 "
            "and Push for 1."
        ),
        "1 customer's two best channels are not to be told apart.",
        "1 customer had too few messages, or on one channel only.",
    ]


def test_the_preferred_channel_of_one_customer_is_named() -> None:
    span = "in the 180 days up to 2025-12-31"
    best = "SMS, engaged with 9 of 12 messages, 75.0 % (95 % interval 40.0 to 90.0 %)"
    of = {
        status: said(table_of(PREFERRED_CHANNEL, preference("Anna", status, "SMS", "Push")))
        for status in ("preferred", "undecided", "insufficient")
    }
    assert of["preferred"] == [f"The preferred channel {span} is {best}."]
    assert of["undecided"] == [
        (
            f"No preferred channel {span}: {best} and Push, engaged with 9 of 12 messages, 75.0 % "
            "(40.0 to 90.0 %) are not to be told apart."
        )
    ]
    assert of["insufficient"] == [
        f"Too few messages {span}, or on one channel only, to tell a preferred one."
    ]


def test_the_contrast_is_said_to_be_no_effect_once_and_without_slope_has_a_reason() -> None:
    table = contrast_table(
        [
            {"slope": -0.02, "lo": -0.03, "hi": -0.01, "n": 900},
            {"channel": "SMS", "slope": 0.004, "lo": -0.01, "hi": 0.018, "n": 500},
            {"channel": "Push", "slope": 0.1, "n": 40, "customers": 1, "small": True},
            {"channel": "Calls", "n": 0, "channels": []},
            {"channel": "Web push", "n": 0, "channels": ["Web push"]},
        ]
    )
    assert said(table) == [
        (
            "With each further message in the 7 days before, one and the same customer's rate "
            "differs as follows. This is an association, no effect: who is sent more, and when, is "
            "not left to chance."
        ),
        (
            f"E-mail: engagement rate {MINUS}2.0 points (95 % interval {MINUS}3.0 to {MINUS}1.0) "
            f"of 900 messages to 90 customers."
        ),
        (
            f"SMS: engagement rate +0.40 points ({MINUS}1.0 to +1.8), not to be told from none, of "
            "500 messages to 90 customers."
        ),
        "Push: engagement rate +10.0 points (no interval), of 40 messages to 1 customer.",
        "No answer for Calls, where the rate is not reported.",
        "No answer for Web push, where no customer's number of messages before ever varies.",
    ]


def test_a_hand_off_tells_where_the_next_engagement_came() -> None:
    rows = hand_off_rows(("engaged", "Mail", 60), ("engaged", "Push", 10), ("none", None, 30))
    assert said(table_of(HAND_OFF, rows)) == [
        (
            "After 100 unanswered messages on SMS, the next engagement came most often on Mail: in "
            "60.0 % (95 % interval 52.0 to 68.0 %), after a median of 3.5 days; in 30.0 % (22.0 to "
            "38.0 %) none came within 14 days."
        )
    ]


def test_a_hand_off_hardly_ahead_of_another_is_not_claimed() -> None:
    rows = hand_off_rows(("engaged", "Mail", 55), ("engaged", "Push", 45), within=None)
    (sentence,) = said(table_of(HAND_OFF, rows))
    assert sentence.endswith(", not clearly ahead of Push with 45.0 % (37.0 to 53.0 %).")


def test_where_nothing_came_next_that_is_told() -> None:
    rows = hand_off_rows(("none", None, 20), within=None)
    assert said(table_of(HAND_OFF, rows)) == [
        (
            "After 20 unanswered messages on SMS, in 100.0 % (95 % interval 92.0 to 100.0 %) no "
            f"engagement has come yet. {FEW}"
        )
    ]


def test_sets_of_channels_are_told_largest_first() -> None:
    sets: Mapping[tuple[str, ...], int] = {("Mail",): 50, ("Mail", "SMS"): 25, ("SMS",): 15, (): 10}
    rows = [
        {"channels": list(names), "channel_ids": [len(n) for n in names], "customers": n}
        | {"share": n / 100, "lo": n / 100 - 0.02, "hi": n / 100 + 0.02, "total": 100}
        | {"of": "engaged", "small": False}
        for names, n in sets.items()
    ]
    assert said(table_of(OVERLAP, rows)) == [
        (
            "The channels on which 100 customers engaged: Mail alone 50.0 % (95 % interval 48.0 to "
            "52.0 %), Mail + SMS 25.0 % (23.0 to 27.0 %), SMS alone 15.0 % (13.0 to 17.0 %) and "
            "none 10.0 % (8.0 to 12.0 %)."
        )
    ]


def tier_rows(*tiers: str | None, **others: Any) -> list[dict[str, Any]]:
    return [
        {"customer_id": f"Anna {n}", "tier": tier, "delivered": 9, "as_of": DAY, **others}
        for n, tier in enumerate(tiers)
    ]


def test_tiers_are_counted_and_explained() -> None:
    told = said(table_of(TIERS, tier_rows("new", "active", "active", None)))
    assert told[0] == (
        "Of 4 customers by tier: active 2 (50.0 %), new 1 (25.0 %) and not to be told 1."
    )
    assert told[1].startswith("Champion and active: engaged in the last 30 days")


@pytest.mark.parametrize(
    ("tier", "last", "sentence"),
    [
        ("active", 3, "Active: last engaged 3 days before 2025-12-31."),
        ("champion", 0, "Champion: last engaged on 2025-12-31, the last day of the data."),
        ("never engaged", None, "Never engaged, with 9 messages delivered."),
        ("new", None, "New, with 9 messages delivered so far."),
    ],
)
def test_the_tier_of_one_customer_is_told_without_a_count(
    tier: str, last: int | None, sentence: str
) -> None:
    assert said(table_of(TIERS, tier_rows(tier, days_since_engaged=last))) == [sentence]


def test_recency_counts_who_engaged_lately_and_who_never() -> None:
    days: Sequence[int | None] = (0, 30, 31, 90, 91, None)
    rows = [
        {"customer_id": f"Anna {n}", "days_since_engaged": since, "as_of": DAY, "delivered": 1}
        | {"last_engaged": None if since is None else date(2025, 9, 1)}
        for n, since in enumerate(days)
    ]
    assert said(table_of(RECENCY, rows)) == [
        (
            "Of 6 customers, 2 (33.3 %) engaged in the 30 days up to 2025-12-31, 4 (66.7 %) in the "
            "90 days and 1 (16.7 %) never did."
        )
    ]
    assert said(table_of(RECENCY, rows[-1:])) == ["Never engaged, with 1 message delivered."]
    unknown = [row | {"days_since_engaged": None, "as_of": None} for row in rows]
    assert (
        "5 (83.3 %) engaged, but how long ago is not known" in said(table_of(RECENCY, unknown))[0]
    )


def test_time_to_engage_tells_a_day_and_a_week_and_no_more_than_was_followed() -> None:
    # Of 100, ten on day 0 and nine of the other 90 on day 1: 0.19; then nine of 81: 0.28.
    table = curve_table(
        [
            *curve_rows({0: (10, 0), 1: (9, 0), 5: (9, 0), 20: (0, 72)}, n=100),
            *curve_rows({0: (4, 0), 3: (0, 36)}, n=40, channel="SMS"),
            *no_curve_rows("Calls"),
        ]
    )
    assert said(table) == [
        (
            "E-mail: of 100 messages delivered to 100 customers, 19.0 % (95 % interval 15.2 to "
            "26.5 %) were engaged with within a day and 28.0 % (22.4 to 36.1 %) within 7 days."
        ),
        (
            "SMS: of 40 messages delivered to 40 customers, 10.0 % (8.0 to 15.8 %) were engaged "
            "with within a day. They were followed for 3 days only."
        ),
        "No times for Calls, where no deliveries are reported.",
    ]


def test_bad_days_are_told_with_what_chance_makes_and_what_was_not_tested() -> None:
    rows = day_rows([(50, 49), (50, 20), (9, 9), (0, 0)], odd={1: 0.975})
    assert said(day_table(rows)) == [
        (
            "1 of 50 tested days stands out with bad deliveries; by chance alone it would be less "
            "than 0.1."
        ),
        (
            "E-mail: on 2026-03-02, 40.0 % (95 % interval 27.6 to 53.8 %) of 50 messages sent were "
            "delivered, against 97.5 % on the same weekdays before."
        ),
        "2 days could not be tested: 1 without a message that counts and 1 with too few messages.",
    ]
    fine = said(day_table(rows[:1]))
    assert fine == ["None of 50 tested days stands out with bad deliveries."]


def test_an_audit_tells_warnings_first_and_of_nothing_odd_what_was_not_checked() -> None:
    rows: list[dict[str, Any]] = [
        {"check": "orphan", "severity": "note", "count": 3, "of": "rows", "what": "3 notes."},
        {"check": "no_send", "severity": "warning", "count": 1, "of": "rows", "what": "1 warning."},
        {"check": "extra", "severity": "ok", "count": 0, "of": "rows", "what": "None."},
        {"check": "undated", "severity": "ok", "of": "rows", "what": "Not checked."},
    ]
    table = table_of(AUDIT, [row | {"total": 900} for row in rows])
    assert said(table) == ["1 warning.", "3 notes."]
    assert said(table.filter(severity="ok")) == [
        "The audit found nothing odd in 900 rows; 1 check could not be made."
    ]


def test_an_ordered_funnel_tells_its_last_step() -> None:
    rows = step_rows({"opened": 120, "bought": 12}, entered=120, medians={"bought": 1})
    assert said(step_table(rows)) == [
        (
            "Of 120 customers who began the steps, 10.0 % (95 % interval 5.8 to 16.7 %) came to "
            '"bought" within 14 days, after a median of 1 day.'
        )
    ]
    nobody = step_rows({"opened": 0, "bought": 0}, entered=0, n_immature=2)
    assert said(step_table(nobody)) == [
        "No customer of 10 began the steps.",
        "2 more customers began too recently to count.",
    ]


def test_one_customer_in_a_group_of_an_audience_is_still_counted() -> None:
    rows = [
        {"channel_id": n % 2, "channel": ("SMS", "Push")[n % 2], "customer_id": f"Anna {n}"}
        | {"days_since_engaged": 3, "last_engaged": DAY, "as_of": DAY}
        for n in (0, 1, 2)
    ]
    assert said(table_of(RECENCY, rows).sort("channel_id"))[1] == (
        "Push: of 1 customer, 1 (100.0 %) engaged in the 30 days up to 2025-12-31 and 1 (100.0 %) "
        "in the 90 days; all have engaged at some time."
    )
