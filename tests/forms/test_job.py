"""Work in a thread of its own, with real threads."""

from __future__ import annotations

import threading

import pytest

from optimove_analysis.errors import CancelledError
from optimove_analysis.forms.job import Job


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
    job.begin()
    job.go_on()
