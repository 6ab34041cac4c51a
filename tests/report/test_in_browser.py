"""What only a browser shows: that the page's own policy lets its charts draw, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from charts.tables import audience_mix, funnel_rows, funnel_table, mix_by_month, mix_table
from playwright.sync_api import Browser, Page
from report.pages import EVIL, written

from optimove_analysis import charts, report
from optimove_analysis.report.pdf import print_pdf


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    funnel = funnel_table(funnel_rows((4210, 4102, 1020, 131), channel=EVIL, channel_id=504))
    months = mix_table(mix_by_month([date(2026, month, 1) for month in (1, 2, 3, 4)]))
    mix = audience_mix()
    return written(
        tmp_path_factory.mktemp("report") / "report.html",
        report.heading("A report", EVIL),
        report.figure(charts.funnel(funnel), narrow=charts.funnel(funnel, width=150, columns=1)),
        report.figure(charts.channel_mix(mix), narrow=charts.channel_mix(mix, width=110)),
        report.figure(
            charts.channel_mix(months), narrow=charts.channel_mix(months, width=320, columns=1)
        ),
        report.table(pl.DataFrame({"campaign_id": range(60)}), "Many"),
    )


@pytest.fixture
def opened(browser: Browser, path: Path) -> Iterator[tuple[Page, list[str]]]:
    """The report in a window west of Greenwich, and what it asked for or complained of."""
    context = browser.new_context(timezone_id="America/Los_Angeles", color_scheme="light")
    page = context.new_page()
    heard: list[str] = []
    page.on("request", lambda request: heard.append(request.url))
    page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-drawn=yes]")
    yield page, heard
    context.close()


def test_all_charts_draw_and_nothing_is_asked_for_or_wrong(
    opened: tuple[Page, list[str]], path: Path
) -> None:
    page, heard = opened
    assert page.locator("figure.drawn svg").count() == 3
    asked = [line for line in heard if not line.startswith("data:")]
    assert asked == [path.as_uri()]


def test_a_channel_called_script_does_not_run(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    assert page.title() == "A report"
    assert page.locator("img[src=x]").count() == 0


def test_dates_are_the_tables_own_west_of_greenwich(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    shown = page.locator("figure").nth(2).locator("svg text").all_text_contents()
    assert [text for text in shown if "202" in text and len(text) == 8] == [
        "Jan 2026",
        "Feb 2026",
        "Mar 2026",
        "Apr 2026",
    ]


def test_charts_follow_the_reader_into_the_dark(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    dark = page.locator(".live svg [fill='#16181D']")  # the dark paper
    assert dark.count() == 0
    page.emulate_media(color_scheme="dark")
    dark.first.wait_for(state="attached")
    page.emulate_media(color_scheme="light")
    dark.first.wait_for(state="detached")


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, path: Path) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-drawn=yes]")
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    for width in page.locator(".live svg").evaluate_all("all => all.map(s => s.clientWidth)"):
        assert width <= 400
    context.close()


def test_paper_gets_the_still_pictures(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    page.emulate_media(media="print")
    assert page.locator("img.still").first.is_visible()
    assert not page.locator(".live").first.is_visible()


@pytest.mark.usefixtures("chromium")
def test_a_pdf_is_printed_with_what_is_folded_on_the_screen(path: Path) -> None:
    pdf = print_pdf(path, path.with_suffix(".pdf"))
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF-")
    # A page of still pictures, and two of the table of 60 rows: closed it would be one line.
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 3
    assert [file.name for file in path.parent.glob(".*")] == []


def test_without_scripts_the_still_pictures_show(browser: Browser, path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("img.still").count() == 3
    assert page.locator("img.still").first.is_visible()
    context.close()


def test_a_saved_chart_draws_by_itself(browser: Browser, path: Path) -> None:
    chart = charts.funnel(funnel_table(funnel_rows((50, 40, 30, 4), channel=EVIL, channel_id=1)))
    saved = charts.save(chart, path.parent / "chart.html")
    page = browser.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.goto(saved.as_uri())
    page.wait_for_selector("svg text")
    assert heard == []
    assert page.title() == "Chart"
    page.close()
