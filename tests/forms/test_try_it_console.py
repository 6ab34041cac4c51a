"""The console, by its `run` and by real clicks, on the sandbox over real HTTP."""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest
from forms.seen import all_of, spoken

from optimove_analysis import OptimoveClient
from optimove_analysis.client import Reply
from optimove_analysis.errors import ConnectionFailedError, InputError, OfflineError
from optimove_analysis.forms import LANGUAGES, TryItConsole
from optimove_analysis.forms.json_tree import json_tree
from optimove_analysis.forms.page_parts import SpeakingLine, is_off
from optimove_analysis.sandbox import Sandbox, sandbox

SAMPLE = {"CustomerID": "841231", "StartDate": "2018-08-19", "EndDate": "2018-09-19"}
INTERACTIONS = "GetCustomerChannelInteractions"
AT_ONCE = {"Retry-After": "0"}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


@pytest.fixture
def client(box: Sandbox, tmp_path: Path) -> Iterator[OptimoveClient]:
    with OptimoveClient(box.url, box.api_key, cache_dir=tmp_path) as one:
        yield one


def shown(console: TryItConsole) -> str:
    """Return all that goes to the browser, as text: hidden or not."""
    return unescape(" ".join(str(one.get_state()) for one in all_of(console)))


def said(console: TryItConsole) -> str:
    (line,) = [one for one in all_of(console) if isinstance(one, SpeakingLine)]
    return spoken(line)


def named(console: TryItConsole, begin: str) -> Any:
    """Return the field, button or box that a user knows by these words."""
    (one,) = [w for w in all_of(console) if getattr(w, "description", "").startswith(begin)]
    return one


def send(console: TryItConsole) -> None:
    """Click on Send, and wait until what it started has ended."""
    named(console, "Send").click()
    assert console.wait(30)


def tab(console: TryItConsole, name: str) -> str:
    (tabs,) = [one for one in all_of(console) if isinstance(one, widgets.Tab)]
    inside = tabs.children[tabs.titles.index(name)]
    return unescape(" ".join(w.value for w in all_of(inside) if isinstance(w, widgets.HTML)))


def looked_at(console: TryItConsole) -> str:
    (tabs,) = [one for one in all_of(console) if isinstance(one, widgets.Tab)]
    return str(tabs.titles[tabs.selected_index])


def facts(console: TryItConsole) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", shown(console))
    return dict(found)


def is_hidden(console: TryItConsole) -> bool:
    (tabs,) = [one for one in all_of(console) if isinstance(one, widgets.Tab)]
    (response,) = [w for w in all_of(console) if tabs in getattr(w, "children", ())]
    return bool(response.layout.display == "none")


def test_it_starts_with_the_function_that_one_comes_for(client: OptimoveClient) -> None:
    console = TryItConsole(client)
    assert console.value == {
        "endpoint": INTERACTIONS,
        "parameters": {},
        "language": "Python, this package",
        "refresh": False,
    }
    assert is_hidden(console)


def test_each_function_shows_its_parameters_their_words_and_what_is_assumed(
    client: OptimoveClient,
) -> None:
    console = TryItConsole(client)
    for endpoint in client.endpoints.values():
        console.value = {"endpoint": endpoint.name}
        page = shown(console)
        assert endpoint.what in page
        assert endpoint.assumed in page
        for one in endpoint.parameters:
            field = named(console, one.title)
            assert one.what in page
            assert field.get_state().get("placeholder", one.example) == one.example
            assert ("(required)" in field.description) is one.required
    console.value = {"endpoint": "GetAllActions"}
    assert "It takes no parameters." in shown(console)


def test_the_address_and_the_code_change_as_one_types(client: OptimoveClient) -> None:
    console = TryItConsole(client, INTERACTIONS, {"CustomerID": "841231"})
    end = named(console, "EndDate")
    for typed in ("2018", "2018-09", "2018-09-19"):
        end.value = typed
        assert f"?CustomerID=841231&EndDate={typed}<" in shown(console)
        assert f'EndDate="{typed}"' in shown(console)
    named(console, "Language").value = "curl"
    assert "--data-urlencode 'EndDate=2018-09-19'" in shown(console)
    boxes = [unescape(w.value) for w in all_of(console) if isinstance(w, widgets.HTML)]
    assert sum(console.code in box for box in boxes) == 1


