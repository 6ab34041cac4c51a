"""What is on disk, what is not, and that trouble with it costs no answer."""

from __future__ import annotations

import os
import pickle
import sqlite3
import stat
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import requests
from client.conftest import MakeClient

from optimove_analysis.client import Cache, CacheWarning
from optimove_analysis.client.cache import Entry
from optimove_analysis.client.endpoints import lifetime_of_range
from optimove_analysis.errors import ApiError, OptimoveAnalysisError
from optimove_analysis.sandbox import Sandbox, sandbox

INTERACTIONS = "GetCustomerChannelInteractions"
RANGE = ("2018-08-19", "2018-09-19")


def bytes_on_disk(folder: Path) -> bytes:
    """Return all that is in a folder, names included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return b"\n".join(path.name.encode() + b"\n" + path.read_bytes() for path in files)


def test_a_second_client_on_the_same_folder_sends_nothing(
    box: Sandbox, make_client: MakeClient
) -> None:
    first = make_client(box)
    fetched = first.interactions([841231, "000001"], *RANGE)
    first.close()
    sent = box.count()
    again = make_client(box).interactions([841231, "000001"], *RANGE)
    assert box.count() == sent
    assert again.equals(fetched)


def test_a_demo_on_another_port_is_answered_from_the_cache(make_client: MakeClient) -> None:
    with sandbox() as one:
        fetched = make_client(one).interactions(841231, *RANGE)
    with sandbox() as two:
        assert make_client(two).interactions(841231, *RANGE).equals(fetched)
        assert two.count() == 0


def test_refresh_asks_again(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box)
    client.interactions(841231, *RANGE)
    client.interactions(841231, *RANGE, refresh=True)
    assert box.count(path=INTERACTIONS) == 2


@pytest.mark.parametrize("kind", ["key", "token"])
def test_no_credential_reaches_the_disk(
    kind: str, box: Sandbox, make_client: MakeClient, tmp_path: Path
) -> None:
    credential = box.api_key
    if kind == "token":
        login = {"Username": "sandbox", "Password": box.api_key}
        answer = requests.post(f"{box.url}/current/general/login", json=login, timeout=10)
        credential = answer.json()
        client = make_client(box, token=credential)
    else:
        client = make_client(box)
    assert client.interactions(841231, *RANGE).height == 2
    assert client.channels().height > 0
    box.answer("GetAllActions", status=500, body=b"oops", times=1)
    assert client.actions().height > 0
    # While it is open, so that the -wal file is read as well; and after.
    for closed in (False, True):
        if closed:
            client.close()
        found = bytes_on_disk(tmp_path / "cache")
        assert b"GetCustomerChannelInteractions" in found
        for secret in (credential.encode(), b"X-API-KEY", b"Authorization-Token"):
            assert secret.lower() not in found.lower()


def test_no_account_is_served_anothers_answers(tmp_path: Path, make_client: MakeClient) -> None:
    with sandbox(seed=1) as one, sandbox(seed=2) as two:
        assert one.api_key != two.api_key
        ours = make_client(one).interactions("000001", "2025-01-01", "2025-12-31")
        theirs = make_client(two).interactions("000001", "2025-01-01", "2025-12-31")
        assert two.count(200, INTERACTIONS) == 1
        assert not ours.equals(theirs)
        # Nor is a key that is not accepted served what a good key fetched.
        with pytest.raises(ApiError, match="401"):
            make_client(one, "wrong").interactions("000001", "2025-01-01", "2025-12-31")
    names = {path.name for path in (tmp_path / "cache").glob("*.sqlite")}
    assert len(names) == 3


class Payload:
    """Makes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_nothing_in_the_file_is_run(box: Sandbox, make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client(box)
    fetched = client.interactions(841231, *RANGE)
    client.close()
    trap = tmp_path / "sprung"
    with sqlite3.connect(client.cache.path) as file:
        file.execute("UPDATE responses SET value = ?", (pickle.dumps(Payload(trap)),))
    file.close()
    assert make_client(box).interactions(841231, *RANGE).equals(fetched)
    assert not trap.exists()
    assert box.count(path=INTERACTIONS) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other means than a mode")
def test_the_file_is_the_users_alone(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box)
    client.channels()
    for path in client.cache.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(client.cache.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"<html>login</html>", 200), (b"", 200), (b"{}", 200), (b"[1]", 200), (b"no", 400)],
)
def test_only_complete_answers_are_kept(
    body: bytes, status: int, box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    box.answer(INTERACTIONS, status=status, body=body)
    with pytest.raises(OptimoveAnalysisError):
        client.interactions(841231, *RANGE)
    assert client.cache.info().entries == 1  # the last data update
    assert client.interactions(841231, *RANGE).height == 2


def test_a_cache_that_is_no_database_warns_once_and_the_answer_still_comes(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    client.cache.path.parent.mkdir()
    client.cache.path.write_bytes(b"not a database, " * 100)
    with pytest.warns(CacheWarning, match="cannot be opened.*Remove the file"):
        frame = client.interactions(841231, *RANGE)
    assert frame.height == 2
    assert not client.cache.works
    # A second warning would be an error.
    assert client.channels().height > 0


def test_a_folder_that_cannot_be_made_warns_too(
    box: Sandbox, make_client: MakeClient, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    client = make_client(box, cache_dir=tmp_path / "file")
    with pytest.warns(CacheWarning, match="cannot be opened"):
        frame = client.channels()
    assert frame.height > 0


def test_to_make_a_client_touches_no_disk(make_client: MakeClient, box: Sandbox) -> None:
    client = make_client(box)
    assert not client.cache.path.parent.exists()
    assert client.cache.works


def test_a_file_that_turns_unwritable_warns_and_does_not_hang(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    client.channels()
    with sqlite3.connect(client.cache.path) as other:
        other.execute("DROP TABLE responses")
    other.close()
    with pytest.warns(CacheWarning):
        frame = client.interactions(841231, *RANGE)
    assert frame.height == 2


def test_a_lock_that_is_never_let_go_of_warns_and_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimove_analysis.client.cache._BUSY", 0.1)
    cache = Cache(tmp_path / "cache.sqlite")
    assert cache.info().entries == 0
    other = sqlite3.connect(cache.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    entry = Entry(b"[]", datetime.now(UTC), None)
    with pytest.warns(CacheWarning, match="locked"):
        cache.write("f", {}, entry, None)
    assert cache.read("f", {}) is None
    other.close()
    cache.close()


def test_an_answer_expires_after_its_lifetime_and_comes_back_as_it_went_in(tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    cache = Cache(tmp_path / "cache.sqlite", now=lambda: now)
    entry = Entry(b'[{"a": 1.10}]\xc3\xa9', now, date(2025, 12, 31))
    cache.write("f", {"a": "1", "b": "2"}, entry, timedelta(hours=1))
    cache.write("f", {"a": "1"}, Entry(b"[]", now, None), None)
    assert cache.read("f", {"b": "2", "a": "1"}) == entry
    assert cache.read("g", {"a": "1"}) is None
    now += timedelta(minutes=59)
    assert cache.read("f", {"a": "1", "b": "2"}) == entry
    now += timedelta(minutes=1)
    assert cache.read("f", {"a": "1", "b": "2"}) is None
    now += timedelta(days=10_000)
    assert cache.read("f", {"a": "1"}) == Entry(b"[]", datetime(2026, 1, 1, tzinfo=UTC), None)
    assert cache.info().entries == 2
    assert cache.info().size > 0
    cache.close()
    assert cache.read("f", {"a": "1"}) is None


@pytest.mark.parametrize(("days", "settled"), [(0, False), (30, False), (31, True)])
def test_a_range_settles_a_month_after_its_end(days: int, settled: bool) -> None:  # noqa: FBT001 - a case
    end = date(2026, 1, 1)
    lifetime = lifetime_of_range(end, end + timedelta(days=days))
    assert lifetime == (None if settled else timedelta(hours=1))
