"""The form, by its `run` and by a real click, on the sandbox over real HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimove_analysis import OptimoveClient, funnel
from optimove_analysis.errors import AuthError, InputError, OfflineError
from optimove_analysis.forms import CustomerForm
from optimove_analysis.sandbox import Sandbox, sandbox

YEAR = {"start": dt.date(2025, 1, 1), "end": dt.date(2025, 12, 31)}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


@pytest.fixture
def client(box: Sandbox, tmp_path: Path) -> Iterator[OptimoveClient]:
    with OptimoveClient(box.url, box.api_key, cache_dir=tmp_path) as one:
        yield one


def said(form: CustomerForm) -> str:
    return str(form._line.value)  # noqa: SLF001 - the line is what a user sees


def test_the_form_starts_with_the_last_year_of_the_data(client: OptimoveClient) -> None:
    assert CustomerForm(client).value == {
        "customer_id": "",
        **YEAR,
        "channels": [],
        "campaigns": "",
        "window": 7,
        "unit": "message",
        "opens": "trust",
    }


def test_a_run_shows_the_numbers_that_analysis_gives(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231")
    view = form.run()
    rows = client.interactions("841231", YEAR["start"], YEAR["end"])
    assert view.funnel.equals(funnel(rows, catalogue=client.catalogue()))
    assert (
        view.journey.height == view.journey.select("send_date", "campaign_id", "channel_id").height
    )
    assert form._results.titles[:4] == ("Overview", "Funnel", "Channel mix", "Journey")  # noqa: SLF001 - as seen
    assert f"{view.journey.height} messages" in said(form)


def test_what_was_left_out_is_said_under_the_pictures(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="000001")
    view = form.run()
    notes = {note for row in view.funnel["notes"] for note in row}
    assert notes, "customer 000001 is chosen because something of theirs is left out"
    for tab in form._results.children[1:3]:  # noqa: SLF001 - as seen
        assert all(tab.children[1].value.count(note) == 1 for note in notes)


def test_the_line_says_how_far_a_longer_fetch_has_come(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="000001 000002;000003")
    lines: list[str] = []
    form._line.observe(lambda change: lines.append(change["new"]), "value")  # noqa: SLF001 - as seen
    form.run()
    assert any("3 customers: 0 of 3 fetched, about 0:01 left" in line for line in lines)


def test_a_click_does_what_run_does(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231")
    form._run.click()  # noqa: SLF001 - what the browser's click calls
    assert form.wait(60)
    assert form.view is not None
    assert form.error is None


def test_channels_narrow_the_view(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231", channels=["Push", "SMS"])
    assert set(form.run().funnel["channel"]) == {"Push", "SMS"}


def test_several_customers_are_asked_for_with_commas(client: OptimoveClient) -> None:
    view = CustomerForm(client, customer_id="000001, 841231").run()
    assert set(view.interactions["customer_id"]) == {"000001", "841231"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"customer_id": " "}, "type a customer"),
        ({"start": None}, "choose the first day"),
        ({"start": dt.date(2026, 1, 1)}, "2026-01-01"),
    ],
)
def test_what_cannot_be_asked_is_said_on_the_form(
    client: OptimoveClient, value: dict[str, object], words: str
) -> None:
    form = CustomerForm(client, customer_id="841231")
    form.run()
    form.value = value
    form._run.click()  # noqa: SLF001 - a handler's exception would go unseen
    assert form.wait(60)
    assert words in said(form)
    assert 'role="alert"' in said(form)
    assert isinstance(form.error, InputError)
    # The old picture would pass for the new answer.
    assert form.view is None
    with pytest.raises(InputError, match=words):
        form.run()


def test_a_wrong_key_is_said_on_the_form_from_the_start(box: Sandbox, tmp_path: Path) -> None:
    with OptimoveClient(box.url, "wrong", cache_dir=tmp_path) as client:
        form = CustomerForm(client, customer_id="841231")
        assert 'role="alert"' in said(form)
        with pytest.raises(AuthError):
            form.run()
        assert "wrong" not in said(form).lower().split("key")


def test_offline_a_miss_is_said_on_the_form_and_what_is_kept_is_used(
    client: OptimoveClient, box: Sandbox, tmp_path: Path
) -> None:
    client.interactions("841231", YEAR["start"], YEAR["end"])  # with the last data update
    with OptimoveClient(box.url, box.api_key, cache_dir=tmp_path, offline=True) as offline:
        form = CustomerForm(offline, customer_id="841231")
        assert "GetExecutionChannels" in said(form)
        assert form.value["end"] == YEAR["end"]
        assert form.run().interactions.height
        form.value = {"customer_id": "000001"}
        form._run.click()  # noqa: SLF001 - as seen
        assert form.wait(60)
        assert "000001" in said(form)
        assert "nothing is sent offline" in said(form)
        assert isinstance(form.error, OfflineError)


def test_a_replayed_snapshot_fills_a_form_and_a_miss_names_the_snapshot(
    client: OptimoveClient, tmp_path: Path
) -> None:
    live = CustomerForm(client, customer_id="841231").run()
    study = client.snapshot(tmp_path / "study.oma")
    with OptimoveClient.replay(study) as again:
        form = CustomerForm(again, customer_id="841231")
        assert said(form) == ""
        assert form.run().interactions.equals(live.interactions)
        form.value = {"customer_id": "000001"}
        form._run.click()  # noqa: SLF001 - as seen
        assert form.wait(60)
        assert "replays study.oma" in said(form)


def test_what_was_typed_cannot_run_in_the_page(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="<script>alert(1)</script>")
    form.run()
    assert "<script>" not in said(form)
    assert "No interactions of" in said(form)


def test_a_wrong_channel_or_field_is_answered_with_the_right_ones(client: OptimoveClient) -> None:
    with pytest.raises(InputError, match="did you mean 'E-mail'"):
        CustomerForm(client, channels=["Email"])
    with pytest.raises(InputError, match="did you mean 'customer_id'"):
        CustomerForm(client).value = {"customer": "1"}
