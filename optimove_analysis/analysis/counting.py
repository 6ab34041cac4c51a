"""How many messages there are of each sort: what funnel and mix both stand on.

The heavy part is written over narwhals, so that the same lines count on polars, DuckDB and PySpark.
What comes back is small: counts by group and channel, and what intervals need of the customers,
added up by group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw
import polars as pl

from optimove_analysis.analysis.engines import Interactions, opened
from optimove_analysis.analysis.grouping import Grouping, is_separable
from optimove_analysis.analysis.judging import FATES, ODDITIES, facts, verdict
from optimove_analysis.analysis.keys import Key, PackedKey, PlainKey
from optimove_analysis.analysis.messages import OF_A_ROW, check_keep, gather, whole
from optimove_analysis.analysis.patterns import (
    COUNTS,
    PATTERN,
    SIZE,
    by_pattern,
    read_patterns,
    split_head,
)
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.schema import MESSAGE_KEY, MESSAGES

__all__ = ["Clusters", "tally"]

_ROWS_AT_ONCE: Final = 10_000_000
"""Customers are counted in turn, so many rows at once: that bounds the memory."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """What is to be added up by group beside the counts: what intervals need of customers."""

    make: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]
    """From judged messages to sums by group. One row stands for as many as ``messages`` says, of
    one group, channel, customer and verdict."""
    reads: tuple[str, ...] = ()
    """Columns of messages by which rows must be told apart as well."""


def tally(
    interactions: Interactions,
    rules: Rules,
    by: Grouping,
    *clusters: Clusters,
    further: Sequence[pl.Expr] = (),
    every: str | None = None,
    each_customer: bool = False,
) -> tuple[pl.DataFrame, ...]:
    """Count messages by group and channel, on the engine where the interactions are.

    Args:
        interactions: On any engine.
        rules: How messages are counted.
        by: The groups.
        clusters: What else to add up.
        further: Expressions over messages to group by as well, on polars.
        every: Length of the periods of the send to group by, as ``period``.
        each_customer: Whether to group by customer as well.

    Returns:
        First the counts, with the columns

        - the group's keys, ``further``, ``period``, ``customer_id`` and ``channel_id``;
        - ``reached_<stage>``, ``observed_<stage>``, ``late_<stage>``: messages that count, by what
          happened; ``reached_sent`` is all of them;
        - ``engaged``, ``late_engaged``: of those, by whether there was any engagement, and when;
        - ``n_<reason>``: messages or events that do not count, by reason, for columns and notes;
        - ``through_first``, ``through_last``: the days through which the counted are complete;

        then what each of ``clusters`` makes.
    """
    rows = opened(interactions)
    check_keep(by.keep, rows.collect_schema().to_polars())
    assume_sent = nw.lit(_assumes_sent(rows, rules))
    keys = [*by.keys, *(one.meta.output_name() for one in further)]
    keys += [] if every is None else ["period"]
    keys += ["customer_id", "channel_id"] if each_customer else ["channel_id"]
    apart = dict.fromkeys((*keys, "customer_id", *(name for one in clusters for name in one.reads)))
    sorts = _sorts(rows, rules, _Asked(by, list(apart), further, every))
    # Groups of one customer are in one part each: they can be counted before the next is read.
    if not (by.is_of_one_customer or (each_customer and not clusters)):
        sorts = iter([nw.concat(list(sorts))])

    def count(part: nw.LazyFrame[Any]) -> list[pl.DataFrame]:
        each = verdict(read_patterns(part), rules, assume_sent)
        found = [_counts(each, keys, rules), *(one.make(each) for one in clusters)]
        return [_collected(plan) for plan in found]

    text = by.as_text()
    frames = [pl.concat(one).with_columns(text) for one in zip(*map(count, sorts), strict=True)]
    if each_customer:
        frames[0] = frames[0].with_columns(pl.col("customer_id").cast(pl.String))
    return tuple(frames)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What messages are grouped by, and what must be read for it."""

    by: Grouping
    keys: Sequence[str]
    """The columns to group by."""
    further: Sequence[pl.Expr]
    every: str | None

    @property
    def expressions(self) -> tuple[pl.Expr, ...]:
        """What the user and the function ask for."""
        return (*self.by.expressions, *self.further)

    @property
    def roots(self) -> set[str]:
        """The columns that the expressions read."""
        return {root for one in self.expressions for root in one.meta.root_names()}

    @property
    def ids(self) -> list[str]:
        """The ids that groups are made of."""
        return [name for name in MESSAGE_KEY if name in {*self.roots, *self.keys}]

    @property
    def is_separable(self) -> bool:
        """Whether a message's group depends on nothing but the message."""
        return all(is_separable(one) for one in self.expressions)

    @property
    def is_of_ids(self) -> bool:
        """Whether groups are made of ids as they are, and of nothing else."""
        plain = all(one.meta.is_column() for one in self.expressions) and not self.by.keep
        return plain and self.roots.union(self.keys).difference(self.by.keys) <= set(MESSAGE_KEY)


