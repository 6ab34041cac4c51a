"""A chart in a report: live, or a still picture on paper; and in words for who sees neither."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import altair as alt
import vl_convert

from optimove_analysis.charts.offline import VEGA_LITE, script_json, self_contained
from optimove_analysis.report.kernel import CHART

__all__ = ["Figure", "figure", "figure_html", "picture"]

_NARROW: Final = "narrow"
_ID: Final = re.compile(r"(?<=[\"#])(clip|gradient_)\d+(?=[\")])")


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with another one for a screen as narrow as a phone's."""

    chart: alt.TopLevelMixin
    narrow: alt.TopLevelMixin

    def _repr_mimebundle_(self, **how: Any) -> Any:  # noqa: ANN401 - IPython's options
        wide = self.chart._repr_mimebundle_(**how)
        bundle, metadata = wide if isinstance(wide, tuple) else (wide, {})
        if bundle is None or CHART not in bundle:  # shown to a live reader
            return wide
        narrow = self.narrow.to_dict(context={"pre_transform": False})
        return bundle, {**metadata, CHART: {_NARROW: narrow}}


def figure(chart: alt.TopLevelMixin, *, narrow: alt.TopLevelMixin) -> Figure:
    """Return a chart that is another one on a narrow screen; without this, it scrolls there.

    Args:
        chart: any Altair chart; its ``description`` becomes the text for who cannot see it.
        narrow: the same for a screen of some 360 pixels.
    """
    return Figure(chart, narrow)


def figure_html(output: Mapping[str, Any]) -> str:
    """Return a chart among a cell's outputs as HTML.

    Raises:
        InputError: the chart loads its data from a URL.
    """
    spec = self_contained(output["data"][CHART])
    narrow = output.get("metadata", {}).get(CHART, {}).get(_NARROW)
    specs = {"wide": spec} if narrow is None else {"wide": spec, "narrow": self_contained(narrow)}
    told = escape(str(spec.get("description") or "A chart."))
    # As an image the picture is closed in itself: its ids meet no other picture's.
    still = base64.b64encode(_svg(spec).encode()).decode()
    return (
        '<figure class="chart"><div class="picture">'
        f'<div class="live" role="img" aria-label="{told}"></div>'
        f'<img class="still" alt="{told}" src="data:image/svg+xml;base64,{still}">'
        f'</div><script type="application/json">{script_json(specs)}</script>'
        f"<figcaption><details><summary>The picture in words</summary><p>{told}</p>"
        "</details></figcaption></figure>"
    )


def picture(spec: dict[str, Any]) -> str:
    """Return a chart as a PNG in base64, for who reads a notebook where no chart is drawn."""
    png: bytes = vl_convert.vegalite_to_png(
        spec, vl_version=VEGA_LITE, scale=1.5, allowed_base_urls=[]
    )
    return base64.b64encode(png).decode()


def _svg(spec: dict[str, Any]) -> str:
    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    # Its ids are counted on through the life of a process: the same chart would be other bytes.
    seen: dict[str, str] = {}
    return _ID.sub(lambda found: seen.setdefault(found[0], f"{found[1]}{len(seen)}"), svg)
