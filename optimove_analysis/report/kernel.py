"""What a kernel does before the first cell of a report: charts are handed on as what they are."""

from __future__ import annotations

from typing import Any, Final

import altair as alt

__all__ = ["CHART", "set_up"]

CHART: Final = f"application/vnd.vegalite.v{alt.SCHEMA_VERSION.lstrip('v').split('.')[0]}+json"
"""Altair's own name for it lacks the ``+json`` without which a notebook may hold no object."""


def set_up() -> None:
    """Have every renderer of Altair's give the chart's own specification.

    Whichever a notebook enables for its live readers: a widget, or a page that fetches scripts,
    would show nothing in a file.
    """
    for name in alt.renderers.names():
        alt.renderers.register(name, _plain)
    alt.renderers.enable("mimetype")


def _plain(spec: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - Altair's options
    return {CHART: spec, "text/plain": str(spec.get("description") or "A chart.")}
