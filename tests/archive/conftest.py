"""A sandbox of its own for each test, clients of it, and an archive that is not there yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.conftest import box, client, make_client

from optimove_analysis import Archive

__all__ = ["archive", "box", "client", "make_client"]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Return an archive in this test's folder."""
    return Archive(tmp_path / "archive", buckets=4)
