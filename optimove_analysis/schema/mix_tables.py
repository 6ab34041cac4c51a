"""What is asked of channel mixes: how even, how they changed, what that did, what one prefers."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, TypeAlias, get_args

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.parts import (
    AS_OF,
    IMPLIED,
    N_IMMATURE,
    N_UNOBSERVED,
    NOTES,
    OPENS,
    RATE,
    UNIT,
    WINDOW,
)
from optimove_analysis.schema.rate_tables import RATES
from optimove_analysis.schema.results import CHANNEL_MIX
from optimove_analysis.schema.rows import COUNT, DAY, IDS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["DIVERSITY", "DRIFT", "EXPLAIN_CHANGE", "PREFERRED_CHANNEL", "Preference", "Share"]

Share: TypeAlias = Literal["sends", "engagements"]
"""What a mix is of."""

Preference: TypeAlias = Literal["preferred", "undecided", "insufficient"]
"""What can be said of a customer's channels."""

_SHARE: Final = Column(
    "share",
    pl.Enum(get_args(Share)),
    "Mix of",
    "Of what the shares are: of the sends, or of the engagements.",
)
_OF: Final = CHANNEL_MIX["of"]
_RESTS_ON: Final = (UNIT, _OF, WINDOW, AS_OF, IMPLIED, OPENS, NOTES)
_NONE: Final = "there is no message to share out"

DIVERSITY: Final = Table(
    "diversity",
    "One row a group, period and share: of sends, then of engagements. The group's columns come "
    "first, and rows are in the order of all these.",
    (
        CHANNEL_MIX["period"],
        _SHARE,
        Column("shannon", RATE, "Shannon's H", "-sum p ln p over channels, in nats.", _NONE),
        Column(
            "effective_channels",
            RATE,
            "Effective channels",
            "exp(H): so many channels with like shares would be as diverse.",
            _NONE,
        ),
        Column(
            "hhi",
            RATE,
            "HHI",
            "Herfindahl and Hirschman's index, sum p squared: 1 for one channel, 1 / S for S "
            "channels with like shares.",
            _NONE,
        ),
        Column(
            "evenness",
            RATE,
            "Evenness",
            "H / ln S, 0 to 1: 1 where all channels have like shares.",
            f"there is one channel only, or {_NONE}",
        ),
        Column("n_channels", COUNT, "Channels", "S: the channels with any share."),
        Column("n", COUNT, "Out of", "Mature messages, or engagements, that are shared out."),
        N_IMMATURE,
        N_UNOBSERVED,
        replace(
            CHANNEL_MIX["customers"],
            what="Distinct customers among the counted messages.",
        ),
        Column("small", pl.Boolean(), "Small", f"Whether n is below {SMALL_N}."),
        *_RESTS_ON,
    ),
)

_PERIODS: Final = tuple(
    Column(
        f"{period}_{end}",
        DAY,
        f"{period.title()}, {end}",
        f"The {which} day of the period {period}.",
    )
    for period in ("before", "after")
    for end, which in (("from", "first"), ("to", "last"))
)
_EMPTY: Final = "nothing is counted in one of the periods"

DRIFT: Final = Table(
    "drift",
    "One row a group, pair of periods and share: of sends, then of engagements. The group's "
    "columns come first, and rows are in the order of group, period and share.",
    (
        *_PERIODS,
        _SHARE,
        Column(
            "divergence",
            RATE,
            "Divergence",
            "Jensen and Shannon's divergence of the two mixes, base 2: 0 for the same shares, 1 "
            "where no channel is in both.",
            _EMPTY,
        ),
        Column(
            "by_chance",
            RATE,
            "By chance",
            "The divergence to be expected of so many messages if nothing had changed.",
            _EMPTY,
        ),
        Column(
            "by_chance_95",
            RATE,
            "By chance at most",
            "If nothing had changed, the divergence would be below this 95 times of 100.",
            _EMPTY,
        ),
        Column(
            "design_effect",
            RATE,
            "Design effect",
            "How many times more chance there is than if messages were independent, since those "
            "of one customer are alike; at least 1.",
            _EMPTY,
        ),
        Column("n_channels", COUNT, "Channels", "Channels with any share in either period."),
        Column("n_before", COUNT, "Before", "Messages, or engagements, of the period before."),
        Column("n_after", COUNT, "After", "Messages, or engagements, of the period after."),
        N_IMMATURE,
        N_UNOBSERVED,
        replace(
            CHANNEL_MIX["customers"],
            what="Distinct customers among the counted: the clusters of the design effect.",
        ),
        Column(
            "small",
            pl.Boolean(),
            "Small",
            f"Whether fewer than {SMALL_N} are counted in one of the periods.",
        ),
        Column(
            "method",
            TEXT,
            "By chance as",
            "chi-square within one customer, chi-square-cluster across customers.",
        ),
        *_RESTS_ON,
    ),
)

_NO_EFFECT: Final = (
    "nothing is counted in one of the periods; or, with implied none, more were reported of k "
    "than of n"
)
_NO_ENDS: Final = (
    "no interval can be given: n is below the small one in a period, or a rate is 0 or 1, of "
    "which the linearisation sees no chance"
)


