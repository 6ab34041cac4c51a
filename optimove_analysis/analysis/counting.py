"""Which messages count, and which stages they reached: what funnel and mix both stand on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self, TypeAlias, get_args

import polars as pl

from optimove_analysis.analysis.messages import messages
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError, SchemaError, suggest
from optimove_analysis.schema import (
    CONTROL_ACTION_ID,
    INTERACTIONS,
    MESSAGES,
    SIDE_EVENTS,
    STAGES,
    Meaning,
    Stage,
)

__all__ = [
    "By",
    "Grouping",
    "Implied",
    "Opens",
    "Rules",
    "channel_name",
    "has_stage",
    "tally",
    "within",
]

Implied: TypeAlias = Literal["lower", "none"]
Opens: TypeAlias = Literal["trust", "ignore"]
By: TypeAlias = str | pl.Expr | Sequence[str | pl.Expr]

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


@dataclass(frozen=True, slots=True)
class Grouping:
    """The columns that results are grouped by: their expressions, names, and what they need."""

    expressions: tuple[pl.Expr, ...]
    names: tuple[str, ...]
    keep: tuple[str, ...]
    """Columns of the user's own that messages must carry over."""

    @classmethod
    def of(cls, by: By, *, taken: Sequence[str]) -> Self:
        """Read ``by``; ``taken`` are the result's own columns, which a group may not be named."""
        listed = [by] if isinstance(by, str | pl.Expr) else list(by)
        expressions = tuple(pl.col(one) if isinstance(one, str) else one for one in listed)
        names = tuple(expression.meta.output_name() for expression in expressions)
        for name in names:
            if name in taken:
                message = f"by={name!r} is the name of a column of the result; .alias() another."
                raise InputError(message)
            if names.count(name) > 1:
                message = f"by= names {name!r} twice."
                raise InputError(message)
        roots = {root for expression in expressions for root in expression.meta.root_names()}
        return cls(expressions, names, tuple(sorted(roots - set(MESSAGES.names))))

    def check(self, interactions: pl.DataFrame | pl.LazyFrame) -> None:
        """Say which columns there are where one that is asked for is not."""
        there = set(interactions.collect_schema().names()) | set(INTERACTIONS.names)
        for name in self.keep:
            if name not in there:
                known = sorted(there | set(MESSAGES.names))
                message = f"by= asks for {name!r}, which is no column; {suggest(name, known)}"
                raise SchemaError(message)

    def aggregate(
        self, frame: pl.LazyFrame, *sums: pl.Expr, also: Sequence[str] = ()
    ) -> pl.LazyFrame:
        """Aggregate by the group's columns and ``also``; with none at all, to one row."""
        keys = [*self.names, *also]
        return frame.group_by(keys).agg(*sums) if keys else frame.select(*sums)


def within(expression: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """Return the expression over the rows of each group; with no names, over all."""
    return expression.over(*names) if names else expression


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

    - ``sent`` and, for the stages after it, ``reached_<stage>``: messages that count;
    - ``observed_<stage>``, ``late_<stage>``, ``engaged``: of those;
    - ``n_<reason>``: messages or events that do not count, by reason, for columns and notes;
    - ``through_first``, ``through_last``: the days through which the counted are complete.
    """
    found = messages(interactions, catalogue=rules.catalogue, keep=by.keep)
    judged = _judge(found, rules)
    counted = pl.col("_counted")
    of_all = ("control", "unobserved", "unknown_only", "dateless", "immature", "ahead")
    per_message = ("orphans", "unknown", "undated", "collapsed")
    of_counted = ("conflicts", "off_stage", "no_through", "assumed")
    stages = rules.stages
    return (
        judged.with_columns(*by.expressions)
        .group_by(
            *by.names,
            *further,
            pl.col("customer_id").alias("_customer"),
            pl.col("channel_id").alias("_channel"),
        )
        .agg(
            _sum(counted).alias("sent"),
            *(_sum(counted & pl.col(f"_reached_{s}")).alias(f"reached_{s}") for s in stages[1:]),
            *(_sum(counted & pl.col(f"_observed_{s}")).alias(f"observed_{s}") for s in stages),
            *(_sum(counted & pl.col(f"_late_{s}")).alias(f"late_{s}") for s in stages[1:]),
            _sum(counted & pl.col("_engaged")).alias("engaged"),
            *(_sum(pl.col(f"_{reason}")).alias(f"n_{reason}") for reason in of_all),
            *(pl.col(f"n_{oddity}").sum() for oddity in per_message),
            *(_sum(counted & pl.col(f"_{oddity}")).alias(f"n_{oddity}") for oddity in of_counted),
            pl.col("_through").filter(counted).min().alias("through_first"),
            pl.col("_through").filter(counted).max().alias("through_last"),
        )
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
    reached = dict(own)
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
    engaged = reached["clicked"]
    if rules.opens == "trust":
        engaged = engaged | reached["opened"]

    def late(stage: Stage) -> pl.Expr:
        days = pl.col(f"{stage}_on")
        unbounced = ~bounced if stage != "clicked" else pl.lit(True)
        return has[stage] & days.is_not_null() & ~seen[stage] & unbounced

    off_stage = pl.any_horizontal(
        ~has[stage] & pl.col(f"{stage}_on").is_not_null() for stage in STAGES[1:]
    )
    last_event = pl.max_horizontal(f"{event}_on" for event in _EVENTS)
    return found.with_columns(
        *columns,
        *(own[stage].alias(f"_observed_{stage}") for stage in STAGES),
        *(reached[stage].alias(f"_reached_{stage}") for stage in STAGES[1:]),
        *(late(stage).alias(f"_late_{stage}") for stage in STAGES[1:]),
        engaged.alias("_engaged"),
        pl.any_horizontal(pl.col("delivered_on", "opened_on").is_not_null())
        .and_(pl.col("bounced_on").is_not_null())
        .alias("_conflicts"),
        off_stage.alias("_off_stage"),
        (~observed).alias("_assumed"),
        through.is_null().alias("_no_through"),
        (last_event > through).fill_null(False).alias("_ahead"),
        through.alias("_through"),
    )


def _in_window(event: Meaning, window: int | None) -> pl.Expr:
    day = pl.col(f"{event}_on")
    if window is None:
        return day.is_not_null()
    return ((day - pl.col("send_date")).dt.total_days() <= window).fill_null(False)


def _sum(condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)
