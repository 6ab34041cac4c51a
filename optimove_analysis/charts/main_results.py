"""What a reader looks at first of each result, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from optimove_analysis.schema import (
    ANOMALIES,
    AUDIT,
    CHANNEL_MIX,
    COMPARISON,
    DIVERSITY,
    DRIFT,
    EXPLAIN_CHANGE,
    FREQUENCY,
    FREQUENCY_CONTRAST,
    FUNNEL,
    HAND_OFF,
    JOURNEY,
    ORDERED_FUNNEL_COUNTS,
    OVERLAP,
    PREFERRED_CHANNEL,
    RATES,
    RECENCY,
    SHRUNK,
    TIERS,
    TIME_TO_ENGAGE,
    TRANSITIONS,
    Table,
)

__all__ = ["MAIN", "Main", "Written"]

Written: TypeAlias = Literal["percent", "points", "lift", "number", "digits", "chance"]
"""Shares, differences of shares, relative differences, plain numbers, numbers of two digits that
count wherever the point is, and p-values."""


@dataclass(frozen=True, slots=True)
class Main:
    """The main columns of a result."""

    table: Table
    marks: tuple[str, ...]
    """Columns that together tell the result from those that come after it here. They must be no
    names that a user would group by, since another result by `tier` is none of tiers."""
    columns: tuple[str, ...]
    estimate: str = ""
    """The column that ``lo`` and ``hi`` are the ends of."""
    written: Mapping[str, Written] = field(default_factory=dict)
    """How those are written whose names do not tell."""
    stages: Mapping[str, str] = field(default_factory=dict)
    """Column to the count that is null where the channel lacks the column's stage."""


_RATE: Final[Mapping[str, Written]] = {"value": "percent", "lo": "percent", "hi": "percent"}
_SHARE: Final[Mapping[str, Written]] = {"share": "percent", "lo": "percent", "hi": "percent"}
_DAY_RATE: Final[Mapping[str, Written]] = {"rate": "percent", "lo": "percent", "hi": "percent"}
_K_OF_N: Final = dict.fromkeys(("value", "k", "n", "customers"), "k")
_EFFECTS: Final = ("change", "mix_effect", "rate_effect")

