"""Whether counting over an archive is linear in its rows, and what memory it takes; beside DuckDB.

``python tests/benchmarks/large.py``: one, ten and a hundred million rows (half an hour, and 2 GB on
the disk), each as an `Archive`, whose files DuckDB reads too. Each is counted by two threads, in a
process of its own, whose peak memory the system tells. The ratio is that of the CPU times, ours to
DuckDB's, since other work on the machine weighs less on them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bench_funnel import FUNNEL, MIX
from benchmarks.big_world import archive

from optimove_analysis import Archive

THREADS: Final = 2

_TIMED: Final = """
import json, resource, sys, time
def timed(count):
    wall, used = time.perf_counter(), time.process_time()
    rows = count()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rows": rows, "seconds": wall, "cpu": used, "peak": peak}))
"""
_OURS: Final = (
    _TIMED
    + """
from optimove_analysis import Archive, channel_mix, funnel
call = {"funnel": funnel, "mix by customer": lambda rows: channel_mix(rows, by="customer_id")}
rows = Archive(sys.argv[1]).scan()
timed(lambda: call[sys.argv[2]](rows).collect().height)
"""
)
_DUCKDB: Final = (
    _TIMED
    + """
import duckdb
files, query, threads = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with duckdb.connect(config={"threads": threads}) as connection:
    connection.execute("SET enable_progress_bar = false")  # it goes where the answer goes
    source = f"read_parquet({files}, hive_partitioning = true)"
    timed(lambda: connection.sql(query.replace("{source}", source)).pl().height)
"""
)
_WHAT: Final = {"funnel": FUNNEL, "mix by customer": MIX}


def counted(code: str, *words: str) -> dict[str, Any]:
    """Count in a process of its own, and return what it said of itself."""
    run = [sys.executable, "-c", code, *words]
    few = {**os.environ, "POLARS_MAX_THREADS": str(THREADS)}
    said = subprocess.run(run, stdout=subprocess.PIPE, text=True, check=True, env=few)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def say(line: str) -> None:
    """Print at once: a table of some minutes is read while it grows."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Make the archives, count them, print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--millions", type=int, nargs="+", default=[1, 10, 100])
    options.add_argument("--folder", type=Path, help="where to keep the archives; default: nowhere")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        say(
            "                           ours, s / million  peak    DuckDB, s / million  peak\n"
            "what             millions    wall       CPU    GB        wall       CPU     GB   ratio"
        )
        for millions in asked.millions:
            path = folder / f"{millions}-million"
            kept = Archive(path) if path.exists() else archive(path, millions * 1_000_000)
            m = kept.info().rows / 1e6
            for what, query in _WHAT.items():
                ours = counted(_OURS, str(path), what)
                theirs = counted(_DUCKDB, json.dumps(kept.files()), query, str(THREADS))
                say(
                    f"{what:16}{m:9.1f}{ours['seconds'] / m:8.2f}{ours['cpu'] / m:10.2f}"
                    f"{ours['peak'] / 1e9:6.1f}{theirs['seconds'] / m:12.2f}"
                    f"{theirs['cpu'] / m:10.2f}{theirs['peak'] / 1e9:7.1f}"
                    f"{ours['cpu'] / theirs['cpu']:8.2f}"
                )


if __name__ == "__main__":
    main()
