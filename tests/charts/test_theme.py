from __future__ import annotations

import itertools
import math
from typing import Any

import altair as alt
import pytest
from charts.tables import audience_funnel

from optimove_analysis import charts
from optimove_analysis.charts.theme import CHANNEL_COLOURS, FURTHER_COLOURS, INKS, config
from optimove_analysis.errors import InputError

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency" (2009), their published matrices for severity 1.0, on linear RGB.
VISION = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def luminance(colour: str) -> float:
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(colour: str, vision: str) -> tuple[float, float, float]:
    """CIE L*a*b* under D65, as somebody with this vision sees the colour."""
    seen = [
        min(1.0, max(0.0, sum(w * p for w, p in zip(row, linear(colour), strict=True))))
        for row in VISION[vision]
    ]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    x, y, z = (
        sum(w * p for w, p in zip(row, seen, strict=True)) / n
        for row, n in zip(rows, white, strict=True)
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("vision", VISION)
def test_channel_colours_are_told_apart_with_every_kind_of_vision(vision: str) -> None:
    for one, other in itertools.combinations(CHANNEL_COLOURS.values(), 2):
        # 2.3 is a just noticeable difference; bars that touch want several times that.
        assert math.dist(lab(one, vision), lab(other, vision)) > 10, (one, other)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(mode: str) -> None:
    inks = INKS[mode]  # type: ignore[index] # one of the two
    assert contrast(inks["ink"], inks["paper"]) >= 7
    assert contrast(inks["soft"], inks["paper"]) >= 4.5


@pytest.mark.parametrize("paper", [INKS["light"]["paper"], INKS["dark"]["paper"]])
def test_every_channel_colour_shows_on_light_and_on_dark(paper: str) -> None:
    for colour in (*CHANNEL_COLOURS.values(), *FURTHER_COLOURS):
        assert contrast(colour, paper) > 2, colour


def test_a_kind_of_channel_has_the_same_colour_in_every_company() -> None:
    alone = charts.channel_colours(["E-mail"])
    among = charts.channel_colours(["Push", "Aardvark mailing list", "SMS", "E-mail", "Zebra"])
    assert alone["E-mail"] == CHANNEL_COLOURS["email"]
    assert among["SMS"] == CHANNEL_COLOURS["sms"]
    assert among["Push"] == CHANNEL_COLOURS["push"]


def test_no_colour_is_used_twice_until_all_are_used() -> None:
    known = ["E-mail", "SMS", "Push", "Web push", "In-app", "Call centre"]
    twelve = charts.channel_colours([*known, *(f"Pigeon {i}" for i in range(6))])
    assert len(set(twelve.values())) == 12
    assert len(charts.channel_colours(f"Pigeon {i}" for i in range(40))) == 40


def test_colours_do_not_depend_on_the_order_of_the_rows() -> None:
    names = ["Pigeon", "E-mail", "Second e-mail", "Zebra"]
    assert charts.channel_colours(names) == charts.channel_colours(names[::-1])


def test_importing_and_drawing_leave_the_sessions_theme_alone() -> None:
    assert alt.theme.active == "default"
    charts.funnel(audience_funnel()).to_dict()
    assert alt.theme.active == "default"
    assert {"optimove_light", "optimove_dark"} <= set(alt.theme.names())


def test_a_sessions_theme_does_not_change_our_look() -> None:
    def kept(ours: object, seen: Any) -> bool:
        if isinstance(ours, dict):
            return all(kept(part, seen[name]) for name, part in ours.items())
        return bool(ours == seen)

    with alt.theme.enable("dark"):
        during = charts.funnel(audience_funnel()).to_dict()
    assert kept(config("light"), during["config"])


def test_themed_gives_a_copy() -> None:
    plain = alt.Chart().mark_bar()
    dark = charts.themed(plain, "dark")
    assert "#16181D" not in str(plain.to_dict())
    assert dark.to_dict()["config"]["background"] == "#16181D"


def test_an_unknown_mode_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="did you mean 'dark'"):
        config("darkk")  # type: ignore[arg-type] # that is the point
