"""The overlap: which channels reach the same customers, as sets with their sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.empty import no_messages, nothing
from optimove_analysis.charts.groups import MAX_PANELS, Group, checked, groups, refuse_too_many
from optimove_analysis.charts.heat import MAX_CHANNELS, Key, names_of
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.overlap_panel import left_of, upset
from optimove_analysis.charts.theme import channel_colours, finished
from optimove_analysis.schema import OVERLAP, SMALL_N

__all__ = ["overlap"]

_MOST: Final = 20
"""So many sets are drawn; the rest is said in words."""
_TOLD: Final = 5
"""So many of a group's sets, and as many groups, are read out by the alt text."""
_TITLES: Final[Mapping[str, str]] = {
    "sent": "Which channels reach the same customers",
    "delivered": "Which channels are delivered to the same customers",
    "engaged": "Which channels engage the same customers",
}


def overlap(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 370,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw an overlap's table: a bar for each set of channels, dots below it for who is in it.

    A bar is the number of customers whom exactly the channels with a dot reached, with its 95 %
    interval; a column without a dot is those whom none did. At the left stand the channels, each
    with all the customers that it reached, over whatever other channels too. The 20 largest sets
    are drawn, and how many more there are is told. A group of fewer than 30 customers is grey.

    Args:
        table: what ``overlap(interactions, ...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of the sets of one panel, of which the channels stand at the left.
        columns: panels side by side.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not an overlap's.
        InputError: it has more channels or groups than a picture can show.

    >>> from optimove_analysis.schema import OVERLAP
    >>> overlap(OVERLAP.empty()).to_dict()["description"]
    'Which channels reach the same customers: no messages. Nothing was sent in this range.'
    """
    table = checked(table, OVERLAP, "overlap")
    of = table["of"].unique(maintain_order=True).to_list()
    heading = title or _TITLES[of[0] if len(of) == 1 else "sent"]
    if table.is_empty():
        return no_messages(table, heading)
    if not table["n_channels"].sum():
        whom = words.plural(int(table["customers"].sum()), "customer")
        why = f"Of {whom} with a message that counts no channel reached any ({', '.join(of)})."
        return nothing(heading, "Nobody was reached", why)
    drawn = groups(table, OVERLAP, ["channel_ids"], split=False)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    names = _names(table)
    palette = channel_colours(names.values()) | dict(colours or {})
    is_one, left = len(drawn) == 1, left_of(names.values())
    panels = [_panel(group, names, palette, width, left=left, is_one=is_one) for group in drawn]
    columns = min(columns, len(drawn))
    n = words.plural(drawn[0].rows["total"][0], "customer") if is_one else ""
    return finished(
        concat(*panels, columns=columns, spacing=34),
        title=heading,
        told=[
            words.settings(table, n=n),
            _how(table, of),
            _left_out(drawn[0].rows) if is_one else "",
        ],
        width=columns * (left + width),
        description=_description(heading, drawn, names),
    )


def _names(table: pl.DataFrame) -> dict[Key, str]:
    """Return a name for each channel, those that reached most customers first."""
    most: dict[Key, int] = {}
    lists = table.select("channel_ids", "channels", "channel_customers").iter_rows()
    for ids, called, sizes in lists:
        for number, name, size in zip(ids, called, sizes, strict=True):
            most[number, name] = max(size, most.get((number, name), 0))
    refuse_too_many(len(most), MAX_CHANNELS, "channels")
    return names_of(sorted(most, key=lambda key: -most[key]))


def _panel(
    group: Group,
    names: Mapping[Key, str],
    palette: Mapping[str, str],
    width: int,
    *,
    left: int,
    is_one: bool,
) -> alt.LayerChart:
    largest = _largest(group.rows)
    own: dict[Key, int] = {}
    for row in group.rows.iter_rows(named=True):
        own |= dict(zip(_members(row), row["channel_customers"], strict=True))
    rows = {key: place for place, key in enumerate(key for key in names if key in own)}
    channels = [
        {"row": rows[key], "name": names[key], "customers": own[key], "text": f"{own[key]:,}"}
        for key in rows
    ]
    sets = [
        {
            "place": place,
            **{name: row[name] for name in ("customers", "total", "share", "messages", "small")},
            "lo_count": row["lo"] * row["total"],
            "hi_count": row["hi"] * row["total"],
            "rows": sorted(rows[key] for key in _members(row)),
            "channels": _called(row, names),
            "text": f"{row['customers']:,}",
            "k_of_n": _k_of_n(row),
        }
        for place, row in enumerate(largest.iter_rows(named=True))
    ]
    told = [words.plural(largest["total"][0], "customer"), _left_out(group.rows)]
    lines = words.lines([" \N{MIDDLE DOT} ".join(part for part in told if part)], left + width)
    head = {} if is_one else {"title": alt.Title(group.label, subtitle=lines, fontSize=13)}
    return upset(sets, channels, palette, width, left=left, head=head)


def _largest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("customers", descending=True, maintain_order=True).head(_MOST)


def _members(row: Mapping[str, Any]) -> list[Key]:
    return list(zip(row["channel_ids"], row["channels"], strict=True))


def _called(row: Mapping[str, Any], names: Mapping[Key, str]) -> str:
    return words.listed([names[key] for key in _members(row)]) or "no channel"


def _k_of_n(row: Mapping[str, Any]) -> str:
    share = words.k_of_n(row["customers"], row["total"], row["share"])
    return f"{share} ({words.interval(row['lo'], row['hi'])})"


def _how(table: pl.DataFrame, of: Sequence[str]) -> str:
    reached = {
        "sent": "Reached: a message was sent.",
        "delivered": "Reached: a message was delivered.",
        "engaged": "Reached: a message was engaged with.",
    }
    parts = [
        " / ".join(reached[one] for one in of),
        f"Thin line: 95{words.NBSP}% interval.",
        "No dot: no channel." if 0 in table["n_channels"] else "",
        f"Grey: fewer than {SMALL_N} customers." if table["small"].any() else "",
    ]
    return " ".join(part for part in parts if part)


def _left_out(rows: pl.DataFrame) -> str:
    """Say what is not drawn: sets are exact, so their customers add up."""
    rest = rows.height - _MOST
    if rest <= 0:
        return ""
    customers = int(rows["customers"].sum()) - int(_largest(rows)["customers"].sum())
    sets = f"{words.plural(rest, 'smaller set')} with {words.plural(customers, 'customer')}"
    return f"{sets} {'is' if rest == 1 else 'are'} not drawn."


def _description(heading: str, drawn: Sequence[Group], names: Mapping[Key, str]) -> str:
    parts = [f"{heading}: bars of customers by the exact set of channels."]
    for group in drawn[:_TOLD]:
        prefix = f"{group.label}: " if group.label else ""
        rows = _largest(group.rows)
        own: dict[Key, int] = {}
        for row in group.rows.iter_rows(named=True):
            own |= dict(zip(_members(row), row["channel_customers"], strict=True))
        total = words.plural(rows["total"][0], "customer")
        each = [f"{names[key]} {own[key]:,}" for key in names if key in own]
        parts.append(f"{prefix}Of {total}, reached at all: {words.listed(each) or 'nobody'}.")
        told = [
            f"{_called(row, names)} {words.plural(row['customers'], 'customer')} "
            f"({words.percent(row['share'])}, {words.interval(row['lo'], row['hi'])})"
            for row in rows.head(_TOLD).iter_rows(named=True)
        ]
        parts.append(f"Reached by exactly: {'; '.join(told)}.")
        if group.rows.height > _TOLD:
            rest = int(group.rows["customers"].sum()) - int(rows.head(_TOLD)["customers"].sum())
            further = words.plural(group.rows.height - _TOLD, "further set")
            parts.append(f"{further} with {words.plural(rest, 'customer')}.")
    if len(drawn) > _TOLD:
        parts.append(f"And {words.plural(len(drawn) - _TOLD, 'further group')}.")
    return " ".join(parts)
