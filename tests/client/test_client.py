"""The client as its user sees it, against the sandbox over real HTTP."""

from __future__ import annotations

import json
import pickle
import signal
import threading
import time
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from client.conftest import MakeClient

from optimove_analysis import Catalogue
from optimove_analysis.client import LastUpdateWarning, OptimoveClient, Progress
from optimove_analysis.errors import (
    ApiError,
    AuthError,
    ConnectionFailedError,
    InputError,
    ResponseError,
    SchemaError,
)
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import (
    ACTIONS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    INTERACTIONS,
    TARGET_GROUPS,
    TEMPLATES,
)

FUNCTION = "GetCustomerChannelInteractions"
SAMPLE = ("2018-08-19", "2018-09-19")
YEAR = ("2025-01-01", "2025-12-31")
DOCUMENTED = {
    "date": [date(2018, 8, 20), date(2018, 8, 27)],
    "campaign_id": [422, 428],
    "recipient_group_id": [1, 1],
    "action_id": [26, 28],
    "channel_id": [7, 7],
    "template_id": [13, 54],
    "event_id": [2, 2],
}


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("method", ["interactions", "engagement_metrics"])
def test_the_documented_request_gives_the_documented_rows(
    method: str,
    flag: bool,  # noqa: FBT001 - a case
    make_client: MakeClient,
) -> None:
    with sandbox(engagement_metrics=flag) as box:
        frame = getattr(make_client(box), method)(841231, *SAMPLE)
    assert frame.schema == INTERACTIONS.schema
    assert frame.select(*DOCUMENTED).to_dict(as_series=False) == DOCUMENTED
    assert frame["customer_id"].unique().to_list() == ["841231"]
    assert frame["data_through"].unique().to_list() == [date(2018, 9, 19)]
    new_format = flag or method == "engagement_metrics"
    assert frame["event_time"].is_null().all() is not new_format


def test_many_customers_are_in_the_order_asked_each_once(
    box: Sandbox, client: OptimoveClient
) -> None:
    ids = box.world.customer_ids(30)[::-1]
    frame = client.interactions(ids + ids[:3], *YEAR, progress=False)
    assert frame["customer_id"].unique(maintain_order=True).to_list() == [
        one for one in ids if one in set(frame["customer_id"])
    ]
    assert box.count(path=FUNCTION) == 30
    expected = [
        len(box.world.interactions(one, date(2025, 1, 1), date(2025, 12, 31))) for one in ids
    ]
    counted = dict(frame.group_by("customer_id").len().iter_rows())
    assert [counted.get(one, 0) for one in ids] == expected


@pytest.mark.parametrize("trouble", [None, (404, b"Unknown customer"), (200, b"[]")])
def test_an_unknown_customer_has_no_rows(
    trouble: tuple[int, bytes] | None, box: Sandbox, client: OptimoveClient
) -> None:
    if trouble:
        box.answer(FUNCTION, status=trouble[0], body=trouble[1])
    frame = client.interactions("nobody", *SAMPLE)
    assert frame.equals(INTERACTIONS.empty())
    assert frame.schema == INTERACTIONS.schema


def test_an_address_where_everything_is_404_is_not_taken_for_unknown_customers(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, cache_dir=None)
    wrong = OptimoveClient(
        f"{box.url}/elsewhere", box.api_key, cache_dir=client.cache.path.parent, quota=(100, 1.0)
    )
    with (
        wrong,
        pytest.warns(LastUpdateWarning),
        pytest.raises(ApiError, match="is it the right instance"),
    ):
        wrong.interactions(["a", "b"], *SAMPLE)


