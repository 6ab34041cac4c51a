"""What a form asks of what it is given: the client fulfils it, and so may a file or a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Protocol

import polars as pl

from optimove_analysis.catalogue import Catalogue

__all__ = ["Source"]


class Source(Protocol):
    """Where a form's data comes from."""

    def interactions(
        self,
        customer_ids: list[str],
        start: dt.date,
        end: dt.date,
        *,
        progress: Callable[[Any], None] | None = None,
    ) -> pl.DataFrame:
        """Return the customers' interactions; ``progress`` is called with what reads as a line."""

    def catalogue(self) -> Catalogue:
        """Return what channel and event ids mean."""

    def last_update(self) -> dt.date:
        """Return the day through which the data is complete."""
