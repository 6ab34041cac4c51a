"""JupyterLab and Voila, started for real on loopback; pages that may ask no other host."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

__all__ = ["SLOW", "SOON", "dashboard", "findings", "jupyterlab", "offline_page", "voila"]

SOON = 5_000
SLOW = 60_000
"""Milliseconds: JupyterLab and its kernel start in a few seconds, on a busy machine in more."""


@contextmanager
def jupyterlab(home: Path, notebooks: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Serve notebooks, a list of code cells each, under their names; give the server's address."""
    for name, cells in notebooks.items():
        _write(home / name, cells)
    port = _free_port()
    arguments = [
        *("-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={home}"),
        # For the length of this test, on this machine, in a folder with nothing in it.
        *("--IdentityProvider.token=", "--ServerApp.password="),
        # The news would be the only thing that is not this machine's.
        "--LabApp.news_url=",
    ]
    with _served(home, arguments, f"http://127.0.0.1:{port}", "/api"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def voila(home: Path, notebooks: Mapping[str, Sequence[str]], *options: str) -> Iterator[str]:
    """Serve notebooks as pages by Voila; give the address under which each has its name."""
    for name, cells in notebooks.items():
        _write(home / name, cells)
    port = _free_port()
    arguments = ["-m", "voila", str(home), "--no-browser", f"--port={port}"]
    ours = ["--template=optimove", *options]  # Voila's own page fetches from a CDN
    with _served(home, [*arguments, *ours], f"http://127.0.0.1:{port}", "/voila/static/"):
        yield f"http://127.0.0.1:{port}/voila/render"


@contextmanager
def dashboard(home: Path, *options: str) -> Iterator[str]:
    """Start the command that serves the page for investigations; give the address it prints."""
    port = _free_port()
    arguments = ["-m", "optimove_analysis", "dashboard", "--no-browser", f"--port={port}"]
    with _served(home, [*arguments, *options], f"http://127.0.0.1:{port}", "/voila/static/"):
        said = (home / "server.log").read_text()
        yield re.findall(rf"http://127\.0\.0\.1:{port}/\?token=\w+", said)[0]


def offline_page(browser: Browser, hosts: set[str], *, width: int, height: int = 1000) -> Page:
    """Open a page; whatever is asked of a host that is not this machine is refused and noted."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(SLOW)

    def note(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            hosts.add(str(parts.hostname))

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    return page


def findings(page: Page, where: str) -> list[str]:
    """What axe-core finds wrong, of serious and critical impact, in a part of the page."""
    results = Axe().run(page, context=where).response["violations"]
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:160]}"
        for found in results
        if found["impact"] in {"serious", "critical"}
        for node in found["nodes"]
    ]


def _write(path: Path, cells: Sequence[str]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def _served(home: Path, arguments: Sequence[str], url: str, there: str) -> Iterator[None]:
    own = {name: str(home / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    own["JUPYTER_PATH"] = str(resources.files("optimove_analysis.commands").joinpath("jupyter"))
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **own, "OPTIMOVE_CACHE": str(home / "cache")},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + SLOW / 1000
        while not _answers(url + there):
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"did not start: {(home / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # as Ctrl-C: it ends what it has started, too
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url):
            return True
    except urllib.error.HTTPError:
        return True  # there is no such page, but somebody says so
    except OSError:
        return False
