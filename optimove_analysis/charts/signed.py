"""Differences as a reader reads them: percentage points and lifts, always with their sign."""

from __future__ import annotations

from typing import Final

from optimove_analysis.charts.words import NBSP, NO_ANSWER, percent

__all__ = ["lift", "lift_interval", "points", "points_interval", "signed_ratio"]

_NOISE: Final = 1e-12
"""Less than this is what sums of parts leave in the last digits, and no difference."""
_MINUS: Final = "\N{MINUS SIGN}"
"""As wide as the plus, and never broken off at the end of a line as a hyphen is."""


def points(difference: float | None, *, unit: bool = True) -> str:
    """Write a difference of two rates in percentage points; null is a dash.

    >>> [points(value).replace(NBSP, " ") for value in (0.0121, -0.0042, 0.0)]
    ['+1.2 points', '−0.42 points', '0.0 points']
    """  # noqa: RUF002 - the sign is the minus that is shown
    if difference is None:
        return NO_ANSWER
    text = _signed(difference)
    return f"{text}{NBSP}points" if unit else text


def points_interval(low: float | None, high: float | None) -> str:
    """Write the interval of such a difference; without one, a dash.

    >>> points_interval(-0.003, 0.0287)
    '−0.30 to +2.9'
    """  # noqa: RUF002 - as above
    return NO_ANSWER if low is None or high is None else f"{_signed(low)} to {_signed(high)}"


def lift(value: float | None) -> str:
    """Write a relative lift, 0.1 for a tenth more, as a percentage; null is a dash.

    >>> lift(0.333).replace(NBSP, " "), lift(4.2).replace(NBSP, " ")
    ('+33.3 %', '+420.0 %')
    """
    return NO_ANSWER if value is None else f"{_signed(value)}{NBSP}%"


def lift_interval(low: float | None, high: float | None) -> str:
    """Write the interval of a lift; without one, a dash."""
    return NO_ANSWER if low is None or high is None else f"{_signed(low)} to {lift(high)}"


def signed_ratio(value: float | None) -> str:
    """Write a difference of two means, which are no percentages; null is a dash.

    >>> signed_ratio(0.254), signed_ratio(-0.001), signed_ratio(-1e-17)
    ('+0.25', '−<0.01', '0.00')
    """  # noqa: RUF002 - as above
    if value is None:
        return NO_ANSWER
    text = f"{abs(value):.2f}"
    if float(text) == 0 and abs(value) >= _NOISE:
        text = "<0.01"
    return f"{_sign(value)}{text}"


def _signed(value: float) -> str:
    size = abs(value) if abs(value) >= _NOISE else 0.0
    # Above 1 there is no "all" that a rounded number could be taken for.
    text = percent(size, sign=False) if size < 0.995 else f"{size * 100:.1f}"  # noqa: PLR2004
    return f"{_sign(value)}{text}"


def _sign(value: float) -> str:
    return "" if abs(value) < _NOISE else "+" if value > 0 else _MINUS
