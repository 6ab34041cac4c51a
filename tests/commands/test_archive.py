"""``archive``: tables that grow, are looked at, cleaned, and hold nothing of who is erased."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from commands.running import COMMAND, RANGE, Command

from optimove_analysis import Archive
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import FAILURES, INTERACTIONS

UPDATE = ("archive", "update", "years", "ids.csv", *RANGE, "--quota", "10000/1")
ASKED = "GetCustomerChannelInteractions"


def fetched(command: Command) -> pl.DataFrame:
    """Return what ``fetch`` writes of the same customers and days, in the order of its columns."""
    done = command.inside(
        "fetch", "ids.csv", *RANGE, "-o", "fetched.parquet", "--cache-dir", "apart"
    )
    assert done.returncode in (0, 3), done.stderr
    return pl.read_parquet(command.folder / "fetched.parquet")


def held(path: Path) -> pl.DataFrame:
    return Archive(path).scan().collect().sort(INTERACTIONS.names)


def every_byte(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_an_update_holds_what_a_fetch_gives_and_the_second_one_asks_for_nothing(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    first = command(*UPDATE)
    assert first.returncode == 0, first.stderr
    frame = fetched(command)
    assert held(tmp_path / "years").equals(frame.sort(INTERACTIONS.names))
    assert first.stdout == (
        f"{frame.height:,} interactions of 12 customers came, 0 of 12 needed none; 13 requests "
        f"sent: {tmp_path / 'years'}\n"
    )
    served = len(box.log)
    again = command.inside(*UPDATE, "--json")
    assert json.loads(again.stdout) == {
        "path": str(tmp_path / "years"),
        "version": 1,
        "customers": 12,
        "answers": 0,
        "rows": 0,
        "needed_none": 12,
        "failed": 0,
        "requests_sent": 0,
        "failures": None,
    }
    assert len(box.log) == served
    assert command.inside(*UPDATE, "--refresh", "--quiet").stdout == ""
    assert len(box.log) == served + len(ids)
    assert held(tmp_path / "years").equals(frame.sort(INTERACTIONS.names))


def test_who_fails_is_a_table_and_status_3_and_comes_the_next_time(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    box.answer(ASKED, status=400, body=b"odd", times=2)
    some = command.inside(*UPDATE, "--failures", "failures.csv")
    assert some.returncode == 3, some.stderr
    assert ", 0 of 12 needed none, 2 failed; 13 requests sent" in some.stdout
    failures = pl.read_csv(tmp_path / "failures.csv", schema=FAILURES.schema)
    assert failures["status"].to_list() == [400, 400]
    there = set(Archive(tmp_path / "years").coverage().collect()["customer_id"])
    assert there == set(ids) - set(failures["customer_id"])

    rest = command.inside(*UPDATE, "--failures", "failures.csv")
    assert rest.returncode == 0
    assert " of 2 customers came, 10 of 12 needed none; " in rest.stdout
    assert pl.read_csv(tmp_path / "failures.csv").is_empty()
    assert held(tmp_path / "years").equals(fetched(command).sort(INTERACTIONS.names))

    box.answer(ASKED, status=400, body=b"odd", times=len(ids))
    stopped = command.inside(*UPDATE, "--refresh")
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert len(stopped.stderr.splitlines()) == 1
    assert held(tmp_path / "years").equals(fetched(command).sort(INTERACTIONS.names))


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent otherwise on Windows")
def test_interrupted_it_says_so_in_one_line_and_goes_on_from_there(tmp_path: Path) -> None:
    with sandbox(quota=100_000, delays=lambda: 0.1) as box:
        command = Command(tmp_path, box)
        some = [f"{number:06}" for number in range(1, 41)]
        (tmp_path / "ids.csv").write_text("\n".join(some), encoding="utf-8")
        with command.start(*UPDATE, "--threads", 2) as process:
            while box.count(path=ASKED) < 5:
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            said, complained = process.communicate(timeout=60)
        assert process.returncode == 130
        assert said == ""
        assert complained == (
            "\noptimove-analysis: interrupted. What had come is kept, in the archive or in the "
            "cache: the same command goes on from there.\n"
        )
        assert command.inside(*UPDATE).returncode == 0
        # Nothing is asked for twice but what was under way.
        assert len(some) <= box.count(path=ASKED) <= len(some) + 2
        assert held(tmp_path / "years").equals(fetched(command).sort(INTERACTIONS.names))


def test_it_says_what_is_there_and_what_cleaning_has_freed(
    command: Command, ids: list[str], tmp_path: Path
) -> None:
    for _ in range(2):
        assert command.inside(*UPDATE, "--refresh", "--buckets", 3).returncode == 0
    rows = held(tmp_path / "years")
    text = command.inside("archive", "info", "years").stdout
    assert f"{rows.height:,} interactions of 12 customers, 2025-01-01 to 2025-10-31" in text
    said = json.loads(command("archive", "info", "years", "--json").stdout)
    files = list((tmp_path / "years" / "interactions").glob("bucket=*/*.parquet"))
    assert (said["buckets"], said["rows"], said["customers"]) == (3, rows.height, len(ids))
    assert said["files"] + said["files_of_history"] == len(files)

    other = command.inside(*UPDATE, "--buckets", 4)
    assert other.returncode == 1
    assert "was made with 3 buckets" in other.stderr

    kept = command.inside("archive", "compact", "years")
    assert kept.stdout.startswith("0 B freed; what was there in the last 168 hours can still be")
    before = len(every_byte(tmp_path / "years"))
    freed = json.loads(
        command.inside("archive", "compact", "years", "--keep", "0d", "--json").stdout
    )
    # All but the log, which tells of the cleaning.
    assert 0 < freed["freed"] == before - len(every_byte(tmp_path / "years"))
    assert freed["files_of_history"] == 0
    assert held(tmp_path / "years").equals(rows)


def test_who_is_erased_is_in_no_byte_of_archive_and_cache(
    command: Command, ids: list[str], tmp_path: Path
) -> None:
    (tmp_path / "ids.csv").write_text("841231\n772901\n550011\n000001\n", encoding="utf-8")
    assert command.inside(*UPDATE).returncode == 0
    for gone in ("841231", "772901", "550011"):
        assert gone.encode() in every_byte(tmp_path / "cache")
    asked = command.inside("archive", "forget", "years", "841231")
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert "841231" in held(tmp_path / "years")["customer_id"]

    one = command.inside("archive", "forget", "years", "841231", "--yes")
    assert one.returncode == 0, one.stderr
    assert "cache forget ID --all" in one.stdout
    assert "841231" not in held(tmp_path / "years")["customer_id"]
    assert b"841231" not in every_byte(tmp_path / "years")
    assert b"841231" in every_byte(tmp_path / "cache")

    (tmp_path / "gone.csv").write_text("772901\n841231\n", encoding="utf-8")
    forget = ("archive", "forget", "years", "550011", "--customers", "gone.csv", "--with-cache")
    # No account is named, and no key is needed.
    all_of_them = command(*forget, "--yes", OPTIMOVE_INSTANCE="", OPTIMOVE_API_KEY="")
    assert all_of_them.returncode == 0, all_of_them.stderr
    assert "interactions of 3 customers erased" in all_of_them.stdout
    assert "3 answers removed" in all_of_them.stdout
    for folder in ("years", "cache"):
        left = every_byte(tmp_path / folder)
        assert not any(gone in left for gone in (b"841231", b"772901", b"550011"))
    assert set(Archive(tmp_path / "years").coverage().collect()["customer_id"]) == {"000001"}
    assert ids


def test_an_export_of_ones_own_comes_in_under_its_own_names(
    command: Command, ids: list[str], tmp_path: Path
) -> None:
    rows = fetched(command)
    (tmp_path / "exports").mkdir()
    theirs = rows.rename({"customer_id": "CUSTOMER", "date": "DAY"})
    for number, part in enumerate(theirs.iter_slices(rows.height // 2 + 1)):
        part.write_parquet(tmp_path / "exports" / f"{number}.parquet")
    days = (*RANGE, "--data-through", "2025-12-31")
    lost = command.inside("archive", "import", "years", "exports/*.parquet", *days)
    assert lost.returncode == 1
    assert "lacks 'customer_id'" in lost.stderr
    assert len(lost.stderr.splitlines()) == 1

    columns = ("--column", "customer_id=CUSTOMER", "--column", "date = DAY")
    many = command.inside(
        "archive", "import", "years", "exports/0.parquet", "exports/1.parquet", *days, *columns
    )
    assert many.returncode == 2
    assert "in quotes" in many.stderr
    done = command(
        "archive", "import", "years", "exports/*.parquet", *days, *columns, "--customers", "ids.csv"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"{rows.height:,} interactions of 12 customers came: {tmp_path / 'years'}\n"
    )
    assert held(tmp_path / "years").equals(rows.sort(INTERACTIONS.names))
    assert ids


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["info", "years"], "there is no archive in"),
        (["compact", "ids.csv"], "there is no archive in"),
        (["forget", "years", "1", "--yes"], "there is no archive in"),
        (["info", "  "], "must be a folder or a URI"),
        (["update", "ids.csv", "ids.csv", *RANGE], "cannot be made a folder"),
        (["update", "years", "nobody.csv", *RANGE], "nobody.csv cannot be read"),
        (["update", "years", "ids.csv", *RANGE, "--buckets", "0"], "must be a whole number"),
        (["update", "years", "ids.csv", *RANGE[2:], *RANGE[:1], "2025-12-01"], "2025-12-01"),
        (
            ["import", "years", "none.parquet", *RANGE, "--data-through", "2025-12-31"],
            "none.parquet cannot be read as Parquet",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_and_makes_nothing(
    words: list[str], says: str, command: Command, box: Sandbox, ids: list[str]
) -> None:
    done = command.inside("archive", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("optimove-analysis: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not box.log
    assert not (command.folder / "years").exists()
    assert ids


def test_without_the_package_that_it_needs_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    without = "import sys; sys.modules['deltalake'] = None; "
    call = "from optimove_analysis.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-W", "error", "-c", without + call]
    done = subprocess.run(
        [*command, "archive", "info", "years"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "optimove-analysis: an archive needs the package deltalake: pip install "
        "'optimove-analysis[archive]'.\n"
    )
    # Nobody who keeps no archive misses it.
    fine = subprocess.run([*command, "archive", "--help"], capture_output=True, check=False)
    assert fine.returncode == 0


@pytest.mark.parametrize("words", [["--help"], ["archive", "update", "--help"], ["cache", "info"]])
def test_what_needs_no_archive_loads_nothing_of_it(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from optimove_analysis.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sorted({'deltalake', 'obstore'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [*COMMAND[:1], "-c", code, *words],
        env={**os.environ, "OPTIMOVE_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    assert done.stderr.strip() == ""
