"""What a test asks of a chart: its records, what stands under its title, its alt text."""

from __future__ import annotations

from typing import Any

import altair as alt

__all__ = ["alt_text", "plain", "records", "told"]


def records(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """All data that the chart holds, whichever layer draws it."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def told(chart: alt.TopLevelMixin) -> str:
    """What stands under the title, as one line."""
    return plain(" ".join(chart.to_dict()["title"]["subtitle"]))


def alt_text(chart: alt.TopLevelMixin) -> str:
    return plain(chart.to_dict()["description"])
