"""What a reader must know of a number, as a column beside it.

A note is a column and not an attribute of the frame, so that it is kept by filter, concat,
Parquet and a lazy plan, and so that one group's notes do not depend on the others.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.analysis.rules import Rules

__all__ = [
    "NOT_BOUNCED",
    "SUMS",
    "lacking_stage",
    "notes",
    "number_of",
    "unknown_kinds",
    "with_notes",
]

NOT_BOUNCED: Final = "Delivered means not bounced where a channel reports no delivered events."

_MESSAGES: Final = ("message", "messages")

# What is counted, its words for one and many, and what is said of it where there is any.
_SENTENCES: Final[tuple[tuple[str, tuple[str, str], str], ...]] = (
    ("n_assumed", _MESSAGES, "without a sent row counted as sent."),
    ("n_unobserved", _MESSAGES, "without a sent row left out (assume_sent=True counts them)."),
    (
        "n_no_through",
        _MESSAGES,
        "taken as mature: no data_through says through which day the data is complete (or as_of=).",
    ),
    ("n_control", _MESSAGES, "of the control group left out (action 1)."),
    ("n_unknown_only", _MESSAGES, "with no known event left out."),
    (
        "n_orphans",
        ("orphan", "orphans"),
        "dated before every send of the same ids, in no rate.",
    ),
    ("n_undated", ("event", "events"), "without a date, in no stage."),
    ("n_dateless", _MESSAGES, "without any date left out."),
    (
        "n_collapsed",
        ("further sent row", "further sent rows"),
        "of the same message on the same day taken as one send.",
    ),
    ("n_conflicts", _MESSAGES, "both bounced and delivered: not delivered, unless clicked."),
    (
        "n_off_stage",
        _MESSAGES,
        "with an event of a stage that the channel's kind lacks; that event is not counted.",
    ),
)

SUMS: Final = (*(column for column, _, _ in _SENTENCES), "n_unknown", "n_immature", "n_ahead")
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


def lacking_stage(n: str, what: str) -> pl.Expr:
    """Say how many messages a total leaves out, since their channels have no such stage."""
    text = f"{{}} of channels whose kind has no {what} left out."
    return pl.when(pl.col(n) > 0).then(pl.format(text, number_of(n)))


def notes(rules: Rules, *further: pl.Expr) -> pl.Expr:
    """Make the notes column from the sums of a tally; ``further`` are null or text.

    Beside `SUMS` it reads ``through_first``, ``through_last`` and ``unknown_event``.
    """
    said: list[pl.Expr] = [
        pl.when(pl.col(column) > 0).then(pl.format(f"{{}} {text}", number_of(column, *words)))
        for column, words, text in _SENTENCES
    ]
    said += [_unknown_events(), _unlike_ends(), _further_reach()]
    said += [pl.lit(sentence) for sentence in _of_all(rules)]
    return pl.concat_list(*said, *further).list.drop_nulls()


def with_notes(
    frame: pl.DataFrame, rules: Rules, *further: tuple[pl.Expr, pl.Expr]
) -> pl.DataFrame:
    """Add the notes column to many rows of which few have something to say.

    Each of ``further`` is a condition, and the sentence where it holds. A sentence is made only of
    rows that have any: of a million customers' rows, all sentences of all take seconds.
    """
    loud = pl.any_horizontal(
        *(pl.col(name) > 0 for name in SUMS if name != "n_immature"),
        pl.col("through_first") != pl.col("through_last"),
        *(condition for condition, _ in further),
    ).fill_null(False)
    said = [pl.when(condition).then(text) for condition, text in further]
    return pl.concat(
        [
            frame.filter(loud).with_columns(notes=notes(rules, *said)),
            frame.filter(~loud).with_columns(notes=pl.lit(_of_all(rules), pl.List(pl.String))),
        ]
    )


def _of_all(rules: Rules) -> list[str]:
    """Return what is said of every row."""
    return ["Opens are ignored: engagement means a click."] if rules.opens == "ignore" else []


def _unknown_events() -> pl.Expr:
    event = pl.col("unknown_event")
    named = pl.format("such as event {} (unknown), ", event)
    return pl.when(pl.col("n_unknown") > 0).then(
        pl.format(
            "{} that the catalogue lacks, {}in no stage.",
            number_of("n_unknown", "event of an id", "events of ids"),
            pl.when(event.is_not_null()).then(named).otherwise(pl.lit("")),
        )
    )


def _unlike_ends() -> pl.Expr:
    ends = pl.col("through_first"), pl.col("through_last")
    text = "The data of these messages is complete through different days, from {} to {}."
    return pl.when(ends[0] != ends[1]).then(pl.format(text, *ends))


def _further_reach() -> pl.Expr:
    text = (
        "{} with events dated after data_through: the answers reach further than it says, and "
        "as_of=client.last_update() would count up to {} more."
    )
    return pl.when((pl.col("n_ahead") > 0) & (pl.col("n_immature") > 0)).then(
        pl.format(text, number_of("n_ahead"), "n_immature")
    )
