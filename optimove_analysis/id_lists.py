"""Lists of customer ids as people keep them, CSV or one a line: text in, rows of text out.

The commands read them from files, and the forms from an upload; what cannot be used is told by
each in its own words.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable
from typing import Final

from optimove_analysis.errors import InputError

__all__ = ["Row", "csv_rows", "decoded", "first_is_header", "is_customer_id", "is_shortened"]

Row = tuple[int, list[str]]
"""The number of a line, and the cells in it."""

_HEADER: Final = re.compile(
    r"(optimove|crm)?(customer|client|user|player|member|subscriber|contact)?(ids?|key|no|number)"
    r"|customers?|e?mail(address)?"
)
_OURS: Final = "customerid"
_SPREADSHEET: Final = re.compile(r"-?\d([.,]\d+)?E\+\d+", flags=re.IGNORECASE)
_DELIMITERS: Final = ",;\t|"


def decoded(raw: bytes, source: str) -> str:
    """Return the text of a file, in UTF-8 or as Excel's "Unicode text".

    Raises:
        InputError: it is no such text; ``source`` is what the message calls it.
    """
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not text in UTF-8; save it as such.") from error
    if "\0" in text:
        raise InputError(f"{source} is not text: is it CSV, or lines of ids?")
    return text


def csv_rows(text: str, source: str) -> list[Row]:
    r"""Return the rows that are not blank, their cells without the spaces around them.

    The delimiter is the one that the first line has most of. All cells are text, so that what looks
    like a number keeps its leading zeros.

    >>> csv_rows("customer_id;since\n 000001;2020", "x.csv")
    [(1, ['customer_id', 'since']), (2, ['000001', '2020'])]

    Raises:
        InputError: the CSV is broken.
    """
    first = next(filter(str.strip, text.splitlines()), "")
    counts = {mark: first.count(mark) for mark in _DELIMITERS}
    delimiter = max(counts, key=counts.__getitem__)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        rows += [(lines.line_num, [cell.strip() for cell in row]) for row in lines if any(row)]
    except csv.Error as error:
        raise InputError(f"{source}, line {lines.line_num}: broken CSV ({error}).") from error
    return [(number, row) for number, row in rows if any(row)]


def first_is_header(rows: Iterable[Row]) -> bool | None:
    """Tell whether the first row names columns; None where it may be a name or an id.

    >>> [first_is_header([(1, [one]), (2, ["7"])]) for one in ("crm_id", "7", "x")]
    [True, False, None]
    """
    names, *others = (row for _, row in rows)
    if any(map(_HEADER.fullmatch, map(_plain, names))):
        return True
    if len(names) == 1 and others and not _has_digit(names[0]):
        return None if all(_has_digit(row[0]) for row in others) else False
    return False


def is_customer_id(name: str) -> bool:
    """Tell whether a column is named ``customer_id``, however it is written.

    >>> is_customer_id("Customer ID"), is_customer_id("customer")
    (True, False)
    """
    return _plain(name) == _OURS


def is_shortened(text: str) -> bool:
    """Tell whether a spreadsheet has made a number of an id, and shortened it.

    >>> is_shortened("8.41231E+11"), is_shortened("841231")
    (True, False)
    """
    return _SPREADSHEET.fullmatch(text) is not None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()  # digits stay: customer1 is an id


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
