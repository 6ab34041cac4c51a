"""Which messages count, and which stages they reached.

In two steps, both over narwhals, so that the same lines judge on polars, DuckDB and PySpark. Facts:
which events a message had, in its window or later, and what else decides its fate. Verdict: what
follows from the facts by the rules. Messages of the same facts have the same verdict; so it can
also be passed on one of each kind (`patterns`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import narwhals as nw
import polars as pl

from optimove_analysis.analysis.channels import lacking
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.schema import CONTROL_ACTION_ID, SIDE_EVENTS, STAGES, Meaning, Stage

__all__ = ["EVENTS", "FATES", "ODDITIES", "facts", "judge", "judged", "verdict"]

EVENTS: Final[tuple[Meaning, ...]] = (*STAGES[1:], *SIDE_EVENTS)
"""The events that a message may have after its send."""

FATES: Final = ("dateless", "control", "unknown_only", "unobserved", "immature")
"""Why a message may not count; the first that applies."""

ODDITIES: Final = ("conflicts", "off_stage", "no_through", "assumed")
"""What readers are told of messages that count."""


def judged(interactions: pl.LazyFrame, rules: Rules, keep: Sequence[str] = ()) -> pl.LazyFrame:
    """Gather messages and judge each; ``keep`` are further columns of the user's to carry over."""
    return judge(messages(interactions, catalogue=rules.catalogue, keep=keep), rules)


