"""A snapshot holds what was used and nothing else, and answers from it as the client did."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from client.conftest import MakeClient

from optimove_analysis.analysis import channel_mix, funnel
from optimove_analysis.client import (
    CacheWarning,
    OptimoveClient,
    ResponseFormat,
    RouteWarning,
    Secret,
    new_pseudonym_key,
    pseudonym,
)
from optimove_analysis.client.layout import LAYOUT
from optimove_analysis.client.session import Session
from optimove_analysis.client.snapshot import write_snapshot
from optimove_analysis.errors import InputError, OfflineError, OptimoveAnalysisError
from optimove_analysis.sandbox import Sandbox, sandbox

INTERACTIONS = "GetCustomerChannelInteractions"
YEAR = ("2025-01-01", "2025-12-31")
SAMPLE = ("2018-08-19", "2018-09-19")
KEY = "a key that is for tests alone"


@pytest.fixture
def replay() -> Iterator[Callable[..., OptimoveClient]]:
    """Replay snapshots; the clients are closed at the end."""
    made: list[OptimoveClient] = []

    def make(path: Any, **options: Any) -> OptimoveClient:
        made.append(OptimoveClient.replay(path, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


Replay = Callable[..., OptimoveClient]


def session_of(client: OptimoveClient) -> Session:
    return client._session  # noqa: SLF001 - its clock, and what it notes, are a client's own


def audience(client: OptimoveClient) -> list[str]:
    group = client.target_groups()["target_group_id"][0]
    ids = client.customers(group, "2025-11-28")["customer_id"]
    return ids.unique(maintain_order=True).head(40).to_list()


def everything(client: OptimoveClient) -> dict[str, pl.DataFrame]:
    """Return a frame of each kind that the client has."""
    ids = audience(client)
    return {
        "interactions": client.interactions(ids, *YEAR),
        "sample": client.interactions(841231, *SAMPLE),
        "metrics": client.engagement_metrics(ids[:3], *YEAR),
        "channels": client.channels(),
        "actions": client.actions(),
        "templates": client.templates(),
        "campaigns": client.campaigns("2025-11-28"),
        "groups": client.target_groups(),
        "last update": pl.DataFrame({"day": [client.last_update()]}),
        "funnel": funnel(client.interactions(ids, *YEAR), catalogue=client.catalogue()),
        "mix": channel_mix(client.interactions(ids, *YEAR), catalogue=client.catalogue()),
    }


def bodies(client: OptimoveClient) -> dict[str, bytes]:
    store = client.cache.store()
    assert store is not None
    entries, torn = store.entries(store.keys())
    assert not torn
    return {key: entry.body for key, entry in entries.items()}


def test_a_replay_gives_every_frame_and_every_byte_as_it_was(
    make_client: MakeClient, replay: Replay, tmp_path: Path
) -> None:
    with sandbox(quota=100_000) as box:
        client = make_client(box)
        frames = everything(client)
        snapshot = client.snapshot(tmp_path / "study.oma", note="all there is")
    again = replay(tmp_path / "study.oma")
    # The box is down by now. Years later nothing has expired.
    session_of(again).now = lambda: datetime(2060, 1, 1, tzinfo=UTC)
    replayed = everything(again)
    assert [name for name in frames if not replayed[name].equals(frames[name])] == []
    assert frames["interactions"].height > 100
    assert bodies(again) == bodies(client)
    assert snapshot.answers == len(bodies(client)) == again.cache.info().entries
    assert snapshot.customers == 41
    assert again.about == snapshot
    plan = again.plan(audience(again), *YEAR)
    assert (plan.kept, plan.requests) == (40, 0)
    assert again.quota.sent == 0


ELSEWHERE = """
import sys
from pathlib import Path
from optimove_analysis.analysis import channel_mix, funnel
from optimove_analysis.client import OptimoveClient
import socket
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[3])), timeout=10).close()
except OSError:
    pass
else:
    raise SystemExit("the sandbox can still be reached")
with OptimoveClient.replay(sys.argv[1]) as client:
    ids = client.customers(1, "2025-11-28")["customer_id"].unique(maintain_order=True).head(40)
    frame = client.interactions(ids, "2025-01-01", "2025-12-31")
    catalogue = client.catalogue()
