"""What the sentences of a summary share: how a number stands with its interval, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from optimove_analysis.analysis.rate_counts import RATIOS
from optimove_analysis.charts import signed, words
from optimove_analysis.charts.groups import ALL_CHANNELS, Group
from optimove_analysis.charts.rates import USUAL
from optimove_analysis.schema import MEAN_OPENS, RATE_NAMES, SMALL_N, RateName

__all__ = [
    "EMPTY",
    "FEW",
    "FEW_CUSTOMERS",
    "INTERVAL",
    "MOST",
    "bare",
    "base",
    "capped",
    "change",
    "chosen_rates",
    "divided_by",
    "index",
    "merged",
    "named",
    "not_apart",
    "rate",
    "recent",
    "recent_of",
    "short",
    "some",
    "started",
    "value_of",
]

MOST: Final = 12
"""Sentences of a result; its table has the rest."""


def few(noun: str) -> str:
    """Say of a small number that it is one."""
    return f"Fewer than {SMALL_N} {noun}s say little: read the interval, not the value."


INTERVAL: Final = f"95{words.NBSP}% interval "
"""Stands before each interval here; `summary` leaves it before the first of a result."""
EMPTY: Final = "No messages were sent in this range, or none whose window has closed."
FEW: Final = few("message")
FEW_CUSTOMERS: Final = few("customer")


_LONG: Final = 80
_NAMED: Final = 6
"""Groups that are named together."""
_WHOM: Final[Mapping[str, str]] = {"opened": "opened by"}


def started(label: str, text: str) -> str:
    """Return a sentence that says of which group it is; the whole needs no name."""
    name = short(label)
    return f"{name}: {text}" if name and name != ALL_CHANNELS else text[:1].upper() + text[1:]


def short(name: str) -> str:
    """Return a name that leaves room for the sentence it stands in."""
    return name if len(name) <= _LONG else f"{name[: _LONG - 1]}\N{HORIZONTAL ELLIPSIS}"


def some(labels: Sequence[str]) -> str:
    """Name a few groups; of many say how many.

    >>> some(["SMS", "Push"]), some(["SMS"] * 9).replace(words.NBSP, " ")
    ('SMS and Push', '9 groups')
    """
    if len(labels) > _NAMED:
        return words.plural(len(labels), "group")
    return words.listed([short(label) for label in labels])


def capped(
    units: Sequence[Sequence[str]], noun: str = "group", *, sizes: Sequence[int] | None = None
) -> list[str]:
    """Return the sentences of as many groups as a reader goes through; say how many are left.

    With ``sizes`` the largest are told, in the order that they have here.

    >>> capped([["One."], ["Two."]])
    ['One.', 'Two.']
    >>> capped([["One.", "Two."]] * 8)[-1].replace(words.NBSP, " ")
    'The table tells of 2 more groups.'
    """
    places = list(range(len(units)))
    if sizes is not None:
        places.sort(key=lambda place: -sizes[place])
    told: set[int] = set()
    room = MOST
    for place in places:
        if told and len(units[place]) > room:
            break
        told.add(place)
        room -= len(units[place])
    sentences = [text for place, unit in enumerate(units) if place in told for text in unit]
    if left := len(units) - len(told):
        smaller = "" if sizes is None else ", none larger than these"
        sentences.append(f"The table tells of {words.plural(left, f'more {noun}')}{smaller}.")
    return sentences


def merged(
    rows: Iterable[Mapping[str, Any]], numbers: Sequence[str]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return rows with what to call them; rates of the very same numbers are told as one.

    Where a channel has no opens, to click is to engage: "click and engagement rate".
    """
    alike: dict[tuple[object, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        key = tuple(row[name] for name in numbers)
        alike.setdefault((divided_by(row), *key), []).append(row)
    return [(named([row["label"] for row in same]), same[0]) for same in alike.values()]


def named(labels: Sequence[str]) -> str:
    """Name several rates.

    >>> named(["open rate", "engagement rate"]), named(["not bounced", "click rate"])
    ('open and engagement rate', 'not bounced and click rate')
    """
    kind = " rate"
    if all(label.endswith(kind) for label in labels):
        labels = [*(label.removesuffix(kind) for label in labels[:-1]), *labels[-1:]]
    return words.listed(labels)


def rate(value: float | None, lo: float | None, hi: float | None) -> str:
    """Write a rate with its interval."""
    return _with_ends(words.percent(value), words.interval(lo, hi))


def index(value: float | None, lo: float | None, hi: float | None) -> str:
    """Write an index, or a mean, with its interval."""
    return _with_ends(words.ratio(value), words.ratio_interval(lo, hi))


def bare(name: str, value: float | None) -> str:
    """Write the value of a rate by its name without an interval."""
    return words.ratio(value) if name == MEAN_OPENS else words.percent(value)


def value_of(name: str, value: float | None, lo: float | None, hi: float | None) -> str:
    """Write the value of a rate by its name: one of them is a mean and no percentage."""
    return index(value, lo, hi) if name == MEAN_OPENS else rate(value, lo, hi)


def change(value: float | None, lo: float | None, hi: float | None, *, mean: bool = False) -> str:
    """Write a difference of two rates in points, or of two means, with its interval."""
    if not mean:
        return _with_ends(signed.points(value), signed.points_interval(lo, hi))
    ends = words.NO_ANSWER
    if lo is not None and hi is not None:
        ends = f"{signed.signed_ratio(lo)} to {signed.signed_ratio(hi)}"
    return _with_ends(signed.signed_ratio(value), ends)


def not_apart(lo: float | None, hi: float | None, *, par: float = 0.0) -> bool:
    """Whether the interval leaves it open that there is nothing: without one nobody knows."""
    return lo is None or hi is None or lo <= par <= hi


def _with_ends(value: str, ends: str) -> str:
    inside = "no interval" if ends == words.NO_ANSWER else f"{INTERVAL}{ends}"
    return f"{value} ({inside})"


def base(of: str, n: int, customers: int | None) -> str:
    """Say what a rate divides by: "9,960 messages delivered to 191 customers".

    ``of`` is the stage; without ``customers`` it is not said to how many.
    """
    text = f"{words.plural(n, 'message')} {of}"
    if customers is None:
        return text
    return f"{words.plural(n, 'message')} {_WHOM.get(of, f'{of} to')} " + words.plural(
        customers, "customer"
    )


def recent(immature: int) -> list[str]:
    """Say how many messages are in no number yet."""
    if not immature:
        return []
    if immature == 1:
        return ["1 more message is too recent to count."]
    return [f"{words.plural(immature, 'more message')} are too recent to count."]


def recent_of(drawn: Iterable[Group]) -> list[str]:
    """Say how many messages of all groups are: each row of a group has the group's."""
    return recent(sum(int(group.rows["n_immature"][0]) for group in drawn if group.rows.height))


def chosen_rates(table: pl.DataFrame) -> list[RateName]:
    """Return the rates to tell: all where they are few, else the usual ones."""
    there: list[RateName] = [name for name in RATE_NAMES if name in table["rate"]]
    usual: list[RateName] = [name for name in USUAL if name in there]
    return usual if usual and len(there) > len(USUAL) else there


def divided_by(row: Mapping[str, Any]) -> str:
    """Return the stage that a row's rate divides by."""
    name: RateName = row["rate"]
    return RATIOS[name].n
