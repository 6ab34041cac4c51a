"""Whom a report is of, and of which days: what its snapshot was asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import polars as pl

from optimove_analysis.errors import InputError

__all__ = ["Asking", "Audience", "audience"]


class Asking(Protocol):
    """A client that replays a snapshot."""

    def asked(self) -> pl.DataFrame:
        """Return whom the snapshot holds answers about (`schema.ASKED`)."""


class Audience(NamedTuple):
    """Customers and the days that a report is of: what ``client.interactions`` takes."""

    customers: list[str]
    start: dt.date
    end: dt.date


def audience(
    client: Asking,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    customers: str | Sequence[str] | None = None,
) -> Audience:
    """Return the customers that a snapshot holds answers about, and the days.

    Args:
        client: the one that replays it.
        start: the first day; None: that which was asked about.
        end: the last day.
        customers: some of them, or one; None: all.

    Raises:
        InputError: it holds none, none of those days, or answers about several ranges of which
            none is named.
    """
    asked = client.asked()
    known = asked.select("start", "end").unique().sort("start", "end").rows()
    wanted = [
        (first, last)
        for first, last in known
        if str(start or first) == str(first) and str(end or last) == str(last)
    ]
    if len(wanted) != 1:
        told = "; ".join(f"{first} to {last}" for first, last in known[:5]) or "no day"
        given = f"{start or 'the first day'} to {end or 'the last'}"
        message = (
            f"of which days is the report? The snapshot holds answers about {told}; asked was "
            f"{given}. Name start and end as one of these has them."
        )
        raise InputError(message)
    first, last = wanted[0]
    ids = asked.filter(start=first, end=last)["customer_id"].unique(maintain_order=True)
    if customers is not None:
        some = [customers] if isinstance(customers, str | int) else customers
        ids = pl.Series(list(dict.fromkeys(map(str, some))), dtype=pl.String)
    return Audience(ids.to_list(), first, last)
