"""What a row of the table of faults is, and which rows wait for something else to be built."""

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


_ASK = "the session does not send by transport.ask yet"
_QUOTA = "the quota does not reach over processes yet"

PENDING: dict[str, str] = {
    "stall mid-body": _ASK,
    "trickle": _ASK,
    "gzip bomb": _ASK,
    "body without end": _ASK,
    "other rows": "an answer is kept before it is parsed",
    "two processes at once": _QUOTA,
    "two processes, two caches": _QUOTA,
    "SIGKILL while places are held": _QUOTA,
    "answers from the future": "the cache does not look at when an answer was kept",
    "a digit changed": "the cache keeps no checksum of an answer",
    "foreign: another's SQLite": "the cache writes into whatever database it finds",
    "foreign: pickles inside": "requests-cache drops what it cannot read without a word",
}
"""Rows that do not hold yet, by name, and why: they are skipped, and say so."""
