"""The steps of an ordered funnel: what a user wrote, read once and checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal, Self, TypeAlias, cast, get_args

import polars as pl

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import Kind, Meaning

__all__ = ["MAX_STEPS", "Condition", "Mode", "Question", "step"]

Mode: TypeAlias = Literal["loose", "strict", "any"]
Condition: TypeAlias = pl.Expr | Mapping[str, Any]
"""What makes an event a step: an expression over interactions, or the words of `step`."""

MAX_STEPS: Final = 16
MAX_OPTIONAL: Final = 6  # each doubles the work
_FOREVER: Final = 4_000_000  # more days than any two dates are apart


def step(*, catalogue: Catalogue | None = None, **words: object) -> pl.Expr:
    """Return the condition that an event has these values, named instead of numbered.

    Args:
        catalogue: What the account's ids mean (``client.catalogue()``).
        **words: ``event=`` takes what happened (``"opened"``), ``channel=`` a channel's name or
            kind (``"E-mail"``, ``"push"``), any other a column's value. A list is any of its
            values; None is a null. An id does for ``event`` and ``channel`` too.

    Raises:
        InputError: nothing is asked for, or the catalogue has no such event or channel.

    >>> events = pl.DataFrame({"channel_id": [504, 506, 504], "event_id": [3, 4, 4]})
    >>> events.select(step(channel="E-mail", event=["opened", "clicked"])).to_series().to_list()
    [True, False, True]
    """
    if not words:
        raise InputError('A step needs a condition, like event="opened" or channel="E-mail".')
    known = Catalogue() if catalogue is None else catalogue
    parts = []
    for word, value in words.items():
        many = isinstance(value, Collection) and not isinstance(value, str)
        values: list[Any] = [*cast("Collection[Any]", value)] if many else [value]
        column = word
        if word == "event":
            column, values = "event_id", [i for v in values for i in _event_ids(v, known)]
        elif word == "channel":
            column, values = "channel_id", [i for v in values for i in _channel_ids(v, known)]
        parts.append(pl.any_horizontal(pl.lit(False), *(_is(column, v) for v in values)))
    return pl.all_horizontal(*parts)


def _is(column: str, value: object) -> pl.Expr:
    return pl.col(column).is_null() if value is None else pl.col(column) == pl.lit(value)


def _event_ids(seen: object, known: Catalogue) -> list[Any]:
    if not isinstance(seen, str):
        return [seen]
    word: Any = seen.strip().lower().replace(" ", "_")
    if word not in get_args(Meaning):
        raise InputError.option("event", seen, get_args(Meaning))
    ids = known.ids(word)
    if not ids:
        raise InputError(f"event={seen!r}: no event id means that in the catalogue's events.")
    return ids


def _channel_ids(seen: object, known: Catalogue) -> list[Any]:
    if not isinstance(seen, str):
        return [seen]
    named = [i for i, name in known.channels.items() if name.casefold() == seen.casefold()]
    ids = named or [i for i in {**known.channels, **known.kinds} if known.kind(i) == seen]
    if not ids:
        raise InputError.option("channel", seen, [*known.channels.values(), *get_args(Kind)])
    return ids


@dataclass(frozen=True, slots=True)
class Question:
    """An ordered funnel's question: steps in order, and how a chain of them may run."""

    names: tuple[str, ...]
    conditions: tuple[pl.Expr, ...]
    window: int | None
    mode: Mode
    optional: frozenset[int]
    """Steps that may be skipped, numbered from 1."""
    exclude: pl.Expr | None

    @classmethod
    def of(  # noqa: PLR0917 - the arguments of the public functions, in their order
        cls,
        steps: Mapping[str, Condition],
        within: int | None,
        mode: Mode,
        optional: Collection[str],
        exclude: Condition | None,
        catalogue: Catalogue | None,
        taken: Iterable[str],
    ) -> Self:
        """Read the arguments; ``taken`` are columns that a step may not be named like."""
        names = _names(steps, set(taken))
        if within is not None and (type(within) is not int or not 0 <= within <= _FOREVER):
            message = f"within={within!r} must be a number of days, 0 to {_FOREVER:,}, or None."
            raise InputError(message)
        if mode not in get_args(Mode):
            raise InputError.option("mode", mode, get_args(Mode))
        skipped = [optional] if isinstance(optional, str) else list(optional)
        for name in skipped:
            if name not in names:
                raise InputError.option("optional", name, names)
        if len(set(skipped)) > MAX_OPTIONAL:
            raise InputError(f"optional= names {len(set(skipped))} steps; {MAX_OPTIONAL} at most.")
        return cls(
            names,
            tuple(_read(f"step {name!r}", one, catalogue) for name, one in steps.items()),
            within,
            mode,
            frozenset(names.index(name) + 1 for name in skipped),
            None if exclude is None else _read("exclude", exclude, catalogue),
        )

    @property
    def within(self) -> int:
        """The window in days, as a number that holds for None as well."""
        return _FOREVER if self.window is None else self.window

    @property
    def last_required(self) -> int:
        """The number of the last step that a complete chain has; 1 if all are optional."""
        return max({*range(1, len(self.names) + 1)} - self.optional, default=1)

    @property
    def last_first(self) -> int:
        """The number of the last step that a chain may begin with."""
        required = {*range(1, len(self.names) + 1)} - self.optional
        return min(required, default=len(self.names))

    def ways(self) -> Iterator[tuple[int, ...]]:
        """Yield each way through the steps: with all optional ones first, then with fewer."""
        numbers = range(1, len(self.names) + 1)
        skippable = sorted(self.optional, reverse=True)
        for fewer in range(len(skippable) + 1):
            for skipped in combinations(skippable, fewer):
                if way := tuple(number for number in numbers if number not in skipped):
                    yield way

    def roots(self) -> set[str]:
        """Return the columns that the conditions read."""
        read = [*self.conditions, *([] if self.exclude is None else [self.exclude])]
        return {name for condition in read for name in condition.meta.root_names()}

    def check(self, frame: pl.LazyFrame) -> None:
        """Say which condition the frame cannot answer."""
        named = [(f"step {n!r}", c) for n, c in zip(self.names, self.conditions, strict=True)]
        if self.exclude is not None:
            named.append(("exclude", self.exclude))
        for what, condition in named:
            try:
                seen = frame.select(condition.alias("_")).collect_schema()["_"]
            except pl.exceptions.PolarsError as error:
                message = f"{what} cannot be asked of these interactions: {error}"
                raise InputError(message) from error
            if seen not in {pl.Boolean(), pl.Null()}:
                message = f"{what} must be a condition, true or false; this one is {seen}."
                raise InputError(message)


