"""Time to engage: which share of messages was engaged with by which day, as curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import alt_text
from optimove_analysis.charts.curves import curves, left_of
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
from optimove_analysis.charts.horizon import Horizon, steps_of
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.theme import (
    TOTAL_COLOUR,
    channel_colours,
    finished,
)
from optimove_analysis.errors import InputError
from optimove_analysis.schema import TIME_TO_ENGAGE

__all__ = ["time_to_engage"]

_NAME: Final = 120  # pixels of a name and its share at a curve's end


def time_to_engage(
    table: pl.DataFrame,
    *,
    days: int | None = None,
    title: str | None = None,
    width: int = 330,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw 1 - S by day: a stepped curve a channel with its 95 % band, named at its end.

    A larger dot is the median day, where half were engaged with. Below stand the messages at risk:
    not yet engaged with and still followed. Channels of fewer than 30 messages are grey. Channels
    share a panel; of other groups each has its own, all on the same scales.

    Args:
        table: what ``time_to_engage(interactions, ...)`` returns; all numbers are read from it.
        days: the last day drawn. None: the first of 7, 14, 30, 60, 90, 180, 365, ... by which 99
            in 100 of the engagements came; how many came later is said.
        title: in place of the title that says what is drawn.
        width: pixels of one panel without the names beside it.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not a time to engage's.
        InputError: it has more groups than a picture can show, or ``days`` is no such number.

    >>> import datetime as dt
    >>> from optimove_analysis.analysis.time_to_engage import time_to_engage as by_day
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2, "data_through": dt.date(2025, 3, 20)}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for campaign, day, event in [(1, 3, 1), (1, 3, 4), (2, 3, 1), (3, 10, 1)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> time_to_engage(by_day(frame)).to_dict()["title"]["text"]
    'Engaged with, by days since the send'
    """
    table = checked(table, TIME_TO_ENGAGE, "time_to_engage")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
        message = f"days={days!r} must be a number of days, 1 or more, or None."
        raise InputError(message)
    clicked = bool(table.height) and set(table["opens"]) == {"ignore"}
    title = title or f"{'Clicked' if clicked else 'Engaged with'}, by days since the send"
    every = groups(_named(table), TIME_TO_ENGAGE, ["channel", "day"], split=False)
    drawn = _with_curves(every)
    if not drawn:
        immature = int(_firsts(every)["n_immature"].sum()) if table.height else 0
        why = (
            f"{words.plural(immature, 'immature message')} left out."
            if immature
            else "Nothing was sent in this range, or no channel reports deliveries."
        )
        return nothing(title, "No messages to follow", why)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    rows = pl.concat([group.rows for group in drawn])
    horizon = Horizon.of(rows, days)
    steps = [Group(group.label, steps_of(group.rows, horizon)) for group in drawn]
    refuse_too_many(sum(group.rows.height for group in steps), MAX_ROWS, "rows")
    palette = channel_colours(set(rows["channel"]) - {ALL_CHANNELS}) | {ALL_CHANNELS: TOTAL_COLOUR}
    palette |= dict(colours or {})
    ends = [end for name in ("engaged", "hi") for end in rows[name].drop_nulls()]
    inks = {name: palette[name] for name in rows["channel"].unique(maintain_order=True)}
    left = left_of(inks)
    blocks = [
        curves(group, source.rows, inks, horizon, width=width, left=left, top=max(ends) or 1)
        for group, source in zip(steps, drawn, strict=True)
    ]
    columns = max(1, min(columns, len(blocks)))
    chart: alt.ConcatChart = concat(*blocks, columns=columns, spacing=30)
    return finished(
        chart,
        title=title,
        told=_told(drawn, every, horizon, clicked=clicked),
        width=columns * (left + width + _NAME),
        description=_description(title, drawn),
    )


def _named(table: pl.DataFrame) -> pl.DataFrame:
    """Give channels the names they are drawn under, unlike for unlike ids, and drop the ids."""
    table = table.with_columns(pl.col("channel").fill_null(ALL_CHANNELS))
    own = TIME_TO_ENGAGE.names
    first = next(place for place, name in enumerate(table.columns) if name in own)
    if "channel_id" not in table.columns[:first]:
        return table
    twice = pl.col("channel_id").n_unique().over("channel") > 1
    named = pl.format("{} (id {})", "channel", pl.col("channel_id").cast(pl.String).fill_null("?"))
    return table.with_columns(channel=pl.when(twice).then(named).otherwise("channel")).drop(
        "channel_id"
    )


def _firsts(drawn: list[Group]) -> pl.DataFrame:
    """Return one row a curve: what its days have in common."""
    return pl.concat(
        [group.rows.unique("channel", keep="first", maintain_order=True) for group in drawn]
    )


def _with_curves(every: list[Group]) -> list[Group]:
    kept = [Group(group.label, group.rows.filter(pl.col("n") > 0)) for group in every]
    return [group for group in kept if group.rows.height]


def _told(drawn: list[Group], every: list[Group], horizon: Horizon, *, clicked: bool) -> list[str]:
    rows = pl.concat([group.rows for group in drawn])
    firsts = _firsts(drawn)
    n = words.plural(int(firsts["n"].sum()), "delivered message")
    done = "clicked" if clicked else "engaged with"
    curve = f"Curve: the share {done} by the end of the day (Kaplan-Meier)"
    read = [f"{curve}; band: 95{words.NBSP}% interval."]
    if firsts["median_day"].drop_nulls().len():
        read.append("Large dot: the median day.")
    read.append(f"At risk: not yet {done}, and followed so long.")
    if firsts["small"].any():
        read.append(f"Grey: {words.FEW}.")
    last = []
    if horizon.later:
        last.append(f"{words.plural(horizon.later, 'message')} {done} later than is drawn.")
    immature = int(_firsts(every)["n_immature"].sum())
    if immature:
        last.append(f"{words.plural(immature, 'immature message')} left out.")
    have = set(rows["channel"])
    names = _firsts(every)["channel"].unique(maintain_order=True)
    absent = [name for name in names if name not in have]
    if absent:
        last.append(f"No deliveries known: {words.listed(absent)}.")
    return [words.settings(rows, n=n), " ".join(read), " ".join(last)]


def _description(title: str, drawn: list[Group]) -> str:
    sentences = []
    for group in drawn:
        told = []
        for row in (
            group.rows.filter(pl.col("engaged").is_not_null())
            .group_by("channel", maintain_order=True)
            .agg(pl.all().sort_by("day").last())
            .iter_rows(named=True)
        ):
            median = row["median_day"]
            half = "" if median is None else f", half by day {median}"
            told.append(
                f"{row['channel']} {words.percent(row['engaged'])} of "
                f"{words.plural(row['n'], 'message')}{half}"
            )
        prefix = f"{group.label}: " if group.label else ""
        sentences.append(f"{prefix}{words.listed(told)} in the end.")
    return alt_text(f"{title}.", sentences, sentences)
