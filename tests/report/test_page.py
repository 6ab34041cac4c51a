"""The page that is made of a notebook that has run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import date

import altair as alt
import polars as pl
import pytest
from charts.tables import (
    audience_funnel,
    audience_mix,
    funnel_rows,
    funnel_table,
    mix_by_month,
    mix_table,
)
from report.pages import EVIL, Page, notebook_of

from optimove_analysis import charts, report
from optimove_analysis.errors import InputError
from optimove_analysis.report.page import page as page_of


def paged(*shown: object) -> Page:
    return Page(page_of(notebook_of(*shown), "by hand"))


@pytest.fixture(scope="module")
def page() -> Page:
    months = mix_table(mix_by_month([date(2026, month, 1) for month in (1, 2, 3, 4)]))
    funnel, mix = audience_funnel(), audience_mix()
    return paged(
        report.heading("Spring audience", "Two hundred customers."),
        "## From sent to clicked",
        report.figure(charts.funnel(funnel), narrow=charts.funnel(funnel, width=150, columns=1)),
        report.table(funnel, "Funnel"),
        report.notes(funnel),
        charts.channel_mix(mix),
        charts.channel_mix(months),
        report.terms({"Source": "a sandbox, seed 7"}),
    )


def test_nothing_is_loaded(page: Page) -> None:
    for tag, attrs in page.elements:
        assert "href" not in attrs, tag
        assert tag not in {"link", "iframe", "object", "base"}
        assert (attrs.get("src") or "data:").startswith("data:")
    style = page.source.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_the_pages_own_scripts_and_no_network(page: Page) -> None:
    (policy,) = [a["content"] for a in page.attributes("meta") if a.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", page.source, flags=re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests


def test_the_libraries_are_in_the_page_once(page: Page) -> None:
    assert page.source.count("window.vegaEmbed=") == 1
    assert len(page.source) < 2_000_000
    assert len(page.attributes("figure")) == 3


def test_the_libraries_cannot_end_their_own_script_element(page: Page) -> None:
    scripts = [text for tag, text in page.texts if tag == "script"]
    assert len(scripts) == len(page.attributes("script"))
    assert not any("<!--" in script for script in scripts)


def test_each_chart_is_there_live_still_and_in_words(page: Page) -> None:
    specs = [
        json.loads(text)
        for tag, text in page.texts
        if tag == "script" and text.startswith('{"wide"')
    ]
    assert [set(spec) for spec in specs] == [{"wide", "narrow"}, {"wide"}, {"wide"}]
    for spec, still in zip(specs, page.attributes("img"), strict=True):
        assert still["alt"] == spec["wide"]["description"]
    labels = [a["aria-label"] for a in page.attributes("div") if a.get("role") == "img"]
    assert labels == [spec["wide"]["description"] for spec in specs]


def test_tables_are_accessible_and_formatted(page: Page) -> None:
    assert page.of("caption") == ["Funnel"]
    assert {a.get("scope") for a in page.attributes("th")} == {"col", "row"}
    cells = page.of("td")
    for text in ("4,210", "24.2 %", "23.0 to 25.5 %", "n/a", "Delivered"):
        assert text in cells
    assert "Of stage before" in page.of("th")


def test_notes_are_told_once_and_of_whom(page: Page) -> None:
    assert page.of("li") == ["E-mail: 17 rows have an event id that the catalogue lacks."]


def test_the_title_is_the_first_heading_and_neither_code_nor_cell_numbers_are_shown(
    page: Page,
) -> None:
    assert page.of("title") == page.of("h1") == ["Spring audience"]
    assert page.of("h2") == ["From sent to clicked"]
    assert not [text for _, text in page.texts if text.strip() == "shown" or "In [" in text]


def test_the_same_chart_gives_the_same_page_again_in_the_same_process() -> None:
    # What is clipped has an id, and these are counted on through the life of a process.
    line = alt.Chart(pl.DataFrame({"x": [1, 2]})).mark_line(clip=True).encode(x="x", y="x")
    first = paged(line).source
    (still,) = re.findall(r"svg\+xml;base64,([^\"]+)", first)
    assert b"url(#clip0)" in base64.b64decode(still)
    assert paged(line).source == first


def test_no_text_can_run() -> None:
    rows = funnel_rows((50, 40, 30, 4), channel=EVIL, channel_id=1, customer_id=EVIL, notes=[EVIL])
    funnel = funnel_table(rows)
    own = pl.DataFrame({"customer_id": [EVIL], "segment": [EVIL], EVIL: [1]})
    page = paged(
        report.heading(EVIL, EVIL),
        charts.funnel(funnel),
        report.table(own, EVIL),
        charts.table(funnel),
        report.notes(funnel),
        report.summary(funnel),
        report.paragraphs(EVIL),
        report.terms({EVIL: EVIL}),
        {"text/plain": EVIL},
    )
    assert [attrs for attrs in page.attributes("img") if "onerror" in attrs] == []
    scripts = [text for tag, text in page.texts if tag == "script"]
    # The inks, the chart, the libraries and the page's own: none that the text brought along.
    assert len(page.attributes("script")) == len(scripts) == 4
    for tag in ("title", "h1", "p", "dt", "dd", "pre", "caption"):
        assert EVIL in page.of(tag), tag  # shown as it is


def test_long_tables_are_folded() -> None:
    table = pl.DataFrame({"campaign_id": range(1000, 1041), "sends": [1234] * 41})
    page = paged(report.table(table, "Many"))
    assert "Many: 41 rows" in page.of("summary")
    assert "1000" in page.of("th")  # an id is no quantity
    assert "1,234" in page.of("td")


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ({"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}, "cell 1 shows a widget"),
        ({"text/html": "<SCRIPT src='https://example.org/a.js'></SCRIPT>"}, "HTML with a script"),
        (alt.Chart("https://example.org/a.json").mark_bar(), "loads its data from https"),
    ],
)
def test_what_would_not_work_in_a_file_is_refused(shown: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        paged(shown)


def test_what_a_template_of_ones_own_shows_is_shown() -> None:
    page = paged(
        "Some *prose*, and a [link](https://example.org).",
        {"image/png": base64.b64encode(b"\x89PNG").decode(), "text/plain": "a figure"},
        {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>"},
        {"text/markdown": "**bold** words"},
        pl.DataFrame({"segment": ["gold"], "customers": [12]}),
        {"text/plain": "of a kind that no page knows", "application/vnd.other+json": {}},
    )
    kinds = [(a.get("src") or "").split(";")[0] for a in page.attributes("img")]
    assert kinds == ["data:image/png", "data:image/svg+xml"]
    assert page.of("em") == ["prose"]
    assert page.of("strong") == ["bold"]
    assert '"gold"' in page.of("td")
    assert "of a kind that no page knows" in page.of("pre")
