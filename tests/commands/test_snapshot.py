"""``snapshot``: a study in one file."""

from __future__ import annotations

import json
from pathlib import Path

from commands.running import RANGE, Command

from optimove_analysis.client import OptimoveClient
from optimove_analysis.sandbox import Sandbox

SNAPSHOT = ("snapshot", "ids.csv", *RANGE, "-o", "study.oma", "--quota", "10000/1")


def test_a_snapshot_is_replayed_without_network_or_key(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    done = command(*SNAPSHOT, "--note", "of a test", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["customers"], said["pseudonymised"]) == (12, False)
    assert box.api_key.encode() not in (tmp_path / "study.oma").read_bytes()
    served = len(box.log)
    with OptimoveClient.replay(tmp_path / "study.oma") as client:
        assert client.interactions(ids, RANGE[1], RANGE[3]).height == said["rows"]
        assert client.channels().height
    assert len(box.log) == served

    again = command(*SNAPSHOT)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
    assert command(*SNAPSHOT, "--overwrite", "--quiet").stdout == ""
    assert len(box.log) == served


def test_with_a_key_from_a_file_or_the_environment_no_id_is_in_it(
    command: Command, tmp_path: Path
) -> None:
    key = "a-key-for-pseudonyms-0123456789"
    (tmp_path / "ids.csv").write_text("841231\n")
    (tmp_path / "key.txt").write_text(f"{key}\n")
    study = tmp_path / "study.oma"
    by_file = command(*SNAPSHOT, "--pseudonymise-key-file", "key.txt", "--json")
    assert by_file.returncode == 0, by_file.stderr
    assert json.loads(by_file.stdout)["pseudonymised"] is True
    assert b"841231" not in study.read_bytes()
    by_environment = command(*SNAPSHOT, "--overwrite", OPTIMOVE_PSEUDONYM_KEY=key)
    assert by_environment.returncode == 0, by_environment.stderr
    assert b"841231" not in study.read_bytes()
    for text in (by_file.stdout, by_file.stderr, by_environment.stdout, by_environment.stderr):
        assert key not in text
    assert key.encode() not in study.read_bytes()


def test_a_key_file_without_a_key_is_refused_before_anything_is_sent(
    command: Command, box: Sandbox, ids: list[str], tmp_path: Path
) -> None:
    (tmp_path / "blank.txt").write_text(" \n")
    done = command(*SNAPSHOT, "--pseudonymise-key-file", "blank.txt")
    assert done.returncode == 1
    assert "holds no key" in done.stderr
    assert not box.log
    assert ids
