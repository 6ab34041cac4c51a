"""What a report is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

__all__ = ["Section"]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report; all its text is plain text, whatever characters it holds.

    >>> Section("Reach", "Of 4,210 messages sent, 4,102 were delivered.").notes
    ()
    """

    title: str
    text: str
    """Paragraphs, an empty line between two."""
    chart: alt.TopLevelMixin | None = None
    """Any Altair chart; its ``description`` becomes the text for those who cannot see it."""
    table: pl.DataFrame | None = None
    """Shown with the labels and number formats of the data dictionary."""
    notes: Sequence[str] = ()
    """What a reader must know of the numbers, one sentence each."""
    narrow: alt.TopLevelMixin | None = None
    """The same chart for a screen as narrow as a phone's; without one, the chart scrolls there."""
