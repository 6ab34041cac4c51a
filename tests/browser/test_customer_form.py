"""What only a browser shows: the form in JupyterLab, by keyboard, offline, in a narrow window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.lab import by_keyboard, keep_pressing, notebook
from browser.serving import SLOW, SOON, findings, jupyterlab
from playwright.sync_api import Browser, Locator, Page, expect

CODE = """
from optimove_analysis import OptimoveClient, forms
client = OptimoveClient.sandbox()
forms.CustomerForm(client, customer_id="000001")
"""
DARK = "document.body.dataset.jpThemeLight = 'false'"


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - no Chromium, no JupyterLab
    """The address of a JupyterLab with one notebook: the form."""
    with jupyterlab(tmp_path_factory.mktemp("lab"), {"form.ipynb": [CODE]}) as url:
        yield url


@pytest.fixture
def hosts() -> set[str]:
    return set()


@pytest.fixture
def page(browser: Browser, lab: str, hosts: set[str]) -> Iterator[Page]:
    """A narrow window with the form in it, as a reader has it beside other windows."""
    with notebook(browser, lab, "form", width=700, hosts=hosts) as opened:
        customer = form_of(opened).get_by_role("combobox", name="Customer", exact=True)
        there = expect(customer)
        keep_pressing(opened, "Control+Enter", lambda: there.to_be_visible(timeout=4 * SOON))
        yield opened


def form_of(page: Page) -> Locator:
    return page.locator(".jp-OutputArea-output", has=page.locator(".optimove-form"))


def test_the_form_works_by_keyboard_without_a_network_in_a_narrow_window(
    page: Page, hosts: set[str]
) -> None:
    form = form_of(page)
    customer = form.get_by_role("combobox", name="Customer", exact=True)
    run = form.get_by_role("button", name="Run")
    customer.focus()
    by_keyboard(page, run)
    page.keyboard.press("Space")
    expect(form.get_by_role("status")).to_contain_text("messages", timeout=SLOW)

    tabs = form.locator(".widget-tab-contents")
    for name in ("Funnel", "Channel mix"):
        form.get_by_role("tab", name=name).click()
        chart = tabs.locator(".optimove-chart:visible svg")
        expect(chart).to_have_count(1)
        expect(tabs.locator("li:visible", has_text="left out")).to_have_count(1)
        inner, outer = chart.bounding_box(), tabs.bounding_box()
        assert inner is not None
        assert outer is not None
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"], f"{name} is cut off"
        assert findings(page, ".optimove-form") == []

    customer.fill("")
    customer.press("Tab")
    run.click()
    expect(form.get_by_role("alert")).to_contain_text("type a customer's id")
    expect(tabs).to_be_hidden()
    assert not hosts


def test_a_long_run_says_how_far_it_is_and_ends_when_cancelled(page: Page) -> None:
    form = form_of(page)
    customer = form.get_by_role("combobox", name="Customer", exact=True)
    # At 50 requests in 10 seconds the last of them would come in a minute.
    customer.fill(" ".join(f"{number:06}" for number in range(1000, 1300)))
    customer.press("Tab")
    form.get_by_role("button", name="Run").click()
    status, cancel = form.get_by_role("status"), form.get_by_role("button", name="Cancel")
    expect(status).to_contain_text("left", timeout=SLOW)
    expect(form.locator(".widget-hprogress")).to_be_visible()
    cancel.click()
    expect(status).to_contain_text("Cancelled. What was fetched is kept", timeout=SLOW)
    expect(cancel).to_be_disabled()
    customer.fill("000001")
    customer.press("Tab")
    form.get_by_role("button", name="Run").click()
    expect(status).to_contain_text("messages", timeout=SLOW)


def test_a_picture_turns_dark_when_the_page_does(page: Page) -> None:
    form = form_of(page)
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_role("status")).to_contain_text("messages", timeout=SLOW)
    form.get_by_role("tab", name="Funnel").click()
    chart = form.locator(".optimove-chart:visible svg")
    expect(chart).to_have_count(1)
    title = chart.locator("text", has_text="From sent to clicked").first
    assert title.get_attribute("fill") == "#1C1F24"
    page.evaluate(DARK)
    expect(title).to_have_attribute("fill", "#ECEEF1")
