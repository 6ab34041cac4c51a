"""Channels' names beside the last of stacked bars, in place of a legend."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Final

import altair as alt

from optimove_analysis.charts.dodge import dodged
from optimove_analysis.charts.inline import inline

__all__ = ["name_layers", "names_beside"]

_LINE: Final = 13  # pixels from a name to the next
_NAME: Final = 140  # pixels of the longest


def names_beside(
    records: list[dict[str, Any]], palette: Mapping[str, str], height: int
) -> list[dict[str, Any]] | None:
    """Return the names beside the last bar, or None where they would not tell which is which.

    They do not where a channel is not in that bar, or a name would stand far from its part.
    """
    last = max(record["period"] for record in records)
    ordered = sorted(
        (r for r in records if r["period"] == last and r["share_of_sends"]),
        key=lambda record: record["rank"],
    )
    present = {record["name"] for record in records}
    if {record["name"] for record in ordered} != present or not present <= set(palette):
        return None
    sums = list(itertools.accumulate((r["share_of_sends"] for r in ordered), initial=0.0))
    middles = [(a + b) / 2 * height for a, b in itertools.pairwise(sums)]
    places = dodged(middles, _LINE, _LINE / 2, height - _LINE / 2)
    close = all(abs(a - b) <= _LINE for a, b in zip(middles, places, strict=True))
    apart = all(b - a >= _LINE - 1e-6 for a, b in itertools.pairwise(places))
    if not (close and apart):
        return None
    return [
        {"name": r["name"], "label": r["name"], "at": a / height, "label_at": b / height}
        for r, a, b in zip(ordered, middles, places, strict=True)
    ]


def name_layers(
    labels: list[dict[str, Any]], colour: alt.Color, width: int, y: alt.Y
) -> list[alt.Chart]:
    """Return the layers that write the names: ``y`` is the panel's own axis, for ``at``."""
    base = alt.Chart(inline(labels))
    beside = y.copy()
    beside.shorthand = "label_at:Q"
    leader = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.XValue(width + 3),
        x2=alt.X2Value(width + 13),
        y=y,
        y2=alt.Y2("label_at:Q"),
        color=colour,
    )
    text = base.mark_text(style="optimove-value", align="left", limit=_NAME).encode(
        x=alt.XValue(width + 17), y=beside, text=alt.Text("label:N")
    )
    return [leader, text]
