"""The server, asked over real HTTP."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from optimove_analysis.errors import InputError
from optimove_analysis.sandbox import NO_ANSWER, Sandbox, sandbox, serve_forever
from optimove_analysis.sandbox.samples import write
from optimove_analysis.schema import INTERACTIONS, TEST_ENVIRONMENT_CHANNELS

CHANNEL_INTERACTIONS = "customers/GetCustomerChannelInteractions"
ENGAGEMENT_METRICS = "customers/GetCampaignEngagementMetrics"
SAMPLE_REQUEST = {"CustomerID": "841231", "StartDate": "2018-08-19", "EndDate": "2018-09-19"}
YEAR = {"CustomerID": "000001", "StartDate": "2025-01-01", "EndDate": "2025-12-31"}

# From the documentation page of GetCustomerChannelInteractions.
SAMPLE_RESPONSE = json.loads(
    '[{"Date":"2018-08-20","CampaignID":422,"RecipientGroupID":1,"ActionID":26,"ChannelID":7,'
    '"TemplateID":13,"EventID":2},'
    '{"Date":"2018-08-27","CampaignID":428,"RecipientGroupID":1,"ActionID":28,"ChannelID":7,'
    '"TemplateID":54,"EventID":2}]'
)
# From the documentation page on rate limits.
TOO_MANY = {
    "status": 429,
    "error": "Too Many Requests",
    "message": "You have exceeded the rate limit for this API group. Please retry later.",
}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(quota=10_000) as shared:
        yield shared


@pytest.fixture(scope="module")
def newer() -> Iterator[Sandbox]:
    with sandbox(quota=10_000, engagement_metrics=True) as shared:
        yield shared


def ask(box: Sandbox, path: str, *, key: str | None = "right", **given: Any) -> requests.Response:  # noqa: ANN401 - as requests has it
    headers = {} if key is None else {"X-API-KEY": box.api_key if key == "right" else key}
    url = f"{box.url}/current/{path}"
    return requests.get(url, params=given, headers=headers, timeout=30)


def test_the_documented_request_gets_the_documented_response(box: Sandbox) -> None:
    response = ask(box, CHANNEL_INTERACTIONS, **SAMPLE_REQUEST)
    assert response.json() == SAMPLE_RESPONSE
    assert response.headers["Content-Type"] == "application/json"


def test_both_formats_hold_the_same_seven_fields(box: Sandbox, newer: Sandbox) -> None:
    for request in (SAMPLE_REQUEST, YEAR):
        older = ask(box, CHANNEL_INTERACTIONS, **request).json()
        assert len(older) >= 2
        seven = list(SAMPLE_RESPONSE[0])
        for response in (
            ask(box, ENGAGEMENT_METRICS, **request).json(),
            ask(newer, CHANNEL_INTERACTIONS, **request).json(),
            ask(newer, ENGAGEMENT_METRICS, **request).json(),
        ):
            assert [{name: row[name] for name in seven} for row in response] == older
            fields = [column.api for column in INTERACTIONS.columns if column.api]
            assert {name for row in response for name in row} == {*fields} - {"CustomerID"}


def test_the_newer_fields_say_type_instant_and_names(newer: Sandbox) -> None:
    rows = ask(newer, CHANNEL_INTERACTIONS, **YEAR).json()
    assert {row["CampaignType"] for row in rows} == {"Scheduled", "Triggered"}
    for row in rows:
        assert row["EventTime"].startswith(row["Date"] + "T")
        assert row["EventTime"].endswith("Z")
        assert row["ChannelName"] == TEST_ENVIRONMENT_CHANNELS[row["ChannelID"]][0]
    assert {(row["EventID"], row["EventName"]) for row in rows} >= {(1, "Sent"), (3, "Opened")}


def test_the_catalogues_name_every_id_of_the_interactions(box: Sandbox) -> None:
    rows = ask(box, CHANNEL_INTERACTIONS, **YEAR).json()
    channels = {c["ChannelID"] for c in ask(box, "actions/GetExecutionChannels").json()}
    assert channels == set(TEST_ENVIRONMENT_CHANNELS)
    assert {row["ChannelID"] for row in rows} <= channels
    actions = {a["ActionID"] for a in ask(box, "actions/GetAllActions").json()}
    assert actions == set(range(2, 41))
    assert {row["ActionID"] for row in rows} <= {1, *actions}
    for channel in channels:
        response = ask(box, "integrations/GetChannelTemplates", ChannelID=channel).json()
        used = {row["TemplateID"] for row in rows if row["ChannelID"] == channel}
        assert used <= {None, *(t["TemplateID"] for t in response)}


def test_campaigns_are_told_as_a_public_client_expects_them(box: Sandbox) -> None:
    # The fields and types of the example in that client's tests.
    example = {
        "CampaignID": 221, "TargetGroupID": 15, "CampaignType": "Test/Control", "Duration": 7,
        "LeadTime": 3, "Notes": "", "IsMultiChannel": "false", "IsRecurrence": "false",
        "Status": "Successful", "Error": "",
    }  # fmt: skip
    campaigns = ask(box, "actions/GetExecutedCampaignDetails", Date="2025-11-28").json()
    for campaign in campaigns:
        assert {k: type(v) for k, v in campaign.items()} == {k: type(v) for k, v in example.items()}
    again = ask(box, "actions/GetCampaignDetails", CampaignID=campaigns[-1]["CampaignID"])
    assert again.json() == campaigns[-1]
    for sample in (422, 428):
        known = ask(box, "actions/GetCampaignDetails", CampaignID=sample).json()
        assert known["CampaignID"] == sample


def test_a_target_group_is_an_audience_that_can_be_paged(box: Sandbox) -> None:
    groups = ask(box, "groups/GetTargetGroupDetails").json()
    assert len(groups) == 12
    aim: dict[str, Any] = {"TargetGroupID": 4, "Date": "2025-12-31"}
    path = "customers/GetCustomerActionsByTargetGroup"
    everyone = ask(box, path, **aim).json()
    assert len({row["CustomerID"] for row in everyone}) == len(everyone) == 1000
    assert all(box.world.exists(row["CustomerID"]) for row in everyone)
    page = ask(box, path, **{**aim, "$top": 10, "$skip": 25}).json()
    assert page == everyone[25:35]
    assert ask(box, path, TargetGroupID=4, Date="2020-01-01").json() == []


def test_the_last_update_is_the_last_day_of_the_world(box: Sandbox) -> None:
    assert ask(box, "general/GetLastDataUpdate").json() == {"Date": "2025-12-31"}


def test_an_unknown_customer_has_no_interactions(box: Sandbox) -> None:
    response = ask(box, CHANNEL_INTERACTIONS, **{**YEAR, "CustomerID": "nobody"})
    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize(
    ("path", "given", "status", "text"),
    [
        (CHANNEL_INTERACTIONS, {**YEAR, "StartDate": "2026-01-01"}, 400, "StartDate 2026-01-01 is"),
        (CHANNEL_INTERACTIONS, {**YEAR, "StartDate": "31.12.2024"}, 400, "StartDate"),
        (CHANNEL_INTERACTIONS, {**YEAR, "EndDate": "2025-02-30"}, 400, "EndDate"),
        (CHANNEL_INTERACTIONS, {**YEAR, "EndDate": "2025-W10-1"}, 400, "EndDate"),
        (CHANNEL_INTERACTIONS, {"CustomerID": "1", "EndDate": "2025-01-01"}, 400, "StartDate"),
        (CHANNEL_INTERACTIONS, {**YEAR, "CustomerID": ""}, 400, "CustomerID"),
        (CHANNEL_INTERACTIONS, {**YEAR, "CustomerID": ["1", "2"]}, 400, "CustomerID"),
        (CHANNEL_INTERACTIONS, {**YEAR, "CustomerId": "1"}, 400, "CustomerId"),
        ("actions/GetAllActions", {"X": "1"}, 400, "Unknown parameter X"),
        ("actions/GetCampaignDetails", {"CampaignID": "one"}, 400, "CampaignID"),
        ("actions/GetCampaignDetails", {"CampaignID": "5"}, 404, "5"),
        ("integrations/GetChannelTemplates", {"ChannelID": "8"}, 404, "504"),
        (
            "customers/GetCustomerActionsByTargetGroup",
            {"TargetGroupID": "99", "Date": "2025-01-01"},
            404,
            "99",
        ),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(
    box: Sandbox, path: str, given: dict[str, Any], status: int, text: str
) -> None:
    response = ask(box, path, **given)
    assert response.status_code == status
    assert text in response.text
    assert response.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_a_missing_or_wrong_key_is_unauthorized(box: Sandbox, key: str | None) -> None:
    response = ask(box, "general/GetLastDataUpdate", key=key)
    assert response.status_code == 401
    assert "X-API-KEY" in response.text


def test_an_unknown_path_is_told_the_known_ones(box: Sandbox) -> None:
    response = ask(box, "customers/GetCustomer")
    assert response.status_code == 404
    assert "GET /current/customers/GetCustomerChannelInteractions" in response.json()["known"]
    assert requests.get(box.url, timeout=30).status_code == 404


def test_another_method_is_told_the_right_one(box: Sandbox) -> None:
    url = f"{box.url}/current/general/GetLastDataUpdate"
    response = requests.post(url, headers={"X-API-KEY": box.api_key}, timeout=30)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert requests.head(f"{box.url}/current/general/login", timeout=30).status_code == 405


def test_logins_have_ended_but_for_the_sandboxs_own_user(box: Sandbox) -> None:
    url = f"{box.url}/current/general/login"
    wrong: list[Any] = [{}, [], {"Username": "sandbox", "Password": "x"}]
    for body in wrong:
        response = requests.post(url, json=body, timeout=30)
        assert response.status_code == 401
        assert "2024-02-01" in response.text
    token = requests.post(
        url, json={"UserName": "sandbox", "Password": box.api_key}, timeout=30
    ).json()
    last = f"{box.url}/current/general/GetLastDataUpdate"
    assert requests.get(last, headers={"Authorization-Token": token}, timeout=30).ok
    assert requests.get(last, headers={"Authorization-Token": "x"}, timeout=30).status_code == 401


def test_the_51st_request_in_ten_seconds_gets_the_documented_429() -> None:
    with sandbox() as box, requests.Session() as session:
        url = f"{box.url}/current/general/GetLastDataUpdate"
        headers = {"X-API-KEY": box.api_key}
        statuses = [session.get(url, headers=headers, timeout=30).status_code for _ in range(50)]
        late = session.get(url, headers=headers, timeout=30)
        other = session.get(url, headers={"X-API-KEY": "another"}, timeout=30)
        assert statuses == [200] * 50
        assert (late.status_code, late.json()) == (429, TOO_MANY)
        assert other.status_code == 401
        assert (box.count(), box.count(status=429), box.count(path="GetLastDataUpdate")) == (
            52,
            1,
            52,
        )
        assert late.headers.get("Retry-After") is None


def test_bad_requests_count_and_the_window_slides() -> None:
    now = [0.0]
    with sandbox(quota=2, per=10.0, clock=lambda: now[0]) as box:
        assert ask(box, "no/such").status_code == 404
        now[0] = 4.0
        assert ask(box, CHANNEL_INTERACTIONS).status_code == 400
        now[0] = 9.0
        assert ask(box, "general/GetLastDataUpdate").status_code == 429
        now[0] = 10.0  # the first is out of the window; the refused one took no place
        assert ask(box, "general/GetLastDataUpdate").status_code == 200
        assert [served.at for served in box.log] == [0.0, 4.0, 9.0, 10.0]


def test_an_ordered_answer_comes_as_often_as_ordered(box: Sandbox) -> None:
    path = "actions/GetAllActions"
    box.answer("GetAllActions", status=429, headers={"Retry-After": "2"}, times=2)
    box.answer(f"/current/{path}", body=b"<html>busy</html>", content_type="text/html")
    responses = [ask(box, path) for _ in range(4)]
    assert [r.status_code for r in responses] == [429, 429, 200, 200]
    assert responses[0].headers["Retry-After"] == "2"
    assert (responses[2].text, responses[2].headers["Content-Type"]) == (
        "<html>busy</html>",
        "text/html",
    )
    assert responses[3].json()[0] == {"ActionID": 2, "ActionName": "Weekly newsletter"}


def test_an_order_for_an_unknown_function_is_an_error(box: Sandbox) -> None:
    with pytest.raises(InputError, match="GetAllActions"):
        box.answer("GetAlActions")


def test_a_dropped_connection_gives_no_answer_and_the_next_request_is_fine(box: Sandbox) -> None:
    path = "groups/GetTargetGroupDetails"
    box.drop("GetTargetGroupDetails")
    with pytest.raises(requests.ConnectionError):
        ask(box, path)
    box.drop("GetTargetGroupDetails", begun=b'[{"Target')
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask(box, path)
    assert ask(box, path).ok
    assert box.count(status=NO_ANSWER, path=path.rpartition("/")[2]) == 2


def test_delays_come_before_the_quota_check() -> None:
    # The first request to come in waits, so that the second overtakes it; whichever thread is
    # first, the log shows arrivals at least that far apart, and one delay a request.
    left = iter([0.4, 0.0])
    with sandbox(delays=left) as box:
        begun = time.monotonic()
        threads = [
            threading.Thread(target=ask, args=(box, "general/GetLastDataUpdate")) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(served.at for served in box.log) - begun >= 0.4
        assert next(left, None) is None
        assert ask(box, "general/GetLastDataUpdate").ok  # used up: no more delays
    with sandbox(delays=lambda: 0.2) as box:
        begun = time.monotonic()
        ask(box, "general/GetLastDataUpdate")
        assert box.log[0].at - begun >= 0.2


def test_stopping_does_not_wait_for_a_long_delay() -> None:
    box = sandbox(delays=lambda: 3600.0).start()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, box, "general/GetLastDataUpdate")
        time.sleep(0.3)  # until the request is under way
        box.stop()
        with suppress(requests.ConnectionError):  # as good: no answer at all
            assert waiting.result(timeout=30).status_code == 500


def test_the_key_belongs_to_the_world() -> None:
    assert sandbox().api_key == sandbox().api_key == sandbox(quota=1).api_key
    others = [sandbox(seed=8), sandbox(customers=10), sandbox(engagement_metrics=True), sandbox()]
    assert len({box.api_key for box in others}) == 4


def test_a_taken_port_is_a_clear_error(box: Sandbox) -> None:
    port = int(box.url.rpartition(":")[2])
    with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 cannot be used"):
        sandbox(port).start()
    with pytest.raises(InputError, match="port 70000"):
        sandbox(70_000).start()


def test_starting_and_stopping_can_be_repeated_and_frees_the_port() -> None:
    box = sandbox().start()
    port = int(box.url.rpartition(":")[2])
    assert str(port) in repr(box.start())
    assert ask(box, "general/GetLastDataUpdate").ok
    box.stop()
    box.stop()
    assert "not started" in repr(box)
    with pytest.raises(InputError, match="start"):
        assert box.url
    with sandbox(port) as again:
        assert ask(again, "general/GetLastDataUpdate").ok


def test_serving_for_ever_announces_itself_and_ends_when_stopped() -> None:
    said = io.StringIO()
    box = sandbox()
    timer = threading.Timer(0.3, box.stop)

    def announce(box: Sandbox) -> None:
        print(box.url, file=said)
        timer.start()

    serve_forever(box, announce)
    timer.join()
    assert said.getvalue().startswith("http://127.0.0.1:")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_ends_it_cleanly_and_it_logs_nothing() -> None:
    program = (
        "from optimove_analysis.sandbox import sandbox, serve_forever\n"
        "serve_forever(sandbox(), lambda box: print(box.url, flush=True))\n"
        "print('done')\n"
    )
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert requests.get(f"{url}/", timeout=30).status_code == 404
        process.send_signal(2)  # SIGINT
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("done\n", "", 0)


def test_the_samples_are_the_answers_and_the_same_each_time(tmp_path: Path, box: Sandbox) -> None:
    once, again = write(tmp_path / "once"), write(tmp_path / "again")
    assert [p.name for p in once] == [p.name for p in again]
    assert [p.read_bytes() for p in once] == [p.read_bytes() for p in again]
    named = {p.name: p for p in once}
    sample = named["GetCustomerChannelInteractions.seed7.documented-sample.841231.json"]
    assert json.loads(sample.read_text()) == SAMPLE_RESPONSE
    year = named["GetCustomerChannelInteractions.seed7.000001.2025.json"]
    assert json.loads(year.read_text()) == ask(box, CHANNEL_INTERACTIONS, **YEAR).json()
    refused = named["GetLastDataUpdate.seed7.too-many-requests.429.json"]
    assert json.loads(refused.read_text()) == TOO_MANY
