"""The form, by its `run` and by a real click, on the sandbox over real HTTP."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from forms.seen import html_of, spoken

from optimove_analysis import Catalogue, OptimoveClient, funnel
from optimove_analysis.errors import AuthError, CancelledError, InputError, OfflineError
from optimove_analysis.forms import CustomerForm
from optimove_analysis.forms.page_parts import is_off
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
    return spoken(form._line)  # noqa: SLF001 - the line is what a user sees


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
    form._line.observe(lambda change: lines.append(change["new"]["text"]), "said")  # noqa: SLF001 - as seen
    form.run()
    assert any("3 customers: 0 of 3 fetched, about 0:01 left" in line for line in lines)


def test_a_click_does_what_run_does(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231")
    form._run.click()  # noqa: SLF001 - what the browser's click calls
    assert form.wait(60)
    assert form.view is not None
    assert form.error is None


def test_a_long_run_can_be_cancelled_and_goes_on_from_there(client: OptimoveClient) -> None:
    ids = [f"{number:06}" for number in range(1, 301)]  # 60 seconds, at 50 requests in 10
    form = CustomerForm(client, customer_id=ids)
    form.start()
    end = time.monotonic() + 30
    while "fetched" not in said(form) and time.monotonic() < end:
        time.sleep(0.02)
    assert form.running
    with pytest.raises(InputError, match="has not ended yet"):
        form.run()
    form._cancel.click()  # noqa: SLF001 - what the browser's click calls
    assert form.wait(20)
    assert "Cancelled. What was fetched is kept" in said(form)
    assert 'role="status"' in said(form)
    assert isinstance(form.error, CancelledError)
    assert not is_off(form._run)  # noqa: SLF001 - as seen
    kept = client.plan(ids, YEAR["start"], YEAR["end"])
    assert 0 < kept.to_fetch < 300


def test_a_value_can_be_kept_as_text_and_makes_the_same_view(client: OptimoveClient) -> None:
    asked = {
        "customer_id": "841231, 000001",
        "start": "2025-02-01",
        "end": "2025-11-30",
        "channels": ["E-mail"],
        "campaigns": "",
        "window": None,
        "unit": "customer_day",
        "opens": "ignore",
    }
    form = CustomerForm(client, **asked)  # type: ignore[arg-type] # as JSON gives it
    view = form.run()
    again = CustomerForm(client)
    again.value = form.value
    assert again.value == form.value
    assert again.run().funnel.equals(view.funnel)
    rows = client.interactions(["841231", "000001"], "2025-02-01", "2025-11-30")
    rows = rows.filter(pl.col("channel_id") == 504)
    known = client.catalogue()
    by_hand = funnel(rows, window=None, unit="customer_day", opens="ignore", catalogue=known)
    assert view.funnel.equals(by_hand)


def test_a_wrong_value_changes_nothing(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231")
    before = form.value
    with pytest.raises(InputError, match="opens"):
        form.value = {"customer_id": "000001", "opens": "trusted", "window": 3}
    assert form.value == before


def test_campaigns_narrow_the_view_and_are_offered_after_the_first(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231")
    every = form.run().interactions["campaign_id"].unique().sort()
    box = form._fields["campaigns"].widget
    assert box.options == tuple(map(str, every))
    form.value = {"campaigns": f"{every[0]}, {every[1]}"}
    assert set(form.run().interactions["campaign_id"]) == {every[0], every[1]}
    form.value = {"campaigns": "spring sale"}
    with pytest.raises(InputError, match="'spring' is no campaign's id"):
        form.run()


def test_each_customer_asked_for_has_a_dossier_to_choose(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231, 000001, 999999999")
    view = form.run()
    assert list(view.dossiers) == ["841231", "000001"]
    overview = form._results.children[0]  # noqa: SLF001 - as seen
    who, facts = overview.children[:2]
    assert "Customer 841231" in facts.value
    who.value = "000001"
    assert "Customer 000001" in facts.value


def test_what_was_found_can_be_taken_along(client: OptimoveClient, tmp_path: Path) -> None:
    form = CustomerForm(client, customer_id="841231")
    view = form.run()
    form._shown.export.choose("Funnel", "PARQUET")  # noqa: SLF001 - as a click would
    saved = form._shown.export.save(tmp_path / "mine.parquet")  # noqa: SLF001 - as above
    assert pl.read_parquet(saved).equals(view.funnel)


class ManyChannels:
    """A client whose account has more channels than a picture can show."""

    def __init__(self, client: OptimoveClient) -> None:
        self._client = client

    def interactions(self, *args: Any, **more: Any) -> pl.DataFrame:
        rows: pl.DataFrame = self._client.interactions(*args, **more)
        numbered = pl.int_range(pl.len()) % 40 + 1
        return rows.with_columns(channel_id=numbered, event_id=pl.lit(1, pl.Int64))

    def catalogue(self) -> Catalogue:
        return Catalogue(channels={number: f"E-mail {number}" for number in range(1, 41)})

    def last_update(self) -> dt.date:
        return self._client.last_update()


def test_what_is_too_much_for_a_picture_is_said_in_its_tab_and_the_rest_is_shown(
    client: OptimoveClient,
) -> None:
    view = CustomerForm(ManyChannels(client), customer_id="841231").run()
    assert view.funnel["channel"].n_unique() == 40
    assert "Too much for one picture" in str(view.funnel_chart.to_dict())
    assert "40 groups are too many" in str(view.funnel_chart.to_dict()["title"]["subtitle"])
    assert view.dossiers["841231"].journey.height == view.journey.height


def test_a_picture_in_time_is_drawn_when_its_tab_is_opened(client: OptimoveClient) -> None:
    form = CustomerForm(client, customer_id="841231")
    form.run()
    tabs = form._results  # noqa: SLF001 - as seen
    pictures = form._shown._charts  # noqa: SLF001 - as above
    assert not pictures["calendar"].specs
    tabs.selected_index = tabs.titles.index("Calendar")
    assert "841231" in str(pictures["calendar"].specs["wide"]["title"])
    form.value = {"customer_id": "000001"}
    form.run()  # the tab stays open
    assert "000001" in str(pictures["calendar"].specs["wide"]["title"])


@pytest.mark.holds_a_key
def test_the_code_makes_the_same_again_in_a_process_of_its_own(
    client: OptimoveClient, box: Sandbox, tmp_path: Path
) -> None:
    form = CustomerForm(client, customer_id="841231, 000001", channels=["E-mail", "SMS"], window=3)
    view = form.run()
    assert box.api_key not in view.code
    script = f"{view.code}\nfunnel.write_parquet('funnel.parquet')\n"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "OPTIMOVE_INSTANCE": box.url, "OPTIMOVE_API_KEY": box.api_key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "funnel.parquet").equals(view.funnel)


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
    assert "<script>" not in html_of(form)
    assert "No interactions of" in said(form)


def test_a_wrong_channel_or_field_is_answered_with_the_right_ones(client: OptimoveClient) -> None:
    with pytest.raises(InputError, match="did you mean 'E-mail'"):
        CustomerForm(client, channels=["Email"])
    with pytest.raises(InputError, match="did you mean 'customer_id'"):
        CustomerForm(client).value = {"customer": "1"}
