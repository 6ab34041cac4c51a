"""`client.ask`: what one request brings back, against the sandbox over real HTTP."""

from __future__ import annotations

import datetime as dt
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest
from client.conftest import MakeClient

from optimove_analysis.client import OptimoveClient, Reply
from optimove_analysis.errors import (
    ConnectionFailedError,
    InputError,
    OfflineError,
    OptimoveAnalysisError,
    SchemaError,
)
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import API_ENDPOINTS, INTERACTIONS

SAMPLE: dict[str, Any] = {
    "CustomerID": "841231",
    "StartDate": dt.date(2018, 8, 19),
    "EndDate": "2018-09-19",
}
INTERACTIONS_OF = "GetCustomerChannelInteractions"
# As the documentation page has it.
DOCUMENTED = [
    {
        "Date": "2018-08-20",
        "CampaignID": 422,
        "RecipientGroupID": 1,
        "ActionID": 26,
        "ChannelID": 7,
        "TemplateID": 13,
        "EventID": 2,
    },
    {
        "Date": "2018-08-27",
        "CampaignID": 428,
        "RecipientGroupID": 1,
        "ActionID": 28,
        "ChannelID": 7,
        "TemplateID": 54,
        "EventID": 2,
    },
]
_MISSES: dict[str, dict[str, Any]] = {
    "GetAllActions": {},
    INTERACTIONS_OF: {**SAMPLE, "CustomerID": "1"},
}
AT_ONCE = {"Retry-After": "0"}


def all_said(reply: Reply) -> str:
    """Return all that a reply shows, in whatever way."""
    held = [getattr(reply, field.name) for field in fields(reply)]
    return f"{reply!r}{reply}{reply._repr_html_()}{held}{reply.facts()}{reply.text}"


def test_the_documented_sample_is_answered_as_documented(client: OptimoveClient) -> None:
    reply = client.ask(INTERACTIONS_OF, **SAMPLE)
    assert (reply.status, reply.problem, reply.ok) == (200, "", True)
    assert reply.json() == DOCUMENTED
    assert urlsplit(reply.url).path == "/current/customers/GetCustomerChannelInteractions"
    assert urlsplit(reply.url).query == (
        "CustomerID=841231&StartDate=2018-08-19&EndDate=2018-09-19"
    )
    assert reply.headers["content-type"] == "application/json"


def test_a_reply_is_byte_for_byte_what_urllib_gets(box: Sandbox, client: OptimoveClient) -> None:
    reply = client.ask("GetExecutedCampaignDetails", Date="2025-09-15")
    request = urllib.request.Request(reply.url, headers={"X-API-KEY": box.api_key})
    with urllib.request.urlopen(request) as response:
        assert reply.body == response.read()


def test_the_frame_is_the_one_that_interactions_gives(client: OptimoveClient) -> None:
    reply = client.ask(INTERACTIONS_OF, **SAMPLE)
    frame = client.interactions("841231", "2018-08-19", "2018-09-19")
    assert frame.height == 2
    assert reply.frame().equals(frame)
    assert reply.frame().schema == INTERACTIONS.schema


@pytest.mark.parametrize("asked_first", [True, False])
def test_ask_and_interactions_use_the_same_kept_answers(
    box: Sandbox, client: OptimoveClient, *, asked_first: bool
) -> None:
    # Past the end of the sandbox's data: how far an answer reaches is what must not get lost.
    days: dict[str, Any] = {"StartDate": "2025-12-01", "EndDate": "2026-03-31"}
    frames: dict[bool, pl.DataFrame] = {}
    for by_ask in (asked_first, not asked_first):
        if by_ask:
            frames[by_ask] = client.ask(INTERACTIONS_OF, CustomerID="000001", **days).frame()
        else:
            frames[by_ask] = client.interactions("000001", days["StartDate"], days["EndDate"])
    first, second = frames.values()
    assert box.count(path=INTERACTIONS_OF) == 1
    assert first.equals(second)
    assert set(first["data_through"]) == {dt.date(2025, 12, 31)}


def test_the_second_time_it_is_from_the_cache_and_costs_nothing(
    box: Sandbox, client: OptimoveClient
) -> None:
    before = dt.datetime.now(tz=dt.UTC)
    new = client.ask("GetAllActions")
    kept = client.ask("GetAllActions")
    assert (new.from_cache, new.tries, new.kept_at) == (False, 1, None)
    assert (kept.from_cache, kept.tries, kept.status) == (True, 0, 200)
    assert kept.kept_at is not None
    assert before <= kept.kept_at <= dt.datetime.now(tz=dt.UTC)
    assert kept.body == new.body
    assert "the cache, as fetched" in kept.facts()["Answered by"]
    assert len(box.log) == 1
    again = client.ask("GetAllActions", refresh=True)
    assert (again.from_cache, len(box.log)) == (False, 2)


