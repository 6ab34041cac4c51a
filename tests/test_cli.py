"""The command line, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import polars as pl
import pytest

from optimove_analysis.schema import INTERACTIONS

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-W", "error", "-m", "optimove_analysis"]


def run(*arguments: object, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, **({"OPTIMOVE_CACHE": str(cache)} if cache else {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_writes_a_report_and_the_second_time_answers_from_the_cache(
    tmp_path: Path,
) -> None:
    report = tmp_path / "report.html"
    first = run("demo", "--customers", 30, "--out", report, cache=tmp_path / "cache")
    assert first.returncode == 0, first.stderr
    assert re.search(r"interactions; 3\d requests sent", first.stdout)
    assert str(report) in first.stdout
    assert report.stat().st_size > 0
    assert not re.search(r"(src|href)=.?http", report.read_text(encoding="utf-8"))

    again = run("demo", "--customers", 30, "--out", report, cache=tmp_path / "cache")
    assert "all from the cache" in again.stdout
    tables = first.stdout.partition("Funnel:")[2]
    assert tables == again.stdout.partition("Funnel:")[2]
    assert re.search(r"^E-mail +Clicked .* \d\.\d %", tables, flags=re.MULTILINE)


def test_the_sandbox_says_where_it_is_and_ends_with_ctrl_c() -> None:
    command = [*COMMAND, "sandbox", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        said = json.loads(process.stdout.readline())
        request = urllib.request.Request(
            said["url"] + "/current/general/GetLastDataUpdate",
            headers={"X-API-KEY": said["api_key"]},
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer) == {"Date": "2025-12-31"}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


def test_the_sandbox_ends_with_the_process_that_started_it() -> None:
    command = [*COMMAND, "sandbox", "--port", "0", "--json", "--until-stdin-closes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    with process:
        assert process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_the_data_dictionary_in_the_repository_is_what_the_schema_says() -> None:
    assert run("dictionary", "--check", ROOT / "data" / "README.md").returncode == 0


def test_a_stale_data_dictionary_is_told_how_to_be_renewed(tmp_path: Path) -> None:
    stale = tmp_path / "README.md"
    stale.write_text("# Data\n", encoding="utf-8")
    done = run("dictionary", "--check", stale)
    assert done.returncode == 1
    assert "make dictionary" in done.stderr


def test_an_error_of_ours_is_one_line_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("sandbox", "--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert done.stderr.startswith("optimove-analysis: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["demo", "--help"]])
def test_help_answers(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stdout


def test_the_parquet_file_in_the_repository_is_a_frame_of_interactions() -> None:
    frame = pl.read_parquet(ROOT / "data" / "interactions.parquet")
    assert frame.schema == INTERACTIONS.schema
    assert frame["customer_id"].n_unique() == 200
