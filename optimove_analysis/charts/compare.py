"""A comparison: the two arms' rates as a ring and a dot, and what chance leaves of the gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.compare_rows import panel, record, texts_width
from optimove_analysis.charts.empty import no_messages
from optimove_analysis.charts.forest import labels_width
from optimove_analysis.charts.groups import (
    ALL_CHANNELS,
    MAX_PANELS,
    checked,
    groups,
    label_of,
    refuse_too_many,
)
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, channel_colours, finished
from optimove_analysis.schema import COMPARISON, SMALL_N

__all__ = ["compare"]

_TOLD: Final = 12
"""Rows that the alt text names one by one."""


def compare(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 200,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw a comparison: a panel a group, a row a rate, a ring and a dot for the two arms.

    Each row runs from 0 to what is highest in it, so that the gap between ring and dot is the
    difference as a part of the rate, and alike for large rates and small ones. The thin line is
    the interval of the difference, laid off from the baseline: where it does not reach the ring,
    chance does not explain the gap, and the difference is bold.

    Args:
        table: what ``compare(interactions, between=...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of the rows; names and numbers beside them take some 350 more.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not a comparison's.
        InputError: it has more groups than a picture can show.

    >>> from optimove_analysis.schema import COMPARISON
    >>> compare(COMPARISON.empty()).to_dict()["description"]
    'Comparison: no messages. Nothing was sent in this range.'
    """
    table = checked(table, COMPARISON, "compare")
    if table.is_empty():
        return no_messages(table.with_columns(_NOTHING_LEFT_OUT), title or "Comparison")
    drawn = groups(table, COMPARISON, ["rate"], split=True)
    # A panel of n/a alone says no more than its name does, unless there is nothing else.
    some = [group for group in drawn if (group.rows["reason"] != _LACKS).fill_null(True).any()]
    lacking = [group.label for group in drawn if group.label not in {one.label for one in some}]
    lacking = lacking if some else []
    drawn = some or drawn
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    of_arms = table["between"][0] == "channel_id"
    names_of = ("channel", "baseline", "against") if of_arms else ("channel",)
    channels = [channel for name in names_of for channel in table[name]]
    palette = channel_colours(channels) | dict(colours or {})
    palette |= {ALL_CHANNELS: TOTAL_COLOUR, words.FEW: SMALL_COLOUR}
    records = [
        [record(row, of_arms=of_arms) for row in group.rows.iter_rows(named=True)]
        for group in drawn
    ]
    every = [one for rows in records for one in rows]
    names = labels_width(one["name"] for one in every)
    texts = texts_width(every)
    alone = len(drawn) == 1 and not lacking and drawn[0].label == ALL_CHANNELS
    heads = [""] if alone else [group.label for group in drawn]
    side_by_side = min(columns, len(drawn))
    chart: alt.ConcatChart = concat(
        *(
            panel(head, rows, palette, width, names)
            for head, rows in zip(heads, records, strict=True)
        ),
        columns=side_by_side,
        spacing=30,
    ).resolve_scale(color="independent")
    heading = _title(table)
    return finished(
        chart,
        title=title or heading,
        told=[words.settings(table, n=_n(table)), *_legend(table, every), _lacking(lacking)],
        width=(names + width + texts) * side_by_side,
        description=_description(heading, heads, records),
    )


def _lacking(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    few = len(labels) <= _TOLD
    return f"n/a: {words.listed(labels) if few else words.plural(len(labels), 'group')}."


_LACKS: Final = "no such stage"
_NOTHING_LEFT_OUT: Final = [pl.lit(0).alias("n_immature"), pl.lit(0).alias("n_unobserved")]


def _title(table: pl.DataFrame) -> str:
    between, baseline, against = table.select("between", "baseline", "against").row(0)
    what = "" if between == "channel_id" else f"{label_of(between)}: "
    return f"{what}{against} against {baseline}"


def _n(table: pl.DataFrame) -> str:
    """Say of how many messages the arms are: of the rate that divides by most."""
    n0, n = table.select(pl.col("n0", "n").max()).row(0)
    return "" if n0 is None or n is None else f"n = up to {n:,} against {n0:,}"


def _legend(table: pl.DataFrame, records: Sequence[dict[str, Any]]) -> list[str]:
    baseline, against = table.select("baseline", "against").row(0)
    parts = [
        f"Ring: {baseline} (the baseline). Dot: {against}.",
        "Each row runs from 0 to the highest in it.",
    ]
    if any(one["lo_at"] is not None for one in records):
        parts.append(
            f"Thin line: 95{words.NBSP}% interval of the difference, laid off from the "
            "ring. Bold: it does not hold 0."
        )
    if any(one["small"] for one in records):
        parts.append(f"Grey: n of an arm below{words.NBSP}{SMALL_N}.")
    (both,) = table.select(pl.col("customers_in_both").max()).row(0)
    if both:
        parts.append(f"{both:,} customers are in both arms, which are then not independent.")
    return [parts[0], " ".join(parts[1:])]


def _description(
    title: str, heads: Sequence[str], records: Sequence[Sequence[dict[str, Any]]]
) -> str:
    said, left = [f"{title}."], _TOLD
    for head, rows in zip(heads, records, strict=True):
        told = rows[:left]
        left -= len(told)
        start = f"{head}: " if head else ""
        said += [f"{start}{one['name']} {one['sentence']}." for one in told]
    total = sum(map(len, records))
    if total > _TOLD:
        sure = sum(one["sure"] for rows in records for one in rows)
        said.append(f"In all {total:,} comparisons, of which {sure:,} have an interval without 0.")
    return " ".join(said)