def test_what_is_left_of_the_quota_goes_down_by_what_was_sent(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, quota=(20, 60.0))
    left = [client.ask("GetChannelTemplates", ChannelID=i).quota_left for i in (504, 505, 505, 506)]
    assert left == [19, 18, 18, 17]  # the third is kept
    reply = client.ask(INTERACTIONS_OF, **SAMPLE)
    assert 20 - reply.quota_left == len(box.log) == 5  # with the last data update
    assert reply.facts()["Requests left"] == "15 of 20 in 60 s"
    assert client.quota.left == 15


def test_of_several_limits_the_scarcest_says_what_is_left(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, quota=[(20, 5.0), (3, 60.0)])
    assert [client.ask("GetAllActions", refresh=True).quota_left for _ in range(3)] == [2, 1, 0]


def test_every_example_is_answered_with_a_table_or_is_not_in_the_sandbox(
    client: OptimoveClient,
) -> None:
    seen: dict[int, list[str]] = {200: [], 404: []}
    for endpoint in client.endpoints.values():
        example: dict[str, Any] = endpoint.example
        reply = client.ask(endpoint.name, **example)
        seen[reply.status].append(endpoint.name)
        if reply.status == 404:
            assert "No function at" in reply.problem
        elif endpoint.table is not None:
            assert set(endpoint.table.names) <= set(reply.frame().columns)
            assert reply.frame().height == len(
                reply.json() if isinstance(reply.json(), list) else [1]
            )
    assert len(seen[200]) == 11  # the sandbox's table, but for the login


def test_a_send_has_its_template_only_if_it_is_asked_for(client: OptimoveClient) -> None:
    name = "GetCustomerSendDetailsByCampaign"
    asked: dict[str, Any] = {"CampaignID": 11285, "$top": 3}
    plain = client.ask(name, **asked).frame()
    full = client.ask(name, **asked, IncludeTemplateIDs=True).frame()
    assert plain["campaign_id"].to_list() == full["campaign_id"].to_list() == [11285] * 3
    assert plain["template_id"].null_count() == 3
    assert full["template_id"].null_count() == 0


@pytest.mark.parametrize(
    ("name", "parameters", "answered"),
    [
        (INTERACTIONS_OF, {**SAMPLE, "EndDate": "yesterday"}, (400, "EndDate='yesterday'")),
        (INTERACTIONS_OF, {**SAMPLE, "EndDate": "2018-01-01"}, (400, "is after EndDate")),
        ("GetChannelTemplates", {"ChannelID": 99}, (404, "Unknown ChannelID 99")),
        ("GetCampaignDetails", {"CampaignID": 1}, (404, "Unknown CampaignID 1")),
    ],
)
def test_an_error_of_the_api_is_a_reply_to_look_at(
    box: Sandbox,
    client: OptimoveClient,
    name: str,
    parameters: dict[str, Any],
    answered: tuple[int, str],
) -> None:
    status, said = answered
    for _ in range(2):  # errors are not kept
        reply = client.ask(name, **parameters)
        assert (reply.status, reply.from_cache, reply.ok) == (status, False, False)
        assert said in reply.text
        assert said in reply.problem
        with pytest.raises(InputError, match=f"status {status} makes no table"):
            reply.frame()
    assert box.count(status=status) == 2


def test_a_wrong_key_is_a_reply_401_in_which_it_is_not(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, "a key of another account")
    reply = client.ask(INTERACTIONS_OF, **SAMPLE)
    assert reply.status == 401
    assert reply.facts()["Status"] == "401 Unauthorized"
    assert "rotated" in reply.problem
    assert "Unauthorized" in reply.text
    assert "another account" not in all_said(reply)


@pytest.mark.parametrize(("status", "phrase"), [(429, "Too Many"), (500, "Internal"), (599, "")])
def test_what_does_not_pass_is_a_reply_after_as_many_tries_as_make_sense(
    box: Sandbox, client: OptimoveClient, status: int, phrase: str
) -> None:
    box.answer("GetAllActions", status=status, body=b"not now", headers=AT_ONCE, times=5)
    reply = client.ask("GetAllActions")
    assert (reply.status, reply.text, reply.tries) == (status, "not now", 5)
    assert phrase in reply.facts()["Status"]
    assert f"({status})" in reply.problem or f"answering {status}" in reply.problem
    assert client.ask("GetAllActions").ok


