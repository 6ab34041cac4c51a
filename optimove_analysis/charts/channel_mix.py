"""A channel mix: each channel's share of what was sent beside its share of the engagements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import alt_text
from optimove_analysis.charts.empty import no_messages
from optimove_analysis.charts.groups import (
    MAX_PANELS,
    MAX_ROWS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.mix_over_time import counts_left, over_time
from optimove_analysis.charts.mix_shares import left_of, reach_of, shares
from optimove_analysis.charts.theme import channel_colours, themed
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import CHANNEL_MIX

__all__ = ["channel_mix"]


def channel_mix(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int | None = None,
    columns: int | None = None,
    colours: Mapping[str, str] | None = None,
) -> alt.ConcatChart | alt.Chart:
    """Draw a channel mix's table: over time where it has periods, else one row a channel.

    Over time: the messages sent, then each channel's share of them and of the engagements. Without
    periods: both shares as dots, and the index (share of engagements / share of sends; 1 is par)
    with its 95 % interval on a log scale. One block a group.

    Args:
        table: what ``channel_mix(interactions, ...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of one panel.
        columns: groups side by side; two over time, so that a month is at one place, else one.
        colours: channel to colour, where a channel should not have its usual one.

    Raises:
        SchemaError: the table is not a channel mix's, or has periods in some rows only.
        InputError: it has more groups or periods than a picture can show.
    """
    table = checked(table, CHANNEL_MIX, "channel_mix")
    if table.is_empty() or not table["sends"].sum():
        return no_messages(table, title or "Channel mix")
    timeless = table["period"].null_count()
    if timeless not in {0, table.height}:
        message = (
            f"{timeless:,} of {table.height:,} rows of this channel mix have no period: draw the "
            "mix of all time (every=None) and the mix over time (every='1mo') apart."
        )
        raise SchemaError(message)
    dated = timeless == 0
    drawn = groups(table, CHANNEL_MIX, ["period", "channel_id"], split=False)
    refuse_too_many(len(drawn) * (3 if dated else 2), MAX_PANELS, "panels")
    refuse_too_many(table.height, MAX_ROWS, "rows")
    order, names = _channels(table)
    palette = channel_colours(order) | dict(colours or {})
    engaged = _engaged(table)
    inks = {name: palette[name] for name in order}
    blocks: list[alt.VConcatChart] | list[alt.HConcatChart]
    columns = columns or (2 if dated else 1)
    if dated:
        narrow = 560 if len(drawn) == 1 else 300
        left = counts_left(table)
        blocks = [over_time(group, names, inks, width or narrow, left) for group in drawn]
        wide = ((width or narrow) + 60) * min(len(drawn), columns)
    else:
        known = pl.concat([table["share_of_sends"], table["share_of_engagements"]]).drop_nulls()
        top = max(known)
        reach = reach_of(table)
        beside = None if len(drawn) == 1 else left_of(order)
        blocks = [
            shares(group, names, inks, width or 270, top=top, reach=reach, left=beside)
            for group in drawn
        ]
        wide = 2 * (width or 270) + 180  # two panels, the names and the numbers
    chart: alt.ConcatChart = concat(*blocks, columns=columns, spacing=34).properties(
        title=alt.Title(
            title or "Channel mix: share of sends and share of engagements",
            subtitle=words.lines(_subtitle(table, drawn, dated=dated), wide),
        ),
        description=_description(drawn, names, engaged, dated=dated),
    )
    return themed(chart)


def _channels(table: pl.DataFrame) -> tuple[list[str], dict[int | None, str]]:
    """Return channel names, most sent first, and each id's name, unlike for unlike ids."""
    pairs = (
        table.group_by("channel_id", "channel", maintain_order=True)
        .agg(pl.col("sends").sum())  # for the order of rows only: no such sum is shown
        .sort("sends", descending=True, maintain_order=True)
    )
    named = [(row[0], row[1] or f"channel {row[0]}") for row in pairs.iter_rows()]
    every = [name for _, name in named]
    names = {
        channel_id: f"{name} (id {channel_id})" if every.count(name) > 1 else name
        for channel_id, name in named
    }
    return [names[channel_id] for channel_id, _ in named], names


def _engaged(table: pl.DataFrame) -> str:
    return " / ".join(table["of"].drop_nulls().unique(maintain_order=True)) or "engaged"


def _subtitle(table: pl.DataFrame, drawn: list[Group], *, dated: bool) -> list[str]:
    of = _engaged(table)
    ignored = "ignore" in table["opens"]
    meant = {
        "engaged": "Engaged: clicked" if ignored else "Engaged: clicked or opened",
    }.get(of, f"Engagement: {of}")
    lines = [words.settings(table.filter(pl.col("sends") > 0)), f"{meant}, at most once a message."]
    if not dated:
        lines[1] += f" Thin line: 95{words.NBSP}% interval of the index; 1 is par."
        if table["small"].any():
            lines[1] += f" Grey: {words.FEW}."
    if len(drawn) == 1:
        lines.insert(0, _size(drawn[0].rows))
    return lines


def _size(rows: pl.DataFrame) -> str:
    """Say how many messages there are.

    Messages add up over channels and periods. Customers do not, since one has several channels:
    of how many customers all these are, the table does not say.
    """
    text = words.plural(int(rows["sends"].sum()), "message")
    immature = int(rows["n_immature"].sum())
    return f"{text}; {immature:,} immature left out" if immature else text


def _description(
    drawn: list[Group], names: Mapping[int | None, str], engaged: str, *, dated: bool
) -> str:
    whole, brief = [], []
    for group in drawn:
        parts = []
        prefix = f"{group.label}: " if group.label else ""
        rows = group.rows.sort("sends", descending=True, maintain_order=True)
        if dated:
            periods: list[date] = sorted(rows["period"].unique())
            for period in sorted({periods[0], periods[-1]}):
                told = [
                    f"{names[row['channel_id']]} {words.percent(row['share_of_sends'])} of sends "
                    f"and {_share(row['share_of_engagements'])} of engagements"
                    for row in rows.filter(pl.col("period") == period).iter_rows(named=True)
                ]
                parts.append(f"{prefix}In the period from {period}: {words.listed(told)}.")
        else:
            told = [
                f"{names[row['channel_id']]} has {words.percent(row['share_of_sends'])} of sends "
                f"and {_share(row['share_of_engagements'])} of engagements"
                + (
                    f" (index {words.ratio(row['index'])}, 95{words.NBSP}% interval "
                    f"{words.ratio_interval(row['index_lo'], row['index_hi'])})"
                    if row["index"] is not None
                    else ""
                )
                for row in rows.iter_rows(named=True)
            ]
            parts.append(f"{prefix}{words.listed(told)}.")
        whole.append(" ".join(parts))
        brief.append(_brief(group, names))
    return alt_text(f"Channel mix of messages sent and {engaged}.", whole, brief)


def _brief(group: Group, names: Mapping[int | None, str]) -> str:
    """Say how many messages a group has, and on which channel most of them were sent."""
    sent = group.rows.group_by("channel_id", maintain_order=True).agg(pl.col("sends").sum())
    most = sent.sort("sends", descending=True, maintain_order=True).row(0, named=True)
    return (
        f"{group.label}: of {words.plural(int(sent['sends'].sum()), 'message')} most, "
        f"{most['sends']:,}, on {names[most['channel_id']]}."
    )


def _share(share: float | None) -> str:
    return "no known share" if share is None else words.percent(share)
