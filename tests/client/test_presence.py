"""Real processes that live, end, are killed and fork; each is asked for by its token."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from client.conftest import RunPython, said

from optimove_analysis.client.presence import Presence

Start = Callable[[str], "subprocess.Popen[str]"]

ANNOUNCE = """
import sys
from pathlib import Path
from optimove_analysis.client.presence import Presence
presence = Presence(Path(sys.argv[1]))
print(presence.token, flush=True)
"""
WAIT = "sys.stdin.read()\n"

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@pytest.fixture
def start(run_python: RunPython, tmp_path: Path) -> Start:
    """Start processes on this test's folder."""
    return lambda code: run_python(code, tmp_path / "folder")


@pytest.fixture
def presence(tmp_path: Path) -> Presence:
    return Presence(tmp_path / "folder")


def test_a_process_is_alive_until_it_is_killed_and_its_file_goes(
    presence: Presence, start: Start
) -> None:
    process = start(ANNOUNCE + WAIT)
    token = said(process)
    assert presence.alive(token)
    assert presence.alive(token)  # to look disturbs nothing
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    assert not presence.alive(token)
    assert not presence.alive(token)
    assert not (presence.folder / f"{token}.lock").exists()


def test_a_process_that_ended_by_itself_is_dead(presence: Presence, start: Start) -> None:
    process = start(ANNOUNCE)
    token = said(process)
    process.wait()
    assert not presence.alive(token)


def test_a_process_knows_itself_alive_and_others_see_it(presence: Presence, start: Start) -> None:
    assert presence.alive(presence.token)
    assert Presence(presence.folder).token == presence.token
    other = start(ANNOUNCE + "print(presence.alive(sys.stdin.readline().strip()), flush=True)\n")
    assert said(other) != presence.token
    assert other.stdin is not None
    other.stdin.write(f"{presence.token}\n")
    other.stdin.flush()
    assert said(other) == "True"


def test_threads_get_one_token(presence: Presence) -> None:
    tokens: set[str] = set()
    threads = [threading.Thread(target=lambda: tokens.add(presence.token)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 1


@needs_fork
def test_a_forked_child_has_a_token_of_its_own_and_keeps_no_parent_alive(
    presence: Presence, start: Start
) -> None:
    code = """
import os
child = os.fork()
if child == 0:
    print(presence.token, os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)
os.waitpid(child, 0)
"""
    process = start(ANNOUNCE + code)
    parent = said(process)
    child, pid = said(process).split()
    assert child != parent
    try:
        assert presence.alive(parent)
        assert presence.alive(child)
        process.kill()
        process.wait()
        assert not presence.alive(parent)
        assert presence.alive(child)
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


@needs_fork
def test_a_child_that_ends_leaves_its_parent_alive(presence: Presence, start: Start) -> None:
    code = """
import os
child = os.fork()
if child == 0:
    sys.exit(0)  # as a child of multiprocessing ends, with finalizers and all
os.waitpid(child, 0)
print("gone", flush=True)
"""
    process = start(ANNOUNCE + code + WAIT)
    token = said(process)
    assert said(process) == "gone"
    assert presence.alive(token)


@needs_fork
def test_a_fork_while_a_thread_makes_the_token_leaves_a_child_that_works(start: Start) -> None:
    code = """
import os, sys, threading
from pathlib import Path
from optimove_analysis.client import presence as module
with module._own.lock:  # as a thread that is just in there holds it
    child = os.fork()
    if child == 0:
        thread = threading.Thread(target=lambda: module.Presence(Path(sys.argv[1])).token)
        thread.daemon = True
        thread.start()
        thread.join(20)
        os._exit(int(thread.is_alive()))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
    assert said(start(code)) == "0"


def test_what_the_dead_left_is_swept_by_the_next_who_comes(
    presence: Presence, start: Start
) -> None:
    for _ in range(3):
        process = start(ANNOUNCE)
        said(process)
        process.wait()
    alive = start(ANNOUNCE + WAIT)
    token = said(alive)
    assert {path.stem for path in presence.folder.glob("*.lock")} == {token}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_folder_and_file_are_this_users_alone(presence: Presence) -> None:
    token = presence.token
    assert stat.S_IMODE(presence.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((presence.folder / f"{token}.lock").stat().st_mode) == 0o600


def test_a_token_that_is_none_is_dead_and_touches_no_other_file(presence: Presence) -> None:
    assert presence.token
    outside = presence.folder.parent / "kept.lock"
    outside.touch()
    assert not presence.alive("../kept")
    assert not presence.alive("")
    assert outside.exists()


def test_a_folder_that_cannot_be_used_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        _ = Presence(tmp_path / "file").token