out = Path(sys.argv[2])
frame.write_parquet(out / "interactions.parquet")
funnel(frame, catalogue=catalogue).write_parquet(out / "funnel.parquet")
channel_mix(frame, catalogue=catalogue).write_parquet(out / "mix.parquet")
"""


def without_network() -> list[str]:
    """Return what to put before a command so that it has no network, where the system can."""
    able = (
        shutil.which("unshare")
        and not subprocess.run(
            ["unshare", "-rn", "true"], check=False, capture_output=True, timeout=30
        ).returncode
    )
    return ["unshare", "-rn"] if able else []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_elsewhere_with_no_network_no_settings_and_another_time_zone_it_is_the_same(
    zone: str, make_client: MakeClient, tmp_path: Path
) -> None:
    with sandbox(quota=100_000) as box:
        client = make_client(box)
        assert 1 in client.target_groups()["target_group_id"]
        ids = client.customers(1, "2025-11-28")["customer_id"].unique(maintain_order=True).head(40)
        frame = client.interactions(ids, *YEAR)
        catalogue = client.catalogue()
        client.snapshot(tmp_path / "study.oma")
        port = box.url.rsplit(":", 1)[1]
    shutil.rmtree(tmp_path / "cache")
    there, home, out = (tmp_path / name for name in ("there", "home", "out"))
    for folder in (there, home, out):
        folder.mkdir()
    shutil.copy(tmp_path / "study.oma", there)
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    environment |= {"TZ": zone, "HOME": str(home), "USERPROFILE": str(home)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    python = [sys.executable, "-W", "error", "-c"]
    there.chmod(0o500)
    try:
        subprocess.run(
            [*without_network(), *python, ELSEWHERE, there / "study.oma", out, port],
            check=True,
            env=environment,
            cwd=home,
            timeout=120,
        )
    finally:
        there.chmod(0o700)
    assert [path.name for path in there.iterdir()] == ["study.oma"]
    assert list(home.rglob("*")) == []
    frame.write_parquet(tmp_path / "interactions.parquet")
    replayed = (out / "interactions.parquet").read_bytes()
    assert replayed == (tmp_path / "interactions.parquet").read_bytes()
    for name, wanted in {
        "funnel": funnel(frame, catalogue=catalogue),
        "mix": channel_mix(frame, catalogue=catalogue),
    }.items():
        assert pl.read_parquet(out / f"{name}.parquet").equals(wanted), name


def test_the_day_of_the_fetch_counts_on_the_calendar_of_the_computer_that_fetched(
    box: Sandbox, make_client: MakeClient, replay: Replay, tmp_path: Path
) -> None:
    client = make_client(box)
    box.answer("GetLastDataUpdate", body=b'{"Date": "2026-02-01"}')
    session_of(client).now = lambda: datetime.fromisoformat("2025-12-20T23:30:00-11:00")
    frame = client.interactions("000001", *YEAR)
    assert frame["data_through"].unique().to_list() == [date(2025, 12, 20)]
    client.snapshot(tmp_path / "study.oma")
    assert replay(tmp_path / "study.oma").interactions("000001", *YEAR).equals(frame)


def test_it_is_one_file_in_the_caches_layout_for_its_user_alone(
    client: OptimoveClient, box: Sandbox, tmp_path: Path
) -> None:
    client.interactions(["000001", 841231], *YEAR)
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "study.oma"
    snapshot = client.snapshot(path)
    assert [file.name for file in path.parent.iterdir()] == ["study.oma"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.fspath(snapshot) == str(path)
    assert snapshot.size == path.stat().st_size
    shape = "SELECT type, name, tbl_name, replace(sql, ' ', '')"
    with sqlite3.connect(path) as file, sqlite3.connect(client.cache.path) as cache:
        for pragma in ("user_version", "application_id"):
            wanted = cache.execute(f"PRAGMA {pragma}").fetchone()
            assert file.execute(f"PRAGMA {pragma}").fetchone() == wanted
        assert file.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert file.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = f"{shape} FROM sqlite_master ORDER BY 2"
        assert set(file.execute(query)) == set(cache.execute(query))
        query = "SELECT * FROM kept ORDER BY key"
        assert file.execute(query).fetchall() == cache.execute(query).fetchall()
    file.close()
    cache.close()
    # Neither the credential, nor the name made of it, nor a port that would tell apart.
    raw = path.read_bytes()
    digest = client.settings.cache_name.rsplit("-", 1)[1].removesuffix(".sqlite")
    port = box.url.rsplit(":", 1)[1]
    for secret in (box.api_key, "X-API-KEY", digest, client.settings.quota_name, f":{port}"):
        assert secret.encode() not in raw, secret


def test_only_what_this_client_used_is_in_it(
    box: Sandbox, make_client: MakeClient, replay: Replay, tmp_path: Path
) -> None:
    make_client(box).interactions(["000001", "002501", 841231], *YEAR)
    client = make_client(box)
    client.interactions([841231, "000001"], *YEAR)
    snapshot = client.snapshot(tmp_path / "study.oma")
    assert snapshot.customers == 2
    again = replay(snapshot)
    assert again.interactions(["000001", 841231], *YEAR).height > 0
    for on_error in ("raise", "collect"):
        with pytest.raises(OfflineError, match=r"1 of 2 .*002501.*replays study\.oma") as caught:
            again.interactions(["000001", "002501"], *YEAR, on_error=on_error)
        assert caught.value.missing == ("002501",)
    with pytest.raises(OfflineError, match="not kept for 2025-01-02"):
        again.interactions("000001", "2025-01-02", "2025-12-31")
    with pytest.raises(OfflineError, match=r"GetExecutionChannels\(\) is not kept"):
        again.channels()


def test_a_customer_whom_the_api_does_not_know_is_in_it_as_such(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    client.last_update()
    box.answer(INTERACTIONS, status=404, body=b"no such customer")
    assert client.interactions("nobody", *YEAR).is_empty()
    client.interactions("000001", *YEAR)
    client.snapshot(tmp_path / "study.oma")
    again = replay(tmp_path / "study.oma")
    assert again.interactions(["nobody", "000001"], *YEAR).height > 0
    found = {facts.found for facts in again.cache.facts(list(session_of(client).used)).values()}
    assert found == {True, False}
    assert again.last_update() == client.last_update()


def test_a_404_that_is_not_kept_is_in_it_all_the_same(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    box.answer("GetCampaignEngagementMetrics", status=404, body=b"no such customer")
    frame = client.engagement_metrics(["nobody", "000001"], *YEAR)
    client.snapshot(tmp_path / "study.oma")
    again = replay(tmp_path / "study.oma")
    assert again.engagement_metrics(["nobody", "000001"], *YEAR).height == frame.height
    box.answer("GetCampaignEngagementMetrics", body=b"[]")
    client.engagement_metrics(["nobody", "000001"], *YEAR)
    client.snapshot(tmp_path / "study.oma", overwrite=True)


def test_an_audience_of_an_api_that_knows_no_pages_is_in_it(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    function = "GetCustomerActionsByTargetGroup"
    box.answer(function, body=b'[{"CustomerID":"A1","ActionID":1,"ChannelID":7}]')
    box.answer(function, status=400, body=b"unknown parameter $skip")
    group = client.customers(1, "2025-11-28")
    assert group["customer_id"].to_list() == ["A1"]
    client.snapshot(tmp_path / "study.oma")
    assert replay(tmp_path / "study.oma").customers(1, "2025-11-28").equals(group)
    assert client.customers(1, "2025-11-28").equals(group)
    assert box.count(path=function) == 2


def test_the_same_answers_give_the_same_bytes_whatever_cache_they_come_from(
    box: Sandbox, make_client: MakeClient, replay: Replay, tmp_path: Path
) -> None:
    at = datetime(2026, 1, 1, 9, tzinfo=UTC)
    client = make_client(box)
    client.interactions(["000001", "002501", 841231], *YEAR)
    client.last_update()
    other = make_client(box)
    other.last_update()
    for customer in (841231, "002501", "000001"):
        other.interactions(customer, *YEAR)
    files = [tmp_path / name for name in ("one", "two", "three", "four")]
    for file, one in zip(files, [client, client, other], strict=False):
        write_snapshot(session_of(one), file, note="same", created_at=at)
    again = replay(files[0])
    again.last_update()
    again.interactions([841231, "000001", "002501"], *YEAR)
    # Of a replay, too: it has all that matters of the client that it replays.
    write_snapshot(session_of(again), files[3], note="same", created_at=at)
    assert len({file.read_bytes() for file in files}) == 1
    assert write_snapshot(session_of(client), tmp_path / "five", created_at=at).digest != (
        replay(files[0]).about.digest  # type: ignore[union-attr] # it replays
    )


def test_what_it_is_stands_in_it_and_in_the_clients_name(
    client: OptimoveClient, replay: Replay, tmp_path: Path
) -> None:
    client.channels()
    session_of(client).now = lambda: datetime.fromisoformat("2026-11-24T09:00:00+02:00")
    session_of(client).used.clear()
    client.interactions([841231], *SAMPLE, refresh=True)
    client.last_update()
    snapshot = client.snapshot(tmp_path / "study.oma", note="the first one")
    again = replay(snapshot)
    assert repr(again) == (
        '<OptimoveClient replaying study.oma: 2 answers of 2026-11-24, "the first one">'
    )
    assert repr(snapshot).startswith(
        '<Snapshot study.oma: 2 answers of 2026-11-24, "the first one", 1 customers, '
    )
    assert again.about is not None
    said = again.about.as_dict()
    assert said["path"] == str(tmp_path / "study.oma")
    assert said["host"] == "127.0.0.1"
    assert said["created_at"] == "2026-11-24T09:00:00+02:00" == said["first_fetched_at"]
    assert said["pseudonymised"] is False
    assert client.about is None


def test_the_settings_that_answers_depend_on_come_back(
    box: Sandbox, make_client: MakeClient, replay: Replay, tmp_path: Path
) -> None:
    theirs = ResponseFormat(
        "theirs", {"Day": "date", "What": "event_name"}, frozenset({"Day"}), frozenset({"Day"})
    )
    client = make_client(box, formats=[theirs], engagement_metrics_path=f"customers/{INTERACTIONS}")
    box.answer(INTERACTIONS, body=b'[{"Day": "2025-12-30", "What": "Open"}]')
    frame = client.engagement_metrics("x", *YEAR)
    assert frame["event_name"].to_list() == ["Open"]
    client.snapshot(tmp_path / "study.oma")
    again = replay(tmp_path / "study.oma")
    assert again.engagement_metrics("x", *YEAR).equals(frame)
    assert again.settings.settle_after == client.settings.settle_after
    assert again.settings.max_age == client.settings.max_age
    with pytest.raises(OptimoveAnalysisError, match="ChannelID"):
        replay(tmp_path / "study.oma", formats=()).engagement_metrics("x", *YEAR)


def test_what_was_replaced_since_is_an_error_and_no_file(
    box: Sandbox, make_client: MakeClient, tmp_path: Path
) -> None:
    client = make_client(box)
    client.interactions(["000001", 841231], *YEAR)
    make_client(box).interactions(841231, *YEAR, refresh=True)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(
        OptimoveAnalysisError, match=r"1 of the \d answers .* analysis with it again"
    ):
        client.snapshot(tmp_path / "study.oma")
    assert sorted(tmp_path.iterdir()) == before
    anew = make_client(box)
    anew.interactions(["000001", 841231], *YEAR)
    assert anew.snapshot(tmp_path / "study.oma").customers == 2
    client.cache.clear()
    with pytest.raises(OptimoveAnalysisError, match="cleared"):
        anew.snapshot(tmp_path / "study.oma", overwrite=True)


def test_where_nothing_was_used_or_kept_there_is_nothing_to_write(
    client: OptimoveClient, box: Sandbox, make_client: MakeClient, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="run the analysis"):
        client.snapshot(tmp_path / "study.oma")
    (tmp_path / "file").write_text("in the way")
    without = make_client(box, cache_dir=tmp_path / "file")
    with pytest.warns(CacheWarning):
        without.channels()
    with pytest.raises(OptimoveAnalysisError, match="does not work"):
        without.snapshot(tmp_path / "study.oma")
    client.channels()
    client.close()
    with pytest.raises(InputError, match="closed"):
        client.snapshot(tmp_path / "study.oma")
    assert not (tmp_path / "study.oma").exists()


def test_it_takes_the_place_of_nothing_unless_told_to(
    client: OptimoveClient, replay: Replay, tmp_path: Path
) -> None:
    path = tmp_path / "study.oma"
    path.write_text("dear to somebody")
    client.channels()
    with pytest.raises(InputError, match="overwrite=True"):
        client.snapshot(path)
    assert path.read_text() == "dear to somebody"
    client.snapshot(path, overwrite=True)
    again = replay(path)
    assert again.channels().height > 0
    for wrong, says in {
        tmp_path: "is a folder",
        tmp_path / "none" / "study.oma": "no folder",
        client.cache.path: "answers are",
    }.items():
        with pytest.raises(InputError, match=says):
            client.snapshot(wrong, overwrite=True)
    with pytest.raises(InputError, match="answers are"):
        again.snapshot(path, overwrite=True)
    with pytest.raises(InputError, match="must be text"):
        client.snapshot(path, overwrite=True, note=7)  # type: ignore[arg-type] # on purpose


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_where_there_is_no_room_for_it_the_error_says_so_and_nothing_is_left(
    client: OptimoveClient, tmp_path: Path
) -> None:
    import resource  # noqa: PLC0415 - absent on Windows

    client.interactions(audience(client), *YEAR)
    path = tmp_path / "study.oma"
    path.write_text("the old one")
    before = sorted(tmp_path.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OptimoveAnalysisError, match="disk full") as caught:
            client.snapshot(path, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "nothing of it is left" in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before
    assert path.read_text() == "the old one"
    assert client.snapshot(path, overwrite=True).size > 20_000


def rewritten(path: Path, old: bytes, new: bytes) -> None:
    raw = path.read_bytes()
    assert raw.count(old) >= 1
    path.write_bytes(raw.replace(old, new))


def done(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as file:
        file.execute(statement)
    file.close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.unlink(), "is not there"),
        (lambda path: path.write_bytes(b"not a database, " * 100), "damaged or missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:9_000]), "damaged or missing"),
        (lambda path: path.write_bytes(b""), "no snapshot"),
        (lambda path: done(path, "DELETE FROM about"), "it is a cache"),
        (lambda path: done(path, "DELETE FROM kept WHERE key < '8'"), "digest"),
        (lambda path: done(path, "UPDATE about SET value = 'x' WHERE name = 'note'"), "digest"),
        (lambda path: done(path, "DROP TABLE about"), "no such table"),
        (lambda path: done(path, "UPDATE about SET value = '2' WHERE name = 'format'"), "update"),
        (lambda path: done(path, f"PRAGMA user_version = {LAYOUT + 1}"), "update the package"),
        (lambda path: done(path, "PRAGMA application_id = 1"), "no snapshot"),
    ],
)
def test_what_is_no_whole_snapshot_of_this_version_is_refused(
    spoil: Callable[[Path], None], says: str, client: OptimoveClient, tmp_path: Path
) -> None:
    client.interactions(["000001", "002501", 841231], *YEAR)
    client.channels()
    path = tmp_path / "study.oma"
    client.snapshot(path)
    spoil(path)
    with pytest.raises(InputError, match=says):
        OptimoveClient.replay(path)


def test_a_cache_is_no_snapshot(client: OptimoveClient) -> None:
    client.channels()
    path = client.cache.path
    client.close()
    with pytest.raises(InputError, match=r"is no snapshot: it is a cache\. client\.snapshot"):
        OptimoveClient.replay(path)


def test_a_damaged_answer_is_an_error_and_not_a_miss(
    client: OptimoveClient, replay: Replay, tmp_path: Path
) -> None:
    client.interactions(["000001", 841231], "2018-01-01", "2025-12-31")
    path = tmp_path / "study.oma"
    client.snapshot(path)
    # One digit of one body: SQLite sees nothing wrong with it.
    rewritten(path, b'"CampaignID":428', b'"CampaignID":429')
    again = replay(path)
    with pytest.raises(InputError, match=r"1 of its answers are damaged.* another copy"):
        again.interactions(["000001", 841231], "2018-01-01", "2025-12-31")
    assert again.interactions("000001", "2018-01-01", "2025-12-31").height > 0
    # Nor does what is damaged get into a snapshot of a snapshot, or of a cache.
    session_of(again).used.update(session_of(client).used)
    with pytest.raises(OptimoveAnalysisError, match="damaged since"):
        again.snapshot(tmp_path / "copy.oma")
    assert not (tmp_path / "copy.oma").exists()


def test_a_replay_asks_nobody_and_changes_nothing(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    client.interactions("000001", *YEAR)
    client.snapshot(tmp_path / "study.oma")
    before, sent = (tmp_path / "study.oma").read_bytes(), box.count()
    again = replay(str(tmp_path / "study.oma"))
    for ask in (again.interactions, again.engagement_metrics, again.plan):
        with pytest.raises(InputError, match="refresh=True asks the API"):
            ask("000001", *YEAR, refresh=True)
    with pytest.raises(InputError, match="never cleared"):
        again.cache.clear()
    with pytest.raises(InputError, match="never erased from"):
        again.cache.forget("000001")
    assert again.settings.credential == Secret("")
    assert again.settings.offline
    assert box.count() == sent
    assert (tmp_path / "study.oma").read_bytes() == before
    again.close()
    again.close()
    with pytest.raises(InputError, match="closed"):
        again.interactions("000001", *YEAR)


ROW = (
    '{"Date":"2025-03-01","CampaignID":%s,"RecipientGroupID":1,"ActionID":26,"ChannelID":7,'
    '"TemplateID":13,"EventID":2,"Paid":1.10,"Friend":918273645546,"Note":"with Zebra-918273.",'
    '"More":{"CustomerID":"Hidden-554433"},"Zebra-918273":[7,"Hidden-554433"]}'
)


def with_pseudonyms(client: OptimoveClient, box: Sandbox, path: Path) -> dict[str, pl.DataFrame]:
    """Write a snapshot with pseudonyms; return frames that have ids in all sorts of places."""
    frames = {"group": client.customers(1, "2025-11-28"), "channels": client.channels()}
    asked: list[str | int] = ["Zebra-918273", 918273645546, "7"]
    for number, one in enumerate(asked):
        box.answer(INTERACTIONS, body=f"[{ROW % number}]".encode())
        frames[str(one)] = client.interactions(one, *YEAR)
    client.snapshot(path, note="of Zebra-918273", pseudonymise=KEY)
    return frames


def test_no_id_is_left_in_a_file_with_pseudonyms(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    path = tmp_path / "study.oma"
    frames = with_pseudonyms(client, box, path)
    plain_path = tmp_path / "plain.oma"
    client.snapshot(plain_path)
    raw, plain = path.read_bytes(), plain_path.read_bytes()
    for one in ("Zebra", "918273", "Hidden", "554433"):
        assert one.encode() in plain
        assert one.encode() not in raw, one
    members = {f'"{one}"'.encode() for one in frames["group"]["customer_id"]}
    assert len(members) > 100
    # In the raw file an id may lie across two pages: in the bodies it cannot.
    hidden, shown = (b"".join(bodies(replay(file)).values()) for file in (path, plain_path))
    assert [one for one in members if one not in shown] == []
    assert [one for one in members if one in hidden or one in raw] == []
    assert KEY.encode() not in raw
    # What a number stands for is known of these; and no answer lies where it lay.
    assert raw.count(b'"ChannelID": 7') == 3
    query = "SELECT key FROM kept WHERE params != '{}' AND params NOT LIKE '%TargetGroupID%'"
    keys = []
    for file in (path, plain_path):
        with sqlite3.connect(file) as connection:
            keys.append({key for (key,) in connection.execute(query)})
        connection.close()
    assert len(keys[0]) == len(keys[1]) == 3
    assert not keys[0] & keys[1]


def test_frames_have_pseudonyms_and_are_else_the_same(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    path = tmp_path / "study.oma"
    frames = with_pseudonyms(client, box, path)
    blind, knowing = replay(path), replay(path, pseudonym_key=KEY.encode())
    hidden = pl.col("customer_id").map_elements(lambda one: pseudonym(one, KEY), pl.String)
    for again in (blind, knowing):
        assert again.about is not None
        assert again.about.pseudonymised
        assert again.about.note == f"of {pseudonym('Zebra-918273', KEY)}"
        assert "1 pseudonyms" not in repr(again.about)
        group = again.customers(1, "2025-11-28")
        assert group.equals(frames["group"].with_columns(hidden))
        assert again.channels().equals(frames["channels"])
        for one in ("Zebra-918273", "918273645546", "7"):
            frame = again.interactions(pseudonym(one, KEY), *YEAR)
            wanted = frames[one].with_columns(hidden)
            assert frame.drop("extra").equals(wanted.drop("extra"))
            (extra,) = frame["extra"]
            assert '"Paid": 1.10' in extra
            assert f'"Note": "with {pseudonym("Zebra-918273", KEY)}."' in extra
            assert f'"CustomerID": "{pseudonym("Hidden-554433", KEY)}"' in extra
    frame = knowing.interactions(["7", 918273645546, pseudonym("7", KEY)], *YEAR)
    assert frame["customer_id"].to_list() == [pseudonym("7", KEY), pseudonym(918273645546, KEY)]
    assert knowing.plan([7, "Zebra-918273"], *YEAR).kept == 2


def test_what_is_missing_is_named_as_it_was_asked_for(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    path = tmp_path / "study.oma"
    with_pseudonyms(client, box, path)
    with pytest.raises(OfflineError, match=r"1 of 2 .*offline: 000001\.") as caught:
        replay(path, pseudonym_key=KEY).interactions(["7", "000001"], *YEAR)
    assert caught.value.missing == ("000001",)
    with pytest.raises(OfflineError, match=r"pseudonym_key=\.\.\. takes real ones"):
        replay(path).interactions("7", *YEAR)


def test_another_key_or_one_too_many_is_refused(
    client: OptimoveClient, box: Sandbox, replay: Replay, tmp_path: Path
) -> None:
    path, plain = tmp_path / "study.oma", tmp_path / "plain.oma"
    with_pseudonyms(client, box, path)
    client.snapshot(plain)
    with pytest.raises(InputError, match="another key"):
        OptimoveClient.replay(path, pseudonym_key=new_pseudonym_key())
    with pytest.raises(InputError, match="real ones"):
        OptimoveClient.replay(plain, pseudonym_key=KEY)
    with pytest.raises(InputError, match="at least 16 bytes"):
        client.snapshot(tmp_path / "other.oma", pseudonymise="short")
    again = replay(path)
    again.interactions(pseudonym("7", KEY), *YEAR)
    with pytest.raises(InputError, match="pseudonyms already"):
        again.snapshot(tmp_path / "other.oma", pseudonymise=KEY)
    assert not (tmp_path / "other.oma").exists()
    # A part of it keeps the key; and of a plain one, one with pseudonyms can be made.
    again.snapshot(tmp_path / "part.oma")
    part = replay(tmp_path / "part.oma", pseudonym_key=KEY)
    assert part.interactions("7", *YEAR).height == 1
    real = replay(plain)
    real.interactions("7", *YEAR)
    real.snapshot(tmp_path / "hidden.oma", pseudonymise=KEY)
    assert replay(tmp_path / "hidden.oma", pseudonym_key=KEY).interactions("7", *YEAR).height == 1


def test_a_campaign_that_the_api_does_not_know_is_in_it_as_such(
    make_client: MakeClient, replay: Replay, tmp_path: Path
) -> None:
    function, day = "GetCustomerSendDetailsByCampaign", ("2025-02-11", "2025-02-11")
    # A small world, since all that a campaign of the day sent to anybody is asked for.
    with sandbox(customers=80, quota=100_000) as box:
        client, ids = make_client(box), box.world.customer_ids(9)
        box.answer(function, status=404, body=b"unknown campaign")
        with pytest.warns(RouteWarning, match="answered 404"):
            frame = client.interactions(ids, *day, route="campaign", progress=False)
        client.snapshot(tmp_path / "study.oma")
    with pytest.warns(RouteWarning, match="answered 404"):
        again = replay(tmp_path / "study.oma").interactions(ids, *day, route="campaign")
    assert again.equals(frame)


def test_what_was_left_by_who_was_killed_is_swept_when_it_is_old(
    client: OptimoveClient, tmp_path: Path
) -> None:
    client.interactions("000001", "2025-01-01", "2025-11-30")
    old, new = (tmp_path / f".study.oma.{name}.part" for name in ("0123abcd", "4567cdef"))
    for left in (old, new):
        left.write_bytes(b"000001")
    os.utime(old, (0, 0))
    client.snapshot(tmp_path / "study.oma")
    assert not old.exists()
    assert new.exists()
