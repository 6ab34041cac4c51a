"""What a customer's form has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import polars as pl

from optimove_analysis.analysis import Dossier

__all__ = ["View"]


@dataclass(frozen=True, slots=True)
class View:
    """What a form has found, to go on with in code."""

    interactions: pl.DataFrame
    funnel: pl.DataFrame
    mix: pl.DataFrame
    journey: pl.DataFrame
    funnel_chart: alt.TopLevelMixin
    mix_chart: alt.TopLevelMixin
    dossiers: Mapping[str, Dossier]
    """Each customer's, in the order asked; who has no interactions has none."""
    code: str
    """Python that makes the same again, with the instance and the key from the environment."""
