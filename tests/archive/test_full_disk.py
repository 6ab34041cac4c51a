"""A disk that is full, a folder that may not be written, files that are cut or gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

import polars as pl
import pytest
from archive.states import answers, check_equal, rows
from archive.writers import Deed, opened
from faults.table import FULL, Row

from optimove_analysis import Archive
from optimove_analysis.archive import delta
from optimove_analysis.errors import OptimoveAnalysisError
from optimove_analysis.sandbox import Sandbox, sandbox

HALF = ("2025-01-01", "2025-06-30")
YEAR = ("2025-01-01", "2025-12-31")
KB = 1024
STEP = 4 * KB if FULL else 16 * KB
"""By so much the room grows that is left: a page, or some."""
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

DISK = Row(
    "archive: full disk",
    "a disk of 1 MB is full but for no room, 4 KB, and so on until there is enough for an update",
    "a clear error, the archive as before or after; with room the same call ends as undisturbed",
)
DAMAGE = Row(
    "archive: damaged files",
    "files of the tables and their logs are cut, gone or noise",
    "a clear error, never wrong numbers",
)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(quota=1_000_000) as started:
        yield started


@pytest.fixture
def deed(box: Sandbox, tmp_path: Path) -> Deed:
    ids = box.world.customer_ids(16)
    folder = tmp_path / "archive"
    return Deed(folder, box.url, box.api_key, tmp_path / "cache", ids[:8], HALF, buckets=2)


def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount a small disk, where that may be done."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if not ROOT or sys.platform != "linux" or subprocess.run(command, check=False).returncode:
        pytest.skip("a small disk can be mounted on Linux, by root, outside some containers")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", "size=1m")


@pytest.fixture
def disk_of_few_files(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", "size=4m", "nr_inodes=100")


def fill(disk: Path, room: int) -> Path:
    """Fill a disk but for some room; return what fills it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as grown, suppress(OSError):
        while True:
            grown.write(bytes(4 * KB))
    os.truncate(filler, filler.stat().st_size - room)
    return filler