def test_a_full_window_is_a_reply_429_though_the_last_update_cannot_be_asked_for_either(
    box: Sandbox, client: OptimoveClient
) -> None:
    for name in ("GetLastDataUpdate", INTERACTIONS_OF):
        box.answer(name, status=429, body=b"{}", headers=AT_ONCE, times=5)
    reply = client.ask(INTERACTIONS_OF, **SAMPLE)
    assert (reply.status, reply.text) == (429, "{}")
    assert reply.problem.startswith(INTERACTIONS_OF)


def test_an_answer_whose_data_reaches_nobody_knows_how_far_is_not_kept(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer("GetLastDataUpdate", status=401, body=b"no")
    asked: dict[str, Any] = {
        "CustomerID": "000001",
        "StartDate": "2025-12-01",
        "EndDate": "2026-03-31",
    }
    assert client.ask(INTERACTIONS_OF, **asked).ok
    frame = client.interactions("000001", "2025-12-01", "2026-03-31")
    assert set(frame["data_through"]) == {dt.date(2025, 12, 31)}


def test_a_later_try_that_succeeds_is_the_answer(box: Sandbox, client: OptimoveClient) -> None:
    box.answer("GetAllActions", status=503, headers=AT_ONCE, times=2)
    reply = client.ask("GetAllActions")
    assert (reply.status, reply.tries, reply.ok) == (200, 3, True)
    assert reply.facts()["Answered by"] == "the API, at try 3"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html>Sign in</html>", "something that is not JSON"),
        (b'{"rows": []}', "a list of objects is documented"),
        (b'[{"Channel": 1}]', "ChannelID"),
        (b"", "an empty body"),
    ],
)
def test_an_answer_that_is_not_what_is_documented_is_shown_and_not_kept(
    box: Sandbox, client: OptimoveClient, body: bytes, problem: str
) -> None:
    box.answer("GetExecutionChannels", body=body)
    reply = client.ask("GetExecutionChannels")
    assert (reply.status, reply.body, reply.ok) == (200, body, False)
    assert problem in reply.problem
    with pytest.raises(OptimoveAnalysisError):
        reply.frame()
    assert client.channels().height == 6


def test_where_no_answer_comes_it_is_an_error(box: Sandbox, client: OptimoveClient) -> None:
    box.answer("GetAllActions", status=500, headers=AT_ONCE)
    box.drop("GetAllActions", times=4)
    with pytest.raises(ConnectionFailedError, match="no complete answer"):
        client.ask("GetAllActions")


def test_what_cannot_be_asked_is_said_and_nothing_is_sent(
    box: Sandbox, client: OptimoveClient
) -> None:
    with pytest.raises(InputError, match="did you mean 'GetAllActions'"):
        client.ask("GetAllAction")
    with pytest.raises(InputError, match="did you mean 'CustomerID'"):
        client.ask(INTERACTIONS_OF, Customer="1")
    with pytest.raises(InputError, match=r"needs StartDate and EndDate; for example StartDate='20"):
        client.ask(INTERACTIONS_OF, CustomerID="1")
    with pytest.raises(InputError, match="type float"):
        client.ask("GetChannelTemplates", ChannelID=7.5)  # type: ignore[arg-type]
    for text in ("1\0", "\udc80"):
        with pytest.raises(InputError, match="cannot be sent"):
            client.ask("GetChannelTemplates", ChannelID=text)
    assert not box.log


def test_a_key_in_a_parameter_is_refused_and_kept_nowhere(
    box: Sandbox, client: OptimoveClient
) -> None:
    for text in (box.api_key, f"id {box.api_key}"):
        with pytest.raises(InputError, match="CustomerID holds the API key") as caught:
            client.ask(INTERACTIONS_OF, **{**SAMPLE, "CustomerID": text})
        assert box.api_key not in str(caught.value)
    assert not box.log


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_server_that_repeats_the_key_does_not_get_it_shown(
    box: Sandbox, client: OptimoveClient, status: int
) -> None:
    echo = json.dumps([{"ChannelID": 7, "ChannelName": f"for {box.api_key}"}]).encode()
    headers = {
        "Set-Cookie": f"session={box.api_key}",
        "Server": f"echo/{box.api_key}",
        "X-Echo": box.api_key,
        f"X-{box.api_key}": "1",
        **AT_ONCE,
    }
    box.answer("GetExecutionChannels", status=status, body=echo, headers=headers, times=5)
    reply = client.ask("GetExecutionChannels", refresh=True)
    assert reply.status == status
    assert box.api_key not in all_said(reply)
    assert reply.headers["server"].endswith("echo/***")
    assert {"set-cookie", "x-echo", "x-***"} <= set(reply.withheld)
    assert "for ***" in reply.text
    client.cache.clear()  # as the API said it, so the key with it


