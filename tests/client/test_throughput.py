"""200 customers under the real quota, in real time: about 42 s each, side by side with xdist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.quota_throughput import Measured, measure

from optimove_analysis.schema import INTERACTIONS

CUSTOMERS = 200


def check(measured: Measured, record_property: Callable[[str, object], None]) -> None:
    record_property("seconds", round(measured.seconds, 2))
    record_property("ratio of the ideal", round(measured.ratio, 3))
    print(measured)  # noqa: T201 - shown by pytest -s, and where the test fails
    assert measured.too_many == 0
    assert measured.answered == CUSTOMERS
    assert measured.interactions.schema == INTERACTIONS.schema
    assert set(measured.interactions["customer_id"]) <= set(measured.ids)
    assert measured.interactions["customer_id"].n_unique() > CUSTOMERS / 2


def test_two_hundred_customers_on_uneven_ways_are_fetched_without_one_429(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    check(measure(tmp_path, delayed=True), record_property)


def test_two_processes_with_one_key_fetch_as_many_between_them_without_one_429(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    measured = measure(tmp_path, delayed=True, processes=2, customers=CUSTOMERS // 2)
    check(measured, record_property)
    assert all(sum(share) == CUSTOMERS // 2 for share in measured.shares)