def test_a_full_disk_is_a_clear_error_and_the_archive_is_whole(
    small_disk: Path, deed: Deed, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("fault", astuple(DISK))
    deed.do()
    more = deed.but(ids=deed.ids[:4], days=YEAR, options={"refresh": True})
    after = more.but(archive=tmp_path / "after")
    shutil.copytree(deed.archive, after.archive)
    after.do()
    before_and_after = [opened(deed.archive), opened(after.archive)]

    archive = small_disk / "archive"
    said: list[str] = []
    for room in range(0, 1024 * KB, STEP):
        shutil.rmtree(archive, ignore_errors=True)
        shutil.copytree(deed.archive, archive)
        filler = fill(small_disk, room)
        try:
            more.but(archive=archive).do()
        except OptimoveAnalysisError as error:
            said.append(str(error))
            there = opened(archive)
            assert any(
                rows(there).equals(rows(state)) and answers(there).equals(answers(state))
                for state in before_and_after
            ), room
        else:
            break
        finally:
            filler.unlink()
        more.but(archive=archive).do()
        check_equal(opened(archive), before_and_after[1])
    assert len(said) > 2
    for one in said:
        assert "The disk is full: make room, and do it again." in one
        assert "\x1b" not in one
    for table in ("coverage", "interactions"):
        assert any(f"{table} cannot be written" in one for one in said), said
    record_property("times", len(said))


def test_a_disk_without_room_for_a_new_archive_is_a_clear_error(
    small_disk: Path, deed: Deed
) -> None:
    filler = fill(small_disk, 0)
    first = deed.but(archive=small_disk / "archive")
    with pytest.raises(OptimoveAnalysisError, match="The disk is full: make room"):
        first.do()
    filler.unlink()
    first.do()
    deed.do()
    check_equal(opened(first.archive), opened(deed.archive))


def test_a_disk_without_room_for_the_lock_is_a_clear_error(
    disk_of_few_files: Path, deed: Deed
) -> None:
    deed.do()
    archive = disk_of_few_files / "archive"
    shutil.copytree(deed.archive, archive)
    (archive / ".lock").unlink()
    before = rows(opened(archive))
    fillers = []
    with suppress(OSError):
        for number in range(100):
            fillers.append(disk_of_few_files / str(number))
            fillers[-1].touch()
    more = deed.but(archive=archive, days=YEAR)
    with pytest.raises(OptimoveAnalysisError, match=r"No space left.* make room"):
        more.do()
    assert rows(opened(archive)).equals(before)
    for filler in fillers:
        filler.unlink(missing_ok=True)
    more.do()
    deed.but(days=YEAR).do()
    check_equal(opened(archive), opened(deed.archive))


def test_a_sum_of_the_log_that_cannot_be_written_costs_nothing(
    deed: Deed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta, "CHECKPOINT", 1)
    deed.do()
    log = Path(deed.archive) / "interactions" / "_delta_log"
    assert list(log.glob("*.checkpoint.parquet"))
    for version in range(2, 5):  # in the place of the next ones
        (log / f"{version:020}.checkpoint.parquet").mkdir()
    deed.but(options={"refresh": True}).do()
    archive = opened(deed.archive)
    assert archive.version > 1
    assert rows(archive)["customer_id"].n_unique() == len(deed.ids)
    assert all(Path(file).exists() for file in archive.files())


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _noise(path: Path) -> None:
    size = path.stat().st_size
    path.write_bytes((bytes(range(256)) * size)[:size])


def _data(table: str) -> Callable[[Archive], Path]:
    def find(archive: Archive) -> Path:
        if table == "interactions":
            return Path(archive.files()[0])
        opened_table = archive._tables.covered.opened()  # noqa: SLF001 - below what is public
        return Path(opened_table.file_uris()[0])

    return find


def _log(table: str) -> Callable[[Archive], Path]:
    return lambda archive: max(Path(archive.path, table, "_delta_log").glob("*.json"))


@pytest.mark.parametrize("harm", [_cut, _noise, Path.unlink], ids=["cut", "noise", "gone"])
@pytest.mark.parametrize(
    "what",
    [_data("interactions"), _data("coverage"), _log("interactions"), _log("coverage")],
    ids=["interactions", "coverage", "log of interactions", "log of coverage"],
)
def test_damage_is_a_clear_error_and_never_a_wrong_number(
    *,
    deed: Deed,
    harm: Callable[[Path], None],
    what: Callable[[Archive], Path],
    record_property: Callable[[str, object], None],
) -> None:
    record_property("fault", astuple(DAMAGE))
    deed.do()
    deed.but(days=YEAR).do()
    archive = opened(deed.archive)
    states = [rows(archive), rows(archive.as_of(1))]
    wanted = [rows(archive), answers(archive)]
    harm(what(archive))
    acts: list[Callable[[], object]] = [
        lambda: rows(archive),
        lambda: answers(archive),
        archive.info,
        lambda: deed.but(days=YEAR, options={"refresh": True}).do(),
        lambda: archive.forget(deed.ids[0]),
        archive.compact,
    ]
    failed = 0
    for act in acts:
        try:
            result = act()
        except OptimoveAnalysisError:
            failed += 1
        except pl.exceptions.PolarsError:  # of a plan that was made: polars says which file
            assert harm is _noise
            failed += 1
        else:
            if isinstance(result, pl.DataFrame) and act in acts[:1]:
                assert any(result.equals(state) for state in states)
    assert failed or harm is Path.unlink, wanted  # a log whose last entry is gone is an older state


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes there")
def test_a_folder_that_may_only_be_read_is_read_and_an_update_says_so(deed: Deed) -> None:
    powers: list[str] = []
    if ROOT:
        powers = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv to take that away")
    deed.do()
    folders = [Path(deed.archive), *filter(Path.is_dir, Path(deed.archive).rglob("*"))]
    Path(deed.archive, ".lock").chmod(0o400)
    for folder in folders:
        folder.chmod(0o500)
    program = f"""
from optimove_analysis import Archive, OptimoveClient
archive = Archive({str(deed.archive)!r})
print(archive.scan().collect().height, archive.coverage().collect().height)
archive.info()
with OptimoveClient({deed.url!r}, {deed.key!r}, cache_dir={str(deed.cache)!r}) as client:
    try:
        archive.update(client, ["000001"], "2025-01-01", "2025-12-31")
    except Exception as error:
        print(type(error).__name__, error)
"""
    try:
        run = subprocess.run(
            [*powers, sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    finally:
        for folder in folders:
            folder.chmod(0o700)
    read, refused = run.stdout.splitlines()
    archive = opened(deed.archive)
    assert read == f"{rows(archive).height} {answers(archive).height}"
    assert refused.startswith("OptimoveAnalysisError the archive")
    assert "is the folder yours?" in refused