MAIN: Final[tuple[Main, ...]] = (
    Main(
        JOURNEY,
        ("send_date", "stage"),
        (
            *("send_date", "channel", "campaign_id", "action_id", "template_id"),
            *("stage", "days", "side_events"),
        ),
    ),
    Main(
        FUNNEL,
        ("stage", "messages"),
        (
            *("channel", "stage", "messages", "n_observed", "n_implied", "n_late"),
            *("overall_rate", "overall_lo", "overall_hi", "step_rate", "step_lo", "step_hi"),
        ),
    ),
    Main(
        CHANNEL_MIX,
        ("sends", "share_of_sends"),
        (
            *("period", "channel", "sends", "engagements", "share_of_sends"),
            *("share_of_engagements", "index", "index_lo", "index_hi"),
        ),
    ),
    Main(
        DIVERSITY,
        ("share", "effective_channels"),
        ("period", "share", "effective_channels", "hhi"),
    ),
    Main(
        DRIFT,
        ("divergence", "by_chance"),
        (
            *("before_from", "before_to", "after_from", "after_to", "share", "n_before"),
            *("n_after", "divergence", "by_chance", "by_chance_95"),
        ),
        written=dict.fromkeys(("divergence", "by_chance", "by_chance_95"), "digits"),
    ),
    Main(
        OVERLAP,
        ("channels", "total"),
        ("channels", "customers", "total", "share", "lo", "hi", "messages"),
        estimate="share",
        written=_SHARE,
    ),
    Main(
        ORDERED_FUNNEL_COUNTS,
        ("step", "overall_rate"),
        (
            *("step", "customers", "overall_rate", "overall_lo", "overall_hi"),
            *("previous", "step_rate", "step_lo", "step_hi", "median_days"),
        ),
        written={"median_days": "number"},
    ),
    Main(
        COMPARISON,
        ("value0", "value"),
        (
            *("channel", "label", "baseline", "k0", "n0", "value0", "against", "k", "n", "value"),
            *("difference", "difference_lo", "difference_hi", "lift", "lift_lo", "lift_hi"),
            *("reason", "flips"),
        ),
        written={
            **dict.fromkeys(("value0", "value"), "percent"),
            **dict.fromkeys(("difference", "difference_lo", "difference_hi"), "points"),
            **dict.fromkeys(("lift", "lift_lo", "lift_hi"), "lift"),
        },
        stages={
            **dict.fromkeys(("k0", "n0", "value0"), "n0"),
            **dict.fromkeys(("k", "n", "value"), "n"),
        },
    ),
    Main(
        SHRUNK,
        ("shrunk", "value"),
        ("channel", "label", "k", "n", "value", "shrunk", "lo", "hi", "pooled"),
        estimate="shrunk",
        written={**_RATE, "shrunk": "percent", "pooled": "percent"},
        stages=dict.fromkeys(("value", "k", "n", "shrunk", "pooled"), "k"),
    ),
    Main(
        EXPLAIN_CHANGE,
        ("mix_effect", "rate_effect"),
        (
            *("rate", "channel", "share_before", "share_after", "rate_before", "rate_after"),
            *(f"{effect}{end}" for effect in _EFFECTS for end in ("", "_lo", "_hi")),
        ),
        written={
            **dict.fromkeys(("share_before", "share_after"), "percent"),
            **dict.fromkeys(("rate_before", "rate_after"), "percent"),
            **{f"{effect}{end}": "points" for effect in _EFFECTS for end in ("", "_lo", "_hi")},
        },
    ),
    Main(
        PREFERRED_CHANNEL,
        ("rank", "received"),
        ("status", "rank", "channel", "engaged", "received", "rate", "lo", "hi", "last_engaged"),
        estimate="rate",
        written=_DAY_RATE,
    ),
    Main(
        TIERS,
        ("tier", "click_rate"),
        (
            *("tier", "sent", "delivered", "engaged", "clicked", "click_rate"),
            *("last_engaged", "days_since_engaged"),
        ),
    ),
    Main(
        RECENCY,
        ("last_sent", "last_engaged"),
        (
            *("channel", "sent", "delivered", "engaged", "clicked", "last_sent", "last_engaged"),
            *("days_since_engaged", "days_censored"),
        ),
    ),
    Main(
        FREQUENCY_CONTRAST,
        ("slope", "slope_across"),
        ("channel", "label", "slope", "lo", "hi", "slope_across", "n", "customers"),
        estimate="slope",
        written=dict.fromkeys(("slope", "lo", "hi", "slope_across"), "points"),
    ),
    Main(
        FREQUENCY,
        ("pressure", "value"),
        ("channel", "level", "label", "k", "n", "value", "lo", "hi", "customers"),
        estimate="value",
        written=_RATE,
        stages=_K_OF_N,
    ),
    Main(
        HAND_OFF,
        ("next", "from_channel"),
        ("from_channel", "next", "to_channel", "n", "n_from", "share", "lo", "hi", "median_days"),
        estimate="share",
        written={**_SHARE, "median_days": "number"},
    ),
    Main(
        TRANSITIONS,
        ("from_channel", "to_channel"),
        ("from_channel", "to_channel", "n", "n_from", "share", "lo", "hi"),
        estimate="share",
        written=_SHARE,
    ),
    Main(
        ANOMALIES,
        ("status", "expected"),
        (
            *("channel", "send_date", "status", "label", "k", "n", "rate", "lo", "hi"),
            *("expected", "drop", "p"),
        ),
        estimate="rate",
        written={**_DAY_RATE, "expected": "percent", "drop": "points", "p": "chance"},
        stages=dict.fromkeys(("k", "n", "rate", "expected", "drop", "p"), "k"),
    ),
    Main(
        TIME_TO_ENGAGE,
        ("day", "at_risk"),
        ("channel", "day", "at_risk", "events", "censored", "engaged", "lo", "hi"),
        estimate="engaged",
        written=dict.fromkeys(("engaged", "lo", "hi"), "percent"),
        stages=dict.fromkeys(("at_risk", "events", "censored", "engaged"), "at_risk"),
    ),
    Main(
        AUDIT,
        ("check", "severity"),
        ("check", "severity", "count", "of", "total", "share", "what", "what_to_do"),
        written={"share": "percent"},
    ),
    Main(
        RATES,
        ("label", "value"),
        ("channel", "label", "k", "n", "value", "lo", "hi", "customers"),
        estimate="value",
        written=_RATE,
        stages=_K_OF_N,
    ),
)
