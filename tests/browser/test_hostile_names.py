"""Whatever customers, channels, groups and files are called: in a page it is text, and is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browser.notebooks import BAD
from browser.serving import SLOW, findings, offline_page
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect


@pytest.fixture
def page(browser: Browser, pages: str, hosts: set[str]) -> Iterator[Page]:
    """All three forms on a dark page; the other tests look at them on a light one."""
    opened = offline_page(browser, hosts, width=1100)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(f"{pages}/hostile.ipynb?theme=dark")
    expect(opened.get_by_role("button", name="Send")).to_be_visible(timeout=SLOW)
    hosts.clear()  # what Voila's own page asks for is not the form's
    yield opened
    assert opened.evaluate("window.hacked") is None
    assert opened.locator("img[src=x]").count() == 0
    opened.context.close()
    assert not wrong


def forms(page: Page) -> tuple[Locator, Locator, Locator]:
    one, many, console = page.locator(".optimove-form").all()
    return one, many, console


def look_at_all(page: Page, form: Locator) -> None:
    """Turn to each tab; what is in it is there for everybody."""
    for tab in form.get_by_role("tab").all():
        tab.click()
        content = form.locator(".widget-tab-contents > *:visible").first
        expect(content).to_contain_text(re.compile(r"\w{3}"), timeout=SLOW)
        form.evaluate("(it) => { it.id = 'this-one' }")
        assert findings(page, "#this-one") == [], tab.inner_text()
    form.evaluate("(it) => { it.id = '' }")


def test_no_name_is_more_than_text(page: Page) -> None:
    one, many, console = forms(page)
    channel = f"{BAD} E-mail $x^2$ </style>"
    group = one.get_by_role("group", name="Channels (none: all)")
    expect(group.get_by_role("checkbox", name=f"{BAD} E-mail")).to_be_visible()
    customer = one.get_by_role("combobox", name="Customer", exact=True)
    one.get_by_role("button", name="Run").click()
    expect(one.get_by_role("status").first).to_contain_text("messages", timeout=SLOW)
    look_at_all(page, one)
    one.get_by_role("tab", name="Journey").click()
    expect(one.locator("td", has_text=channel).first).to_be_visible()
    customer.fill(BAD.replace(" ", "\N{NO-BREAK SPACE}"))
    customer.press("Tab")
    expect(one.locator(".optimove-note")).to_contain_text("What is shown is of 000001")
    one.get_by_role("button", name="Run").click()
    expect(one.get_by_role("status").first).to_contain_text("No interactions of <img", timeout=SLOW)

    many.get_by_label("Customers", exact=True).select_option("A file of ids")
    with page.expect_file_chooser() as chooser:
        many.get_by_role("button", name=re.compile("Upload CSV or text")).first.click()
    content = f"{BAD.replace(chr(34), '')},id\nx,000001\ny,000009\nz,{BAD[:9]}\n"
    chooser.value.set_files(
        files=FilePayload(
            name=f"{BAD}.csv".replace("/", ""), mimeType="text/csv", buffer=content.encode()
        )
    )
    many.get_by_label("Column with the ids").first.select_option("2: id")
    expect(many.get_by_text("3 customers.", exact=True)).to_be_visible()
    many.get_by_label("Compare with").select_option("Another audience")
    many.get_by_label("Other customers").select_option("A target group")
    many.get_by_label("Target group").last.select_option(index=0, timeout=SLOW)
    expect(many.get_by_text(re.compile(r"\d+ customers\.")).last).to_be_visible(timeout=SLOW)
    many.get_by_label("Other customers").select_option("Ids in a box")
    many.get_by_role("textbox", name="Ids").last.fill("000002 000003 000004")
    many.get_by_role("button", name="Run").click()
    expect(many.get_by_text(re.compile("3 customers: .* that count"))).to_be_visible(timeout=SLOW)
    look_at_all(page, many)

    console.get_by_role("button", name="Send").click()
    expect(console.get_by_role("status")).to_contain_text("200 OK", timeout=SLOW)
    look_at_all(page, console)

    page.set_viewport_size({"width": 550, "height": 700})  # as 1100 pixels at 200 %
    for form in forms(page):
        wide, room = form.evaluate("(it) => [it.scrollWidth, it.clientWidth]")
        assert wide <= room + 1
