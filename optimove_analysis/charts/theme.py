"""The look: fonts, inks, sizes and the fixed colour of every channel.

A chart carries its look in its own ``config``; nothing is enabled globally, so one session's
settings never change another's. Marks name a *style* (``"optimove-note"``) and the config says what
it looks like, so that one chart can be shown light or dark by exchanging its config alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, TypeVar

import altair as alt

from optimove_analysis.catalogue import guess_kind
from optimove_analysis.charts.inline import shared
from optimove_analysis.charts.words import lines
from optimove_analysis.errors import InputError
from optimove_analysis.schema import Kind

__all__ = [
    "CHANNEL_COLOURS",
    "FONT",
    "FURTHER_COLOURS",
    "INKS",
    "PERCENT_AXIS",
    "RAMP",
    "SMALL_COLOUR",
    "TOTAL_COLOUR",
    "ChartT",
    "Mode",
    "channel_colours",
    "config",
    "finished",
    "themed",
]

Mode: TypeAlias = Literal["light", "dark"]
ChartT = TypeVar(
    "ChartT",
    alt.Chart,
    alt.LayerChart,
    alt.FacetChart,
    alt.HConcatChart,
    alt.VConcatChart,
    alt.ConcatChart,
    alt.RepeatChart,
)

# System fonts only: nothing is loaded. A saved SVG is laid out here and read elsewhere, so its text
# must be equally wide in both places: the first four have the same widths, and one of them is
# nearly everywhere.
FONT: Final = "Arial, 'Liberation Sans', Arimo, Helvetica, 'DejaVu Sans', sans-serif"

# Six of the eight colours of Okabe and Ito's palette for all kinds of colour vision
# (https://jfly.uni-koeln.de/color/, read 2026-11); its yellow and black are left out, one too
# faint on white, the other on dark.
CHANNEL_COLOURS: Final[Mapping[Kind, str]] = {
    "email": "#0072B2",
    "sms": "#D55E00",
    "push": "#009E73",
    "web_push": "#56B4E9",
    "in_app": "#CC79A7",
    "call_centre": "#E69F00",
}
"""The fixed colour of a kind of channel, the same in every chart, light or dark."""

# Chosen one after another, each as far as can be from all before it, in OKLab, under the worst of
# normal, protan, deutan and tritan vision (Machado 2009), among colours that show on white and on
# dark; then ordered so that the two violets are last met together.
FURTHER_COLOURS: Final = ("#963C00", "#A569FF", "#87B478", "#1E5A87", "#B44B3C", "#9600F0")
"""For channels of no known kind and for the second channel of a kind, in the order of names."""

TOTAL_COLOUR: Final = "#5F6B7A"
"""A total over channels: no channel's colour."""
SMALL_COLOUR: Final = "#B8BDC4"
"""A group with too few messages to trust its rate."""

INKS: Final[Mapping[Mode, Mapping[str, str]]] = {
    "light": {"paper": "#FFFFFF", "ink": "#1C1F24", "soft": "#5B626C", "line": "#D5D9DE"},
    "dark": {"paper": "#16181D", "ink": "#ECEEF1", "soft": "#A9B0BA", "line": "#3B414A"},
}
"""Text and lines on paper; ``soft`` has at least 4.5:1 on its paper, as WCAG AA asks of text."""

RAMP: Final[Mapping[Mode, Sequence[str]]] = {
    "light": ("#CCC5E8", "#A79CD6", "#8072BF", "#5B4A9F", "#36246F"),
    "dark": ("#453B70", "#6455A0", "#8878C8", "#B1A6E3", "#DDD6FA"),
}
"""From little to much, in one hue that is no channel's: away from the paper, so that it is told
apart by lightness alone."""

PERCENT_AXIS: Final = "format(datum.value * 100, '~f') + '\u00a0%'"
"""The label expression of an axis of shares: written as all percentages here are."""


def channel_colours(channels: Iterable[str | None]) -> dict[str, str]:
    """Give each channel its colour: by kind where its name tells, else the next further one.

    Where two channels are of one kind, the first by name takes the kind's colour. No colour is
    given twice until all are used. Null, a total over channels, needs none and is left out.

    >>> channel_colours(["Push", "E-mail", "Carrier pigeon"])
    {'Carrier pigeon': '#963C00', 'E-mail': '#0072B2', 'Push': '#009E73'}
    """
    names = sorted({name for name in channels if name is not None})
    colours: dict[str, str] = {}
    for name in names:
        colour = CHANNEL_COLOURS.get(guess_kind(name))
        if colour is not None and colour not in colours.values():
            colours[name] = colour
    rest = [name for name in names if name not in colours]
    for place, name in enumerate(rest):
        free = [colour for colour in FURTHER_COLOURS if colour not in colours.values()]
        # After the further ones, a fixed colour that no channel here has is still better than
        # one that is taken.
        free += [colour for colour in CHANNEL_COLOURS.values() if colour not in colours.values()]
        colours[name] = free[0] if free else FURTHER_COLOURS[place % len(FURTHER_COLOURS)]
    return {name: colours[name] for name in names}


