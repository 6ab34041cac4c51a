"""What the checks of a client's ground say when something is wrong."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.doctor import (
    check_api,
    check_cache,
    check_dotenv,
    check_state,
    check_versions,
)


@contextmanager
def server(date: str, status: int = 200, body: bytes = b'{"Date":"2025-12-31"}') -> Iterator[str]:
    """Serve one answer with a clock of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002
            return date

        def log_message(self, *_: object) -> None:
            pass

    listener = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}"
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def found(url: str, tmp_path: Path) -> dict[str, tuple[str, str]]:
    with OptimoveClient(url, "k-0123456789", cache_dir=tmp_path) as client:
        checks = check_api(client.settings, client.quota)
    assert "k-0123456789" not in repr(checks)
    return {check.name: (check.state, check.found) for check in checks}


def test_a_clock_that_is_off_is_a_warning_with_both_times(tmp_path: Path) -> None:
    with server("Mon, 01 Jan 2018 12:00:00 GMT") as url:
        state, text = found(url, tmp_path)["clock"]
    assert state == "warning"
    assert "the server's 2018-01-01 12:00:00" in text
    with server("noon") as url:
        assert found(url, tmp_path)["clock"][0] == "warning"


@pytest.mark.parametrize(
    ("status", "body", "check", "state"),
    [
        (200, b'{"Date":"2025-12-31"}', "last data update", "ok"),
        (200, b'{"Date":"soon"}', "last data update", "warning"),
        (404, b"no such thing", "last data update", "warning"),
        (401, b"k-0123456789?", "key", "fails"),
        (403, b"k-0123456789?", "key", "warning"),
        (429, b"slower", "key", "warning"),
        (503, b"later", "key", "fails"),
    ],
)
def test_each_answer_is_told_apart(
    status: int, body: bytes, check: str, state: str, tmp_path: Path
) -> None:
    with server("Mon, 01 Jan 2018 12:00:00 GMT", status, body) as url:
        assert found(url, tmp_path)[check][0] == state


def test_a_server_that_is_not_there_fails_at_once(tmp_path: Path) -> None:
    with server("noon") as url:
        pass
    assert found(url, tmp_path)["connection"][0] == "fails"


def test_this_very_environment_is_fit() -> None:
    assert [check.state for check in check_versions()] == ["ok", "ok"]


@pytest.mark.skipif(os.name != "posix", reason="the mode of a file is POSIX's")
def test_what_others_can_read_is_a_warning(tmp_path: Path) -> None:
    assert check_dotenv(tmp_path) is None
    dotenv = tmp_path / ".env"
    dotenv.write_text("OPTIMOVE_API_KEY=k\n")
    dotenv.chmod(0o644)
    careless = check_dotenv(tmp_path)
    assert careless
    assert (careless.state, careless.todo) == ("warning", "chmod 600 .env")
    with OptimoveClient("api5", "k", cache_dir=tmp_path / "cache") as client:
        client.cache.claim("key", "owner")  # makes the file
        file = client.cache.path
    file.chmod(0o644)
    assert check_cache(file.parent, file)[-1].state == "warning"
    assert check_cache(file.parent, file)[-1].state == "ok"  # it has been closed to others


def test_a_dotenv_file_that_is_committed_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPTIMOVE_API_KEY=k\n")
    for words in (["init", "--quiet"], ["add", ".env"]):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    committed = check_dotenv(tmp_path)
    assert committed
    assert "rotated" in committed.todo


def test_a_folder_that_cannot_be_made_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert check_cache(tmp_path / "file" / "cache")[0].state == "fails"
    assert check_state(tmp_path / "file" / "state").state == "fails"


def test_a_cache_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    torn = tmp_path / "torn.sqlite"
    torn.write_bytes(b"no database" * 1000)
    torn.chmod(0o600)
    last = check_cache(tmp_path, torn)[-1]
    assert last.state == "warning"
    assert "set aside" in last.found
