"""The quota is a true sliding window: the law, under a clock that the test turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimove_analysis.errors import InputError
from optimove_analysis.sandbox.access import Quota, Tokens

# Eighths of a second add up without rounding, so that "exactly `per` later" really occurs.
STEPS = st.lists(st.integers(0, 24).map(lambda n: n / 8), min_size=1, max_size=120)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(STEPS, st.integers(1, 6), st.sampled_from([0.5, 1.0, 2.5]))
def test_no_window_holds_more_than_the_quota_and_no_arrival_is_refused_without_need(
    steps: list[float], limit: int, per: float
) -> None:
    clock = Clock()
    quota = Quota(limit, per, clock=clock)
    admitted: list[float] = []
    for step in steps:
        clock.now += step
        before = sum(clock.now - per < at <= clock.now for at in admitted)
        at, ok = quota.arrive("key")
        assert at == clock.now
        assert ok == (before < limit)
        if ok:
            admitted.append(at)
    for start in admitted:
        assert sum(start <= at < start + per for at in admitted) <= limit


def test_each_credential_has_its_own_quota() -> None:
    quota = Quota(1, 10.0, clock=Clock())
    assert [quota.arrive(key)[1] for key in ("a", "b", "a")] == [True, True, False]


@pytest.mark.parametrize(("limit", "per"), [(0, 10.0), (50, 0.0), (50, float("nan"))])
def test_an_impossible_quota_is_an_error(limit: int, per: float) -> None:
    with pytest.raises(InputError):
        Quota(limit, per, clock=Clock())


def test_a_token_is_valid_for_twenty_minutes_after_its_last_use() -> None:
    clock = Clock()
    tokens = Tokens(clock)
    token = tokens.new()
    clock.now = 20 * 60.0
    assert tokens.use(token)
    clock.now = 40 * 60.0
    assert tokens.use(token)
    clock.now = 60 * 60.0 + 1
    assert not tokens.use(token)
    assert not tokens.use("another")
