"""Where a report goes: a place that can be written, and in the place of nothing it is made of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from optimove_analysis.errors import InputError

__all__ = ["check_places"]


def check_places(outputs: Sequence[Path], inputs: Iterable[Path]) -> None:
    """Raise if a file cannot be put there, before minutes of work.

    Raises:
        InputError: a place is a folder, is one of the inputs, or lies in no folder that can be
            written to or made.
    """
    sources = [path for path in inputs if path.exists()]
    for place in outputs:
        if place.is_dir():
            message = f"{place} is a folder: give the name of a file, as {place / 'report.html'}."
            raise InputError(message)
        if place.exists() and any(place.samefile(source) for source in sources):
            message = (
                f"{place} is what the report is made of, and would be lost: give the report "
                "another name."
            )
            raise InputError(message)
        folder = next(folder for folder in place.absolute().parents if folder.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            message = f"{place} cannot be written: {folder} is no folder that takes files."
            raise InputError(message)
