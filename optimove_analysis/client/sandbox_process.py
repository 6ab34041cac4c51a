"""The sandbox as a process of its own: the client's room does not import the sandbox's.

The process is told to end when its standard input closes, so that a kernel that is killed leaves
none behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

from optimove_analysis.errors import ConnectionFailedError, InputError

__all__ = ["SandboxProcess"]

_OPTIONS: Final = ("seed", "customers", "engagement_metrics")
_PATIENCE: Final = 60.0
"""Seconds for the sandbox to start."""


class SandboxProcess:
    """A running sandbox; ``url`` and ``api_key`` are for its client.

    Args:
        options: ``seed``, ``customers``, ``engagement_metrics``, as the command line has them.

    Raises:
        InputError: an option that the sandbox does not have.
        ConnectionFailedError: it did not start; its own words are in the message.
    """

    def __init__(self, **options: object) -> None:
        command = [sys.executable, "-m", "optimove_analysis", "sandbox", "--port", "0", "--json"]
        command.append("--until-stdin-closes")
        for name, value in options.items():
            if name not in _OPTIONS:
                raise InputError.option("sandbox option", name, _OPTIONS)
            if value is True:
                command.append(f"--{name.replace('_', '-')}")
            elif value is not False and value is not None:
                command += [f"--{name.replace('_', '-')}", str(value)]
        self._said = ""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module; no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=_environment(),
                # Ctrl-C in a terminal or notebook is for the user's call, not for the sandbox.
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise ConnectionFailedError(f"the sandbox did not start: {error}") from error
        line = b""
        try:
            line = self._first_line()
            said = json.loads(line)
            self.url, self.api_key = str(said["url"]), str(said["api_key"])
        except BaseException as error:  # Ctrl-C while it starts leaves none behind either
            self._process.kill()
            self.stop()
            if not isinstance(error, ValueError | KeyError | TypeError):
                raise
            raise ConnectionFailedError(
                f"the sandbox did not start; {' '.join(command)} said: {self._said or line!r}"
            ) from error

    def stop(self) -> None:
        """End the sandbox; again is no error."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if not self._errors.closed:
            self._errors.seek(0)
            self._said = self._errors.read().decode("utf-8", "replace").strip()[-2000:]
            self._errors.close()

    def _first_line(self) -> bytes:
        """Return the sandbox's first line; what hangs is ended, which closes its output."""
        too_late = threading.Timer(_PATIENCE, self._process.kill)
        too_late.daemon = True
        too_late.start()
        try:
            return self._process.stdout.readline() if self._process.stdout else b""
        finally:
            too_late.cancel()


def _environment() -> dict[str, str]:
    """Return an environment in which a child finds this very package, and no real account."""
    here = str(Path(__file__).resolve().parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    others = {name: it for name, it in os.environ.items() if not name.startswith("OPTIMOVE_")}
    return {**others, "PYTHONPATH": os.pathsep.join(paths)}
