"""Messages of the same facts, as one row with their number: judged once, whatever their number.

A message's verdict depends on few facts (`judging.facts`), so millions of messages are of some
hundred kinds. The facts are digits of one whole number, which every engine groups by quickly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import narwhals as nw

from optimove_analysis.analysis.judging import EVENTS
from optimove_analysis.analysis.messages import ODD

__all__ = [
    "COUNTS",
    "PATTERN",
    "SIZE",
    "SUMMED",
    "by_pattern",
    "read_patterns",
    "split_head",
]

PATTERN: Final = "_pattern"
_FLAGS: Final = (
    "_is_observed",
    "_is_dateless",
    "_is_control",
    "_is_young",
    "_is_open_ended",
    "_is_ahead",
)
_TIMES: Final = tuple(f"_when_{event}" for event in EVENTS)

SIZE: Final = 2 ** len(_FLAGS) * 3 ** len(_TIMES)
"""How many patterns there can be."""

SUMMED: Final = ("n_collapsed", *(name for name in ODD if name != "unknown_event"))
"""What is odd about messages and added up."""

COUNTS: Final = ("messages", "n_collapsed", "through_first", "through_last", *ODD)
"""What is known of the messages of a pattern together."""


def by_pattern(
    known: nw.LazyFrame[Any], keys: Sequence[str], *, head: nw.Expr | None = None
) -> nw.LazyFrame[Any]:
    """Count messages, of which the facts are known, by ``keys`` and by their facts.

    ``head`` is a whole number that stands in the place of keys, and that makes one number with
    the facts (`split_head`), which polars groups by fastest.

    The columns: the keys, `PATTERN`, which stands for the facts (`read_patterns`), and `COUNTS`:
    the number of ``messages``, the first and last day through which their data is complete, and
    what is odd about them, added up.
    """
    number = nw.lit(0) if head is None else head
    of_facts = nw.Int32 if head is None else nw.Int64
    for name, base in _digits():
        number = number * base + nw.col(name).cast(of_facts)
    through = nw.col("_through")
    sums = [
        nw.len().cast(nw.Int64).alias("messages"),
        nw.col("n_collapsed").sum().cast(nw.Int64),
        through.min().alias("through_first"),
        through.max().alias("through_last"),
    ]
    sums += [
        nw.col(name).min() if name == "unknown_event" else nw.col(name).sum().cast(nw.Int64)
        for name in set(ODD).intersection(known.collect_schema())
    ]
    numbered = known.with_columns(number.cast(of_facts).alias(PATTERN))
    return numbered.group_by(*keys, PATTERN).agg(*sums)


def split_head(counts: nw.LazyFrame[Any], name: str) -> nw.LazyFrame[Any]:
    """Part what `by_pattern` made one number of: the head, as ``name``, and `PATTERN`."""
    return counts.with_columns(
        (nw.col(PATTERN) // SIZE).alias(name),
        (nw.col(PATTERN) % SIZE).cast(nw.Int32).alias(PATTERN),
    )


def read_patterns(counts: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add the facts that the pattern stands for, as `judging.facts` has them."""
    digits: list[nw.Expr] = []
    size = 1
    for name, base in reversed(list(_digits())):
        digit = nw.col(PATTERN) // size % base
        digits.append((digit > 0 if name in _FLAGS else digit).alias(name))
        size *= base
    return counts.with_columns(digits)


def _digits() -> Iterator[tuple[str, int]]:
    yield from ((name, 2) for name in _FLAGS)
    yield from ((name, 3) for name in _TIMES)
