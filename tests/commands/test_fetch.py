"""``fetch`` and ``plan``: files in, files out, and nothing lost whatever happens between."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from commands.running import RANGE, Command

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import FAILURES

FETCH = ("fetch", "ids.csv", *RANGE, "--quota", "10000/1")
INTERACTIONS = "GetCustomerChannelInteractions"


def test_a_fetch_writes_what_the_client_gives_and_costs_nothing_the_second_time(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    first = command(*FETCH, "-o", "out.parquet")
    assert first.returncode == 0, first.stderr
    frame = pl.read_parquet(tmp_path / "out.parquet")
    with OptimoveClient(box.url, box.api_key, cache_dir=tmp_path / "other") as client:
        assert frame.equals(client.interactions(ids, RANGE[1], RANGE[3]))
    assert set(frame["customer_id"]) <= set(ids)  # leading zeros and all
    line = f"{frame.height:,} interactions of 12 customers; 13 requests sent, 0 answers from the"
    assert first.stdout == f"{line} cache: out.parquet\n"

    served = len(box.log)
    again = command(*FETCH, "-o", "again.ndjson", "--json")
    assert json.loads(again.stdout) == {
        "path": "again.ndjson",
        "rows": frame.height,
        "customers": 12,
        "failed": 0,
        "requests_sent": 0,
        "from_cache": 12,
        "failures": None,
    }
    assert len(box.log) == served
    assert len((tmp_path / "again.ndjson").read_text().splitlines()) == frame.height


def test_killed_and_run_again_it_writes_the_same_file_and_sends_little_twice(
    tmp_path: Path,
) -> None:
    threads, many = 4, 60
    lines = "\n".join(f"{number:06}" for number in range(1, many + 1))
    with sandbox(quota=100_000, delays=lambda: 0.05) as box:
        command = Command(tmp_path, box)
        (tmp_path / "ids.csv").write_text(lines, encoding="utf-8")
        (tmp_path / "out.parquet").write_bytes(b"of yesterday")
        fetch = (*FETCH, "--threads", threads, "-o", "out.parquet")
        with command.start(*fetch) as process:
            while box.count(path=INTERACTIONS) < many // 3:
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            process.kill()
        assert (tmp_path / "out.parquet").read_bytes() == b"of yesterday"
        assert not list(tmp_path.glob(".*part"))
        resumed = command(*fetch)
        assert resumed.returncode == 0, resumed.stderr
        assert many <= box.count(path=INTERACTIONS) <= many + threads

        other = tmp_path / "undisturbed.parquet"
        assert command(*FETCH, "-o", other, "--cache-dir", tmp_path / "other").returncode == 0
    assert (tmp_path / "out.parquet").read_bytes() == other.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent otherwise on Windows")
def test_interrupted_it_says_so_in_one_line_with_status_130(tmp_path: Path) -> None:
    with sandbox(quota=100_000, delays=lambda: 0.2) as box:
        command = Command(tmp_path, box)
        (tmp_path / "ids.csv").write_text("\n".join(map(str, range(1000, 1100))), encoding="utf-8")
        with command.start(*FETCH, "--threads", 2, "-o", "out.csv") as process:
            while box.count(path=INTERACTIONS) < 3:
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            said, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == ""
    assert re.match(
        r"\noptimove-analysis: interrupted\. \d+ of 100 answers are kept; calling again", complained
    )
    assert len(complained.strip().splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()


def test_customers_that_fail_are_a_table_and_status_3(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    box.answer(INTERACTIONS, status=400, body=f"key {box.api_key} is odd".encode(), times=2)
    some = command(*FETCH, "-o", "out.csv", "--failures", "failures.csv", "--json")
    assert some.returncode == 3, some.stderr
    assert json.loads(some.stdout)["failed"] == 2
    failures = pl.read_csv(tmp_path / "failures.csv", schema=FAILURES.schema)
    assert set(failures["customer_id"]) < set(ids)
    assert failures["status"].to_list() == [400, 400]
    assert box.api_key not in (tmp_path / "failures.csv").read_text()

    rest = command.inside(*FETCH, "-o", "out.csv", "--failures", "failures.csv")
    assert rest.returncode == 0
    assert "2 requests sent, 10 answers from the cache" in rest.stdout
    assert pl.read_csv(tmp_path / "failures.csv").is_empty()


def test_a_run_that_fails_leaves_the_output_as_it_was(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    (tmp_path / "out.csv").write_text("of yesterday")
    box.answer(INTERACTIONS, status=400, body=b"odd", times=len(ids))
    failed = command.inside(*FETCH, "-o", "out.csv")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.startswith("optimove-analysis: customer 0000")
    assert len(failed.stderr.splitlines()) == 1
    assert (tmp_path / "out.csv").read_text() == "of yesterday"


def test_a_key_that_is_not_accepted_is_said_in_one_line_and_not_shown(
    command: Command, ids: list[str]
) -> None:
    wrong = "a-key-of-old-0123456789"
    refused = command.inside(
        *FETCH, "-o", "out.csv", "--on-error", "collect", OPTIMOVE_API_KEY=wrong
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "(401)" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert wrong not in refused.stderr
    assert ids


def test_offline_and_quiet_it_sends_nothing_and_says_nothing(
    command: Command, box: Sandbox, ids: list[str]
) -> None:
    missing = command.inside(*FETCH, "-o", "out.csv", "--offline")
    assert missing.returncode == 1
    assert "12 of 12 customers are not kept" in missing.stderr
    assert not box.log
    assert command.inside(*FETCH, "-o", "out.csv", "--quiet").stdout == ""
    served = len(box.log)
    kept = command(*FETCH, "-o", "out.csv", "--offline", "--quiet")
    assert (kept.returncode, kept.stdout, kept.stderr) == (0, "", "")
    assert len(box.log) == served
    assert ids


def test_ids_may_come_by_standard_input_and_what_they_cost_is_planned(
    command: Command, box: Sandbox
) -> None:
    plan = ("plan", "-", *RANGE, "--quota", "50/10", "--quota", "2000/3600")
    text = command(*plan, given="000001\n841231\n")
    assert text.stdout.startswith("2 customers, 2025-01-01 to 2025-10-31\n")
    assert "3 requests (1 for the last update), at once" in text.stdout
    said = json.loads(command(*plan, "--json", given="1\n2\n3\n").stdout)
    assert said["to_fetch"] == 3
    assert said["quota"] == "50 requests in 10 s and 2,000 requests in 3600 s"
    many = command(*plan, given="\n".join(map(str, range(1000, 1100))))
    assert "about 0:20 at 50 in 10 s and 2,000 in 3600 s" in " ".join(many.stdout.split())
    assert not box.log


def test_what_cannot_be_written_is_said_before_anything_is_sent(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    (tmp_path / "folder.csv").mkdir()
    for output, says in {
        "out.xlsx": "names no format",
        "nowhere/out.csv": "make it first",
        "folder.csv": "is not a file",
    }.items():
        done = command.inside(*FETCH, "-o", output)
        assert done.returncode == 1
        assert says in done.stderr
    assert not box.log
    assert ids


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_on_a_terminal_there_is_a_bar_with_the_time_that_is_left(
    command: Command, ids: list[str]
) -> None:
    import pty  # noqa: PLC0415 - not on Windows
    import termios  # noqa: PLC0415 - not on Windows

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    with command.start(*FETCH, "-o", "out.csv", stderr=theirs, stdout=subprocess.DEVNULL) as run:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:  # Linux's way of saying that the other side is closed
            pass
        os.close(ours)
    assert run.returncode == 0
    assert b"0/12" in seen
    assert b"left" in seen
    assert ids
