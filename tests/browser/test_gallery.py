"""Every chart of the gallery in a page that forbids eval, as the report and the forms may be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import altair as alt
import pytest
from browser.serving import offline_page
from charts.gallery import shown_once
from playwright.sync_api import Browser, Page

from optimove_analysis.charts.offline import bundle

DRAW = """
// `ast` has Vega interpret expressions; without, it makes functions of them by eval.
async ([spec, ast]) => {
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  await vegaEmbed(place, spec, { mode: "vega-lite", renderer: "svg", actions: false, ast });
  return place.querySelector("svg").outerHTML;
}
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    hosts: set[str] = set()
    opened = offline_page(browser, hosts, width=1200)
    opened.set_content("<html><body></body></html>")
    opened.add_script_tag(content=bundle())
    yield opened
    opened.context.close()
    assert not hosts


def marks(svg: str) -> Counter[str]:
    """Where each mark lies and what form it has; names that Vega gives anew do not count."""
    return Counter(re.findall(r'<path [^>]*?(?:transform|d)="([^"]*)"', svg))


def test_every_chart_is_the_same_where_expressions_are_interpreted(
    page: Page, once: Callable[..., Path]
) -> None:
    different = []
    for one in shown_once(once):
        if not isinstance(one.output, alt.TopLevelMixin):
            continue
        spec: dict[str, Any] = one.spec
        interpreted, compiled = (page.evaluate(DRAW, [spec, ast]) for ast in (True, False))
        assert marks(compiled), f"{one.maker} has no marks"
        if marks(interpreted) != marks(compiled):
            different.append(one.maker)
    assert not different
