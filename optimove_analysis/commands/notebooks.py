"""``notebooks``: runs notebooks and writes what they show into them, or checks that it is fresh."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat

from optimove_analysis.commands import notebook_outputs as outputs
from optimove_analysis.commands.notebook_kernel import execute

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Run each notebook once; 1 if one of them is stale, with ``--check``."""
    stale = [path for path in options.paths if _is_stale(path, check=options.check)]
    if stale and options.check:
        told = ", ".join(map(str, stale))
        print(f"What is kept in {told} is not what its cells give: make notebooks", file=sys.stderr)
        return 1
    return 0


def _is_stale(path: Path, *, check: bool) -> bool:
    kept = nbformat.read(path, as_version=4)
    made = outputs.without_still(execute(outputs.with_still(kept), path))
    found = list(outputs.differences(made, kept))
    if check:
        for one in found:
            print(f"{path}, {one}", file=sys.stderr)
    elif found:
        outputs.keep(made, kept)
        nbformat.write(kept, path)
    print(f"{path}: {'fresh' if not found else 'stale' if check else 'written'}", flush=True)
    return bool(found)
