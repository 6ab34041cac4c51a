"""Many customers at once: progress, failure, Ctrl-C, and going on from there."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from client.conftest import MakeClient

from optimove_analysis.client import OptimoveClient, Progress
from optimove_analysis.errors import ApiError
from optimove_analysis.sandbox import Sandbox, sandbox

FUNCTION = "GetCustomerChannelInteractions"
NO_SIGNALS = pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent otherwise on Windows")
YEAR = ("2025-01-01", "2025-12-31")


def test_the_first_failure_stops_the_sending_and_calling_again_goes_on(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, threads=1)
    ids = box.world.customer_ids(20)
    client.interactions(ids[:5], *YEAR)
    client.interactions(ids[6], *YEAR)
    sent = box.count(path=FUNCTION)
    box.answer(FUNCTION, status=400, body=b"no")
    with pytest.raises(ApiError, match=r"the API answered 400") as raised:
        client.interactions(ids, *YEAR)
    assert str(raised.value).startswith(f"customer {ids[5]}: ")
    assert "(6 of 20 answers are kept; calling again goes on from there.)" in str(raised.value)
    assert raised.value.status == 400
    assert box.count(path=FUNCTION) == sent + 1

    assert client.interactions(ids, *YEAR).height > 0
    assert box.count(path=FUNCTION) == sent + 1 + 14


def test_a_failure_among_many_threads_names_one_customer_and_leaves_no_thread(
    box: Sandbox, client: OptimoveClient
) -> None:
    ids = box.world.customer_ids(40)
    box.answer(FUNCTION, status=400, body=b"no", times=3)
    with pytest.raises(ApiError, match=r"customer \w+: .* of 40 answers are kept"):
        client.interactions(ids, *YEAR, progress=False)
    assert not [t for t in threading.enumerate() if t.name.startswith("optimove-")]
    assert client.quota.in_flight == 0


def test_progress_counts_what_is_fetched_and_what_was_cached(
    box: Sandbox, client: OptimoveClient, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = box.world.customer_ids(12)
    client.interactions(ids[:4], *YEAR)
    assert "Optimove" not in capsys.readouterr().err
    seen: list[Progress] = []
    client.interactions(ids, *YEAR, progress=seen.append)
    # Once an answer, and where the machine is slow, once a second.
    assert sorted({state.fetched for state in seen}) == list(range(9))
    assert {(state.cached, state.total) for state in seen} == {(4, 12)}
    assert seen[-1].eta == 0.0
    client.interactions(ids, *YEAR, refresh=True)
    shown = capsys.readouterr().err
    assert "12/12" in shown
    assert "from the cache" not in shown
    client.interactions(ids, *YEAR, refresh=True, progress=False)
    assert not capsys.readouterr().err


def interrupt_once(happened: Callable[[], bool]) -> None:
    """Send Ctrl-C when something has happened, from a thread of its own."""

    def watch() -> None:
        deadline = time.monotonic() + 120
        try:
            while not happened() and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:  # else the test would wait for ever
            # To the main thread, as the terminal's: it ends what that one waits for.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()


@NO_SIGNALS
def test_ctrl_c_comes_through_at_once_and_leaves_nothing_waiting(make_client: MakeClient) -> None:
    with sandbox(seed=301, delays=lambda: 0.01) as box:  # a key that no other test has used up
        client = make_client(box, quota=(2, 3600.0))
        ids = box.world.customer_ids(10)
        seen: list[Progress] = []
        interrupt_once(lambda: bool(seen) and seen[-1].fetched == 1)
        # It comes back although no place is free for an hour.
        with pytest.raises(KeyboardInterrupt, match="1 of 10 answers are kept; calling again"):
            client.interactions(ids, *YEAR, progress=seen.append)
        for thread in threading.enumerate():
            if thread.name.startswith("optimove-"):
                thread.join(5)
                assert not thread.is_alive()


@NO_SIGNALS
def test_ctrl_c_before_the_first_customer_is_asked_for_says_what_is_kept(
    make_client: MakeClient,
) -> None:
    with sandbox(seed=302) as box:  # a key that no other test has used up
        client = make_client(box, quota=(1, 3600.0))
        client.channels()
        ledger = client.settings.state_dir / f"quota-{client.settings.quota_name}.sqlite"

        def last_update_waits() -> bool:
            with closing(sqlite3.connect(ledger)) as db:
                return bool(db.execute("SELECT 1 FROM waiting").fetchone())

        interrupt_once(last_update_waits)
        with pytest.raises(KeyboardInterrupt, match="0 of 10 answers are kept; calling again"):
            client.interactions(box.world.customer_ids(10), *YEAR)
        assert box.count() == 1
