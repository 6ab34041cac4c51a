"""Columns that several results have: what a number rests on is called the same everywhere."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.known import SMALL_N
from optimove_analysis.schema.rows import COUNT, DAY, TEXT
from optimove_analysis.schema.table import Column

__all__ = [
    "AS_OF",
    "CHANNEL",
    "CUSTOMERS",
    "IMPLIED",
    "NOTES",
    "NO_STAGE",
    "N_IMMATURE",
    "N_UNOBSERVED",
    "OPENS",
    "RATE",
    "SMALL",
    "UNIT",
    "WINDOW",
]

RATE: Final = pl.Float64()
NO_STAGE: Final = "the channel lacks the stage"

CHANNEL: Final = Column(
    "channel",
    TEXT,
    "Channel",
    "The channel's name, by the catalogue.",
    "the row is a total over channels",
)
N_IMMATURE: Final = Column(
    "n_immature",
    COUNT,
    "Immature",
    "Messages of the group whose window had not closed by as_of; in no count and no rate.",
)
N_UNOBSERVED: Final = Column(
    "n_unobserved",
    COUNT,
    "Send not observed",
    "Messages of the group without a sent row, left out unless assume_sent.",
)
CUSTOMERS: Final = Column(
    "customers",
    COUNT,
    "Customers",
    "Distinct customers among the counted messages: the clusters of the interval.",
)
SMALL: Final = Column(
    "small",
    pl.Boolean(),
    "Small",
    f"Fewer than {SMALL_N} messages were sent: read the interval, not the rate.",
)
UNIT: Final = Column(
    "unit",
    TEXT,
    "Unit",
    "What is counted: message; in a funnel also customer, customer_day or campaign.",
)
WINDOW: Final = Column(
    "window",
    pl.Int32(),
    "Window",
    "Calendar days from the send, inclusive, in which an event counts.",
    "all events count, however late",
)
AS_OF: Final = Column(
    "as_of",
    DAY,
    "As of",
    "The day through which the data is complete; the latest of the group's messages.",
    "not known: all messages count as mature",
)
OPENS: Final = Column(
    "opens", TEXT, "Opens", "trust or ignore: privacy proxies open mail by machine."
)
NOTES: Final = Column(
    "notes",
    pl.List(pl.String()),
    "Notes",
    "What a reader must know of the row's numbers, in plain sentences.",
)
IMPLIED: Final = Column(
    "implied",
    TEXT,
    "Implied stages",
    "lower (a later stage implies the earlier ones) or none.",
)
