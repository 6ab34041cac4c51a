"""Real processes that share a key, against a sandbox that counts: none is ever refused."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from client.conftest import RunPython, said

from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.ledger import Ledger, Ticket
from optimove_analysis.client.presence import Presence
from optimove_analysis.sandbox import Sandbox, sandbox

START, END = "2025-11-01", "2025-12-31"
FUNCTION = "GetCustomerChannelInteractions"


FETCH = """
import sys
from pathlib import Path
from optimove_analysis.client import OptimoveClient
url, key, cache, limit, per, *ids = sys.argv[1:]
with OptimoveClient(url, key, cache_dir=cache, quota=(int(limit), float(per))) as client:
    print("ready", flush=True)
    sys.stdin.readline()
    client.interactions(ids, "2025-11-01", "2025-12-31", progress=False)
    print("done", flush=True)
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def fetch(
    run_python: RunPython,
    box: Sandbox,
    cache: Path,
    ids: list[str],
    quota: tuple[int, float] = (10, 1.0),
) -> subprocess.Popen[str]:
    process = run_python(FETCH, box.url, box.api_key, cache, *quota, *ids)
    assert said(process) == "ready"
    return process


def test_two_processes_at_once_are_never_refused_and_both_go_on(
    tmp_path: Path, run_python: RunPython
) -> None:
    with sandbox(quota=10, per=1.0, delays=[0.15, *([0.03, 0.0, 0.06] * 40)]) as box:
        ids = box.world.customer_ids(50)
        halves = ids[:25], ids[25:]
        processes = [
            fetch(run_python, box, tmp_path / str(n), half) for n, half in enumerate(halves)
        ]
        for process in processes:
            go(process)
        assert [said(process) for process in processes] == ["done", "done"]
        assert box.count(429) == 0
        assert box.count(200, FUNCTION) == 50


def test_a_process_killed_while_it_holds_slots_is_followed_by_one_that_is_never_refused(
    tmp_path: Path, run_python: RunPython
) -> None:
    with sandbox(quota=10, per=1.0, delays=[0.0] + [0.5] * 10) as box:
        ids = box.world.customer_ids(20)
        victim = fetch(run_python, box, tmp_path / "cache", ids)
        heir = fetch(run_python, box, tmp_path / "other cache", ids)
        go(victim)
        deadline = time.monotonic() + 30
        while not box.log and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)  # the others are on their way in
        victim.kill()
        victim.wait()
        go(heir)
        assert said(heir) == "done"
        assert box.count(429) == 0


def test_a_restart_right_after_a_burst_is_never_refused_at_the_true_limit(
    tmp_path: Path, run_python: RunPython
) -> None:
    with sandbox() as box:
        ids = box.world.customer_ids(60)
        # With the last data update, that is all a window allows.
        first = fetch(run_python, box, tmp_path / "one", ids[:49], (50, 10.0))
        go(first)
        assert said(first) == "done"
        first.wait()
        second = fetch(run_python, box, tmp_path / "two", ids[49:], (50, 10.0))
        go(second)
        assert said(second) == "done"
        assert box.count(429) == 0
        assert box.count(200, FUNCTION) == 60


def test_a_429_holds_another_process_too(tmp_path: Path, run_python: RunPython) -> None:
    code = """
import sys
from pathlib import Path
from optimove_analysis.client.ledger import ledger_of
from optimove_analysis.client.quota import Quota
Quota(50, 10.0, ledger=ledger_of(Path(sys.argv[1]), "key")).hold(60.0)
"""
    assert run_python(code, tmp_path).wait() == 0
    ledger = Ledger(tmp_path / "quota-key.sqlite")
    assert 50.0 < ledger.wait_for(1, ((50, 10.0),)) <= 60.0
    ledger.close()


