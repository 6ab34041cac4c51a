"""``doctor``: one line a check, one request, no key."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from commands.running import Command

from optimove_analysis.sandbox import Sandbox

UPDATE = "GetLastDataUpdate"


def plain(said: str) -> str:
    """Return the text without its columns."""
    return " ".join(said.split())


def states(said: str) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(said)["checks"]}


def test_all_is_well_and_it_took_one_request(command: Command, box: Sandbox) -> None:
    done = command("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(box.log) == box.count(200, UPDATE) == 1
    assert all(line.startswith("ok ") for line in done.stdout.splitlines())
    for text in (
        box.url,
        "API key from the environment.",
        "its locks hold",
        "2025-12-31",
    ):
        assert text in plain(done.stdout)


def test_offline_it_sends_nothing(command: Command, box: Sandbox) -> None:
    done = command.inside("doctor", "--offline", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True
    assert not box.log


def test_a_wrong_key_fails_and_one_without_the_right_is_a_warning(
    command: Command, box: Sandbox
) -> None:
    wrong = command.inside("doctor", "--json", OPTIMOVE_API_KEY="wrong-0123456789")
    assert wrong.returncode == 1
    assert states(wrong.stdout)["key"] == "fails"
    assert "wrong-0123456789" not in wrong.stdout + wrong.stderr
    box.answer(UPDATE, status=403, body=b"not for you")
    forbidden = command.inside("doctor", "--json")
    assert forbidden.returncode == 0
    assert states(forbidden.stdout)["key"] == "warning"
    assert len(box.log) == 2


def test_without_an_account_the_rest_is_checked_all_the_same(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = command.inside(
        *("doctor", "--json", "--cache-dir", tmp_path / "file" / "cache"),
        OPTIMOVE_INSTANCE="",
        OPTIMOVE_API_KEY="",
    )
    assert done.returncode == 1
    found = states(done.stdout)
    assert found["instance and key"] == found["cache folder"] == "fails"
    assert found["state folder"] == "ok"


@pytest.mark.holds_a_key
@pytest.mark.skipif(os.name != "posix", reason="the mode of a file is POSIX's")
def test_a_dotenv_file_that_git_may_take_is_a_warning(
    command: Command, box: Sandbox, tmp_path: Path
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"OPTIMOVE_API_KEY={box.api_key}\n")
    dotenv.chmod(0o600)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    careless = command.inside("doctor", "--offline", OPTIMOVE_API_KEY="")
    assert careless.returncode == 0
    assert "API key from the .env file." in plain(careless.stdout)
    assert "does not ignore it" in careless.stdout
    (tmp_path / ".gitignore").write_text(".env\n")
    assert ".env file " + str(dotenv) + " is readable by you alone" in plain(
        command.inside("doctor", "--offline", OPTIMOVE_API_KEY="").stdout
    )
