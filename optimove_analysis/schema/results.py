"""What analysis answers with: the funnel, the channel mix and the journey."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.known import SMALL_N, STAGES
from optimove_analysis.schema.rows import COUNT, DAY, IDS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["CHANNEL_MIX", "FUNNEL", "JOURNEY"]

_RATE: Final = pl.Float64()
_NO_STAGE: Final = "the channel lacks the stage"

_CHANNEL = Column(
    "channel",
    TEXT,
    "Channel",
    "The channel's name, by the catalogue.",
    "the row is a total over channels",
)
_N_IMMATURE = Column(
    "n_immature",
    COUNT,
    "Immature",
    "Messages of the group whose window had not closed by as_of; in no count and no rate.",
)
_N_UNOBSERVED = Column(
    "n_unobserved",
    COUNT,
    "Send not observed",
    "Messages of the group without a sent row, left out unless assume_sent.",
)
_CUSTOMERS = Column(
    "customers",
    COUNT,
    "Customers",
    "Distinct customers among the counted messages: the clusters of the interval.",
)
_SMALL = Column(
    "small",
    pl.Boolean(),
    "Small",
    f"Fewer than {SMALL_N} messages were sent: read the interval, not the rate.",
)
_UNIT = Column("unit", TEXT, "Unit", "What is counted: message.")
_WINDOW = Column(
    "window",
    pl.Int32(),
    "Window",
    "Calendar days from the send, inclusive, in which an event counts.",
    "all events count, however late",
)
_AS_OF = Column(
    "as_of",
    DAY,
    "As of",
    "The day through which the data is complete; the latest of the group's messages.",
    "not known: all messages count as mature",
)
_OPENS = Column("opens", TEXT, "Opens", "trust or ignore: privacy proxies open mail by machine.")
_NOTES = Column(
    "notes",
    pl.List(pl.String()),
    "Notes",
    "What a reader must know of the row's numbers, in plain sentences.",
)


def _rate(prefix: str, label: str, over: str) -> tuple[Column, Column, Column]:
    nulls = ends = f"no message was {over}, or the channel lacks the stage: no answer, not 0"
    if prefix == "step":
        nulls += "; or, with implied none, more were reported than of the stage before"
        ends += "; or implied is none: the stage is then no part of the one before"
    return (
        Column(f"{prefix}_rate", _RATE, label, f"messages / {over}, 0 to 1.", nulls),
        Column(f"{prefix}_lo", _RATE, f"{label}, low", "Low end of the 95 % interval.", ends),
        Column(f"{prefix}_hi", _RATE, f"{label}, high", "High end of the 95 % interval.", ends),
    )


FUNNEL: Final = Table(
    "funnel",
    "One row a group and stage, sent to clicked, whatever the input. The group's columns come "
    "first, and rows are in their order.",
    (
        _CHANNEL,
        Column("stage", pl.Enum(STAGES), "Stage", "The stage reached."),
        Column(
            "messages",
            COUNT,
            "Messages",
            "Mature messages that reached the stage in the window.",
            _NO_STAGE,
        ),
        Column(
            "n_observed",
            COUNT,
            "Observed",
            "Those whose own event was reported in the window.",
            _NO_STAGE,
        ),
        Column(
            "n_implied",
            COUNT,
            "Implied",
            "Those counted because another event implies the stage: messages - n_observed.",
            _NO_STAGE,
        ),
        Column(
            "n_late",
            COUNT,
            "Late",
            "Mature messages whose first event of the stage came after the window; not counted "
            "as observed.",
            _NO_STAGE,
        ),
        _N_IMMATURE,
        _N_UNOBSERVED,
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
        _CUSTOMERS,
        _SMALL,
        Column(
            "method",
            TEXT,
            "Interval",
            "wilson within one customer; wilson-cluster across customers.",
        ),
        _UNIT,
        _WINDOW,
        _AS_OF,
        Column(
            "implied",
            TEXT,
            "Implied stages",
            "lower (a later stage implies the earlier ones) or none.",
        ),
        _OPENS,
        _NOTES,
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
        _CHANNEL,
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
            _RATE,
            "Share of sends",
            "sends / sends of all channels of the group and period.",
            "nothing was sent",
        ),
        Column(
            "share_of_engagements",
            _RATE,
            "Share of engagements",
            "engagements / engagements of all channels of the group and period.",
            "nothing was engaged with, or the channel has no such stage",
        ),
        Column(
            "index",
            _RATE,
            "Index",
            "share_of_engagements / share_of_sends; 1 is par.",
            "either share is null, or nothing was sent",
        ),
        Column(
            "index_lo",
            _RATE,
            "Index, low",
            "Low end of the index's 95 % interval.",
            "no interval can be given",
        ),
        Column(
            "index_hi",
            _RATE,
            "Index, high",
            "High end of the index's 95 % interval.",
            "no interval can be given",
        ),
        _N_IMMATURE,
        _N_UNOBSERVED,
        _CUSTOMERS,
        _SMALL,
        Column(
            "method",
            TEXT,
            "Interval",
            "How the index's interval was made: log-linear over messages within one customer, "
            "log-linear-cluster over customers otherwise; wilson where nothing was engaged with.",
        ),
        _UNIT,
        Column(
            "of",
            TEXT,
            "Engagement",
            "What counts as engagement: engaged (clicked, or opened where opens are trusted), "
            "clicked, opened or delivered.",
        ),
        _WINDOW,
        _AS_OF,
        _OPENS,
        _NOTES,
    ),
)

JOURNEY: Final = Table(
    "journey",
    "One row a message, control members' included, in the order of customer and day.",
    (
        IDS[0],
        Column("send_date", DAY, "Sent on", "The day of the send, or of the earliest event."),
        IDS[4],
        _CHANNEL,
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
