"""A report that is made again has the same bytes, on a machine with more cores as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import optimove_analysis as oa
from optimove_analysis import analysis

TESTS = Path(__file__).parents[1]


def digests(threads: int) -> Any:
    """Return how many threads polars had, and a digest of each column and each spec."""
    places = [str(TESTS), str(Path(oa.__file__).parents[1])]
    told = {"POLARS_MAX_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(places)}
    told["PYTHONHASHSEED"] = str(threads)  # sets have another order too
    run = subprocess.run(
        [sys.executable, "-m", "charts.digests"],
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def test_every_number_and_spec_is_the_same_with_one_thread_and_with_four() -> None:
    (one, first), (four, second) = digests(1), digests(4)
    assert (one, four) == (1, 4)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    # Who adds a function shows here that it is the same too. A step is a condition and no result,
    # and the counts of ordered_funnel are the table of its chart.
    told, others = " ".join(first), {"Dossier", "step", "ordered_funnel_counts"}
    assert [name for name in analysis.__all__ if name not in told and name not in others] == []
