"""The key for pseudonyms that options and environment name; on a command line it could be seen."""

from __future__ import annotations

import argparse
from pathlib import Path

from optimove_analysis.client.environment import read_environment
from optimove_analysis.errors import InputError

__all__ = ["pseudonym_key"]


def pseudonym_key(options: argparse.Namespace) -> str | None:
    """Return the key; None: none is named, and ids stay as they are.

    Raises:
        InputError: the file that is named holds none.
    """
    file: Path | None = options.pseudonymise_key_file
    if file is None:
        return read_environment().get("OPTIMOVE_PSEUDONYM_KEY")
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise InputError(f"{file} holds no key: it cannot be read as text, or is blank.")
    return text
