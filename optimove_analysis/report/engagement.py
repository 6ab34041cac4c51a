"""The standard report of an audience: how far its messages got, and on which channels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from optimove_analysis import charts
from optimove_analysis.analysis.methods import methods_of_tables
from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group, checked, groups
from optimove_analysis.charts.tables import main_columns
from optimove_analysis.report.build import build
from optimove_analysis.report.notes import by_channel, by_group, told
from optimove_analysis.report.section import Section
from optimove_analysis.schema import CHANNEL_MIX, FUNNEL, STAGES

__all__ = ["engagement"]

_PERCENT_95: Final = f"95{words.NBSP}% interval"
_TOLD: Final = 12
"""Groups told in sentences; the table has them all."""


def engagement(
    funnel: pl.DataFrame,
    mix: pl.DataFrame,
    path: str | os.PathLike[str],
    *,
    mix_over_time: pl.DataFrame | None = None,
    title: str = "How customers engaged",
    intro: str = "",
    provenance: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Path:
    """Write the standard report: what it says in sentences, charts, tables, methods, provenance.

    Args:
        funnel: what ``funnel(interactions, by=...)`` returns.
        mix: what ``channel_mix(interactions)`` returns, over all time.
        path: where to.
        mix_over_time: what ``channel_mix(interactions, every=...)`` returns.
        title: the report's title.
        intro: paragraphs before all else: whom and what it is about.
        provenance: what the numbers rest on; see ``build``.
        now: the time to print, if not the present one.

    Returns:
        The path written.

    Raises:
        SchemaError: a table is not what the function named in the message returns.
        InputError: a table has too many groups to draw, or the path cannot be written.
    """
    funnel = checked(funnel, FUNNEL, "funnel")
    mix = checked(mix, CHANNEL_MIX, "channel_mix")
    tables = [funnel, mix]
    # One palette for the whole report, so that a channel has one colour whichever chart it is in.
    names = [*funnel["channel"], *mix["channel"]]
    if mix_over_time is not None:
        mix_over_time = checked(mix_over_time, CHANNEL_MIX, "channel_mix")
        tables.append(mix_over_time)
        names += mix_over_time["channel"].to_list()
    colours = charts.channel_colours(names)
    reached = by_group(groups(funnel, FUNNEL, ["stage"], split=True))
    shared = by_channel(groups(mix, CHANNEL_MIX, ["period", "channel_id"], split=False))
    sections = [
        Section(
            "From sent to clicked",
            "\n\n".join(_reached(funnel)),
            charts.funnel(funnel, colours=colours),
            main_columns(funnel),
            told(reached),
            charts.funnel(funnel, colours=colours, width=150, columns=1),
        ),
        Section(
            "Channel mix",
            "\n\n".join(_shares(mix)),
            charts.channel_mix(mix, colours=colours),
            main_columns(mix),
            told(shared, before=reached),
            charts.channel_mix(mix, colours=colours, width=110),
        ),
    ]
    if mix_over_time is not None:
        sections.append(
            Section(
                "Channel mix over time",
                _over_time(mix_over_time),
                charts.channel_mix(mix_over_time, colours=colours),
                # A period's notes are too many to list: they stand in its row.
                main_columns(mix_over_time, also=["notes"]),
                narrow=charts.channel_mix(mix_over_time, colours=colours, width=320, columns=1),
            )
        )
    counted = funnel.filter(pl.col("sent") > 0)
    sections.append(Section("Methods", methods_of_tables(counted, mix.filter(pl.col("sends") > 0))))
    return build(
        sections,
        path,
        title=title,
        intro=intro,
        provenance={
            **(provenance or {}),
            "Settings": words.settings(counted if counted.height else funnel),
        },
        now=now,
    )


def _reached(funnel: pl.DataFrame) -> list[str]:
    drawn = groups(funnel, FUNNEL, ["stage"], split=True)
    sentences = [text for group in drawn[:_TOLD] if (text := _furthest(group))]
    if len(drawn) > _TOLD:
        sentences.append(f"The table tells of {len(drawn) - _TOLD} more groups.")
    return sentences or ["No messages were sent in this range, or none whose window has closed."]


def _furthest(group: Group) -> str:
    """Tell the furthest stage of a group: the rate, its interval and what it divides by."""
    known = group.rows.filter(pl.col("messages").is_not_null())
    if known.is_empty() or not known["sent"][0]:
        return ""
    row: dict[str, Any] = known.row(-1, named=True)
    sent = words.plural(row["sent"], "message")
    whom = words.plural(row["customers"], "customer")
    if row["stage"] == STAGES[0]:
        return f"{group.label}: {sent} sent to {whom}; no further stage is known."
    # Not "click rate": that is clicked / delivered, and this is of what was sent.
    text = (
        f"{group.label}: {words.percent(row['overall_rate'])} {row['stage']} ({_PERCENT_95} "
        f"{words.interval(row['overall_lo'], row['overall_hi'])}) of {sent} sent to {whom}."
    )
    if row["small"]:
        text += " So few messages say little: read the interval, not the rate."
    if row["n_immature"]:
        text += f" Not in the rate: {words.plural(row['n_immature'], 'message')} too young to tell."
    return text


def _shares(mix: pl.DataFrame) -> list[str]:
    sentences: list[str] = []
    for group in groups(mix, CHANNEL_MIX, ["period", "channel_id"], split=False)[:_TOLD]:
        rows = group.rows.filter(pl.col("sends") > 0)
        rows = rows.sort("share_of_sends", descending=True, maintain_order=True)
        lines = [_index(row) for row in rows.iter_rows(named=True)]
        if lines:
            start = f"{group.label}: " if group.label else ""
            sentences += [start + lines[0], *lines[1:]]
    return sentences or ["No messages were sent in this range, or none whose window has closed."]


def _index(row: Mapping[str, Any]) -> str:
    channel = row["channel"] or f"Channel {row['channel_id']}"
    text = f"{channel} makes up {words.percent(row['share_of_sends'])} of sends"
    if row["share_of_engagements"] is None:
        return f"{text}; it reports no engagement."
    text += f" and {words.percent(row['share_of_engagements'])} of engagements"
    if row["index"] is None or row["index_lo"] is None or row["index_hi"] is None:
        return f"{text}."
    if row["index_lo"] > 1:
        verdict = "more than its share"
    elif row["index_hi"] < 1:
        verdict = "less than its share"
    else:
        verdict = "not to be told from its share"
    return (
        f"{text}: {verdict} (index {words.ratio(row['index'])}, {_PERCENT_95} "
        f"{words.ratio_interval(row['index_lo'], row['index_hi'])})."
    )


def _over_time(mix: pl.DataFrame) -> str:
    days = mix["period"].drop_nulls().unique().sort()
    if days.is_empty():
        return "No messages were sent in this range, or none whose window has closed."
    return (
        f"{words.plural(len(days), 'period')}, the first from {days[0]}, the last from {days[-1]}. "
        "A period without messages is a gap."
    )
