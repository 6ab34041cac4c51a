"""Where a rendered picture has its panels."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import altair as alt

from optimove_analysis import charts

__all__ = ["panels", "written"]


def panels(chart: alt.TopLevelMixin, folder: Path, *, height: int) -> list[tuple[float, float]]:
    """Left and top of each distinct panel of this height, in the picture's pixels."""
    path = charts.save(chart, folder / "panels.svg")
    found: list[tuple[float, float]] = []

    def walk(element: ET.Element, left: float, top: float) -> None:
        moved = re.fullmatch(r"translate\(([-\d.]+),\s*([-\d.]+)\)", element.get("transform", ""))
        if moved:
            left, top = left + float(moved[1]), top + float(moved[2])
        is_panel = re.fullmatch(rf"M0,0h\d+v{height}h-\d+Z", element.get("d", ""))
        if is_panel and element.get("class") == "background" and (left, top) not in found:
            found.append((left, top))
        for child in element:
            walk(child, left, top)

    walk(ET.fromstring(path.read_text(encoding="utf-8")), 0, 0)  # noqa: S314 - our own picture
    return found


def written(chart: alt.TopLevelMixin, folder: Path) -> list[str]:
    """All text of the rendered picture."""
    svg = charts.save(chart, folder / "written.svg").read_text(encoding="utf-8")
    return re.findall(r">([^<>]+)</text>", svg)
