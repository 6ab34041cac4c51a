"""Sandbox, proxy, clients and children for the faults; the search of what they leave; the table."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import polars as pl
import pytest
from faults.artefacts import leaks
from faults.proxy import FaultProxy
from faults.table import FULL, FUNCTION, IDS, PATIENCE, YEAR, Row

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox, sandbox

_Result = TypeVar("_Result")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """Serve an account whose quota no test here comes near; a test counts by what it adds."""
    with sandbox(quota=1_000_000) as started:
        yield started


@dataclass
class Artefacts:
    """What a test's clients and processes wrote and said, all beneath one folder."""

    folder: Path
    keys: list[str]
    notes: int = 0

    def note(self, text: str | bytes) -> None:
        """Keep what was said."""
        self.notes += 1
        content = text.encode(errors="backslashreplace") if isinstance(text, str) else text
        (self.folder / f"said-{self.notes}.txt").write_bytes(content)

    def note_error(self, error: BaseException) -> None:
        """Keep an exception as a debugger shows it, with the variables of all frames."""
        errors: list[BaseException | None] = [error]
        while errors:
            one = errors.pop()
            if one is not None:
                shown = traceback.TracebackException.from_exception(one, capture_locals=True)
                # The variables of the tests are not the client's to hide.
                frames = [f for f in shown.stack if "/faults/" not in Path(f.filename).as_posix()]
                self.note(f"{one!r}\n{one.args!r}\n{[frame.locals for frame in frames]!r}")
                errors += [one.__cause__, one.__context__]

    def search(self) -> None:
        """Fail if a key is in anything that was written or said until now."""
        assert not leaks(self.folder, *self.keys)


@pytest.fixture
def artefacts(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    box: Sandbox,
) -> Iterator[Artefacts]:
    """Collect all that is written and said, logs at DEBUG too; search it for the key at the end."""
    monkeypatch.setenv("OPTIMOVE_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    handler = logging.FileHandler(tmp_path / "log.txt")
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    collected = Artefacts(tmp_path, [box.api_key])
    yield collected
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()
    said = capfd.readouterr()
    collected.note(said.out + said.err)
    collected.search()


@pytest.fixture
def promptly(artefacts: Artefacts) -> Callable[[Callable[[], _Result]], _Result]:
    """Call what must come back, with a result or an error, and fail if it does not."""

    def call(what: Callable[[], _Result]) -> _Result:
        results: list[_Result] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(what())
            except BaseException as error:  # noqa: BLE001 - raised again below
                errors.append(error)

        thread = Thread(target=run, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive(), f"it has not come back after {PATIENCE} s"
        for error in errors:
            artefacts.note_error(error)
            raise error
        return results[0]

    return call


@pytest.fixture
def proxy(box: Sandbox) -> Iterator[FaultProxy]:
    """Stand between clients and the sandbox."""
    with FaultProxy(box.url, FUNCTION) as started:
        yield started


MakeClient = Callable[..., OptimoveClient]


@pytest.fixture
def make_client(box: Sandbox, artefacts: Artefacts) -> Iterator[MakeClient]:
    """Make clients that wait for no quota, and whose waits between tries are short by chance."""
    made: list[OptimoveClient] = []

    def make(url: str | None = None, cache: str = "cache", **options: Any) -> OptimoveClient:
        options.setdefault("quota", (10_000, 1.0))
        client = OptimoveClient(
            url or box.url, box.api_key, cache_dir=artefacts.folder / cache, **options
        )
        # The jitter is drawn from 0..1; to draw low is a matter of luck, which is not tested here.
        client._session._chance = lambda: 0.02  # noqa: SLF001 - no other way in
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def ids(box: Sandbox) -> list[str]:
    """Return the customers to ask for."""
    return box.world.customer_ids(IDS)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], pl.DataFrame]:
    """Return what a fetch gives that nothing befalls; it is the same for every sandbox."""
    frames: dict[tuple[str, ...], pl.DataFrame] = {}

    def fetch(ids: list[str]) -> pl.DataFrame:
        asked = tuple(ids)
        if asked not in frames:
            folder = tmp_path_factory.mktemp("undisturbed")
            with (
                sandbox(quota=1_000_000) as box,
                OptimoveClient(
                    box.url, box.api_key, cache_dir=folder, quota=(10_000, 1.0)
                ) as client,
            ):
                frames[asked] = client.interactions(ids, *YEAR, progress=False)
                assert frames[asked].height > len(ids)
        return frames[asked]

    return fetch


Begin = Callable[[Row], None]
Promptly = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def begin(record_property: Callable[[str, object], None]) -> Begin:
    """Say which row of the table a test is of."""

    def say(row: Row) -> None:
        record_property("fault", (row.name, row.done, row.holds))

    return say


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, as Markdown, where all was done."""
    if not FULL:
        return
    told: list[tuple[float, tuple[str, ...], str, int]] = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            known = dict(report.user_properties)
            if "fault" in known and (report.when == "call" or outcome == "failed"):
                told.append((report.start, tuple(known["fault"]), outcome, known.get("times", 1)))
    rows: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for _, row, outcome, times in sorted(told):
        rows.setdefault(row, []).append((outcome, times))
    say = terminalreporter.write_line
    say("")
    say("| fault | what is done | what must hold | held | times |")
    say("| --- | --- | --- | --- | --- |")
    for row, results in rows.items():
        outcomes = {outcome for outcome, _ in results}
        held = "**no**" if "failed" in outcomes else "yes" if "passed" in outcomes else "not tried"
        done = sum(times for outcome, times in results if outcome != "skipped")
        say(f"| {' | '.join(row)} | {held} | {done} |")
