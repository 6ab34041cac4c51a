"""Transitions as a heat map: on which channel the next message came, by that of the one before."""

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
from optimove_analysis.schema import SMALL_N, TRANSITIONS

__all__ = ["transitions"]

_TITLE: Final = "On which channel the next message came"
_TOLD: Final = 12
"""So many rows are read out by the alt text."""


def transitions(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 390,
    columns: int = 1,
) -> alt.ConcatChart | alt.Chart:
    """Draw a transitions' table: a row for each earlier channel, a column for each next one.

    A cell's number, and how strong its colour is, is the share of what followed messages on the
    row's channel; rows add up to 100 %. Channels are in the order of how much was sent on them.
    Rows that rest on fewer than 30 transitions are grey. One panel a group, in the same colours.

    Args:
        table: what ``transitions(interactions, ...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of the cells of one panel, of which names and numbers stand outside; more
            where many channels need it.
        columns: panels side by side.

    Raises:
        SchemaError: the table is not one of transitions.
        InputError: it has more channels or groups than a picture can show.

    >>> from optimove_analysis.schema import TRANSITIONS
    >>> transitions(TRANSITIONS.empty()).to_dict()["title"]["subtitle"]
    ['No customer was sent a second message.']
    """
    table = checked(table, TRANSITIONS, "transitions")
    some = table.filter(pl.col("n") > 0)
    if some.is_empty():
        ties = int(table["n_tied"].sum())
        why = (
            f"{words.plural(ties, 'pair')} of messages: all are ties, of which a day cannot say "
            "which came first."
            if ties
            else "No customer was sent a second message."
        )
        return nothing(title or _TITLE, "No transitions", why)
    drawn = groups(table, TRANSITIONS, ["from_channel_id", "to_channel_id"], split=False)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    order = list(dict.fromkeys([*by_size(some, "from"), *by_size(some, "to")]))
    names = names_of(order)
    sent_on = {key[0] for key in by_size(some, "from")}
    grid = Grid(
        rows=[name for key, name in names.items() if key[0] in sent_on],
        columns=list(names.values()),
        width=width,
        row_title="earlier message",
        column_title="next message",
        n_title="transitions",
        tooltip=[
            alt.Tooltip("from:N", title=TRANSITIONS.label("from_channel")),
            alt.Tooltip("to:N", title=TRANSITIONS.label("to_channel")),
            alt.Tooltip("k_of_n:N", title=TRANSITIONS.label("share")),
            alt.Tooltip("customers:Q", title=TRANSITIONS.label("customers"), format=",d"),
        ],
    )
    cells = [_cells(group, names) for group in drawn]
    refuse_too_large(sum(map(len, cells)))
    top = fullest(cells)
    is_one = len(drawn) == 1
    panels = [
        panel(of_group, grid, top=top, title=group.label, told="" if is_one else _size(group))
        for group, of_group in zip(drawn, cells, strict=True)
    ]
    columns = min(columns, len(drawn))
    n = words.plural(int(some["n"].sum()), "transition")
    how = [
        "Numbers: share of what followed, in %; a row adds up to 100 %.",
        f"Grey: fewer than {SMALL_N} transitions." if some["small"].any() else "",
    ]
    return finished(
        concat(*panels, columns=columns, spacing=34),
        title=title or _TITLE,
        told=[words.settings(some, n=n), _ties(drawn[0].rows) if is_one else "", " ".join(how)],
        width=whole_width(grid, columns),
        description=_description(drawn, names),
    )


def _cells(group: Group, names: Mapping[Key, str]) -> list[dict[str, Any]]:
    """Return a cell for each earlier channel of the group and each next one of all groups."""
    seen = {
        (end_of(row, "from"), end_of(row, "to")): row
        for row in group.rows.filter(pl.col("n") > 0).iter_rows(named=True)
    }
    starts = {start: row for (start, _), row in seen.items()}
    cells = []
    for start in (key for key in names if key in starts):
        for end in names:
            # What never came has no row: it is 0 of what came from there.
            row = seen.get((start, end), starts[start] | {"n": 0, "share": 0.0})
            is_seen = (start, end) in seen
            cells.append(
                {
                    "from": names[start],
                    "to": names[end],
                    **{name: row[name] for name in ("n", "share", "n_from", "customers")},
                    "is_rest": False,
                    "more": "",
                    "tone": FEW if row["small"] else SHARE,
                    "text": words.percent(row["share"], sign=False),
                    "n_from_text": f"{row['n_from']:,}",
                    "k_of_n": k_of_n(row) if is_seen else f"0 / {row['n_from']:,}",
                }
            )
    return cells


def _ties(rows: pl.DataFrame) -> str:
    """Say how many pairs a day cannot order; they are the same in all rows of a group."""
    tied, share = rows["n_tied"][0], words.percent(rows["tied_share"][0])
    if not tied:
        return "No pair is a tie."
    return (
        f"Left out: {words.plural(tied, 'tie')}, {share} of all pairs of messages, of which a day "
        "cannot say which came first."
    )


def _size(group: Group) -> str:
    n = words.plural(int(group.rows["n"].sum()), "transition")
    tied = words.percent(group.rows["tied_share"][0])
    return f"{n}; {tied} of all pairs are ties"


def _description(drawn: Sequence[Group], names: Mapping[Key, str]) -> str:
    parts = ["Heat map of the channel of the next message, by the channel of the one before."]
    lines = []
    for group in drawn:
        prefix = f"{group.label}: " if group.label else ""
        by_start: dict[Key, list[dict[str, Any]]] = {}
        rows = group.rows.filter(pl.col("n") > 0).sort("n", descending=True, maintain_order=True)
        for row in rows.iter_rows(named=True):
            by_start.setdefault(end_of(row, "from"), []).append(row)
        for start in (key for key in names if key in by_start):
            told = [
                f"{names[end_of(row, 'to')]} in {words.percent(row['share'])} "
                f"({words.interval(row['lo'], row['hi'])})"
                for row in by_start[start][:3]
            ]
            n = words.plural(by_start[start][0]["n_from"], "message")
            lines.append(f"{prefix}After {n} on {names[start]} came {words.listed(told)}.")
        lines.append(f"{prefix}{_ties(group.rows)}")
    parts += lines[:_TOLD]
    if len(lines) > _TOLD:
        parts.append(f"And {words.plural(len(lines) - _TOLD, 'further sentence')} as these.")
    return " ".join(parts)
