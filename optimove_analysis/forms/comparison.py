"""One audience held against another, or against itself in an earlier period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis import charts
from optimove_analysis.analysis import compare, drift, explain_change, funnel
from optimove_analysis.forms.parts import picture
from optimove_analysis.forms.slices import Part

__all__ = ["ARM", "Comparison", "Picture", "compare_parts", "draw_comparison", "names_apart"]

Picture = tuple[alt.TopLevelMixin, alt.TopLevelMixin]
"""A chart for a wide place, and one for a narrow place."""
ARM: Final = "arm"
"""The column that tells which of the two a row is of."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms: what is held against the baseline, and by how much they differ."""

    baseline: str
    against: str
    interactions: pl.DataFrame
    """The rows of both, told apart by `ARM`."""
    rates: pl.DataFrame
    """``compare()`` over all channels."""
    by_channel: pl.DataFrame
    """``compare(by="channel_id")``."""
    funnels: Mapping[str, pl.DataFrame]
    """Of each arm, the baseline's first."""
    explained: pl.DataFrame | None
    """``explain_change()`` of the engagement rate; of two periods only."""
    drift: pl.DataFrame | None
    """``drift()``; of two periods only."""
    told: str
    """Of whom the comparison is."""


def names_apart(one: str, other: str) -> tuple[str, str]:
    """Return two names that are not the same.

    >>> names_apart("VIP", "VIP"), names_apart("VIP", "Dormant")
    (('VIP (1)', 'VIP (2)'), ('VIP', 'Dormant'))
    """
    return (one, other) if one != other else (f"{one} (1)", f"{other} (2)")


def compare_parts(
    base: Part,
    part: Part,
    rows: Mapping[str, pl.DataFrame],
    *,
    periods: bool,
    unit: str,
    rules: Mapping[str, Any],
) -> Comparison:
    """Hold a part against a baseline.

    Two audiences are compared without the customers who are in both, so that the arms are
    independent; two periods with those only who were answered for in both.

    Args:
        base: the other audience, or the earlier period.
        part: what is held against it.
        rows: the interactions that are wanted, by the part's name.
        periods: whether these are two periods of the same customers.
        unit: what the funnels count.
        rules: how messages are counted.
    """
    both = set(base.came) & set(part.came)
    who = pl.col("customer_id").is_in(list(both))
    keep = who if periods else ~who
    arms = pl.concat(
        rows[one.name].filter(keep).with_columns(pl.lit(one.name).alias(ARM))
        for one in (base, part)
    )
    between: dict[str, Any] = {"between": ARM, "baseline": base.name, "against": part.name}
    explained = drifted = None
    if periods:
        days: Any = {"before": (base.start, base.end), "after": (part.start, part.end), **rules}
        explained, drifted = explain_change(arms, **days), drift(arms, **days)
    how: Any = {"unit": unit, **rules}
    return Comparison(
        baseline=base.name,
        against=part.name,
        interactions=arms,
        rates=compare(arms, **between, **rules),
        by_channel=compare(arms, **between, by="channel_id", **rules),
        funnels={
            one.name: funnel(arms.filter(pl.col(ARM) == one.name), **how) for one in (base, part)
        },
        explained=explained,
        drift=drifted,
        told=_told(base, part, len(both), periods=periods),
    )


def _told(base: Part, part: Part, both: int, *, periods: bool) -> str:
    if periods:
        return (
            f"{both:,} customers were asked for in both periods. The intervals take the periods as "
            "independent: too wide where customers who respond in one respond in the other too."
        )
    one, other = len(base.came) - both, len(part.came) - both
    left = f" {both:,} customers are in both, and left out here." if both else ""
    return (
        f"{other:,} customers of {part.name} against {one:,} of {base.name}.{left} Unless chance "
        "decided who is in which, a difference may be one between the customers."
    )


def draw_comparison(comparison: Comparison, of: str) -> dict[str, Picture]:
    """Draw a comparison: each picture wide and narrow.

    Args:
        comparison: what is drawn.
        of: what is added to the titles while not all customers were asked for.
    """
    table = comparison.rates
    title = f"{comparison.against} against {comparison.baseline}{of}"
    drawn: dict[str, Picture] = {
        "compare": (
            charts.compare(table, title=title),
            charts.compare(table, title=title, width=110),
        )
    }
    if comparison.explained is not None:
        title = f"Why the engagement rate changed{of}"
        drawn["explained"] = (
            charts.explain_change(comparison.explained, title=title),
            charts.explain_change(comparison.explained, title=title, width=110),
        )
    for place, (name, funnels) in zip(
        ("baseline", "against"), comparison.funnels.items(), strict=True
    ):
        title = f"From sent to clicked: {name}{of}"
        drawn[place] = (
            picture(title, partial(charts.funnel, funnels, columns=2, title=title)),
            picture(title, partial(charts.funnel, funnels, columns=1, title=title)),
        )
    return drawn
