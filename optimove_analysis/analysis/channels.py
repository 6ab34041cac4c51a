"""What is known of a row's channel, as expressions: its name, and which stages it has."""

from __future__ import annotations

import polars as pl

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import Stage

__all__ = [
    "channel_name",
    "has_stage",
    "is_single_stage",
    "is_unknown_kind",
    "lacking",
    "single_stage",
]


def lacking(catalogue: Catalogue, stage: Stage) -> list[int]:
    """Return the channels that lack the stage; one that nobody knows has all."""
    known = {*catalogue.channels, *catalogue.kinds}
    return sorted(channel for channel in known if stage not in catalogue.stages(channel))


def has_stage(catalogue: Catalogue, stage: Stage) -> pl.Expr:
    """Whether the row's channel has the stage; a channel that nobody knows has all."""
    return ~pl.col("channel_id").is_in(lacking(catalogue, stage)).fill_null(False)


def single_stage(catalogue: Catalogue) -> list[int]:
    """Return the channels that have one stage only (a call centre)."""
    known = {*catalogue.channels, *catalogue.kinds}
    return sorted(channel for channel in known if len(catalogue.stages(channel)) == 1)


def is_single_stage(catalogue: Catalogue) -> pl.Expr:
    """Whether the row's channel has one stage only (a call centre)."""
    return pl.col("channel_id").is_in(single_stage(catalogue)).fill_null(False)


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
