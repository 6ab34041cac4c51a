"""Customer and day as one number, for ordered funnels."""

from __future__ import annotations

from typing import Final, TypeVar

import polars as pl

__all__ = ["DAY_ZERO", "FAR", "SPAN", "code_of", "first_of_customer"]

# Python's dates are 3.7 million days, and the longest window is 4 million: customers are further
# apart than the two together. 2**23 leaves room for 2**35 customers and 32 letters in an Int64.
SPAN: Final = 2**23
DAY_ZERO: Final = -719_162
"""The first day that Python has, 1 January of the year 1, in days from 1970."""
FAR: Final = -(2**40)
"""A start that is in no window."""

_Numbers = TypeVar("_Numbers", pl.Series, pl.Expr)


def code_of(time: _Numbers) -> _Numbers:
    """Return the customer's code."""
    return time // SPAN


def first_of_customer(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the first row of each customer, of rows in the order of time."""
    code = code_of(pl.col("time"))
    return rows.filter(code != code.shift(fill_value=-1))
