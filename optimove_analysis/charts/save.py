"""A chart as a file, made here: no browser, no network."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Final

import altair as alt
import vl_convert

from optimove_analysis.charts.offline import VEGA_LITE, chart_page, self_contained
from optimove_analysis.errors import InputError

__all__ = ["save", "write_whole"]

_KINDS: Final = ("svg", "png", "pdf", "html")


def save(chart: alt.TopLevelMixin, path: str | os.PathLike[str], *, scale: float = 2) -> Path:
    """Write a chart as SVG, PNG, PDF or one HTML file, by the path's suffix.

    The file is whole or not there: it is written beside its place and then moved. Nothing is
    loaded from anywhere, neither now nor when the file is opened.

    Args:
        chart: any Altair chart.
        path: where to; its folder is made if need be.
        scale: pixels of a PNG for each pixel of the chart.

    Returns:
        The path written.

    Raises:
        InputError: the suffix is none of these, the chart's data is a URL, or the path cannot be
            written.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _KINDS:
        message = (
            f"{path.name!r} has the suffix {path.suffix!r}; a chart is saved as "
            f"{', '.join('.' + known for known in _KINDS)}."
        )
        raise InputError(message)
    write_whole(path, _render(self_contained(chart.to_dict()), kind, scale))
    return path


def _render(spec: dict[str, Any], kind: str, scale: float) -> bytes:
    offline: list[str] = []  # no URL is allowed
    if kind == "svg":
        svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=offline)
        return svg.encode()
    if kind == "png":
        png: bytes = vl_convert.vegalite_to_png(
            spec, vl_version=VEGA_LITE, scale=scale, allowed_base_urls=offline
        )
        return png
    if kind == "pdf":
        pdf: bytes = vl_convert.vegalite_to_pdf(
            spec, vl_version=VEGA_LITE, allowed_base_urls=offline
        )
        return pdf
    return chart_page(spec).encode()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that no reader ever sees half of it.

    Raises:
        InputError: its folder cannot be made or written to.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}): give another path."
        raise InputError(message) from error
