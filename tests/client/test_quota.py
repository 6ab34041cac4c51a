"""The law of the quota, on the server's clock, in simulated time."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimove_analysis.client import Quota
from optimove_analysis.client.quota import Ledger
from optimove_analysis.errors import InputError

delays = st.floats(0.0, 3.0)


class WouldWaitError(Exception):
    """Hands a wait back to the simulation."""


def hand_back(seconds: float) -> None:
    raise WouldWaitError(seconds)


class Simulation:
    """Workers that send as soon as the quota lets them, on a clock that jumps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.arrivals: list[float] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, when: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), action))

    def run(self) -> None:
        while self._events:
            self.now, _, action = heapq.heappop(self._events)
            action()

    def worker(self, quota: Quota, trips: list[tuple[float, float]]) -> Callable[[], None]:
        """Return a worker: it takes a trip (delay in, delay out) whenever it is free."""

        def send() -> None:
            if not trips:
                return
            slot = quota.slot(sleep=hand_back)
            try:
                slot.__enter__()
            except WouldWaitError as wait:
                self.at(self.now + wait.args[0], send)
                return
            there, back = trips.pop()
            self.arrivals.append(self.now + there)
            self.at(self.now + there + back, lambda: answer(slot))

        def answer(slot: AbstractContextManager[None]) -> None:
            slot.__exit__(None, None, None)
            send()

        return send


@settings(deadline=None)
@given(
    limit=st.integers(1, 20),
    workers=st.integers(1, 24),
    trips=st.lists(st.tuples(delays, delays), min_size=1, max_size=120),
)
def test_no_window_on_the_servers_clock_ever_holds_more_than_the_limit(
    limit: int, workers: int, trips: list[tuple[float, float]]
) -> None:
    world = Simulation()
    quota = Quota(limit, 10.0, clock=lambda: world.now)
    left = list(trips)
    for _ in range(workers):
        world.at(0.0, world.worker(quota, left))
    world.run()

    arrivals = sorted(world.arrivals)
    assert len(arrivals) == len(trips)
    for earlier, later in zip(arrivals, arrivals[limit:], strict=False):
        assert later - earlier >= 10.0

    # Near the ideal: each round costs its window and its slowest answers, and nothing besides.
    rounds = (len(trips) - 1) // limit
    slowest = max(there + back for there, back in trips)
    turns = -(-limit // workers)
    assert arrivals[-1] <= rounds * 10.02 + (rounds + 1) * turns * slowest + slowest


@given(limits=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_two_clients_of_one_key_keep_to_the_quota_together(limits: tuple[int, int]) -> None:
    world = Simulation()
    ledger = Ledger(clock=lambda: world.now)
    for limit in limits:
        quota = Quota(limit, 10.0, ledger=ledger)
        for _ in range(4):
            world.at(0.0, world.worker(quota, [(0.1, 0.1)] * 5))
    world.run()
    arrivals = sorted(world.arrivals)
    for earlier, later in zip(arrivals, arrivals[max(limits) :], strict=False):
        assert later - earlier >= 10.0


def test_a_place_is_free_a_window_after_the_answer_not_after_the_send() -> None:
    world = Simulation()
    quota = Quota(1, 10.0, clock=lambda: world.now)
    world.at(0.0, world.worker(quota, [(0.0, 0.0), (3.0, 0.0)]))
    world.run()
    assert world.arrivals[0] == 3.0
    assert 13.0 <= world.arrivals[1] < 13.1


def test_what_the_server_holds_back_is_held_back_for_all() -> None:
    world = Simulation()
    ledger = Ledger(clock=lambda: world.now)
    one, two = (Quota(5, 10.0, ledger=ledger) for _ in range(2))
    one.hold(7.0)
    with pytest.raises(WouldWaitError) as wait, two.slot(sleep=hand_back):
        pass
    assert wait.value.args[0] == pytest.approx(7.0)
    assert two.eta(1) == pytest.approx(7.0)


def test_the_eta_is_that_of_the_last_request() -> None:
    world = Simulation()
    quota = Quota(50, 10.0, clock=lambda: world.now)
    assert [quota.eta(n) for n in (0, 1, 50, 51, 200)] == [0.0, 0.0, 0.0, 10.0, 30.0]
    for _ in range(50):
        with quota.slot(sleep=hand_back):
            pass
    world.now = 4.0
    assert quota.eta(1) == pytest.approx(6.0)
    assert quota.eta(51) == pytest.approx(16.0)


def test_a_failed_send_still_counts() -> None:
    world = Simulation()
    quota = Quota(1, 10.0, clock=lambda: world.now)
    with pytest.raises(OSError, match="reset"), quota.slot():
        raise OSError("reset")
    with pytest.raises(WouldWaitError), quota.slot(sleep=hand_back):
        pass


def test_threads_share_it_in_real_time() -> None:
    quota, inside, most = Quota(3, 0.05), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(4):
            with quota.slot():
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 3
    assert quota.in_flight == 0


@settings(deadline=None)
@given(
    limits=st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from([1.0, 5.0, 10.0, 60.0])),
        min_size=2,
        max_size=4,
    ),
    workers=st.integers(1, 16),
    trips=st.lists(st.tuples(delays, delays), min_size=1, max_size=60),
)
def test_of_several_limits_each_holds(
    limits: list[tuple[int, float]], workers: int, trips: list[tuple[float, float]]
) -> None:
    world = Simulation()
    quota = Quota(limits, clock=lambda: world.now)
    left = list(trips)
    for _ in range(workers):
        world.at(0.0, world.worker(quota, left))
    world.run()
    arrivals = sorted(world.arrivals)
    assert len(arrivals) == len(trips)
    for limit, per in limits:
        for earlier, later in zip(arrivals, arrivals[limit:], strict=False):
            assert later - earlier >= per


def test_the_eta_respects_every_limit() -> None:
    quota = Quota([(50, 10.0), (2_000, 3600.0)], clock=lambda: 0.0)
    assert [quota.eta(n) for n in (50, 51, 2_000, 2_001)] == [0.0, 10.0, 390.0, 3600.0]
    assert (quota.limit, quota.per) == (50, 10.0)


def test_a_wait_that_is_given_up_leaves_the_place_to_others() -> None:
    world = Simulation()
    quota = Quota(1, 10.0, clock=lambda: world.now)
    with quota.slot():
        pass
    for _ in range(3):
        with pytest.raises(WouldWaitError), quota.slot(sleep=hand_back):
            pass
    assert quota.in_flight == 0
    assert quota.sent == 1
    world.now = 10.02
    with quota.slot(sleep=hand_back):
        assert quota.in_flight == 1


@pytest.mark.parametrize("limits", [0, [], [(50, 10.0), (0, 1.0)], [(5, 0.0)]])
def test_a_quota_that_lets_nothing_through_is_refused(
    limits: int | list[tuple[int, float]],
) -> None:
    with pytest.raises(InputError, match="nothing through"):
        Quota(limits)
