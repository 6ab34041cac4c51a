"""An audience's form in a real browser: typed ids, a run that is cancelled, a file to download."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from browser.serving import SLOW, findings, offline_page
from playwright.sync_api import Browser, FilePayload, Page, expect


@pytest.fixture(scope="module")
def page(browser: Browser, pages: str, hosts: set[str]) -> Iterator[Page]:
    opened = offline_page(browser, hosts, width=1000)
    wrong: list[str] = []
    opened.goto(f"{pages}/audience.ipynb")
    expect(opened.get_by_role("button", name="Run")).to_be_visible(timeout=SLOW)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    hosts.clear()  # what Voila's own page asks for is not the form's
    yield opened
    opened.context.close()
    assert not wrong


def test_typed_ids_run_are_cancelled_shown_and_exported(
    page: Page, hosts: set[str], tmp_path: Path
) -> None:
    ids = [f"{number:06}" for number in range(1, 201)]
    form = page.locator(".optimove-form")
    form.get_by_label("Customers", exact=True).select_option("Ids in a box")
    box = form.get_by_role("textbox", name="Ids")
    box.fill("\n".join(ids))
    expect(form.get_by_text("200 customers.", exact=True)).to_be_visible()
    # The sandbox answers 50 in 10 s, as the API does.
    expect(
        form.get_by_text(re.compile(r"Plan: 200 customers; 20\d requests, about 0:[34]\d"))
    ).to_be_visible()
    assert findings(page, ".optimove-form") == []

    form.get_by_role("button", name="Run").click()
    expect(form.get_by_text(re.compile(r"\d+ done \(.*about 0:\d\d left"))).to_be_visible()
    form.get_by_role("tab", name="Funnel").click(timeout=SLOW)
    drawn = form.locator(".optimove-chart:visible svg")
    expect(drawn).to_contain_text(re.compile(r"by channel: \d+ of 200 customers"), timeout=SLOW)
    form.get_by_role("button", name="Cancel").click()
    said = form.get_by_text(re.compile(r"Cancelled; shown are (\d+) of 200 customers"))
    expect(said).to_be_visible(timeout=SLOW)
    found = re.search(r"shown are (\d+) of 200", said.inner_text())
    assert found is not None
    came = int(found[1])
    assert 0 < came < 200
    expect(drawn).to_contain_text(f"by channel: {came} of 200 customers")
    assert findings(page, ".optimove-form") == []

    form.get_by_role("tab", name="Export").click()
    form.get_by_label("Export").select_option("Customer ids")
    form.get_by_role("button", name="Make link").click()
    link = form.get_by_role("link", name=re.compile("Download customer_ids.txt"))
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "ids.txt")
    assert (tmp_path / "ids.txt").read_text(encoding="utf-8").splitlines() == ids[:came]
    form.get_by_label("Export").select_option("Interactions")
    form.get_by_role("button", name="Make link").click()
    with page.expect_download() as download:
        form.get_by_role("link", name=re.compile("Download interactions.csv")).click()
    rows = pl.read_csv(io.BytesIO(Path(download.value.path()).read_bytes()), infer_schema=False)
    assert set(rows["customer_id"]) <= set(ids[:came])
    assert findings(page, ".optimove-form") == []
    assert hosts == set()


def test_a_file_is_uploaded_and_its_column_chosen(page: Page) -> None:
    form = page.locator(".optimove-form")
    form.get_by_label("Customers", exact=True).select_option("A file of ids")
    content = b"name,loyalty\nZoe,000001\nAl,000009\n"
    with page.expect_file_chooser() as chooser:
        form.get_by_role("button", name=re.compile("Upload CSV or text")).click()
    chooser.value.set_files(files=FilePayload(name="list.csv", mimeType="text/csv", buffer=content))
    expect(form.get_by_label("The first line names the columns").first).to_be_checked()
    form.get_by_label("Column with the ids").first.select_option("2: loyalty")
    expect(form.get_by_text("2 customers.", exact=True)).to_be_visible()
    assert findings(page, ".optimove-form") == []
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_text(re.compile("2 customers: .* messages that count"))).to_be_visible(
        timeout=SLOW
    )
