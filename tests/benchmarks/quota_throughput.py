"""How near to its quota the client comes, and whether the server ever says "too many".

Run it: ``python tests/benchmarks/quota_throughput.py``. It fetches 200 customers, none of them
cached, from a sandbox that answers at once, and from one that delays requests unevenly on their
way in (the first by 150 ms, the others by 20 ms and a random 0 to 60 ms). With 50 requests in any
10 s, the last of 200 cannot be sent before (200 - 50) / 5 = 30 s. About 85 s in all.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import sandbox

CUSTOMERS = 200
IDEAL_SECONDS = (CUSTOMERS - 50) / 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One fetch, as the client saw it and as the sandbox counted it."""

    seconds: float
    too_many: int
    """Answers 429."""
    answered: int
    """Answers 200 with interactions."""
    ids: list[str]
    interactions: pl.DataFrame

    @property
    def ratio(self) -> float:
        """Seconds to ideal seconds."""
        return self.seconds / IDEAL_SECONDS

    def __str__(self) -> str:
        return (
            f"{self.seconds:.2f} s for {len(self.ids)} customers, ideal {IDEAL_SECONDS:.0f} s, "
            f"ratio {self.ratio:.3f}; {self.too_many} answers 429"
        )


class Uneven:
    """Delays on the way in, from when they are switched on."""

    def __init__(self) -> None:
        self.on = False
        self._chance = random.Random(20181019)  # noqa: S311 - delays, not secrets
        self._first = True

    def __call__(self) -> float:
        """Return the next request's delay in seconds."""
        if not self.on:
            return 0.0
        if self._first:
            self._first = False
            return 0.150
        return 0.020 + self._chance.uniform(0.0, 0.060)


def measure(cache_dir: Path, *, delayed: bool, progress: bool = False) -> Measured:
    """Fetch the customers once."""
    uneven = Uneven()
    with sandbox(delays=uneven) as box:
        ids = box.world.customer_ids(CUSTOMERS)
        with OptimoveClient(box.url, box.api_key, cache_dir=cache_dir) as client:
            # The last data update is one request more, and 201 take 40 s whatever the client does.
            # It is kept for ten minutes: asked a window before, it costs the 200 nothing.
            client.last_update()
            time.sleep(client.quota.per + 0.1)
            uneven.on = delayed
            start = time.perf_counter()
            frame = client.interactions(ids, "2025-11-01", "2025-12-31", progress=progress)
            seconds = time.perf_counter() - start
        function = "GetCustomerChannelInteractions"
        return Measured(seconds, box.count(429), box.count(200, function), ids, frame)


def main() -> None:
    """Print both measurements."""
    for delayed in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(Path(folder), delayed=delayed, progress=True)
        how = "delayed unevenly" if delayed else "at once"
        sys.stdout.write(f"answers {how}: {measured}\n")


if __name__ == "__main__":
    main()
