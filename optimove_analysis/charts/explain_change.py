"""A change explained, as a waterfall: from the rate before over mix and rates to the rate after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.empty import no_messages
from optimove_analysis.charts.groups import (
    MAX_PANELS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, channel_colours, finished
from optimove_analysis.charts.waterfall import MIX, Steps, draw
from optimove_analysis.schema import EXPLAIN_CHANGE, MEAN_OPENS, SMALL_N

__all__ = ["explain_change"]

_MAX_CHANNELS: Final = 40
_TOLD: Final = 4
"""Panels that the alt text tells."""


def explain_change(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 190,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw what a rate's change came of: a panel a group, a bar an effect.

    It begins at the rate before. The first bar is the effect of the mix, which stands as one since
    a channel's own part of it is above 0 wherever its share grew, good or bad. Then each channel's
    rate effect, the largest first. They end at the rate after, exactly.

    Args:
        table: what ``explain_change(interactions, before=..., after=...)`` returns; all numbers
            are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of an axis; names and numbers beside it take some 330 more.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not one of a change explained.
        InputError: it has more groups or channels than a picture can show.

    >>> from optimove_analysis.schema import EXPLAIN_CHANGE
    >>> explain_change(EXPLAIN_CHANGE.empty()).to_dict()["description"]
    'Why the rate changed: no messages. Nothing was sent in this range.'
    """
    table = checked(table, EXPLAIN_CHANGE, "explain_change")
    if table.is_empty():
        return no_messages(table, title or "Why the rate changed")
    drawn = groups(table, EXPLAIN_CHANGE, ["channel_id", "channel"], split=False)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    refuse_too_many(max(group.rows.height for group in drawn), _MAX_CHANNELS, "channels")
    palette = channel_colours(table["channel"]) | dict(colours or {})
    palette |= {MIX: TOTAL_COLOUR, words.FEW: SMALL_COLOUR}
    steps = [Steps.of(group) for group in drawn]
    pictures, wide = draw(steps, palette, width)
    side_by_side = min(columns, len(steps))
    chart: alt.ConcatChart = concat(*pictures, columns=side_by_side, spacing=30).resolve_scale(
        color="independent"
    )
    heading = _title(table)
    # A panel under a head says it there.
    said = [one.said for one in steps if not one.head]
    return finished(
        chart,
        title=title or heading,
        told=[words.settings(table, n=_n(table)), _periods(table), *said, _legend(steps)],
        width=wide * side_by_side,
        description=_description(heading, drawn, steps),
    )


def _title(table: pl.DataFrame) -> str:
    names = table["rate"].cast(pl.String).unique(maintain_order=True)
    return f"Why the {words.listed(names.to_list())} changed"


def _n(table: pl.DataFrame) -> str:
    n0, n1 = table.filter(pl.col("channel").is_null()).select("n_before", "n_after").sum().row(0)
    return f"n = {n0:,} before and {n1:,} after"


def _periods(table: pl.DataFrame) -> str:
    first = table.row(0, named=True)
    before, after = (
        f"{first[f'{period}_from'].isoformat()} to {first[f'{period}_to'].isoformat()}"
        for period in ("before", "after")
    )
    return f"Before: sent {before}. After: sent {after}."


def _legend(steps: Sequence[Steps]) -> str:
    parts = []
    if any(one.answered for one in steps):
        what = "effect" if any(one.name == MEAN_OPENS for one in steps) else "effect in points"
        parts.append(f"Bar: {what}; each begins where the one above ends.")
    if any(one["small"] for each in steps for one in each.records):
        parts.append(f"Grey: n below{words.NBSP}{SMALL_N} in a period.")
    return " ".join(parts)


def _description(title: str, drawn: Sequence[Group], steps: Sequence[Steps]) -> str:
    said = [f"{title}."]
    for group, one in list(zip(drawn, steps, strict=True))[:_TOLD]:
        start = f"{group.label}: " if group.label else ""
        said.append(f"{start}{one.sentence}")
    if len(steps) > _TOLD:
        said.append(f"And {len(steps) - _TOLD:,} further groups.")
    return " ".join(said)
