"""What is on disk, what is not, and that trouble with it costs no answer."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from client.conftest import MakeClient
from requests_cache.backends.sqlite import SQLiteCache

from optimove_analysis.client import Cache, CacheWarning, OptimoveClient
from optimove_analysis.client.backend import BODIES
from optimove_analysis.client.cache import Entry
from optimove_analysis.client.layout import APPLICATION, LAYOUT
from optimove_analysis.client.request_key import key_of
from optimove_analysis.errors import ApiError, InputError, OptimoveAnalysisError
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
    again = make_client(box)
    with pytest.warns(CacheWarning, match="damaged"):
        assert again.interactions(841231, *RANGE).equals(fetched)
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


def not_a_database(path: Path) -> None:
    path.write_bytes(b"not a database, " * 100)


def another_programs(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE photos (name)")
    file.close()


def an_older_layout(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE responses (key TEXT PRIMARY KEY, value BLOB, expires INTEGER)")
        file.execute("INSERT INTO responses VALUES ('k', '{\"content\": 1}', NULL)")
    file.close()


def cut_in_half(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE kept (key)")
        file.executemany("INSERT INTO kept VALUES (?)", [("k" * 500,)] * 100)
        file.execute(f"PRAGMA application_id = {APPLICATION}")
        file.execute(f"PRAGMA user_version = {LAYOUT}")
    file.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("spoil", [not_a_database, another_programs, an_older_layout, cut_in_half])
def test_a_file_that_is_not_ours_is_set_aside_whole_and_a_new_one_begun(
    spoil: Callable[[Path], None], box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    client.cache.path.parent.mkdir()
    spoil(client.cache.path)
    before = client.cache.path.read_bytes()
    with pytest.warns(CacheWarning, match=r"set aside as .*set-aside-1, and a new one begun"):
        frame = client.interactions(841231, *RANGE)
    assert frame.height == 2
    assert client.cache.works
    # A second warning would be an error.
    sent = box.count()
    assert client.interactions(841231, *RANGE).equals(frame)
    assert box.count() == sent
    (aside,) = client.cache.info().set_aside
    assert aside.read_bytes() == before
    assert aside.name in repr(client.cache.info())
    client.cache.clear()
    assert not aside.exists()


def test_a_later_versions_file_is_left_to_it(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box)
    client.cache.path.parent.mkdir()
    with sqlite3.connect(client.cache.path) as file:
        file.execute(f"PRAGMA application_id = {APPLICATION}")
        file.execute(f"PRAGMA user_version = {LAYOUT + 1}")
        file.execute("CREATE TABLE kept (new_things)")
    file.close()
    before = client.cache.path.read_bytes()
    with pytest.warns(CacheWarning, match=f"version {LAYOUT + 1}.*reads version {LAYOUT}"):
        assert client.interactions(841231, *RANGE).height == 2
    assert not client.cache.works
    assert client.cache.path.read_bytes() == before


def test_a_torn_answer_is_noticed_and_asked_for_again(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    whole = client.interactions([841231, "000001"], "2018-01-01", "2025-12-31")
    client.close()
    # One digit of one body: SQLite sees nothing wrong with it.
    raw = client.cache.path.read_bytes()
    assert raw.count(b'"CampaignID":428') == 1
    client.cache.path.write_bytes(raw.replace(b'"CampaignID":428', b'"CampaignID":429'))
    sent = box.count(path=INTERACTIONS)
    again = make_client(box)
    with pytest.warns(CacheWarning, match="1 of the answers .* damaged"):
        assert again.interactions([841231, "000001"], "2018-01-01", "2025-12-31").equals(whole)
    assert box.count(path=INTERACTIONS) == sent + 1
    again.close()
    repaired = make_client(box).interactions([841231, "000001"], "2018-01-01", "2025-12-31")
    assert repaired.equals(whole)
    assert box.count(path=INTERACTIONS) == sent + 1


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


def test_a_table_that_goes_missing_meanwhile_warns_and_the_answer_comes(
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


def test_while_a_lock_is_not_let_go_of_nothing_is_kept_and_what_was_kept_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimove_analysis.client.store._BUSY", 0.1)
    cache = Cache(tmp_path / "cache.sqlite")
    entry = Entry(b"[]", datetime.now(UTC), None)
    assert cache.write("f", {}, entry)
    other = sqlite3.connect(cache.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.warns(CacheWarning, match="locked"):
        assert not cache.write("g", {}, entry)
    assert not cache.works
    assert cache.read("g", {}) is None
    assert cache.read("f", {}) == entry
    other.close()
    monkeypatch.setattr(cache, "_no_writes_before", 0.0)  # half a minute later
    assert cache.works
    assert cache.write("g", {}, entry)
    cache.close()


def test_while_a_lock_is_not_let_go_of_a_file_is_opened_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimove_analysis.client.store._BUSY", 0.1)
    entry = Entry(b"[]", datetime.now(UTC), None)
    first = Cache(tmp_path / "cache.sqlite")
    assert first.write("f", {}, entry)
    first.close()
    other = sqlite3.connect(first.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    cache = Cache(first.path)
    assert cache.read("f", {}) == entry
    assert cache.works
    other.close()
    assert cache.write("g", {}, entry)
    cache.close()


def test_ctrl_c_while_another_program_writes_costs_no_kept_answer(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    entry = Entry(b"[]", datetime.now(UTC), None)
    assert cache.write("f", {}, entry)
    other = sqlite3.connect(cache.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def interrupt() -> None:
        signal.raise_signal(signal.SIGINT)  # heard when the wait is over
        other.execute("COMMIT")

    timer = threading.Timer(1.0, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        cache.write("g", {}, entry)
    timer.join()
    assert cache.write("h", {}, entry)
    assert cache.read("f", {}) == entry
    assert cache.info().set_aside == ()
    other.execute("BEGIN IMMEDIATE")  # nothing holds the lock
    other.close()
    cache.close()


def test_an_answer_comes_back_as_it_went_in(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    here = timezone(timedelta(hours=5, minutes=30))
    at = datetime(2026, 1, 1, 1, 2, 3, 456789, tzinfo=here)
    entry = Entry(b'[{"a": 1.10}]\xc3\xa9\xff\x00', at, date(2025, 12, 31), found=False)
    assert cache.write("f", {"a": "1", "b": "2"}, entry)
    found = cache.read("f", {"b": "2", "a": "1"})
    assert found == entry
    assert found is not None
    assert found.fetched_at.utcoffset() == timedelta(hours=5, minutes=30)
    assert cache.read("g", {"a": "1", "b": "2"}) is None
    assert cache.read("f", {"a": "1"}) is None
    newer = Entry(b"[]", at, None)
    assert cache.write("f", {"a": "1", "b": "2"}, newer)
    assert cache.read("f", {"a": "1", "b": "2"}) == newer
    assert cache.info().entries == 1
    cache.close()
    assert cache.read("f", {"a": "1", "b": "2"}) is None


def test_many_are_read_at_once_with_and_without_their_bodies(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    now = datetime.now().astimezone()
    entries = {key_of("f", {"i": str(i)}): Entry(b"[%d]" % i, now) for i in range(4_500)}
    for i, entry in enumerate(entries.values()):
        cache.write("f", {"i": str(i)}, entry)
    wanted = [*entries, key_of("f", {"i": "other"})]
    assert cache.entries(wanted) == entries
    assert cache.facts(wanted) == {key: entry.facts for key, entry in entries.items()}
    cache.close()


def test_info_says_what_is_kept_and_how_often_it_served(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    assert client.cache.info().hit_rate is None
    client.interactions([841231, "000001"], *RANGE)
    client.channels()
    client.interactions([841231, "000001", "000002"], *RANGE)
    info = client.cache.info()
    assert {one.function.split("/")[1]: one.entries for one in info.endpoints} == {
        INTERACTIONS: 3,
        "GetExecutionChannels": 1,
        "GetLastDataUpdate": 1,
    }
    assert info.entries == 5
    assert (info.hits, info.misses) == (2, 5)
    assert info.size >= client.cache.path.stat().st_size > 0
    assert info.oldest is not None
    assert str(client.cache.path) in repr(info)
    assert "this client had 2 of 7 answers from it" in repr(info)
    assert "<table>" in info._repr_html_()
    assert json.loads(json.dumps(info.as_dict()))["entries"] == 5


def test_clear_removes_what_is_older_than_an_age_or_a_day(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    now = datetime.now().astimezone()
    for days in (0, 10, 20, 30):
        cache.write("f", {"days": str(days)}, Entry(b"[]", now - timedelta(days=days)))
    assert cache.clear(older_than=timedelta(days=25)) == 1
    assert cache.clear(older_than=(now - timedelta(days=15)).date()) == 1
    assert cache.clear(older_than=(now - timedelta(days=5)).date().isoformat()) == 1
    with pytest.raises(InputError, match="older_than='soon' must be an age"):
        cache.clear(older_than="soon")
    assert cache.read("f", {"days": "0"})
    assert cache.clear() == 1
    assert cache.info().entries == 0
    cache.close()
    with pytest.raises(InputError, match="closed"):
        cache.clear()


@pytest.mark.parametrize("closed", [False, True])
def test_of_a_customer_who_is_forgotten_no_byte_is_left(
    closed: bool,  # noqa: FBT001 - a case
    box: Sandbox,
    make_client: MakeClient,
) -> None:
    client = make_client(box)
    ids = box.world.customer_ids(40)
    gone = ids[3]
    # Kept in several ways: asked for, refreshed, in a list of members, in a file set aside.
    client.interactions(ids, "2025-01-01", "2025-12-31")
    client.interactions(gone, "2024-01-01", "2025-12-31", refresh=True)
    members = client.customers(1, "2025-12-31")
    aside = client.cache.path.with_name(f"{client.cache.path.name}.set-aside-1")
    aside.write_bytes(gone.encode())
    folder = client.cache.path.parent
    assert gone.encode() in bytes_on_disk(folder)
    held = client.cache.info().entries
    dropped = client.cache.forget(gone)
    assert dropped >= 2
    assert client.cache.info().entries == held - dropped
    if closed:
        client.close()
    assert gone.encode() not in bytes_on_disk(folder)
    assert ids[4].encode() in bytes_on_disk(folder)
    if not closed:
        sent = box.count(path=INTERACTIONS)
        client.interactions(ids, "2025-01-01", "2025-12-31")
        assert box.count(path=INTERACTIONS) == sent + 1
        assert client.customers(1, "2025-12-31").equals(members)


@pytest.mark.parametrize(
    ("gone", "named", "others"),
    [
        (
            "841231",
            ["for 841231.", "user_841231", "ID841231", "?id=841231&x"],
            ["8412310", "1841231"],
        ),
        ("A-7é", ["(A-7é)", "to_A-7é_x"], ["A-7", "BA-7é", "A-7éa"]),
        ('7" \\', ['say 7" \\ now'], ['7"']),
    ],
)
def test_who_is_forgotten_is_found_within_texts_too(
    gone: str, named: list[str], others: list[str], tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    for text in (*named, *others):
        body = json.dumps([{"Text": text}]).encode()
        assert cache.write("f", {"text": text}, Entry(body, datetime.now(UTC)))
    cache.write("g", {"CustomerID": gone}, Entry(b"[]", datetime.now(UTC)))
    assert cache.forget(gone) == len(named) + 1
    left = [text for text in (*named, *others) if cache.read("f", {"text": text})]
    assert left == others
    cache.close()


def test_a_customer_who_cannot_be_forgotten_now_is_not_said_to_be(
    box: Sandbox, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimove_analysis.client.store._BUSY", 0.2)
    client = make_client(box)
    client.interactions(["000001", "000002"], *RANGE)
    reader = sqlite3.connect(client.cache.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM kept").fetchone()
    with pytest.raises(OptimoveAnalysisError, match=r"traces .* are left|cannot be written to"):
        client.cache.forget("000001")
    reader.close()
    client.cache.forget("000001")
    assert b"000001" not in bytes_on_disk(client.cache.path.parent)


def test_those_who_open_a_new_file_at_the_same_instant_share_it(tmp_path: Path) -> None:
    for attempt in range(40):  # without patience one in twenty fails
        caches = [Cache(tmp_path / str(attempt) / "cache.sqlite") for _ in range(8)]
        start = threading.Barrier(len(caches))
        owners: list[str] = []

        def claim(cache: Cache, start: threading.Barrier = start, o: list[str] = owners) -> None:
            start.wait()
            o.append(cache.claim("key", str(id(cache))))

        threads = [threading.Thread(target=claim, args=(cache,)) for cache in caches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(owners) == len(caches)
        assert len(set(owners)) == 1
        for cache in caches:
            cache.close()


def test_a_damaged_file_does_not_keep_who_is_forgotten(client: OptimoveClient) -> None:
    client.cache.path.parent.mkdir()
    client.cache.path.write_bytes(b"no database 841231" * 500)
    with pytest.warns(CacheWarning, match="set aside"):
        assert client.cache.forget("841231") == 0
    assert b"841231" not in bytes_on_disk(client.cache.path.parent)


@pytest.mark.parametrize("given", [True, 1.5, None, "", "  "])
def test_what_is_no_id_is_not_forgotten(given: Any, client: OptimoveClient) -> None:
    with pytest.raises(InputError, match="not a customer id"):
        client.cache.forget(given)


def test_requests_cache_itself_reads_the_file(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box)
    client.interactions(841231, *RANGE)
    span = dict(zip(("StartDate", "EndDate"), RANGE, strict=True))
    key = key_of(f"customers/{INTERACTIONS}", {"CustomerID": "841231", **span})
    client.close()
    backend = SQLiteCache(client.cache.path, serializer=BODIES)
    kept = backend.get_response(key)
    assert kept is not None
    assert [row["CampaignID"] for row in kept.json()] == [422, 428]
    backend.responses.close()  # type: ignore[no-untyped-call] # requests-cache has no types
    backend.redirects.close()  # type: ignore[no-untyped-call]
