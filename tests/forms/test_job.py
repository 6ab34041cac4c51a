"""Work in a thread of its own, with real threads."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from optimove_analysis.errors import CancelledError, InputError
from optimove_analysis.forms.job import Job, Latest


def test_work_runs_beside_and_no_second_one_with_it() -> None:
    job, gate, seen = Job(), threading.Event(), []

    def work() -> None:
        gate.wait(10)
        seen.append(threading.current_thread().name)

    assert job.start(work)
    assert job.running
    assert not job.start(lambda: seen.append("second"))
    assert not job.wait(0.01)
    gate.set()
    assert job.wait(10)
    assert seen == ["optimove-form"]


def test_cancelled_work_stops_where_it_next_asks() -> None:
    job, begun, stopped = Job(), threading.Event(), []

    def work() -> None:
        begun.set()
        try:
            while True:
                job.go_on()
        except CancelledError as error:
            stopped.append(str(error))

    assert job.start(work)
    assert begun.wait(10)
    job.cancel()
    assert job.wait(10)
    assert stopped == ["cancelled; what came until then is kept."]


def test_an_earlier_order_to_stop_does_not_stop_new_work() -> None:
    job = Job()
    job.cancel()
    with pytest.raises(CancelledError):
        job.go_on()
    job.run(job.go_on)


def test_work_in_the_callers_thread_and_work_beside_it_are_never_both() -> None:
    job, gate = Job(), threading.Event()
    assert job.run(lambda: job.start(gate.set)) is False
    assert job.start(lambda: gate.wait(10))
    with pytest.raises(InputError, match="has not ended yet"):
        job.run(gate.set)
    gate.set()
    assert job.wait(10)


def test_a_failure_leaves_nothing_busy() -> None:
    told: list[bool] = []
    job = Job(told.append)
    with pytest.raises(ZeroDivisionError):
        job.run(lambda: 1 // 0)
    assert told == [True, False]
    assert job.wait(0)


def test_whoever_is_told_that_work_has_ended_may_begin_new_work() -> None:
    done: list[int] = []

    def told(busy: bool) -> None:  # noqa: FBT001 - as a `Job` tells
        if not busy and len(done) < 5:
            assert job.start(lambda: done.append(1))

    job = Job(told)
    job.start(lambda: done.append(1))
    end = time.monotonic() + 10
    while len(done) < 5 and time.monotonic() < end:
        time.sleep(0.01)
    assert job.wait(10)
    assert len(done) == 5


def test_of_work_that_comes_too_fast_the_first_and_the_last_are_done() -> None:
    latest, begun, gate, done = Latest(), threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        gate.wait(10)
        done.append(0)

    latest.offer(first)
    assert begun.wait(10)
    for number in range(1, 10):
        latest.offer(partial(done.append, number))
    gate.set()
    latest.wait()
    assert done == [0, 9]
