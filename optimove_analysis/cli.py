"""The command line: with the notebooks, the only place where all rooms meet.

`commands.parser` says what it understands, and each module of `commands` does one of its commands.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence

from optimove_analysis.commands.parser import parser
from optimove_analysis.commands.words import UsageError
from optimove_analysis.errors import OptimoveAnalysisError

__all__ = ["main"]

_PROGRAM = "optimove-analysis"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status.

    0 fine, 1 an error of ours, 2 wrong usage, 3 finished but some customers failed, 130
    interrupted.
    """
    options = parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show  # type: ignore[assignment] # the rest goes into `_`
            # Only the command that is asked for is imported: --help is answered at once.
            command = importlib.import_module(f"optimove_analysis.commands.{options.run}")
            _let_ctrl_c_through()
            status = int(command.run(options) or 0)
            sys.stdout.flush()
    except UsageError as error:
        _say(str(error))
        return 2
    except OptimoveAnalysisError as error:
        _say(str(error))
        return 1
    except BrokenPipeError:
        # Whoever read our output has read enough; Python would complain at its end once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as stopped:
        print(file=sys.stderr)
        _say(f"interrupted. {stopped}")
        return 130
    else:
        return status


def _let_ctrl_c_through() -> None:
    """Have Ctrl-C end the wait for an answer that is typed.

    polars, imported, has the system take up such a wait again (SA_RESTART, seen in 2.1): Ctrl-C
    then does nothing until Enter is pressed.
    """
    if hasattr(signal, "siginterrupt"):  # not on Windows, which needs none
        signal.siginterrupt(signal.SIGINT, True)


def _show(message: Warning | str, *_: object) -> None:
    """Say a warning in one line, without the line of code that it came from."""
    _say(f"warning: {message}")


def _say(text: str) -> None:
    print(f"{_PROGRAM}: {' '.join(text.split())}", file=sys.stderr)
