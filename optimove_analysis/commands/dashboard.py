"""``dashboard``: the page for the investigation of a customer, served by Voila."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Final

from optimove_analysis.client.environment import read_environment
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["run"]

_INSTALL: Final = "pip install 'optimove-analysis[dashboard]'"
_NOTEBOOK: Final = "05_investigate.ipynb"


def run(options: argparse.Namespace) -> int:
    """Serve the page until it is stopped."""
    if importlib.util.find_spec("voila") is None:
        raise InputError(f"this needs the package voila: {_INSTALL}")
    here = Path(str(resources.files("optimove_analysis.commands")))
    paths = [str(here / "jupyter"), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    # The kernel works in the notebook's folder: what a .env file here says must be handed on.
    known = read_environment()
    instance = options.instance or known.get("OPTIMOVE_INSTANCE") or "sandbox"
    told = "the sandbox, an invented account" if instance == "sandbox" else instance
    print(f"One page for one customer, on {told}. Ctrl-C ends it.", flush=True)
    command = [
        *(sys.executable, "-m", "voila", str(_notebook(here)), "--template=optimove"),
        *("--Voila.ip=127.0.0.1", f"--port={options.port}", f"--theme={options.theme}"),
        # Whoever is on this machine could otherwise ask the account through the page.
        "--Voila.auto_token=True",
        *(["--no-browser"] if options.no_browser else []),
    ]
    environment = {
        **os.environ,
        **known,
        "JUPYTER_PATH": os.pathsep.join(paths),
        "OPTIMOVE_INSTANCE": instance,
    }
    ended = subprocess.run(command, env=environment, check=False)  # noqa: S603 - our own command
    if ended.returncode:
        message = f"Voila ended with status {ended.returncode}; what it said stands above."
        raise OptimoveAnalysisError(message)
    return 0


def _notebook(here: Path) -> Path:
    """Return the page's notebook: packed beside this module, or in the project it is run from."""
    for place in (here / _NOTEBOOK, here.parents[1] / "notebooks" / _NOTEBOOK):
        if place.exists():
            return place
    raise OptimoveAnalysisError(f"{_NOTEBOOK} is not there: install the package again.")
