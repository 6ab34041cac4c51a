"""An archive over the real sandbox: what comes in, what is asked for again, what can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from optimove_analysis import Archive, OptimoveClient, channel_mix, funnel
from optimove_analysis.client import new_pseudonym_key
from optimove_analysis.errors import InputError, OfflineError, OptimoveAnalysisError
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import ARCHIVED, COVERAGE, INTERACTIONS

MakeClient = Callable[..., OptimoveClient]

YEAR = ("2025-01-01", "2025-12-31")
SPRING = ("2025-03-01", "2025-05-31")
INTERACTIONS_OF = "GetCustomerChannelInteractions"


@pytest.fixture
def ids(box: Sandbox) -> list[str]:
    return box.world.customer_ids(30)


def rows_of(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return rows in an order that depends on nothing but them."""
    return frame.lazy().collect().sort(pl.all())


def asked(box: Sandbox) -> int:
    return box.count(path=INTERACTIONS_OF)


def body(*days: str, event: int = 1) -> bytes:
    """Return an answer with an event of a message each day."""
    names = ("CampaignID", "RecipientGroupID", "ActionID", "ChannelID", "TemplateID")
    rows = [{"Date": day, **dict.fromkeys(names, 5), "EventID": event} for day in days]
    return json.dumps(rows).encode()


@pytest.mark.parametrize("flag", [False, True])
def test_the_archive_has_what_the_client_has(
    make_client: MakeClient, archive: Archive, *, flag: bool
) -> None:
    with sandbox(quota=100_000, engagement_metrics=flag) as box:
        client, ids = make_client(box), box.world.customer_ids(30)
        found = archive.update(client, ids, *YEAR)
        frame = client.interactions(ids, *YEAR)
    assert (found.customers, found.answers, found.rows) == (30, 30, frame.height)
    scanned = archive.scan()
    assert scanned.collect_schema() == INTERACTIONS.schema
    assert_frame_equal(rows_of(scanned), rows_of(frame))
    assert_frame_equal(funnel(scanned).collect(), funnel(frame))
    assert_frame_equal(channel_mix(scanned).collect(), channel_mix(frame))
    formats = set(archive.coverage().collect()["format"].drop_nulls())
    assert formats == {"engagement metrics" if flag else "channel interactions"}


