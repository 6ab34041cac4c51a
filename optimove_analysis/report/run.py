"""A notebook, run from top to bottom on a kernel of this very Python."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, BinaryIO, Final

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from optimove_analysis.errors import OptimoveAnalysisError

__all__ = ["OnCell", "run"]

OnCell = Callable[[int, int], None]
"""Called as each cell begins, with its number and how many there are."""
_START: Final = 120
"""Seconds that a kernel may take to start, on a machine that has other things to do."""
_FIRST: Final = "from optimove_analysis.report.kernel import set_up; set_up(); del set_up"


class _ThisPython(KernelSpecManager):
    """Knows one kernel: a "python3" that a user has installed may be of another environment."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        # Frozen modules would have the debugger, which nobody uses here, complain at the start.
        command = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher"]
        options = [f"--IPKernelApp.exec_lines={_FIRST}", "--HistoryManager.enabled=False"]
        # What a process that a cell starts, java for one, says of itself is no output of the cell.
        options.append("--IPKernelApp.capture_fd_output=False")
        return KernelSpec(
            argv=[*command, "-f", "{connection_file}", *options],
            display_name=kernel_name,
            language="python",
            env={"PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        )


def run(
    notebook: NotebookNode,
    *,
    name: str = "the notebook",
    folder: str | os.PathLike[str] = ".",
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    on_cell: OnCell | None = None,
) -> NotebookNode:
    """Return a copy of a notebook with the outputs of its cells, the same at each run.

    A chart is in its outputs as its own specification, whichever renderer the notebook enables.
    There are no times in it. The kernel reads nothing of a user's own IPython, and writes nothing
    there.

    Args:
        notebook: what to run; it is left as it is.
        name: what it is called where a cell fails.
        folder: where the kernel works.
        environment: the kernel's whole environment; None: that of this process.
        timeout: seconds that one cell may take; None: as long as it needs.
        on_cell: told of each cell as it begins.

    Raises:
        OptimoveAnalysisError: a cell failed, took too long, or the kernel died.
    """
    ran: NotebookNode = nbformat.from_dict(notebook)
    count = len(ran.cells)
    begun = 0

    def begins(cell_index: int, **_: Any) -> None:  # noqa: ANN401 - nbclient's
        nonlocal begun
        begun = cell_index
        if on_cell is not None:
            on_cell(cell_index + 1, count)

    with (
        tempfile.TemporaryDirectory(prefix="optimove-kernel-") as own,
        Path(own, "said").open("w+b") as said,  # by the kernel itself, past all cells
    ):
        client = NotebookClient(
            ran,
            km=AsyncKernelManager(
                kernel_spec_manager=_ThisPython(),
                kernel_name="python3",
                connection_file=f"{own}/kernel.json",
                # Nobody else on the machine can listen; Windows has no such sockets.
                transport="ipc" if os.name == "posix" else "tcp",
            ),
            timeout=timeout,
            startup_timeout=_START,
            record_timing=False,
            resources={"metadata": {"path": str(Path(folder))}},
            on_cell_start=begins,
        )
        known = dict(os.environ if environment is None else environment)
        # Where warnings are errors, no kernel starts on Python 3.13: ipykernel warns at its start.
        known.pop("PYTHONWARNINGS", None)
        try:
            _execute(client, env={**known, "IPYTHONDIR": own}, stdout=said, stderr=said)
        except CellExecutionError as error:
            what = f"{error.ename}: {error.evalue}".strip()
            message = f"{name}: {_place(ran, begun)} failed with {what}"
            raise OptimoveAnalysisError(message) from None
        except CellTimeoutError:
            message = f"{name}: {_place(ran, begun)} took more than {timeout:g} seconds."
            raise OptimoveAnalysisError(message) from None
        except DeadKernelError:
            place = _place(ran, begun)
            message = (
                f"{name}: the kernel died after {place} began, as it does where memory does not "
                f"suffice. The last that it said: {_last(said)}"
            )
            raise OptimoveAnalysisError(message) from None
        except RuntimeError as error:  # what jupyter_client raises where none starts
            message = f"{name}: no kernel could be started ({error}). It said: {_last(said)}"
            raise OptimoveAnalysisError(message) from None
    ran.metadata = nbformat.from_dict(notebook.metadata)
    return ran


def _execute(client: NotebookClient, **start: Any) -> None:  # noqa: ANN401 - how a process starts
    """Run all cells in a thread, and end the kernel where this one is interrupted.

    In the main thread nbclient would take the signal, close what it stands on, and fail.
    """

    def execute() -> None:
        # By asyncio, which closes the loop; nbclient's own way leaves it to whoever finds it.
        asyncio.run(client.async_execute(cleanup_kc=True, **start))

    with ThreadPoolExecutor(1, "kernel") as pool:
        running = pool.submit(execute)
        try:
            running.result()
        except KeyboardInterrupt:
            while not running.done():  # it may be about to start
                kernel = getattr(getattr(client.km, "provisioner", None), "process", None)
                if kernel is not None:
                    kernel.kill()
                wait([running], timeout=0.5)
            raise
        finally:
            # Of a kernel that did not start, nbclient would still try to end it at our own end.
            atexit.unregister(client._cleanup_kernel)  # noqa: SLF001 - it has no public name


def _last(said: BinaryIO) -> str:
    """Return the last line that a kernel wrote to its own output."""
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "nothing"


def _place(ran: NotebookNode, begun: int) -> str:
    """Say which cell was the last to be begun: its number, and its first line."""
    lines = ran.cells[begun].source.splitlines()
    first = next((line.strip() for line in lines if line.strip()), "")
    return f"cell {begun + 1} ({first[:60]!r})"
