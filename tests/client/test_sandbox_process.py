"""The sandbox that a client starts, as a process of its own, and that it ends with it."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from optimove_analysis.client import OptimoveClient
from optimove_analysis.client.sandbox_process import SandboxProcess, _environment
from optimove_analysis.errors import ConnectionFailedError, InputError

SAMPLE = ("2018-08-19", "2018-09-19")


def ended(process: SandboxProcess) -> bool:
    """Tell whether a process has ended, within some seconds."""
    for _ in range(100):
        if process._process.poll() is not None:  # noqa: SLF001 - what is tested
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("flag", [False, True])
def test_a_client_starts_its_own_sandbox(flag: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    with OptimoveClient.sandbox(
        seed=3, customers=50, engagement_metrics=flag, cache_dir=tmp_path
    ) as client:
        frame = client.interactions(841231, *SAMPLE)
        assert frame["campaign_id"].to_list() == [422, 428]
        assert frame["event_time"].is_null().all() is not flag


def test_closing_or_forgetting_the_client_ends_the_sandbox(tmp_path: Path) -> None:
    process = SandboxProcess(customers=10)
    client = OptimoveClient(process.url, process.api_key, cache_dir=tmp_path)
    client._own(process)  # noqa: SLF001 - what sandbox() does
    client.close()
    client.close()
    assert ended(process)

    process = SandboxProcess(customers=10)
    client = OptimoveClient(process.url, process.api_key, cache_dir=tmp_path)
    client._own(process)  # noqa: SLF001 - what sandbox() does
    del client
    gc.collect()
    assert ended(process)


def test_the_sandbox_ends_when_its_input_closes_as_it_does_for_a_killed_kernel() -> None:
    process = SandboxProcess(customers=10)
    assert process._process.stdin is not None  # noqa: SLF001 - what a killed parent leaves
    process._process.stdin.close()  # noqa: SLF001
    assert ended(process)
    process.stop()


def test_the_word_sandbox_is_an_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIMOVE_INSTANCE", "sandbox")
    monkeypatch.setenv("OPTIMOVE_API_KEY", "of another account")
    with OptimoveClient.from_env(cache_dir=tmp_path) as client:
        assert client.interactions(841231, *SAMPLE).height == 2


def test_the_sandboxs_environment_holds_no_key_of_another_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPTIMOVE_API_KEY", "of another account")
    monkeypatch.setenv("OPTIMOVE_INSTANCE", "api5")
    assert not [name for name in _environment() if name.startswith("OPTIMOVE_")]


@pytest.mark.parametrize(
    "make",
    [lambda: OptimoveClient("sandbox", threads=0), lambda: OptimoveClient.sandbox(threads=0)],
    ids=["word", "method"],
)
def test_a_client_that_cannot_be_made_leaves_no_sandbox(
    make: Callable[[], OptimoveClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[SandboxProcess] = []
    start = SandboxProcess.__init__

    def remember(self: SandboxProcess, **options: object) -> None:
        start(self, **options)
        made.append(self)

    monkeypatch.setattr(SandboxProcess, "__init__", remember)
    with pytest.raises(InputError, match="threads") as raised:
        make()
    assert raised.tb is not None  # which keeps the half-made client, as a notebook does
    assert [ended(process) for process in made] == [True]


def test_ctrl_c_while_the_sandbox_starts_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SandboxProcess] = []

    def interrupted(self: SandboxProcess) -> bytes:
        made.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(SandboxProcess, "_first_line", interrupted)
    with pytest.raises(KeyboardInterrupt):
        SandboxProcess(customers=10)
    assert [ended(process) for process in made] == [True]


def test_an_option_that_it_does_not_have_is_answered_with_those_it_has() -> None:
    with pytest.raises(InputError, match="did you mean 'customers'"):
        SandboxProcess(costumers=5)


def test_a_sandbox_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", os.devnull + "/no-python")
    with pytest.raises(ConnectionFailedError, match="did not start"):
        SandboxProcess()
    monkeypatch.undo()
    with pytest.raises(ConnectionFailedError, match=r"did not start.*seed"):
        SandboxProcess(seed="many")
