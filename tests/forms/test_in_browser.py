"""What only a browser shows: the form in JupyterLab, by keyboard, offline, in a narrow window."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

CODE = """
from optimove_analysis import OptimoveClient, forms
client = OptimoveClient.sandbox()
forms.CustomerForm(client, customer_id="000001")
"""
CONSOLE = """
from optimove_analysis import OptimoveClient, forms
client = OptimoveClient.sandbox()
forms.TryItConsole(client)
"""
SOON = 5_000
SLOW = 60_000
"""Milliseconds: JupyterLab and its kernel start in a few seconds, on a busy machine in more."""


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - no Chromium, no JupyterLab
    """The address of a JupyterLab with a notebook a form."""
    home = tmp_path_factory.mktemp("lab")
    for name, code in {"form": CODE, "console": CONSOLE}.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, home / f"{name}.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(home / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={home}"),
            # For the length of this test, on this machine, in a folder with nothing in it.
            *("--IdentityProvider.token=", "--ServerApp.password="),
            # The news would be the only thing that is not this machine's.
            "--LabApp.news_url=",
        ],
        env={**os.environ, **own, "OPTIMOVE_CACHE": str(home / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api", server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SLOW / 1000
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("JupyterLab did not start")


def opened(
    browser: Browser, lab: str, name: str, *, width: int
) -> tuple[Page, set[str | None], list[str]]:
    """Open a notebook, its kernel ready and the files out of the way.

    Gives the page, the hosts that it asks from now on, and what goes wrong in it.
    """
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.set_default_timeout(SLOW)
    hosts: set[str | None] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    # Each in a workspace of its own: JupyterLab would open the last one's notebooks beside it.
    page.goto(f"{lab}/lab/workspaces/{name}/tree/{name}.ipynb")
    # Before the kernel is there, JupyterLab would take the order to run and do nothing.
    ready = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(ready).to_be_attached(timeout=SLOW)
    files = page.locator("#jp-left-stack")
    keep_pressing(page, "Control+b", lambda: expect(files).to_be_hidden(timeout=SOON))
    return page, hosts, wrong


def keep_pressing(page: Page, key: str, seen: Callable[[], None]) -> None:
    """Press a key in the cell until it has done its work: JupyterLab may not listen yet."""
    for _ in range(5):
        page.locator(".jp-Cell .cm-content").click()
        page.keyboard.press(key)
        with contextlib.suppress(AssertionError):
            return seen()
    return seen()


def by_keyboard(page: Page, goal: Locator) -> None:
    """Press Tab until the goal has the focus, as a person without a mouse does."""
    for _ in range(40):
        if goal.evaluate("it => it === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("the keyboard does not lead there")


def test_the_form_works_by_keyboard_without_a_network_in_a_narrow_window(
    browser: Browser, lab: str
) -> None:
    page, hosts, wrong = opened(browser, lab, "form", width=700)
    form = page.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Run"))
    customer, run = (
        form.get_by_role("textbox", name="Customer"),
        form.get_by_role("button", name="Run"),
    )

    keep_pressing(page, "Control+Enter", lambda: expect(customer).to_be_visible(timeout=4 * SOON))

    customer.focus()
    by_keyboard(page, run)
    page.keyboard.press("Space")
    expect(form.get_by_role("status")).to_contain_text("messages", timeout=SLOW)

    tabs = form.locator(".widget-tab-contents")
    for number, name in enumerate(("Funnel", "Channel mix")):
        tab = form.get_by_role("tab", name=name)
        if number:
            tab.click()
        chart = tabs.locator("canvas:visible, svg.marks:visible")
        expect(chart).to_have_count(1)
        expect(tabs.locator("li:visible", has_text="left out")).to_have_count(1)
        inner, outer = chart.bounding_box(), tabs.bounding_box()
        assert inner is not None
        assert outer is not None
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"], f"{name} is cut off"

    customer.fill("")
    customer.press("Tab")
    run.click()
    expect(form.get_by_role("alert")).to_contain_text("type a customer's id")
    expect(tabs).to_be_hidden()

    assert hosts <= {"127.0.0.1", None, ""}
    assert not wrong


def test_the_console_works_by_keyboard_and_nothing_is_cut_off(browser: Browser, lab: str) -> None:
    page, hosts, wrong = opened(browser, lab, "console", width=1200)
    form = page.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Send"))
    function = form.get_by_role("combobox", name="Function")
    keep_pressing(page, "Control+Enter", lambda: expect(function).to_be_visible(timeout=4 * SOON))

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

    assert hosts <= {"127.0.0.1", None, ""}
    assert not wrong
