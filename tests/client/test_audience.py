"""What is kept of an audience, for how long, and what is asked for again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from client.conftest import MakeClient

from optimove_analysis.client import CacheWarning, LastUpdateWarning, OptimoveClient
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    ConnectionFailedError,
    InputError,
    OfflineError,
    SchemaError,
)
from optimove_analysis.sandbox import Sandbox
from optimove_analysis.schema import FAILURES

FUNCTION = "GetCustomerChannelInteractions"
UPDATE = "GetLastDataUpdate"
SETTLED = ("2025-01-01", "2025-11-30")
RECENT = ("2025-12-01", "2025-12-31")


def at(client: OptimoveClient, later: timedelta) -> None:
    """Set a client's clock on."""
    client._session.now = lambda: datetime.now().astimezone() + later  # noqa: SLF001 - its seam


@pytest.mark.parametrize("days", [0, 1, 1_000])
def test_a_settled_range_is_never_asked_for_again(
    days: int, box: Sandbox, client: OptimoveClient
) -> None:
    first = client.interactions("000001", *SETTLED)
    at(client, timedelta(days=days))
    assert client.interactions("000001", *SETTLED).equals(first)
    assert (box.count(path=FUNCTION), box.count(path=UPDATE)) == (1, 1)


def test_a_recent_range_is_asked_for_again_when_the_data_is_updated_and_not_before(
    box: Sandbox, client: OptimoveClient
) -> None:
    client.interactions("000001", *RECENT)
    at(client, timedelta(hours=5))
    client.interactions("000001", *RECENT)
    assert (box.count(path=FUNCTION), box.count(path=UPDATE)) == (1, 2)
    at(client, timedelta(hours=6))
    box.answer(UPDATE, body=b'{"Date": "2026-01-01"}')
    client.interactions("000001", *RECENT)
    assert (box.count(path=FUNCTION), box.count(path=UPDATE)) == (2, 3)


def test_the_last_update_is_asked_for_once_in_ten_minutes(
    box: Sandbox, client: OptimoveClient
) -> None:
    for minutes in (0, 5, 9, 11, 15):
        at(client, timedelta(minutes=minutes))
        client.interactions("000001", *RECENT)
    assert (box.count(path=FUNCTION), box.count(path=UPDATE)) == (1, 2)


def test_a_recent_range_is_asked_for_again_after_the_age_that_the_user_sets(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, max_age=timedelta(hours=3))
    client.interactions("000001", *RECENT)
    at(client, timedelta(hours=2))
    client.interactions("000001", *RECENT)
    assert box.count(path=FUNCTION) == 1
    at(client, timedelta(hours=4))
    client.interactions("000001", *RECENT)
    assert box.count(path=FUNCTION) == 2