def test_a_body_that_is_no_text_is_a_reply_as_well(box: Sandbox, client: OptimoveClient) -> None:
    body = b"\xff\xfe" + box.api_key.encode() + b"\x80"
    box.answer("GetAllActions", status=400, body=body)
    reply = client.ask("GetAllActions")
    assert reply.body == b"\xff\xfe***\x80"
    assert "�" in reply._repr_html_()


def test_markup_in_an_answer_is_text_in_the_page(box: Sandbox, client: OptimoveClient) -> None:
    box.answer("GetAllActions", status=400, body=b"<script>alert(1)</script>")
    page = client.ask("GetAllActions")._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_of_a_long_body_the_page_shows_the_start_and_says_how_long_the_rest_is(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer("GetAllActions", status=400, body=b"a" * 5_000)
    reply = client.ask("GetAllActions")
    assert "3,000 characters more" in reply._repr_html_()
    assert len(reply.text) == 5_000


def test_offline_a_kept_answer_is_a_reply_and_a_miss_is_an_error(
    box: Sandbox, make_client: MakeClient
) -> None:
    make_client(box).ask(INTERACTIONS_OF, **SAMPLE)
    offline = make_client(box, offline=True)
    reply = offline.ask(INTERACTIONS_OF, **SAMPLE)
    assert (reply.from_cache, reply.json()) == (True, DOCUMENTED)
    assert offline.ask("GetLastDataUpdate").json() == {"Date": "2025-12-31"}
    for name, asked in _MISSES.items():
        with pytest.raises(OfflineError, match=name):
            offline.ask(name, **asked)


def test_a_snapshot_answers_by_a_customers_own_id_where_it_has_pseudonyms(
    client: OptimoveClient, tmp_path: Path
) -> None:
    key = "sixteen bytes and more"
    client.ask(INTERACTIONS_OF, **SAMPLE)
    study = client.snapshot(tmp_path / "study.oma", pseudonymise=key)
    with OptimoveClient.replay(study, pseudonym_key=key) as again:
        reply = again.ask(INTERACTIONS_OF, **SAMPLE)
        assert reply.json() == DOCUMENTED
        assert "841231" not in reply.url
        with pytest.raises(OfflineError, match=r"replays study\.oma"):
            again.ask("GetAllActions")
        with pytest.raises(InputError, match="refresh=True"):
            again.ask(INTERACTIONS_OF, refresh=True, **SAMPLE)


def test_a_customer_whom_the_api_did_not_know_is_said_to_be_so(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer(INTERACTIONS_OF, status=404, body=b"who?", times=2)
    reply = client.ask(INTERACTIONS_OF, **SAMPLE)
    assert (reply.status, reply.text) == (404, "who?")
    assert client.interactions("841231", "2018-08-19", "2018-09-19").is_empty()  # and that is kept
    kept = client.ask(INTERACTIONS_OF, **SAMPLE)
    assert (kept.status, kept.from_cache, kept.ok) == (404, True, False)
    assert "404" in kept.problem


def test_the_successor_is_asked_where_the_settings_say_it_is(
    box: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(box, engagement_metrics_path="customers/Elsewhere")
    reply = client.ask("GetCampaignEngagementMetrics", **SAMPLE)
    assert reply.status == 404
    assert urlsplit(reply.url).path == "/current/customers/Elsewhere"
    assert reply.endpoint == "GetCampaignEngagementMetrics"
    assert "assumed" in client.endpoints["GetCampaignEngagementMetrics"].assumed


@pytest.fixture
def flagged() -> Iterator[Sandbox]:
    with sandbox(engagement_metrics=True) as started:
        yield started


def test_the_newer_format_makes_the_same_table_with_its_own_columns(
    flagged: Sandbox, make_client: MakeClient
) -> None:
    frame = make_client(flagged).ask(INTERACTIONS_OF, **SAMPLE).frame()
    assert frame["campaign_type"].to_list() == ["Scheduled", "Scheduled"]


def test_the_sandbox_and_the_client_share_one_table_of_endpoints() -> None:
    assert all(name == endpoint.name for name, endpoint in API_ENDPOINTS.items())
    texts = [p for endpoint in API_ENDPOINTS.values() for p in endpoint.parameters]
    assert all(one.what.endswith(".") and one.example for one in texts)
    by_kind = {one.kind for one in texts}
    assert by_kind == {"text", "day", "number", "flag"}


def test_a_schema_error_of_an_answer_is_its_frames_too(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer("GetLastDataUpdate", body=b'{"Date": "soon"}')
    reply = client.ask("GetLastDataUpdate")
    assert "should give a day" in reply.problem
    box.answer("GetExecutionChannels", body=b'[{"Channel": 1}]')
    with pytest.raises(SchemaError, match="ChannelID"):
        client.ask("GetExecutionChannels").frame()
