"""Chance that is the same on every machine, in every process and version of Python."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

__all__ = ["DAY_SECONDS", "Draw", "beta", "number", "pick", "stream"]

Draw: TypeAlias = Callable[[], float]
"""Gives the next number in [0, 1)."""

DAY_SECONDS: Final = 86_400


def stream(*names: object) -> Draw:
    """Return the stream of chance that belongs to these names, and to no others.

    Only ``Random(text).random()`` is used: of the random module, this alone is promised to give
    the same numbers in later versions of Python. Text is hashed with SHA-512 there, so
    PYTHONHASHSEED has no say.
    """
    return random.Random("|".join(map(str, names))).random  # noqa: S311 - invented data, no secret


def number(*names: object) -> int:
    """Return one number in 0..2**64-1 for these names; quicker than a stream.

    >>> number("a", 1) == number("a", "1") != number("a", 2)
    True
    """
    key = "|".join(map(str, names)).encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")


def beta(draw: Draw, rank: int, of: int) -> float:
    """Draw from Beta(rank, of + 1 - rank): the rank-th smallest of so many uniform numbers.

    Sums and logarithms differ in the last digit from one maths library to the next; comparing
    numbers does not.
    """
    return sorted([draw() for _ in range(of)])[rank - 1]


def pick(draw: Draw, cumulated: Sequence[float]) -> int:
    """Return how many of the rising, cumulated shares lie at or below a draw: 0 up to their number.

    >>> pick(lambda: 0.7, (0.6, 0.8)), pick(lambda: 0.95, (0.6, 0.8))
    (1, 2)
    """
    return bisect_right(cumulated, draw())
