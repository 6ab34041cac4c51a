"""Shrunk rates as a cloud: each customer's raw rate against the shrunk one, larger with more n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.forest import Axis, Layers, axis_over
from optimove_analysis.charts.groups import ALL_CHANNELS, Group, label_of
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.schema import SHRUNK

__all__ = ["Cloud", "how_scatter", "scatter"]

_CELLS: Final = 40
"""Cells along an axis, where there are more customers than a browser can draw one by one."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A panel's customers, one by one or counted in cells."""

    head: str
    said: str
    records: list[dict[str, Any]]
    axis: Axis
    pooled: float
    in_cells: bool

    @classmethod
    def of(cls, group: Group, *, in_cells: bool) -> Cloud:
        """Take a group's customers with a raw rate; in cells it is said how many stand in each."""
        rows = group.rows.filter(pl.col("value").is_not_null())
        first = group.rows.row(0, named=True)
        said = f"{words.plural(rows.height, 'customer')}."
        if rows.height < group.rows.height:
            without = words.plural(group.rows.height - rows.height, "customer")
            said += f" Not drawn: {without} with n = 0."
        axis = axis_over([0.0, *rows["value"], *rows["shrunk"], first["pooled"]], most=1.0)
        channel = first["channel"] or ALL_CHANNELS
        records = _cells(rows, axis, channel) if in_cells else _customers(rows, channel)
        return cls(group.label, said, records, axis, first["pooled"], in_cells)


def _customers(rows: pl.DataFrame, channel: str) -> list[dict[str, Any]]:
    return [
        {
            "name": row["customer_id"],
            "colour": channel,
            "value": row["value"],
            "shrunk": row["shrunk"],
            "size": row["n"],
            "k_of_n": f"{row['k']:,} / {row['n']:,}",
            "raw_text": words.percent(row["value"]),
            "shrunk_text": f"{words.percent(row['shrunk'])} "
            f"({words.interval(row['lo'], row['hi'])})",
        }
        for row in rows.sort("n", descending=True).iter_rows(named=True)  # small ones on top
    ]


def _cells(rows: pl.DataFrame, axis: Axis, channel: str) -> list[dict[str, Any]]:
    """Count customers by cell; a mark stands in the middle of its cell."""
    side = (axis.high - axis.low) / _CELLS

    def cell(name: str) -> pl.Expr:
        return ((pl.col(name) - axis.low) / side).floor().clip(0, _CELLS - 1)

    counted = (
        rows.group_by(cell("value").alias("column"), cell("shrunk").alias("row"))
        .len()
        .sort("len", "column", "row", descending=[True, False, False])
    )
    records = []
    for column, row, number in counted.iter_rows():
        ends = [(axis.low + place * side, axis.low + (place + 1) * side) for place in (column, row)]
        records.append(
            {
                "name": words.plural(number, "customer"),
                "colour": channel,
                "value": sum(ends[0]) / 2,
                "shrunk": sum(ends[1]) / 2,
                "size": number,
                "raw_text": words.interval(*ends[0]),
                "shrunk_text": words.interval(*ends[1]),
            }
        )
    return records


def scatter(cloud: Cloud, palette: Mapping[str, str], width: int) -> Layers:
    """Draw a panel: the diagonal, where nothing is drawn anywhere, and the pooled rate."""
    axis = cloud.axis
    marked = axis.drawn()
    x = alt.X("value:Q", scale=axis.scale, axis=marked, title="Raw rate")
    y = alt.Y("shrunk:Q", scale=axis.scale, axis=marked, title="Shrunk rate")
    ends = inline([{"value": end, "shrunk": end} for end in (axis.low, axis.high)])
    pooled = f"all {words.percent(cloud.pooled)}"
    of_all = alt.Chart(inline([{"shrunk": cloud.pooled, "text": pooled}]))
    what = "datum.label + ' customers'" if cloud.in_cells else "'n = ' + datum.label"
    names = [
        alt.Tooltip("name:N", title=label_of("customer_id")),
        alt.Tooltip("k_of_n:N", title="k / n"),
    ]
    tooltip = [
        *([alt.Tooltip("name:N", title="Here")] if cloud.in_cells else names),
        alt.Tooltip("raw_text:N", title=SHRUNK.label("value")),
        alt.Tooltip("shrunk_text:N", title=SHRUNK.label("shrunk")),
    ]
    sizes = [record["size"] for record in cloud.records]
    top = max(sizes, default=1)
    legend = alt.Legend(
        labelExpr=what,
        values=sorted({1, max(top // 4, 1), top}),
        symbolType="circle",
        orient="right",
    )
    colour = palette[cloud.records[0]["colour"]] if cloud.records else palette[words.FEW]
    dots = (
        alt.Chart(inline(cloud.records))
        .mark_point(filled=True, opacity=0.55, color=colour)
        .encode(
            x=x,
            y=y,
            size=alt.Size(
                "size:Q", scale=alt.Scale(domain=[0, top], range=[6, 200]), legend=legend
            ),
            tooltip=tooltip,
        )
    )
    layers: Layers = layer(
        alt.Chart(ends).mark_line(style="optimove-par").encode(x=x, y=y),
        of_all.mark_rule(style="optimove-par").encode(y=y),
        dots,
        of_all.mark_text(style="optimove-note", align="right", dy=-7).encode(
            x=alt.XValue(width), y=y, text=alt.Text("text:N")
        ),
    ).properties(
        width=width,
        height=width,
        title=alt.Title(cloud.head, subtitle=cloud.said, fontSize=13, offset=8),
    )
    return layers


def how_scatter(clouds: Sequence[Cloud]) -> str:
    """Say how to read the marks."""
    what = "a cell of the picture, larger with more customers" if clouds[0].in_cells else ""
    dot = what or "a customer, larger with more messages (n)"
    return f"Dot: {dot}. Dashed: the diagonal, where raw is shrunk, and the pooled rate."
