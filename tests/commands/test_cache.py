"""``cache``: what is kept, by account and by folder."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from commands.running import RANGE, Command

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox


def fill(folder: Path, box: Sandbox, *accounts: str) -> None:
    for account in accounts:
        # Gateways to two accounts: on a sandbox's own address the account would not count.
        with OptimoveClient(box.url, box.api_key, cache_dir=folder) as client:
            frame = client.interactions(["000001", "841231"], RANGE[1], RANGE[3])
            assert frame.height
            path = client.cache.path
        path.rename(path.with_name(f"{account}-0123456789abcdef.sqlite"))


def test_of_an_account_or_of_all_it_says_what_is_kept(
    command: Command, box: Sandbox, tmp_path: Path
) -> None:
    fill(tmp_path / "cache", box, "one", "two")
    # Another program's file in the same folder is not looked at.
    (tmp_path / "cache" / "theirs.sqlite").write_bytes(b"theirs")
    mine = json.loads(command.inside("cache", "info", "--json").stdout)
    assert mine["caches"] == []
    for how in ({"OPTIMOVE_INSTANCE": ""}, {"OPTIMOVE_API_KEY": ""}):
        everything = json.loads(command.inside("cache", "info", "--json", **how).stdout)
        assert [cache["entries"] for cache in everything["caches"]] == [3, 3]
    assert "3 answers" in command.inside("cache", "info", "--all").stdout
    assert (tmp_path / "cache" / "theirs.sqlite").read_bytes() == b"theirs"
    nowhere = command.inside("cache", "info", "--instance", "api5", OPTIMOVE_API_KEY="")
    assert nowhere.returncode == 1
    assert "there is no API key" in nowhere.stderr


def test_a_customer_is_erased_from_every_account_without_a_key(
    command: Command, box: Sandbox, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    fill(folder, box, "one", "two")
    torn = folder / "torn-0123456789abcdef.sqlite"
    torn.write_bytes(b"not a database, but it names 841231" * 300)
    forget = ("cache", "forget", "841231", "--all")
    refused = command.inside(*forget, OPTIMOVE_API_KEY="", OPTIMOVE_INSTANCE="")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert b"841231" in b"".join(file.read_bytes() for file in folder.iterdir())

    done = command(*forget, "--yes", OPTIMOVE_API_KEY="", OPTIMOVE_INSTANCE="", PYTHONWARNINGS="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("1 answer removed") == 2
    assert b"841231" not in b"".join(file.read_bytes() for file in folder.iterdir())
    assert "2 answers" in command.inside("cache", "info", "--all").stdout


def test_old_answers_are_cleared_and_young_ones_kept(
    command: Command, box: Sandbox, tmp_path: Path
) -> None:
    fill(tmp_path / "cache", box, "one")
    (file,) = (tmp_path / "cache").glob("one-*.sqlite")
    with sqlite3.connect(file) as connection:
        connection.execute(
            "UPDATE kept SET fetched_at = '2020-01-01T00:00:00+00:00' WHERE params LIKE '%841231%'"
        )
    connection.close()
    clear = ("cache", "clear", "--all", "--yes")
    assert command.inside(*clear, "--older-than", "2020-01-01").stdout.startswith(
        "0 answers removed"
    )
    assert command.inside(*clear, "--older-than", "90d").stdout.startswith("1 answer removed")
    assert command.inside(*clear).stdout.startswith("2 answers removed")


def test_the_account_is_the_one_that_the_environment_names(
    command: Command, ids: list[str]
) -> None:
    fetch = ("fetch", "ids.csv", *RANGE, "-o", "out.csv", "--quota", "10000/1")
    assert command.inside(*fetch).returncode == 0
    assert "13 answers" in command.inside("cache", "info").stdout
    assert command.inside("cache", "clear", "--yes").stdout.startswith("13 answers removed")
    assert ids
