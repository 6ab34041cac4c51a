"""Reports: a template and a snapshot in, one self-contained HTML file out.

``build`` runs a template, one of `templates` or a notebook of yours. The others are what templates
show: `heading`, `summary`, `table`, `figure`, `notes`, `paragraphs`, `terms`, `provenance`; and
`audience`, which says whom and which days a snapshot is of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimove_analysis.report.audience import audience
from optimove_analysis.report.figure import figure
from optimove_analysis.report.notes import notes
from optimove_analysis.report.provenance import provenance, versions
from optimove_analysis.report.shown import heading, paragraphs, table, terms
from optimove_analysis.report.summary import summary

if TYPE_CHECKING:
    from optimove_analysis.report.from_template import build, templates

__all__ = [
    "audience",
    "build",
    "figure",
    "heading",
    "notes",
    "paragraphs",
    "provenance",
    "summary",
    "table",
    "templates",
    "terms",
    "versions",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    # What runs a template takes two seconds to import, and within one it is not needed.
    if name in ("build", "templates"):
        from optimove_analysis.report import from_template as module  # noqa: PLC0415

        value = getattr(module, name)
        globals()[name] = value  # found at once from now on
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
