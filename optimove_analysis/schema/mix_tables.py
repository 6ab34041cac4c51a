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
from optimove_analysis.schema.results import CHANNEL_MIX
from optimove_analysis.schema.rows import COUNT, DAY, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["DIVERSITY", "DRIFT", "Share"]

Share: TypeAlias = Literal["sends", "engagements"]
"""What a mix is of."""

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