def config(mode: Mode = "light") -> dict[str, Any]:
    """Return the Vega-Lite config of a mode: what `themed` gives a chart.

    Raises:
        InputError: the mode is neither light nor dark.
    """
    if mode not in INKS:
        raise InputError.option("mode", mode, INKS)
    paper, ink, soft, line = (INKS[mode][name] for name in ("paper", "ink", "soft", "line"))
    return {
        "background": paper,
        "font": FONT,
        "padding": 12,
        "view": {"stroke": None},
        # A screen reader is told the whole by the alt text and the numbers by the table beside it;
        # hundreds of marks named by their fields would bury both.
        "mark": {"aria": False},
        "title": {
            "anchor": "start",
            "align": "left",
            "frame": "bounds",
            "color": ink,
            "fontSize": 16,
            "fontWeight": 600,
            "subtitleColor": soft,
            "subtitleFontSize": 11.5,
            "subtitleLineHeight": 16,
            "subtitlePadding": 6,
            "offset": 18,
        },
        "header": {
            "title": None,
            "labelColor": ink,
            "labelFontSize": 13,
            "labelFontWeight": 600,
            "labelLimit": 380,
        },
        "axis": {
            "domain": False,
            "ticks": False,
            "gridColor": line,
            "domainColor": line,
            "tickColor": line,
            "labelColor": ink,
            "labelFontSize": 12,
            "labelPadding": 8,
            "titleColor": soft,
            "titleFontSize": 11.5,
            "titleFontWeight": "normal",
        },
        "legend": {
            "title": None,
            "titleColor": soft,
            "titleFontSize": 11.5,
            "titleFontWeight": "normal",
            "orient": "top",
            "labelColor": ink,
            "labelFontSize": 12,
            "labelLimit": 220,
            "symbolType": "square",
            "symbolSize": 110,
            "columnPadding": 18,
        },
        "range": {"ordinal": list(RAMP[mode])},
        "style": {
            "optimove-value": {"color": ink, "fontSize": 12},
            "optimove-note": {"color": soft, "fontSize": 10.5},
            "optimove-panel": {"color": ink, "fontSize": 13, "fontWeight": 600},
            "optimove-empty": {"color": soft, "fontSize": 18},
            "optimove-interval": {"color": ink, "strokeWidth": 1.25},
            "optimove-tip": {"color": ink},
            "optimove-par": {"color": soft, "strokeWidth": 1, "strokeDash": [3, 3]},
            "optimove-ring": {"color": ink},
            "optimove-dash": {"color": soft},
            "optimove-link": {"color": line, "strokeWidth": 3},
            "optimove-paper": {"color": paper},
            "optimove-faint": {"color": line, "opacity": 0.45},
            "optimove-month": {"color": soft, "strokeWidth": 1},
            "optimove-block": {"stroke": paper, "strokeWidth": 0.5},
        },
    }


def themed(chart: ChartT, mode: Mode | None = None) -> ChartT:
    """Return a copy of the chart that carries this package's look; the chart stays as it is.

    Args:
        chart: any Altair chart.
        mode: light or dark; None takes dark where ``alt.theme.enable("optimove_dark")`` was said,
            else light.

    >>> import altair as alt
    >>> themed(alt.Chart().mark_bar(), "dark").to_dict()["config"]["background"]
    '#16181D'
    """
    if mode is None:
        mode = "dark" if alt.theme.active == "optimove_dark" else "light"
    look: ChartT = chart.configure(**config(mode))
    return look


def finished(
    chart: ChartT, *, title: str, told: Sequence[str], width: int, description: str
) -> ChartT:
    """Give a chart its title, what must be told under it, its alt text, and the look.

    Args:
        chart: the picture.
        title: what is drawn, as a noun; the user's own where one was given.
        told: sentences under the title: first what `words.settings` says, then how to read it.
        width: of the whole picture in pixels, so that the lines are broken where it ends.
        description: the alt text; it reads as a sentence and has the main numbers.
    """
    whole: ChartT = shared(chart).properties(
        title=alt.Title(title, subtitle=lines(told, width)), description=description
    )
    return themed(whole)


@alt.theme.register("optimove_light", enable=False)
def _light() -> alt.theme.ThemeConfig:
    """For a user who wants their own charts to look the same: ``alt.theme.enable(...)``."""
    return {"config": config("light")}  # type: ignore[typeddict-item] # named styles are free text


@alt.theme.register("optimove_dark", enable=False)
def _dark() -> alt.theme.ThemeConfig:
    return {"config": config("dark")}  # type: ignore[typeddict-item] # as above
