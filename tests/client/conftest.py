"""A sandbox of its own for each test, and clients of it that are closed at the end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox, sandbox

RunPython = Callable[..., "subprocess.Popen[str]"]
MakeClient = Callable[..., OptimoveClient]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve an account whose quota no test here comes near."""
    with sandbox(quota=100_000) as started:
        yield started


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[MakeClient]:
    """Make clients that keep their answers in this test's folder, and wait for no quota."""
    made: list[OptimoveClient] = []

    def make(box: Sandbox, api_key: str | None = None, **options: Any) -> OptimoveClient:
        options.setdefault("cache_dir", tmp_path / "cache")
        options.setdefault("quota", (10_000, 1.0))
        key = None if "token" in options else api_key or box.api_key
        client = OptimoveClient(box.url, key, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def run_python() -> Iterator[RunPython]:
    """Start Python on some code, with pipes; each process ends with the test at the latest."""
    running: list[subprocess.Popen[str]] = []

    def begin(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def client(box: Sandbox, make_client: MakeClient) -> OptimoveClient:
    """Make a client of the sandbox."""
    return make_client(box)
