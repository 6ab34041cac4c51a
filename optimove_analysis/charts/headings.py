"""A panel's name over it, at one place in every panel."""

from __future__ import annotations

from typing import Final

import altair as alt

from optimove_analysis.charts.inline import inline

__all__ = ["heading"]

_LINE: Final = 17  # pixels from one line to the next
_FIRST: Final = 17  # pixels from the panel's top to the middle of the line above it


def heading(name: str, *, left: int, width: int, said: str = "") -> list[alt.Chart]:
    """Return the layers that write a panel's name over it, and below the name what is said of it.

    A title of Altair's stands above all that the panel draws, so that panels side by side, whose
    axis labels reach up more or less, do not stand at one height. This stands where it is told.

    Args:
        name: the panel's name; none is no layer.
        left: pixels that the panel's axis takes: the name begins there.
        width: pixels of the panel.
        said: a line under the name.
    """
    texts = [(name, "optimove-panel"), (said, "optimove-note")]
    texts = [(text, style) for text, style in texts if text]
    return [
        alt.Chart(inline([{"text": text}]))
        .mark_text(style=style, align="left", limit=left + width)
        .encode(
            text=alt.Text("text:N"),
            x=alt.XValue(-left),
            y=alt.YValue(-_FIRST - _LINE * (len(texts) - 1 - place)),
        )
        for place, (text, style) in enumerate(texts)
    ]