def test_where_the_api_does_not_say_when_it_was_updated_an_hour_is_the_age(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer(UPDATE, status=400, body=b"not here", times=9)
    today = datetime.now().astimezone().date()
    for minutes, asked in ((0, 1), (50, 1), (70, 2)):
        at(client, timedelta(minutes=minutes))
        with pytest.warns(LastUpdateWarning):
            client.interactions("000001", today - timedelta(days=9), today)
        assert box.count(path=FUNCTION) == asked


def test_who_trusts_less_lets_ranges_settle_later(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box)
    client.interactions("000001", *SETTLED)
    client.close()
    doubting = make_client(box, settle_after=timedelta(days=90))
    at(doubting, timedelta(days=2))
    doubting.interactions("000001", *SETTLED)
    assert box.count(path=FUNCTION) == 2


def test_an_answer_that_a_clock_set_years_ahead_has_dated_does_not_settle_a_range(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer(UPDATE, status=404, body=b"no", times=2)
    at(client, timedelta(days=4_000))
    with pytest.warns(LastUpdateWarning):
        client.interactions("000001", *RECENT)
    at(client, timedelta(0))  # the clock is put right
    with pytest.warns(LastUpdateWarning):
        client.interactions("000001", *RECENT)
    assert box.count(path=FUNCTION) == 2


def test_a_clock_that_was_set_back_makes_no_answer_young(
    box: Sandbox, client: OptimoveClient
) -> None:
    at(client, timedelta(days=400))
    client.interactions("000001", *RECENT)
    at(client, timedelta(0))
    client.interactions("000001", *RECENT)
    assert box.count(path=FUNCTION) == 2
    # And what was fetched when it was wrong does not settle by it: the data reached no further.
    client.interactions("000001", *RECENT)
    assert box.count(path=FUNCTION) == 2


def test_a_kept_update_that_settles_a_range_need_not_be_asked_for_again(
    box: Sandbox, client: OptimoveClient
) -> None:
    client.interactions("000001", *SETTLED)
    at(client, timedelta(days=3))
    frame = client.interactions("000002", *SETTLED)
    assert box.count(path=UPDATE) == 1
    assert frame["data_through"].unique().to_list() == [date(2025, 11, 30)]


def test_a_customer_who_is_not_known_is_remembered_until_the_data_changes(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer(FUNCTION, status=404, body=b"unknown")
    assert client.interactions("nobody", *SETTLED).is_empty()
    at(client, timedelta(hours=1))
    assert client.interactions("nobody", *SETTLED).is_empty()
    assert box.count(path=FUNCTION) == 1
    at(client, timedelta(days=2))
    client.interactions("nobody", *SETTLED)
    assert box.count(path=FUNCTION) == 2


def test_where_everything_is_404_nothing_is_remembered(
    box: Sandbox, make_client: MakeClient
) -> None:
    box.answer(UPDATE, status=404)
    box.answer(FUNCTION, status=404, times=2)
    client = make_client(box)
    with pytest.warns(LastUpdateWarning), pytest.raises(ApiError, match="right instance"):
        client.interactions(["000001", "000002"], *SETTLED)
    assert client.interactions(["000001", "000002"], *SETTLED).height > 0


def test_an_answer_that_does_not_parse_is_not_kept(box: Sandbox, client: OptimoveClient) -> None:
    whole = b'{"Date":"2025-01-01","CampaignID":4.5,"RecipientGroupID":1,"ActionID":1,'
    box.answer(FUNCTION, body=b"[%b" % whole + b'"ChannelID":1,"TemplateID":1,"EventID":1}]')
    with pytest.raises(Exception, match=r"'CampaignID' is 4\.5"):
        client.interactions("000001", *SETTLED)
    assert client.interactions("000001", *SETTLED).height > 0


# Offline


def test_offline_takes_what_is_kept_whatever_its_age_and_sends_nothing(
    box: Sandbox, client: OptimoveClient
) -> None:
    fetched = client.interactions(["000001", "000002"], *RECENT)
    names = client.channels()
    sent = box.count()
    at(client, timedelta(days=1_000))
    assert client.interactions(["000001", "000002"], *RECENT, offline=True).equals(fetched)
    assert box.count() == sent
    client.close()
    offline = OptimoveClient(
        box.url, box.api_key, cache_dir=client.settings.cache_dir, offline=True
    )
    with offline:
        at(offline, timedelta(days=1_000))
        assert offline.interactions(["000002"], *RECENT).height > 0
        plan = offline.plan(["000002", "000003"], *RECENT)
        assert (plan.kept, plan.to_fetch, plan.requests) == (1, 1, 0)
        assert "missing  1  not kept, and this client is offline" in str(plan)
        assert offline.channels().equals(names)
        with pytest.raises(OfflineError, match=r"GetAllActions\(\) is not kept"):
            offline.actions()
    assert box.count() == sent


def test_offline_a_miss_names_what_is_missing(client: OptimoveClient) -> None:
    client.interactions("000001", *SETTLED)
    wanted = [f"{n:06}" for n in range(1, 10)]
    with pytest.raises(OfflineError, match=r"8 of 9 customers .*000002, .* and 3 more") as raised:
        client.interactions(wanted, *SETTLED, offline=True)
    assert raised.value.missing == tuple(wanted[1:])
    with pytest.raises(OfflineError, match="2025-12-31"):
        client.interactions("000001", "2025-01-01", "2025-12-31", offline=True)


def test_an_account_that_is_named_needs_no_key_offline(
    box: Sandbox, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPTIMOVE_API_KEY", raising=False)
    client = make_client(box, "a-key", account="shop")
    with OptimoveClient(
        box.url, account="shop", offline=True, cache_dir=client.settings.cache_dir
    ) as offline:
        assert offline.cache.path == client.cache.path
    with pytest.raises(InputError, match="no API key"):
        OptimoveClient(box.url, offline=True)
    with pytest.raises(InputError, match="no API key"):
        OptimoveClient(box.url, account="shop")


# Collected failures


def test_failures_are_collected_beside_the_frame(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box, threads=1)
    ids = box.world.customer_ids(6)
    box.answer(FUNCTION, status=400, body=b"bad id")
    box.answer(FUNCTION, body=b"<html>oops</html>")
    collected = client.interactions(ids, *SETTLED, on_error="collect", progress=False)
    frame, failures = collected
    said = f"Collected: {frame.height:,} interactions; 2 customers failed"
    assert repr(collected).startswith(f"{said}\nshape: (2, 4)")
    assert said in collected._repr_html_()
    assert failures.schema == FAILURES.schema
    assert failures.select("customer_id", "error", "status").rows() == [
        (ids[0], "ApiError", 400),
        (ids[1], "ResponseError", 200),
    ]
    assert "bad id" in failures["message"][0]
    assert set(frame["customer_id"]) <= set(ids[2:])
    assert frame.equals(client.interactions(ids[2:], *SETTLED))
    again = client.interactions(ids, *SETTLED, on_error="collect")
    assert again.failures.is_empty()
    assert len(repr(again).splitlines()) == 1
    assert again.interactions.equals(client.interactions(ids, *SETTLED))


def test_a_key_that_is_not_accepted_is_nobodys_own_failure(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, threads=2)
    client.last_update()
    box.answer(FUNCTION, status=401, body=b"who?", times=9)
    with pytest.raises(AuthError):
        client.interactions(box.world.customer_ids(9), *SETTLED, on_error="collect")
    assert box.count(path=FUNCTION) <= 3


def test_an_outage_is_not_collected_customer_by_customer(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    client.last_update()
    client._session._chance = lambda: 0.0  # noqa: SLF001 - waits are not the point here
    ids = box.world.customer_ids(300)
    box.stop()
    with pytest.raises(ConnectionFailedError, match="refused"):
        client.interactions(ids, *SETTLED, on_error="collect", progress=False)
    frame, failures = client.interactions(ids[:5], *SETTLED, on_error="collect")
    assert frame.is_empty()
    assert failures["customer_id"].to_list() == ids[:5]


def test_what_to_do_about_errors_is_one_of_two(client: OptimoveClient) -> None:
    with pytest.raises(InputError, match="did you mean 'collect'"):
        client.interactions("000001", *SETTLED, on_error="colect")  # type: ignore[call-overload]


# The plan


def test_a_plan_says_what_a_fetch_then_does(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box, quota=(50, 10.0))
    ids = box.world.customer_ids(12)
    before = client.plan(ids, *SETTLED)
    assert box.count() == 0
    assert (before.customers, before.kept, before.to_fetch, before.requests) == (12, 0, 12, 13)
    client.interactions(ids[:4], *SETTLED)
    sent = box.count()
    plan = client.plan(ids, *SETTLED)
    assert (plan.kept, plan.doubtful, plan.to_fetch, plan.requests) == (4, 0, 8, 8)
    assert plan.at_most == 8
    client.interactions(ids, *SETTLED)
    assert box.count() == sent + plan.requests
    done = client.plan(ids, *SETTLED)
    assert (done.kept, done.requests, done.seconds) == (12, 0, 0.0)
    assert client.plan(ids, *SETTLED, refresh=True).requests == 12


def test_a_plan_says_what_depends_on_whether_data_was_updated(
    box: Sandbox, client: OptimoveClient
) -> None:
    ids = box.world.customer_ids(5)
    client.interactions(ids, *RECENT)
    assert client.plan(ids, *RECENT).kept == 5
    at(client, timedelta(hours=2))
    plan = client.plan(ids, *RECENT)
    assert (plan.kept, plan.doubtful, plan.to_fetch) == (0, 5, 0)
    assert (plan.requests, plan.at_most) == (1, 6)
    assert "good if the data was not updated since" in str(plan)
    assert "to fetch  0  1 request (for the last update), at once" in str(plan)
    for text in ("5", 'white-space:nowrap">5 customers', "1 request"):
        assert text in plan._repr_html_()
    assert plan.as_dict()["at_most"] == 6
    sent = box.count()
    client.interactions(ids, *RECENT)
    assert box.count() == sent + 1


def test_a_plan_of_many_reads_no_bodies_and_sends_nothing(
    box: Sandbox, client: OptimoveClient
) -> None:
    plan = client.plan(range(20_000), *SETTLED)
    assert "20,001 requests" in repr(plan)
    assert box.count() == 0


def test_a_plan_looks_at_no_more_days_than_could_matter(
    box: Sandbox, client: OptimoveClient
) -> None:
    plan = client.plan(["000001"], "0001-01-01", "9999-12-31")
    assert plan.by_campaign.cheaper_than(plan.requests) is False
    assert box.count() == 0


def test_who_only_looks_makes_no_file(client: OptimoveClient) -> None:
    assert client.plan(["000001"], *SETTLED).kept == 0
    assert client.cache.info().entries == 0
    assert client.cache.forget("000001") == 0
    assert client.cache.clear() == 0
    assert not client.cache.path.parent.exists()


def test_a_format_that_fits_nobody_is_not_collected_customer_by_customer(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, threads=2)
    box.answer(FUNCTION, body=b'[{"Something": "else"}]', times=500)
    with pytest.raises(SchemaError, match="lacks 'Date'"):
        client.interactions(
            box.world.customer_ids(200), *SETTLED, on_error="collect", progress=False
        )
    assert box.count(path=FUNCTION) < 30


# Trouble with the cache


def full(client: OptimoveClient) -> None:
    """Let the file not grow: what SQLite then says is what it says of a full disk."""
    store = client.cache.store()
    assert store is not None
    pages = store._execute("PRAGMA page_count").fetchone()[0]  # noqa: SLF001 - a real limit
    store._execute(f"PRAGMA max_page_count = {pages}")  # noqa: SLF001


def test_on_a_full_disk_the_answers_come_and_what_was_kept_is_still_read(
    box: Sandbox, client: OptimoveClient
) -> None:
    ids = box.world.customer_ids(30)
    kept = client.interactions(ids[:5], *SETTLED)
    full(client)
    with pytest.warns(CacheWarning, match="disk is full.*not kept for now"):
        frame = client.interactions(ids, *SETTLED, progress=False)
    assert frame.filter(pl.col("customer_id").is_in(ids[:5])).equals(kept)
    assert frame["customer_id"].n_unique() > 20
    assert client.interactions(ids[:5], *SETTLED).equals(kept)


@pytest.mark.parametrize("how", [lambda ids: ids[::-1], lambda ids: ids[7:] + ids[:7]])
def test_kept_and_fetched_are_one_frame_in_the_order_asked(
    how: Callable[[list[str]], list[str]], box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box)
    ids = box.world.customer_ids(40)
    client.interactions(ids[::3], *SETTLED)
    mixed = client.interactions(how(ids), *SETTLED, progress=False)
    client.close()
    other = make_client(box)
    assert other.interactions(how(ids), *SETTLED).equals(mixed)
    assert mixed["customer_id"].unique(maintain_order=True).to_list() == [
        one for one in how(ids) if one in set(mixed["customer_id"])
    ]
