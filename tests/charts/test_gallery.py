"""Each chart, drawn of the sample data as the gallery shows it: what there is in the picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any, Final

import altair as alt
import numpy as np
import pytest
from charts.gallery import Shown, shown_once
from charts.png import Pixels, colours, pixels, written
from charts.reading import plain
from charts.test_save import Tags

from optimove_analysis import charts

# Written off the pictures, and not taken from the code that colours them.
COLOUR: Final = {
    "E-mail": "#0072B2",
    "SMS": "#D55E00",
    "Push": "#009E73",
    "Web push": "#56B4E9",
    "In-app": "#CC79A7",
    "Call centre": "#E69F00",
}
PAPER: Final = {"light": "#FFFFFF", "dark": "#16181D"}
INK: Final = {"light": "#1C1F24", "dark": "#ECEEF1"}
WIDEST: Final = 1_000
"""Pixels that a notebook shows without a scroll bar."""

ALL: Final = set(COLOUR)
REPORT_DELIVERY: Final = {"E-mail", "SMS", "Push", "Web push"}
# Which channels the sample has in a chart. What is no channel's has none of their colours.
BY_CHANNEL: Final[dict[str, set[str]]] = {
    "audit": set(),
    "funnel": ALL,
    "rates": REPORT_DELIVERY,
    "compare": {"E-mail", "SMS"},
    "channel_mix": ALL,
    "explain_change": REPORT_DELIVERY,
    "drift": set(),
    "diversity": set(),
    "overlap": ALL - {"Call centre"},  # with which nobody engages
    "transitions": set(),
    "hand_off": set(),
    "preferred_channel": {"E-mail"},  # others received fewer than 30
    "frequency": REPORT_DELIVERY,
    "time_to_engage": REPORT_DELIVERY,
    "anomalies": {"Web push"},
    "tiers": set(),
    "recency": set(),
    "shrink": {"Push"},
    "journey": {"E-mail", "Web push", "Call centre"},
    "calendar": set(),
    "ordered_funnel": set(),
}


@pytest.fixture(scope="module")
def gallery(once: Callable[..., Path]) -> list[Shown]:
    return shown_once(once)


@pytest.fixture(scope="module")
def drawn(gallery: list[Shown]) -> list[Shown]:
    """The charts of tables, in the notebook's order; a table of numbers is none."""
    return [one for one in gallery if one.maker in BY_CHANNEL]


@pytest.fixture(scope="module")
def pictures(
    drawn: list[Shown], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[Shown, dict[str, Pixels]]]:
    """Each chart, light and dark."""
    path = tmp_path_factory.mktemp("gallery") / "a.png"

    def draw(chart: Any, mode: Any) -> Pixels:
        return pixels(charts.save(charts.themed(chart, mode), path, scale=1).read_bytes())

    return [(one, {mode: draw(one.chart, mode) for mode in PAPER}) for one in drawn]


def test_every_chart_has_a_section(gallery: list[Shown]) -> None:
    # A new name is a chart and has to come into the gallery, unless it is said here to be none.
    draw_nothing = {"channel_colours", "save", "themed"}
    sections = {one.maker for one in gallery}
    assert set(charts.__all__) - draw_nothing - sections == set()


def test_a_chart_stands_under_the_question_that_it_answers(drawn: list[Shown]) -> None:
    assert [one.maker for one in drawn if not one.heading.endswith("?")] == []
    assert len({one.heading for one in drawn}) == len(drawn)
    assert {one.maker for one in drawn} == set(BY_CHANNEL)


def test_the_decoder_reads_every_filter_of_a_row() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (10, 7, 4), dtype=np.uint8)
    assert np.array_equal(pixels(written(picture, [0, 1, 2, 3, 4, 4, 3, 2, 1, 0])), picture)


def test_a_picture_has_ink_and_air_on_the_theme_s_paper(pictures: Iterable[Any]) -> None:
    for one, of in pictures:
        for mode, picture in of.items():
            found = colours(picture)
            assert max(found, key=lambda colour: found[colour]) == PAPER[mode], one.maker
            assert found[INK[mode]] > 200, one.maker  # the title alone has more
            air = found[PAPER[mode]] / sum(found.values())
            assert 0.2 < air < 0.97, (one.maker, air)
            assert (picture[..., 3] == 255).all(), one.maker


