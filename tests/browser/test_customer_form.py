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
SOON = 5_000
SLOW = 60_000
"""Milliseconds: JupyterLab and its kernel start in a few seconds, on a busy machine in more."""


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - no Chromium, no JupyterLab
    """The address of a JupyterLab with one notebook: the form."""
    home = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, home / "form.ipynb")
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
    page = browser.new_page(viewport={"width": 700, "height": 1000})
    page.set_default_timeout(SLOW)
    hosts: set[str | None] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    page.goto(f"{lab}/lab/tree/form.ipynb")
    # Before the kernel is there, JupyterLab would take the order to run and do nothing.
    ready = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(ready).to_be_attached(timeout=SLOW)
    files = page.locator("#jp-left-stack")
    keep_pressing(page, "Control+b", lambda: expect(files).to_be_hidden(timeout=SOON))
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
