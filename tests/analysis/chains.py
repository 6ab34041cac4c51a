"""An oracle for ordered funnels: every chain there is, in plain Python, straight from the words.

It knows no trick: it tries every event for every step, and asks of each other event whether it
can lie where it does no harm.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple


class Event(NamedTuple):
    """One event: its day, the steps (from 1) that it may serve, whether it is excluded."""

    day: dt.date
    steps: frozenset[int]
    excluded: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The question."""

    steps: int
    within: int | None = None
    mode: str = "loose"
    optional: Collection[int] = field(default_factory=tuple)
    last_start: dt.date | None = None


Chain = dict[int, Event]


def best(events: Sequence[Event], asked: Asked) -> dict[int, dt.date]:
    """Return the steps of the best chain with their days."""
    found = [
        {step: event.day for step, event in chain.items()}
        for served in _served(asked)
        for chain in _chains(list(served), list(enumerate(events)))
        if _holds(chain, events, asked)
    ]
    return min(found, key=_rank, default={})


def _rank(days: dict[int, dt.date]) -> tuple[object, ...]:
    steps = sorted(days, reverse=True)
    return (
        -max(steps),
        -len(steps),
        max(days.values()),
        -min(days.values()).toordinal(),
        steps,
        [days[step] for step in steps],
    )


def _served(asked: Asked) -> Iterator[tuple[int, ...]]:
    """Yield the sets of steps that a chain may have: none left out but optional ones."""
    for last in range(1, asked.steps + 1):
        for size in range(1, last + 1):
            for steps in combinations(range(1, last + 1), size):
                skipped = {*range(1, last + 1)} - {*steps}
                if last in steps and skipped <= {*asked.optional}:
                    yield steps


def _chains(steps: list[int], events: list[tuple[int, Event]]) -> Iterator[Chain]:
    if not steps:
        yield {}
        return
    for number, event in events:
        if steps[0] in event.steps and not event.excluded:
            others = [one for one in events if one[0] != number]
            for rest in _chains(steps[1:], others):
                yield {steps[0]: event} | rest


def _holds(chain: Chain, events: Sequence[Event], asked: Asked) -> bool:
    steps = sorted(chain)
    days = [chain[step].day for step in steps]
    if asked.mode != "any" and days != sorted(days):
        return False
    if asked.within is not None and (max(days) - min(days)).days > asked.within:
        return False
    if asked.last_start is not None and min(days) > asked.last_start:
        return False
    own = [id(event) for event in chain.values()]
    return all(
        _harmless(event, steps, sorted(days), asked) for event in events if id(event) not in own
    )


def _harmless(event: Event, steps: list[int], days: list[dt.date], asked: Asked) -> bool:
    """Return whether the event can lie somewhere that its day allows and where it does no harm."""
    for place in range(len(days) + 1):
        after = place == 0 or days[place - 1] <= event.day
        before = place == len(days) or event.day <= days[place]
        if not (after and before):
            continue
        if place in {0, len(days)}:
            return True
        strict = asked.mode == "strict" and event.steps
        if not event.excluded and not (
            strict and not event.steps & {*steps[place - 1 : place + 1]}
        ):
            return True
    return False
