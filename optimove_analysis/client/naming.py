"""Which kept answers name a customer: to erase one, all of them must be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from optimove_analysis.client.convert import loads
from optimove_analysis.client.store import Store

__all__ = ["naming"]


def naming(store: Store, customer_id: str) -> list[str]:
    """Return the keys of what was asked for a customer, and of answers that name the customer."""
    found: list[str] = []
    rest: list[str] = []
    for key, _, params in store.asked():
        (found if customer_id in params.values() else rest).append(key)
    for start in range(0, len(rest), 500):
        entries, torn = store.entries(rest[start : start + 500])
        found += torn  # what cannot be read may name anybody
        found += [key for key, entry in entries.items() if _names(entry.body, customer_id)]
    return found


def _names(body: bytes, customer_id: str) -> bool:
    # Digits and plain letters stand in JSON as they are; others may be escaped.
    plain = customer_id.isascii() and customer_id.isalnum()
    if plain and customer_id.encode() not in body:
        return False
    # Also within a text: too much erased costs a request, too little is a breach. So a number ends
    # where digits do (user_841231, ID841231), any other id where letters and digits do.
    on = "[0-9]" if customer_id.isdecimal() else r"[^\W_]"
    word = re.compile(f"(?<!{on}){re.escape(customer_id)}(?!{on})")
    return any(map(word.search, _values(loads(body))))


def _values(content: Any) -> Iterator[str]:  # noqa: ANN401 - JSON is anything
    """Yield every text and number of a JSON value, as text."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.values(), *value]
        elif isinstance(value, list):
            waiting += value
        elif value is not None:
            yield str(value)
