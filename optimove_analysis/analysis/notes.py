"""What a reader must know of a number, as a column beside it.

A note is a column and not an attribute of the frame, so that it is kept by filter, concat,
Parquet and a lazy plan, and so that one group's notes do not depend on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from optimove_analysis.analysis.counting import Rules

__all__ = ["SUMS", "notes", "number_of", "unknown_kinds"]

SUMS: Final = (
    "n_immature",
    "n_unobserved",
    "n_control",
    "n_unknown_only",
    "n_dateless",
    "n_orphans",
    "n_unknown",
    "n_undated",
    "n_collapsed",
    "n_conflicts",
    "n_off_stage",
    "n_no_through",
    "n_assumed",
    "n_ahead",
)
"""The columns of a tally that notes are made of, to be summed over a group."""


def number_of(n: str | pl.Expr, one: str = "message", many: str = "messages") -> pl.Expr:
    """Return the number in words that agree with it.

    >>> pl.select(number_of(pl.lit(1)), many=number_of(pl.lit(2), "orphan", "orphans")).row(0)
    ('1 message', '2 orphans')
    """
    n = pl.col(n) if isinstance(n, str) else n
    return pl.when(n == 1).then(pl.lit(f"1 {one}")).otherwise(pl.format(f"{{}} {many}", n))


def unknown_kinds(n: str) -> pl.Expr:
    """Say how many messages went over channels that nobody knows the stages of."""
    text = "{} of channels of unknown kind, taken to have all stages (set Catalogue.kinds)."
    return pl.when(pl.col(n) > 0).then(pl.format(text, number_of(n)))


def notes(rules: Rules, *further: pl.Expr) -> pl.Expr:
    """Make the notes column from the summed columns of a tally; ``further`` are null or text."""
    sentences: Sequence[tuple[pl.Expr, pl.Expr]] = [
        (
            pl.col("n_assumed") > 0,
            pl.format("{} without a sent row counted as sent.", number_of("n_assumed")),
        ),
        (
            pl.col("n_unobserved") > 0,
            pl.format(
                "{} without a sent row left out (assume_sent=True counts them).",
                number_of("n_unobserved"),
            ),
        ),
        (
            pl.col("n_no_through") > 0,
            pl.format(
                "{} taken as mature: the frame does not say through which day its data is "
                "complete (data_through, or as_of=).",
                number_of("n_no_through"),
            ),
        ),
        (
            pl.col("through_first") != pl.col("through_last"),
            pl.format(
                "The data of these messages is complete through different days, from {} to {}.",
                "through_first",
                "through_last",
            ),
        ),
        (
            (pl.col("n_ahead") > 0) & (pl.col("n_immature") > 0),
            pl.format(
                "{} with events dated after data_through: the answers reach further than it "
                "says, and as_of=client.last_update() would count up to {} more.",
                number_of("n_ahead"),
                "n_immature",
            ),
        ),
        (
            pl.col("n_control") > 0,
            pl.format("{} of the control group left out (action 1).", number_of("n_control")),
        ),
        (
            pl.col("n_unknown") > 0,
            pl.format(
                "{} not in the catalogue, in no stage.",
                number_of("n_unknown", "event of an id", "events of ids"),
            ),
        ),
        (
            pl.col("n_unknown_only") > 0,
            pl.format("{} with no known event left out.", number_of("n_unknown_only")),
        ),
        (
            pl.col("n_orphans") > 0,
            pl.format(
                "{} dated before every send of the same ids, in no rate.",
                number_of("n_orphans", "orphan", "orphans"),
            ),
        ),
        (
            pl.col("n_undated") > 0,
            pl.format(
                "{} without a date, in no stage.",
                number_of("n_undated", "event", "events"),
            ),
        ),
        (
            pl.col("n_dateless") > 0,
            pl.format("{} without any date left out.", number_of("n_dateless")),
        ),
        (
            pl.col("n_collapsed") > 0,
            pl.format(
                "{} of the same message on the same day taken as one send.",
                number_of("n_collapsed", "further sent row", "further sent rows"),
            ),
        ),
        (
            pl.col("n_conflicts") > 0,
            pl.format(
                "{} both bounced and delivered: not delivered, unless clicked.",
                number_of("n_conflicts"),
            ),
        ),
        (
            pl.col("n_off_stage") > 0,
            pl.format(
                "{} with an event of a stage that the channel's kind lacks; that event is not "
                "counted.",
                number_of("n_off_stage"),
            ),
        ),
    ]
    said: list[pl.Expr] = [pl.when(applies).then(text) for applies, text in sentences]
    if rules.opens == "ignore":
        said.append(pl.lit("Opens are ignored: engagement means a click."))
    return pl.concat_list(*said, *further).list.drop_nulls()
