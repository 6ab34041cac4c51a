"""Which messages count, and which stages they reached: what funnel and mix both stand on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from optimove_analysis.analysis.channels import has_stage
from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.schema import (
    CONTROL_ACTION_ID,
    MESSAGES,
    SIDE_EVENTS,
    STAGES,
    Meaning,
    Stage,
)

__all__ = ["judge", "judged", "tally"]

_EVENTS: Final[tuple[Meaning, ...]] = (*STAGES[1:], *SIDE_EVENTS)


def tally(
    interactions: pl.LazyFrame, rules: Rules, by: Grouping, *further: pl.Expr
) -> pl.LazyFrame:
    """Count messages by group, customer and channel.

    ``further`` are expressions over messages to group by as well (a period). The columns:

    - the group's keys, ``further``, ``customer_id`` and ``channel_id``;
    - ``reached_<stage>``, ``observed_<stage>``, ``late_<stage>``: messages that count, by what
      happened; ``reached_sent`` is all of them;
    - ``engaged``, ``late_engaged``: of those, by whether there was any engagement, and when;
    - ``n_<reason>``: messages or events that do not count, by reason, for columns and notes;
    - ``through_first``, ``through_last``: the days through which the counted are complete.
    """
    found = messages(interactions, catalogue=rules.catalogue, keep=by.keep)
    # Only now may names be ours: no expression of the user's is read after this.
    each = judge(found.select(*MESSAGES.names, *by.read(), *further), rules)
    counted = pl.col("_counted")
    of_all = ("control", "unobserved", "unknown_only", "dateless", "immature", "ahead")
    per_message = ("orphans", "unknown", "undated", "collapsed")
    of_counted = ("conflicts", "off_stage", "no_through", "assumed")
    happened = [f"{what}_{s}" for what in ("reached", "observed", "late") for s in rules.stages]
    return each.group_by(
        *by.keys, *(one.meta.output_name() for one in further), "customer_id", "channel_id"
    ).agg(
        *(_sum(counted & pl.col(f"_{name}")).alias(name) for name in happened),
        *(_sum(counted & pl.col(f"_{name}")).alias(name) for name in ("engaged", "late_engaged")),
        *(_sum(pl.col(f"_{reason}")).alias(f"n_{reason}") for reason in of_all),
        *(pl.col(f"n_{oddity}").sum() for oddity in per_message),
        *(_sum(counted & pl.col(f"_{oddity}")).alias(f"n_{oddity}") for oddity in of_counted),
        pl.col("unknown_event").min(),
        pl.col("_through").filter(counted).min().alias("through_first"),
        pl.col("_through").filter(counted).max().alias("through_last"),
    )


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
    catalogue = rules.catalogue
    send = pl.col("send_date")
    through = pl.col("data_through") if rules.as_of is None else pl.lit(rules.as_of)
    known_event = pl.any_horizontal(pl.col(f"{event}_on").is_not_null() for event in _EVENTS)
    observed = pl.col("send_observed")

    # Each message has one fate; the first that applies.
    fates = {
        "dateless": send.is_null(),
        "control": (pl.col("action_id") == CONTROL_ACTION_ID).fill_null(False),
        # An unknown event is in no stage: it does not make a message sent either.
        "unknown_only": ~observed & ~known_event,
        "unobserved": ~observed & ~rules.assumes_sent(),
        "immature": pl.lit(False)
        if rules.window is None
        else ((through - send).dt.total_days() < rules.window).fill_null(False),
    }
    free = pl.lit(True)
    columns: list[pl.Expr] = []
    for fate, applies in fates.items():
        columns.append((free & applies).alias(f"_{fate}"))
        free = free & ~applies
    columns.append(free.alias("_counted"))

    # Whether it bounced is a fact about the message, not about the window: a wider window then
    # never lowers a count. With a click the bounce loses.
    bounced = pl.col("bounced_on").is_not_null() & pl.col("clicked_on").is_null()
    has = {stage: has_stage(catalogue, stage) for stage in STAGES}
    seen: dict[Meaning, pl.Expr] = {event: _in_window(event, rules.window) for event in _EVENTS}
    own = {
        "sent": observed,
        "delivered": has["delivered"] & seen["delivered"] & ~bounced,
        "opened": has["opened"] & seen["opened"] & ~bounced,
        "clicked": has["clicked"] & seen["clicked"],
    }
    # A message that counts is one that was sent, observed or not.
    reached = own | {"sent": pl.lit(True)}
    if rules.implied == "lower":
        reached["opened"] = has["opened"] & (own["opened"] | own["clicked"])
        reached["delivered"] = (
            has["delivered"]
            & ~bounced
            & pl.any_horizontal(
                own["delivered"],
                own["opened"],
                own["clicked"],
                seen["unsubscribed"],
                seen["spam_complaint"],
            )
        )
    # A bounced message was not opened late either.
    late = {"sent": pl.lit(False)} | {
        stage: has[stage]
        & pl.col(f"{stage}_on").is_not_null()
        & ~seen[stage]
        & (pl.lit(True) if stage == "clicked" else ~bounced)
        for stage in STAGES[1:]
    }
    soft: tuple[Stage, ...] = ("clicked", "opened") if rules.opens == "trust" else ("clicked",)
    engaged = pl.any_horizontal(reached[stage] for stage in soft)
    off_stage = pl.any_horizontal(
        ~has[stage] & pl.col(f"{stage}_on").is_not_null() for stage in STAGES[1:]
    )
    last_event = pl.max_horizontal(f"{event}_on" for event in _EVENTS)
    return found.with_columns(
        *columns,
        *(own[stage].alias(f"_observed_{stage}") for stage in STAGES),
        *(reached[stage].alias(f"_reached_{stage}") for stage in STAGES),
        *(late[stage].alias(f"_late_{stage}") for stage in STAGES),
        engaged.alias("_engaged"),
        *(seen[event].alias(f"_had_{event}") for event in SIDE_EVENTS),
        (~engaged & pl.any_horizontal(late[stage] for stage in soft)).alias("_late_engaged"),
        pl.any_horizontal(pl.col("delivered_on", "opened_on").is_not_null())
        .and_(pl.col("bounced_on").is_not_null())
        .alias("_conflicts"),
        off_stage.alias("_off_stage"),
        (~observed).alias("_assumed"),
        through.is_null().alias("_no_through"),
        # An as_of= is the user's own: events after it say nothing of the answers' reach.
        (last_event > through if rules.as_of is None else pl.lit(False))
        .fill_null(False)
        .alias("_ahead"),
        through.alias("_through"),
    )


def _in_window(event: Meaning, window: int | None) -> pl.Expr:
    day = pl.col(f"{event}_on")
    if window is None:
        return day.is_not_null()
    return ((day - pl.col("send_date")).dt.total_days() <= window).fill_null(False)


def _sum(condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)
