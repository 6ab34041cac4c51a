"""What an audience's form has found: counted from what came so far, and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from optimove_analysis import charts
from optimove_analysis.analysis import channel_mix, funnel, rates
from optimove_analysis.errors import InputError
from optimove_analysis.forms.comparison import Comparison, Picture, draw_comparison
from optimove_analysis.forms.parts import picture
from optimove_analysis.forms.slices import Part

__all__ = ["AudienceView", "Pictures", "count", "draw"]


@dataclass(frozen=True, slots=True)
class AudienceView:
    """What a form has found, to go on with in code."""

    asked: int
    """All customers of the audience."""
    customer_ids: list[str]
    """Those who were answered for."""
    other_ids: list[str]
    """Those of the other audience, or earlier period, who were answered for."""
    interactions: pl.DataFrame
    failures: pl.DataFrame
    """``schema.FAILURES``, of the audience and of what it is compared with."""
    complete: bool
    """Whether all customers were asked for."""
    rates: pl.DataFrame
    """By channel."""
    totals: pl.DataFrame
    """Over channels."""
    funnel: pl.DataFrame
    mix: pl.DataFrame
    mix_by_month: pl.DataFrame
    comparison: Comparison | None
    code: str
    """Python that makes the same again, with the instance and the key from the environment."""

    @property
    def so_far(self) -> str:
        """Of whom the numbers are, where that is not all; else ""."""
        if self.complete:
            return ""
        return f"{len(self.customer_ids):,} of {self.asked:,} customers"


@dataclass(frozen=True, slots=True)
class Pictures:
    """The charts of a view."""

    funnel: Picture
    mix: Picture
    by_month: Picture | None
    """None where it has more months or channels than a picture can show."""
    comparison: Mapping[str, Picture]


def count(
    part: Part,
    base: Part | None,
    *,
    interactions: pl.DataFrame,
    complete: bool,
    comparison: Comparison | None,
    unit: str,
    rules: Mapping[str, Any],
    code: str,
) -> AudienceView:
    """Count what came of a part; ``interactions`` are those of it that are wanted.

    ``base`` is what it is held against.
    """
    how: Any = {"unit": unit, **rules}
    return AudienceView(
        asked=len(part.ids),
        customer_ids=part.came,
        other_ids=[] if base is None else base.came,
        interactions=interactions,
        failures=part.failed if base is None else pl.concat([part.failed, base.failed]),
        complete=complete,
        rates=rates(interactions, **rules),
        totals=rates(interactions, by=(), **rules),
        funnel=funnel(interactions, **how),
        mix=channel_mix(interactions, **rules),
        mix_by_month=channel_mix(interactions, every="1mo", **rules),
        comparison=comparison,
        code=code,
    )


def draw(view: AudienceView) -> Pictures:
    """Draw a view; of whom a picture is stands in its title while they are not all."""
    of = f": {view.so_far}" if view.so_far else ""
    stages = f"From sent to clicked, by channel{of}" if of else None
    shares = f"Channel mix{of}" if of else None
    months = f"Channel mix by month{of}"
    funnel = partial(charts.funnel, view.funnel, title=stages)
    mix = partial(charts.channel_mix, view.mix, title=shares)
    return Pictures(
        funnel=(
            picture("Funnel", partial(funnel, columns=2)),
            picture("Funnel", partial(funnel, columns=1)),
        ),
        mix=(picture("Channel mix", mix), picture("Channel mix", partial(mix, width=150))),
        by_month=_by_month(view.mix_by_month, months),
        comparison={} if view.comparison is None else draw_comparison(view.comparison, of),
    )


def _by_month(mix: pl.DataFrame, title: str) -> Picture | None:
    try:
        return (
            charts.channel_mix(mix, title=title),
            charts.channel_mix(mix, title=title, width=360),
        )
    except InputError:
        return None
