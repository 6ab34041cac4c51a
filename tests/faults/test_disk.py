"""A disk that is full, a folder that may not be written, a cache file that is not what it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from faults.children import Child, Ended
from faults.conftest import Artefacts, Begin, MakeClient, Promptly
from faults.damage import DAMAGES, MARKER, Damage
from faults.table import FULL, FUNCTION, LONG, YEAR, Row

from optimove_analysis.client import CacheWarning
from optimove_analysis.sandbox import Sandbox

MANY = 20
"""Customers whose answers do not fit on the disks here."""
Undisturbed = Callable[[list[str]], pl.DataFrame]
FULL_HOLDS = "the same frame, and a clear warning; the same again when there is room"
UNWRITABLE_HOLDS = "the same frame, and a clear warning"
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_cache_file_that_is_not_what_it_was_changes_no_number(
    *,
    damage: Damage,
    box: Sandbox,
    ids: list[str],
    artefacts: Artefacts,
    make_client: MakeClient,
    promptly: Promptly,
    undisturbed: Undisturbed,
    begin: Begin,
) -> None:
    begin(damage.row)
    path = _fill(make_client, ids)
    damage.do(path)
    path.with_name(f"{path.name}.earlier").unlink()
    for use in range(2):
        asked = box.count(path=FUNCTION)
        client = make_client()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            frame = promptly(partial(client.interactions, ids, *YEAR))
            client.close()
        assert frame.equals(undisturbed(ids)), use
        lost = box.count(path=FUNCTION) - asked
        warned = [one for one in seen if issubclass(one.category, CacheWarning)]
        artefacts.note("\n".join(str(one.message) for one in seen))
        assert warned or not lost or not damage.shows or use
        if damage.name.startswith("foreign:"):
            assert warned or use
    if damage.name.startswith("foreign:") and "pickle" not in damage.name:
        assert any(MARKER in one.read_bytes() for one in _files(path.parent)), "overwritten"
    assert not (path.parent / "harmed").exists(), "code from the file was run"


def _fill(make_client: MakeClient, ids: list[str]) -> Path:
    """Keep answers in two sittings, and the file as it was between them beside it."""
    for asking in (ids[: len(ids) // 2], ids):
        client = make_client()
        client.interactions(asking, *YEAR)
        path: Path = client.cache.path
        client.close()
        if asking is not ids:
            shutil.copyfile(path, f"{path}.earlier")
    return path


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.skipif(not FULL, reason=LONG)
def test_a_cache_file_that_another_program_never_lets_go_of_is_done_without(
    *,
    ids: list[str],
    make_client: MakeClient,
    promptly: Promptly,
    undisturbed: Undisturbed,
    begin: Begin,
) -> None:
    begin(
        Row(
            "cache locked",
            "another program holds the file's lock all the time",
            "the same frame within seconds, and a clear warning",
        )
    )
    path = _fill(make_client, ids[:2])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        client = make_client()
        with pytest.warns(CacheWarning):
            frame = promptly(lambda: client.interactions(ids, *YEAR))
        assert frame.equals(undisturbed(ids))


def _ends_well(ended: Ended, undisturbed: Undisturbed, ids: list[str], *, warns: bool) -> None:
    assert ended.frame is not None, ended.said
    assert ended.frame.equals(undisturbed(ids))
    assert any(one.startswith("CacheWarning") for one in ended.warnings) is warns, ended.warnings


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files there")
def test_a_disk_without_room_for_the_cache_costs_no_answer(
    *,
    box: Sandbox,
    artefacts: Artefacts,
    make_client: MakeClient,
    promptly: Promptly,
    undisturbed: Undisturbed,
    begin: Begin,
) -> None:
    begin(Row("disk full", "no file may grow beyond 48 KB", FULL_HOLDS))
    ids = box.world.customer_ids(MANY)
    ended = Child(box, artefacts, ids, more={"largest": 48 * 1024}).start().end()
    _ends_well(ended, undisturbed, ids, warns=True)
    asked = box.count(path=FUNCTION)
    assert promptly(partial(make_client().interactions, ids, *YEAR)).equals(undisturbed(ids))
    assert box.count(path=FUNCTION) - asked <= MANY


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of a quarter of a megabyte, where that may be done."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if not ROOT or sys.platform != "linux" or subprocess.run(command, check=False).returncode:
        pytest.skip("a small disk can be mounted on Linux, by root, outside some containers")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(not FULL, reason=LONG)
@pytest.mark.parametrize("filled", [0, 256], ids=["runs full", "is full"])
def test_a_small_disk_that_is_full_costs_no_answer(
    *,
    filled: int,
    small_disk: Path,
    box: Sandbox,
    artefacts: Artefacts,
    undisturbed: Undisturbed,
    begin: Begin,
) -> None:
    when = "is full before" if filled else "runs full within"
    begin(
        Row(
            f"small disk {'is full' if filled else 'runs full'}",
            f"a disk of 256 KB, for cache and state, {when} the fetch",
            FULL_HOLDS,
        )
    )
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as grown:
        try:
            for _ in range(filled + 1 if filled else 32):
                grown.write(bytes(1024))
        except OSError:
            assert filled
    ids = box.world.customer_ids(10 * MANY)
    cache, state = small_disk / "cache", small_disk / "state"
    ended = Child(box, artefacts, ids, cache=cache, state=state).start().end()
    _ends_well(ended, undisturbed, ids, warns=True)
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    _ends_well(
        Child(box, artefacts, ids, cache=cache, state=state).start().end(),
        undisturbed,
        ids,
        warns=False,
    )


def _in_a_file(folder: Path) -> Path:
    (folder / "a-file").write_text("here I stand")
    return folder / "a-file" / "cache"


def _in_proc(_: Path) -> Path:
    if sys.platform != "linux":
        pytest.skip("there is a folder that nobody can write to on Linux alone")
    return Path("/proc/optimove-analysis")


def _closed(folder: Path) -> Path:
    closed = folder / "closed"
    closed.mkdir(mode=0o500)
    return closed / "cache"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("a file is where the cache folder should be", _in_a_file),
        pytest.param(
            "a cache folder that nobody can make",
            _in_proc,
            marks=pytest.mark.skipif(not FULL, reason=LONG),
        ),
        pytest.param(
            "a cache folder that may not be written",
            _closed,
            marks=pytest.mark.skipif(not FULL, reason=LONG),
        ),
    ],
)
def test_a_folder_that_cannot_be_written_costs_no_answer(
    *,
    name: str,
    where: Callable[[Path], Path],
    box: Sandbox,
    ids: list[str],
    artefacts: Artefacts,
    undisturbed: Undisturbed,
    begin: Begin,
) -> None:
    begin(
        Row(name, "the cache is to be there, and what processes tell each other", UNWRITABLE_HOLDS)
    )
    folder = where(artefacts.folder)
    before = _without_powers() if where is _closed else []
    child = Child(box, artefacts, ids, cache=folder, state=folder.parent / "state", before=before)
    _ends_well(child.start().end(), undisturbed, ids, warns=True)


@pytest.mark.skipif(not FULL, reason=LONG)
def test_a_cache_that_may_only_be_read_costs_no_answer(
    *,
    box: Sandbox,
    ids: list[str],
    artefacts: Artefacts,
    make_client: MakeClient,
    undisturbed: Undisturbed,
    begin: Begin,
) -> None:
    begin(
        Row(
            "a cache that may only be read",
            "the cache holds half of the answers, and neither it nor its folder may be written",
            UNWRITABLE_HOLDS,
        )
    )
    path = _fill(make_client, ids[:2])
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        child = Child(box, artefacts, ids, cache=path.parent, before=_without_powers())
        _ends_well(child.start().end(), undisturbed, ids, warns=True)
    finally:
        path.parent.chmod(0o700)


def _without_powers() -> list[str]:
    """Return what runs a program for which the modes of files hold, be it root's."""
    if not ROOT:
        return []
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv to take that away")
    return command
