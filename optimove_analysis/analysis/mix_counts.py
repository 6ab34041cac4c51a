"""What channel mixes are made of: sends and engagements by group, customer and channel."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, get_args

import polars as pl

from optimove_analysis.analysis.channels import has_stage
from optimove_analysis.analysis.counting import tally
from optimove_analysis.analysis.engines import Interactions
from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.errors import InputError

__all__ = [
    "Engagement",
    "can_engage",
    "check_options",
    "count_mix",
    "late_note",
    "mix_columns",
    "name_of",
    "unable_note",
]

Engagement: TypeAlias = Literal["engaged", "clicked", "opened", "delivered"]


def check_options(rules: Rules, of: Engagement, every: str | None) -> None:
    """Say what is wrong with the options that all of the mix share."""
    if of not in get_args(Engagement):
        raise InputError.option("of", of, get_args(Engagement))
    if of == "opened" and rules.opens == "ignore":
        message = 'of="opened" and opens="ignore" contradict each other: leave one out.'
        raise InputError(message)
    if every is not None and not re.fullmatch(r"[1-9]\d{0,3}(d|w|mo|q|y)", str(every)):
        message = f"every={every!r} is no length of time: it may be '1d', '1w', '1mo', '1q', '1y'."
        raise InputError(message)


def count_mix(
    interactions: Interactions,
    rules: Rules,
    group: Grouping,
    of: Engagement,
    *further: pl.Expr,
    every: str | None = None,
) -> pl.LazyFrame:
    """Count what a mix is made of, by group, ``further``, period, customer and channel."""
    counts, *_ = tally(interactions, rules, group, further=further, every=every, each_customer=True)
    return counts.lazy().with_columns(mix_columns(rules, of))


def mix_columns(rules: Rules, of: Engagement) -> list[pl.Expr]:
    """Return what a mix is made of, of the columns of a `tally`.

    ``s``, the sends; ``e``, the engagements, null where the channel cannot have any; ``_can``,
    whether it can; ``_late``, the engagements after the window.
    """
    can = can_engage(rules, of)
    late = "late_engaged" if of == "engaged" else f"late_{of}"
    return [
        pl.col("reached_sent").alias("s"),
        pl.when(can).then(name_of(of)).alias("e"),
        can.alias("_can"),
        pl.col(late).alias("_late"),
    ]


def name_of(of: Engagement) -> str:
    """Return what engagement is called in a tally, and with a ``_`` before it of a message."""
    return "engaged" if of == "engaged" else f"reached_{of}"


def can_engage(rules: Rules, of: Engagement) -> pl.Expr:
    """Whether the row's channel reports what counts as engagement."""
    if of != "engaged":
        return has_stage(rules.catalogue, of)
    clicks = has_stage(rules.catalogue, "clicked")
    return clicks | has_stage(rules.catalogue, "opened") if rules.opens == "trust" else clicks


def late_note(of: Engagement) -> pl.Expr:
    """Say how many messages were engaged with after the window only (``_late``)."""
    first = "engagement" if of == "engaged" else f"{of} event"
    text = f"{{}} whose first {first} came after the window."
    return pl.when(pl.col("_late") > 0).then(pl.format(text, number_of("_late")))


def unable_note() -> pl.Expr:
    """Say how many messages no engagement is reported of (``_unable``), in a mix of engagements."""
    text = "{} of channels that report nothing that is engagement: not in this mix."
    return pl.when(pl.col("_unable") > 0).then(pl.format(text, number_of("_unable")))
