"""Which messages count, and which stages they reached: what funnel and mix both stand on.

Written over narwhals, so that the same lines count on polars, DuckDB and PySpark.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

import narwhals as nw
import polars as pl

from optimove_analysis.analysis.channels import lacking
from optimove_analysis.analysis.engines import Interactions, opened
from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.keys import PackedKey, PlainKey
from optimove_analysis.analysis.messages import OF_A_ROW, check_keep, count_where, gather, messages
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.schema import (
    CONTROL_ACTION_ID,
    MESSAGE_KEY,
    MESSAGES,
    SIDE_EVENTS,
    STAGES,
    Meaning,
    Stage,
)

__all__ = ["judge", "judge_anywhere", "judged", "tally"]

_READ: Final = {"customer_id", "action_id", "channel_id"}
"""The ids that counting itself reads."""

_EVENTS: Final[tuple[Meaning, ...]] = (*STAGES[1:], *SIDE_EVENTS)

_OF_ALL: Final = ("control", "unobserved", "unknown_only", "dateless", "immature", "ahead")
_PER_MESSAGE: Final = ("orphans", "unknown", "undated", "collapsed")
_OF_COUNTED: Final = ("conflicts", "off_stage", "no_through", "assumed")


def tally(
    interactions: Interactions,
    rules: Rules,
    by: Grouping,
    *further: pl.Expr,
    every: str | None = None,
) -> pl.LazyFrame:
    """Count messages by group, customer and channel, on the engine where the interactions are.

    ``further`` are expressions over messages to group by as well, on polars; with ``every`` it is
    the ``period`` of the send. The columns:

    - the group's keys, ``further``, ``period``, ``customer_id`` and ``channel_id``;
    - ``reached_<stage>``, ``observed_<stage>``, ``late_<stage>``: messages that count, by what
      happened; ``reached_sent`` is all of them;
    - ``engaged``, ``late_engaged``: of those, by whether there was any engagement, and when;
    - ``n_<reason>``: messages or events that do not count, by reason, for columns and notes;
    - ``through_first``, ``through_last``: the days through which the counted are complete.
    """
    rows = opened(interactions)
    check_keep(by.keep, rows.collect_schema().to_polars())
    # A plan is not looked into before it runs: only of rows at hand are the ids' ranges known.
    packed = PackedKey.of(interactions.lazy()) if isinstance(interactions, pl.DataFrame) else None
    # Apart from our own columns, whatever the user's are called.
    kept = {f"_keep_{number}": name for number, name in enumerate(by.keep)}
    rows = rows.select(
        *MESSAGE_KEY, *OF_A_ROW, *(nw.col(name).alias(ours) for ours, name in kept.items())
    )
    roots = {root for one in (*by.expressions, *further) for root in one.meta.root_names()}
    ids = [name for name in MESSAGE_KEY if name in roots | _READ]
    found = gather(rows, packed or PlainKey(), rules.catalogue, ids, tuple(kept)).rename(kept)
    keys = [*by.keys, *(one.meta.output_name() for one in further)]
    found = by.write_keys(found, *further, every=every)
    if every is not None:
        keys.append("period")

    # Only now may names be ours: no expression of the user's is read after this.
    facts = [name for name in MESSAGES.names if name not in {*MESSAGE_KEY, "rows"}]
    found = found.select(*keys, *ids, *facts)
    each = judge_anywhere(found, rules, _assumes_sent(interactions, rows, rules))
    counts = each.group_by([*keys, "customer_id", "channel_id"]).agg(*_sums(rules))
    plan: Any = counts.to_native()
    if not isinstance(plan, pl.LazyFrame):
        plan = counts.collect("polars").to_native().lazy()
    native: pl.LazyFrame = plan.with_columns(by.as_text()) if packed else plan
    return native


def _assumes_sent(
    interactions: Interactions,
    rows: nw.LazyFrame[Any],
    rules: Rules,
) -> nw.Expr:
    """Whether a message with no sent row counts as sent: as told, else by the whole frame."""
    told = rules.told_to_assume_sent
    if told is None and isinstance(interactions, pl.LazyFrame):
        return ~nw.col("send_observed").any()
    if told is None:
        sent = nw.col("event_id").is_in(rules.catalogue.ids("sent")) & ~nw.col("date").is_null()
        seen = rows.select(sent.fill_null(False).cast(nw.Int64).max()).collect("polars").item()
        told = not seen
    return nw.lit(told)


def _sums(rules: Rules) -> list[nw.Expr]:
    """Return what a tally adds up over judged messages."""
    counted = nw.col("_counted")
    happened = [f"{what}_{s}" for what in ("reached", "observed", "late") for s in rules.stages]
    return [
        *(count_where(counted & nw.col(f"_{name}")).alias(name) for name in happened),
        *(
            count_where(counted & nw.col(f"_{name}")).alias(name)
            for name in ("engaged", "late_engaged")
        ),
        *(count_where(nw.col(f"_{reason}")).alias(f"n_{reason}") for reason in _OF_ALL),
        *(nw.col(f"n_{oddity}").sum().cast(nw.Int64) for oddity in _PER_MESSAGE),
        *(
            count_where(counted & nw.col(f"_{oddity}")).alias(f"n_{oddity}")
            for oddity in _OF_COUNTED
        ),
        nw.col("unknown_event").min(),
        nw.when(counted).then(nw.col("_through")).min().alias("through_first"),
        nw.when(counted).then(nw.col("_through")).max().alias("through_last"),
    ]


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
    assume_sent = ~nw.col("send_observed").any() if told is None else nw.lit(told)
    each: pl.LazyFrame = judge_anywhere(nw.from_native(found), rules, assume_sent).to_native()
    return each


def judge_anywhere(
    found: nw.LazyFrame[Any], rules: Rules, assume_sent: nw.Expr
) -> nw.LazyFrame[Any]:
    """Judge messages on whichever engine they are, as `judge` does.

    Of `schema.MESSAGES` it reads the action, the channel and what follows the ids.
    """
    send, through = nw.col("send_date"), nw.col("_through")
    observed = nw.col("send_observed")
    known_event = _any(~nw.col(f"{event}_on").is_null() for event in _EVENTS)
    found = found.with_columns(
        _through=nw.col("data_through") if rules.as_of is None else nw.lit(rules.as_of),
        # The last day on which an event counts.
        _until=send if rules.window is None else send + nw.lit(dt.timedelta(days=rules.window)),
    )

    # Each message has one fate; the first that applies.
    fates = {
        "dateless": send.is_null(),
        "control": (nw.col("action_id") == CONTROL_ACTION_ID).fill_null(False),
        # An unknown event is in no stage: it does not make a message sent either.
        "unknown_only": ~observed & ~known_event,
        "unobserved": ~observed & ~assume_sent,
        "immature": nw.lit(False)
        if rules.window is None
        else (through < nw.col("_until")).fill_null(False),
    }
    free = nw.lit(True)
    columns: list[nw.Expr] = []
    for fate, applies in fates.items():
        columns.append((free & applies).alias(f"_{fate}"))
        free = free & ~applies
    columns.append(free.alias("_counted"))

    # Whether it bounced is a fact about the message, not about the window: a wider window then
    # never lowers a count. With a click the bounce loses.
    bounced = ~nw.col("bounced_on").is_null() & nw.col("clicked_on").is_null()
    has = {
        stage: ~nw.col("channel_id").is_in(lacking(rules.catalogue, stage)).fill_null(False)
        for stage in STAGES
    }
    seen: dict[Meaning, nw.Expr] = {event: _in_window(event, rules.window) for event in _EVENTS}
    own = {
        "sent": observed,
        "delivered": has["delivered"] & seen["delivered"] & ~bounced,
        "opened": has["opened"] & seen["opened"] & ~bounced,
        "clicked": has["clicked"] & seen["clicked"],
    }
    # A message that counts is one that was sent, observed or not.
    reached = own | {"sent": nw.lit(True)}
    if rules.implied == "lower":
        reached["opened"] = has["opened"] & (own["opened"] | own["clicked"])
        reached["delivered"] = (
            has["delivered"]
            & ~bounced
            & (
                own["delivered"]
                | own["opened"]
                | own["clicked"]
                | seen["unsubscribed"]
                | seen["spam_complaint"]
            )
        )
    # A bounced message was not opened late either.
    late = {"sent": nw.lit(False)} | {
        stage: has[stage]
        & ~nw.col(f"{stage}_on").is_null()
        & ~seen[stage]
        & (nw.lit(True) if stage == "clicked" else ~bounced)
        for stage in STAGES[1:]
    }
    soft: tuple[Stage, ...] = ("clicked", "opened") if rules.opens == "trust" else ("clicked",)
    engaged = _any(reached[stage] for stage in soft)
    off_stage = _any(~has[stage] & ~nw.col(f"{stage}_on").is_null() for stage in STAGES[1:])
    last_event = nw.max_horizontal(*(f"{event}_on" for event in _EVENTS))
    return found.with_columns(
        *columns,
        *(own[stage].alias(f"_observed_{stage}") for stage in STAGES),
        *(reached[stage].alias(f"_reached_{stage}") for stage in STAGES),
        *(late[stage].alias(f"_late_{stage}") for stage in STAGES),
        engaged.alias("_engaged"),
        *(seen[event].alias(f"_had_{event}") for event in SIDE_EVENTS),
        (~engaged & _any(late[stage] for stage in soft)).alias("_late_engaged"),
        (
            (~nw.col("delivered_on").is_null() | ~nw.col("opened_on").is_null())
            & ~nw.col("bounced_on").is_null()
        ).alias("_conflicts"),
        off_stage.alias("_off_stage"),
        (~observed).alias("_assumed"),
        through.is_null().alias("_no_through"),
        # An as_of= is the user's own: events after it say nothing of the answers' reach.
        ((last_event > through).fill_null(False) if rules.as_of is None else nw.lit(False)).alias(
            "_ahead"
        ),
    )


def _any(conditions: Iterable[nw.Expr]) -> nw.Expr:
    """Whether one of them holds; none of them is ever null."""
    return nw.any_horizontal(*conditions, ignore_nulls=True)


def _in_window(event: Meaning, window: int | None) -> nw.Expr:
    day = nw.col(f"{event}_on")
    if window is None:
        return ~day.is_null()
    return (day <= nw.col("_until")).fill_null(False)