def test_it_sends_what_is_shown_and_shows_what_comes(client: OptimoveClient) -> None:
    console = TryItConsole(client, INTERACTIONS, SAMPLE)
    reply = console.run()
    assert isinstance(reply, Reply)
    assert console.reply is reply
    assert reply.body == client.ask(INTERACTIONS, **SAMPLE).body  # type: ignore[arg-type] # texts
    assert facts(console)["Status"] == "200 OK"
    assert "200 OK, answered by the API" in said(console)
    assert 'role="status"' in said(console)
    assert reply.url in shown(console)
    assert tab(console, "JSON").count('class="key">CampaignID') == 2
    assert "2018-08-27" in tab(console, "Table")
    assert "event_time Datetime" in tab(console, "Table")
    assert "Empty in every row, and not shown: campaign_type" in tab(console, "Table")
    assert "application/json" in tab(console, "Headers")
    assert reply.text in tab(console, "Raw")
    assert looked_at(console) == "JSON"
    assert not is_hidden(console)


def test_the_second_time_it_is_from_the_cache_and_the_quota_is_as_before(
    client: OptimoveClient, box: Sandbox
) -> None:
    console = TryItConsole(client, "GetChannelTemplates", {"ChannelID": 504})
    console.run()
    assert facts(console)["Requests left"] == "49 of 50 in 10 s"
    console.run()
    assert facts(console)["Answered by"].startswith("the cache, as fetched 20")
    assert facts(console)["Requests left"] == "49 of 50 in 10 s"
    assert "the body alone is kept" in tab(console, "Headers")
    console.value = {"refresh": True}
    console.run()
    assert facts(console)["Answered by"] == "the API"
    assert facts(console)["Requests left"] == "48 of 50 in 10 s"
    assert len(box.log) == 2


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        ({"parameters": {**SAMPLE, "EndDate": "soon"}}, "400 Bad Request", "EndDate='soon'"),
        (
            {"endpoint": "GetCampaignDetails", "parameters": {"CampaignID": 1}},
            "404 Not Found",
            "Unknown CampaignID 1.",
        ),
    ],
)
def test_an_error_of_the_api_is_said_in_plain_words_and_its_body_is_shown(
    client: OptimoveClient, value: dict[str, Any], status: str, words: str
) -> None:
    console = TryItConsole(client, INTERACTIONS, SAMPLE)
    console.run()
    console.value = value
    send(console)
    assert console.error is None
    assert facts(console)["Status"] == status
    assert 'role="alert"' in said(console)
    assert status in said(console)
    assert words in tab(console, "Raw")
    assert looked_at(console) == "Raw"
    assert "not JSON" in tab(console, "JSON")
    assert "makes no table" in tab(console, "Table")
    console.value = {"endpoint": INTERACTIONS, "parameters": SAMPLE}
    console.run()
    assert looked_at(console) == "JSON"


def test_too_many_requests_are_shown_as_the_api_says_it(
    client: OptimoveClient, box: Sandbox
) -> None:
    body = b'{"status": 429, "error": "Too Many Requests"}'
    box.answer("GetAllActions", status=429, body=body, headers=AT_ONCE, times=5)
    console = TryItConsole(client, "GetAllActions")
    console.run()
    assert facts(console)["Status"] == "429 Too Many Requests"
    assert "at try 5" in facts(console)["Answered by"]
    assert "too many requests" in said(console)
    assert '"Too Many Requests"' in tab(console, "JSON")
    assert "retry-after" in tab(console, "Headers")


