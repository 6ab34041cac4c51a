"""A frame into a file, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from optimove_analysis.errors import InputError, OptimoveAnalysisError, suggest

__all__ = ["check_folder", "check_output", "write_frame"]

_WRITERS: Final[dict[str, Callable[[pl.DataFrame, BinaryIO], object]]] = {
    ".parquet": lambda frame, file: frame.write_parquet(file, compression="zstd"),
    ".csv": lambda frame, file: frame.write_csv(file),
    ".ndjson": lambda frame, file: frame.write_ndjson(file),
    ".jsonl": lambda frame, file: frame.write_ndjson(file),
    ".arrow": lambda frame, file: frame.write_ipc(file),
    ".ipc": lambda frame, file: frame.write_ipc(file),
}


def check_output(path: Path) -> None:
    """Raise if a frame cannot be written there: better now than after an hour of fetching.

    Raises:
        InputError: the name's ending is no format, or the place is no file or cannot be written.
    """
    if path.suffix.lower() not in _WRITERS:
        seen = path.suffix or path.name
        raise InputError(f"{path}: {seen!r} names no format; {suggest(seen, _WRITERS)}")
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raise if no file can be put there.

    Raises:
        InputError: the folder is not there or cannot be written to, or the place is no file.
    """
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"{path}: there is no folder {folder}; make it first.")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: the folder {folder.absolute()} cannot be written to.")


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame in the format that the name's ending says, in the place of an older file.

    It is written beside, to disk, and then moved into place: nobody ever sees half of it.

    Raises:
        OptimoveAnalysisError: it cannot be written; an older file is as it was.
    """
    place = Path(os.path.realpath(path))  # of a link, the file that it leads to
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            _WRITERS[place.suffix.lower()](frame, file)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            shutil.copymode(place, part)
        part.replace(place)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OptimoveAnalysisError(
            f"{path} cannot be written: {getattr(error, 'strerror', None) or error}. What was "
            "fetched is kept: the same command writes it without fetching again."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
