"""A notebook run from top to bottom, with nothing of the user's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from nbformat import NotebookNode

from optimove_analysis.report.run import run

__all__ = ["execute"]

_SECONDS: Final = 300
"""A cell that takes longer hangs."""
_CODE: Final = Path(__file__).parents[2]
"""The cells import this very code, be another copy of it installed."""


def execute(notebook: NotebookNode, path: Path) -> NotebookNode:
    """Return a notebook as its cells, run in its folder, give it.

    The sandbox is the account, whatever the environment says, and the cache begins empty: what is
    kept does not hang on who ran it.

    Raises:
        OptimoveAnalysisError: a cell raised; the error names it.
    """
    theirs = ("OPTIMOVE_", "POLARS_", "JUPYTER_", "IPYTHON")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(theirs)}
    with tempfile.TemporaryDirectory(prefix="optimove-notebook-") as own:
        environment = {
            **kept,
            "OPTIMOVE_INSTANCE": "sandbox",
            "OPTIMOVE_CACHE": f"{own}/cache",
            "PYTHONPATH": os.pathsep.join([str(_CODE), *filter(None, [kept.get("PYTHONPATH")])]),
        }
        return run(
            notebook,
            name=path.name,
            folder=path.parent,
            environment=environment,
            timeout=_SECONDS,
        )