def test_what_is_covered_is_said_of_every_customer(
    box: Sandbox, client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    box.answer(INTERACTIONS_OF, status=404)
    archive.update(client, "nobody", *SPRING)
    archive.update(client, [*ids, "nobody"], *SPRING)
    covered = archive.coverage().collect()
    assert covered.schema == COVERAGE.schema
    assert sorted(covered["customer_id"]) == sorted([*ids, "nobody"])
    frame = client.interactions(ids, *SPRING)
    counts = {one: frame.filter(customer_id=one).height for one in ids}
    assert dict(covered.select("customer_id", "rows").iter_rows()) == {**counts, "nobody": 0}
    assert set(covered["last_update"]) == {client.last_update()}
    assert covered.filter(~pl.col("found"))["customer_id"].to_list() == ["nobody"]


def test_what_has_settled_is_never_asked_for_again(
    box: Sandbox, client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids, *SPRING)
    before, version, sent = rows_of(archive.scan()), archive.version, len(box.log)
    again = archive.update(client, ids, *SPRING)
    assert (again.answers, again.customers) == (0, 30)
    assert archive.version == version
    assert len(box.log) == sent
    assert_frame_equal(rows_of(archive.scan()), before)


def test_only_new_days_and_new_customers_are_asked_for(
    box: Sandbox, client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids[:20], *SPRING)
    assert asked(box) == 20
    archive.update(client, ids, "2025-03-01", "2025-06-30")
    assert asked(box) == 20 + 30
    ranges = archive.coverage().collect().group_by("start", "end").len().sort("start", "end").rows()
    assert ranges == [
        (date(2025, 3, 1), date(2025, 5, 31), 20),
        (date(2025, 3, 1), date(2025, 6, 30), 10),
        (date(2025, 6, 1), date(2025, 6, 30), 20),
    ]
    frame = client.interactions(ids, "2025-03-01", "2025-06-30")
    assert_frame_equal(rows_of(archive.scan()), rows_of(frame))


def test_an_answer_that_may_have_changed_is_replaced_as_a_whole(
    box: Sandbox, make_client: MakeClient, archive: Archive, tmp_path: Path
) -> None:
    # Its events lie after its range, as may be: the range is about the day of the send.
    box.answer(INTERACTIONS_OF, body=body("2025-11-20", "2025-12-03", "2025-12-04"))
    archive.update(make_client(box), "A", "2025-11-01", "2025-11-30")
    # The same again, corrected, by a client that knows nothing of the first answer.
    box.answer(INTERACTIONS_OF, body=body("2025-11-20", "2025-12-05"))
    other = make_client(box, cache_dir=tmp_path / "other")
    archive.update(other, "A", "2025-11-01", "2025-12-31", refresh=True)
    dates = archive.scan().collect()["date"].sort().to_list()
    assert dates == [date(2025, 11, 20), date(2025, 12, 5)]
    assert archive.coverage().select("start", "end", "rows").collect().rows() == [
        (date(2025, 11, 1), date(2025, 12, 31), 2)
    ]


def test_an_answer_that_has_not_settled_is_asked_for_with_the_days_that_follow(
    box: Sandbox, make_client: MakeClient, archive: Archive
) -> None:
    never = timedelta(days=10_000)
    client = make_client(box, settle_after=never, max_age=timedelta(0))
    archive.update(client, "A", "2025-11-01", "2025-11-30")
    archive.update(client, "A", "2025-12-01", "2025-12-10")
    # Both may have changed; what was asked for apart is one answer from now on.
    archive.update(client, "A", "2025-11-15", "2025-12-31")
    assert archive.coverage().select("start", "end").collect().rows() == [
        (date(2025, 11, 1), date(2025, 12, 31))
    ]


def test_a_range_that_is_asked_for_in_pieces_is_the_range_asked_for_at_once(
    client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    for start, end in [("2025-04-01", "2025-04-30"), ("2025-01-01", "2025-02-28"), YEAR]:
        archive.update(client, ids, start, end)
    # 2025-03-01 to 03-31 and what follows April are missing, and asked for as one range.
    assert archive.coverage().collect()["end"].max() == date(2025, 12, 31)
    frame = client.interactions(ids, *YEAR)
    unsaid = pl.exclude("data_through")
    assert_frame_equal(rows_of(archive.scan().select(unsaid)), rows_of(frame.select(unsaid)))


def test_an_empty_answer_takes_the_place_of_interactions(
    box: Sandbox, make_client: MakeClient, archive: Archive, tmp_path: Path
) -> None:
    box.answer(INTERACTIONS_OF, body=body("2025-03-02"))
    archive.update(make_client(box), "A", *SPRING)
    box.answer(INTERACTIONS_OF, body=b"[]")
    archive.update(make_client(box, cache_dir=tmp_path / "other"), "A", *SPRING, refresh=True)
    assert archive.scan().collect().is_empty()
    assert archive.coverage().collect()["rows"].to_list() == [0]


def test_rows_without_a_day_and_with_unknown_fields_are_kept(
    box: Sandbox, client: OptimoveClient, archive: Archive
) -> None:
    row = json.loads(body("2025-03-02"))[0]
    odd = [{**row, "Date": None, "Mood": "fine"}, {**row, "EventID": 99}, row]
    box.answer(INTERACTIONS_OF, body=json.dumps(odd).encode())
    archive.update(client, "A", *SPRING)
    frame = rows_of(archive.scan())
    assert_frame_equal(frame, rows_of(client.interactions("A", *SPRING)))
    assert frame["extra"].drop_nulls().to_list() == ['{"Mood": "fine"}']


def test_failures_of_customers_are_collected_and_asked_for_the_next_time(
    box: Sandbox, client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    box.answer(INTERACTIONS_OF, status=400, body=b"no")
    found = archive.update(client, ids, *SPRING, on_error="collect")
    assert (found.answers, found.failures.height) == (29, 1)
    assert archive.update(client, ids, *SPRING).answers == 1
    assert_frame_equal(rows_of(archive.scan()), rows_of(client.interactions(ids, *SPRING)))


def test_progress_counts_all_customers(
    client: OptimoveClient, archive: Archive, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimove_analysis.archive.update.BATCH", 7)
    archive.update(client, ids[:10], *SPRING)
    seen: list[Any] = []
    archive.update(client, ids, *SPRING, progress=seen.append)
    assert {one.total for one in seen} == {30}
    assert [one.fetched for one in seen] == sorted(one.fetched for one in seen)
    assert (seen[-1].cached, seen[-1].fetched) == (10, 20)


def test_a_snapshot_fills_an_archive_with_no_network(
    box: Sandbox, client: OptimoveClient, archive: Archive, ids: list[str], tmp_path: Path
) -> None:
    frame = client.interactions(ids, *SPRING)
    study = client.snapshot(tmp_path / "study.oma")
    sent = len(box.log)
    with OptimoveClient.replay(study) as replayed:
        archive.update(replayed, ids, *SPRING)
        with pytest.raises(OfflineError):
            archive.update(replayed, ids, *YEAR)
    assert len(box.log) == sent
    assert_frame_equal(rows_of(archive.scan()), rows_of(frame))


def test_pseudonyms_are_archived_as_such_and_not_among_customers(
    client: OptimoveClient, archive: Archive, ids: list[str], tmp_path: Path
) -> None:
    key = new_pseudonym_key()
    client.interactions(ids, *SPRING)
    study = client.snapshot(tmp_path / "study.oma", pseudonymise=key)
    with OptimoveClient.replay(study, pseudonym_key=key) as replayed:
        archive.update(replayed, ids, *SPRING)
        frame = replayed.interactions(ids, *SPRING)
        assert archive.update(replayed, ids, *SPRING).answers == 0
    assert_frame_equal(rows_of(archive.scan()), rows_of(frame))
    with pytest.raises(InputError, match="holds pseudonyms"):
        archive.update(client, ids, *SPRING)


def test_an_archive_is_of_one_instance(client: OptimoveClient, archive: Archive) -> None:
    archive.update(client, "A", *SPRING)
    with (
        OptimoveClient("api5", api_key="not a real one") as other,
        pytest.raises(InputError, match=r"is of 127\.0\.0\.1.*asks api5\.optimove\.net"),
    ):
        archive.update(other, "A", *SPRING)


def test_customers_are_read_from_where_they_are(
    client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids, *YEAR)
    some = ids[3:5]
    found = archive.scan(some)
    assert_frame_equal(rows_of(found), rows_of(client.interactions(some, *YEAR)))
    # One file of four each, and that read by the statistics of its pieces.
    assert found.explain().count(".parquet") <= 2


def test_a_share_is_of_customers_and_always_of_the_same(
    client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids, *YEAR)
    frame = client.interactions(ids, *YEAR)
    half = archive.scan(share=0.5).collect()
    some = half["customer_id"].unique().to_list()
    assert 0 < len(some) < frame["customer_id"].n_unique()
    assert_frame_equal(rows_of(half), rows_of(frame.filter(pl.col("customer_id").is_in(some))))
    assert_frame_equal(rows_of(archive.scan(share=0.45)), rows_of(half))  # whole buckets
    assert archive.scan(share=1e-9).collect().height > 0
    assert_frame_equal(rows_of(archive.scan(share=1)), rows_of(frame))
    assert archive.scan(share=0.25).explain().count(".parquet") == 1
    for share in (0, -1, 1.5, "half", float("nan")):
        with pytest.raises(InputError, match="share="):
            archive.scan(share=share)  # type: ignore[arg-type]


def test_files_are_in_order_with_the_day_that_each_piece_is_about(
    client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids, *YEAR)
    files = archive.files()
    assert len(files) == 4
    for file in files:
        frame = pl.read_parquet(file.removeprefix("file://"))
        month = frame["date"].dt.truncate("1mo")
        order = frame.select(month, "customer_id", day=frame["date"])
        assert order.equals(order.sort("date", "customer_id", "day"))
        assert set(ARCHIVED.names) - {"bucket"} == set(frame.columns) - {"bucket"}


def test_the_past_can_be_read_by_version_and_by_time(
    client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids[:10], *SPRING)
    then, at = rows_of(archive.scan()), datetime.now(UTC)
    first = archive.version
    archive.update(client, ids, *YEAR)
    for when in (first, at):
        past = archive.as_of(when)
        assert_frame_equal(rows_of(past.scan()), then)
        assert past.coverage().collect()["customer_id"].n_unique() == 10
        assert past.version == first
    assert archive.as_of(date(2100, 1, 1)).version == archive.version
    with pytest.raises(InputError, match="past state"):
        past.update(client, ids, *SPRING)
    unknown: list[tuple[Any, str]] = [
        (99, "no state"),
        (-1, "no version"),
        ("yesterday", "is not a day"),
    ]
    for never, message in unknown:
        with pytest.raises(InputError, match=message):
            archive.as_of(never)


def test_compact_removes_earlier_states_and_says_so(
    client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids, *SPRING)
    first = archive.version
    archive.update(client, ids, *YEAR)
    before = rows_of(archive.scan())
    assert archive.info().files_of_history == 4
    assert archive.compact().files_of_history == 4  # it is not a week old
    assert archive.as_of(first).scan().collect().height < before.height
    assert archive.compact(keep=timedelta(0)).files_of_history == 0
    version = archive.version
    assert archive.compact(keep=timedelta(0)).version == version  # nothing to do leaves no trace
    assert_frame_equal(rows_of(archive.scan()), before)
    with pytest.raises(InputError, match="compact or forget has removed 4"):
        archive.as_of(first)
    assert archive.update(client, ids, *YEAR).answers == 0


def test_info_says_what_there_is(client: OptimoveClient, archive: Archive, ids: list[str]) -> None:
    archive.update(client, ids, *SPRING)
    info = archive.info()
    assert info.rows == client.interactions(ids, *SPRING).height
    assert (info.customers, info.answers, info.buckets) == (30, 30, 4)
    assert (info.first_day, info.last_day) == (date(2025, 3, 1), date(2025, 5, 31))
    sizes = [Path(file.removeprefix("file://")).stat().st_size for file in archive.files()]
    assert (info.size, info.files) == (sum(sizes), 4)
    assert f"{info.rows:,} interactions of 30 customers" in str(info)
    assert "30 customers" in info._repr_html_()
    assert json.loads(json.dumps(info.as_dict()))["rows"] == info.rows


def test_the_log_holds_no_customer(
    client: OptimoveClient, archive: Archive, ids: list[str]
) -> None:
    archive.update(client, ids, *SPRING)
    logs = [*Path(archive.path).glob("*/_delta_log/*")]
    assert len(logs) >= 4
    for log in logs:
        assert not any(one.encode() in log.read_bytes() for one in ids)


def test_where_no_archive_is_the_error_says_how_to_make_one(archive: Archive) -> None:
    for call in (archive.scan, archive.info, archive.compact, archive.coverage, archive.files):
        with pytest.raises(InputError, match=r"archive\.update\(client"):
            call()
    with pytest.raises(InputError, match=r"archive\.update\(client"):
        archive.forget("A")
    assert not Path(archive.path).exists()


@pytest.mark.parametrize("buckets", [0, -1, 5_000, True, "16", 1.5])
def test_a_number_of_buckets_that_is_none_is_refused(buckets: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="buckets="):
        Archive(tmp_path, buckets=buckets)


def test_a_key_given_as_a_customer_gets_nowhere(
    box: Sandbox, client: OptimoveClient, archive: Archive
) -> None:
    with pytest.raises(InputError) as raised:
        archive.update(client, ["A", box.api_key], *SPRING)
    assert box.api_key not in str(raised.value)
    assert isinstance(raised.value, OptimoveAnalysisError)
    assert asked(box) == 0


def test_what_the_log_says_is_of_the_version_that_was_opened(
    client: OptimoveClient, archive: Archive
) -> None:
    archive.update(client, "000010", "2025-01-01", "2025-01-31")
    table = archive._tables.rows  # noqa: SLF001 - below what is public
    before = table.opened()
    wanted = list(table.said(before, "batch"))
    archive.update(client, "000010", "2025-01-01", "2025-01-31", refresh=True)
    assert list(table.said(before, "batch")) == wanted
    assert len(list(table.said(table.opened(), "batch"))) == len(wanted) + 1
