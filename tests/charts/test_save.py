from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import altair as alt
import pytest
from charts.tables import audience_funnel

from optimove_analysis import charts
from optimove_analysis.errors import InputError


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.svg", b"<svg"), ("a.PNG", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.html", b"<!DOCTYPE html>")],
)
def test_each_suffix_gives_its_kind_of_file(name: str, start: bytes, tmp_path: Path) -> None:
    path = charts.save(charts.funnel(audience_funnel()), tmp_path / "new folder" / name)
    assert path.read_bytes().startswith(start)
    assert [other.name for other in path.parent.iterdir()] == [name]  # no part left behind


class Tags(HTMLParser):
    """What a browser would see as elements; text within scripts is none."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_html_holds_its_libraries_and_loads_nothing(tmp_path: Path) -> None:
    page = charts.save(charts.funnel(audience_funnel()), tmp_path / "a.html").read_text("utf-8")
    tags = Tags()
    tags.feed(page)
    assert not [attrs for _, attrs in tags.seen if "src" in attrs or "href" in attrs]
    (csp,) = [a["content"] for tag, a in tags.seen if a.get("http-equiv")]
    assert csp is not None
    assert csp.startswith("default-src 'none';")
    assert "vegaEmbed" in page


def test_html_text_cannot_end_the_script(tmp_path: Path) -> None:
    table = audience_funnel().with_columns(
        channel=audience_funnel()["channel"].replace("E-mail", "</script><script>alert(1)</script>")
    )
    page = charts.save(charts.funnel(table), tmp_path / "a.html").read_text("utf-8")
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("name", ["chart.jpeg", "chart", "chart.txt"])
def test_another_suffix_is_answered_with_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"saved as \.svg, \.png, \.pdf, \.html"):
        charts.save(charts.funnel(audience_funnel()), tmp_path / name)


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        charts.save(charts.funnel(audience_funnel()), blocked / "a.svg")


def test_a_chart_whose_data_is_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    chart = alt.Chart("https://example.org/data.json").mark_bar().encode(x="a:Q")
    path = tmp_path / "a.svg"
    with pytest.raises(InputError, match="loads its data"):
        charts.save(chart, path)
    assert not path.exists()