def _effect(name: str, label: str, what: str) -> tuple[Column, Column, Column]:
    return (
        Column(name, RATE, label, what, _NO_EFFECT),
        Column(f"{name}_lo", RATE, f"{label}, low", "Low end of the 95 % interval.", _NO_ENDS),
        Column(f"{name}_hi", RATE, f"{label}, high", "High end of the 95 % interval.", _NO_ENDS),
    )


EXPLAIN_CHANGE: Final = Table(
    "explain_change",
    "One row a group and channel, then one for all its channels, whose channel is null. The "
    "group's columns come first, and rows are in their order.",
    (
        *_PERIODS,
        replace(RATES["rate"], what="Which rate it is that changed."),
        replace(IDS[4], nulls=f"{IDS[4].nulls}, or the row is a total over channels"),
        replace(CHANNEL_MIX["channel"], nulls="the row is a total over channels"),
        *(
            Column(
                f"share_{period}",
                RATE,
                f"Share, {period}",
                f"The channel's share of what the rate divides by, in the period {period}.",
                f"nothing is counted in the period {period}",
            )
            for period in ("before", "after")
        ),
        *(
            Column(
                f"rate_{period}",
                RATE,
                f"Rate, {period}",
                f"k / n in the period {period}.",
                f"n is 0 in the period {period}; or, with implied none, more were reported of k",
            )
            for period in ("before", "after")
        ),
        *_effect("change", "Change", "What the channel added to the change: both effects."),
        *_effect(
            "mix_effect",
            "By the mix",
            "What came of the channel's share: (w1 - w0)(r0 + r1) / 2.",
        ),
        *_effect(
            "rate_effect",
            "By the rate",
            "What came of the channel's rate: (r1 - r0)(w0 + w1) / 2.",
        ),
        *(
            Column(f"{part}_{period}", COUNT, f"{label}, {period}", what)
            for period in ("before", "after")
            for part, label, what in (
                ("k", "Of these", f"What the rate counts in the period {period}."),
                ("n", "Out of", f"What the rate divides by in the period {period}."),
            )
        ),
        Column("n_late", COUNT, "Late", "Messages whose first event for k came after the window."),
        N_IMMATURE,
        N_UNOBSERVED,
        replace(
            CHANNEL_MIX["customers"],
            what="Distinct customers among the messages of n: the clusters of the interval.",
        ),
        Column(
            "small", pl.Boolean(), "Small", f"Whether n is below {SMALL_N} in one of the periods."
        ),
        Column(
            "method",
            TEXT,
            "Interval",
            "linear within one customer, linear-cluster across customers.",
        ),
        *(column for column in _RESTS_ON if column is not _OF),
    ),
)

_UNRANKED: Final = "too few messages were received on the channel, or it reports no engagement"
_NO_RATE: Final = (
    "nothing was received, the channel reports no engagement, or, with implied none, more were "
    "engaged with than received"
)

PREFERRED_CHANNEL: Final = Table(
    "preferred_channel",
    "One row a customer and channel, in the order of customer, rank and channel; channels without "
    "a rank come last.",
    (
        IDS[0],
        Column(
            "status",
            pl.Enum(get_args(Preference)),
            "Status",
            "Of the customer: preferred (rank 1 is), undecided (the first two intervals overlap) "
            "or insufficient (fewer than two channels with a rank).",
        ),
        Column("rank", COUNT, "Rank", "1 for the channel with the highest rate.", _UNRANKED),
        IDS[4],
        replace(CHANNEL_MIX["channel"], nulls=""),
        Column("rate", RATE, "Engagement rate", "engaged / received, 0 to 1.", _NO_RATE),
        Column("lo", RATE, "Low", "Low end of the 95 % interval.", _NO_RATE),
        Column(
            "hi",
            RATE,
            "High",
            "High end of the 95 % interval.",
            _NO_RATE,
        ),
        Column("engaged", COUNT, "Engaged", "Messages engaged with in the window."),
        Column("received", COUNT, "Received", "Mature messages received in the days looked back."),
        Column(
            "received_as",
            TEXT,
            "Received as",
            "delivered; or not bounced, where the customer has no delivered event on the channel.",
        ),
        Column(
            "last_engaged",
            DAY,
            "Last engaged",
            "The day of the latest engagement that counts: each message's first click, or first "
            "open where opens are trusted.",
            "none",
        ),
        Column(
            "n_implied",
            COUNT,
            "Implied",
            "Those of received without a delivered event of their own in the window.",
        ),
        Column("n_late", COUNT, "Late", "Messages first engaged with after the window."),
        N_IMMATURE,
        N_UNOBSERVED,
        Column("small", pl.Boolean(), "Small", f"Whether received is below {SMALL_N}."),
        Column("method", TEXT, "Interval", "wilson, of one customer's messages."),
        UNIT,
        Column("lookback", pl.Int32(), "Days looked back", "Days of sends, the last being as_of."),
        WINDOW,
        replace(
            AS_OF,
            what="The last of the days looked back: the latest that the customer's data reaches.",
            nulls="not known: all messages count, however old",
        ),
        IMPLIED,
        OPENS,
        NOTES,
    ),
)
