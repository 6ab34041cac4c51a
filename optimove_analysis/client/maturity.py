"""For how long a kept answer is good: settled ranges for ever, others until the data changes.

Interactions with a campaign still arrive after it was sent, so a range has settled only some time
after its end. Judged when the answer is read, by what was known when it was fetched: a user who
trusts less, and lets ranges settle later, need not clear anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from optimove_analysis.client.store import Facts

__all__ = ["Maturity", "good", "is_younger", "settled"]

_UNKNOWN_UPDATE: Final = timedelta(hours=1)
"""The age up to which an answer is good where the API does not say when its data changes."""


@dataclass(frozen=True, slots=True)
class Maturity:
    """Judges answers for ranges that end on one day.

    >>> from datetime import datetime
    >>> at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> spring = Maturity(date(2026, 1, 1), timedelta(days=30), timedelta(days=1))
    >>> spring.settled(Facts(at, date(2026, 2, 28), True), at)
    True
    >>> spring.settled(Facts(at, date(2026, 1, 31), True), at)  # the data has stood still since
    False
    """

    end: date
    settle_after: timedelta
    max_age: timedelta

    def settled(self, facts: Facts, now: datetime) -> bool:
        """Tell whether an answer no longer changes.

        The data reached at least as far past the range's end, when it was fetched, as it takes to
        settle. That the API does not know a customer may change at any time. Nor is anything known
        of an answer from the future, whose time the computer's clock had wrong, but what the API
        said then of its data.
        """
        through = facts.fetched_at.date()
        if facts.last_update is not None:
            through = min(through, facts.last_update)
        elif facts.fetched_at > now:
            return False
        return facts.found and through - self.end > self.settle_after

    def settles(self, updated: date | None) -> bool:
        """Tell whether the range has settled by a day through which data is complete."""
        return updated is not None and updated - self.end > self.settle_after

    def current(self, facts: Facts, updated: date | None, now: datetime) -> bool:
        """Tell whether an answer that has not settled is still what the API would say.

        Args:
            facts: what is known of it.
            updated: the last data update as the API says now; None: it does not say.
            now: the time of day, with its zone.
        """
        if updated is None or facts.last_update is None:
            return is_younger(facts, min(self.max_age, _UNKNOWN_UPDATE), now)
        return facts.last_update == updated and self.maybe_current(facts, now)

    def maybe_current(self, facts: Facts, now: datetime) -> bool:
        """Tell whether it is worth asking for the last data update to judge an answer."""
        return is_younger(facts, self.max_age, now)


def is_younger(facts: Facts, age: timedelta, now: datetime) -> bool:
    """Tell whether an answer is younger than an age; one from the future is not.

    The clock was set back since it was fetched: nobody knows how old it is.
    """
    return timedelta(0) <= now - facts.fetched_at.astimezone(UTC) < age


def settled(settle_after: timedelta, now: datetime) -> pl.Expr:
    """Say as `Maturity.settled` does which of many answers (`schema.COVERAGE`) change no more."""
    told = pl.col("last_update").is_not_null() | (pl.col("fetched_at") <= now)
    return pl.col("found") & told & (pl.col("known_through") - pl.col("end") > settle_after)


def good(
    settle_after: timedelta, max_age: timedelta, updated: date | None, now: datetime
) -> pl.Expr:
    """Say as `Maturity` does which of many answers (`schema.COVERAGE`) the API would give again.

    Args:
        settle_after: how long after a range's end its answers no longer change.
        max_age: how old another may be.
        updated: the last data update as the API says now; None: it does not say.
        now: the time of day, with its zone.
    """
    age = pl.lit(now.astimezone(UTC)) - pl.col("fetched_at")
    unknown = pl.col("last_update").is_null() | pl.lit(updated is None)
    limit = pl.when(unknown).then(pl.lit(min(max_age, _UNKNOWN_UPDATE))).otherwise(pl.lit(max_age))
    same = unknown | (pl.col("last_update") == pl.lit(updated, pl.Date)).fill_null(False)
    return settled(settle_after, now) | (same & (age >= timedelta(0)) & (age < limit))
