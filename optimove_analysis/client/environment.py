"""What the environment and a ``.env`` file say: settings, and where each of them comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import platformdirs

from optimove_analysis.errors import InputError

__all__ = ["cache_folder", "read_environment", "sources", "state_folder"]

_PREFIX = "OPTIMOVE_"


class _Setting(NamedTuple):
    value: str
    source: str


def read_environment(folder: Path | None = None) -> Mapping[str, str]:
    """Return the ``OPTIMOVE_*`` settings of the environment and of a ``.env`` file.

    The file holds lines ``KEY=value``; blank lines and ``#`` comments are skipped, quotes around
    a value are taken off. The environment wins over the file.

    Args:
        folder: where ``.env`` is looked for; the working folder by default.

    Raises:
        InputError: the file is no text.
    """
    return {name: setting.value for name, setting in _read(folder).items()}


def sources(folder: Path | None = None) -> Mapping[str, str]:
    """Return where each setting of `read_environment` comes from, in words; no value is in it.

    Raises:
        InputError: the ``.env`` file is no text.
    """
    return {name: setting.source for name, setting in _read(folder).items()}


def cache_folder(given: str | Path | None = None) -> Path:
    """Return where answers are kept: as given, else ``OPTIMOVE_CACHE``, else the user's folder."""
    # Where answers may lie is a matter of the machine, not of how a client is made.
    named = given or read_environment().get("OPTIMOVE_CACHE")
    return Path(named or platformdirs.user_cache_path("optimove-analysis")).expanduser()


def state_folder() -> Path:
    """Return where processes tell each other what they send: ``OPTIMOVE_STATE``, or the user's."""
    # Not beneath the cache: notebooks with a cache each share one key and its quota.
    named = read_environment().get("OPTIMOVE_STATE")
    return Path(named or platformdirs.user_state_path("optimove-analysis")).expanduser()


def _read(folder: Path | None) -> dict[str, _Setting]:
    found: dict[str, _Setting] = {}
    dotenv = (folder or Path.cwd()) / ".env"
    if dotenv.is_file():
        try:
            text = dotenv.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            text = None  # raised below: the error would take all the bytes with it
        if text is None:
            raise InputError(f"{dotenv} is not text in UTF-8; save it as such.")
        for line in text.splitlines():
            name, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and not name.startswith("#"):
                found[name.strip()] = _Setting(_unquoted(value.strip()), "the .env file")
    found.update({name: _Setting(text, "the environment") for name, text in os.environ.items()})
    return {
        name: setting
        for name, setting in found.items()
        if name.startswith(_PREFIX) and setting.value
    }


def _unquoted(value: str) -> str:
    if value[:1] in {'"', "'"} and value.find(value[0], 1) > 0:
        return value[1 : value.find(value[0], 1)]
    return value.split(" #", 1)[0].rstrip()
