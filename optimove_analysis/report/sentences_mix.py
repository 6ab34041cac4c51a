"""What a report says of channels side by side: the mix, and who is reached by which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group, groups
from optimove_analysis.report.sentences_parts import (
    EMPTY,
    FEW,
    FEW_CUSTOMERS,
    capped,
    index,
    rate,
    recent,
    short,
    started,
)
from optimove_analysis.schema import CHANNEL_MIX, OVERLAP

__all__ = ["channel_mix", "overlap"]

_OF: Final[Mapping[str, str]] = {"clicked": "click", "opened": "open", "delivered": "delivery"}
"""An engagement by what counts as one."""
_SETS: Final = 4
_WERE: Final = {
    "sent": "were sent messages",
    "delivered": "had messages delivered",
    "engaged": "engaged",
}
_DONE: Final = {"sent": "sent", "delivered": "delivered", "engaged": "engaged with"}


def channel_mix(table: pl.DataFrame) -> list[str]:
    """Tell each channel's share of the sends and of the engagements; of periods how many."""
    if table["period"].is_not_null().any():
        return [_over_time(table)]
    drawn = groups(table, CHANNEL_MIX, ["period", "channel_id"], split=False)
    units = [told for group in drawn if (told := _shares(group))]
    # Of a group as many channels as there is room for.
    units = [capped([[sentence] for sentence in unit], "channel") for unit in units]
    return [*(capped(units) or [EMPTY]), *recent(int(table["n_immature"].sum()))]


def _over_time(table: pl.DataFrame) -> str:
    days = table.filter(pl.col("sends") > 0)["period"].drop_nulls().unique().sort()
    if days.is_empty():
        return EMPTY
    if len(days) == 1:
        return f"All messages are of one period, which begins on {days[0]}."
    return (
        f"The mix is counted in {words.plural(len(days), 'period')}, the first from {days[0]}, the "
        f"last from {days[-1]}. A period without messages is a gap."
    )


def _shares(group: Group) -> list[str]:
    rows = group.rows.filter(pl.col("sends") > 0)
    rows = rows.sort("share_of_sends", descending=True, maintain_order=True)
    if rows.is_empty():
        return []
    if rows.height == 1:
        return [started(group.label, _only(rows.row(0, named=True)))]
    noun = _OF.get(rows["of"][0], "engagement")
    sends = f"{int(rows['sends'].sum()):,} messages sent"
    engaged = words.plural(int(rows["engagements"].sum()), noun)
    first, *others = rows.iter_rows(named=True)
    told = [_channel(first, sends, engaged)]
    told += [
        _channel(row, "messages sent", "deliveries" if noun == "delivery" else f"{noun}s")
        for row in others
    ]
    return [started(group.label, sentence) if group.label else sentence for sentence in told]


def _only(row: Mapping[str, Any]) -> str:
    text = f"all {words.plural(row['sends'], 'message')} were sent on {_name(row)}"
    if row["sends"] == 1:
        text = f"the only message was sent on {_name(row)}"
    if row["engagements"] is None:
        return f"{text}, which reports no engagement."
    return f"{text}, with {words.plural(row['engagements'], _OF.get(row['of'], 'engagement'))}."


def _name(row: Mapping[str, Any]) -> str:
    return short(row["channel"] or f"Channel {row['channel_id']}")


def _channel(row: Mapping[str, Any], sends: str, engagements: str) -> str:
    text = f"{_name(row)} makes up {words.percent(row['share_of_sends'])} of {sends}"
    if row["engagements"] is None:
        return f"{text}; it reports no engagement."
    if row["share_of_engagements"] is None:
        return f"{text}; nothing was engaged with."
    text += f" and {words.percent(row['share_of_engagements'])} of {engagements}"
    lo, hi = row["index_lo"], row["index_hi"]
    if row["index"] is None:
        return f"{text}."
    if lo is None or hi is None:
        verdict = ""
    elif lo > 1:
        verdict = "more than its share, "
    elif hi < 1:
        verdict = "less than its share, "
    else:
        verdict = "not to be told from its share, "
    few = f" {FEW}" if row["small"] else ""
    return f"{text}: {verdict}index {index(row['index'], lo, hi)}.{few}"


def overlap(table: pl.DataFrame) -> list[str]:
    """Tell of each group the sets of channels that reached most customers."""
    drawn = groups(table, OVERLAP, ["channel_ids"], split=False)
    drawn = [group for group in drawn if group.rows.height]
    units = [[started(group.label, _sets(group.rows))] for group in drawn]
    return capped(units, sizes=[int(group.rows["total"][0]) for group in drawn]) or [EMPTY]


def _sets(rows: pl.DataFrame) -> str:
    rows = rows.sort("customers", descending=True, maintain_order=True)
    first: dict[str, Any] = rows.row(0, named=True)
    if first["total"] == 1:
        on = words.listed([short(name) for name in first["channels"]])
        done = _DONE[first["of"]]
        return f"messages were {done} on {on}." if on else f"no message was {done}."
    told = [
        f"{_set(row['channels'])} {rate(row['share'], row['lo'], row['hi'])}"
        for row in rows.head(_SETS).iter_rows(named=True)
    ]
    if rows.height > _SETS:
        told.append(words.plural(rows.height - _SETS, "more set"))
    few = f" {FEW_CUSTOMERS}" if first["small"] else ""
    return (
        f"the channels on which {first['total']:,} customers {_WERE[first['of']]}: "
        f"{words.listed(told)}.{few}"
    )


def _set(channels: list[str]) -> str:
    if not channels:
        return "none"
    # Not as a sentence lists, since these stand in a list.
    names = " + ".join(short(name) for name in channels)
    return f"{names} alone" if len(channels) == 1 else names
