"""Checks of what a client stands on, each with what was found and what to do about it.

One request is sent, and only by `check_api`.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, Literal

import requests
from filelock import FileLock, Timeout

from optimove_analysis.client.cache import Cache
from optimove_analysis.client.cache_info import size_text
from optimove_analysis.client.convert import loads
from optimove_analysis.client.endpoints import LAST_UPDATE_PATH
from optimove_analysis.client.inputs import as_day
from optimove_analysis.client.judge import TryAgainError, judge
from optimove_analysis.client.presence import Presence
from optimove_analysis.client.quota import Quota
from optimove_analysis.client.settings import Settings
from optimove_analysis.client.transport import connect
from optimove_analysis.errors import AuthError, OptimoveAnalysisError, QuotaError

__all__ = [
    "Check",
    "check_api",
    "check_cache",
    "check_dotenv",
    "check_quota",
    "check_state",
    "check_versions",
]

State = Literal["ok", "warning", "fails"]

_SHOWN: Final = ("polars", "requests-cache")
_JSON_BUILT_IN: Final = (3, 38)  # sqlite.org/json1.html, read 2026-11: optional before that
_LITTLE: Final = 500_000_000
"""Bytes of disk that an audience may well need."""
_SKEW: Final = 60.0
"""Seconds by which two clocks may differ; the server's Date has whole seconds."""
_OTHERS: Final = 0o077
"""What in a file's mode lets others in."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    >>> print(Check("cache folder", "fails", "it is not writable.", "Give another --cache-dir."))
    fails    cache folder: it is not writable. Give another --cache-dir.
    """

    name: str
    state: State
    found: str
    todo: str = ""
    """What to do about it; empty where nothing is to be done."""

    def as_dict(self) -> dict[str, str]:
        """Return it as plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.state:<7}  {self.name}: {self.found} {self.todo}".rstrip()


def check_versions() -> list[Check]:
    """Check Python, SQLite, and the packages against what this one requires of them."""
    version = importlib.metadata.version("optimove-analysis")
    wanting = []
    for text in importlib.metadata.requires("optimove-analysis") or []:
        if "extra ==" in text:
            continue
        name, least = re.match(r"([\w.-]+)(?:>=([\d.]+))?", text).groups()  # type: ignore[union-attr] # our own pyproject.toml
        try:
            seen = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wanting.append(f"{name} is not installed")
            continue
        if least and _numbers(seen) < _numbers(least):
            wanting.append(f"{name} is {seen}, {least} or newer is needed")
    shown = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _SHOWN)
    system = f"Python {platform.python_version()} on {platform.system()}"
    if wanting:
        todo = "pip install --upgrade optimove-analysis"
        packages = Check("packages", "fails", "; ".join(wanting) + ".", todo)
    else:
        packages = Check("packages", "ok", f"optimove-analysis {version}, {shown}; {system}.")
    found = f"{sqlite3.sqlite_version}."
    if sqlite3.sqlite_version_info >= _JSON_BUILT_IN:
        return [packages, Check("SQLite", "ok", found)]
    return [packages, Check("SQLite", "fails", found, "Version 3.38 or newer is needed.")]


def check_dotenv(folder: Path) -> Check | None:
    """Check that a folder's ``.env`` file is nobody else's to read; None: there is none."""
    dotenv = folder / ".env"
    if not dotenv.is_file():
        return None
    found, todo = f"{dotenv} is readable by you alone, and not in git's reach.", ""
    if _git(folder, "ls-files", "--error-unmatch", ".env") == 0:
        found = f"{dotenv} is committed to a git repository."
        todo = "Have its key rotated, and take it out: git rm --cached .env"
    elif _git(folder, "rev-parse") == 0 and _git(folder, "check-ignore", "--quiet", ".env") == 1:
        found = f"{dotenv} is in a git repository that does not ignore it."
        todo = "Add a line .env to .gitignore, so that no key is committed."
    elif os.name == "posix" and dotenv.stat().st_mode & _OTHERS:
        found, todo = f"{dotenv} can be read by other users.", "chmod 600 .env"
    return Check(".env file", "warning" if todo else "ok", found, todo)


def check_cache(folder: Path, file: Path | None = None) -> list[Check]:
    """Check a cache folder, and an account's file in it if there is one."""
    problem = _unwritable(folder)
    if problem:
        todo = "Give another with --cache-dir or OPTIMOVE_CACHE; without one, nothing is kept."
        return [Check("cache folder", "fails", f"{folder} is not writable ({problem}).", todo)]
    free = shutil.disk_usage(folder).free
    found = f"{folder} is writable; {size_text(free)} are free."
    checks = [
        Check("cache folder", "ok", found)
        if free > _LITTLE
        else Check("cache folder", "warning", found, "Make room: a full disk keeps nothing.")
    ]
    if file is None:
        return checks
    if not file.exists():
        return [*checks, Check("cache file", "ok", "this account has none yet.")]
    # Looked at before it is opened, which takes others' rights away.
    open_to_others = os.name == "posix" and bool(file.stat().st_mode & _OTHERS)
    cache = Cache(file)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        info = cache.info()
        cache.close()
    found = f"{info.entries:,} answers in {size_text(info.size)}."
    if said:
        checks.append(Check("cache file", "warning", str(said[0].message)))
    elif open_to_others:
        todo = "It now is yours alone; see who has read it: it holds customer ids."
        checks.append(Check("cache file", "warning", f"{found} Other users could read it.", todo))
    else:
        checks.append(Check("cache file", "ok", f"{found} Readable by you alone."))
    return checks


