"""The console for the API's functions in JupyterLab: by keyboard, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.lab import keep_pressing, notebook
from browser.serving import SLOW, SOON, findings
from playwright.sync_api import Browser, Page, expect


@pytest.fixture
def page(browser: Browser, lab: str, hosts: set[str]) -> Iterator[Page]:
    with notebook(browser, lab, "console", width=1200, hosts=hosts) as opened:
        there = expect(opened.get_by_role("combobox", name="Function"))
        keep_pressing(opened, "Control+Enter", lambda: there.to_be_visible(timeout=4 * SOON))
        yield opened


def test_the_console_works_by_keyboard_and_nothing_is_cut_off(page: Page, hosts: set[str]) -> None:
    form = page.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Send"))
    function = form.get_by_role("combobox", name="Function")

    # From the function by Tab to the fields, in the order in which they are read, to Send.
    function.focus()
    for name, text in {
        "CustomerID (required)": "841231",
        "StartDate (required)": "2018-08-19",
        "EndDate (required)": "2018-09-19",
    }.items():
        page.keyboard.press("Tab")
        field = form.get_by_role("textbox", name=name)
        expect(field).to_be_focused()
        page.keyboard.type(text)
    code = form.get_by_role("textbox", name="Code in Python, this package")
    expect(code).to_contain_text('EndDate="2018-09-19"')
    expect(form.locator(".address").last).to_contain_text("EndDate=2018-09-19")
    page.keyboard.press("Tab")
    expect(form.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Space")
    expect(form.get_by_role("status")).to_contain_text("200 OK", timeout=SLOW)

    for name in ("Table", "Headers", "Raw", "JSON"):
        form.get_by_role("tab", name=name).click()
        assert findings(page, ".optimove-try") == [], name

    # The tree opens and closes by keyboard.
    first = form.locator("summary", has_text="7 fields").first
    expect(form.locator(".key", has_text="CampaignID").first).to_be_visible()
    first.focus()
    page.keyboard.press("Enter")
    expect(first.locator(".preview")).to_be_visible()

    # The code can be taken by keyboard, and not be changed.
    code.focus()
    page.keyboard.press("Control+a")
    taken = code.evaluate("it => it.value.slice(it.selectionStart, it.selectionEnd)")
    assert taken.startswith("from optimove_analysis")
    assert taken.endswith("reply.problem)")
    page.keyboard.type("x")  # which JupyterLab would take for an order to cut the cell
    expect(code).to_contain_text("OptimoveClient")

    form.get_by_role("textbox", name="EndDate (required)").fill("soon")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("alert")).to_contain_text("400 Bad Request", timeout=SLOW)

    for width in (1200, 700):
        page.set_viewport_size({"width": width, "height": 1000})
        room = form.bounding_box()
        assert room is not None
        for part in form.locator(
            "input:visible, select:visible, textarea:visible, pre:visible"
        ).all():
            place = part.bounding_box()
            assert place is not None
            assert place["x"] + place["width"] <= room["x"] + room["width"] + 1
        request = form.locator(".request").bounding_box()
        beside = form.locator(".code-side").bounding_box()
        assert request is not None
        assert beside is not None
        assert (beside["x"] > request["x"]) is (width == 1200)

    assert not hosts
