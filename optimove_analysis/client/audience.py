"""The interactions of an audience, customer by customer: what is kept, and what must be asked."""

from __future__ import annotations

from collections.abc import Callable

from optimove_analysis.client.coverage import Answers
from optimove_analysis.client.fetch import ProgressOption, fetch_each, saying_kept
from optimove_analysis.client.frames import Audience, Collected, Frames
from optimove_analysis.client.freshness import Absent, Freshness
from optimove_analysis.client.session import Answer, Session
from optimove_analysis.errors import OfflineError

__all__ = ["answers", "interactions"]


def interactions(
    session: Session,
    audience: Audience,
    *,
    progress: ProgressOption = None,
    refresh: bool = False,
    offline: bool = False,
    collects: bool = False,
) -> Collected:
    """Return the interactions of an audience, in the order of its ids."""
    frames = Frames(session, audience, collects=collects)
    _gather(frames, session, audience, progress, refresh=refresh, offline=offline)
    return frames.collected()


def answers(
    session: Session,
    audience: Audience,
    *,
    progress: ProgressOption = None,
    refresh: bool = False,
    offline: bool = False,
    collects: bool = False,
) -> Answers:
    """Return the same, and of each answer what it covers."""
    frames = Frames(session, audience, collects=collects, covers=True)
    _gather(frames, session, audience, progress, refresh=refresh, offline=offline)
    collected = frames.collected()
    return Answers(collected.interactions, frames.coverage(collected), collected.failures)


def _gather(
    frames: Frames,
    session: Session,
    audience: Audience,
    progress: ProgressOption,
    *,
    refresh: bool,
    offline: bool,
) -> None:
    """Add the answers to the frames, kept ones and new ones.

    The last data update is asked for only if something else depends on it: a settled answer
    carries the one that was known when it was fetched, which is what says how complete it is.
    """
    session.check()
    offline = offline or session.settings.offline
    absent = Absent(session)
    fresh = Freshness(session, audience.last, absent, offline=offline, refresh=refresh)
    missing = list(audience.ids) if refresh else frames.add_kept(fresh.good)
    if missing and offline:
        days = f"{audience.first} to {audience.last}"
        raise OfflineError.not_kept("customers", missing, of=len(audience.ids), days=days)
    if not missing:
        return
    cached = len(audience.ids) - len(missing)
    with saying_kept(session, lambda: cached, len(audience.ids)):
        updated = fresh.updated(needed=False)  # may wait for the quota, like the rest

    def ask(one: str, sleep: Callable[[float], None]) -> Answer:
        return session.fetch(
            audience.path,
            audience.params(one),
            fresh.good,
            last_update=updated,
            check=lambda body: audience.check(one, body),
            absent=lambda error: absent.customer(audience.path, error),
            sleep=sleep,
        )

    frames.failures += fetch_each(
        session,
        missing,
        ask,
        frames.add,
        cached=cached,
        collects=frames.collects,
        progress=progress,
    )
    absent.check(audience.path, asked=len(missing), of=len(audience.ids))
