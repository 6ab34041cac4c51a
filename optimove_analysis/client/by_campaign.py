"""An audience's sends by the campaign route: with the client's cache, threads and progress."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from optimove_analysis.client.campaign_route import Ask, RouteWarning, fetch
from optimove_analysis.client.endpoints import CAMPAIGNS_PATH
from optimove_analysis.client.fetch import ProgressOption, fetch_each
from optimove_analysis.client.frames import Audience
from optimove_analysis.client.freshness import Absent, Freshness
from optimove_analysis.client.maturity import Maturity
from optimove_analysis.client.request_key import keys_of
from optimove_analysis.client.route_cost import RouteCost, cost
from optimove_analysis.client.sends import Request
from optimove_analysis.client.session import Answer, Session, Shape
from optimove_analysis.client.store import Facts
from optimove_analysis.errors import ApiError, OfflineError

__all__ = ["SessionAsks", "route_cost", "sends"]

_DAYS: Final = 10_000
"""A range of more days is not looked up day by day."""
_LACKS: Final = "what the campaign route gives is less than what was asked for:"


class SessionAsks:
    """Asks by way of a session: kept answers first, if they are good."""

    def __init__(
        self,
        session: Session,
        good: Callable[[Facts], bool],
        updated: Callable[[], date | None] = lambda: None,
    ) -> None:
        self._session, self._good, self._updated = session, good, updated

    def kept(self, function: str, params: Mapping[str, str]) -> Answer | None:
        """Return the answer that is kept, if it is good, and send nothing."""
        return self._session.kept(function, params, self._good, counts=False)

    def get(
        self,
        function: str,
        params: Mapping[str, str],
        *,
        shape: Shape = "list",
        sleep: Callable[[float], None] | None = None,
        absent: Callable[[ApiError], bool | None] | None = None,
    ) -> Answer:
        """Return the answer, kept or new."""
        if kept := self._session.kept(function, params, self._good):
            return kept
        how: Any = {"shape": shape, "sleep": sleep, "absent": absent}
        updated = self._updated()
        return self._session.fetch(function, params, self._good, last_update=updated, **how)


def route_cost(session: Session, first: date, last: date, *, than: int) -> RouteCost:
    """Return what the campaign route would send for a range; nothing is sent.

    Args:
        session: whose kept answers count.
        first: the first day of the range.
        last: its last day.
        than: requests of the other route; of one that is dearer for its days alone, no more is
            looked up.
    """
    settings, now = session.settings, session.now()
    maturity = Maturity(last, settings.settle_after, settings.max_age)

    def good(facts: Facts) -> bool:
        return (
            settings.offline or maturity.settled(facts, now) or maturity.maybe_current(facts, now)
        )

    days = (last - first).days + 1
    if days <= _DAYS:
        dates = ((first + timedelta(days=n)).isoformat() for n in range(days))
        known = session.cache.facts(keys_of(CAMPAIGNS_PATH, {}, "Date", dates)).values()
        days -= sum(map(good, known))
    if days and days >= than:
        return RouteCost(days, campaigns=0, pages=0, expected_pages=0)
    return cost(SessionAsks(session, good), first, last)


def sends(
    session: Session,
    audience: Audience,
    *,
    sent_event_id: int | None,
    progress: ProgressOption = None,
    refresh: bool = False,
    offline: bool = False,
) -> pl.DataFrame:
    """Return the sent events of an audience, with a `RouteWarning` of all that is missing."""
    session.check()
    offline = offline or session.settings.offline
    fresh = Freshness(session, audience.last, Absent(session), offline=offline, refresh=refresh)
    asks = SessionAsks(session, fresh.good, lambda: fresh.updated(needed=False))

    def many(ask: Ask, requests: Sequence[Request]) -> list[Answer]:
        by_label = {request.label: request for request in requests}
        kept = [label for label, r in by_label.items() if asks.kept(r.function, r.params)]
        answers = {label: ask(by_label[label], None) for label in kept}
        if missing := [label for label in by_label if label not in answers]:
            if offline:
                what, days = "answers by campaign", f"{audience.first} to {audience.last}"
                raise OfflineError.not_kept(what, missing, of=len(by_label), days=days)
            fresh.updated(needed=False)  # once, rather than in each thread
            fetch_each(
                session,
                missing,
                lambda label, sleep: ask(by_label[label], sleep),
                answers.__setitem__,
                what="",
                cached=len(kept),
                progress=progress,
            )
        return [answers[label] for label in by_label]

    found = fetch(
        asks, audience.ids, audience.first, audience.last, sent_event_id=sent_event_id, many=many
    )
    warnings.warn("\n- ".join([_LACKS, *found.notes]), RouteWarning, stacklevel=3)
    return found.frame
