"""How long ``import optimove_analysis`` takes, beside Python alone and beside what it stands on.

``make bench`` runs it. Each round is a process of its own, its files in the system's memory. It
loads the table of contents alone, and rooms when they are first used.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

WANTED = 0.3
"""Seconds, the start of Python included."""

CASES = {
    "Python alone": "pass",
    "import optimove_analysis": "import optimove_analysis",
    "from it import funnel": "from optimove_analysis import funnel",
    "from it import charts": "from optimove_analysis import charts",
    "import polars": "import polars",
    "import altair": "import altair",
    "import requests": "import requests",
}
_FASTEST: dict[str, float] = {}


@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize("case", CASES)
def test_import(case: str, benchmark: Any, record_property: Callable[[str, object], None]) -> None:
    command = [sys.executable, "-c", CASES[case]]
    benchmark.pedantic(
        lambda: subprocess.run(command, check=True), rounds=10, warmup_rounds=1, iterations=1
    )
    _FASTEST[case] = benchmark.stats.stats.min
    if case == "import polars":
        ours = _FASTEST["import optimove_analysis"]
        ratio = _FASTEST[case] / ours
        record_property("import polars takes, in imports of this package", f"{ratio:.1f}")
        assert ours < WANTED
