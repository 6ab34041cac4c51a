"""A warm audience is the same, read in bulk or answer by answer; how fast is the benchmark's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.warm_audience import measure


def test_kept_answers_read_in_bulk_are_those_that_a_users_own_loop_reads(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    measured = measure(tmp_path, 400, runs=1, loops=1)
    record_property("ratio", measured.ratio)
    assert measured.customers == 400
    assert measured.rows > 400
