"""A time of day that is wrong, or is set anew while a fetch runs."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from faults.children import Child
from faults.conftest import Artefacts, Begin
from faults.table import FULL, FUNCTION, LONG, PATIENCE, Row

from optimove_analysis.sandbox import sandbox

DAY = 86_400
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or COMPILER is None,
    reason="another time of day can be shown to a process by a library of C on Linux alone",
)


@dataclass
class Clock:
    """What a process sees as the time of day: the true one, and so many seconds more."""

    library: Path
    file: Path

    def __post_init__(self) -> None:
        self.step(0)

    def step(self, seconds: int) -> None:
        with self.file.open("r+b" if self.file.exists() else "wb") as shared:
            shared.write(struct.pack("=q", seconds))

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CLOCK_STEP": str(self.file)}


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    library = tmp_path / "clock_step.so"
    source = Path(__file__).with_name("clock_step.c")
    assert COMPILER is not None
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return Clock(library, tmp_path / "clock-step")


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("clock set back a day", [-DAY]),
        pytest.param(
            "clock set on a year", [365 * DAY], marks=pytest.mark.skipif(not FULL, reason=LONG)
        ),
        pytest.param(
            "clock set back and forth",
            [-DAY, DAY, -3_600, 3_600, 0],
            marks=pytest.mark.skipif(not FULL, reason=LONG),
        ),
    ],
)
def test_a_clock_that_is_set_while_a_fetch_runs_changes_nothing(
    *,
    name: str,
    steps: Sequence[int],
    clock: Clock,
    artefacts: Artefacts,
    undisturbed: Callable[[list[str]], pl.DataFrame],
    begin: Begin,
    record_property: Callable[[str, object], None],
) -> None:
    begin(
        Row(
            name,
            "the time of day is set while a process fetches at the limit of the quota",
            "zero 429, no longer wait than the quota's, the same frame",
        )
    )
    with sandbox(quota=10, per=1.0) as box:
        ids = box.world.customer_ids(25)
        child = Child(
            box,
            artefacts,
            ids,
            options={"quota": [10, 1.0]},
            environment=clock.environment,
        ).start()
        for number, seconds in enumerate(steps):
            end = time.monotonic() + PATIENCE
            while box.count() < 5 + number * 20 // len(steps) and child.process.poll() is None:
                assert time.monotonic() < end, "it does not go on"
                time.sleep(0.01)
            clock.step(seconds)
        ended = child.end()
        assert ended.frame is not None, ended.said
        off = datetime.fromisoformat(ended.now) - datetime.now(UTC)
        assert abs(off - timedelta(seconds=steps[-1])) < timedelta(minutes=5)  # it was so indeed
        assert ended.frame.equals(undisturbed(ids))
        assert box.count(429) == 0
        assert box.count(path=FUNCTION) == len(ids)
    record_property("times", len(steps))


@pytest.mark.skipif(not FULL, reason=LONG)
def test_an_answer_that_was_kept_in_the_future_is_not_taken_for_fresh(
    clock: Clock, artefacts: Artefacts, begin: Begin
) -> None:
    begin(
        Row(
            "answers from the future",
            "an answer that is good for a while is kept while the clock is a year ahead",
            "once the clock is right it is asked for again, not taken for fresh for a year",
        )
    )
    with sandbox(quota=1_000_000) as box:
        ids = box.world.customer_ids(3)
        span = ("2025-12-01", "2099-12-31")  # it has not settled whatever the day is
        for seconds, asked in ((365 * DAY, 3), (0, 6)):
            clock.step(seconds)
            child = Child(box, artefacts, ids, span=span, environment=clock.environment).start()
            ended = child.end()
            assert ended.frame is not None, ended.said
            assert box.count(path=FUNCTION) == asked
