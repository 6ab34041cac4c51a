"""A funnel as bars: how many messages reached each stage, and with what certainty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import alt_text
from optimove_analysis.charts.bars import Bars
from optimove_analysis.charts.empty import no_messages
from optimove_analysis.charts.groups import (
    ALL_CHANNELS,
    MAX_PANELS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, channel_colours, finished
from optimove_analysis.schema import FUNNEL, STAGES

__all__ = ["funnel"]


def funnel(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 190,
    columns: int = 2,
    colours: Mapping[str, str] | None = None,
) -> alt.FacetChart | alt.Chart:
    """Draw a funnel's table: a panel a group, a bar a stage.

    A bar's solid part was observed, its faint part is implied by a later stage; the thin line is
    the 95 % interval of the share of sent. A stage that the channel lacks says "n/a", a rate over
    nothing is a dash. Groups with fewer than 30 messages are grey.

    Args:
        table: what ``funnel(interactions, by=...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of the longest bar of a panel.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not a funnel's.
        InputError: it has more groups than a picture can show.
    """
    table = checked(table, FUNNEL, "funnel")
    if table.is_empty() or not table["sent"].sum():
        first = table.filter(pl.col("stage") == STAGES[0])
        return no_messages(first, title or "Funnel")
    drawn = groups(table, FUNNEL, ["stage"], split=True)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    records = [_record(group, row) for group in drawn for row in group.rows.iter_rows(named=True)]
    palette = channel_colours(table["channel"]) | dict(colours or {})
    palette |= {ALL_CHANNELS: TOTAL_COLOUR, words.FEW: SMALL_COLOUR}
    noun = str(table["unit"][0]).replace("_", "-")
    bars = Bars(
        row="stage",
        order=[stage.capitalize() for stage in STAGES],
        solid="n_observed",
        end="messages",
        texts=[
            ("count_text", 66, f"{noun}s"),
            ("overall_text", 130, "of sent"),
            ("step_text", 222, "of stage before"),
        ],
        tooltip=_tooltip(),
        width=width,
    )
    return finished(
        bars.panels(records, drawn, palette, columns),
        title=title or _title(drawn),
        told=[words.settings(table.filter(pl.col("sent") > 0)), _legend(records)],
        width=min(columns, len(drawn)) * bars.wide,
        description=_description(drawn, noun),
    )


def _record(group: Group, row: Mapping[str, Any]) -> dict[str, Any]:
    """Make a bar's datum: the table's own numbers, and the same as text."""
    lacks = row["messages"] is None
    overall, step = row["overall_rate"], row["step_rate"]
    low, high = row["overall_lo"], row["overall_hi"]
    if row["stage"] == STAGES[0]:
        low = high = overall  # 1 by definition: there is no uncertainty to draw
    left_out = [f"{row['n_immature']:,} immature"] if row["n_immature"] else []
    if row["n_unobserved"]:
        left_out.append(f"{row['n_unobserved']:,} without a send")
    numbers = ("messages", "n_observed", "n_implied", "n_late", "n_immature", "sent", "previous")
    rates = ("overall_rate", "overall_lo", "overall_hi", "step_rate", "step_lo", "step_hi")
    return {
        "group": group.label,
        "channel": row["channel"] or ALL_CHANNELS,
        "colour": words.FEW if row["small"] else row["channel"] or ALL_CHANNELS,
        "stage": row["stage"].capitalize(),
        **{name: row[name] for name in (*numbers, *rates, "customers")},
        "lo_count": None if low is None else low * row["sent"],
        "hi_count": None if high is None else high * row["sent"],
        "count_text": words.count(row["messages"]),
        "overall_text": "" if lacks else words.percent(overall),
        "step_text": "" if row["previous"] is None else words.percent(step),
        "of_sent": words.k_of_n(row["messages"], row["sent"], overall),
        "of_previous": words.k_of_n(row["messages"], row["previous"], step),
        "overall_interval": words.interval(row["overall_lo"], row["overall_hi"]),
        "step_interval": words.interval(row["step_lo"], row["step_hi"]),
        "who": " \N{MIDDLE DOT} ".join([words.plural(row["customers"], "customer"), *left_out]),
    }


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("stage:N", title=FUNNEL.label("stage")),
        alt.Tooltip("of_sent:N", title=FUNNEL.label("overall_rate")),
        alt.Tooltip("overall_interval:N", title="95 % interval"),
        alt.Tooltip("of_previous:N", title=FUNNEL.label("step_rate")),
        alt.Tooltip("step_interval:N", title="95 % interval of that"),
        *(
            alt.Tooltip(f"{name}:Q", title=FUNNEL.label(name), format=",d")
            for name in ("n_observed", "n_implied", "n_late", "n_immature", "customers")
        ),
    ]


def _title(drawn: list[Group]) -> str:
    if len(drawn) == 1:
        return "From sent to clicked"
    channels = {group.rows["channel"][0] for group in drawn}
    return "From sent to clicked, by channel" if len(channels) > 1 else "From sent to clicked"


def _legend(records: list[dict[str, Any]]) -> str:
    parts = []
    if any(record["n_implied"] for record in records):
        parts.append("Solid: observed; faint: implied by a later stage.")
    if any(record["lo_count"] != record["hi_count"] for record in records):
        parts.append(f"Thin line: 95{words.NBSP}% interval of the share of sent.")
    if any(record["colour"] == words.FEW for record in records):
        parts.append(f"Grey: {words.FEW}.")
    if any(record["messages"] is None for record in records):
        parts.append("n/a: no such stage.")
    return " ".join(parts)


def _description(drawn: list[Group], noun: str) -> str:
    return alt_text(
        f"Funnel of {noun}s.",
        [_sentence(group, noun) for group in drawn],
        [_brief(group, noun) for group in drawn],
    )


def _brief(group: Group, noun: str) -> str:
    rows = list(group.rows.iter_rows(named=True))
    known = [row for row in rows[1:] if row["messages"] is not None]
    parts = [f"{words.percent(row['overall_rate'])} {row['stage']}" for row in known]
    few = " (few)" if rows[0]["small"] else ""
    return f"{group.label}: {', '.join([words.plural(rows[0]['sent'], noun) + few, *parts])}."


def _sentence(group: Group, noun: str) -> str:
    rows = list(group.rows.iter_rows(named=True))
    first = rows[0]
    whom = words.plural(first["customers"], "customer")
    start = f"{group.label}: of {words.plural(first['sent'], noun)} sent to {whom}"
    if noun != "message":
        start = f"{group.label}: of {words.plural(first['sent'], noun)} with a message sent"
    reached = [row for row in rows if row["messages"] is not None and row["stage"] != STAGES[0]]
    if not reached:
        return f"{start}, no further stage is known."
    parts = [
        f"{row['messages']:,} were {row['stage']} ({words.percent(row['overall_rate'])}, "
        f"95{words.NBSP}% interval {words.interval(row['overall_lo'], row['overall_hi'])})"
        for row in reached
    ]
    small = f" These are {words.FEW}: read the intervals." if first["small"] else ""
    return f"{start}, {words.listed(parts)}.{small}"