def test_a_wrong_key_is_shown_as_401_and_is_not_shown(box: Sandbox, tmp_path: Path) -> None:
    with OptimoveClient(box.url, "a key of another account", cache_dir=tmp_path) as client:
        console = TryItConsole(client, INTERACTIONS, SAMPLE)
        console.run()
        assert facts(console)["Status"] == "401 Unauthorized"
        assert "rotated" in said(console)
        assert "another account" not in shown(console)


def test_the_key_is_nowhere_in_the_form_its_value_or_its_code(
    client: OptimoveClient, box: Sandbox
) -> None:
    echo = f'[{{"ActionID": 2, "ActionName": "{box.api_key}"}}]'.encode()
    for status in (200, 400):
        headers = {"X-Echo": box.api_key, "Server": box.api_key}
        box.answer("GetAllActions", status=status, body=echo, headers=headers)
        console = TryItConsole(client, "GetAllActions")
        console.value = {"refresh": True}
        reply = console.run()
        for language in LANGUAGES:
            console.value = {"language": language}
            everything = f"{shown(console)}{console.value}{console.code}{reply}{reply.facts()}"
            assert box.api_key not in everything
        assert "***" in tab(console, "Raw")
        assert "x-echo" in tab(console, "Headers")
    client.cache.clear()


@pytest.mark.parametrize(
    ("way", "words"),
    [("code", "given in code"), ("environment", "OPTIMOVE_API_KEY in the environment")],
)
def test_where_the_key_is_from_is_said_in_words(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, words: str
) -> None:
    key = "a key that nobody is to see"
    if way == "environment":
        monkeypatch.setenv("OPTIMOVE_API_KEY", key)
    given = key if way == "code" else None
    with OptimoveClient(box.url, given, cache_dir=tmp_path) as client:
        page = shown(TryItConsole(client))
        assert (
            f'X-API-KEY:</span> <span aria-hidden="true">•••••••• </span>(hidden; {words})' in page
        )
        assert key not in page


def test_what_cannot_be_asked_is_said_on_the_form_and_nothing_is_sent(
    client: OptimoveClient, box: Sandbox
) -> None:
    console = TryItConsole(client, INTERACTIONS, SAMPLE)
    console.run()
    sent = len(box.log)
    console.value = {"parameters": {"CustomerID": "841231"}}
    send(console)
    assert "fill in what is required: StartDate as 2018-08-19, EndDate as" in said(console)
    assert 'role="alert"' in said(console)
    assert isinstance(console.error, InputError)
    # The old answer would pass for the new one.
    assert console.reply is None
    assert is_hidden(console)
    with pytest.raises(InputError, match="fill in"):
        console.run()
    console.value = {"parameters": {**SAMPLE, "CustomerID": box.api_key}}
    with pytest.raises(InputError, match="holds the API key"):
        console.run()
    assert box.api_key not in said(console)
    assert len(box.log) == sent
    assert not is_off(named(console, "Send"))


def test_where_no_answer_comes_the_form_says_so(client: OptimoveClient, box: Sandbox) -> None:
    box.answer("GetAllActions", status=500, headers=AT_ONCE)
    box.drop("GetAllActions", times=4)
    console = TryItConsole(client, "GetAllActions")
    send(console)
    assert isinstance(console.error, ConnectionFailedError)
    assert "Is the instance right, and the network up?" in said(console)


def test_a_click_does_what_run_does_and_the_kernel_goes_on_meanwhile(tmp_path: Path) -> None:
    with (
        sandbox(delays=[0.0, 1.0]) as box,
        OptimoveClient(box.url, box.api_key, cache_dir=tmp_path) as client,
    ):
        console = TryItConsole(client, INTERACTIONS, SAMPLE)
        named(console, "Send").click()
        assert not console.wait(0.1)  # the handler is back, and the answer is not there yet
        assert "Asking GetCustomerChannelInteractions ..." in said(console)
        assert is_off(named(console, "Send"))
        with pytest.raises(InputError, match="has not ended yet"):
            console.run()
        assert console.wait(30)
        assert console.reply is not None
        assert len(console.reply.json()) == 2
        assert not is_off(named(console, "Send"))


