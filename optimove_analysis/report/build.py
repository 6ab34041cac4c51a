"""Sections in, one HTML file out that opens with no network and no Python."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, Final

import altair as alt
import vl_convert

from optimove_analysis.charts.offline import (
    VEGA_LITE,
    bundle,
    policy,
    script_json,
    self_contained,
)
from optimove_analysis.charts.save import write_whole
from optimove_analysis.charts.tables import html_table
from optimove_analysis.charts.theme import config
from optimove_analysis.report.section import Section

__all__ = ["build"]

_PACKAGES: Final = ("optimove-analysis", "polars", "altair", "vl-convert-python")


def build(
    sections: Sequence[Section],
    path: str | os.PathLike[str],
    *,
    title: str,
    intro: str = "",
    provenance: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Path:
    """Write a report: one file, nothing beside it, nothing loaded.

    Each chart is in it twice: live, in the reader's light or dark, and as a still picture for
    print and for readers without scripts. All text is escaped, and the page's own policy forbids
    every script but the ones written here, and the network.

    Args:
        sections: the parts, in order.
        path: where to; its folder is made if need be. The file is whole or not there.
        title: the page's title.
        intro: paragraphs before the first section, an empty line between two.
        provenance: what the numbers rest on, in words: source, range, fetched when, parameters.
            The versions of the packages and the time are added.
        now: the time to print, if not the present one.

    Returns:
        The path written.

    Raises:
        InputError: the path cannot be written, or a chart loads its data from a URL.
    """
    path = Path(path)
    body = [
        f"<header><h1>{escape(title)}</h1>{_paragraphs(intro)}</header>",
        *(_section(section, number) for number, section in enumerate(sections, start=1)),
        _provenance(provenance or {}, now or datetime.now(UTC)),
    ]
    write_whole(path, _page(title, "\n".join(body)).encode())
    return path


def _page(title: str, body: str) -> str:
    files = resources.files("optimove_analysis.report")
    css = files.joinpath("page.css").read_text(encoding="utf-8")
    scripts = [bundle(), files.joinpath("page.js").read_text(encoding="utf-8")]
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


def _paragraphs(text: str) -> str:
    parts = [part.strip() for part in text.split("\n\n")]
    return "".join(f"<p>{escape(part)}</p>" for part in parts if part)


def _section(section: Section, number: int) -> str:
    parts = [f'<h2 id="s{number}">{escape(section.title)}</h2>', _paragraphs(section.text)]
    if section.chart is not None:
        parts.append(_figure(section.chart, section.narrow, section.title))
    if section.table is not None:
        parts.append(html_table(section.table, section.title))
    if section.notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in section.notes)
        parts.append(f'<ul class="notes">{items}</ul>')
    return f'<section aria-labelledby="s{number}">{"".join(parts)}</section>'


def _figure(chart: alt.TopLevelMixin, narrow: alt.TopLevelMixin | None, title: str) -> str:
    spec = self_contained(chart.to_dict())
    told = str(spec.get("description") or title)
    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    # As an image the picture is closed in itself: its ids meet no other picture's.
    still = base64.b64encode(svg.encode()).decode()
    specs = (
        {"wide": spec}
        if narrow is None
        else {"wide": spec, "narrow": self_contained(narrow.to_dict())}
    )
    return (
        '<figure class="chart"><div class="picture">'
        f'<div class="live" role="img" aria-label="{escape(told)}"></div>'
        f'<img class="still" alt="{escape(told)}" src="data:image/svg+xml;base64,{still}">'
        f'</div><script type="application/json">{script_json(specs)}</script>'
        f"<figcaption><details><summary>The picture in words</summary><p>{escape(told)}</p>"
        "</details></figcaption></figure>"
    )


def _provenance(provenance: Mapping[str, str], now: datetime) -> str:
    entries = {**provenance, "Generated": now.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    entries["Made with"] = ", ".join(_versions())
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in entries.items())
    return (
        f'<section aria-labelledby="from"><h2 id="from">Provenance</h2><dl>{items}</dl></section>'
    )


def _versions() -> list[str]:
    found = [f"Python {python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # run from a folder, not installed
            found.append(f"{package} (not installed)")
    return found
