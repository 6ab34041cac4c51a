"""A notebook that has run, as one HTML page that opens with no network and no Python."""

from __future__ import annotations

import re
from html import escape, unescape
from importlib import resources
from pathlib import Path
from typing import Any, Final

from nbconvert import HTMLExporter
from nbformat import NotebookNode
from traitlets.config import Config

from optimove_analysis.charts.offline import bundle, policy, script_json
from optimove_analysis.charts.theme import config
from optimove_analysis.errors import InputError
from optimove_analysis.report.figure import figure_html
from optimove_analysis.report.kernel import CHART

__all__ = ["page"]

_FILES: Final = resources.files("optimove_analysis.report") / "page"
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"
_SHOWN: Final = (
    *(CHART, "text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown"),
    *("text/latex", "text/plain"),
)
"""What of an output is taken: the first of these that it has."""


def page(notebook: NotebookNode, name: str) -> str:
    """Return the page; a browser's own policy then forbids it every script but ours, and the net.

    Each chart is in it twice: live, in the reader's light or dark, and as a still picture for print
    and for readers without scripts.

    Raises:
        InputError: an output is a widget, or runs a script of its own: neither works in a file. Or
            a chart loads its data from a URL.
    """
    _refuse_what_needs_a_kernel(notebook, name)
    exporter = HTMLExporter(
        template_name="optimove",
        extra_template_basedirs=[str(Path(str(_FILES)))],
        exclude_anchor_links=True,
        config=Config({"NbConvertBase": {"display_data_priority": list(_SHOWN)}}),
    )
    exporter.register_filter("chart_figure", figure_html)
    body, _ = exporter.from_notebook_node(notebook)
    found = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    title = unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else name
    return _page(title, body)


def _refuse_what_needs_a_kernel(notebook: NotebookNode, name: str) -> None:
    for place, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if _WIDGET in data and not set(data) & {CHART, "text/html", "image/png"}:
                what = "shows a widget, which works only while its kernel runs"
            elif CHART not in data and "<script" in data.get("text/html", "").lower():
                what = "shows HTML with a script, and a report runs none but its own"
            else:
                continue
            message = f"{name}: cell {place} {what}: show a chart, a table or a picture instead."
            raise InputError(message)


def _page(title: str, body: str) -> str:
    css = _FILES.joinpath("page.css").read_text(encoding="utf-8")
    scripts = [bundle(), _FILES.joinpath("page.js").read_text(encoding="utf-8")]
    live = "\n".join(f"<script>{script}</script>" for script in scripts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>
{css}</style>
</head>
<body>
<main>
{body}
</main>
<script type="application/json" id="inks">{script_json({"dark": _inks("dark")})}</script>
{live}
</body>
</html>
"""


def _inks(mode: str) -> dict[str, Any]:
    """Return what of a mode's config is colour: laid over a chart, it keeps its sizes."""
    light, other = config("light"), config("dark" if mode == "dark" else "light")

    def differing(a: Any, b: Any) -> Any:  # noqa: ANN401 - a config is nested dicts of anything
        if not isinstance(b, dict):
            return b
        parts = {key: differing(a[key], b[key]) for key in b if a[key] != b[key]}
        return {key: part for key, part in parts.items() if part != {}}

    inks: dict[str, Any] = differing(light, other)
    return inks
