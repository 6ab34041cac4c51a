"""What all tests rest on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A shell starts what stands before an & with Ctrl-C ignored, and so do some CI systems; processes
# inherit that. The tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, and nothing of what it tries.
settings.register_profile(
    # Each run tries other worlds: what one has not found another will.
    "any machine",
    max_examples=35,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

_KEY = re.compile(rb"sandbox-[0-9a-f]{16}")
"""What the keys of sandboxes look like: in no artefact of a test may one be."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


def pytest_configure(config: pytest.Config) -> None:
    """Keep out of the user's own folders what no test has given a place to."""
    folder = tempfile.mkdtemp(prefix="optimove-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    for name in ("OPTIMOVE_CACHE", "OPTIMOVE_STATE"):
        os.environ[name] = os.path.join(folder, name.lower())  # noqa: PTH118 - a text is wanted
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture(autouse=True)
def no_key_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that has left a sandbox's key in a file, unless it is marked as one that must."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is None or request.node.get_closest_marker("holds_a_key"):
        return
    for path in filter(Path.is_file, folder.rglob("*")):
        if _KEY.search(path.read_bytes()):
            pytest.fail(f"a sandbox's key is left in {path.relative_to(folder)}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start early what takes long and is not to be parted.

    xdist gives each worker a run of neighbours, and who has none left takes over the end of
    another's. So what stands first stays with one worker: the tests in a browser, which share
    servers that take long to start. The two tests that wait for the quota, and need no core for
    that, begin the runs of others.
    """
    in_browser = [item for item in items if item.path.parent.name == "browser"]
    waiting = [item for item in items if item.path.name == "test_throughput.py"]
    apart = {*in_browser, *waiting}
    others = [item for item in items if item not in apart]
    ordered = in_browser + others
    for number, item in enumerate(waiting, start=2):
        ordered.insert(number * len(ordered) // 4, item)
    items[:] = ordered


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have measured, which are no tests."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"measured: {name}: {value}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that has printed or logged a sandbox's key, unless it is marked."""
    report = yield
    if report.when == "teardown" and report.passed and not item.get_closest_marker("holds_a_key"):
        said = [name for name, text in report.sections if _KEY.search(text.encode())]
        if said:
            report.outcome = "failed"
            report.longrepr = f"a sandbox's key was said in {', '.join(said)}"
    return report


@pytest.fixture
def state_dir() -> Path:
    """Return the folder where processes tell each other what they send."""
    return Path(os.environ["OPTIMOVE_STATE"])


@pytest.fixture(scope="session")
def once(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Callable[[Path], object]], Path]:
    """Give a folder that is made once for all workers: by a name, and what fills it.

    Each worker has fixtures of its own, and one whose tests are parted is made by several.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with FileLock(root / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Find a real Chromium; where there is none, what needs it is skipped and says so."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - few tests need it

    with sync_playwright() as playwright:
        found = Path(CHROMIUM or playwright.chromium.executable_path)
    if not found.exists():
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Open it; for a module's tests only, since it keeps the thread's event loop."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - few tests need it

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
