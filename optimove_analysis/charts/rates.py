"""Rates as a forest: a row a group, a dot with its interval, and the counts it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import ENDLESS, alt_text
from optimove_analysis.charts.empty import no_messages
from optimove_analysis.charts.forest import Column, labels_width, nothing, whole_width
from optimove_analysis.charts.groups import (
    ALL_CHANNELS,
    MAX_PANELS,
    Group,
    checked,
    groups,
    label_of,
    refuse_too_many,
)
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.rate_panel import Panel, draw
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, channel_colours, finished
from optimove_analysis.errors import InputError
from optimove_analysis.schema import MEAN_OPENS, RATE_NAMES, RATES, SMALL_N, RateName

__all__ = ["USUAL", "rates"]

Sort = Literal["table", "value"]

USUAL: Final[tuple[RateName, ...]] = (
    "delivery rate",
    "open rate",
    "click rate",
    "engagement rate",
)
"""What is shown of many rates, unless others are asked for; sentences tell the same."""
_MAX_ROWS: Final = 120
"""Rows of one panel that an eye can go down."""
_TOLD: Final = 8
"""Rows of a panel that the alt text names one by one."""


def rates(
    table: pl.DataFrame,
    *,
    rate: RateName | Sequence[RateName] | None = None,
    pooled: pl.DataFrame | None = None,
    sort: Sort = "table",
    title: str | None = None,
    width: int = 210,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw a table of rates: a panel a rate, a row a group, a dot and its 95 % interval.

    Each panel has its own axis, since a rate of unsubscribing on that of deliveries would be a
    point at 0. Groups that lack the rate (n/a) are named under its head. Where n is below 30 the
    dot is grey, and its interval may leave the axis, which is made for the others.

    Args:
        table: what ``rates(interactions, by=...)`` returns; all numbers are read from it.
        rate: one rate or several; None: delivery, open, click and engagement rate, those of them
            that the table has.
        pooled: what ``rates(interactions, by=())`` returns of the same interactions, drawn as a
            dashed line; None: there is no line.
        sort: ``"table"`` keeps the order of the rows, ``"value"`` puts the highest first.
        title: in place of the title that says what is drawn.
        width: pixels of an axis; names and numbers beside it take some 350 more.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: one of the tables is not one of rates.
        InputError: a rate is not in the table, there are more rows than a picture can show, or
            ``pooled`` has several groups or was made otherwise.

    >>> from optimove_analysis.schema import RATES
    >>> rates(RATES.empty()).to_dict()["description"]
    'Rates: no messages. Nothing was sent in this range.'
    """
    table = checked(table, RATES, "rates")
    if sort not in ("table", "value"):
        raise InputError.option("sort", sort, ("table", "value"))
    if table.is_empty():
        return no_messages(table, title or "Rates")
    chosen = _chosen(rate, table)
    rows = table.filter(pl.col("rate").is_in(chosen))
    by = table.columns[: table.columns.index("channel")]
    drawn = _named(groups(rows, RATES, ["rate"], split=True), by)
    refuse_too_many(len(chosen), MAX_PANELS, "rates")
    refuse_too_many(len(drawn), _MAX_ROWS, "groups")
    whole = _whole(pooled, rows)
    palette = channel_colours(table["channel"]) | dict(colours or {})
    palette |= {ALL_CHANNELS: TOTAL_COLOUR, words.FEW: SMALL_COLOUR}
    panels = [Panel.of(name, drawn, whole.get(name), sort) for name in chosen]
    records = [record for panel in panels for record in panel.records]
    texts = [
        Column.of("text", f"Rate (95{words.NBSP}% interval)", records),
        Column.of("k_of_n", "k / n", records, "right"),
    ]
    names = labels_width(record["name"] for record in records)
    pictures = [
        draw(panel, palette, texts, width, names) if panel.records else nothing("n/a", width)
        for panel in panels
    ]
    told = [words.settings(rows, n=words.plural(len(drawn), "group"))]
    if len(panels) > 1:
        pictures = [
            picture.properties(
                title=alt.Title(panel.name.capitalize(), subtitle=panel.head, fontSize=13, offset=8)
            )
            for panel, picture in zip(panels, pictures, strict=True)
        ]
    else:
        told.append(panels[0].head)
    side_by_side = min(columns, len(panels))
    chart: alt.ConcatChart = concat(*pictures, columns=side_by_side, spacing=30).resolve_scale(
        color="independent"
    )
    return finished(
        chart,
        title=title or _title(chosen, by),
        told=[*told, _legend(panels)],
        width=max(whole_width(width, texts, names), 400) * side_by_side,
        description=_description(panels, _title(chosen, by)),
    )


