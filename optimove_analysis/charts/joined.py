"""Altair's ways to join charts, without the copies that it would make of their parts."""

from __future__ import annotations

from typing import Any

import altair as alt

from optimove_analysis.charts.inline import shared

__all__ = ["concat", "hconcat", "layer", "vconcat"]

# Altair copies all that is in a chart several times at each of these, and again at each of the
# next: of a chart of many panels that was most of the time. What they return is what it returns.


def layer(*charts: Any, **options: Any) -> alt.LayerChart | alt.FacetChart:  # noqa: ANN401 - Altair's
    """Draw charts over one another, as ``alt.layer`` does."""
    return alt.layer(*map(shared, charts), **options)


def concat(*charts: Any, **options: Any) -> alt.ConcatChart:  # noqa: ANN401 - Altair's
    """Put charts into rows, as ``alt.concat`` does."""
    return alt.concat(*map(shared, charts), **options)


def hconcat(*charts: Any, **options: Any) -> alt.HConcatChart:  # noqa: ANN401 - Altair's
    """Put charts side by side, as ``alt.hconcat`` does."""
    return alt.hconcat(*map(shared, charts), **options)


def vconcat(*charts: Any, **options: Any) -> alt.VConcatChart:  # noqa: ANN401 - Altair's
    """Put charts one below the other, as ``alt.vconcat`` does."""
    return alt.vconcat(*map(shared, charts), **options)
