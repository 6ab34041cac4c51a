"""Where there is room in the windows, and for whom: the law of the quota and its fairness.

Each function reads a ledger's tables inside a transaction of its caller. Times are seconds of the
clock that all processes of the machine share.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

__all__ = ["STALE", "Limits", "Waiting", "free_at", "in_flight", "waiting", "window", "yield_until"]

Limits: TypeAlias = tuple[tuple[int, float], ...]
"""(requests, seconds), all of which hold."""

STALE: Final = 0.5
"""Seconds: who said when to look again, and is so late, is not waited for."""
_MARGIN: Final = 0.001
"""Of a window: two clocks that tick unlike by 1 in 1,000 still agree."""
_LEAST_MARGIN: Final = 0.01


class Waiting(NamedTuple):
    """A process that waits: how many of its threads, when it looks again, and its limits."""

    owner: str
    threads: int
    looks_at: float
    limits: str

    def limit(self, per: float) -> Iterable[int]:
        """Return the requests that it allows in such a window, if it has such a limit."""
        return (int(limit) for limit, seconds in json.loads(self.limits) if seconds == per)


def window(per: float) -> float:
    """Return for how many seconds after its answer a request keeps its place."""
    return per + max(_LEAST_MARGIN, per * _MARGIN)


def in_flight(ledger: sqlite3.Connection) -> Counter[str]:
    """Return how many requests each process has sent that are not answered."""
    rows = ledger.execute("SELECT owner, COUNT(*) FROM slots WHERE at IS NULL GROUP BY owner")
    return Counter(dict(rows.fetchall()))


def waiting(ledger: sqlite3.Connection, owner: str, now: float) -> list[Waiting]:
    """Return the other processes that wait."""
    rows = ledger.execute(
        "SELECT owner, threads, looks_at, limits FROM waiting WHERE owner <> ? AND looks_at > ?",
        (owner, now - STALE),
    )
    return [Waiting(*row) for row in rows]


def free_at(
    ledger: sqlite3.Connection, windows: Limits, flying: int, number: int, now: float
) -> float:
    """Return the earliest time at which a further request can be sent, were all places ours.

    Args:
        ledger: whose places.
        windows: requests, and the seconds for which each keeps its place.
        flying: how many requests are in flight; taken to be answered now.
        number: which of the further requests, from 0.
        now: the time.
    """
    latest = now
    for limit, seconds in windows:
        rounds, place = divmod(number, limit)
        # A window's places, those first that come free last: in flight, then answered. So many
        # answers must still keep theirs when the one comes free that we wait for.
        behind = limit - 1 - place - flying
        answered = now if behind < 0 else _answered(ledger, behind)
        latest = max(latest, max(answered + seconds, now) + rounds * seconds)
    return latest


def yield_until(
    ledger: sqlite3.Connection,
    *,
    limits: Limits,
    flying: Counter[str],
    others: Iterable[Waiting],
    owner: str,
    now: float,
) -> float | None:
    """Return when others look to whom the free places belong, or None if they are this process's.

    Max-min: a process leaves to those that wait and have fewer places in the window than it as
    many as they want, up to its own number. Who has the fewest yields to nobody, so that somebody
    always goes on; who waits for nothing costs nobody anything.
    """
    total = flying.total()
    used = {pair: total + _count(ledger, now - window(pair[1])) for pair in limits}
    # What counts is the limit that is nearest to full.
    scarce = min(limits, key=lambda pair: (pair[0] - used[pair], -pair[1]))
    limit, per = scarce
    rows = ledger.execute(
        "SELECT owner, COUNT(*) FROM slots WHERE at > ? GROUP BY owner", (now - window(per),)
    )
    shares = flying + Counter(dict(rows.fetchall()))
    wanted, looks_at = 0, math.inf
    for other in others:
        fewer = shares[owner] - shares[other.owner]
        if fewer > 0:
            wanted += min(other.threads, fewer)
            looks_at = min(looks_at, other.looks_at)
            # One that allows less in such a window gets in only when less of it is used.
            limit = min([limit, *other.limit(per)])
    return looks_at if wanted and limit - used[scarce] <= wanted else None


def _answered(ledger: sqlite3.Connection, behind: int) -> float:
    """Return when the request was answered after which so many were."""
    row = ledger.execute(
        "SELECT at FROM slots WHERE at IS NOT NULL ORDER BY at DESC LIMIT 1 OFFSET ?", (behind,)
    ).fetchone()
    return float(row[0]) if row else -math.inf


def _count(ledger: sqlite3.Connection, since: float) -> int:
    (count,) = ledger.execute("SELECT COUNT(*) FROM slots WHERE at > ?", (since,)).fetchone()
    return int(count)
