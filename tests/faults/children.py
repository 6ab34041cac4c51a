"""Starts `child.py` and hears what became of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from faults.conftest import Artefacts
from faults.table import PATIENCE, YEAR

from optimove_analysis.sandbox import Sandbox

_CHILD = Path(__file__).with_name("child.py")
_ROOT = _CHILD.parents[2]


@dataclass
class Ended:
    """How a child ended: its exit status, its frame if it made one, and its warnings."""

    status: int
    frame: pl.DataFrame | None
    warnings: list[str] = field(default_factory=list)
    now: str = ""
    said: str = ""


@dataclass
class Child:
    """A process that fetches, beneath a test's folder."""

    box: Sandbox
    artefacts: Artefacts
    ids: list[str]
    url: str | None = None
    cache: Path | None = None
    state: Path | None = None
    span: Sequence[str] = YEAR
    options: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Sequence[str] = ()
    """A program that runs the child's, with its arguments."""

    def start(self) -> Child:
        folder = self.artefacts.folder
        self.artefacts.notes += 1
        self._out = folder / f"frame-{self.artefacts.notes}.parquet"
        asked = {
            "url": self.url or self.box.url,
            "cache": str(self.cache or folder / "cache"),
            "out": str(self._out),
            "ids": self.ids,
            "range": list(self.span),
            "options": {"quota": [10_000, 1.0], "threads": 4} | dict(self.options),
        }
        self.process = subprocess.Popen(
            [*self.before, sys.executable, str(_CHILD), json.dumps(asked | dict(self.more))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=os.environ
            | {
                "PYTHONPATH": str(_ROOT),
                "OPTIMOVE_API_KEY": self.box.api_key,
                "OPTIMOVE_STATE": str(self.state or folder / "state"),
            }
            | dict(self.environment),
        )
        return self

    def end(self) -> Ended:
        """Wait until it has ended by itself; one that does not is killed, and is an error."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            self.artefacts.note(out + err)
            raise
        return self._heard(out, err)

    def kill(self) -> Ended:
        """Kill it, at once and without a chance to tidy up."""
        self.process.kill()
        return self._heard(*self.process.communicate())

    def _heard(self, out: bytes, err: bytes) -> Ended:
        self.artefacts.note(out + b"\n" + err)
        ended = Ended(self.process.returncode, None, said=err.decode(errors="replace")[-3_000:])
        if ended.status == 0:
            told = json.loads(out)
            ended.frame = pl.read_parquet(self._out)
            ended.warnings, ended.now = told["warnings"], told["now"]
        return ended
