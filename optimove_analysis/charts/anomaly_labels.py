"""What is written beside an odd day, and where there is room for it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from optimove_analysis.charts import words
from optimove_analysis.charts.signed import points

__all__ = ["Label", "day_of", "drop_of", "placed", "points_of"]

_LETTER: Final = 5.2  # pixels of a letter of a label
_LINE: Final = 13
_SHIFTS: Final = (0, _LINE, -_LINE, 2 * _LINE, -2 * _LINE)
_SIDES: Final = (False, True)
_BESIDE: Final = 9  # pixels from a mark to its label


@dataclass(frozen=True, slots=True)
class Label:
    """A label and where it begins, or ends, in pixels from a panel's left and top."""

    text: str
    at: float
    middle: float
    ends: bool
    """Whether it ends there: it stands on the mark's left."""


def day_of(day: dt.date) -> str:
    """Write a day as a reader does.

    >>> day_of(dt.date(2025, 9, 1))
    '1 Sep 2025'
    """
    return f"{day.day} {words.MONTHS[day.month - 1]} {day.year}"


def drop_of(row: Mapping[str, Any]) -> str:
    """Say in words how far a day lies below what was expected.

    >>> drop_of({"drop": 0.772, "expected": 0.891}).replace(words.NBSP, " ")
    '77.2 points below the expected 89.1 %'
    """
    return f"{points_of(row)} below the expected {words.percent(row['expected'])}"


def points_of(row: Mapping[str, Any]) -> str:
    """Write a drop in percentage points."""
    return points(row["drop"]).lstrip("+")


def placed(
    marks: Sequence[tuple[float, float, Sequence[str]]], width: float, height: float
) -> list[Label]:
    """Place a label beside each mark, the first marks first; one without room has none.

    Args:
        marks: pixels from the left, pixels from the top, and the texts of each,
            the second where the first has no room.
        width: of the panel.
        height: of the panel.

    >>> [(label.at, label.middle) for label in placed([(10, 50, ["a"]), (12, 51, ["b"])], 99, 99)]
    [(19, 50), (21, 64)]
    >>> [(label.at, label.ends) for label in placed([(90, 50, ["a"])], 99, 99)]
    [(81, True)]
    """
    boxes: list[tuple[float, float, float, float]] = [
        (x - 5, y - 5, x + 5, y + 5) for x, y, _ in marks
    ]
    found = []
    for x, y, texts in marks:
        for text, shift, ends in itertools.product(texts, _SHIFTS, _SIDES):
            long = len(text) * _LETTER
            at = x - _BESIDE if ends else x + _BESIDE
            left, middle = at - long if ends else at, y + shift
            box = (left, middle - _LINE / 2, left + long, middle + _LINE / 2)
            inside = left >= 0 and box[2] <= width and box[1] >= 0 and box[3] <= height
            if inside and not any(_overlap(box, other) for other in boxes):
                boxes.append(box)
                found.append(Label(text, at, middle, ends))
                break
    return found


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
