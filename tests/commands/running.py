"""The real command, as a process of its own, against a real sandbox over loopback."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from optimove_analysis.cli import main
from optimove_analysis.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "optimove_analysis"]
RANGE = ("--from", "2025-01-01", "--to", "2025-10-31")


class Command:
    """Runs the command in a folder of its own; nothing it says may hold the key."""

    def __init__(self, folder: Path, box: Sandbox) -> None:
        self.folder, self.box = folder, box
        self.environment = {
            **{name: it for name, it in os.environ.items() if not name.startswith("OPTIMOVE_")},
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            # A developer's own keyring is none of the tests' business.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "OPTIMOVE_INSTANCE": box.url,
            "OPTIMOVE_API_KEY": box.api_key,
            "OPTIMOVE_CACHE": str(folder / "cache"),
            "OPTIMOVE_STATE": str(folder / "state"),
        }

    def __call__(
        self, *arguments: object, given: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; an environment variable that is given as "" is not set."""
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self._environment(environment),
            input="" if given is None else given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return self._checked(done)

    def inside(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Do the same in this process, which is quicker: a new one imports polars first."""
        out, err, before, stdin = io.StringIO(), io.StringIO(), dict(os.environ), sys.stdin
        os.environ.clear()
        os.environ.update(self._environment(environment))
        sys.stdin = io.StringIO()
        try:
            with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
                status = main([*map(str, arguments)])
        finally:
            sys.stdin = stdin
            os.environ.clear()
            os.environ.update(before)
        done = subprocess.CompletedProcess((), status, out.getvalue(), err.getvalue())
        return self._checked(done)

    def _checked(self, done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
        assert self.box.api_key not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """Start it."""
        pipe = subprocess.PIPE
        options = {"stdout": pipe, "stderr": pipe, "stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self._environment({}),
            text=True,
            **options,
        )

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        merged = {**self.environment, **more}
        return {name: it for name, it in merged.items() if it or name not in more}