def test_processes_that_open_a_ledger_first_at_the_same_instant_share_it(
    tmp_path: Path, run_python: RunPython
) -> None:
    code = """
import sys, time, warnings
from pathlib import Path
from optimove_analysis.client.ledger import Ticket, ledger_of
warnings.simplefilter("error")
print("ready", flush=True)
sys.stdin.readline()
ledger = ledger_of(Path(sys.argv[1]), "key")
tickets = [Ticket() for _ in range(10)]
print(sum(ledger.take(ticket, ((12, 60.0),)) == 0.0 for ticket in tickets), flush=True)
sys.stdin.readline()
"""
    processes = [run_python(code, tmp_path) for _ in range(4)]
    assert {said(process) for process in processes} == {"ready"}
    for process in processes:
        go(process)
    assert sum(int(said(process)) for process in processes) == 12


def test_one_killed_again_and_again_within_its_transactions_leaves_a_ledger_that_works(
    tmp_path: Path, run_python: RunPython
) -> None:
    code = """
import sys
from pathlib import Path
from optimove_analysis.client.ledger import Ticket, ledger_of
ledger = ledger_of(Path(sys.argv[1]), "key")
print("ready", flush=True)
while True:
    ticket = Ticket()
    ledger.take(ticket, ((1_000_000, 60.0),))
    ledger.release(ticket)
"""
    ledger = Ledger(tmp_path / "quota-key.sqlite")
    for attempt in range(4):
        process = run_python(code, tmp_path)
        assert said(process) == "ready"
        time.sleep(0.03 * attempt)
        process.kill()
        process.wait()
        ticket = Ticket()
        assert ledger.take(ticket, ((1_000_000, 60.0),)) == 0.0
        ledger.release(ticket)
    ledger.close()


@needs_fork
def test_a_forked_child_uses_another_connection_and_sees_the_same_slots(
    tmp_path: Path, run_python: RunPython
) -> None:
    code = """
import os, sys, threading, warnings
from pathlib import Path
from optimove_analysis.client.ledger import Ticket, ledger_of
warnings.simplefilter("error")
ledger, stop, limits = ledger_of(Path(sys.argv[1]), "key"), threading.Event(), ((100_000, 60.0),)

def work():
    while not stop.is_set():
        ticket = Ticket()
        ledger.take(ticket, limits)
        ledger.release(ticket)

held = Ticket()
ledger.take(held, limits)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(10):  # wherever the threads are just then
    child = os.fork()
    if child == 0:
        ok = ledger.in_flight == 0 and ledger.sent == 0
        ledger.release(held)  # the parent's: nothing of the child's
        ticket = Ticket()
        ok = ok and ledger.take(ticket, limits) == 0.0
        ledger.release(ticket)
        sys.stdout.write("." if ok else "wrong")
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
stop.set()
for thread in threads:
    thread.join()
print("", ledger.in_flight, flush=True)
"""
    assert said(run_python(code, tmp_path)) == ".......... 1"


def test_no_credential_and_no_customer_is_in_the_ledger_or_its_name(
    tmp_path: Path, state_dir: Path
) -> None:
    with (
        sandbox() as box,
        OptimoveClient(box.url, box.api_key, cache_dir=tmp_path) as client,
    ):
        (customer,) = box.world.customer_ids(1)
        client.interactions(customer, START, END)
        name = f"quota-{client.settings.quota_name}.sqlite"
        files = [path for path in state_dir.rglob("*") if path.is_file()]
        assert name in {path.name for path in files}
        for path in files:
            if not path.name.endswith(".lock"):
                assert box.api_key.encode() not in path.read_bytes()
            assert box.api_key not in path.name
        written = (state_dir / name).read_bytes() + (state_dir / f"{name}-wal").read_bytes()
        assert customer.encode() not in written


def test_the_processes_of_a_ledger_are_known_by_their_presence(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.take(Ticket(), ((1, 1.0),))
    token = Presence(tmp_path / "processes").token
    assert ledger._file.owner.startswith(token)  # noqa: SLF001
    ledger.close()
