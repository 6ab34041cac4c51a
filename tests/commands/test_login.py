"""The API key in a keyring: a real backend of keyring's, which keeps a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands.running import ROOT, Command

from optimove_analysis.sandbox import Sandbox

BACKEND = """
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

class Kept(KeyringBackend):
    priority = 1
    path = Path(os.environ["KEPT"])

    def _all(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")

    def set_password(self, service, username, password):
        self.path.write_text(json.dumps({**self._all(), f"{service} {username}": password}))

    def delete_password(self, service, username):
        kept = self._all()
        del kept[f"{service} {username}"]
        self.path.write_text(json.dumps(kept))

class Locked(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        raise KeyringLocked("the collection is locked")

    set_password = delete_password = lambda self, *_: self.get_password("", "")

class Broken(Locked):
    def get_password(self, service, username):
        raise OSError("no bus")

    def set_password(self, service, username, password):
        raise OSError(f"cannot take {password}")
"""


@pytest.fixture
def backend(command: Command, tmp_path: Path) -> Path:
    """Let keyring use a backend of ours; give the file that it keeps."""
    (tmp_path / "backends.py").write_text(BACKEND)
    kept = tmp_path / "kept.json"
    command.environment |= {
        "PYTHONPATH": f"{ROOT}{';' if sys.platform == 'win32' else ':'}{tmp_path}",
        "PYTHON_KEYRING_BACKEND": "backends.Kept",
        "KEPT": str(kept),
        "OPTIMOVE_API_KEY": "",
    }
    del command.environment["OPTIMOVE_API_KEY"]
    return kept


def test_a_key_is_tried_stored_used_and_removed(
    command: Command, box: Sandbox, backend: Path
) -> None:
    done = command("login", given=f"{box.api_key}\n")
    assert done.returncode == 0, done.stderr
    assert len(box.log) == 1
    user = box.url.removeprefix("http://")
    assert json.loads(backend.read_text()) == {f"optimove-analysis {user}": box.api_key}

    doctor = command("doctor")
    assert doctor.returncode == 0
    assert "API key from the keyring." in " ".join(doctor.stdout.split())
    # The environment goes first.
    assert "from the environment" in command("doctor", "--offline", OPTIMOVE_API_KEY="k").stdout

    assert "is removed" in command("logout").stdout
    assert json.loads(backend.read_text()) == {}
    assert "was not in" in command("logout").stdout
    assert "optimove-analysis login" in command("cache", "info", "--instance", box.url).stderr


def test_a_key_that_the_api_does_not_accept_is_not_stored(command: Command, backend: Path) -> None:
    refused = command("login", given="wrong-0123456789\n")
    assert refused.returncode == 1
    assert "(401)" in refused.stderr
    assert "wrong-0123456789" not in refused.stderr
    assert not backend.exists()
    assert command("login", "--no-check", given="wrong-0123456789\n").returncode == 0
    assert "wrong-0123456789" in backend.read_text()


@pytest.mark.parametrize(
    ("kind", "says"),
    [("Locked", "the keyring is locked"), ("Broken", "the keyring fails (OSError: ")],
)
def test_a_keyring_that_is_locked_or_fails_is_said_in_one_line(
    command: Command, backend: Path, kind: str, says: str
) -> None:
    command.environment["PYTHON_KEYRING_BACKEND"] = f"backends.{kind}"
    for done in (
        command("cache", "clear", "--yes"),
        command("login", "--no-check", given="k-0123456789\n"),
    ):
        assert done.returncode == 1
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "k-0123456789" not in done.stderr
    assert not backend.exists()


def test_where_no_keyring_is_installed_or_usable_it_says_what_else_there_is(
    command: Command, backend: Path
) -> None:
    command.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    assert "there is no API key" in command("cache", "clear", "--yes").stderr
    unusable = command("login", "--no-check", given="k-0123456789\n")
    assert unusable.returncode == 1
    assert "Set OPTIMOVE_API_KEY" in unusable.stderr
    assert not backend.exists()

    hidden = (
        "import sys; sys.modules['keyring'] = None\n"
        "from optimove_analysis.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    absent = subprocess.run(
        [sys.executable, "-W", "error", "-c", hidden, "login"],
        env=command.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert absent.returncode == 1
    assert "pip install 'optimove-analysis[keyring]'" in absent.stderr


def test_the_keyring_is_imported_only_where_no_key_was_found_elsewhere(
    command: Command, backend: Path
) -> None:
    code = (
        "import sys\nfrom optimove_analysis.client import OptimoveClient\n"
        "OptimoveClient.from_env().close()\nassert 'keyring' not in sys.modules\n"
    )
    environment = {**command.environment, "OPTIMOVE_API_KEY": "k-0123456789"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, check=True)
    assert not backend.exists()
