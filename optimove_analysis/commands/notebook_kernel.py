"""A notebook run from top to bottom, by this very Python, with nothing of the user's own."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

__all__ = ["execute"]

_SECONDS: Final = 300
"""A cell that takes longer hangs."""
_CODE: Final = Path(__file__).parents[2]
"""The cells import this very code, be another copy of it installed."""


class _ThisPython(KernelSpecManager):
    """What a user has installed as "python3" may be another environment's."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        # It warns that this machine's other users might listen; the account is an invented one.
        start.append("--log-level=ERROR")
        return KernelSpec(argv=start, display_name=kernel_name, language="python")


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in ``folder``; their outputs are then in the notebook.

    The sandbox is the account, whatever the environment says, and the cache begins empty: what is
    kept does not hang on who ran it.

    Raises:
        CellExecutionError: a cell raised; the error has its traceback.
    """
    theirs = ("OPTIMOVE_", "POLARS_", "JUPYTER_", "IPYTHON")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(theirs)}
    with tempfile.TemporaryDirectory(prefix="optimove-notebook-") as own:
        environment = {
            **kept,
            "OPTIMOVE_INSTANCE": "sandbox",
            "OPTIMOVE_CACHE": f"{own}/cache",
            "PYTHONPATH": os.pathsep.join([str(_CODE), *filter(None, [kept.get("PYTHONPATH")])]),
            "IPYTHONDIR": f"{own}/ipython",  # no start-up files, and no history written
        }
        kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisPython())
        client = NotebookClient(notebook, km=kernel, timeout=_SECONDS, store_widget_state=False)
        client.execute(cwd=str(folder), env=environment, cleanup_kc=True)
