"""Numbers as a reader reads them: one way for marks, tooltips, alt text, tables and sentences.

Numbers are made into text here and not by the browser, so that a picture, its alt text and the
table beside it can never round differently. A space that must not break is U+00A0.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from optimove_analysis.schema import SMALL_N

__all__ = [
    "DOT",
    "NBSP",
    "NO_ANSWER",
    "NO_STAGE",
    "count",
    "interval",
    "k_of_n",
    "lines",
    "listed",
    "percent",
    "plural",
    "ratio",
    "ratio_interval",
    "settings",
]

NBSP: Final = "\u00a0"
DOT: Final = " \N{MIDDLE DOT} "
"""Between the parts of a line."""
NO_ANSWER: Final = "\N{EN DASH}"
"""0/0: the stage exists, nothing reached the one before."""
NO_STAGE: Final = "n/a"
"""The channel has no such stage."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Names of our own: strftime speaks the system's language, and the axes speak English."""
FEW: Final = f"fewer than {SMALL_N} sent"
"""What a small group is called."""
_ORPHAN: Final = 0.3
"""A last line of less than this of the width looks forgotten."""


def count(number: int | None) -> str:
    """Write a count; null is ``n/a``.

    >>> count(4210), count(None)
    ('4,210', 'n/a')
    """
    return NO_STAGE if number is None else f"{number:,}"


def plural(number: int, noun: str) -> str:
    r"""Write a count with its noun.

    >>> plural(1, "customer"), plural(1200, "customer")
    ('1\xa0customer', '1,200\xa0customers')
    """
    return f"{number:,}{NBSP}{noun}{'' if number == 1 else 's'}"


def percent(rate: float | None, *, sign: bool = True) -> str:
    """Write a rate of 0 to 1 as a percentage; null is a dash.

    A rate is never rounded to nothing or to all: those are answers of another kind.

    >>> [percent(rate, sign=False) for rate in (0.0311, 0.0042, 0.00001, 0.99998, 0.0, 1.0)]
    ['3.1', '0.42', '<0.01', '>99.9', '0.0', '100.0']
    >>> percent(None) == NO_ANSWER
    True
    """
    if rate is None:
        return NO_ANSWER
    if 0 < rate < 0.00005:  # noqa: PLR2004 - rounds to 0.00
        text = "<0.01"
    elif 0 < rate < 0.00995:  # noqa: PLR2004 - one decimal would leave a single digit
        text = f"{rate * 100:.2f}"
    elif 0.9995 <= rate < 1:  # noqa: PLR2004 - rounds to 100.0
        text = ">99.9"
    else:
        text = f"{rate * 100:.1f}"
    return f"{text}{NBSP}%" if sign else text


def k_of_n(k: int | None, n: int | None, rate: float | None) -> str:
    """Write a rate with what it is made of; without a stage, n/a.

    >>> k_of_n(20, 40, 0.5).replace(NBSP, " "), k_of_n(None, 40, None)
    ('20 / 40 = 50.0 %', 'n/a')
    """
    return NO_STAGE if k is None or n is None else f"{k:,} / {n:,} = {percent(rate)}"


def interval(low: float | None, high: float | None) -> str:
    """Write the interval of a rate; without one, a dash.

    >>> interval(0.026, 0.0371).replace(NBSP, " ")
    '2.6 to 3.7 %'
    """
    if low is None or high is None:
        return NO_ANSWER
    return f"{percent(low, sign=False)} to {percent(high)}"


def ratio(value: float | None) -> str:
    """Write an index; null is a dash.

    >>> ratio(1.153)
    '1.15'
    """
    return NO_ANSWER if value is None else f"{value:.2f}"


def ratio_interval(low: float | None, high: float | None) -> str:
    """Write the interval of an index; without one, a dash."""
    return NO_ANSWER if low is None or high is None else f"{ratio(low)} to {ratio(high)}"


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["sent", "delivered", "clicked"])
    'sent, delivered and clicked'
    """
    if len(words) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def lines(sentences: Sequence[str], width: int) -> list[str]:
    """Break what stands under a title into lines that are no wider than the picture.

    No word is left alone in a last line.

    >>> lines(["Unit: message", "Grey: fewer than 30 sent. n/a: no such stage."], 170)
    ['Unit: message', 'Grey: fewer than 30 sent.', 'n/a: no such stage.']
    >>> lines(["Bars are shares of sends, and dots are days."], 200)
    ['Bars are shares of sends,', 'and dots are days.']
    >>> lines([f"1,200 messages{DOT}Unit: message{DOT}window 7 days from the send"], 220)
    ['1,200 messages · Unit: message', 'window 7 days from the send']
    """
    # A letter of the subtitle's 11.5 px is 5.7 px wide on average.
    room = max(int(width / 5.7), 20)
    return [line for text in sentences if text for line in _wrapped(text, room)]


def _wrapped(text: str, room: int) -> list[str]:
    if DOT in text and len(text) > room:  # between its parts rather than within one
        found: list[str] = []
        for part in text.split(DOT):
            if found and len(found[-1]) + len(DOT) + len(part) <= room:
                found[-1] += DOT + part
            else:
                found += _wrapped(part, room)
        return found
    # wrap() would break at a space that must not break.
    wrap = functools.partial(textwrap.wrap, text, break_long_words=False, break_on_hyphens=False)
    found = wrap(room)
    if len(found) < 2 or len(found[-1]) > _ORPHAN * room:  # noqa: PLR2004 - nothing is broken
        return found
    # A word alone in the last line: as few lines, but of about one length.
    rooms = range(len(text) // len(found), room + 1)
    # A word longer than a line leaves no narrower room to try.
    return next((lines for lines in map(wrap, rooms) if len(lines) == len(found)), found)


def _window(days: int | None) -> str:
    if days is None:
        return "no window"
    return f"window {plural(days, 'day')} from the send"


def _as_of(days: pl.Series) -> str:
    known: list[date] = sorted(days.drop_nulls().unique())
    if not known:
        return "as of: not known"
    # Groups may end on different days; the reader is told the range.
    ends = known[:1] if known[0] == known[-1] else [known[0], known[-1]]
    text = "as of " + " to ".join(day.isoformat() for day in ends)
    return text if days.null_count() == 0 else f"{text} (for some, not known)"


def settings(frame: pl.DataFrame, *, n: str = "") -> str:
    """Say n, unit, window, as_of and opens policy of a result in one line.

    Of the columns ``unit``, ``window``, ``as_of`` and ``opens`` those that the frame has are told;
    several values of one are all named. ``n`` is how many, with a noun: "1,200 messages".
    """
    parts = [n] if n else []
    if "unit" in frame.columns:
        units = frame["unit"].drop_nulls().unique(maintain_order=True)
        parts.append("Unit: " + " / ".join(units.str.replace_all("_", "-")))
    if "window" in frame.columns:
        windows = frame["window"].unique(maintain_order=True)
        parts.append(" / ".join(_window(days) for days in windows))
    if "as_of" in frame.columns:
        parts.append(_as_of(frame["as_of"]))
    if "opens" in frame.columns and "ignore" in frame["opens"]:
        parts.append("opens ignored")
    return " \N{MIDDLE DOT} ".join(parts)