def test_a_click_at_the_moment_when_an_answer_is_there_is_not_lost(
    client: OptimoveClient, box: Sandbox
) -> None:
    console = TryItConsole(client, "GetAllActions")
    console.value = {"refresh": True}
    again: list[threading.Thread] = []

    def click(_change: dict[str, object]) -> None:
        if not is_off(named(console, "Send")) and len(again) < 3:
            clicking = threading.Thread(target=named(console, "Send").click)
            clicking.start()
            again.append(clicking)

    named(console, "Send").observe(click, "_dom_classes")
    named(console, "Send").click()
    end = time.monotonic() + 30
    while box.count(path="GetAllActions") < 4 and time.monotonic() < end:
        time.sleep(0.01)
    for clicking in again:
        clicking.join()
    assert console.wait(30)
    assert box.count(path="GetAllActions") == 4


def test_offline_a_miss_is_said_and_what_is_kept_is_shown(
    client: OptimoveClient, box: Sandbox, tmp_path: Path
) -> None:
    client.ask("GetAllActions")
    with OptimoveClient(box.url, box.api_key, cache_dir=tmp_path, offline=True) as offline:
        console = TryItConsole(offline, "GetAllActions")
        assert console.run().ok
        console.value = {"endpoint": "GetExecutionChannels"}
        send(console)
        assert isinstance(console.error, OfflineError)
        assert "sends nothing" in said(console)


def test_another_functions_answer_does_not_stay(client: OptimoveClient) -> None:
    console = TryItConsole(client, "GetAllActions")
    console.run()
    console.value = {"endpoint": "GetExecutionChannels"}
    assert is_hidden(console)
    assert said(console) == ""


def test_what_was_typed_stays_where_the_next_function_has_the_same_parameter(
    client: OptimoveClient,
) -> None:
    console = TryItConsole(client, "GetExecutedCampaignChannelDetails", {"CampaignID": 422})
    named(console, "ChannelID").value = "7"
    named(console, "Function").value = "GetChannelTemplates"
    assert console.value["parameters"] == {"ChannelID": "7"}
    named(console, "Function").value = "GetCampaignDetails"
    assert console.value["parameters"] == {"CampaignID": "422"}


def test_the_example_can_be_filled_in_and_sent(client: OptimoveClient) -> None:
    console = TryItConsole(client)
    named(console, "Fill in").click()
    assert console.value["parameters"] == SAMPLE
    assert len(console.run().json()) == 2


def test_a_value_makes_the_same_form_again(client: OptimoveClient) -> None:
    first = TryItConsole(client)
    first.value = {
        "endpoint": "GetCustomerSendDetailsByCampaign",
        "parameters": {"CampaignID": 11285, "IncludeTemplateIDs": True, "$top": 2},
        "language": "curl",
        "refresh": True,
    }
    second = TryItConsole(client)
    second.value = first.value
    assert second.value == first.value
    assert second.value["parameters"]["IncludeTemplateIDs"] == "True"
    assert second.run().frame()["template_id"].null_count() == 0


def test_a_flag_may_be_any_text_and_the_api_judges_it(client: OptimoveClient) -> None:
    asked: dict[str, Any] = {"CampaignID": 11285, "IncludeTemplateIDs": "true", "$top": 1}
    console = TryItConsole(client, "GetCustomerSendDetailsByCampaign", asked)
    assert "TemplateID" in console.run().json()[0]
    named(console, "IncludeTemplateIDs").value = "perhaps"
    assert "give true or false" in console.run().text


