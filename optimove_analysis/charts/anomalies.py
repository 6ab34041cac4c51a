"""Anomalies: the delivery rate by day beside what was to be expected, the odd days named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import alt_text
from optimove_analysis.charts.anomaly_labels import day_of, drop_of
from optimove_analysis.charts.anomaly_panel import anomaly_panel
from optimove_analysis.charts.day_axis import DayAxis
from optimove_analysis.charts.empty import nothing
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
from optimove_analysis.charts.theme import TOTAL_COLOUR, channel_colours, finished
from optimove_analysis.schema import ANOMALIES

__all__ = ["anomalies"]

_BESIDE: Final = 60  # pixels of a panel's axis
_TOLD: Final = 6
"""Anomalies that the alt text tells of each group."""


def anomalies(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 500,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw the delivery rate by day: a panel a group, the anomalies ringed and named.

    A short dash is the rate that was expected of a day which was tested, the thin line the 95 %
    interval of its own. Days join up where they follow on each other; a day without messages is a
    gap. Days of few messages are grey and set no scale: a triangle stands at the bottom where one
    lies below. Under the rate stand the messages of each day, the immature ones faint.

    Args:
        table: what ``anomalies(interactions, ...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of one panel.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not one of anomalies.
        InputError: it has more groups or days than a picture can show.

    >>> import datetime as dt
    >>> from optimove_analysis.analysis.anomalies import anomalies as odd_days
    >>> ids = {"recipient_group_id": 1, "action_id": 9, "channel_id": 504, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": str(who), "campaign_id": week, **ids, "event_id": event,
    ...       "date": dt.date(2025, 3, 3) + dt.timedelta(weeks=week)}
    ...      for week in range(9) for who in range(40) for event in (1, 2)
    ...      if event == 1 or who < (38 if week < 8 else 20)],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> anomalies(odd_days(frame)).to_dict()["title"]["text"]
    'Delivery rate by day, and 1 anomaly'
    """
    table = checked(table, ANOMALIES, "anomalies")
    title = title or _title(table)
    every = groups(table, ANOMALIES, ["send_date"], split=True)
    drawn = [Group(group.label, group.rows.filter(_has_messages())) for group in every]
    drawn = [group for group in drawn if group.rows["n"].fill_null(0).sum()]
    if not drawn:
        return nothing(title, "No messages of which a delivery rate is known", _why(table))
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    refuse_too_many(sum(group.rows.height for group in drawn), MAX_ROWS, "days with messages")
    palette = channel_colours(table["channel"]) | dict(colours or {})
    days = DayAxis.of([group.rows for group in drawn], width)
    blocks = [
        anomaly_panel(
            group, palette.get(group.rows["channel"][0] or ALL_CHANNELS, TOTAL_COLOUR), days
        )
        for group in drawn
    ]
    columns = max(1, min(columns, len(blocks)))
    chart: alt.ConcatChart = concat(*blocks, columns=columns, spacing=30)
    return finished(
        chart,
        title=title,
        told=_told(every, drawn),
        width=columns * (width + _BESIDE),
        description=_description(title, drawn),
    )


def _has_messages() -> pl.Expr:
    return (pl.col("n").fill_null(0) > 0) | (pl.col("n_immature") > 0)


def _title(table: pl.DataFrame) -> str:
    number = table.filter(pl.col("status") == "anomaly").height
    found = f"{number:,} anomal{'y' if number == 1 else 'ies'}" if number else "no anomaly"
    return f"Delivery rate by day, and {found}"


def _why(table: pl.DataFrame) -> str:
    immature = int(table["n_immature"].sum()) if table.height else 0
    if immature:
        return f"{words.plural(immature, 'immature message')} left out."
    return "Nothing was sent in this range, or no channel reports deliveries."


def _told(every: list[Group], drawn: list[Group]) -> list[str]:
    rows = pl.concat([group.rows for group in drawn])
    n = words.plural(int(rows["n"].sum()), "message")
    tested = rows.filter(pl.col("p").is_not_null())
    expected = "dash: expected from the same weekdays before"
    read = f"Dot: the day's rate; thin line: its 95{words.NBSP}% interval; {expected}."
    alphas = tested["alpha"].unique().sort().to_list()
    alpha = f" at alpha {words.listed([f'{alpha:g}' for alpha in alphas])}" if alphas else ""
    days = f"{tested.height:,} of {words.plural(rows.height, 'day')} with messages"
    last = [f"{days} tested{alpha}; ringed: an anomaly, a day to look at."]
    if rows.filter(pl.col("status") == "small").height:
        last.append("Grey: too few messages to test.")
    if rows["n_immature"].sum():
        last.append("Faint bars: immature.")
    if set(rows["label"].drop_nulls()) - {"delivery rate"}:
        labels = sorted(set(rows["label"].drop_nulls()))
        last.append(f"Delivery as counted: {words.listed(labels)}.")
    names = {group.label for group in drawn}
    absent = [group.label for group in every if group.label not in names]
    if absent:
        last.append(f"No delivery rate: {words.listed(absent)}.")
    return [words.settings(rows.filter(pl.col("n") > 0), n=n), read, " ".join(last)]


def _description(title: str, drawn: list[Group]) -> str:
    whole, brief = [], []
    for group in drawn:
        odd = group.rows.filter(pl.col("status") == "anomaly").sort("drop", descending=True)
        days: list[dt.date] = group.rows["send_date"].sort().to_list()
        span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
        start = f"{group.label}, {span}: {words.plural(len(days), 'day')} with messages"
        told = [
            f"{day_of(row['send_date'])} {words.percent(row['rate'])} of "
            f"{words.plural(row['n'], 'message')}, {drop_of(row)}"
            for row in odd.head(_TOLD).iter_rows(named=True)
        ]
        more = f", and {odd.height - _TOLD} more" if odd.height > _TOLD else ""
        whole.append(f"{start}, {'; '.join(told) if told else 'no anomaly'}{more}.")
        brief.append(f"{group.label}: {words.plural(odd.height, 'odd day')} of {len(days):,}.")
    return alt_text(f"{title}.", whole, brief)
