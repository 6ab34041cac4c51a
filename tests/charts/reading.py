"""What a test asks of a chart: its records, what stands under its title, its alt text."""

from __future__ import annotations

from typing import Any

import altair as alt

__all__ = ["alt_text", "plain", "records", "told"]


def _spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    # That every chart fulfils Vega-Lite's schema is a test of its own, in test_every_chart.py.
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


def records(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """All data that the chart holds, whichever layer draws it."""
    return [row for rows in _spec(chart)["datasets"].values() for row in rows]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def told(chart: alt.TopLevelMixin) -> str:
    """What stands under the title, as one line."""
    return plain(" ".join(_spec(chart)["title"]["subtitle"]))


def alt_text(chart: alt.TopLevelMixin) -> str:
    return plain(_spec(chart)["description"])
