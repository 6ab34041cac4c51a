"""What becomes of customers whose answers cannot be had: an end, or a table and a status."""

from __future__ import annotations

import argparse
from typing import Final, Literal, TypeAlias

import polars as pl

from optimove_analysis.commands.output import check_output, write_frame
from optimove_analysis.commands.words import UsageError

__all__ = ["SOME_FAILED", "OnError", "on_error_of", "write_failures"]

OnError: TypeAlias = Literal["raise", "collect"]

SOME_FAILED: Final = 3
"""The exit status of what finished for the others."""


def on_error_of(options: argparse.Namespace) -> OnError:
    """Return what the options of a command that asks say; before anything is sent.

    Raises:
        UsageError: they contradict each other.
        InputError: the table of failures cannot be written where it is to go.
    """
    if options.failures is not None and options.on_error == "raise":
        raise UsageError("--failures is for --on-error collect: with raise there is no table.")
    if options.refresh and options.offline:
        raise UsageError("--refresh asks the API, and --offline asks nobody; give one of them.")
    if options.failures is None:
        return "collect" if options.on_error == "collect" else "raise"
    check_output(options.failures)
    return "collect"


def write_failures(failures: pl.DataFrame, options: argparse.Namespace) -> None:
    """Write the table that was asked for.

    Also where none failed: a table of an earlier run would be taken for this one's.
    """
    if options.failures is not None:
        write_frame(failures, options.failures)
