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
from optimove_analysis.schema.rows import COUNT
from optimove_analysis.schema.table import Column, Table

__all__ = ["DIVERSITY", "Share"]

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
