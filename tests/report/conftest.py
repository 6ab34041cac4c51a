"""A study: the answers for some customers, in a snapshot, as a report rests on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import sandbox

IDS = [f"{number:06}" for number in range(1, 25)]
START, END = "2025-01-01", "2025-10-31"


@pytest.fixture(scope="session")
def study(once: Callable[..., Path]) -> Path:
    """Return a snapshot of 24 customers."""
    return once("study", _fetch) / "study.oma"


def _fetch(folder: Path) -> None:
    with (
        sandbox(quota=100_000) as box,
        OptimoveClient(
            box.url, box.api_key, quota=(10_000, 1.0), cache_dir=folder / "cache"
        ) as client,
    ):
        client.interactions(IDS, START, END)
        client.catalogue()
        client.last_update()
        client.snapshot(folder / "study.oma", note="of a test")