def _names(steps: object, taken: set[str]) -> tuple[str, ...]:
    if not isinstance(steps, Mapping) or not steps:
        message = (
            f"steps={steps!r} must map the steps' names to conditions, in order, like "
            '{"opened": {"event": "opened"}, "clicked": {"event": "clicked"}}.'
        )
        raise InputError(message)
    if len(steps) > MAX_STEPS:
        raise InputError(f"steps= has {len(steps)} steps; {MAX_STEPS} at most.")
    for name in steps:
        if not isinstance(name, str) or not name:
            raise InputError(f"the step name {name!r} must be text.")
        if name in taken:
            raise InputError(f"the step name {name!r} is a column of the result; take another.")
    return tuple(steps)


def _read(what: str, condition: object, catalogue: Catalogue | None) -> pl.Expr:
    if isinstance(condition, pl.Expr):
        if condition.meta.has_multiple_outputs():
            raise InputError(f"{what} stands for many columns; join them by & or |.")
        return condition
    if isinstance(condition, Mapping):
        if not all(isinstance(word, str) for word in condition) or "catalogue" in condition:
            raise InputError(f"{what} must map columns' names to values: {condition!r}.")
        return step(catalogue=catalogue, **condition)
    message = f'{what} must be an expression or words like {{"event": "opened"}}: {condition!r}.'
    raise InputError(message)
