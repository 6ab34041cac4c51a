"""How customers respond to Optimove campaigns: from the API to funnels, mixes, charts and forms.

>>> import optimove_analysis as oa
>>> oa.funnel.__name__
'funnel'

This page is the table of contents. Rooms load when first used, so that importing the package is
quick; ``dir()``, tab completion and type checkers see every name.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from optimove_analysis.version import __version__

if TYPE_CHECKING:
    from optimove_analysis import charts, errors, forms, report, sandbox, schema
    from optimove_analysis.analysis import (
        anomalies,
        audit,
        channel_mix,
        compare,
        diversity,
        dossier,
        drift,
        explain_change,
        frequency,
        frequency_contrast,
        funnel,
        hand_off,
        journey,
        messages,
        methods,
        ordered_funnel,
        ordered_funnel_counts,
        overlap,
        preferred_channel,
        rates,
        recency,
        shrink,
        step,
        tiers,
        time_to_engage,
        transitions,
    )
    from optimove_analysis.archive import Archive
    from optimove_analysis.catalogue import Catalogue
    from optimove_analysis.client import OptimoveClient
    from optimove_analysis.errors import OptimoveAnalysisError


__all__ = [
    "Archive",
    "Catalogue",
    "OptimoveAnalysisError",
    "OptimoveClient",
    "__version__",
    "anomalies",
    "audit",
    "channel_mix",
    "charts",
    "compare",
    "diversity",
    "dossier",
    "drift",
    "errors",
    "explain_change",
    "forms",
    "frequency",
    "frequency_contrast",
    "funnel",
    "hand_off",
    "journey",
    "messages",
    "methods",
    "ordered_funnel",
    "ordered_funnel_counts",
    "overlap",
    "preferred_channel",
    "rates",
    "recency",
    "report",
    "sandbox",
    "schema",
    "shrink",
    "step",
    "tiers",
    "time_to_engage",
    "transitions",
]

_ROOM_OF: Final = {
    "Archive": "archive",
    "Catalogue": "catalogue",
    "OptimoveAnalysisError": "errors",
    "OptimoveClient": "client",
    "anomalies": "analysis",
    "audit": "analysis",
    "channel_mix": "analysis",
    "compare": "analysis",
    "diversity": "analysis",
    "dossier": "analysis",
    "drift": "analysis",
    "explain_change": "analysis",
    "frequency": "analysis",
    "frequency_contrast": "analysis",
    "funnel": "analysis",
    "hand_off": "analysis",
    "journey": "analysis",
    "messages": "analysis",
    "methods": "analysis",
    "ordered_funnel": "analysis",
    "ordered_funnel_counts": "analysis",
    "overlap": "analysis",
    "preferred_channel": "analysis",
    "rates": "analysis",
    "recency": "analysis",
    "shrink": "analysis",
    "step": "analysis",
    "tiers": "analysis",
    "time_to_engage": "analysis",
    "transitions": "analysis",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name in _ROOM_OF:
        value = getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
        globals()[name] = value  # found at once from now on
        return value
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
