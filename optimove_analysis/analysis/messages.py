"""Interactions to messages: which events belong to which send."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

import narwhals as nw
import polars as pl

from optimove_analysis.analysis.keys import Key, PlainKey
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError, SchemaError, suggest
from optimove_analysis.schema import (
    INTERACTIONS,
    MESSAGE_KEY,
    MESSAGES,
    SIDE_EVENTS,
    STAGES,
    Frame,
    Meaning,
)

__all__ = [
    "ODD",
    "OF_A_ROW",
    "check_keep",
    "count_where",
    "gather",
    "messages",
    "nothing_odd",
    "whole",
]

OF_A_ROW: Final = ("date", "event_id", "data_through")
"""The columns of interactions, beside the ids, that messages are made of."""

ODD: Final = ("n_orphans", "n_unknown", "unknown_event", "n_undated")
"""The columns of messages about rows that are in no stage of theirs."""


def messages(
    interactions: Frame, *, catalogue: Catalogue | None = None, keep: Sequence[str] = ()
) -> Frame:
    """Gather interactions into messages.

    A message is the six ids and the day of its send; every other event of those ids belongs to
    the latest send on or before its day. Ids that were never reported sent make one message, from
    the day of their earliest event, with ``send_observed`` False.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`), repeats welcome.
        catalogue: What the event ids mean; default: this package's own.
        keep: Further columns of yours to carry over (a segment, say); where the rows of one
            message differ, the smallest value that is not null.

    Returns:
        One row a message (`schema.MESSAGES`, then ``keep``), in the order of the six ids and the
        day. A null id is a value. No row is lost: orphans, unknown events and undated rows are
        counted on a message of their ids.

    Raises:
        SchemaError: ``interactions`` lacks a column or has one of another type.
        InputError: ``keep`` names a column that messages have already.

    >>> import datetime as dt
    >>> rows = {"customer_id": "8D871", "campaign_id": 3, "recipient_group_id": 1, "action_id": 9,
    ...         "channel_id": 504, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**rows, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for day, event in [(3, 1), (3, 2), (5, 3), (10, 1), (11, 4)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> messages(frame).select("send_date", "delivered_on", "opened_on", "clicked_on").rows()
    [(datetime.date(2025, 3, 3), datetime.date(2025, 3, 3), datetime.date(2025, 3, 5), None),
     (datetime.date(2025, 3, 10), None, None, datetime.date(2025, 3, 11))]
    """
    known = Catalogue() if catalogue is None else catalogue
    if not isinstance(known, Catalogue):
        message = f"catalogue={known!r} must be a Catalogue."
        raise InputError(message)
    seen = INTERACTIONS.check(interactions)
    check_keep(keep, seen.collect_schema())
    rows = seen.lazy().select(*MESSAGE_KEY, *OF_A_ROW, *keep)
    # Apart from our own columns, whatever the user's are called.
    kept: dict[str, str] = {f"_keep_{number}": name for number, name in enumerate(keep)}
    rows = rows.rename({name: ours for ours, name in kept.items()})
    key = PlainKey()
    parts = gather(key.write(nw.from_native(rows)), key, known, MESSAGE_KEY, tuple(kept))
    gathered: pl.LazyFrame = (
        whole(parts, [*MESSAGES.names, *kept])
        .to_native()
        .rename(kept)
        .sort(*MESSAGE_KEY, "send_date")
    )
    return gathered if isinstance(seen, pl.LazyFrame) else gathered.collect()


def check_keep(keep: Sequence[str], seen: pl.Schema) -> None:
    """Say what is wrong with columns of the user's that messages are to carry over."""
    for name in keep:
        if name in MESSAGES.names:
            message = f"keep={name!r}: the messages table has a column of that name already."
            raise InputError(message)
        if name not in seen:
            known = dict.fromkeys((*seen, *MESSAGES.names))
            message = f"the interactions have no column {name!r}; {suggest(name, known)}"
            raise SchemaError(message)
        if seen[name].is_nested() or seen[name] == pl.Object():
            message = (
                f"column {name!r} is {seen[name]}, which has no order to choose one value a "
                "message by: make a plain column of it first."
            )
            raise SchemaError(message)


def gather(
    rows: nw.LazyFrame[Any],
    key: Key,
    catalogue: Catalogue,
    ids: Sequence[str],
    kept: Sequence[str] = (),
) -> tuple[nw.LazyFrame[Any], nw.LazyFrame[Any]]:
    """Gather rows into messages, on whichever engine they are.

    Nearly all keys are sent once, have nothing before the send and no row that is odd: all their
    rows are one message, which a single aggregation finds. Only the rows of the others are placed
    one by one.

    Args:
        rows: The columns of ``key``, `OF_A_ROW` and ``kept``.
        key: How the ids are grouped and joined.
        catalogue: What the event ids mean.
        ids: The ids that the messages are to have; fewer are quicker.
        kept: Further columns to carry over.

    Returns:
        Messages of keys that have one and nothing odd, and all the others. Both have ``ids``, the
        other columns of `schema.MESSAGES` and ``kept``, in no order; but the first, which are
        nearly all, lack `ODD`, of which they have nothing (`nothing_odd`).
    """
    sent_on = nw.when(_is(catalogue, "sent")).then(nw.col("date"))
    date = nw.col("date")
    keys = rows.group_by(*key.columns).agg(
        sent_on.min().alias("_first"),
        sent_on.max().alias("_last"),
        date.min().alias("_earliest"),
        count_where(_is_unknown(catalogue) | date.is_null()).alias("_odd"),
        *_of_a_message(catalogue, kept, nw.lit(True)),
    )
    hard = (nw.col("_first") < nw.col("_last")) | (nw.col("_earliest") < nw.col("_first"))
    # Comparisons with null are null: a key that was never sent is one message.
    keys = keys.with_columns(_hard=hard.fill_null(False) | (nw.col("_odd") > 0))
    easy = keys.filter(~nw.col("_hard")).with_columns(send_date=nw.coalesce("_first", "_earliest"))
    placed = _place(
        rows.join(keys.filter("_hard").select(*key.columns), on=list(key.columns), how="semi"),
        key,
        sent_on,
    )
    orphan = nw.col("_orphan")
    several = placed.group_by(*key.columns, "send_date").agg(
        count_where(orphan).alias("n_orphans"),
        *_of_a_message(catalogue, kept, ~orphan),
        *_odd_rows(catalogue),
    )
    columns = [name for name in MESSAGES.names if name not in {*MESSAGE_KEY, *ODD}]
    easy, several = (
        key.read(frame, ids)
        .with_columns(
            send_observed=nw.col("_sent_rows") > 0,
            n_collapsed=nw.when(nw.col("_sent_rows") > 1)
            .then(nw.col("_sent_rows") - 1)
            .otherwise(nw.lit(0)),
        )
        .select(*ids, *columns, *kept, *odd)
        for frame, odd in ((easy, ()), (several, ODD))
    )
    return easy, several


def whole(parts: Sequence[nw.LazyFrame[Any]], columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """Put together what `gather` gave."""
    easy, several = parts
    return nw.concat([nothing_odd(easy).select(*columns), several.select(*columns)])


def nothing_odd(easy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add `ODD` to messages that have nothing of it."""
    types = {"unknown_event": nw.lit(None)}
    return easy.with_columns(types.get(name, nw.lit(0)).cast(nw.Int64).alias(name) for name in ODD)


def _place(rows: nw.LazyFrame[Any], key: Key, sent_on: nw.Expr) -> nw.LazyFrame[Any]:
    """Say of each row which send of its key it belongs to, and if it is before all of them."""
    first, sends = nw.col("_first"), nw.coalesce("_sent_on", "_first")
    of_key = [nw.col(name).min().over(*key.columns) for name in ("_sent_on", "date")]
    return (
        rows.with_columns(_sent_on=sent_on)
        .with_columns(
            # Within a day the send comes first, so that an open of the same day is its own.
            _rank=nw.when(nw.col("_sent_on").is_null()).then(nw.lit(1)).otherwise(nw.lit(0)),
            # What was never sent is a message from its earliest day.
            _first=nw.coalesce(*of_key),
        )
        .with_columns(
            _orphan=(nw.col("date") < first).fill_null(False),
            # The latest send so far; what has none before it, or no date, is put with the first.
            send_date=sends.cum_max().over(*key.columns, order_by=["date", "_rank"]),
        )
    )


def _of_a_message(catalogue: Catalogue, kept: Sequence[str], counts: nw.Expr) -> list[nw.Expr]:
    """Return what is known of a message from its rows; ``counts`` says which may be events."""
    date = nw.col("date")
    events: list[Meaning] = [*STAGES[1:], *SIDE_EVENTS]
    return [
        count_where(_is(catalogue, "sent") & ~date.is_null()).alias("_sent_rows"),
        *(
            nw.when(_is(catalogue, event) & counts).then(date).min().alias(f"{event}_on")
            for event in events
        ),
        nw.len().cast(nw.Int64).alias("rows"),
        # Two fetches may have seen the same message; the later one is complete for longer.
        nw.col("data_through").max(),
        *(nw.col(name).min() for name in kept),
    ]


def _odd_rows(catalogue: Catalogue) -> list[nw.Expr]:
    """Return what is known of a message's rows that are in no stage."""
    unknown = _is_unknown(catalogue)
    return [
        count_where(unknown).alias("n_unknown"),
        nw.when(unknown).then(nw.col("event_id")).min().alias("unknown_event"),
        count_where(nw.col("date").is_null()).alias("n_undated"),
    ]


def _is_unknown(catalogue: Catalogue) -> nw.Expr:
    return ~_any_of(tuple(catalogue.events)).fill_null(False)


def _is(catalogue: Catalogue, meaning: Meaning) -> nw.Expr:
    """Whether the row's event is of this meaning; null where the event is null."""
    return _any_of(catalogue.ids(meaning))


def _any_of(events: Sequence[int]) -> nw.Expr:
    if not events:
        return nw.col("event_id").is_null() & nw.lit(False)
    # One by one, which is quicker than looking into a list.
    return reduce(or_, (nw.col("event_id") == event_id for event_id in events))


def count_where(condition: nw.Expr) -> nw.Expr:
    """Return how often the condition holds, as the same type on every engine."""
    return condition.cast(nw.Int64).sum().cast(nw.Int64)
