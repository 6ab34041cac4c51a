"""The hand-off as a heat map: where the next engagement came, after an unanswered message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import MAX_PANELS, Group, checked, groups, refuse_too_many
from optimove_analysis.charts.heat import (
    FEW,
    REST,
    SHARE,
    Grid,
    Key,
    by_size,
    end_of,
    fullest,
    k_of_n,
    names_of,
    panel,
    refuse_too_large,
    whole_width,
)
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.theme import finished
from optimove_analysis.schema import HAND_OFF, SMALL_N

__all__ = ["hand_off"]

_TITLE: Final = "Where the next engagement came, after an unanswered message"
_SEVERAL: Final = "several"
_NONE: Final = "none"
_TOLD: Final = 12
"""So many rows are read out by the alt text."""


def hand_off(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 390,
    columns: int = 1,
) -> alt.ConcatChart | alt.Chart:
    """Draw a hand-off's table: a row a channel with unanswered messages, a column what came next.

    A cell's number, and how strong its colour is, is the share of the row's unanswered messages
    after which the customer engaged next on the column's channel, on several on one day, or did
    not engage (grey, since it is no channel); below it stands the median of the days until then.
    Rows add up to 100 %. Channels are in the order of their unanswered messages. Rows of fewer
    than 30 are grey. One panel a group, in the same colours.

    Args:
        table: what ``hand_off(interactions, ...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of the cells of one panel, of which names and numbers stand outside; more
            where many channels need it.
        columns: panels side by side.

    Raises:
        SchemaError: the table is not a hand-off's.
        InputError: it has more channels or groups than a picture can show.

    >>> from optimove_analysis.schema import HAND_OFF
    >>> hand_off(HAND_OFF.empty()).to_dict()["title"]["subtitle"]
    ['No mature message was delivered and stayed without an answer.']
    """
    table = checked(table, HAND_OFF, "hand_off")
    if table.is_empty():
        why = "No mature message was delivered and stayed without an answer."
        return nothing(title or _TITLE, "No unanswered messages", why)
    drawn = groups(table, HAND_OFF, ["from_channel_id", "next", "to_channel_id"], split=False)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    starts = by_size(table, "from")
    ends = by_size(table.filter(pl.col("next") == "engaged"), "to")
    names = names_of(list(dict.fromkeys([*starts, *ends])), (_SEVERAL, _NONE))
    reached = set(ends)
    has_several = (table["next"] == "several").any()
    grid = Grid(
        rows=[names[start] for start in starts],
        columns=[
            *(name for key, name in names.items() if key in reached),
            *([_SEVERAL] if has_several else []),
            _NONE,
        ],
        width=width,
        row_title="unanswered",
        column_title="next engagement",
        n_title="messages",
        tooltip=[
            alt.Tooltip("from:N", title=HAND_OFF.label("from_channel")),
            alt.Tooltip("to:N", title=HAND_OFF.label("next")),
            alt.Tooltip("k_of_n:N", title=HAND_OFF.label("share")),
            alt.Tooltip("days:N", title=HAND_OFF.label("median_days")),
            alt.Tooltip("quartiles:N", title="Half took"),
            alt.Tooltip("customers:Q", title=HAND_OFF.label("customers"), format=",d"),
        ],
        is_double=True,
    )
    cells = [_cells(group, names, grid.columns) for group in drawn]
    refuse_too_large(sum(map(len, cells)))
    top = fullest(cells)
    panels = [
        panel(
            of_group, grid, top=top, title=group.label, told="" if len(drawn) == 1 else _size(group)
        )
        for group, of_group in zip(drawn, cells, strict=True)
    ]
    columns = min(columns, len(drawn))
    return finished(
        concat(*panels, columns=columns, spacing=34),
        title=title or _TITLE,
        told=_told(table, has_several=has_several),
        width=whole_width(grid, columns),
        description=_description(drawn, names),
    )


def _told(table: pl.DataFrame, *, has_several: bool) -> list[str]:
    n = words.plural(int(table["n"].sum()), "unanswered message")
    within = table["within"].unique(maintain_order=True)
    spans = ["as yet" if days is None else f"within {words.plural(days, 'day')}" for days in within]
    several = f'"{_SEVERAL}": on several channels on one day. ' if has_several else ""
    few = f"Grey row: fewer than {SMALL_N} messages." if table["small"].any() else ""
    return [
        words.settings(table, n=n),
        "Numbers: share of the row's messages, in %, and median days from the send.",
        f'{several}"{_NONE}": no engagement {" or ".join(spans)}. {few}',
    ]


def _cells(group: Group, names: Mapping[Key, str], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return a cell for each channel of the group and each thing that came next in any group."""
    rows = list(group.rows.iter_rows(named=True))
    seen = {(end_of(row, "from"), _next(row, names)): row for row in rows}
    starts = {start: row for (start, _), row in seen.items()}
    cells = []
    for start in (key for key in names if key in starts):
        for column in columns:
            row = seen.get((start, column))
            of = starts[start]
            tone = REST if column == _NONE else SHARE
            cell = {
                "from": names[start],
                "to": column,
                "is_rest": column == _NONE,
                "tone": FEW if of["small"] else tone,
                "n_from": of["n_from"],
                "n_from_text": f"{of['n_from']:,}",
                "customers": of["customers"],
            }
            cells.append(cell | _numbers(row, of["n_from"]))
    return cells


def _numbers(row: Mapping[str, Any] | None, n_from: int) -> dict[str, Any]:
    # What never came has no row: it is 0 of what could have.
    if row is None:
        numbers = {"n": 0, "share": 0.0, "text": "", "more": "", "k_of_n": f"0 / {n_from:,}"}
        return numbers | {
            "median_days": None,
            "days": words.NO_ANSWER,
            "quartiles": words.NO_ANSWER,
        }
    median = row["median_days"]
    days = "" if median is None else f"{median:g}{words.NBSP}{'day' if median == 1 else 'days'}"
    return {
        **{name: row[name] for name in ("n", "share", "median_days")},
        "text": words.percent(row["share"], sign=False),
        "more": days.replace("days", "d").replace("day", "d"),
        "k_of_n": k_of_n(row),
        "days": days or words.NO_ANSWER,
        "quartiles": f"{row['days_q1']:g} to {row['days_q3']:g} days" if days else words.NO_ANSWER,
    }


def _next(row: Mapping[str, Any], names: Mapping[Key, str]) -> str:
    if row["next"] == "engaged":
        return names[end_of(row, "to")]
    return _SEVERAL if row["next"] == "several" else _NONE


def _size(group: Group) -> str:
    return words.plural(int(group.rows["n"].sum()), "unanswered message")


def _description(drawn: Sequence[Group], names: Mapping[Key, str]) -> str:
    parts = ["Heat map of where customers engaged next, by the channel of an unanswered message."]
    lines = []
    for group in drawn:
        prefix = f"{group.label}: " if group.label else ""
        by_start: dict[Key, list[dict[str, Any]]] = {}
        for row in group.rows.sort("n", descending=True, maintain_order=True).iter_rows(named=True):
            by_start.setdefault(end_of(row, "from"), []).append(row)
        lines += [
            f"{prefix}After {words.plural(by_start[start][0]['n_from'], 'unanswered message')} on "
            f"{name}: {words.listed([_said(row, names) for row in by_start[start][:3]])}."
            for start, name in names.items()
            if start in by_start
        ]
    parts += lines[:_TOLD]
    if len(lines) > _TOLD:
        parts.append(f"And {words.plural(len(lines) - _TOLD, 'further row')}.")
    return " ".join(parts)


def _said(row: Mapping[str, Any], names: Mapping[Key, str]) -> str:
    what = {"several": "several channels on one day", "none": "no engagement"}
    end = what.get(row["next"]) or names[end_of(row, "to")]
    ends = words.interval(row["lo"], row["hi"])
    days = "" if row["median_days"] is None else f", after a median of {row['median_days']:g} days"
    return f"{end} in {words.percent(row['share'])} ({ends}{days})"
