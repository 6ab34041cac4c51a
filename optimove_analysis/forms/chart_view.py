"""A chart as a widget: drawn anew in its place, without a network, in the look of its page.

Altair's own widget fetches its JavaScript from a CDN, or with ``enable_offline`` sends 0.9 MB of it
with every chart, and is white on a dark page. Here one `VegaEngine` a form sends it once, and a
`ChartView` holds a spec alone.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any, Final

import altair as alt
import anywidget
import traitlets

from optimove_analysis.charts.offline import bundle, self_contained
from optimove_analysis.charts.theme import config

__all__ = ["ChartView", "VegaEngine"]

# Whoever comes first, the view or the engine, makes the promise that the engine keeps.
_READY: Final = """
globalThis.optimoveVega ??= (() => {
  const vega = {};
  vega.ready = new Promise((keep) => { vega.keep = keep; });
  return vega;
})();
"""
_KEPT: Final = "globalThis.optimoveVega.keep(vegaEmbed);\nexport default { initialize() {} };"


@functools.cache
def _view_script() -> str:
    files = resources.files("optimove_analysis.forms")
    script = files.joinpath("chart_view.js").read_text(encoding="utf-8")
    return f"{_READY}{script}export default {{ render }};"


class VegaEngine(anywidget.AnyWidget):
    """Vega, Vega-Lite and Vega-Embed for all chart views of a page; it shows nothing."""

    def __init__(self) -> None:
        self._esm = bundle(_READY + _KEPT)
        super().__init__(layout={"display": "none"})


class ChartView(anywidget.AnyWidget):
    """A place for a chart; `show` draws one there in place of the last.

    It is dark where JupyterLab, Notebook or Voila are, changes with them, and takes the narrow form
    of a chart where the wide one would have to be shrunk too far.
    """

    specs = traitlets.Dict().tag(sync=True)
    looks = traitlets.Dict().tag(sync=True)
    number = traitlets.Int(0).tag(sync=True)

    def __init__(self) -> None:
        self._esm = _view_script()
        super().__init__(looks={"light": config("light"), "dark": config("dark")})

    def show(self, chart: alt.TopLevelMixin, narrow: alt.TopLevelMixin | None = None) -> None:
        """Draw a chart; where the place is narrow, ``narrow`` in its stead.

        Raises:
            InputError: the chart loads its data from a URL.
        """
        specs = {"wide": _spec(chart)}
        if narrow is not None:
            specs["narrow"] = _spec(narrow)
        self._draw(specs)

    def clear(self) -> None:
        """Take the picture away."""
        self._draw({})

    def _draw(self, specs: dict[str, Any]) -> None:
        # One message: the browser draws when the number changes, even the same picture again.
        with self.hold_sync():
            self.specs = specs
            self.number += 1


def _spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return the chart's spec without its look, which the page decides."""
    # Unchecked: Altair has checked each part as it was made, and the whole takes long.
    spec = self_contained(chart.to_dict(validate=False))
    spec.pop("config", None)
    return spec
