from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

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

from optimove_analysis import charts, report
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.report import Section
from optimove_analysis.schema import CHANNEL_MIX, FUNNEL

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """A page as a browser takes it apart: elements, their text, and whether they nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(self.source)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data))

    def of(self, tag: str) -> list[str]:
        return [text.replace("\u00a0", " ") for inside, text in self.texts if inside == tag]

    def attributes(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attrs for seen, attrs in self.elements if seen == tag]


def standard(path: Path) -> Page:
    months = [date(2026, month, 1) for month in (1, 2, 3, 4)]
    written = report.engagement(
        audience_funnel(),
        audience_mix(),
        path / "report.html",
        mix_over_time=mix_table(mix_by_month(months)),
        title="Spring audience",
        intro="Two hundred customers.",
        provenance={"Source": "a sandbox, seed 7", "Range": "2026-01-01 to 2026-04-30"},
        now=NOW,
    )
    return Page(written)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return standard(tmp_path_factory.mktemp("report"))


def test_the_sentences_hold_the_rate_its_interval_and_what_it_divides_by(page: Page) -> None:
    assert (
        "E-mail: 3.1 % clicked (95 % interval 2.6 to 3.7 %) of 4,210 messages sent to "
        "198 customers. Not in the rate: 120 messages too young to tell."
    ) in page.of("p")


def test_a_small_group_is_told_with_a_warning(page: Page) -> None:
    (told,) = [text for text in page.of("p") if text.startswith("Web push: 9.1 % clicked")]
    assert "read the interval, not the rate" in told


def test_a_channel_whose_interval_holds_par_is_not_called_better_or_worse(page: Page) -> None:
    told = {text.split(" makes up")[0]: text for text in page.of("p") if " makes up " in text}
    assert "more than its share (index 1.47" in told["E-mail"]
    assert "less than its share (index 0.18" in told["Push"]
    assert "not to be told from its share (index 0.55" in told["Web push"]
    assert "it reports no engagement" in told["Call centre"]


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


def test_each_chart_is_there_live_still_and_in_words(page: Page) -> None:
    specs = [
        json.loads(text)
        for tag, text in page.texts
        if tag == "script" and text.startswith('{"wide"')
    ]
    assert len(specs) == len(page.attributes("img")) == 3
    for spec, still in zip(specs, page.attributes("img"), strict=True):
        assert still["alt"] == spec["wide"]["description"]
        assert set(spec) == {"wide", "narrow"}
    labels = [a["aria-label"] for a in page.attributes("div") if a.get("role") == "img"]
    assert labels == [spec["wide"]["description"] for spec in specs]


def test_tables_are_accessible_and_formatted(page: Page) -> None:
    assert len(page.of("caption")) == len(page.attributes("table")) == 3
    scopes = {a.get("scope") for a in page.attributes("th")}
    assert scopes == {"col", "row"}
    cells = page.of("td")
    for text in ("4,210", "24.2 %", "23.0 to 25.5 %", "n/a", "1.47", "Delivered"):
        assert text in cells
    assert "Of stage before" in page.of("th")


def test_notes_are_told_once_and_of_whom(page: Page) -> None:
    assert page.of("li") == ["E-mail: 17 rows have an event id that the catalogue lacks."]


def test_the_methods_are_told(page: Page) -> None:
    told = " ".join(page.of("p"))
    for words in (
        "The unit is the message",
        "from the day of the send to 7 days after it",
        "complete through 2026-11-30",
        "A click implies that the message was opened and delivered",
        "privacy proxies open mail by machine",
        "The 95 % interval of a rate is Wilson's score interval",
    ):
        assert words in told


def test_the_provenance_is_told(page: Page) -> None:
    facts = dict(zip(page.of("dt"), page.of("dd"), strict=True))
    assert facts["Source"] == "a sandbox, seed 7"
    assert facts["Generated"] == "2026-12-01 09:30 UTC"
    assert f"polars {pl.__version__}" in facts["Made with"]
    assert f"altair {alt.__version__}" in facts["Made with"]
    assert "window 7 days from the send" in facts["Settings"]


def test_no_text_can_run(tmp_path: Path) -> None:
    chart = charts.funnel(
        funnel_table(
            funnel_rows((50, 40, 30, 4), channel=EVIL, channel_id=1, customer_id=EVIL, notes=[EVIL])
        )
    )
    path = report.build(
        [
            Section(
                EVIL,
                EVIL,
                chart,
                pl.DataFrame({"customer_id": [EVIL], "segment": [EVIL], EVIL: [1]}),
                [EVIL],
            ),
        ],
        tmp_path / "evil.html",
        title=EVIL,
        intro=EVIL,
        provenance={EVIL: EVIL},
    )
    page = Page(path)
    assert [attrs for attrs in page.attributes("img") if "onerror" in attrs] == []
    scripts = [text for tag, text in page.texts if tag == "script"]
    # The inks, the chart, the libraries and the page's own: none that the text brought along.
    assert len(page.attributes("script")) == len(scripts) == 4
    assert EVIL in page.of("p")  # shown as it is


def test_an_engagement_report_of_a_customer_called_script_is_safe(tmp_path: Path) -> None:
    funnel = funnel_table(
        funnel_rows((50, 40, 30, 4), channel="E-mail", customer_id=EVIL, channel_id=504)
    )
    page = Page(report.engagement(funnel, audience_mix(), tmp_path / "r.html"))
    assert len(page.attributes("script")) == 5  # two charts
    assert EVIL in page.of("th")


def test_nothing_to_count_is_a_report_that_says_so(tmp_path: Path) -> None:
    page = Page(report.engagement(FUNNEL.empty(), CHANNEL_MIX.empty(), tmp_path / "r.html"))
    assert "There was nothing to count." in page.of("p")
    assert any("No messages were sent in this range" in text for text in page.of("p"))


def test_long_tables_are_folded(tmp_path: Path) -> None:
    table = pl.DataFrame({"campaign_id": range(1000, 1041), "sends": [1234] * 41})
    page = Page(report.build([Section("Many", "", table=table)], tmp_path / "r.html", title="T"))
    assert "Many: 41 rows" in page.of("summary")
    assert "1000" in page.of("th")  # an id is no quantity
    assert "1,234" in page.of("td")


def test_a_wrong_table_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"channel_mix\(interactions"):
        report.engagement(audience_funnel(), audience_funnel(), tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_a_report_replaces_the_one_before_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    report.build([], path, title="First")
    chart = alt.Chart("https://example.org/a.json").mark_bar()
    with pytest.raises(InputError, match="loads its data"):
        report.build([Section("A", "", chart)], path, title="Second")
    assert "First" in path.read_text(encoding="utf-8")
    report.build([], path, title="Third")
    assert "Third" in path.read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]


def test_the_same_tables_give_the_same_report(tmp_path: Path) -> None:
    first = standard(tmp_path / "a").source
    assert standard(tmp_path / "b").source == first


def test_the_libraries_cannot_end_their_own_script_element(page: Page) -> None:
    scripts = [text for tag, text in page.texts if tag == "script"]
    assert len(scripts) == len(page.attributes("script"))
    assert not any("<!--" in script for script in scripts)
