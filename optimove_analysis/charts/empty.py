"""The picture of no data: it says so, and why, where that is known."""

from __future__ import annotations

from typing import Final

import altair as alt
import polars as pl

from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.theme import finished
from optimove_analysis.charts.words import plural

__all__ = ["no_messages", "nothing"]

_TEXT: Final = "No messages"


def no_messages(rows: pl.DataFrame, title: str) -> alt.Chart:
    """Draw "No messages", with what was left out of the counts.

    ``rows`` holds each message once: of a funnel the first stage's rows, of a mix all.
    """
    left_out = [
        plural(int(rows[name].sum()), "message") + why
        for name, why in (
            ("n_immature", " whose window has not closed yet"),
            ("n_unobserved", " whose send was not observed"),
        )
        if rows[name].sum()
    ]
    subtitle = f"Left out: {'; '.join(left_out)}" if left_out else "Nothing was sent in this range"
    return nothing(title, _TEXT, subtitle)


def nothing(title: str, text: str, why: str) -> alt.Chart:
    """Draw in words that there is nothing to draw, and why."""
    chart: alt.Chart = (
        alt.Chart(inline([{"text": text}]))
        .mark_text(style="optimove-empty")
        .encode(text=alt.Text("text:N"))
        .properties(width=360, height=120)
    )
    told = f"{title}: {text[:1].lower()}{text[1:]}."
    return finished(
        chart, title=title, told=[why], width=360, description=f"{told} {why.rstrip('.')}."
    )
