"""How near to its quota the client comes, and whether the server ever says "too many".

Run it: ``python tests/benchmarks/quota_throughput.py`` fetches 200 customers, none of them cached,
from a sandbox that answers at once, and from one that delays requests unevenly on their way in
(the first by 150 ms, the others by 20 ms and a random 0 to 60 ms). With 50 requests in any 10 s,
the last of n cannot be sent before (n - 50) / 5 s: 30 s for 200. About 85 s in all.

``--processes 2`` has two processes fetch at once, with one key, a cache each, and 300 customers
each: 110 s for the 600. About 4 minutes in all. ``--customers`` says how many a process fetches.

Each line says seconds, the ideal, ideal to seconds (wanted: 0.97 or more), how many answers 429
the sandbox gave (wanted: 0), and what each process got in each window of 10 s while all wanted
more (wanted: the same).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox, sandbox

START, END = "2025-11-01", "2025-12-31"
WINDOW = 10.0
LIMIT = 50


@dataclass(frozen=True, slots=True)
class Measured:
    """One fetch by one process or several, as they saw it and as the sandbox counted it."""

    seconds: float
    too_many: int
    """Answers 429."""
    answered: int
    """Answers 200 with interactions."""
    ids: list[str]
    shares: list[list[int]]
    """For each process, the answers it got in each window."""
    interactions: pl.DataFrame

    @property
    def ideal(self) -> float:
        """Seconds before which the last request cannot be sent."""
        return (len(self.ids) - LIMIT) * WINDOW / LIMIT

    @property
    def ratio(self) -> float:
        """Ideal seconds to seconds."""
        return self.ideal / self.seconds

    def __str__(self) -> str:
        shares = "; ".join(" ".join(map(str, share)) for share in self.shares)
        return (
            f"{self.seconds:.2f} s for {len(self.ids)} customers, ideal {self.ideal:.0f} s, "
            f"ratio {self.ratio:.3f}; {self.too_many} answers 429; answers in each window of "
            f"{WINDOW:.0f} s, by process: {shares}"
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


class Fetcher:
    """A process that fetches some customers when it is told to."""

    def __init__(self, box: Sandbox, folder: Path, ids: list[str]) -> None:
        folder.mkdir()
        self._folder = folder
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--fetch", box.url, folder, *ids],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(root),
                "OPTIMOVE_API_KEY": box.api_key,
                "OPTIMOVE_STATE": str(folder.parent / "state"),
            },
        )

    def hears(self, wanted: str) -> None:
        """Wait until the process says something; raise if it ends, or says something else."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != wanted:
            raise RuntimeError(f"a fetching process said {said!r}, not {wanted!r}")

    def go(self) -> None:
        """Tell it to fetch."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def result(self) -> tuple[pl.DataFrame, list[float]]:
        """Return what it got, and when its answers came."""
        times = json.loads((self._folder / "times.json").read_text())
        return pl.read_parquet(self._folder / "interactions.parquet"), times

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def fetch(url: str, folder: Path, ids: list[str]) -> None:
    """Be the process: get ready, fetch when told to, leave the results in the folder."""
    times: list[float] = []
    key = os.environ["OPTIMOVE_API_KEY"]
    with OptimoveClient(url, key, cache_dir=folder / "cache") as client:
        # The last data update is one request more, and 201 take 40 s whatever the client does.
        # It is kept for ten minutes: asked a window before, it costs the 200 nothing.
        client.last_update()
        _say("ready")
        sys.stdin.readline()
        frame = client.interactions(
            ids,
            START,
            END,
            # It is also called between answers.
            progress=lambda seen: times.extend([time.monotonic()] * (seen.fetched - len(times))),
        )
        _say("done")
    frame.write_parquet(folder / "interactions.parquet")
    (folder / "times.json").write_text(json.dumps(times))
    _say("written")


def measure(folder: Path, *, delayed: bool, processes: int = 1, customers: int = 200) -> Measured:
    """Let so many processes fetch so many customers each, all at once."""
    uneven, fetchers = Uneven(), list[Fetcher]()
    with sandbox(delays=uneven) as box:
        ids = box.world.customer_ids(customers * processes)
        try:
            for number in range(processes):
                part = ids[number * customers : (number + 1) * customers]
                fetchers.append(Fetcher(box, folder / f"process {number}", part))
            for fetcher in fetchers:
                fetcher.hears("ready")
            time.sleep(WINDOW + 0.1)
            uneven.on = delayed
            start = time.monotonic()
            for fetcher in fetchers:
                fetcher.go()
            for fetcher in fetchers:
                fetcher.hears("done")
            seconds = time.monotonic() - start
            for fetcher in fetchers:
                fetcher.hears("written")
        finally:
            for fetcher in fetchers:
                fetcher.stop()
        results = [fetcher.result() for fetcher in fetchers]
        shares = [[0] * (int(seconds / WINDOW) + 1) for _ in results]
        for share, (_, times) in zip(shares, results, strict=True):
            for at in times:
                share[int((at - start) / WINDOW)] += 1
        answered = box.count(200, "GetCustomerChannelInteractions")
        frame = pl.concat([frame for frame, _ in results])
        return Measured(seconds, box.count(429), answered, ids, shares, frame)


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Print both measurements."""
    if sys.argv[1:2] == ["--fetch"]:
        fetch(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--processes", type=int, default=1, help="how many fetch at once")
    parser.add_argument("--customers", type=int, help="how many each fetches")
    options = parser.parse_args()
    customers = options.customers or (200 if options.processes == 1 else 300)
    for delayed in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(
                Path(folder), delayed=delayed, processes=options.processes, customers=customers
            )
        how = "delayed unevenly" if delayed else "at once"
        _say(f"{options.processes} process(es), answers {how}: {measured}")


if __name__ == "__main__":
    main()
