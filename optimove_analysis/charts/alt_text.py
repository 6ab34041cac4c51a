"""The alt text of many panels: whole sentences while they are few, then what matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["ENDLESS", "alt_text"]

_MOST: Final = 600
"""Letters that somebody listens to; the numbers are in the table beside the picture."""

ENDLESS: Final = 2_000
"""Letters that are too many even where each panel is of several things."""


def alt_text(head: str, whole: Sequence[str], brief: Sequence[str], *, most: int = _MOST) -> str:
    """Join a sentence a panel: the whole ones, or the brief ones where those would be endless.

    Where even these are too many, it says how many panels it does not tell of. One panel is told
    whole, however long. ``most`` is how many letters are not yet endless.

    >>> alt_text("Funnel.", ["A: 10 sent."], ["A."])
    'Funnel. A: 10 sent.'
    >>> alt_text("Funnel.", ["A: " + 700 * "x", "B."], ["A.", "B."])
    'Funnel. A. B.'
    """
    text = " ".join([head, *whole])
    if len(whole) == 1 or len(text) <= most:
        return text
    text = " ".join([head, *brief])
    told = len(brief)
    while len(text) > most and told > 1:
        told -= 1
        left = len(brief) - told
        more = f"And {left} more panel{'' if left == 1 else 's'}."
        text = " ".join([head, *brief[:told], more])
    return text
