"""What a row of the table of faults is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

FULL: Final = os.environ.get("OPTIMOVE_FAULTS") == "full"
"""Whether all is done, as `make faults` asks, or the short form of it, as `make test` does."""

IDS: Final = 6
"""So many customers are asked for where the number does not matter."""
YEAR: Final = ("2025-01-01", "2025-12-31")
FUNCTION: Final = "GetCustomerChannelInteractions"
PATIENCE: Final = 120.0
"""Seconds after which a call that has not come back hangs. Nothing here should take a tenth."""

LONG: Final = "in the full form only: make faults"


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what it is called, what is done to the client, and what must hold then."""

    name: str
    done: str
    holds: str
