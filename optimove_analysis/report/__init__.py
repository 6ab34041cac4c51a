"""Reports: sections in, one self-contained HTML file out.

``build`` makes any report of `Section`s; ``engagement`` is the standard report of an audience.
"""

from __future__ import annotations

from optimove_analysis.report.build import build
from optimove_analysis.report.engagement import engagement
from optimove_analysis.report.section import Section

__all__ = ["Section", "build", "engagement"]
