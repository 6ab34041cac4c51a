"""The client as its user sees it, against the sandbox over real HTTP."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from client.conftest import MakeClient

from optimove_analysis.client import (
    LastUpdateWarning,
    NotFoundWarning,
    OptimoveClient,
    ResponseFormat,
)
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
    INTERACTIONS,
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
    box: Sandbox, tmp_path: Path
) -> None:
    wrong = OptimoveClient(f"{box.url}/elsewhere", box.api_key, cache_dir=tmp_path)
    with (
        wrong,
        pytest.warns(LastUpdateWarning),
        pytest.raises(ApiError, match="is it the right instance"),
    ):
        wrong.interactions(["a", "b"], *SAMPLE)


def test_a_wrong_path_of_the_newer_function_is_not_taken_for_unknown_customers(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, engagement_metrics_path="customers/Elsewhere")
    with pytest.warns(NotFoundWarning, match=r"2 of 2 .*engagement_metrics_path"):
        frame = client.engagement_metrics(["a", "b"], *SAMPLE)
    assert frame.equals(INTERACTIONS.empty())


def test_a_range_may_end_on_the_last_day_there_is(box: Sandbox, client: OptimoveClient) -> None:
    frame = client.interactions(841231, "0001-01-01", "9999-12-31")
    assert frame.height == len(box.world.interactions("841231", date.min, date.max))
    assert frame["data_through"].unique().to_list() == [box.world.last]


@pytest.mark.parametrize(
    "one", ["a/b", "50%2F", "a+b", "zoë 客", " 1 ", "#1", "a&b=c", "..", "0" * 3_000]
)
def test_an_odd_id_reaches_the_api_as_it_is(
    one: str, box: Sandbox, client: OptimoveClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def heard(customer: str, *_: object, **__: object) -> list[object]:
        asked.append(customer)
        return []

    monkeypatch.setattr(box.world, "interactions", heard)
    client.interactions(one, *SAMPLE)
    client.interactions(one, *SAMPLE)
    assert asked == [one]


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


def test_no_server_is_an_error_that_names_it(box: Sandbox, make_client: MakeClient) -> None:
    client = make_client(box)
    client.last_update()
    box.stop()
    client._session._sleep = lambda _: None  # noqa: SLF001 - waits are not the point here
    with pytest.raises(ConnectionFailedError, match="refused"):
        client.channels()


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


def test_an_account_with_another_format_is_read_by_its_description(
    box: Sandbox, make_client: MakeClient
) -> None:
    theirs = ResponseFormat(
        "theirs", {"Day": "date", "What": "event_name"}, frozenset({"Day"}), frozenset({"Day"})
    )
    client = make_client(box, formats=[theirs])
    box.answer(FUNCTION, body=b'[{"Day": "2025-12-30", "What": "Open"}]')
    frame = client.interactions(["x"], *YEAR)
    assert frame.select("date", "event_name").rows() == [(date(2025, 12, 30), "Open")]
    assert client.interactions(841231, *SAMPLE).height == 2


def test_the_last_update_is_asked_for_once(box: Sandbox, client: OptimoveClient) -> None:
    for day in ("2025-12-01", "2025-12-02", "2025-12-03"):
        client.interactions(["000001", "002501"], "2025-01-01", day)
    assert box.count(path="GetLastDataUpdate") == 1


def test_a_client_shows_no_secret_and_is_not_pickled(client: OptimoveClient) -> None:
    for shown in (repr(client), str(client), repr(client.settings), repr(client.cache)):
        assert client.settings.credential.reveal() not in shown
    assert client.settings.url in repr(client)
    with pytest.raises(TypeError):
        pickle.dumps(client)


def test_clients_of_one_key_keep_to_one_quota(box: Sandbox, make_client: MakeClient) -> None:
    one, two = (make_client(box, quota=(5, 60.0)) for _ in range(2))
    for client in (one, one, two, two, two):
        client._session.fetch("general/GetLastDataUpdate", {}, shape="object")  # noqa: SLF001 - past the cache
    assert two.quota.eta(1) > 50


def test_closing_twice_is_no_error_and_a_closed_client_has_no_cache(client: OptimoveClient) -> None:
    client.channels()
    client.close()
    client.close()
    assert client.cache.info().entries == 0


def _collects(client: OptimoveClient, ids: list[str]) -> object:
    return client.interactions(ids, *SAMPLE, on_error="collect")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, ids: client.interactions(ids, *SAMPLE),
        lambda client, ids: client.interactions(ids, *SAMPLE, route="campaign"),
        lambda client, ids: client.interactions(ids, *SAMPLE, offline=True),
        lambda client, ids: client.engagement_metrics(ids, *SAMPLE),
        lambda client, ids: client.plan(ids, *SAMPLE),
        lambda client, ids: client.campaigns(campaign_ids=ids),
        _collects,
    ],
    ids=["interactions", "by campaign", "offline", "metrics", "plan", "campaigns", "collected"],
)
@pytest.mark.parametrize("typed", ["{}", "id {}", "000001,{}"])
def test_a_key_typed_as_an_id_is_refused_without_showing_it_and_sent_nowhere(
    ask: Callable[[OptimoveClient, list[str]], object],
    typed: str,
    box: Sandbox,
    client: OptimoveClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(InputError, match="_ids holds the API key") as caught:
        ask(client, ["000001", typed.format(box.api_key), "000002"])
    assert box.api_key not in "".join(traceback.format_exception(caught.value))
    assert box.api_key not in caplog.text
    assert not box.log  # not even of those that are no key
