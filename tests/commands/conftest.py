"""A sandbox, the command that asks it, and a file of ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands.running import Command

from optimove_analysis.sandbox import Sandbox, sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve an account whose quota no test here comes near."""
    with sandbox(quota=100_000) as started:
        yield started


@pytest.fixture
def command(tmp_path: Path, box: Sandbox) -> Command:
    """Give the command, in an empty folder, with the sandbox for its account."""
    return Command(tmp_path, box)


@pytest.fixture
def ids(tmp_path: Path) -> list[str]:
    """Write ``ids.csv`` and give the ids that are in it."""
    some = [f"{number:06}" for number in range(1, 13)]
    (tmp_path / "ids.csv").write_text("customer_id\n" + "\n".join(some) + "\n", encoding="utf-8")
    return some
