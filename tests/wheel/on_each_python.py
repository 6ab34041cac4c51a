"""Installs the wheel where nothing else is, on each Python, and runs the tests from there.

``make wheel`` calls it with the Pythons to try; one that is not there is named and left out. The
checkout is out of sight: tests and data come from the source archive, without the package.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Final

from wheel.contents import ROOT, build_sdist, build_wheel, wrong

# In versions of the lock, like all that is developed with.
TOOLS: Final = (
    "chdb",
    "duckdb",
    "hypothesis",
    "keyring",
    "lifelines",
    "pandas",
    "playwright",
    "pyarrow",
    "pytest",
    "pytest-xdist",
    "statsmodels",
)
QUICK: Final = (
    "tests/analysis/test_agreement.py",
    "tests/analysis/test_channel_mix.py",
    "tests/analysis/test_funnel.py",
    "tests/analysis/test_sample.py",
    "tests/charts/test_funnel.py",
    "tests/charts/test_save.py",
    "tests/client/test_client.py",
    "tests/client/test_sandbox_process.py",
    "tests/commands/test_fetch.py",
    "tests/commands/test_report.py",
    "tests/commands/test_words.py",
    "tests/forms/test_form.py",
    "tests/report/test_from_template.py",
    "tests/report/test_page.py",
    "tests/sandbox/test_server.py",
    "tests/test_catalogue.py",
    "tests/test_errors.py",
    "tests/test_package.py",
    "tests/test_schema.py",
    "tests/traces",
)
WHOLE: Final = (
    "tests/analysis",
    "tests/charts",
    "tests/client",
    "tests/commands",
    "tests/forms",
    "tests/report",
    "tests/sandbox",
    "tests/traces",
    *(
        f"tests/{path.name}"
        for path in sorted((ROOT / "tests").glob("test_*.py"))
        # What these name, make's targets and files to be changed, is in a checkout alone.
        if path.name not in {"test_contributing.py", "test_readme.py"}
    ),
)


def _run(*command: object, cwd: Path) -> str:
    """Run a command to its end; what it says is shown where it fails."""
    environment = {name: it for name, it in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout[-20_000:], done.stderr[-5_000:], sep="\n")
        sys.exit(f"{' '.join(map(str, command[:6]))} ... ended with {done.returncode}.")
    return done.stdout


def _version(python: str) -> str:
    found = shutil.which(python)
    if found is None:
        return ""
    said = subprocess.run([found, "--version"], check=False, capture_output=True, text=True)
    return said.stdout.strip() if said.returncode == 0 else ""


def _megabytes(folder: Path) -> float:
    return sum(it.lstat().st_size for it in folder.rglob("*") if it.is_file()) / 1e6


def _lay_out(sdist: Path, place: Path) -> None:
    """Lay out what the source archive holds, but the package: it is to come from the wheel."""
    with tarfile.open(sdist) as archive:
        archive.extractall(place.parent / "unpacked", filter="data")
    (only,) = (place.parent / "unpacked").iterdir()
    only.rename(place)
    shutil.rmtree(place / "optimove_analysis")


def _try(python: str, sdist: Path, wheel: Path, tests: tuple[str, ...], workers: str) -> str:
    """Install and test; return a line that says how it went."""
    with tempfile.TemporaryDirectory(prefix="optimove-wheel-") as name:
        folder, began = Path(name), time.monotonic()
        own, place = folder / "bin" / "python", folder / "checkout"
        uv = (sys.executable, "-m", "uv")
        _run(*uv, "venv", "--quiet", "--no-project", "--python", python, folder, cwd=ROOT)
        lock = ("--constraint", ROOT / "requirements-dev.lock")
        install = (*uv, "pip", "install", "--quiet", "--python", own, *lock)
        _run(*install, wheel, cwd=folder)
        size, installed = _megabytes(folder / "lib"), time.monotonic()
        # As a user has it: no tool is there that another package would have brought.
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        block = re.search(r"^```python\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL)
        assert block, "the README has a block of Python"
        _run(own, "-W", "error", "-c", block[1], cwd=folder)
        _run(*install, *TOOLS, cwd=folder)
        _lay_out(sdist, place)
        where = "import optimove_analysis as it; print(it.__file__)"
        seen = _run(own, "-c", where, cwd=place)
        assert Path(seen.strip()).is_relative_to(folder / "lib"), seen
        started = time.monotonic()
        there = [each for each in tests if (place / each).exists()]
        said = _run(
            *(own, "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal"),
            *("-p", "no:cacheprovider", *there),
            cwd=place,
        )
        ended = time.monotonic()
        outcome = said.strip().splitlines()[-1].split(" in ")[0]
        return (
            f"wheel and what it needs {size:.0f} MB, installed in {installed - began:.0f} s; "
            f"{outcome} in {ended - started:.0f} s"
        )


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pythons", nargs="+", help="names on the PATH, or paths")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--whole", action="store_true", help="all tests that can run there")
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    sdist, wheel = build_sdist(options.out), build_wheel(options.out)
    for each in (sdist, wheel):
        print(f"{each.name}: {each.stat().st_size / 1e6:.1f} MB")
    if found := wrong(wheel):
        sys.exit("The wheel misses (-) or should not hold (+):\n" + "\n".join(found))
    versions = {python: _version(python) for python in options.pythons}
    for python, version in versions.items():
        if not version:
            print(f"{python}: not on this machine, left out")
            continue
        tests = WHOLE if options.whole else QUICK
        print(f"{version}: {_try(python, sdist, wheel, tests, options.workers)}", flush=True)
    if not any(versions.values()):
        sys.exit("None of these Pythons is on this machine.")


if __name__ == "__main__":
    _main()