@pytest.mark.parametrize(
    ("ids", "start", "end", "says"),
    [
        ([], "2018-08-19", "2018-09-19", "no customer id"),
        ([None], "2018-08-19", "2018-09-19", "None is not"),
        ("a", "2018-09-19", "2018-08-19", "wrong way round"),
        ("a", "19.8.2018", "2018-09-19", "start='19.8.2018' is not a day"),
        ("a", "2018-08-19", "2018-13-45", "end='2018-13-45' is not a day"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(
    *, ids: list[str], start: str, end: str, says: str, box: Sandbox, client: OptimoveClient
) -> None:
    with pytest.raises(InputError, match=says):
        client.interactions(ids, start, end)
    assert box.count() == 0


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (b"<html>login</html>", ResponseError, "login page"),
        (b'[{"Date":"2018-08-20"}]', SchemaError, "lacks 'CampaignID'"),
        (b'{"rows": []}', ResponseError, "a list of objects"),
    ],
)
def test_a_body_that_is_not_what_is_documented_is_an_error_that_names_the_customer(
    *, body: bytes, error: type[Exception], says: str, box: Sandbox, client: OptimoveClient
) -> None:
    box.answer(FUNCTION, body=body)
    with pytest.raises(error, match=says) as raised:
        client.interactions(["841231"], *SAMPLE)
    assert "customer 841231" in str(raised.value)


def test_a_wrong_key_is_refused(box: Sandbox, make_client: MakeClient) -> None:
    with pytest.raises(AuthError, match="401"):
        make_client(box, "wrong").interactions(841231, *SAMPLE)


def test_the_first_failure_stops_the_sending_and_calling_again_goes_on(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, threads=1)
    ids = box.world.customer_ids(20)
    client.interactions(ids[:5], *YEAR)
    client.interactions(ids[6], *YEAR)
    sent = box.count(path=FUNCTION)
    box.answer(FUNCTION, status=400, body=b"no")
    with pytest.raises(ApiError, match=r"the API answered 400") as raised:
        client.interactions(ids, *YEAR)
    assert str(raised.value).startswith(f"customer {ids[5]}: ")
    assert "(6 of 20 answers are kept; calling again goes on from there.)" in str(raised.value)
    assert raised.value.status == 400
    assert box.count(path=FUNCTION) == sent + 1

    assert client.interactions(ids, *YEAR).height > 0
    assert box.count(path=FUNCTION) == sent + 1 + 14


def test_a_failure_among_many_threads_names_one_customer_and_leaves_no_thread(
    box: Sandbox, client: OptimoveClient
) -> None:
    ids = box.world.customer_ids(40)
    box.answer(FUNCTION, status=400, body=b"no", times=3)
    with pytest.raises(ApiError, match=r"customer \w+: .* of 40 answers are kept"):
        client.interactions(ids, *YEAR, progress=False)
    assert not [t for t in threading.enumerate() if t.name.startswith("optimove-")]
    assert client.quota.in_flight == 0


def test_no_server_is_an_error_that_names_it(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box)
    client.last_update()
    box.stop()
    client._session._sleep = lambda _: None  # noqa: SLF001 - waits are not the point here
    with pytest.raises(ConnectionFailedError, match="refused"):
        client.channels()


def test_progress_counts_what_is_fetched_and_what_was_cached(
    box: Sandbox, client: OptimoveClient, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = box.world.customer_ids(12)
    client.interactions(ids[:4], *YEAR)
    assert "Optimove" not in capsys.readouterr().err
    seen: list[Progress] = []
    client.interactions(ids, *YEAR, progress=seen.append)
    assert [state.fetched for state in seen] == list(range(1, 9))
    assert {(state.cached, state.total) for state in seen} == {(4, 12)}
    assert seen[-1].eta == 0.0
    client.interactions(ids, *YEAR, refresh=True)
    shown = capsys.readouterr().err
    assert "12/12" in shown
    assert "12 fetched, 0 from the cache, about 0:00 left" in shown
    client.interactions(ids, *YEAR, refresh=True, progress=False)
    assert not capsys.readouterr().err


def test_ctrl_c_comes_through_at_once_and_leaves_nothing_waiting(make_client: MakeClient) -> None:
    with sandbox(delays=lambda: 0.01) as box:
        client = make_client(box, quota=(2, 60.0))
        threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
        before = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.interactions(box.world.customer_ids(10), *YEAR, progress=False)
        # A place is free after a minute: far from that is prompt.
        assert time.monotonic() - before < 30
        for thread in threading.enumerate():
            if thread.name.startswith("optimove-"):
                thread.join(5)
                assert not thread.is_alive()


def test_data_is_complete_through_the_earliest_of_end_last_update_and_fetch(
    box: Sandbox, client: OptimoveClient
) -> None:
    body = json.dumps(
        [
            {"Date": "2025-12-30"}
            | dict.fromkeys(
                (
                    "CampaignID",
                    "RecipientGroupID",
                    "ActionID",
                    "ChannelID",
                    "TemplateID",
                    "EventID",
                ),
                1,
            )
        ]
    ).encode()
    box.answer(FUNCTION, body=body, times=2)
    future = datetime.now(UTC).date() + timedelta(days=365)

    def through(end: date | str) -> list[date]:
        return client.interactions("x", "2025-12-01", end)["data_through"].to_list()

    assert client.last_update() == box.world.last_data_update == date(2025, 12, 31)
    assert through("2025-12-30") == [date(2025, 12, 30)]
    assert through(future) == [date(2025, 12, 31)]


@pytest.mark.parametrize("trouble", [(404, b"not here"), (400, b""), (200, b'{"Date": "soon"}')])
def test_an_api_that_does_not_say_its_last_update_warns_and_still_answers(
    trouble: tuple[int, bytes], box: Sandbox, client: OptimoveClient
) -> None:
    box.answer("GetLastDataUpdate", status=trouble[0], body=trouble[1], times=2)
    future = datetime.now(UTC).date() + timedelta(days=365)
    with pytest.warns(LastUpdateWarning, match="data_through is the end of the range or the day"):
        frame = client.interactions("000001", "2025-01-01", future)
    today = datetime.now().astimezone().date()
    assert frame["data_through"].unique().to_list()[0] in {today, today - timedelta(days=1)}


def test_a_kept_answer_is_as_complete_as_it_was_when_it_was_fetched(
    box: Sandbox, make_client: MakeClient
) -> None:
    box.answer("GetLastDataUpdate", body=b'{"Date":"2025-12-20"}')
    client = make_client(box)
    fetched = client.interactions("000001", *YEAR)
    assert fetched["data_through"].unique().to_list() == [date(2025, 12, 20)]
    assert client.interactions("000001", *YEAR).equals(fetched)
    assert box.count(path="GetLastDataUpdate") == 1


def test_the_last_update_is_asked_for_once(box: Sandbox, client: OptimoveClient) -> None:
    for day in ("2025-12-01", "2025-12-02", "2025-12-03"):
        client.interactions(["000001", "002501"], "2025-01-01", day)
    assert box.count(path="GetLastDataUpdate") == 1


def test_the_catalogues_are_typed_and_asked_for_once(box: Sandbox, client: OptimoveClient) -> None:
    for _ in range(2):
        assert client.channels().schema == CHANNELS.schema
        assert client.actions().schema == ACTIONS.schema
        assert client.target_groups().schema == TARGET_GROUPS.schema
        assert client.templates(504)["channel_id"].unique().to_list() == [504]
    assert box.count() == 4
    assert client.catalogue() == Catalogue()


def test_templates_of_all_channels_are_those_of_each(client: OptimoveClient) -> None:
    channels = client.channels()["channel_id"].to_list()
    everything = client.templates()
    assert everything.schema == TEMPLATES.schema
    assert everything.equals(pl.concat([client.templates(one) for one in channels]))
    assert everything.equals(client.templates(channels))
    with pytest.raises(ApiError, match="404"):
        client.templates(99)
    with pytest.raises(InputError, match="whole numbers"):
        client.templates(["mail"])  # type: ignore[list-item] # what is tested


def test_campaigns_are_those_of_a_day_of_days_or_of_ids(client: OptimoveClient) -> None:
    one, two = client.campaigns("2025-10-01"), client.campaigns(date(2025, 10, 2))
    assert one.schema == CAMPAIGNS.schema
    assert client.campaigns(["2025-10-01", "2025-10-02"]).equals(pl.concat([one, two]))
    ids = one["campaign_id"].head(2).to_list()
    assert client.campaigns(campaign_ids=ids).equals(one.head(2))
    with pytest.raises(InputError, match="either days"):
        client.campaigns()
    with pytest.raises(InputError, match="either days"):
        client.campaigns("2025-10-01", campaign_ids=1)


@pytest.mark.parametrize("page_size", [None, 300, 1_000, 5_000])
def test_all_customers_of_a_group_come_whatever_the_page(
    page_size: int | None, box: Sandbox, client: OptimoveClient
) -> None:
    frame = client.customers(2, "2025-10-01", page_size=page_size)
    assert frame.schema == CUSTOMERS.schema
    # A group of 3 in 20 customers of 5,000.
    assert frame["customer_id"].n_unique() == frame.height
    assert frame["customer_id"].to_list() == list(box.world.members(2, 0))


@pytest.mark.parametrize("ignored", [True, False])
def test_an_api_that_does_not_page_gives_all_at_once(
    ignored: bool,  # noqa: FBT001 - a case
    box: Sandbox,
    client: OptimoveClient,
) -> None:
    page = b'[{"CustomerID": "a", "ActionID": 2, "ChannelID": 504}]'
    box.answer("GetCustomerActionsByTargetGroup", body=page)
    if ignored:
        box.answer("GetCustomerActionsByTargetGroup", body=page)
    else:
        box.answer("GetCustomerActionsByTargetGroup", status=400, body=b"Unknown $skip")
    assert client.customers(4, "2025-10-01").rows() == [("a", 2, 504)]


def test_a_client_shows_no_secret_and_is_not_pickled(client: OptimoveClient) -> None:
    for shown in (repr(client), str(client), repr(client.settings), repr(client.cache)):
        assert client.settings.credential.reveal() not in shown
    assert client.settings.url in repr(client)
    with pytest.raises(TypeError):
        pickle.dumps(client)


def test_clients_of_one_key_keep_to_one_quota(box: Sandbox, make_client: MakeClient) -> None:
    one, two = (make_client(box, quota=(5, 60.0)) for _ in range(2))
    for client in (one, one, two, two, two):
        client._session.fetch("general/GetLastDataUpdate", {}, shape="object", lifetime=None)  # noqa: SLF001 - past the cache
    assert two.quota.eta(1) > 50


def test_closing_twice_is_no_error_and_a_closed_client_has_no_cache(client: OptimoveClient) -> None:
    client.channels()
    client.close()
    client.close()
    assert client.cache.info().entries == 0
