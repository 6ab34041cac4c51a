"""Customer ids as a user gives them to a form: what can be used, what was given twice, what not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from optimove_analysis.id_lists import Row, first_is_header, is_customer_id, is_shortened

__all__ = ["Audience", "column_of", "from_ids", "from_rows", "from_text"]

_NAMED: Final = 3
"""So many of what cannot be used are named."""
_LONG: Final = 40


@dataclass(frozen=True, slots=True)
class Audience:
    """Distinct ids, in the order given, and what became of the others."""

    ids: tuple[str, ...] = ()
    repeated: int = 0
    """How many times an id was given that had been given before."""
    bad: tuple[str, ...] = ()
    """What cannot be an id, each with the reason."""
    header: str = ""
    """What was taken for the name of the column."""

    def __str__(self) -> str:
        """Say how many customers these are.

        >>> print(from_text("000001, 000002 000001"))
        2 customers; 1 id was given before and counts once.
        """
        many = len(self.ids)
        told = [f"{many:,} customer{'' if many == 1 else 's'}"]
        if self.repeated:
            ids = "1 id was" if self.repeated == 1 else f"{self.repeated:,} ids were"
            told.append(f"{ids} given before and count{'s' * (self.repeated == 1)} once")
        if self.header:
            told.append(f"{self.header!r} is taken for the column's name")
        if self.bad:
            named = ", ".join(self.bad[:_NAMED])
            more = f" and {len(self.bad) - _NAMED:,} more" if len(self.bad) > _NAMED else ""
            told.append(f"left out, since no id: {named}{more}")
        return f"{'; '.join(told)}."


def from_text(text: str) -> Audience:
    r"""Return the ids in a text, between commas, semicolons, spaces or line ends.

    >>> found = from_text("customer_id\n007\n8.4E+11")
    >>> found.ids, found.header, found.bad
    (('007',), 'customer_id', ('8.4E+11 (a spreadsheet has shortened it)',))
    """
    words = [one for one in re.split(r"[\s,;]+", text) if one]
    head = ""
    if words and is_customer_id(words[0]):
        head = words.pop(0)
    return _audience(((word, word) for word in words), head)


def from_ids(ids: Iterable[object]) -> Audience:
    """Return ids that code gives: a list, a frame's column."""
    # A float or a null would be an id of somebody's if it was made text: it is none.
    many = [(one if isinstance(one, str) else str(one), one) for one in ids]
    kinds = (str, int)
    return _audience(
        ((text, text) if isinstance(one, kinds) else ("", repr(one)) for text, one in many), ""
    )


def from_rows(rows: Sequence[Row], column: int, *, header: bool) -> Audience:
    """Return the ids in a column of a file's rows; ``header``: the first row names the columns."""
    head = rows[0][1][column] if header and len(rows[0][1]) == 1 else ""
    cells = (
        (row[column] if column < len(row) else "", f"line {number}")
        for number, row in (rows[1:] if header else rows)
    )
    return _audience(cells, head)


def column_of(rows: Sequence[Row]) -> tuple[int, bool]:
    """Guess which column holds the ids, and whether the first row names the columns.

    >>> column_of([(1, ["name", "Customer ID"]), (2, ["A", "007"])])
    (1, True)
    """
    names = rows[0][1]
    # One column of digits under a word: the word is a name. A user sees it, and can say otherwise.
    header = first_is_header(rows) is not False
    ours = [place for place, name in enumerate(names) if is_customer_id(name)]
    return (ours[0] if header and ours else 0), header


def _audience(cells: Iterable[tuple[str, str]], header: str) -> Audience:
    ids: dict[str, None] = {}
    bad: list[str] = []
    given = 0
    for cell, where in cells:
        if reason := _wrong(cell):
            told = cell if len(cell) <= _LONG else f"{cell[:_LONG]}..."
            told = told.encode(errors="replace").decode()
            place = "" if where == cell else f"{where}: "
            bad.append(f"{place}{told} ({reason})" if told else f"{where} (empty)")
        else:
            given += 1
            ids[cell] = None
    return Audience(tuple(ids), given - len(ids), tuple(bad), header)


def _wrong(cell: str) -> str:
    if not cell:
        return "empty"
    if is_shortened(cell):
        return "a spreadsheet has shortened it"
    try:
        cell.encode()
    except UnicodeEncodeError:
        return "no text that can be sent"
    return ""