def _chosen(rate: object, table: pl.DataFrame) -> list[RateName]:
    """Return the rates that were asked for, in the schema's order."""
    there = [name for name in RATE_NAMES if name in table["rate"]]
    if rate is None:
        answered = table.filter(pl.col("value").is_not_null())["rate"]
        usual = [name for name in USUAL if name in there]
        # A panel of n/a alone says nothing, unless nothing else can be said.
        return [name for name in usual if name in answered] or usual[:1] or there[:1]
    asked = [rate] if isinstance(rate, str) else rate
    if not isinstance(asked, Sequence) or not asked:
        message = f"rate={rate!r} must be a rate's name, a list of names, or None for the usual."
        raise InputError(message)
    for name in asked:
        if name not in there:
            raise InputError.option("rate", name, there)
    return [name for name in there if name in asked]


def _whole(pooled: object, rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the row of each rate of the whole."""
    if pooled is None:
        return {}
    whole = checked(pooled, RATES, "rates")
    if whole["rate"].is_duplicated().any():
        message = (
            "pooled= has several groups, and one line is drawn: give rates(interactions, by=())."
        )
        raise InputError(message)
    for name in ("window", "implied", "opens"):
        ours, theirs = set(rows[name]), set(whole[name])
        if theirs - ours:
            message = (
                f"pooled= was made with {name}={theirs.pop()!r}, the table with "
                f"{' / '.join(map(repr, sorted(ours, key=str)))}: make both alike."
            )
            raise InputError(message)
    return {row["rate"]: row for row in whole.iter_rows(named=True)}


def _named(drawn: list[Group], by: Sequence[str]) -> list[Group]:
    """Leave out what all names begin with: under "by customer" each row need not say "Customer"."""
    if len(by) != 1 or by == ["channel_id"]:
        return drawn
    start = f"{label_of(by[0])} "
    return [Group(group.label.removeprefix(start), group.rows) for group in drawn]


def _title(chosen: Sequence[str], by: Sequence[str]) -> str:
    what = chosen[0].capitalize() if len(chosen) == 1 else "Rates"
    keys = ["channel" if name == "channel_id" else label_of(name).lower() for name in by]
    return f"{what} by {words.listed(keys)}" if keys else what


def _legend(panels: Sequence[Panel]) -> str:
    records = [record for panel in panels for record in panel.records]
    if not records:
        return ""
    parts = [f"Dot and line: the rate and its 95{words.NBSP}% interval."]
    if len(panels) > 1:
        parts.append("Each rate has its own axis.")
    if any(panel.whole for panel in panels):
        parts.append("Dashed: all together.")
    if any(record["small"] for record in records):
        parts.append(f"Grey: n below{words.NBSP}{SMALL_N}.")
    if any(record["beyond"] for record in records):
        parts.append("Triangle: further than the axis.")
    if any(panel.name == MEAN_OPENS for panel in panels):
        parts.append("Total opens per delivered: a mean, no percentage.")
    return " ".join(parts)


def _description(panels: Sequence[Panel], title: str) -> str:
    whole = [_sentence(panel) for panel in panels]
    return alt_text(f"{title}.", whole, [_sentence(panel, 2) for panel in panels], most=ENDLESS)


def _sentence(panel: Panel, most: int = _TOLD) -> str:
    known = [record for record in panel.records if record["value"] is not None]
    name = panel.name.capitalize()
    if not known:
        return f"{name}: no group has an answer.{panel.lacking_sentence}"
    told = known
    start = f"{name}: "
    if len(known) > most:
        ranked = sorted(known, key=lambda record: record["value"])
        told = [ranked[0], ranked[-1]]
        start = f"{name} of {len(known):,} groups, the lowest and the highest: "
    parts = [
        f"{record['name']} {record['value_text']} ({record['k_of_n']}, 95{words.NBSP}% interval "
        f"{record['interval_text']})"
        for record in told
    ]
    whole = f"; all together {panel.whole_text}" if panel.whole else ""
    return f"{start}{', '.join(parts)}{whole}.{panel.lacking_sentence}"
