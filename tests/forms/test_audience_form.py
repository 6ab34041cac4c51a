"""An audience's form, by its `run` and by real clicks, on the sandbox over real HTTP."""

from __future__ import annotations

import base64
import datetime as dt
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from forms.seen import spoken
from polars.testing import assert_frame_equal

from optimove_analysis import OptimoveClient, channel_mix, compare, explain_change, funnel, rates
from optimove_analysis.errors import AuthError, CancelledError, InputError, OfflineError
from optimove_analysis.forms import AudienceForm
from optimove_analysis.forms.export import Export, text_artefact
from optimove_analysis.sandbox import Sandbox, sandbox

INTERACTIONS = "GetCustomerChannelInteractions"
START, END = dt.date(2025, 7, 1), dt.date(2025, 12, 31)
HALF = {"start": START, "end": END}
Clients = Callable[..., OptimoveClient]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Serve an account whose quota no test here comes near."""
    with sandbox(quota=100_000) as running:
        yield running


@pytest.fixture
def clients(box: Sandbox, tmp_path: Path) -> Iterator[Clients]:
    made: list[OptimoveClient] = []

    def make(**options: Any) -> OptimoveClient:
        usual: dict[str, Any] = {"cache_dir": tmp_path / "cache", "quota": (10_000, 1.0)}
        made.append(OptimoveClient(box.url, box.api_key, **(usual | options)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def client(clients: Clients) -> OptimoveClient:
    return clients()


def said(form: AudienceForm) -> str:
    return spoken(form._line)  # noqa: SLF001 - the line is what a user sees


def counted(form: AudienceForm) -> str:
    return spoken(form._audience._count)  # noqa: SLF001 - as seen


def planned(form: AudienceForm) -> str:
    return spoken(form._plan)  # noqa: SLF001 - as seen


def until(seen: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def tabs(form: AudienceForm) -> list[str]:
    return list(form._results.titles)  # noqa: SLF001 - as seen


def upload(form: AudienceForm, name: str, content: bytes) -> None:
    """Do what the browser does when a file is chosen."""
    form._audience._kind.value = "A file of ids"  # noqa: SLF001 - as a user chooses
    file = {
        "name": name,
        "type": "text/csv",
        "size": len(content),
        "last_modified": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "content": memoryview(content),
    }
    form._audience._upload._file.value = (file,)  # noqa: SLF001 - as the browser does


def test_a_run_gives_the_numbers_that_analysis_gives(client: OptimoveClient, box: Sandbox) -> None:
    ids = box.world.customer_ids(120)
    view = AudienceForm(client, customers=ids, **HALF).run()
    rows = client.interactions(ids, START, END)
    catalogue = client.catalogue()
    assert view.interactions.equals(rows)  # fetched in slices, in the order of the ids
    assert view.funnel.equals(funnel(rows, catalogue=catalogue))
    assert view.rates.equals(rates(rows, catalogue=catalogue))
    assert view.mix_by_month.equals(channel_mix(rows, every="1mo", catalogue=catalogue))
    assert view.complete
    assert view.so_far == ""


def test_everything_that_is_asked_for_can_be_read_and_set(client: OptimoveClient) -> None:
    asked: dict[str, Any] = {
        "customers": ["000001", "000009"],
        **HALF,
        "channels": ["E-mail"],
        "campaigns": "4211",
        "window": 14,
        "unit": "customer",
        "opens": "ignore",
        "compare": "audience",
        "other": {"target_group": 1, "day": END},
        "before": (dt.date(2025, 1, 1), dt.date(2025, 2, 1)),
    }
    form = AudienceForm(client)
    form.value = asked
    assert form.value == asked
    again = AudienceForm(client, **form.value)
    assert again.value == asked


def test_a_value_that_cannot_be_is_refused_whole(client: OptimoveClient) -> None:
    form = AudienceForm(client, customers="000001")
    before = form.value
    for value, words in (
        ({"customers": "1", "other": {"group": 3}}, "group='group'|target group='group'"),
        ({"customers": {"target_group": 99}}, "target_group=99"),
        ({"customers": ["1"], "before": "2025"}, "before"),
        ({"customers": [1.0]}, "no id"),
        ({"customers": ["1"], "comparison": "period"}, "compar"),
    ):
        with pytest.raises(InputError, match=words):
            form.value = value
        assert form.value == before


def test_the_form_shows_itself_in_text_too(client: OptimoveClient) -> None:
    # A name that ipywidgets has for itself would break what a notebook shows.
    assert repr(AudienceForm(client)).startswith("AudienceForm(")


def test_ids_are_counted_as_they_are_pasted(client: OptimoveClient) -> None:
    form = AudienceForm(client)
    form._audience._box.value = "customer_id\n000001\n000009; 000001,8.4E+11"  # noqa: SLF001 - typed
    assert "2 customers" in counted(form)
    assert "1 id was given before" in counted(form)
    assert "8.4E+11 (a spreadsheet has shortened it)" in counted(form)
    assert 'role="alert"' in counted(form)
    assert form.value["customers"] == ["000001", "000009"]


def test_what_a_run_costs_is_said_before_it(client: OptimoveClient, box: Sandbox) -> None:
    ids = box.world.customer_ids(40)
    form = AudienceForm(client, customers=ids[:20], **HALF)
    assert "Plan: 20 customers; 20 requests" in planned(form)
    form.run()
    form.value = {"customers": ids}
    assert "40 customers, 20 kept; 20 requests" in planned(form)
    form.value = {"customers": ids[:20]}
    assert "all of them kept: no requests" in planned(form)
    form.value = {"compare": "period"}
    assert "40 answers (20 + 20), 20 kept; 20 requests" in planned(form)


def test_the_plan_says_how_long_the_quota_takes(clients: Clients, box: Sandbox) -> None:
    ids = box.world.customer_ids(140)
    form = AudienceForm(clients(quota=(50, 10.0)), customers=ids)
    # 50 in each 10 s, and two were sent for the form itself: the last goes out after 20 s.
    assert re.search(r"140 requests, about 0:(19|20)", planned(form))


@pytest.mark.parametrize(
    ("content", "ids", "words"),
    [
        (b"customer_id\n000001\n000009\n000001\n", ["000001", "000009"], "1 id was given before"),
        ("id;name\r\n000001;Zoë\r\n000009;Al\r\n".encode(), ["000001", "000009"], "2 customers"),
        ("000001\n000009\n".encode("utf-16"), ["000001", "000009"], "2 customers"),
        (b"loyalty,name\n000001,Al\n", ["000001"], "1 customer."),
        (b"000001,Al\n000009,Zoe\n", ["000001", "000009"], "2 customers"),
        (b"name,Customer ID\nx,000001\ny,\n", ["000001"], "line 3 (empty)"),
        (b"crm\n000001\n", ["000001"], "'crm' is taken for the column's name"),
    ],
)
def test_an_uploaded_file_keeps_its_leading_zeros(
    client: OptimoveClient, content: bytes, ids: list[str], words: str
) -> None:
    form = AudienceForm(client)
    upload(form, "list.csv", content)
    assert form.value["customers"] == ids
    assert words in counted(form)


def test_the_column_of_a_file_can_be_chosen(client: OptimoveClient) -> None:
    form = AudienceForm(client)
    upload(form, "list.csv", b"crm_key,loyalty\n7,000001\n8,000009\n")
    field = form._audience._upload  # noqa: SLF001 - as a user sees it
    assert [name for name, _ in field._column.options] == ["1: crm_key", "2: loyalty"]  # noqa: SLF001
    assert form.value["customers"] == ["7", "8"]
    field._column.value = 1  # noqa: SLF001 - as a user chooses
    assert form.value["customers"] == ["000001", "000009"]
    field._header.value = False  # noqa: SLF001 - as a user chooses
    assert form.value["customers"] == ["loyalty", "000001", "000009"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04\0\0", "not text"), (b"\n \n", "no customer id"), (b'a,"b', "broken CSV")],
)
def test_a_file_that_cannot_be_read_is_said_at_once_and_by_run(
    client: OptimoveClient, content: bytes, words: str
) -> None:
    form = AudienceForm(client)
    upload(form, "list.csv", content)
    assert words in counted(form)
    with pytest.raises(InputError, match=words):
        form.run()


def test_a_target_group_is_an_audience(client: OptimoveClient) -> None:
    form = AudienceForm(client, customers={"target_group": 1, "day": END}, start="2025-12-01")
    until(lambda: "250 customers" in counted(form))
    view = form.run()
    members = client.customers(1, END)["customer_id"].unique(maintain_order=True)
    assert view.customer_ids == members.to_list()
    assert 'client.customers(1, "2025-12-31")' in view.code


def test_a_target_group_that_cannot_be_had_is_said(clients: Clients, box: Sandbox) -> None:
    clients().interactions("000001", START, END)
    form = AudienceForm(clients(offline=True))
    form._audience._kind.value = "A target group"  # noqa: SLF001 - as a user chooses
    until(lambda: "this client is offline: it sends nothing" in counted(form))
    assert box.count(path="GetTargetGroupDetails") == 0


def test_cancelled_in_the_midst_what_came_is_shown_and_said(clients: Clients, box: Sandbox) -> None:
    ids = box.world.customer_ids(400)
    client = clients(quota=(100, 3.0))
    form = AudienceForm(client, customers=ids, **HALF)
    titles: list[str] = []
    place = form._shown._charts["Funnel"]  # noqa: SLF001 - what is drawn
    place.observe(lambda change: titles.append(change["new"]["wide"]["title"]["text"]), "specs")
    form._run.click()  # noqa: SLF001 - what the browser's click calls
    until(lambda: bool(titles))
    assert form.running
    assert re.fullmatch(r"From sent to clicked, by channel: \d+ of 400 customers", titles[0])
    form._cancel.click()  # noqa: SLF001 - as above
    assert form.wait(60)

    view = form.view
    assert view is not None
    assert form.error is None
    came = view.customer_ids
    assert 0 < len(came) < 400
    assert came == ids[: len(came)]
    rows = client.interactions(came, START, END)
    assert view.interactions.equals(rows)
    assert view.funnel.equals(funnel(rows, catalogue=client.catalogue()))
    assert f"{len(came)} of 400 customers" in said(form)
    assert "Cancelled" in said(form)
    assert titles[-1].endswith(f"{len(came)} of 400 customers")
    # Run goes on from there: nobody is asked for twice.
    form.run()
    assert box.count(200, INTERACTIONS) == 400


def test_cancelled_before_anything_came_there_is_nothing_to_show(
    clients: Clients, box: Sandbox
) -> None:
    form = AudienceForm(clients(quota=(1, 5.0)), customers=box.world.customer_ids(20), **HALF)
    form._run.click()  # noqa: SLF001 - as above
    until(lambda: "done" in said(form))
    form.cancel()
    assert form.wait(60)
    assert isinstance(form.error, CancelledError)
    assert form.view is None


def test_one_customers_failure_is_counted_and_the_others_go_on(
    client: OptimoveClient, box: Sandbox
) -> None:
    ids = box.world.customer_ids(60)
    form = AudienceForm(client, customers=ids, **HALF)
    box.answer(INTERACTIONS, status=400, body=b"odd", times=3)
    view = form.run()
    assert view.failures.height == 3
    assert len(view.customer_ids) == 57
    assert set(view.interactions["customer_id"]) <= set(ids) - set(view.failures["customer_id"])
    assert "Failures (3)" in tabs(form)
    assert "3 failed" in said(form)
    form.run()  # they are asked for again, and answered
    assert not any(name.startswith("Failures") for name in tabs(form))


def test_where_nobody_gets_through_it_ends_and_what_came_stays(
    client: OptimoveClient, box: Sandbox
) -> None:
    ids = box.world.customer_ids(300)
    client.interactions(ids[:32], START, END)
    form = AudienceForm(client, customers=ids, **HALF)
    box.answer(INTERACTIONS, status=401, times=100)
    with pytest.raises(AuthError):
        form.run()
    assert 'role="alert"' in said(form)
    assert form.view is not None
    assert form.view.customer_ids == ids[:32]
    assert "32 of 300 customers" in said(form)


def test_offline_the_error_says_how_many_of_all_are_missing(clients: Clients, box: Sandbox) -> None:
    ids = box.world.customer_ids(100)
    clients().interactions(ids[:40], START, END)
    form = AudienceForm(clients(offline=True), customers=ids, **HALF)
    assert "60 are not kept" in planned(form)
    with pytest.raises(OfflineError, match="60 of 100 customers are not kept"):
        form.run()


def test_an_audience_is_compared_with_another(client: OptimoveClient, box: Sandbox) -> None:
    ids = box.world.customer_ids(120)
    form = AudienceForm(client, customers=ids[:70], compare="audience", other=ids[50:], **HALF)
    view = form.run()
    found = view.comparison
    assert found is not None
    one = client.interactions(ids[:50], START, END).with_columns(arm=pl.lit("one"))
    other = client.interactions(ids[70:], START, END).with_columns(arm=pl.lit("two"))
    wanted = compare(
        pl.concat([one, other]),
        between="arm",
        baseline="two",
        against="one",
        catalogue=client.catalogue(),
    )
    numbers = ("k", "n", "k0", "n0", "difference", "difference_lo", "lift", "lift_hi")
    assert found.rates.select(numbers).equals(wanted.select(numbers))
    assert "20 customers are in both, and left out" in found.told
    assert "Compare" in tabs(form)
    # What is not compared is all of the audience.
    assert view.funnel.equals(
        funnel(client.interactions(ids[:70], START, END), catalogue=client.catalogue())
    )


def test_an_audience_is_compared_with_itself_before(client: OptimoveClient, box: Sandbox) -> None:
    ids = box.world.customer_ids(60)
    form = AudienceForm(client, customers=ids, compare="period", **HALF)
    found = form.run().comparison
    assert found is not None
    first, last = START - dt.timedelta(days=184), dt.date(2025, 6, 30)
    assert found.baseline == f"{first} to {last}"
    both = pl.concat([client.interactions(ids, first, last), client.interactions(ids, START, END)])
    assert found.explained is not None
    days: Any = {"before": (first, last), "after": (START, END)}
    wanted = explain_change(both, **days, catalogue=client.catalogue())
    assert_frame_equal(found.explained, wanted)
    form.value = {"before": ("2025-03-01", "2025-07-01")}
    with pytest.raises(InputError, match="must end before 2025-07-01"):
        form.run()


def test_nobody_chosen_is_said_in_plain_words(client: OptimoveClient) -> None:
    form = AudienceForm(client)
    form._run.click()  # noqa: SLF001 - a handler's exception would go unseen
    assert form.wait(60)
    assert "paste the customers" in said(form)
    assert isinstance(form.error, InputError)


def test_customers_without_interactions_are_no_error(client: OptimoveClient) -> None:
    form = AudienceForm(client, customers=["<b>nobody</b>", "999999"], compare="period")
    view = form.run()
    assert view.interactions.is_empty()
    assert "Are the ids right" in said(form)
    assert "<b>" not in form._shown._texts["Request"].value  # noqa: SLF001 - as seen


def test_thousands_of_ids_are_counted_and_not_put_into_the_page(
    client: OptimoveClient,
) -> None:
    ids = [f"{number:06}" for number in range(12_000)]
    form = AudienceForm(client)
    form.value = {"customers": ids}
    assert "12,000 customers" in counted(form)
    assert form.value["customers"] == ids
    assert form._audience._box.value == ""  # noqa: SLF001 - as seen
    until(lambda: "12,000 requests" in planned(form))


def test_the_code_makes_the_same_numbers_again(
    client: OptimoveClient, box: Sandbox, tmp_path: Path
) -> None:
    # One client for all three: whoever was asked about is not asked about again.
    ids = box.world.customer_ids(230)
    for how in ("nothing", "audience", "period"):
        folder = tmp_path / how
        folder.mkdir()
        form = AudienceForm(
            client,
            customers=ids[:210],
            channels=["E-mail", "SMS"],
            window=14,
            compare=how,
            other=ids[200:],
            **HALF,
        )
        view = form.run()
        form._shown.export.choose("Customer ids", "TXT")  # noqa: SLF001 - as a user does
        form._shown.export.save(folder / "customer_ids.txt")  # noqa: SLF001 - as the code says
        wanted = {"funnel": view.funnel, "rates": view.rates, "mix_by_month": view.mix_by_month}
        assert (view.comparison is None) == (how == "nothing")
        if view.comparison is not None:
            wanted["comparison"] = view.comparison.rates
        if view.comparison is not None and view.comparison.explained is not None:
            wanted["explained"] = view.comparison.explained
        script = view.code + "".join(f'\n{name}.write_parquet("{name}.parquet")' for name in wanted)
        own = {
            "OPTIMOVE_INSTANCE": box.url,
            "OPTIMOVE_API_KEY": box.api_key,
            "OPTIMOVE_CACHE": str(tmp_path / "cache"),  # nobody waits for the quota
        }
        subprocess.run(
            [sys.executable, "-c", script], cwd=folder, env={**os.environ, **own}, check=True
        )
        for name, table in wanted.items():
            assert_frame_equal(pl.read_parquet(folder / f"{name}.parquet"), table)


def test_what_was_found_is_exported_and_can_be_read_again(
    client: OptimoveClient, box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    form = AudienceForm(client, customers=box.world.customer_ids(30), **HALF)
    view = form.run()
    export = form._shown.export  # noqa: SLF001 - what the tab shows
    export.choose("Interactions", "PARQUET")
    assert pl.read_parquet(export.save()).equals(view.interactions)
    export.choose("Interactions", "CSV")
    place = export.save("own.csv")
    assert pl.read_csv(place, infer_schema=False)["customer_id"].equals(
        view.interactions["customer_id"]
    )
    with pytest.raises(InputError, match=r"own\.csv is there already"):
        export.save("own.csv")
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("HTML", b"<!DOCTYPE html>")):
        export.choose("Funnel chart", kind)
        assert export.save().read_bytes().startswith(start)
    export.choose("Code", "PY")
    assert export.save().read_text(encoding="utf-8") == f"{view.code}\n"
    export.choose("Rates", "CSV")
    link = re.search(r'download="rates.csv" href="data:text/csv;base64,([^"]+)"', export.link())
    assert link is not None
    read = pl.read_csv(io.BytesIO(base64.b64decode(link[1])))
    assert read["k"].equals(view.rates["k"])


def test_what_is_too_large_for_a_page_is_a_file_only(tmp_path: Path) -> None:
    export = Export(lambda: [text_artefact("Words", "words.txt", "x" * 10_000_001)])
    export.refresh()
    export._link.click()  # noqa: SLF001 - what the browser's click calls
    assert "save it as a file" in export._line.text  # noqa: SLF001 - as seen
    assert export.save(tmp_path / "words").stat().st_size == 10_000_001


def test_nothing_found_is_nothing_to_export(client: OptimoveClient) -> None:
    with pytest.raises(InputError, match="press Run first"):
        AudienceForm(client)._shown.export.save()  # noqa: SLF001 - as seen
