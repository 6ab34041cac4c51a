"""What analysis answers with: the funnel, the channel mix and the journey."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.known import STAGES
from optimove_analysis.schema.parts import (
    AS_OF,
    CHANNEL,
    CUSTOMERS,
    IMPLIED,
    N_IMMATURE,
    N_UNOBSERVED,
    NO_STAGE,
    NOTES,
    OPENS,
    RATE,
    SMALL,
    UNIT,
    WINDOW,
)
from optimove_analysis.schema.rows import COUNT, DAY, IDS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["CHANNEL_MIX", "FUNNEL", "JOURNEY"]


def _rate(prefix: str, label: str, over: str) -> tuple[Column, Column, Column]:
    nulls = ends = f"no message was {over}, or the channel lacks the stage: no answer, not 0"
    if prefix == "step":
        nulls += "; or, with implied none, more were reported than of the stage before"
        ends += "; or implied is none: the stage is then no part of the one before"
    return (
        Column(f"{prefix}_rate", RATE, label, f"messages / {over}, 0 to 1.", nulls),
        Column(f"{prefix}_lo", RATE, f"{label}, low", "Low end of the 95 % interval.", ends),
        Column(f"{prefix}_hi", RATE, f"{label}, high", "High end of the 95 % interval.", ends),
    )


FUNNEL: Final = Table(
    "funnel",
    "One row a group and stage, sent to clicked, whatever the input. The group's columns come "
    "first, and rows are in their order.",
    (
        CHANNEL,
        Column("stage", pl.Enum(STAGES), "Stage", "The stage reached."),
        Column(
            "messages",
            COUNT,
            "Messages",
            "Mature messages that reached the stage in the window; or the customers, customer-days "
            "or campaigns that did with any of them, as unit says.",
            NO_STAGE,
        ),
        Column(
            "n_observed",
            COUNT,
            "Observed",
            "Those whose own event was reported in the window.",
            NO_STAGE,
        ),
        Column(
            "n_implied",
            COUNT,
            "Implied",
            "Those counted because another event implies the stage: messages - n_observed.",
            NO_STAGE,
        ),
        Column(
            "n_late",
            COUNT,
            "Late",
            "Mature messages whose first event of the stage came after the window; not counted "
            "as observed. Of other units, those that reached it only so.",
            NO_STAGE,
        ),
        N_IMMATURE,
        N_UNOBSERVED,
        Column("sent", COUNT, "Sent", "What overall_rate divides by."),
        *_rate("overall", "Of sent", "sent"),
        Column(
            "previous",
            COUNT,
            "Stage before",
            "Messages of the stage before, among those that the channel has: what step_rate "
            "divides by.",
            "the first stage, or one that the channel lacks",
        ),
        *_rate("step", "Of stage before", "of the stage before"),
        CUSTOMERS,
        SMALL,
        Column(
            "method",
            TEXT,
            "Interval",
            "wilson within one customer, and where each unit is taken as independent; "
            "wilson-cluster across customers.",
        ),
        UNIT,
        WINDOW,
        AS_OF,
        IMPLIED,
        OPENS,
        NOTES,
    ),
)

CHANNEL_MIX: Final = Table(
    "channel mix",
    "One row a group, period and channel. The group's columns come first, and rows are in the "
    "order of all these.",
    (
        Column(
            "period",
            DAY,
            "Period",
            "The first day of the period of the send.",
            "every=None: all time",
        ),
        IDS[4],
        CHANNEL,
        Column("sends", COUNT, "Sent", "Mature messages sent on the channel."),
        Column(
            "engagements",
            COUNT,
            "Engaged",
            "Those with the engagement named in `of`, in the window, at most once a message.",
            "the channel has no such stage",
        ),
        Column(
            "share_of_sends",
            RATE,
            "Share of sends",
            "sends / sends of all channels of the group and period.",
            "nothing was sent",
        ),
        Column(
            "share_of_engagements",
            RATE,
            "Share of engagements",
            "engagements / engagements of all channels of the group and period.",
            "nothing was engaged with, or the channel has no such stage",
        ),
        Column(
            "index",
            RATE,
            "Index",
            "share_of_engagements / share_of_sends; 1 is par.",
            "either share is null, or nothing was sent",
        ),
        Column(
            "index_lo",
            RATE,
            "Index, low",
            "Low end of the index's 95 % interval.",
            "no interval can be given",
        ),
        Column(
            "index_hi",
            RATE,
            "Index, high",
            "High end of the index's 95 % interval.",
            "no interval can be given",
        ),
        N_IMMATURE,
        N_UNOBSERVED,
        CUSTOMERS,
        SMALL,
        Column(
            "method",
            TEXT,
            "Interval",
            "How the index's interval was made: log-linear over messages within one customer, "
            "log-linear-cluster over customers otherwise; wilson where nothing was engaged with.",
        ),
        UNIT,
        Column(
            "of",
            TEXT,
            "Engagement",
            "What counts as engagement: engaged (clicked, or opened where opens are trusted), "
            "clicked, opened or delivered.",
        ),
        WINDOW,
        AS_OF,
        OPENS,
        NOTES,
    ),
)

JOURNEY: Final = Table(
    "journey",
    "One row a message, control members' included, in the order of customer and day.",
    (
        IDS[0],
        Column("send_date", DAY, "Sent on", "The day of the send, or of the earliest event."),
        IDS[4],
        CHANNEL,
        *(IDS[1], IDS[3], IDS[5]),
        Column(
            "stage",
            pl.Enum(STAGES),
            "Furthest stage",
            "The furthest stage that was reported, whatever the window.",
            "no event of a stage was reported",
        ),
        Column(
            "days",
            COUNT,
            "Days",
            "Calendar days from the send to the first event of that stage.",
            "no event of a stage was reported",
        ),
        Column(
            "side_events",
            TEXT,
            "Also",
            "What else happened: bounced, unsubscribed, spam complaint, an event that the "
            "catalogue lacks; empty if nothing.",
        ),
        Column("rows", COUNT, "Rows", "The interactions that belong to the message."),
    ),
)
