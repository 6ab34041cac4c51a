"""The sums that notes are made of, over judged messages, as `counting.tally` has them."""

from __future__ import annotations

import polars as pl

from optimove_analysis.analysis.judging import FATES, ODDITIES
from optimove_analysis.analysis.patterns import SUMMED

__all__ = ["note_sums"]


def note_sums(counted: str | pl.Expr = "_counted") -> list[pl.Expr]:
    """Return what `notes.notes` reads, as aggregations of messages that `judging.judge` judged.

    ``counted`` says which messages count, where it is not those of the judge.
    """
    counts = pl.col(counted) if isinstance(counted, str) else counted
    return [
        *(
            pl.col(f"_{reason}").sum().cast(pl.Int64).alias(f"n_{reason}")
            for reason in (*FATES, "ahead")
        ),
        *(pl.col(name).sum() for name in SUMMED),
        *(
            (counts & pl.col(f"_{oddity}")).sum().cast(pl.Int64).alias(f"n_{oddity}")
            for oddity in ODDITIES
        ),
        pl.col("unknown_event").min(),
        pl.col("_through").filter(counts).min().alias("through_first"),
        pl.col("_through").filter(counts).max().alias("through_last"),
    ]