def check_state(folder: Path) -> Check:
    """Check that processes can tell each other what they send: a folder, and locks that hold."""
    todo = "Name a folder on a disk of this machine with OPTIMOVE_STATE; else processes that share "
    todo += "a key do not share its quota."
    problem = _unwritable(folder)
    if problem:
        return Check("state folder", "fails", f"{folder} is not writable ({problem}).", todo)
    try:
        presence = Presence(folder / "alive")
        works = presence.alive(presence.token) and _locks_hold(folder)
    except OSError as error:
        return Check("state folder", "fails", f"{folder} has no locks ({error}).", todo)
    if not works:
        return Check("state folder", "fails", f"{folder}: two could hold one lock.", todo)
    return Check("state folder", "ok", f"{folder} is writable, and its locks hold.")


def check_quota(quota: Quota) -> Check:
    """Check that the ledger of what was sent can be read."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        wait = quota.eta(1)
    if said:
        return Check("quota", "warning", str(said[0].message))
    limits = " and ".join(f"{limit:,} requests in {per:g} s" for limit, per in quota.limits)
    when = f"in {wait:.0f} s" if wait else "at once"
    return Check("quota", "ok", f"{limits}; the next request can be sent {when}.")


def check_api(settings: Settings, quota: Quota) -> list[Check]:
    """Check connection, key, clock and data by one request, of GetLastDataUpdate."""
    url = f"{settings.url}/current/{LAST_UPDATE_PATH}"
    session = connect(settings)
    try:
        with quota.slot():
            before = time.time()
            response = session.get(url, timeout=settings.timeout, allow_redirects=False)
            after = time.time()
    except requests.exceptions.RequestException as error:
        kind = type(error).__name__
        todo = "Is the instance right, and the network up?"
        return [Check("connection", "fails", f"no answer from {settings.url} ({kind}).", todo)]
    finally:
        session.close()
    connection = Check(
        "connection", "ok", f"{settings.url} answered in {1000 * (after - before):,.0f} ms."
    )
    return [connection, _clock(response, before, after), *_key_and_data(response, settings)]


def _key_and_data(response: requests.Response, settings: Settings) -> list[Check]:
    works = Check("key", "ok", "the API accepts it.")
    unsaid = "data_through then is the end of the range or the day of the fetch."
    try:
        judge(response, "GetLastDataUpdate", "object", settings)
        day = as_day(loads(response.content).get("Date"))
    except TryAgainError as error:
        state: State = "warning" if isinstance(error.error, QuotaError) else "fails"
        return [Check("key", state, str(error.error), "Try again in a while.")]
    except AuthError as error:
        if error.status == requests.codes.unauthorized:
            return [Check("key", "fails", str(error), "Store the right one: see login --help.")]
        return [Check("key", "warning", str(error), f"Other calls may be allowed; {unsaid}")]
    except OptimoveAnalysisError as error:
        # Optimove's own test environment is known not to say.
        return [works, Check("last data update", "warning", str(error), unsaid)]
    days = (date.today() - day).days  # noqa: DTZ011 - the account's zone is not documented
    ago = {0: "today", 1: "yesterday"}.get(days, f"{days:,} days ago")
    found = f"the data is complete through {day}, {ago}."
    return [works, Check("last data update", "ok", found)]


def _clock(response: requests.Response, before: float, after: float) -> Check:
    clock = time.get_clock_info("monotonic")
    if not clock.monotonic or clock.adjustable:
        todo = "The quota goes by it: leave it a margin."
        return Check("clock", "warning", "this system's monotonic clock can be set.", todo)
    try:
        there = parsedate_to_datetime(response.headers.get("Date", ""))
        there = there if there.tzinfo else there.replace(tzinfo=UTC)
    except ValueError:
        return Check("clock", "warning", "the server does not say what time it is.")
    # Seconds outside the time in which it answered, so that a slow answer is no skew.
    seen = there.timestamp()
    skew = max(before - seen - 1, seen - after, 0.0)
    if skew > _SKEW:
        here = datetime.fromtimestamp(after, UTC)
        times = [f"{at:%Y-%m-%d %H:%M:%S}" for at in (here, there)]
        found = f"this computer's clock says {times[0]} UTC, the server's {times[1]}."
        todo = "Set it: how long answers are kept goes by it."
        return Check("clock", "warning", found, todo)
    return Check("clock", "ok", "it agrees with the server's to a minute.")


def _locks_hold(folder: Path) -> bool:
    """Tell whether a lock that is held is not given out again."""
    with tempfile.TemporaryDirectory(dir=folder) as room:
        one, other = (FileLock(Path(room) / "lock", fallback_to_soft=False) for _ in range(2))
        try:
            with one.acquire(blocking=False):
                try:
                    other.acquire(blocking=False)
                except Timeout:
                    return True
                other.release()
                return False
        except NotImplementedError as error:
            raise OSError(str(error)) from error


def _unwritable(folder: Path) -> str:
    """Return why a folder cannot be written to; the folder is made where absent."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"?")
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _git(folder: Path, *arguments: str) -> int | None:
    """Return git's exit status; None where there is no git."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell
    except OSError:
        return None
    return done.returncode


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]
