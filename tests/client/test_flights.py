"""One thing that several want at once is asked for once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import polars as pl
import pytest
from client.conftest import MakeClient

from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.cache import Cache
from optimove_analysis.client.flights import Flights
from optimove_analysis.client.presence import Presence
from optimove_analysis.client.request_key import key_of
from optimove_analysis.errors import ApiError
from optimove_analysis.sandbox import Sandbox, sandbox

FUNCTION = "GetCustomerChannelInteractions"
YEAR = ("2025-01-01", "2025-11-30")

FETCH = """
import sys
from optimove_analysis.client import OptimoveClient
url, key, folder, out, *ids = sys.argv[1:]
with OptimoveClient(url, key, cache_dir=folder, quota=(10_000, 1.0), threads=4) as client:
    client.interactions(ids, "2025-01-01", "2025-11-30", progress=False).write_parquet(out)
"""


def together(count: int, work: object) -> list[object]:
    """Do the same in several threads at once; return what each gave or raised."""
    start, results = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        try:
            results.append(work())  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001 - told to the test
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.parametrize("refresh", [False, True])
def test_eight_threads_that_want_one_customer_send_one_request(
    refresh: bool,  # noqa: FBT001 - a case
    make_client: MakeClient,
) -> None:
    with sandbox(delays=lambda: 0.1) as box:
        client = make_client(box)
        client.last_update()
        results = together(8, lambda: client.interactions(1, *YEAR, refresh=refresh))
        assert len(results) == 8
        assert all(isinstance(result, pl.DataFrame) for result in results), results
        assert box.count(path=FUNCTION) == 1
        assert (client.cache.hits + client.cache.misses) >= 1


def test_two_clients_of_one_cache_send_one_request(make_client: MakeClient) -> None:
    with sandbox(delays=lambda: 0.1) as box:
        clients = iter([make_client(box) for _ in range(6)])
        results = together(6, lambda: next(clients).channels())
        assert all(isinstance(result, pl.DataFrame) for result in results), results
        assert box.count() == 1


def test_a_failure_is_the_failure_of_who_asked_and_the_next_one_asks_again(
    make_client: MakeClient,
) -> None:
    with sandbox(delays=lambda: 0.1) as box:
        client = make_client(box)
        client.last_update()
        box.answer(FUNCTION, status=400, body=b"no")
        results = together(4, lambda: client.interactions(1, *YEAR))
        assert sum(isinstance(result, ApiError) for result in results) == 1
        assert sum(isinstance(result, pl.DataFrame) for result in results) == 3
        assert box.count(path=FUNCTION) == 2


def test_processes_that_want_the_same_audience_ask_for_each_customer_once(
    tmp_path: Path,
) -> None:
    with sandbox(quota=100_000, delays=lambda: 0.02) as box:
        ids = box.world.customer_ids(40)
        commands = [
            [
                sys.executable, "-c", FETCH, box.url, box.api_key,
                str(tmp_path / "cache"), str(tmp_path / f"{n}.parquet"), *ids,
            ]
            for n in range(3)
        ]  # fmt: skip
        running = [subprocess.Popen(command) for command in commands]
        assert [process.wait(60) for process in running] == [0, 0, 0]
        assert box.count(path=FUNCTION) == len(ids)
        assert box.count(path="GetLastDataUpdate") == 1
    frames = [pl.read_parquet(tmp_path / f"{n}.parquet") for n in range(3)]
    assert frames[0].height > 0
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])


CLAIM = """
import sys, time
from pathlib import Path
from optimove_analysis.client.cache import Cache
from optimove_analysis.client.presence import Presence
cache, state, key = Cache(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
me = Presence(state).token
assert cache.claim(key, me) == me
print("asks", flush=True)
time.sleep(60)
"""


def test_a_process_that_is_killed_while_it_asks_holds_nobody_up(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    client.last_update()
    span = {"StartDate": YEAR[0], "EndDate": YEAR[1]}
    key = key_of(f"customers/{FUNCTION}", {"CustomerID": "1", **span})
    state = client.settings.state_dir / "processes"
    command = [sys.executable, "-c", CLAIM, str(client.cache.path), str(state), key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "asks\n"
        done = threading.Event()

        def fetch() -> None:
            client.interactions(1, *YEAR)
            done.set()

        thread = threading.Thread(target=fetch)
        thread.start()
        assert not done.wait(0.5)  # it is waited for while it lives
        assert box.count(path=FUNCTION) == 0
        other.kill()
        assert done.wait(20)
        thread.join()
    assert box.count(path=FUNCTION) == 1


def test_where_processes_cannot_meet_threads_still_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    flights = Flights[str](
        Cache(tmp_path / "cache.sqlite"), lambda: Presence(tmp_path / "file" / "alive")
    )
    asked = []

    def ask() -> str:
        with flights.turn("key", time.sleep) as flight:
            if flight.answer is None:
                asked.append(1)
                time.sleep(0.2)
                flight.answer = "answer"
            return flight.answer

    assert together(5, ask) == ["answer"] * 5
    assert len(asked) == 1


def test_a_turn_is_given_up_when_waiting_is(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    other = Presence(tmp_path / "elsewhere")
    flights = Flights[str](cache, lambda: Presence(tmp_path / "alive"))
    mine = Presence(tmp_path / "alive").token
    assert mine != other.token
    cache.claim("key", mine)

    def give_up(_: float) -> None:
        raise KeyboardInterrupt

    # Held by this very process, as after a thread was left behind: its own claim stops nobody.
    with flights.turn("key", give_up) as flight:
        flight.answer = "answer"
    assert cache.asking("key") is None
    cache.close()


def test_neither_a_failure_nor_a_client_that_is_closed_leaves_a_claim(
    make_client: MakeClient,
) -> None:
    span = {"StartDate": YEAR[0], "EndDate": YEAR[1]}
    key = key_of(f"customers/{FUNCTION}", {"CustomerID": "1", **span})
    slow = iter([0.0, 0.0, 1.0])
    with sandbox(quota=100_000, delays=slow) as box:
        client: OptimoveClient = make_client(box)
        box.answer(FUNCTION, status=400, body=b"no")
        with pytest.raises(ApiError):
            client.interactions(1, *YEAR)
        assert client.cache.asking(key) is None
        thread = threading.Thread(target=together, args=(1, lambda: client.interactions(1, *YEAR)))
        thread.start()
        while client.cache.asking(key) is None:
            assert thread.is_alive()
            time.sleep(0.01)
        client.close()
        left = Cache(client.cache.path)
        assert left.asking(key) is None
        left.close()
        thread.join()


FORK = """
import os, signal, sys, threading, time
from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import sandbox

def make(box):
    return OptimoveClient(box.url, box.api_key, cache_dir=sys.argv[1], quota=(10_000, 1.0))

with sandbox(quota=100_000, delays=lambda: 1.0) as box:
    client = make(box)
    # No frames: polars itself hangs in a child that is forked while its threads work.
    thread = threading.Thread(target=client.last_update)
    thread.start()
    while not box.count():
        time.sleep(0.01)
    child = os.fork()
    if child == 0:  # says by its exit status alone what it saw
        signal.alarm(20)
        client.close()  # as when its block is left: the parent goes on
        own = make(box)
        os._exit(7 if own.last_update() else 1)
    thread.join()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    client.last_update()
    client.close()
    print(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_does_not_wait_for_what_its_parent_asks_for(tmp_path: Path) -> None:
    # In a process of its own: this one has threads of other tests, and may not be forked at all.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, str(tmp_path)]
    # Three tries: a child that is forked while another thread holds a lock of SQLite's or of
    # Python's own hangs now and then, for no reason of ours; for one of ours it always does.
    said: list[str] = []
    while "7\n" not in said and len(said) < 3:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        said.append(run.stdout)
    assert "7\n" in said, run.stderr


def test_whoever_is_served_by_another_clients_request_has_used_the_answer(
    make_client: MakeClient, tmp_path: Path
) -> None:
    with sandbox(quota=100_000, delays=lambda: 0.5) as box:
        clients = [make_client(box) for _ in range(4)]
        left = iter(clients)
        heights = together(4, lambda: next(left).channels().height)
        assert box.count() == 1
        for number, client in enumerate(clients):
            written = client.snapshot(tmp_path / f"{number}.oma")
            with OptimoveClient.replay(written) as again:
                assert [again.channels().height] * 4 == heights


def test_ctrl_c_at_any_instant_of_a_turn_leaves_none_taken(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    flights = Flights[str](cache, lambda: Presence(tmp_path / "alive"))

    def ask() -> None:
        with flights.turn("key", lambda _: pytest.fail("it waits")) as flight:
            flight.answer = "answer"

    ask()
    instant = 0
    while interrupted(ask, instant):
        instant += 1
        assert cache.asking("key") is None
        ask()
    assert instant > 10
    assert cache.works
    cache.close()


def interrupted(work: Callable[[], None], instant: int) -> bool:
    """Do something for so many steps of the module's own; return whether that was not all."""
    steps = iter(range(instant))

    def count(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.endswith("flights.py"):
            return None
        if event == "line" and next(steps, None) is None:
            sys.settrace(None)
            raise KeyboardInterrupt
        return count

    try:
        sys.settrace(count)
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False