def test_days_may_be_given_as_days(client: OptimoveClient) -> None:
    asked = {"Date": dt.date(2018, 8, 20)}
    console = TryItConsole(client, "GetExecutedCampaignDetails", asked)
    assert console.run().frame()["campaign_id"].to_list() == [422]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"endpiont": INTERACTIONS}, "did you mean 'endpoint'"),
        ({"endpoint": "GetAllAction"}, "did you mean 'GetAllActions'"),
        ({"language": "kurl"}, "did you mean 'curl'"),
        ({"parameters": {"Customer": "1"}}, "did you mean 'CustomerID'"),
        ({"endpoint": "GetAllActions", "parameters": SAMPLE}, "CustomerID"),
    ],
)
def test_a_wrong_value_is_answered_with_the_right_ones_and_sets_nothing(
    client: OptimoveClient, value: dict[str, Any], words: str
) -> None:
    console = TryItConsole(client, INTERACTIONS, SAMPLE)
    before = console.value
    with pytest.raises(InputError, match=words):
        console.value = {"refresh": True, **value}
    assert console.value == before


def test_markup_that_is_typed_or_answered_is_text_in_the_page(
    client: OptimoveClient, box: Sandbox
) -> None:
    hostile = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"
    body = f'[{{"{hostile}": "{hostile}", "deep": [{{"{hostile}": null}}]}}]'.encode()
    for status in (200, 400):
        box.answer(
            INTERACTIONS, status=status, body=body, headers={"Server": hostile, f"X-{status}": "1"}
        )
        console = TryItConsole(client, INTERACTIONS, {**SAMPLE, "CustomerID": hostile})
        console.value = {"refresh": True}
        console.run()
        for language in LANGUAGES:
            console.value = {"language": language}
            for one in all_of(console):
                page = str(one.get_state().get("value", ""))
                if isinstance(one, widgets.HTML):
                    assert "<script" not in page
                    assert "<img" not in page
                    assert page.count("</textarea>") == page.count("<textarea")


def test_a_character_that_cannot_be_sent_is_said_where_the_code_would_be(
    client: OptimoveClient,
) -> None:
    console = TryItConsole(client, INTERACTIONS, SAMPLE)
    named(console, "CustomerID").value = "a\0b"
    assert "CustomerID holds a character that cannot be sent" in shown(console)
    send(console)
    assert "cannot be sent" in said(console)


def test_an_answer_without_rows_or_table_says_so(client: OptimoveClient, box: Sandbox) -> None:
    console = TryItConsole(client, "GetExecutedCampaignDetails", {"Date": "1999-01-01"})
    console.run()
    assert "The answer has no rows." in tab(console, "Table")
    box.answer("GetLastDataUpdate", body=b'{"Date": "2025-12-31"}')
    console.value = {"endpoint": "GetLastDataUpdate"}
    console.run()
    assert "no table for what GetLastDataUpdate answers" in tab(console, "Table")
    box.answer("GetAllActions", body=b"")
    console.value = {"endpoint": "GetAllActions"}
    console.run()
    assert "There is no body." in tab(console, "Raw")
    assert "an empty body" in said(console)


def test_of_a_large_answer_the_form_shows_the_start_and_says_what_it_leaves_out(
    client: OptimoveClient, box: Sandbox
) -> None:
    rows = ",".join(f'{{"ActionID": {i}, "ActionName": "action {i}"}}' for i in range(3_000))
    box.answer("GetAllActions", body=f"[{rows}]".encode())
    console = TryItConsole(client, "GetAllActions")
    console.run()
    tree = tab(console, "JSON")
    assert tree.count("<li") < 600
    within = int(re.findall(r"and ([\d,]+) more, not shown here", tree)[-1].replace(",", ""))
    assert within + tree.count("2 fields") == 3_000
    assert "characters more" in tab(console, "Raw")
    assert "the first 200 of 3,000 rows" in tab(console, "Table")
    assert len(shown(console)) < 200_000


def test_a_tree_has_every_kind_of_value_and_survives_any_depth() -> None:
    page = json_tree({"a": [1, 2.5, True, None, "x" * 1_000, [], {}], "": {"b": "<i>"}})
    for part in ("2.5", "true", "null", "(1,000 characters)", "[]", "{}", "&lt;i&gt;"):
        assert part in page
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    assert "nested deeper than is shown here" in json_tree(deep)
    assert json_tree(7).count("<details") == 0