def test_nothing_is_cut_off_at_the_edge(pictures: Iterable[Any]) -> None:
    for one, of in pictures:
        for mode, picture in of.items():
            inner = np.zeros(picture.shape[:2], dtype=bool)
            inner[2:-2, 2:-2] = True
            assert set(colours(picture[~inner])) == {PAPER[mode]}, (one.maker, mode)


def test_light_and_dark_differ_in_ink_and_not_in_size(pictures: Iterable[Any]) -> None:
    for one, of in pictures:
        light, dark = of["light"], of["dark"]
        assert light.shape == dark.shape, one.maker
        # A mark's edge may meet the other paper by chance; nothing is filled with it.
        assert colours(light).get(PAPER["dark"], 0) < 50, one.maker
        assert colours(dark).get(PAPER["light"], 0) < 50, one.maker


def test_a_channel_is_seen_in_its_own_colour(pictures: Iterable[Any]) -> None:
    for one, of in pictures:
        wanted = BY_CHANNEL[one.maker]
        for mode, picture in of.items():
            found = colours(picture)
            seen = {name for name, colour in COLOUR.items() if found.get(colour, 0) >= 8}
            assert seen == wanted, (one.maker, mode)
            of_channels = sum(found.get(colour, 0) for colour in COLOUR.values())
            assert of_channels < 0.6 * picture.shape[0] * picture.shape[1], one.maker


def test_a_picture_fits_a_notebook(pictures: Iterable[Any]) -> None:
    wide = {one.maker: of["light"].shape[1] for one, of in pictures}
    assert {maker: width for maker, width in wide.items() if width > WIDEST} == {}


def test_an_alt_text_is_sentences(drawn: list[Shown]) -> None:
    for one in drawn:
        text = plain(one.spec["description"])
        assert re.fullmatch(r"[A-Z].*[^.]\.", text, flags=re.DOTALL), (one.maker, text)
        assert re.search(r"\d", text), one.maker  # the main numbers
        assert "None" not in text, one.maker


def test_what_the_numbers_rest_on_stands_under_the_title(drawn: list[Shown]) -> None:
    for one in drawn:
        assert one.table is not None
        text = plain(" ".join(one.spec["title"]["subtitle"]))
        for column, words in {
            "window": r"(window|within) \d+ day",
            "as_of": "as of 2025-12-31",
        }.items():
            if column in one.table.columns:
                assert re.search(words, text), (one.maker, text)
        if "unit" in one.table.columns:
            (unit,) = one.table["unit"].unique()
            assert re.search(rf"Unit: {unit}\b|\d {unit}s ", text), (one.maker, text)


def test_a_chart_holds_far_fewer_rows_than_altair_allows(drawn: list[Shown]) -> None:
    rows = {one.maker: sum(len(part) for part in one.spec["datasets"].values()) for one in drawn}
    assert {maker: number for maker, number in rows.items() if not 0 < number < 1_000} == {}


@pytest.mark.parametrize("kind", ["svg", "pdf", "html"])
def test_a_chart_is_saved_as_what_a_reader_can_open_anywhere(
    kind: str, drawn: list[Shown], tmp_path: Path
) -> None:
    for one in drawn:
        content = charts.save(one.chart, tmp_path / f"a.{kind}").read_bytes()
        if kind == "pdf":
            assert content.startswith(b"%PDF")
            continue
        text = content.decode()
        tags = Tags()
        tags.feed(text)
        loads = {"src", "href", "xlink:href"}
        assert [of for _, of in tags.seen if loads & of.keys()] == [], one.maker
        title = escape(one.spec["title"]["text"], quote=False)
        assert title in text, one.maker
        if kind == "svg":
            # Vega ends so what has no room.
            assert re.findall(r">([^<>]*\u2026)<", text) == [], one.maker


def test_a_chart_can_be_changed_further(gallery: list[Shown]) -> None:
    own = [one for one in gallery if one.heading == "Changing a chart further"]
    assert len(own) == 2
    assert all(isinstance(one.output, alt.TopLevelMixin) for one in own)
