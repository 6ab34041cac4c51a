"""A notebook in JupyterLab as a reader has it: opened, its kernel ready, used by keyboard."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from browser.serving import SLOW, SOON, offline_page
from playwright.sync_api import Browser, Locator, Page, expect

__all__ = ["by_keyboard", "keep_pressing", "notebook"]


@contextmanager
def notebook(
    browser: Browser, lab: str, name: str, *, width: int, hosts: set[str]
) -> Iterator[Page]:
    """Open a notebook, the files out of the way; what goes wrong in its page fails the test."""
    page = offline_page(browser, hosts, width=width)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    # Each in a workspace of its own: JupyterLab would open the last one's notebooks beside it.
    page.goto(f"{lab}/lab/workspaces/{name}/tree/{name}.ipynb")
    # Before the kernel is there, JupyterLab would take the order to run and do nothing.
    ready = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(ready).to_be_attached(timeout=SLOW)
    files = page.locator("#jp-left-stack")
    keep_pressing(page, "Control+b", lambda: expect(files).to_be_hidden(timeout=SOON))
    yield page
    page.context.close()
    assert not wrong


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
