"""The servers of the tests in a browser: one JupyterLab and one Voila for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.notebooks import LAB, PAGES
from browser.serving import jupyterlab, voila


@pytest.fixture(scope="session")
def lab(
    chromium: Path,  # noqa: ARG001 - without it nobody would look
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Give the address of a JupyterLab that has the notebooks `LAB`."""
    with jupyterlab(tmp_path_factory.mktemp("lab"), LAB) as url:
        yield url


@pytest.fixture(scope="session")
def pages(
    chromium: Path,  # noqa: ARG001 - as above
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Give the address under which Voila serves the notebooks `PAGES`, each under its name."""
    with voila(tmp_path_factory.mktemp("voila"), PAGES) as url:
        yield url


@pytest.fixture(scope="module")
def hosts() -> set[str]:
    """Hold the hosts that a page has asked, but this machine."""
    return set()