def _sorts(rows: nw.LazyFrame[Any], rules: Rules, asked: _Asked) -> Iterator[nw.LazyFrame[Any]]:
    """Count messages by what is asked and what their verdict depends on (`by_pattern`).

    Customers are counted in turn: each is in one of the frames.
    """
    # Apart from our own columns, whatever the user's are called.
    kept = {f"_keep_{number}": name for number, name in enumerate(asked.by.keep)}
    rows = rows.select(
        *MESSAGE_KEY, *OF_A_ROW, *(nw.col(name).alias(ours) for ours, name in kept.items())
    )
    leading = [name for name in asked.ids if name != "customer_id"]
    for part, key in _parts(rows, leading, at_once=not asked.is_separable):
        head = key.head(leading, SIZE) if asked.is_of_ids else None
        if isinstance(key, PackedKey) and head is not None:
            counts = _by_head(part, key, rules, head)
            # What is asked for are ids as they are: to read them is to write the keys.
            found = asked.by.write_keys(key.read_head(counts, "_head", leading), kept={})
        else:
            found = _by_keys(part, key, rules, asked, kept)
        yield _ready(found.select(*asked.keys, PATTERN, *COUNTS))


def _by_head(
    part: nw.LazyFrame[Any], key: PackedKey, rules: Rules, head: nw.Expr
) -> nw.LazyFrame[Any]:
    """Count by one whole number that stands for ids and facts; that of the ids is ``_head``."""
    gathered = gather(part, key, rules.catalogue, ["action_id", *key.columns])
    easy, several = (by_pattern(facts(each, rules), [], head=head) for each in gathered)
    return split_head(whole((easy, several), [PATTERN, *COUNTS]), "_head")


def _by_keys(
    part: nw.LazyFrame[Any], key: Key, rules: Rules, asked: _Asked, kept: Mapping[str, str]
) -> nw.LazyFrame[Any]:
    """Count by the columns that are asked for, whatever they are."""
    ids = [name for name in MESSAGE_KEY if name in {*asked.ids, "action_id"}]
    gathered: Sequence[nw.LazyFrame[Any]] = gather(part, key, rules.catalogue, ids, tuple(kept))
    if not asked.is_separable:
        gathered = [whole(gathered, [*ids, *MESSAGES.names[len(MESSAGE_KEY) :], *kept])]
    counts: list[nw.LazyFrame[Any]] = []
    for each in gathered:
        ours = [name for name in each.collect_schema() if name not in kept]
        with_keys = asked.by.write_keys(each, *asked.further, kept=kept, every=asked.every)
        # Only now may names be ours: no expression of the user's is read after this.
        known = facts(with_keys.select(*dict.fromkeys((*asked.keys, *ours))), rules)
        counts.append(by_pattern(known, asked.keys))
    if len(counts) == 1:
        return counts[0]
    return whole(counts, [*asked.keys, PATTERN, *COUNTS])


def _parts(
    rows: nw.LazyFrame[Any], leading: Sequence[str], *, at_once: bool
) -> Iterator[tuple[nw.LazyFrame[Any], Key]]:
    """Return the rows, customers in turn, with the key that their messages are found by."""
    native = rows.to_native()
    packed = PackedKey.of(native, leading=leading) if isinstance(native, pl.LazyFrame) else None
    if packed is None:
        yield PlainKey().write(rows), PlainKey()
        return
    kept = [name for name in rows.collect_schema() if name not in MESSAGE_KEY]
    ready = packed.write(rows).to_native().select(*packed.columns, *kept)
    frame: pl.DataFrame = ready.collect(engine="streaming")
    for part in packed.parts(frame, 1 if at_once else 1 + frame.height // _ROWS_AT_ONCE):
        yield nw.from_native(part), packed


def _ready(plan: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Count now, on polars: what is small by now is used more than once."""
    native = plan.to_native()
    if not isinstance(native, pl.LazyFrame):
        return plan
    return nw.from_native(native.collect(engine="streaming").lazy())


def _collected(plan: nw.LazyFrame[Any]) -> pl.DataFrame:
    native = plan.to_native()
    if isinstance(native, pl.LazyFrame):
        return native.collect(engine="streaming")
    frame: pl.DataFrame = plan.collect("polars").to_native()
    return frame


def _counts(each: nw.LazyFrame[Any], keys: Sequence[str], rules: Rules) -> nw.LazyFrame[Any]:
    """Add up what is judged by ``keys``."""
    counted, messages = nw.col("_counted"), nw.col("messages")

    def total(condition: nw.Expr) -> nw.Expr:
        return nw.when(condition).then(messages).otherwise(nw.lit(0)).sum().cast(nw.Int64)

    happened = [f"{what}_{s}" for what in ("reached", "observed", "late") for s in rules.stages]
    happened += ["engaged", "late_engaged"]
    return each.group_by(*keys).agg(
        *(total(counted & nw.col(f"_{name}")).alias(name) for name in happened),
        *(total(nw.col(f"_{reason}")).alias(f"n_{reason}") for reason in (*FATES, "ahead")),
        *(total(counted & nw.col(f"_{oddity}")).alias(f"n_{oddity}") for oddity in ODDITIES),
        *(nw.col(name).sum().cast(nw.Int64) for name in COUNTS if name.startswith("n_")),
        nw.col("unknown_event").min(),
        nw.when(counted).then(nw.col("through_first")).min().alias("through_first"),
        nw.when(counted).then(nw.col("through_last")).max().alias("through_last"),
    )


def _assumes_sent(rows: nw.LazyFrame[Any], rules: Rules) -> bool:
    """Whether a message with no sent row counts as sent: as told, else by the whole frame."""
    told = rules.told_to_assume_sent
    if told is None:
        sent = nw.col("event_id").is_in(rules.catalogue.ids("sent")) & ~nw.col("date").is_null()
        seen = rows.select(sent.fill_null(False).cast(nw.Int64).max()).collect("polars").item()
        told = not seen
    return told
