"""Shrunk rates: how far each customer's own rate is drawn towards that of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.empty import no_messages
from optimove_analysis.charts.forest import Layers
from optimove_analysis.charts.groups import (
    ALL_CHANNELS,
    MAX_PANELS,
    MAX_ROWS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.shrink_forest import Shown, forests, how_forest
from optimove_analysis.charts.shrink_scatter import Cloud, how_scatter, scatter
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, channel_colours, finished
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import SHRUNK

__all__ = ["shrink"]

Kind = Literal["forest", "scatter"]

_LEAST: Final = 6
"""Customers of a panel at least, however many panels share `most`."""


def shrink(
    table: pl.DataFrame,
    *,
    kind: Kind = "forest",
    most: int = 40,
    title: str | None = None,
    width: int | None = None,
    columns: int | None = None,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw a table of shrunk rates: a panel a channel, and further group.

    As a forest a row is a customer: a ring for the raw rate, a dot for the shrunk one with its
    interval, and a dashed line at the pooled rate. Of many customers the highest and the lowest
    are drawn, and the panel says how many there are. As a scatter all are drawn, raw against
    shrunk, larger with more messages: what lies off the diagonal was drawn towards the pooled.

    Args:
        table: what ``shrink(interactions)`` returns; all numbers are read from it.
        kind: ``"forest"`` for some customers, ``"scatter"`` for all.
        most: rows of a forest, over all its panels; each has 6 at least.
        title: in place of the title that says what is drawn.
        width: pixels of an axis; 210 in a forest, 230 in a scatter.
        columns: panels side by side; 1 in a forest, 2 in a scatter.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not one of shrunk rates, or has no ``customer_id``.
        InputError: an option is not known, or there are more panels than a picture can show.

    >>> from optimove_analysis.schema import SHRUNK
    >>> empty = SHRUNK.empty().insert_column(0, pl.Series("customer_id", [], pl.String))
    >>> shrink(empty).to_dict()["description"]
    'Shrunk rates: no messages. Nothing was sent in this range.'
    """
    table = checked(table, SHRUNK, "shrink")
    if kind not in ("forest", "scatter"):
        raise InputError.option("kind", kind, ("forest", "scatter"))
    if not isinstance(most, int) or most < 1:
        raise InputError(f"most={most!r} must be a number of customers, 1 or more.")
    if "customer_id" not in table.columns[: table.columns.index("channel")]:
        raise SchemaError("a shrink chart needs customer_id in front, as shrink() gives it.")
    answered = table.filter(pl.col("shrunk").is_not_null())
    heading = title or _title(table)
    if answered.is_empty():
        return no_messages(table, heading)
    drawn = groups(_customers_last(answered), SHRUNK, ["customer_id"], split=True)
    refuse_too_many(len(drawn), MAX_PANELS, "channels and groups")
    palette = channel_colours(answered["channel"]) | dict(colours or {})
    palette |= {ALL_CHANNELS: TOTAL_COLOUR, words.FEW: SMALL_COLOUR}
    n = words.plural(answered["customer_id"].n_unique(), "customer")
    side_by_side = min(columns or (1 if kind == "forest" else 2), len(drawn))
    pictures: list[Layers]
    if kind == "scatter":
        width = width or 230
        clouds = [Cloud.of(group, in_cells=answered.height > MAX_ROWS) for group in drawn]
        refuse_too_many(sum(len(cloud.records) for cloud in clouds), MAX_ROWS, "marks")
        pictures = [scatter(cloud, palette, width) for cloud in clouds]
        how, wide = how_scatter(clouds), width + 110
    else:
        width = width or 210
        shown = [Shown.of(group, max(most // len(drawn), _LEAST)) for group in drawn]
        pictures, wide = forests(shown, palette, width)
        how = how_forest(shown)
    chart: alt.ConcatChart = concat(*pictures, columns=side_by_side, spacing=30).resolve_scale(
        color="independent", size="independent"
    )
    return finished(
        chart,
        title=heading,
        told=[words.settings(answered, n=n), how, _lacking(table)],
        width=wide * side_by_side,
        description=f"{heading}. {' '.join(map(_sentence, drawn))} {_lacking(table)}".strip(),
    )


def _customers_last(table: pl.DataFrame) -> pl.DataFrame:
    """Put the customer behind, so that what stands in front tells the panels apart."""
    return table.select(pl.exclude("customer_id"), "customer_id")


def _title(table: pl.DataFrame) -> str:
    names = table["rate"].cast(pl.String).unique(maintain_order=True)
    what = words.listed([name.capitalize() for name in names])
    return f"{what}, raw and shrunk" if what else "Shrunk rates"


def _lacking(table: pl.DataFrame) -> str:
    """Name the channels that have no such rate, so that none goes missing."""
    nulls = table.filter(pl.col("shrunk").is_null())
    names = nulls["channel"].fill_null(ALL_CHANNELS).unique(maintain_order=True).sort().to_list()
    return f"No rate: {words.listed(names)}." if names else ""


def _sentence(group: Group) -> str:
    rows = group.rows
    low, high = rows["shrunk"].min(), rows["shrunk"].max()
    raw = rows["value"].drop_nulls()
    pooled = f"{words.percent(rows['pooled'][0])} of {words.plural(rows['pooled_n'][0], 'message')}"
    start = f"{group.label}: {words.plural(rows.height, 'customer')}, pooled rate {pooled};"
    ends = " to ".join(words.percent(end) for end in (low, high))  # type: ignore[arg-type] # floats
    if raw.is_empty():
        return f"{start} shrunk rates from {ends}."
    of_raw = " to ".join(words.percent(end) for end in (raw.min(), raw.max()))  # type: ignore[arg-type] # floats
    return f"{start} raw rates from {of_raw}, shrunk from {ends}."
