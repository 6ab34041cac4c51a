"""What holds for every form: clicks in any order, what it shows being what was asked, its words."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import polars as pl
import pytest
from forms.seen import all_of, html_of, spoken

from optimove_analysis import Catalogue, OptimoveClient
from optimove_analysis.errors import CancelledError, InputError
from optimove_analysis.forms import AudienceForm, CustomerForm, TryItConsole
from optimove_analysis.forms.page_parts import is_off
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import INTERACTIONS

ASKED = "GetCustomerChannelInteractions"
END = dt.date(2025, 12, 31)
AT_ONCE = {"Retry-After": "0"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, OptimoveClient]]:
    """An account whose quota no test here comes near, and a client that keeps what came."""
    with (
        sandbox(quota=100_000) as box,
        OptimoveClient(
            box.url, box.api_key, cache_dir=tmp_path_factory.mktemp("cache"), quota=(10_000, 1.0)
        ) as client,
    ):
        yield box, client


@pytest.fixture
def client(shared: tuple[Sandbox, OptimoveClient]) -> OptimoveClient:
    return shared[1]


class Gated:
    """A source that answers when it is let; who is asked for is noted."""

    def __init__(self, customers: Callable[[int], pl.DataFrame] | None = None) -> None:
        self.asked: list[list[str]] = []
        self.let, self.began = threading.Event(), threading.Event()
        self.wrong: BaseException | None = None
        self._customers = customers

    def interactions(
        self,
        customer_ids: list[str],
        start: dt.date,  # noqa: ARG002 - a source's
        end: dt.date,  # noqa: ARG002 - a source's
        *,
        progress: Callable[[Any], None] | None = None,  # noqa: ARG002 - a source's
    ) -> pl.DataFrame:
        self.asked.append(customer_ids)
        self.began.set()
        assert self.let.wait(30)
        if self.wrong is not None:
            raise self.wrong
        return INTERACTIONS.empty()

    def catalogue(self) -> Catalogue:
        return Catalogue()

    def last_update(self) -> dt.date:
        return END

    def target_groups(self) -> pl.DataFrame:
        return pl.DataFrame({"target_group_id": [1, 2], "target_group_name": ["One", "Two"]})

    def customers(self, target_group_id: int, day: dt.date) -> pl.DataFrame:  # noqa: ARG002 - a source's
        assert self._customers is not None
        return self._customers(target_group_id)


def until(seen: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def said(form: Any) -> str:
    return spoken(form._line)  # noqa: SLF001 - the line is what a user sees


def note(form: Any) -> str:
    return str(form._note.value)  # noqa: SLF001 - as seen


def are_off(form: Any) -> tuple[bool, bool]:
    """Tell whether Run and whether Cancel do nothing."""
    return is_off(form._run), is_off(form._cancel)  # noqa: SLF001 - as seen


def test_two_clicks_are_one_run() -> None:
    source = Gated()
    form = CustomerForm(source, customer_id="000001")
    for _ in range(2):
        form._run.click()  # noqa: SLF001 - what the browser's click calls
    assert are_off(form) == (True, False)
    source.let.set()
    assert form.wait(30)
    assert source.asked == [["000001"]]
    assert "No interactions of 000001" in said(form)  # and no word of the second click
    assert are_off(form) == (False, True)


def test_a_click_in_the_moment_in_which_a_run_ends_is_a_run(client: OptimoveClient) -> None:
    form = AudienceForm(client, customers="000001", start="2025-12-01")
    again: list[threading.Thread] = []

    def click(_change: object) -> None:
        if not is_off(form._run) and len(again) < 3:  # noqa: SLF001 - as seen
            another = threading.Thread(target=form._run.click)  # noqa: SLF001 - as seen
            another.start()
            again.append(another)  # started: whoever sees it may wait for it

    form._run.observe(click, "_dom_classes")  # noqa: SLF001 - as seen
    form._run.click()  # noqa: SLF001 - as seen
    until(lambda: len(again) == 3)
    for one in again:
        one.join()
    assert form.wait(60)
    assert are_off(form) == (False, True)
    assert form.view is not None


def test_cancelled_before_the_first_answer_it_ends_when_that_is_there() -> None:
    source = Gated()
    form = CustomerForm(source, customer_id="000001")
    form._run.click()  # noqa: SLF001 - as seen
    form._cancel.click()  # noqa: SLF001 - as seen
    form._run.click()  # noqa: SLF001 - while it is being cancelled
    assert "Cancelling" in said(form)
    assert are_off(form) == (True, True)
    source.let.set()
    assert form.wait(30)
    assert isinstance(form.error, CancelledError)
    assert "Cancelled" in said(form)
    assert are_off(form) == (False, True)
    form._cancel.click()  # noqa: SLF001 - there is nothing to cancel
    assert form.run().interactions.is_empty()


def test_what_is_set_under_a_run_is_not_what_it_asks_for() -> None:
    source = Gated()
    form = CustomerForm(source, customer_id="000001")
    form.start()
    form.value = {"customer_id": "000002", "window": 30}
    source.let.set()
    assert form.wait(30)
    assert source.asked == [["000001"]]
    assert "000001" in said(form)
    assert "of 000001, 2025-01-01 to 2025-12-31" in note(form)
    form.value = {"customer_id": "000001", "window": 7}
    assert note(form) == ""
    form._fields["channels"].boxes["SMS"].value = True  # type: ignore[attr-defined] # ticked
    assert "What is shown is of" in note(form)
    form.run()
    assert note(form) == ""


def test_a_run_in_code_and_a_click_are_never_two_runs() -> None:
    source = Gated()
    form = CustomerForm(source, customer_id="000001")
    beside = threading.Thread(target=form.run)
    beside.start()
    assert source.began.wait(30)
    form._run.click()  # noqa: SLF001 - as seen
    with pytest.raises(InputError, match="has not ended yet"):
        form.run()
    source.let.set()
    beside.join()
    assert source.asked == [["000001"]]


@pytest.mark.parametrize("wrong", [ValueError("odd <b>"), KeyboardInterrupt()])
def test_whatever_a_source_raises_the_form_can_be_used_again(wrong: BaseException) -> None:
    source = Gated()
    source.let.set()
    form = CustomerForm(source, customer_id="000001")
    form.run()
    source.wrong = wrong
    with pytest.raises(type(wrong)):
        form.run()
    assert form.view is None
    assert form._results.layout.display == "none"  # noqa: SLF001 - no old picture passes for an answer
    assert form.error is not None
    assert are_off(form) == (False, True)
    source.wrong = None
    form._run.click()  # noqa: SLF001 - as seen
    assert form.wait(30)
    assert form.view is not None


def test_two_forms_on_one_client_find_what_each_finds_alone(client: OptimoveClient) -> None:
    forms = [CustomerForm(client, customer_id=one) for one in ("000003", "841231")]
    for form in forms:
        form.start()
    for form in forms:
        assert form.wait(60)
        assert form.view is not None
        rows = client.interactions(form.value["customer_id"], "2025-01-01", "2025-12-31")
        assert form.view.interactions.equals(rows)


def test_a_client_that_is_closed_under_a_run_is_said(
    shared: tuple[Sandbox, OptimoveClient], tmp_path: Path
) -> None:
    box, _ = shared
    client = OptimoveClient(box.url, box.api_key, cache_dir=tmp_path, quota=(2, 5.0))
    form = AudienceForm(client, customers=box.world.customer_ids(20), start="2025-12-01")
    form.start()
    until(lambda: "done" in said(form))
    client.close()
    assert form.wait(60)
    assert "Sorry: " in said(form)
    assert "closed" in said(form)
    assert "unexpected" not in said(form)
    assert are_off(form) == (False, True)


def test_what_went_wrong_with_one_target_group_is_not_said_of_another() -> None:
    slow = threading.Event()

    def customers(group: int) -> pl.DataFrame:
        if group == 1:
            assert slow.wait(30)
            raise RuntimeError("of the first")  # what no source should raise
        return pl.DataFrame({"customer_id": ["000001"]})

    form: Any = AudienceForm(Gated(customers))  # type: ignore[arg-type] # a source for this alone
    field = form._audience  # noqa: SLF001 - as seen
    field._kind.value = "A target group"  # noqa: SLF001 - as a user chooses
    group = field._group  # noqa: SLF001 - as seen
    until(lambda: "Choose a target group" in spoken(field._count))  # noqa: SLF001 - as seen
    until(lambda: len(group._group.options) == 2)  # noqa: SLF001 - as seen
    group._group.value = 1  # noqa: SLF001 - as a user chooses
    group._group.value = 2  # noqa: SLF001 - as a user chooses
    until(lambda: "1 customer." in spoken(field._count))  # noqa: SLF001 - as seen
    slow.set()
    until(lambda: len(group._wrong) == 1)  # noqa: SLF001 - it has failed by now
    assert "1 customer." in spoken(field._count)  # noqa: SLF001 - as seen
    group._group.value = 1  # noqa: SLF001 - as a user chooses
    until(lambda: "unexpected RuntimeError: of the first" in spoken(field._count))  # noqa: SLF001


def test_a_value_goes_through_json_and_comes_back(client: OptimoveClient) -> None:
    before = (dt.date(2025, 1, 1), dt.date(2025, 2, 1))
    more: dict[str, Any] = {"compare": "period", "before": before, "window": None}
    for whom in (["000001"], {"target_group": 1, "day": END}):
        form = AudienceForm(client, customers=whom, **more)
        again = AudienceForm(client)
        again.value = json.loads(json.dumps(form.value, default=str))
        assert again.value == form.value
    one = CustomerForm(client, customer_id="007", channels=["SMS"])
    other = CustomerForm(client, **json.loads(json.dumps(one.value, default=str)))
    assert other.value == one.value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"start": 5}, "5 is no day"),
        ({"start": "soon"}, "'soon' is no day"),
        ({"customer_id": [None]}, "None is no id"),
        ({"customer_id": [1.0]}, "1.0 is no id"),
        ({"customer_id": ["a b"]}, "'a b' has a space"),
        ({"customer_id": 3.5}, "customer_id=3.5 cannot be used"),
        ({"channels": 504}, "channels=504 cannot be used"),
        ({"channels": ["E-mail", "Fax"]}, "channel='Fax'"),
        ({"window": "7"}, "'7' is no number of days"),
        ({"unit": ["message"]}, r"unit=\['message'\]"),
    ],
)
def test_a_value_that_cannot_be_changes_nothing_at_all(
    client: OptimoveClient, value: dict[str, Any], words: str
) -> None:
    form = CustomerForm(client, customer_id="000001")
    before = form.value
    with pytest.raises(InputError, match=words):
        form.value = {"campaigns": "4211", "opens": "ignore", **value}
    assert form.value == before


def test_what_can_be_meant_is_taken(client: OptimoveClient) -> None:
    form = CustomerForm(client)
    form.value = {
        "customer_id": ["000001", "7"],
        "campaigns": 4211,
        "channels": None,
        "start": dt.datetime(2025, 1, 2, 3, tzinfo=dt.UTC),
    }
    assert form.value["customer_id"] == "000001, 7"
    assert form.value["campaigns"] == "4211"
    assert form.value["start"] == dt.date(2025, 1, 2)
    assert type(form.value["start"]) is dt.date


def test_a_year_that_is_being_typed_is_no_traceback(client: OptimoveClient) -> None:
    form = AudienceForm(client, customers="000001", compare="period")
    form.value = {"start": dt.date(2, 1, 1)}  # the browser gives each digit: 2, 20, 202, 2025
    with pytest.raises(InputError, match="before 0002-01-01 there are no days"):
        form.run()


@pytest.mark.parametrize("form", [CustomerForm, AudienceForm, TryItConsole])
def test_in_a_terminal_a_form_says_what_it_asks(client: OptimoveClient, form: Any) -> None:
    assert repr(CustomerForm(client, customer_id="007")).startswith(
        "CustomerForm(customer_id='007', start=datetime.date(2025, 1, 1), "
    )
    many = AudienceForm(client, customers=[f"{number:06}" for number in range(5_000)])
    for one in (form(client), many):
        assert repr(one).startswith(type(one).__name__)
        assert len(repr(one)) < 700


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"no", "the credential is not"),
        (403, b"no", "the credential is not allowed"),
        (429, b"slow", "too many requests"),
        (500, b"oops", "500"),
        (200, b"<html>not JSON", "JSON"),
        (200, b"", "empty"),
        (200, b'{"Message": "x"}', "list"),
    ],
)
def test_what_the_api_answers_instead_is_said_in_plain_words(
    tmp_path: Path, status: int, body: bytes, words: str
) -> None:
    with sandbox() as box, OptimoveClient(box.url, box.api_key, cache_dir=tmp_path) as client:
        form = CustomerForm(client, customer_id="000005")
        box.answer(ASKED, status=status, body=body, times=6, headers=AT_ONCE)
        form._run.click()  # noqa: SLF001 - as seen
        assert form.wait(60)
        assert said(form).startswith('role="alert": Sorry: ')
        assert words.lower() in said(form).lower()
        assert "unexpected" not in said(form)
        assert box.api_key not in said(form)
        assert form.view is None
        assert are_off(form) == (False, True)


def test_a_customer_who_is_not_found_has_no_interactions(tmp_path: Path) -> None:
    with sandbox() as box, OptimoveClient(box.url, box.api_key, cache_dir=tmp_path) as client:
        box.answer(ASKED, status=404, times=1)
        form = CustomerForm(client, customer_id="000005")
        form.run()
        assert "No interactions of 000005, 2025-01-01 to 2025-12-31" in said(form)


def test_no_key_is_in_what_a_saved_notebook_holds(
    shared: tuple[Sandbox, OptimoveClient],
) -> None:
    box, client = shared
    others = {*widgets.Widget.get_manager_state()["state"]}  # a test may have typed the key there
    forms: list[Any] = [
        CustomerForm(client, customer_id="000001"),
        AudienceForm(client, customers=["000001", "000002"]),
        TryItConsole(client, "GetAllActions"),
    ]
    for form in forms:
        form.run()
        assert box.api_key not in repr(form)
        assert box.api_key not in repr(form.value)
    every = widgets.Widget.get_manager_state()["state"]
    state = json.dumps({name: one for name, one in every.items() if name not in others})
    assert "000001" in state  # it is the state of these
    assert box.api_key not in state
    assert box.api_key not in " ".join(map(html_of, forms))


def test_a_hundred_thousand_pasted_ids_leave_the_form_quick(client: OptimoveClient) -> None:
    form = AudienceForm(client)
    field = form._audience  # noqa: SLF001 - as seen
    text = "\n".join(f"{number:06}" for number in range(100_000))
    before = time.thread_time()  # of this thread: the plan is made in another
    field._box.value = text  # noqa: SLF001 - pasted
    field._box.value = f"{text}\n999999"  # noqa: SLF001 - and a line more
    form.value = {"window": 14}
    assert "100,001 customers" in spoken(field._count)  # noqa: SLF001 - as seen
    assert time.thread_time() - before < 2
    until(lambda: "100,001 customers" in spoken(form._plan))  # noqa: SLF001 - as seen


def test_a_group_of_boxes_and_each_field_has_a_name(client: OptimoveClient) -> None:
    for form in (CustomerForm(client), AudienceForm(client)):
        for one in all_of(form):
            if isinstance(one, widgets.ValueWidget) and not isinstance(one, widgets.HTML):
                if isinstance(one, widgets.FloatProgress | widgets.Label):
                    continue
                assert one.description, one
