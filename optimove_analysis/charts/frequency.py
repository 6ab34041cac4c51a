"""Frequency: the rate by how many messages came in the days before, and how many it is made of."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import alt_text
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.frequency_contrast import sentences
from optimove_analysis.charts.frequency_panel import Scales, panel
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
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import FREQUENCY

__all__ = ["frequency"]

_BESIDE = 60  # pixels of a panel's axis


def frequency(
    table: pl.DataFrame,
    contrast: pl.DataFrame | None = None,
    *,
    title: str | None = None,
    width: int | None = None,
    columns: int = 2,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw a rate by pressure: a panel a group, a dot a level, and how many messages it is of.

    The thin line is the 95 % interval. Levels with fewer than 30 messages are grey, in no line,
    and set no scale: a triangle stands at the top where one lies beyond. Messages of unknown
    pressure stand apart on the right. Panels have one scale of levels and of messages, and each
    its own of the rate, since channels differ by far more than levels do.

    Args:
        table: what ``frequency(interactions, ...)`` returns; all numbers are read from it.
        contrast: what ``frequency_contrast(interactions, ...)`` returns to the same question: each
            panel then says how the rate changes for the same customer.
        title: in place of the title that says what is drawn.
        width: pixels of one panel; 420 where there is one only, else 224.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: a table is not what its function returns, or they answer two questions.
        InputError: it has more groups than a picture can show.

    >>> import datetime as dt
    >>> from optimove_analysis.analysis.frequency import frequency as by_pressure
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for campaign, day, event in [(1, 3, 1), (1, 3, 4), (2, 9, 1), (3, 10, 1)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> frequency(by_pressure(frame)).to_dict()["title"]["text"]
    'Engagement rate by messages in the 7 days before'
    """
    table = checked(table, FREQUENCY, "frequency")
    _one_question(table)
    title = title or _title(table)
    every = groups(table, FREQUENCY, ["level"], split=True)
    drawn = [group for group in every if group.rows["n"].fill_null(0).sum()]
    if not drawn:
        return nothing(title, "No messages that this rate divides by", _left_out(table, []))
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    refuse_too_many(table.height, MAX_ROWS, "rows")
    palette = channel_colours(table["channel"]) | dict(colours or {})
    said = {} if contrast is None else sentences(contrast, table, drawn)
    width = width or (420 if len(drawn) == 1 else 224)
    scales = Scales.of([group.rows for group in drawn], width)
    blocks = [
        panel(
            group,
            palette.get(group.rows["channel"][0] or ALL_CHANNELS, TOTAL_COLOUR),
            scales,
            said.get(group.label, ""),
        )
        for group in drawn
    ]
    columns = max(1, min(columns, len(blocks)))
    chart: alt.ConcatChart = concat(*blocks, columns=columns, spacing=26)
    return finished(
        chart,
        title=title,
        told=_told(table, every, drawn),
        width=columns * (width + _BESIDE) + (columns - 1) * 26,
        description=_description(title, drawn, said),
    )


def _one_question(table: pl.DataFrame) -> None:
    for column, what in (("rate", "rates"), ("days", "spans of days")):
        values = table[column].unique(maintain_order=True)
        if len(values) > 1:
            message = (
                f"this frequency is of several {what} "
                f"({', '.join(map(str, values))}): draw one at a time."
            )
            raise SchemaError(message)


def _title(table: pl.DataFrame) -> str:
    if table.is_empty():
        return "Rate by messages in the days before"
    labels = table["label"].unique(maintain_order=True)
    rate = labels[0] if len(labels) == 1 else str(table["rate"][0])
    days = words.plural(int(table["days"][0]), "day").replace(words.NBSP, " ")
    return f"{rate.capitalize()} by messages in the {days} before"


def _left_out(table: pl.DataFrame, drawn: list[Group]) -> str:
    """Say which groups have no panel, and how many messages are in no rate."""
    parts = []
    immature = int(table["n_immature"].sum())
    if immature:
        parts.append(f"{words.plural(immature, 'immature message')} left out.")
    if not drawn and not immature:
        parts.append("Nothing was sent in this range, or no channel has both stages of the rate.")
    return " ".join(parts)


def _told(table: pl.DataFrame, every: list[Group], drawn: list[Group]) -> list[str]:
    rows = pl.concat([group.rows for group in drawn])
    n = words.plural(int(rows["n"].sum()), "message")
    read = [f"Dot: the rate; thin line: its 95{words.NBSP}% interval; bars: messages."]
    if len(drawn) > 1:
        read.append("Each panel has its own scale of the rate.")
    if rows["small"].any():
        read.append(f"Grey: {words.FEW}.")
    if rows["pressure"].null_count():
        read.append("Unknown: the days before begin before the data.")
    lines = [
        words.settings(rows, n=n),
        " ".join(read),
        "An association: heavy engagers are targeted more, so levels differ in customers.",
    ]
    names = {group.label for group in drawn}
    absent = [group.label for group in every if group.label not in names]
    if absent:
        lines.append(f"No such rate: {words.listed(absent)}.")
    early = int(rows.filter(pl.col("pressure").is_not_null())["n_early"].sum())
    more = f"{words.plural(early, 'message')} may have more before them than the data holds."
    return [*lines, " ".join([_left_out(table, drawn), more if early else ""]).strip()]


def _description(title: str, drawn: list[Group], said: Mapping[str, str]) -> str:
    """Tell each group's lowest and highest level that is not small: all would be endless."""
    whole, brief = [], []
    for group in drawn:
        known = group.rows.filter(pl.col("pressure").is_not_null(), pl.col("value").is_not_null())
        sure = known.filter(~pl.col("small"))
        rows = list((sure if sure.height else known).iter_rows(named=True))
        ends = rows[:1] + rows[1:][-1:]
        short = [f"{words.percent(row['value'])} at level {row['level']}" for row in ends]
        told = [
            f"{words.percent(row['value'])} of {words.plural(row['n'], 'message')} at level "
            f"{row['level']} (95{words.NBSP}% interval {words.interval(row['lo'], row['hi'])})"
            for row in ends
        ]
        nothing_known = ["only of unknown pressure"]
        contrast = f" {said[group.label]}." if group.label in said else ""
        whole.append(f"{group.label}: {words.listed(told or nothing_known)}.{contrast}")
        brief.append(f"{group.label}: {words.listed(short or nothing_known)}.")
    return alt_text(f"{title}. An association: heavy engagers are targeted more.", whole, brief)
