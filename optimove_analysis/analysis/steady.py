"""Sums of floats that are the same to the last bit, however many threads made the frame.

Floats added up in another order differ in the last digits. In which order polars has the rows of a
group depends on its threads, so that a plain ``sum()`` of fractions is another from run to run.
Whole numbers need none of this: below 2**53 their sums are exact, as floats too.
"""

from __future__ import annotations

import polars as pl

__all__ = ["steady_sum"]


def steady_sum(terms: pl.Expr) -> pl.Expr:
    """Return the sum of the terms, from the smallest to the largest.

    An aggregating expression: over a frame, in a ``group_by().agg()``, or ``.over("channel_id")``.

    >>> sums = [
    ...     pl.select(steady_sum(pl.lit(pl.Series(terms)))).item()
    ...     for terms in ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1])
    ... ]
    >>> sums[0] == sums[1], 0.1 + 0.2 + 0.3 == 0.3 + 0.2 + 0.1
    (True, False)
    """
    # Of a list: before a mere sum polars (2.1) leaves out the sort, as if any order were the same.
    # Of no terms a list's sum is -0.0, and 0.0 once 0.0 is added.
    return terms.sort().implode().list.sum() + 0.0
