"""Which messages count, and which stages they reached: what funnel and mix both stand on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import polars as pl

from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.messages import messages
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import (
    CONTROL_ACTION_ID,
    MESSAGES,
    SIDE_EVENTS,
    STAGES,
    Meaning,
    Stage,
)

__all__ = [
    "Implied",
    "Opens",
    "Rules",
    "channel_name",
    "has_stage",
    "is_single_stage",
    "is_unknown_kind",
    "tally",
]

Implied: TypeAlias = Literal["lower", "none"]
Opens: TypeAlias = Literal["trust", "ignore"]

_EVENTS: Final[tuple[Meaning, ...]] = (*STAGES[1:], *SIDE_EVENTS)


@dataclass(frozen=True, slots=True)
class Rules:
    """How messages are counted; see the arguments of `funnel`."""

    window: int | None
    as_of: dt.date | None
    implied: Implied
    assume_sent: bool | None
    opens: Opens
    catalogue: Catalogue

    def __post_init__(self) -> None:
        if self.window is not None and (
            isinstance(self.window, bool) or not isinstance(self.window, int) or self.window < 0
        ):
            message = f"window={self.window!r} must be a number of days, 0 or more, or None."
            raise InputError(message)
        if self.as_of is not None and type(self.as_of) is not dt.date:
            message = f"as_of={self.as_of!r} must be a datetime.date or None."
            raise InputError(message)
        if self.implied not in get_args(Implied):
            raise InputError.option("implied", self.implied, get_args(Implied))
        if self.opens not in get_args(Opens):
            raise InputError.option("opens", self.opens, get_args(Opens))
        if self.assume_sent is not None and not isinstance(self.assume_sent, bool):
            raise InputError.option("assume_sent", self.assume_sent, (None, True, False))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that a funnel by these rules has."""
        return STAGES if self.opens == "trust" else ("sent", "delivered", "clicked")

    def assumes_sent(self) -> pl.Expr:
        """Whether a message with no sent row counts as sent: as told, else by the whole frame."""
        if self.assume_sent is not None:
            return pl.lit(self.assume_sent)
        if self.catalogue.reports_sent is not None:
            return pl.lit(not self.catalogue.reports_sent)
        return ~pl.col("send_observed").any()


def has_stage(catalogue: Catalogue, stage: Stage) -> pl.Expr:
    """Whether the row's channel has the stage; a channel that nobody knows has all."""
    known = {*catalogue.channels, *catalogue.kinds}
    lacking = [channel for channel in known if stage not in catalogue.stages(channel)]
    return ~pl.col("channel_id").is_in(lacking).fill_null(False)


def is_single_stage(catalogue: Catalogue) -> pl.Expr:
    """Whether the row's channel has one stage only (a call centre)."""
    known = {*catalogue.channels, *catalogue.kinds}
    single = [channel for channel in known if len(catalogue.stages(channel)) == 1]
    return pl.col("channel_id").is_in(single).fill_null(False)


def is_unknown_kind(catalogue: Catalogue) -> pl.Expr:
    """Whether nobody knows which stages the row's channel has."""
    known = {*catalogue.channels, *catalogue.kinds}
    certain = [channel for channel in known if catalogue.kind(channel) != "unknown"]
    return ~pl.col("channel_id").is_in(certain).fill_null(False)


def channel_name(catalogue: Catalogue) -> pl.Expr:
    """Return the row's channel's name."""
    channel = pl.col("channel_id")
    names = {i: catalogue.channel(i) for i in catalogue.channels}
    unnamed = pl.format("channel {} (unnamed)", channel)
    named = channel.replace_strict(names, default=unnamed, return_dtype=pl.String)
    return pl.when(channel.is_null()).then(pl.lit(catalogue.channel(None))).otherwise(named)


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
    judged = _judge(found.select(*MESSAGES.names, *by.read(), *further), rules)
    counted = pl.col("_counted")
    of_all = ("control", "unobserved", "unknown_only", "dateless", "immature", "ahead")
    per_message = ("orphans", "unknown", "undated", "collapsed")
    of_counted = ("conflicts", "off_stage", "no_through", "assumed")
    happened = [f"{what}_{s}" for what in ("reached", "observed", "late") for s in rules.stages]
    return judged.group_by(
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


def _judge(found: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Say of each message whether it counts, and what it reached."""
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
