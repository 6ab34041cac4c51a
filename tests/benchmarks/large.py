"""Whether the funnel's time is linear in the rows, and what memory it takes, from Parquet.

``python tests/benchmarks/large.py``: one, ten and a hundred million rows (some minutes, and 2 GB on
the disk). Each is counted in a process of its own, whose peak memory the system tells.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.big_world import write

_COUNT = """
import json, resource, sys, time
import polars as pl
from optimove_analysis import channel_mix, funnel
call = {"funnel": funnel, "mix by customer": lambda rows: channel_mix(rows, by="customer_id")}
rows = pl.scan_parquet(sys.argv[1])
wall, used = time.perf_counter(), time.process_time()
found = call[sys.argv[2]](rows).collect()
wall, used = time.perf_counter() - wall, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
rows = rows.select(pl.len()).collect().item()
print(json.dumps({"rows": rows, "seconds": wall, "cpu": used, "peak": peak}))
"""


def say(line: str) -> None:
    """Print at once: a table of some minutes is read while it grows."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Write the files, count them, print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--millions", type=int, nargs="+", default=[1, 10, 100])
    options.add_argument("--folder", type=Path, help="where to keep the files; default: nowhere")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        say("what              million rows  s/million  CPU s/million  peak GB")
        for millions in asked.millions:
            file = folder / f"{millions}.parquet"
            if not file.exists():
                write(file, millions * 1_000_000)
            for what in ("funnel", "mix by customer"):
                run = [sys.executable, "-c", _COUNT, str(file), what]
                said = subprocess.run(run, capture_output=True, text=True, check=True)
                found = json.loads(said.stdout)
                m = found["rows"] / 1e6
                say(
                    f"{what:18}{m:12.1f}{found['seconds'] / m:11.2f}{found['cpu'] / m:15.2f}"
                    f"{found['peak'] / 1e9:9.1f}"
                )


if __name__ == "__main__":
    main()
