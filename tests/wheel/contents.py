"""Builds what is released, and says what should be in it."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import Final

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

__all__ = ["ROOT", "build_sdist", "build_wheel", "names_in", "wanted", "wrong"]

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = "optimove_analysis"
LEFT_OUT: Final = {"__pycache__", ".ipynb_checkpoints"}
FROM_ELSEWHERE: Final = {f"{PACKAGE}/commands/05_investigate.ipynb"}
"""The page that ``optimove-analysis dashboard`` serves is a notebook of the checkout."""


def build_wheel(folder: Path, root: Path = ROOT) -> Path:
    """Build the wheel, in this process and with no network."""
    return Path(*WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"]))


def build_sdist(folder: Path) -> Path:
    """Build the source archive."""
    return Path(*SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))


def names_in(archive: Path) -> set[str]:
    """Return the files in a wheel, or in a source archive without its top folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return set(wheel.namelist())
    with tarfile.open(archive) as sdist:
        return {name.partition("/")[2] for name in sdist.getnames()}


def wanted() -> set[str]:
    """Return the files of the package: its modules, and all that these read."""
    there = {path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*") if path.is_file()}
    return {path.as_posix() for path in there if not LEFT_OUT & {*path.parts}} | FROM_ELSEWHERE


def wrong(wheel: Path) -> list[str]:
    """Return what is missing in a wheel and what should not be in it, with + and -."""
    names = {name for name in names_in(wheel) if ".dist-info/" not in name}
    return sorted([f"- {it}" for it in wanted() - names] + [f"+ {it}" for it in names - wanted()])
