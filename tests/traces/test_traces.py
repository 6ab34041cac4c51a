"""The package writes its cache, its state and what it was told to write, and tells nobody."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NAMED = {"ids.csv", "funnel.html", "funnel.png", "interactions.parquet", "study.oma"}
HOMES = (
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
)
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Traces:
    """What a run has left."""

    folder: Path
    events: list[tuple[str, str]]
    given: bool
    """Whether cache and state had folders given; else they lie where the system has them."""
    connections: list[str]
    """What strace saw every thread connect to, whatever language it is written in."""

    def files(self, name: str) -> set[str]:
        """Return the files in one of the folders."""
        folder = self.folder / name
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _strace(log: Path) -> list[str]:
    """Return the start of a command that is traced, where this machine lets us trace."""
    if shutil.which("strace") is None:
        return []
    start = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto", "-o", str(log)]
    tried = subprocess.run([*start, sys.executable, "-c", ""], check=False, capture_output=True)
    return start if tried.returncode == 0 else []


@pytest.fixture(scope="module", params=["folders are given", "folders are the system's"])
def traces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Traces:
    folder, log = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("log")
    given = request.param == "folders are given"
    names = (*HOMES, "cwd", *(("OPTIMOVE_CACHE", "OPTIMOVE_STATE") if given else ()))
    for name in names:
        (folder / name).mkdir()
    kept = {"PATH", "SYSTEMROOT", "LANG", "LD_LIBRARY_PATH"}
    environment = {name: it for name, it in os.environ.items() if name in kept}
    environment |= {name: str(folder / name) for name in names if name != "cwd"}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "TRACES_LOG": str(log / "events"),
    }
    start, brief = (_strace(log / "strace"), []) if given else ([], ["brief"])
    run = subprocess.run(
        [*start, sys.executable, "-W", "error", str(HERE / "main_ways.py"), *brief],
        cwd=folder / "cwd",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    events = [tuple(json.loads(line)) for line in (log / "events").read_text().splitlines()]
    called = (log / "strace").read_text().splitlines() if start else []
    return Traces(folder, events, given, called)


def test_files_are_in_the_cache_the_state_and_where_they_were_named(traces: Traces) -> None:
    assert traces.files("cwd") == (NAMED if traces.given else set())
    cache = "OPTIMOVE_CACHE" if traces.given else "XDG_CACHE_HOME"
    state = "OPTIMOVE_STATE" if traces.given else "XDG_STATE_HOME"
    assert any(name.endswith(".sqlite") for name in traces.files(cache))
    assert traces.files(state)
    for name in {*HOMES} - {cache, state}:
        assert traces.files(name) == set(), name


def test_nothing_is_written_anywhere_else_on_the_way(traces: Traces) -> None:
    own = str(traces.folder)
    changed = {
        path for event, path in traces.events if not event.startswith("socket.") and path != "None"
    }
    assert any(path.startswith(own) for path in changed), "the notes were taken"
    outside = {path for path in changed if path.startswith(("/", "..")) and own not in path}
    assert outside <= {os.devnull}


def test_nobody_but_this_machine_is_spoken_to(traces: Traces) -> None:
    asked = {said for event, said in traces.events if event.startswith("socket.")}
    hosts = {re.sub(r"^\('([^']*)', \d+.*\)$", r"\1", said) for said in asked}
    assert hosts, "the notes were taken"
    assert hosts <= LOOPBACK


def test_no_thread_of_any_language_speaks_to_anybody_either(traces: Traces) -> None:
    if traces.given and _strace(traces.folder / "tried"):
        assert traces.connections
    said = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
    hosts = {one or two for line in traces.connections for one, two in said.findall(line)}
    assert hosts <= LOOPBACK
