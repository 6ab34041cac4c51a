"""What only a browser shows: the form in JupyterLab, by keyboard, offline, in a narrow window."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from browser.lab import by_keyboard, keep_pressing, notebook
from browser.serving import SLOW, SOON, findings
from playwright.sync_api import Browser, Locator, Page, expect

DARK = "document.body.dataset.jpThemeLight = 'false'"
LIGHT = "document.body.dataset.jpThemeLight = 'true'"
LISTEN = """
// Count what a screen reader is told, and what only the eye is.
() => {
  window.heard = []; window.seen = 0;
  const line = [...document.querySelectorAll(".optimove-line")].find((one) => one.offsetParent);
  new MutationObserver((changes) => {
    for (const place of new Set(changes.map(({ target }) => target))) {
      const live = place.matches?.("[role=status], [role=alert], [aria-live]");
      if (live && place.textContent) window.heard.push(place.textContent);
      if (!live) window.seen += 1;
    }
  }).observe(line, { subtree: true, childList: true, characterData: true });
}
"""


@pytest.fixture(scope="module")
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
    page.evaluate(LISTEN)
    began = time.monotonic()
    run, cancel = (form.get_by_role("button", name=name) for name in ("Run", "Cancel"))
    expect(cancel).to_be_disabled()
    run.focus()
    page.keyboard.press("Enter")
    status = form.get_by_role("status")
    expect(form.locator(".said", has_text="left")).to_be_visible(timeout=SLOW)
    expect(form.locator(".widget-hprogress")).to_be_visible()
    expect(run).to_be_disabled()
    expect(run).to_be_focused()  # what is off does not lose it
    page.wait_for_function("window.heard.some((one) => one.includes(' left'))", timeout=SLOW)
    cancel.focus()
    page.keyboard.press("Space")
    expect(status).to_contain_text("Cancelled. What was fetched is kept", timeout=SLOW)
    expect(cancel).to_be_disabled()
    expect(cancel).to_be_focused()
    # Asking, cancelling, cancelled, and how far it is every five seconds.
    heard = page.evaluate("window.heard")
    assert len(heard) <= 3 + (time.monotonic() - began) / 5, heard
    assert page.evaluate("window.seen") > len(heard)
    customer.fill("000001")
    customer.press("Tab")
    run.click()
    expect(status).to_contain_text("messages", timeout=SLOW)
    customer.fill("000002")
    customer.press("Tab")
    expect(form.locator(".optimove-note")).to_contain_text("What is shown is of 000001")


def test_a_picture_turns_dark_when_the_page_does(page: Page) -> None:
    form = form_of(page)
    customer = form.get_by_role("combobox", name="Customer", exact=True)
    customer.fill("000001")
    customer.press("Tab")
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_role("status")).to_contain_text("000001", timeout=SLOW)
    expect(form.get_by_role("status")).to_contain_text("messages", timeout=SLOW)
    form.get_by_role("tab", name="Funnel").click()
    chart = form.locator(".optimove-chart:visible svg")
    expect(chart).to_have_count(1)
    title = chart.locator("text", has_text="From sent to clicked").first
    assert title.get_attribute("fill") == "#1C1F24"
    page.evaluate(DARK)
    expect(title).to_have_attribute("fill", "#ECEEF1")
    page.evaluate(LIGHT)
    expect(title).to_have_attribute("fill", "#1C1F24")
