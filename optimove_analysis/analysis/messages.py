"""Interactions to messages: which events belong to which send."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

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

__all__ = ["messages"]


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
    _check_keep(keep, seen.collect_schema())
    gathered = _gather(seen.lazy(), known, keep)
    return gathered if isinstance(seen, pl.LazyFrame) else gathered.collect()


def _check_keep(keep: Sequence[str], seen: pl.Schema) -> None:
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


def _gather(rows: pl.LazyFrame, catalogue: Catalogue, keep: Sequence[str]) -> pl.LazyFrame:
    key = list(MESSAGE_KEY)
    # Apart from our own columns, whatever the user's are called.
    kept = {f"_keep_{number}": name for number, name in enumerate(keep)}
    rows = rows.select(
        *key, "date", "event_id", "data_through", *(pl.col(n).alias(k) for k, n in kept.items())
    )
    date = pl.col("date")
    is_sent = _is(catalogue, "sent")

    sent_on = pl.when(is_sent).then(date)
    first_send = sent_on.min().over(key)
    # Within a day the send comes first, so that an open of the same day is its own.
    latest_send = sent_on.forward_fill().over(key, order_by=["date", "_not_sent"])
    placed = (
        rows.with_columns(_not_sent=~is_sent)
        .with_columns(_first=first_send, _latest=latest_send, _earliest=date.min().over(key))
        .with_columns(
            _orphan=(date < pl.col("_first")).fill_null(False),
            send_date=pl.when(date.is_not_null())
            .then(pl.coalesce("_latest", "_first", "_earliest"))
            .otherwise(pl.coalesce("_first", "_earliest")),
        )
    )

    dated_send = is_sent & date.is_not_null()
    orphan = pl.col("_orphan")
    events: list[Meaning] = [*STAGES[1:], *SIDE_EVENTS]
    return (
        placed.group_by(*key, "send_date")
        .agg(
            dated_send.any().alias("send_observed"),
            *(
                pl.when(_is(catalogue, event) & ~orphan).then(date).min().alias(f"{event}_on")
                for event in events
            ),
            pl.len().cast(pl.Int64).alias("rows"),
            (dated_send.sum().cast(pl.Int64) - 1).clip(0).alias("n_collapsed"),
            orphan.sum().cast(pl.Int64).alias("n_orphans"),
            _is_unknown(catalogue).sum().cast(pl.Int64).alias("n_unknown"),
            pl.when(_is_unknown(catalogue)).then("event_id").min().alias("unknown_event"),
            date.is_null().sum().cast(pl.Int64).alias("n_undated"),
            # Two fetches may have seen the same message; the later one is complete for longer.
            pl.col("data_through").max(),
            *(pl.col(name).min() for name in kept),
        )
        .select(*MESSAGES.names, *kept)
        .rename(kept)
        .sort(*key, "send_date")
    )


def _is(catalogue: Catalogue, meaning: Meaning) -> pl.Expr:
    return pl.col("event_id").is_in(catalogue.ids(meaning)).fill_null(False)


def _is_unknown(catalogue: Catalogue) -> pl.Expr:
    return ~pl.col("event_id").is_in(list(catalogue.events)).fill_null(False)
