"""A journey: a customer's messages in time, a lane a channel, and the pressure below."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import MAX_ROWS, checked, refuse_too_many
from optimove_analysis.charts.joined import vconcat
from optimove_analysis.charts.journey_days import GUTTER, pressure_panel
from optimove_analysis.charts.journey_key import KINDS, key, kind_of
from optimove_analysis.charts.journey_lanes import (
    PRESSURE_DAYS,
    Span,
    days_after,
    lanes,
    marks_above,
    pitch_for,
    pressure,
    pressures,
)
from optimove_analysis.charts.journey_marks import lane_records, messages_panel
from optimove_analysis.charts.theme import channel_colours, finished
from optimove_analysis.errors import InputError
from optimove_analysis.schema import JOURNEY

__all__ = ["journey", "lane_names", "with_lanes"]

_MOST: Final = 6
_HIGHEST: Final = 460
"""Pixels of all lanes together, as long as that can be."""
_HIGHEST_OF_MANY: Final = 240


def journey(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 560,
    colours: Mapping[str, str] | None = None,
) -> alt.VConcatChart | alt.Chart:
    """Draw a journey's table: when a customer was sent what, and how far each message got.

    A lane a channel, a mark a message on the day of its send. Its shape is the furthest stage that
    was reported, filled where the customer engaged; messages that would touch stand above one
    another. A bounce is a cross upon the mark; an unsubscription, a complaint or an event that the
    catalogue lacks stands above it. Below is the pressure: how many messages the customer was sent
    in the 7 days before each day, over all channels. In a browser, drag to move in time, scroll to
    come nearer, double-click to be back.

    Args:
        table: what ``journey(interactions)`` returns, of one customer, or of up to six, who are
            drawn one below the other over the same days.
        title: in place of the title that says what is drawn.
        width: pixels of the time axis; names stand left of it and take 110 more.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not a journey's.
        InputError: it has more customers or messages than a picture can show.

    >>> import datetime as dt
    >>> import optimove_analysis as oa
    >>> ids = {"customer_id": "A", "campaign_id": 3, "recipient_group_id": 1, "action_id": 9,
    ...        "channel_id": 504, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for day, event in [(3, 1), (5, 3)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> journey(oa.journey(frame)).to_dict()["title"]["text"]
    'Journey of customer A'
    """
    table = checked(table, JOURNEY, "journey", may_lack=["send_date"])
    dated = table.filter(pl.col("send_date").is_not_null())
    if dated.is_empty():
        return nothing(title or "Journey", "No messages", "Nothing was sent in this range")
    customers = dated["customer_id"].unique(maintain_order=True).to_list()
    if len(customers) > _MOST:
        message = (
            f"{len(customers):,} customers are too many for one chart of journeys, which draws at "
            f"most {_MOST}: take one, table.filter(pl.col('customer_id') == {customers[0]!r}), or "
            "draw all of them as a calendar, charts.calendar(table)."
        )
        raise InputError(message)
    refuse_too_many(dated.height, MAX_ROWS, "messages")
    dated, order = with_lanes(dated, lane_names(dated))
    palette = {name: (channel_colours(order) | dict(colours or {}))[name] for name in order}
    first, last = _ends(dated)
    span = Span(first, last, width)
    each = [dated.filter(pl.col("customer_id").eq_missing(one)) for one in customers]
    pitch = pitch_for(each, span, _HIGHEST if len(each) == 1 else _HIGHEST_OF_MANY)
    blocks: list[Any] = []
    views: list[str] = []
    for place, (customer, rows) in enumerate(zip(customers, each, strict=True)):
        drawn, height = lanes(rows, order, span, pitch)
        loads = {day: (sent, n) for day, sent, n, _ in pressures(rows).iter_rows()}
        # Altair ends the name of a concatenated layer with its place there: 1, beside the names.
        here = [f"optimove_{what}_{place}_1" for what in ("messages", "pressure")]
        views += here
        block = vconcat(
            messages_panel(
                drawn, lane_records(drawn, loads), palette, span, height=height, view=here[0]
            ),
            pressure_panel(pressure(rows), span, here[1]),
            spacing=8,
        )
        if len(customers) > 1:
            block = block.properties(title=alt.Title(f"Customer {customer}", fontSize=13, offset=6))
        blocks.append(block)
    kinds = {kind_of(row) for row in dated.iter_rows(named=True)}
    sides = {side for text in dated["side_events"].unique() for side in marks_above(text)}
    sides |= {"bounced"} if dated["side_events"].str.contains("bounced").any() else set()
    chart: alt.VConcatChart = vconcat(
        key(kinds, sides, width + GUTTER), *blocks, spacing=14
    ).properties(params=[_zoom(views)])
    who = words.plural(len(customers), "customer") if len(customers) > 1 else ""
    return finished(
        chart,
        title=title or (f"Journeys of {who}" if who else f"Journey of customer {customers[0]}"),
        told=_told(table, dated, who),
        width=width + GUTTER,
        description=_description(dated, customers, order),
    )


def lane_names(table: pl.DataFrame) -> dict[int | None, str]:
    """Return each channel's name by its id, unlike for unlike ids."""
    pairs = table.select("channel_id", "channel").unique(maintain_order=True).rows()
    named = {key: name or f"channel {'(no id)' if key is None else key}" for key, name in pairs}
    every = list(named.values())
    return {
        key: f"{name} (id {key})" if every.count(name) > 1 else name for key, name in named.items()
    }


def _zoom(views: list[str]) -> alt.TopLevelSelectionParameter:
    """Bind the days of all panels to one selection: who moves one moves all."""
    return alt.TopLevelSelectionParameter(
        name="optimove_zoom",
        select=alt.IntervalSelectionConfig(type="interval", encodings=["x"]),
        bind="scales",
        views=views,
    )


def with_lanes(
    dated: pl.DataFrame, names: Mapping[int | None, str]
) -> tuple[pl.DataFrame, list[str]]:
    """Add each message's lane, and return the lanes too, those with most messages first."""
    lane = pl.col("channel_id").replace_strict(
        list(names), list(names.values()), return_dtype=pl.String
    )
    dated = dated.with_columns(lane=lane)
    order = dated["lane"].value_counts().sort("count", "lane", descending=[True, False])
    return dated, order["lane"].to_list()


def _ends(dated: pl.DataFrame) -> tuple[dt.date, dt.date]:
    days: list[dt.date] = dated["send_date"].to_list()
    return min(days), max(days)


def _told(table: pl.DataFrame, dated: pl.DataFrame, who: str) -> list[str]:
    first, last = _ends(dated)
    days = first.isoformat() if first == last else f"{first} to {last}"
    size = f"{words.plural(dated.height, 'message')} \N{MIDDLE DOT} sent {days}"
    told = [
        f"{size} \N{MIDDLE DOT} {who}" if who else size,
        "Each mark is a message on the day it was sent; its shape, the furthest stage reported.",
    ]
    undated = table.height - dated.height
    if undated:
        told.append(f"Not drawn: {words.plural(undated, 'message')} without a date.")
    told.append(
        f"Pressure: faint in the first {PRESSURE_DAYS} days, as what was sent before is not known."
    )
    return told


def _description(dated: pl.DataFrame, customers: list[str], order: list[str]) -> str:
    parts = []
    for customer in customers:
        rows = dated.filter(pl.col("customer_id").eq_missing(customer))
        first, last = _ends(rows)
        counts = dict(rows["lane"].value_counts().iter_rows())
        listed = words.listed([f"{name} {counts[name]:,}" for name in order if name in counts])
        kinds = [kind_of(row) for row in rows.iter_rows(named=True)]
        stages = words.listed([f"{kinds.count(k):,} {k}" for k in KINDS if k in kinds])
        parts.append(
            f"Journey of customer {customer}: {words.plural(rows.height, 'message')} from {first} "
            f"to {last}; by channel: {listed}; by furthest stage: {stages}. {_last_click(rows)}"
        )
        also = rows.filter(pl.col("side_events") != "")["side_events"].value_counts(sort=True)
        if also.height:
            told = [f"{name} {times:,}" for name, times in also.head(5).iter_rows()]
            parts.append(f"Also: {words.listed(told)}.")
        top = max(step["before"] for step in pressure(rows))
        parts.append(f"At most {words.plural(top, 'message')} in {PRESSURE_DAYS} days.")
    return " ".join(parts)


def _last_click(rows: pl.DataFrame) -> str:
    clicks = rows.filter(pl.col("stage") == "clicked").select(
        "lane", day=days_after("send_date", pl.col("days").fill_null(0))
    )
    if clicks.is_empty():
        return "No message was clicked."
    last = clicks.sort("day", maintain_order=True).row(-1, named=True)
    return f"The last click was on {last['day']} ({last['lane']})."
