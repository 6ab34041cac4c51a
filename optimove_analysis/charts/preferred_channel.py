"""A preferred channel: how often a customer engages on each, and whether that decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import ENDLESS, alt_text
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import checked
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import vconcat
from optimove_analysis.charts.journey import lane_names
from optimove_analysis.charts.theme import PERCENT_AXIS, SMALL_COLOUR, channel_colours, finished
from optimove_analysis.errors import InputError
from optimove_analysis.schema import PREFERRED_CHANNEL, SMALL_N

__all__ = ["preferred_channel"]

_MOST: Final = 12
_ROW: Final = 28  # pixels a channel
_NAMES: Final = 110
_NUMBERS: Final = 230
_FEW: Final = f"fewer than {SMALL_N} received"


def preferred_channel(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 260,
    colours: Mapping[str, str] | None = None,
) -> alt.VConcatChart | alt.Chart:
    """Draw a table of preferred channels: a dot a channel, the preferred one first.

    The line is the 95 % interval of the share of received messages that the customer engaged with.
    A filled dot has a rank; a ring has none. What it comes to stands over each customer: whether a
    channel is preferred, undecided, or cannot be said. Channels of fewer than 30 received messages
    are grey.

    Args:
        table: what ``preferred_channel(interactions)`` returns, of one customer or of up to twelve.
        title: in place of the title that says what is drawn.
        width: pixels from 0 to 100 %; names and numbers take 340 more.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not one of preferred channels.
        InputError: it has more customers than a picture can show.

    >>> import optimove_analysis as oa
    >>> frame = pl.read_parquet("data/interactions.parquet")
    >>> one = oa.preferred_channel(frame.filter(pl.col("customer_id") == "001801"))
    >>> preferred_channel(one).to_dict()["title"]["text"]
    'Customer 001801 prefers E-mail'
    """
    table = checked(table, PREFERRED_CHANNEL, "preferred_channel")
    if table.is_empty():
        return nothing(title or "Preferred channel", "No customers", "The table has no row")
    customers = table["customer_id"].unique(maintain_order=True).to_list()
    if len(customers) > _MOST:
        message = (
            f"{len(customers):,} customers are too many for one chart of preferred channels, which "
            f"draws at most {_MOST}: take one, table.filter(pl.col('customer_id') == "
            f"{customers[0]!r}), or count them, table.group_by('status').len()."
        )
        raise InputError(message)
    names = lane_names(table)
    palette = channel_colours(names.values()) | dict(colours or {})
    each = [table.filter(pl.col("customer_id").eq_missing(one)) for one in customers]
    statuses = [_status(rows, names) for rows in each]
    blocks = [
        _panel(
            rows,
            names,
            palette,
            width,
            title="" if len(each) == 1 else statuses[place],
            last=place == len(each) - 1,
        )
        for place, rows in enumerate(each)
    ]
    chart: alt.VConcatChart = vconcat(*blocks, spacing=18)
    usual = statuses[0] if len(each) == 1 else "Preferred channels"
    return finished(
        chart,
        title=title or usual,
        told=_told(table, each, statuses[0] if title else ""),
        width=width + _NAMES + _NUMBERS,
        description=alt_text(
            "",
            [_sentence(rows, names, status) for rows, status in zip(each, statuses, strict=True)],
            [f"{status}." for status in statuses],
            most=ENDLESS,
        ).strip(),
    )


def _status(rows: pl.DataFrame, names: Mapping[int | None, str]) -> str:
    """Say of one customer what the ranks come to."""
    who = f"Customer {rows['customer_id'][0]}"
    first = rows.filter(pl.col("rank") == 1)["channel_id"]
    status = rows["status"][0]
    if status == "preferred":
        # The row of the one that is preferred may have been left out.
        return f"{who} prefers {names[first[0]] if first.len() else 'a channel not drawn here'}"
    if status == "undecided":
        return f"{who}: undecided which channel is preferred"
    return f"{who}: too little to say which channel is preferred"


def _panel(
    rows: pl.DataFrame,
    names: Mapping[int | None, str],
    palette: Mapping[str, str],
    width: int,
    *,
    title: str,
    last: bool,
) -> alt.LayerChart:
    records = [_record(row, names) for row in rows.iter_rows(named=True)]
    order = [record["name"] for record in records]
    inks = {**palette, _FEW: SMALL_COLOUR}
    # As wide for all customers, so that their titles begin at one place.
    axis = alt.Axis(labelLimit=_NAMES - 16, minExtent=_NAMES, maxExtent=_NAMES, labelPadding=14)
    y = alt.Y("name:N", sort=order, title=None, axis=axis)
    x = alt.X(
        "rate:Q",
        title="Engaged with, of the messages received" if last else None,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(
            labelExpr=PERCENT_AXIS,
            values=[0, 0.25, 0.5, 0.75, 1],
            grid=True,
            labels=last,
            labelFlush=False,
        ),
    )
    tooltip = [
        alt.Tooltip("name:N", title=PREFERRED_CHANNEL.label("channel")),
        alt.Tooltip("rank_text:N", title=PREFERRED_CHANNEL.label("rank")),
        alt.Tooltip("of:N", title=PREFERRED_CHANNEL.label("rate")),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("received_as:N", title=PREFERRED_CHANNEL.label("received_as")),
        alt.Tooltip("last_engaged:N", title=PREFERRED_CHANNEL.label("last_engaged")),
        alt.Tooltip("n_immature:Q", title=PREFERRED_CHANNEL.label("n_immature"), format=",d"),
    ]
    base = alt.Chart().encode(y=y)
    colour = {
        "fill": alt.Fill("ink:N", legend=None, scale=_scale(inks)),
        "stroke": alt.Stroke("ink:N", legend=None, scale=_scale(inks)),
    }
    layers = [
        base.mark_rule(style="optimove-interval").encode(
            x=alt.X("lo:Q", scale=alt.Scale(domain=[0, 1])), x2=alt.X2("hi")
        ),
        # Paper first: a ring is empty, and no line runs through it.
        base.mark_point(style="optimove-paper", filled=True, size=90, opacity=1).encode(x=x),
        base.mark_point(size=90, opacity=1, strokeWidth=2).encode(
            x=x,
            tooltip=tooltip,
            fillOpacity=alt.FillOpacity("filled:Q", legend=None, scale=None),
            fill=colour["fill"],
            stroke=colour["stroke"],
        ),
        base.mark_text(style="optimove-value", align="left").encode(
            x=alt.XValue(width + 14), text=alt.Text("text:N")
        ),
    ]
    panel = alt.LayerChart(layer=layers, data=inline(records)).properties(
        width=width, height=_ROW * len(records)
    )
    if title:
        panel = panel.properties(title=alt.Title(title, fontSize=13, offset=6))
    return panel


def _scale(inks: Mapping[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(inks), range=list(inks.values()))


def _record(row: Mapping[str, Any], names: Mapping[int | None, str]) -> dict[str, Any]:
    name, ranked = names[row["channel_id"]], row["rank"] is not None
    of = f"{row['engaged']:,} / {row['received']:,}"
    text = f"{of} = {words.percent(row['rate'])}"
    if row["rate"] is None:
        text = f"no rate; {row['received']:,} received"
    elif not ranked:
        text += ", no rank"
    else:
        text += f"  ({words.interval(row['lo'], row['hi'])})"
    return {
        "name": name,
        "ink": _FEW if row["small"] else name,
        "filled": float(ranked),
        **{key: row[key] for key in ("rate", "lo", "hi", "engaged", "received", "n_immature")},
        "rank_text": str(row["rank"]) if ranked else "none",
        "of": f"{of} = {words.percent(row['rate'])}",
        "interval": words.interval(row["lo"], row["hi"]),
        "received_as": row["received_as"],
        "last_engaged": "none" if row["last_engaged"] is None else row["last_engaged"].isoformat(),
        "text": text,
    }


def _told(table: pl.DataFrame, each: Sequence[pl.DataFrame], status: str) -> list[str]:
    received = words.plural(int(table["received"].sum()), "message")
    days = " / ".join(f"{n:,}" for n in table["lookback"].unique(maintain_order=True))
    told = [
        f"{status}." if status else "",
        words.settings(table.drop("unit"), n=f"{received} received in the last {days} days"),
        f"Line: 95{words.NBSP}% interval within the customer.",
    ]
    if any("undecided" in rows["status"] for rows in each):
        told.append("Undecided: the intervals of the first two overlap.")
    if any("insufficient" in rows["status"] for rows in each):
        told.append("Too little to say: fewer than two channels have a rank.")
    marks = []
    if table.filter(pl.col("rank").is_null() & pl.col("rate").is_not_null()).height:
        marks.append("Ring: no rank.")
    if table.filter(pl.col("rate").is_not_null())["small"].any():
        marks.append(f"Grey: {_FEW}.")
    told.append(" ".join(marks))
    return told


def _sentence(rows: pl.DataFrame, names: Mapping[int | None, str], status: str) -> str:
    parts = []
    for row in rows.iter_rows(named=True):
        name = names[row["channel_id"]]
        if row["rate"] is None:
            parts.append(f"{name} no rate")
            continue
        parts.append(
            f"{name} {row['engaged']:,} of {row['received']:,} ({words.percent(row['rate'])}, "
            f"95{words.NBSP}% interval {words.interval(row['lo'], row['hi'])})"
        )
    return f"{status}. Engaged with of received: {words.listed(parts)}."
