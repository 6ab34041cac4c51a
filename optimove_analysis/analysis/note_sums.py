"""The sums that notes are made of, over judged messages, as `counting.tally` has them."""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["note_sums"]

_OF_ALL: Final = ("control", "unobserved", "unknown_only", "dateless", "immature", "ahead")
_OF_COUNTED: Final = ("conflicts", "off_stage", "no_through", "assumed")
_PER_MESSAGE: Final = ("n_orphans", "n_unknown", "n_undated", "n_collapsed")


def note_sums(counted: str | pl.Expr = "_counted") -> list[pl.Expr]:
    """Return what `notes.notes` reads, as aggregations of messages that `counting.judge` judged.

    ``counted`` says which messages count, where it is not those of the judge.
    """
    counts = pl.col(counted) if isinstance(counted, str) else counted
    return [
        *(pl.col(f"_{reason}").sum().cast(pl.Int64).alias(f"n_{reason}") for reason in _OF_ALL),
        *(pl.col(name).sum() for name in _PER_MESSAGE),
        *(
            (counts & pl.col(f"_{oddity}")).sum().cast(pl.Int64).alias(f"n_{oddity}")
            for oddity in _OF_COUNTED
        ),
        pl.col("unknown_event").min(),
        pl.col("_through").filter(counts).min().alias("through_first"),
        pl.col("_through").filter(counts).max().alias("through_last"),
    ]
