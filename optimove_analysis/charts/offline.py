"""What an HTML page needs to show charts by itself: libraries within, data escaped, no network."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

import altair as alt
import vl_convert

from optimove_analysis.errors import InputError

__all__ = ["VEGA_LITE", "bundle", "chart_page", "policy", "script_json", "self_contained"]

VEGA_LITE: Final = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
"""The Vega-Lite that Altair writes for; vl-convert holds several."""

# `ast` has expressions interpreted rather than compiled: the page's policy forbids eval.
_DRAW: Final = """vegaEmbed("#chart", JSON.parse(document.getElementById("spec").textContent),
  {mode: "vega-lite", renderer: "svg", actions: false, ast: true}).catch(console.error);"""


@functools.cache
def bundle(last: str = "window.vegaEmbed = vegaEmbed;") -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script of 0.9 MB that defines ``vegaEmbed``.

    ``last`` is its last statement: what is done with the function.
    """
    text: str = vl_convert.javascript_bundle(last, vl_version=VEGA_LITE)
    # Within a script element these two would end it or change how it is read.
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def script_json(content: object) -> str:
    r"""Write JSON that is safe within a script element: there is no ``<`` to end it.

    >>> script_json({"channel": "</script>"})
    '{"channel":"\\u003c/script>"}'
    """
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def policy(scripts: Sequence[str]) -> str:
    """Return a Content-Security-Policy: these scripts and no other, and no network at all."""
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def self_contained(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec, or refuse one whose data lies elsewhere.

    Raises:
        InputError: the chart loads its data from a URL.
    """
    for url in _urls(spec):
        message = (
            f"this chart loads its data from {url}, and nothing here uses the network: read the "
            "data first and give the chart the frame."
        )
        raise InputError(message)
    return spec


def _urls(part: Any) -> Iterator[str]:  # noqa: ANN401 - a spec is nested lists and dicts of anything
    if isinstance(part, dict):
        data = part.get("data")
        if isinstance(data, dict) and "url" in data:
            yield str(data["url"])
        # What a datum holds is the user's own and means nothing to Vega.
        parts = [value for name, value in part.items() if name not in {"datasets", "values"}]
    else:
        parts = part if isinstance(part, list) else []
    for inner in parts:
        yield from _urls(inner)


def chart_page(spec: dict[str, Any]) -> str:
    """Return one chart as a page that opens with no network.

    Altair's and vl-convert's own pages put the data into the script as it is, so that a channel
    called ``</script><script>...`` would run.
    """
    scripts = [bundle(), _DRAW]
    told = escape(str(spec.get("description") or "Chart"))
    live = "\n".join(f"<script>{script}</script>" for script in scripts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chart</title>
</head>
<body>
<div id="chart" role="img" aria-label="{told}"></div>
<script type="application/json" id="spec">{script_json(spec)}</script>
{live}
</body>
</html>
"""