def judge(found: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Say of each message (`schema.MESSAGES`) whether it counts, and what it reached.

    The further columns, none of which is ever null unless it says so:

    - one fate: ``_counted``, or why not: ``_dateless``, ``_control``, ``_unknown_only``,
      ``_unobserved``, ``_immature``;
    - ``_reached_<stage>`` by the rules, ``_observed_<stage>`` by its own event in the window,
      ``_late_<stage>`` by an event after it; these also of messages that do not count;
    - ``_had_<side event>``: the side event, in the window;
    - ``_engaged``, ``_late_engaged``;
    - oddities: ``_conflicts``, ``_off_stage``, ``_assumed``, ``_no_through``, ``_ahead``;
    - ``_through``: the day through which its data is complete, null where nobody knows.
    """
    told = rules.told_to_assume_sent
    assume_sent = ~nw.col("_is_observed").any() if told is None else nw.lit(told)
    known = facts(nw.from_native(found), rules)
    each: pl.LazyFrame = verdict(known, rules, assume_sent).to_native()
    return each


def facts(found: nw.LazyFrame[Any], rules: Rules) -> nw.LazyFrame[Any]:
    """Say of each message what its verdict depends on, beside its channel.

    Of `schema.MESSAGES` it reads the action and what follows the ids. The further columns, none
    of which is null but the first:

    - ``_through``: the day through which its data is complete, null where nobody knows;
    - ``_when_<event>``: 0 never, 1 in the window, 2 later;
    - ``_is_observed``, ``_is_dateless``, ``_is_control``, ``_is_young``, ``_is_open_ended``,
      ``_is_ahead``: whether its send was reported, it has no date, is of the control group, its
      window was open when the data ended, nobody knows when that was, and it has events after
      that day.
    """
    send, through = nw.col("send_date"), nw.col("_through")
    found = found.with_columns(
        _through=nw.col("data_through") if rules.as_of is None else nw.lit(rules.as_of),
        # The last day on which an event counts.
        _until=send if rules.window is None else send + nw.lit(dt.timedelta(days=rules.window)),
    )
    is_young = nw.lit(False)
    if rules.window is not None:
        is_young = (through < nw.col("_until")).fill_null(False)
    is_ahead = nw.lit(False)  # an as_of= is the user's own: events after it say nothing of reach
    if rules.as_of is None:
        last_event = nw.max_horizontal(*(f"{event}_on" for event in EVENTS))
        is_ahead = (last_event > through).fill_null(False)
    return found.with_columns(
        *(_when(event, rules.window).alias(f"_when_{event}") for event in EVENTS),
        _is_observed=nw.col("send_observed"),
        _is_dateless=send.is_null(),
        _is_control=(nw.col("action_id") == CONTROL_ACTION_ID).fill_null(False),
        _is_young=is_young,
        _is_open_ended=through.is_null(),
        _is_ahead=is_ahead,
    )


def _when(event: Meaning, window: int | None) -> nw.Expr:
    day = nw.col(f"{event}_on")
    happened = (~day.is_null()).cast(nw.Int8)
    if window is None:
        return happened
    return 2 * happened - (day <= nw.col("_until")).fill_null(False).cast(nw.Int8)


def verdict(known: nw.LazyFrame[Any], rules: Rules, assume_sent: nw.Expr) -> nw.LazyFrame[Any]:
    """Judge messages by their `facts` and their channel: the columns are those of `judge`."""
    happened = {event: nw.col(f"_when_{event}") > 0 for event in EVENTS}
    seen = {event: nw.col(f"_when_{event}") == 1 for event in EVENTS}
    has = {
        stage: ~nw.col("channel_id").is_in(lacking(rules.catalogue, stage)).fill_null(False)
        for stage in STAGES
    }
    # Whether it bounced is a fact about the message, not about the window: a wider window then
    # never lowers a count. With a click the bounce loses.
    bounced = happened["bounced"] & ~happened["clicked"]
    observed = _observed(has, seen, bounced)
    reached = _reached(has, seen, observed, bounced, rules)
    # A bounced message was not opened late either.
    late = (
        {"sent": nw.lit(False)}
        | {
            stage: has[stage]
            & (nw.col(f"_when_{stage}") == 2)  # noqa: PLR2004 - see `facts`
            & (nw.lit(True) if stage == "clicked" else ~bounced)
            for stage in STAGES[1:]
        }
    )
    soft: tuple[Stage, ...] = ("clicked", "opened") if rules.opens == "trust" else ("clicked",)
    engaged = _any(reached[stage] for stage in soft)
    return known.with_columns(
        *_fates(happened, assume_sent),
        *(observed[stage].alias(f"_observed_{stage}") for stage in STAGES),
        *(reached[stage].alias(f"_reached_{stage}") for stage in STAGES),
        *(late[stage].alias(f"_late_{stage}") for stage in STAGES),
        engaged.alias("_engaged"),
        *(seen[event].alias(f"_had_{event}") for event in SIDE_EVENTS),
        (~engaged & _any(late[stage] for stage in soft)).alias("_late_engaged"),
        ((happened["delivered"] | happened["opened"]) & happened["bounced"]).alias("_conflicts"),
        _any(~has[stage] & happened[stage] for stage in STAGES[1:]).alias("_off_stage"),
        (~nw.col("_is_observed")).alias("_assumed"),
        nw.col("_is_open_ended").alias("_no_through"),
        nw.col("_is_ahead").alias("_ahead"),
    )


def _fates(happened: Mapping[Meaning, nw.Expr], assume_sent: nw.Expr) -> list[nw.Expr]:
    """Give each message one fate: it counts, or the first reason why not."""
    unobserved = ~nw.col("_is_observed")
    # An unknown event is in no stage: it does not make a message sent either.
    unknown_only = unobserved & ~_any(happened.values())
    applies = (
        nw.col("_is_dateless"),
        nw.col("_is_control"),
        unknown_only,
        unobserved & ~assume_sent,
        nw.col("_is_young"),
    )
    free = nw.lit(True)
    fates: list[nw.Expr] = []
    for fate, this in zip(FATES, applies, strict=True):
        fates.append((free & this).alias(f"_{fate}"))
        free = free & ~this
    return [*fates, free.alias("_counted")]


def _observed(
    has: Mapping[Stage, nw.Expr], seen: Mapping[Meaning, nw.Expr], bounced: nw.Expr
) -> dict[Stage, nw.Expr]:
    return {
        "sent": nw.col("_is_observed"),
        "delivered": has["delivered"] & seen["delivered"] & ~bounced,
        "opened": has["opened"] & seen["opened"] & ~bounced,
        "clicked": has["clicked"] & seen["clicked"],
    }


def _reached(
    has: Mapping[Stage, nw.Expr],
    seen: Mapping[Meaning, nw.Expr],
    observed: Mapping[Stage, nw.Expr],
    bounced: nw.Expr,
    rules: Rules,
) -> dict[Stage, nw.Expr]:
    # A message that counts is one that was sent, observed or not.
    reached = dict(observed) | {"sent": nw.lit(True)}
    if rules.implied == "none":
        return reached
    later = (observed["delivered"], observed["opened"], observed["clicked"])
    reached["opened"] = has["opened"] & (observed["opened"] | observed["clicked"])
    reached["delivered"] = (
        has["delivered"] & ~bounced & _any((*later, seen["unsubscribed"], seen["spam_complaint"]))
    )
    return reached


def _any(conditions: Iterable[nw.Expr]) -> nw.Expr:
    """Whether one of them holds; none of them is ever null."""
    return nw.any_horizontal(*conditions, ignore_nulls=True)
