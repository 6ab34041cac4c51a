"""Drift: how far a mix is from that of the period before, beside how far it would be by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import (
    MAX_PANELS,
    MAX_ROWS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.periods import period_axis
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, finished
from optimove_analysis.schema import DRIFT, SMALL_N

__all__ = ["drift"]

_TITLE: Final = "How far the channel mix moved"
_NEUTRAL: Final = {"few": SMALL_COLOUR, "enough": TOTAL_COLOUR}
_ROWS: Final = 60
"""So many groups, each with one pair of periods, are rows that can be read."""
_TEXT: Final = 150
_HEIGHT: Final = 110
_ROW: Final = 26
_TOLD: Final = 12


def drift(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 480,
    columns: int = 1,
) -> alt.ConcatChart | alt.Chart:
    """Draw a drift's table: the divergence of two mixes as a dot, what chance gives as a band.

    A divergence that is beyond what chance gives 95 times of 100 is a full dot, else a ring. With
    ``every`` there is a dot a period, at the period whose mix is held against the one before, in
    one block a group; with two periods a row a group. The mix of sends stands above that of the
    engagements, on the same scale. Grey: fewer than 30 in one of the periods; a dash: no answer.

    Args:
        table: what ``drift(interactions, ...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of one panel, the numbers beside rows included.
        columns: groups side by side, where each has several periods.

    Raises:
        SchemaError: the table is not a drift's.
        InputError: it has more groups or periods than a picture can show.

    >>> from optimove_analysis.schema import DRIFT
    >>> drift(DRIFT.empty()).to_dict()["title"]["subtitle"]
    ['No period has a message that counts.']
    """
    table = checked(table, DRIFT, "drift")
    if table["divergence"].null_count() == table.height:
        why = "No period has a message that counts."
        if table.height:
            why = "No two periods have messages or engagements that count in both."
        return nothing(title or _TITLE, "No comparison", why)
    drawn = groups(table, DRIFT, ["before_from", "after_from", "share"], split=False)
    refuse_too_many(table.height, MAX_ROWS, "rows")
    top = max(table.select("divergence", "by_chance_95").max().row(0))
    records = [_record(group, row) for group in drawn for row in group.rows.iter_rows(named=True)]
    is_timeless = table.select("before_from", "after_from").n_unique() == 1
    blocks: list[alt.VConcatChart]
    if is_timeless:
        refuse_too_many(len(drawn), _ROWS, "groups")
        blocks = [_rows(records, [group.label for group in drawn], top, width)]
        wide = width + 100 * (len(drawn) > 1)
        first = table.row(0, named=True)
        when = (
            f"{first['after_from']} to {first['after_to']}, against "
            f"{first['before_from']} to {first['before_to']}."
        )
    else:
        refuse_too_many(2 * len(drawn), MAX_PANELS, "panels")
        blocks = [
            _over_time([one for one in records if one["group"] == group.label], group, top, width)
            for group in drawn
        ]
        columns = min(columns, len(drawn))
        wide = columns * (width + 60)
        when = "Each period against the one before."
    return finished(
        alt.concat(*blocks, columns=columns, spacing=34),
        title=title or _TITLE,
        told=[words.settings(table), when, _how(records)],
        width=wide,
        description=_description(drawn),
    )


def _number(value: float | None) -> str:
    return words.NO_ANSWER if value is None else f"{value:.2g}"


def _record(group: Group, row: Mapping[str, Any]) -> dict[str, Any]:
    some = row["divergence"] is not None
    chance = f"{_number(row['by_chance'])}, at most {_number(row['by_chance_95'])}"
    first, last = row["after_from"], row["after_to"]
    return {
        "group": group.label,
        "share": row["share"],
        "tone": "few" if row["small"] else "enough",
        "is_beyond": some and row["divergence"] > row["by_chance_95"],
        **{name: row[name] for name in ("divergence", "by_chance", "by_chance_95")},
        **{name: row[name] for name in ("n_before", "n_after", "customers")},
        "from": first.isoformat(),
        "middle": (first + (last - first) / 2).isoformat(),
        "to": (last + timedelta(days=1)).isoformat(),
        "before": f"{row['before_from']} to {row['before_to']}",
        "after": f"{first} to {last}",
        "divergence_text": _number(row["divergence"]),
        "chance_text": chance,
        "text": f"{_number(row['divergence'])} (chance: {_number(row['by_chance_95'])})"
        if some
        else words.NO_ANSWER,
        "nothing": "" if some else words.NO_ANSWER,
    }


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("before:N", title="Before"),
        alt.Tooltip("after:N", title="After"),
        alt.Tooltip("divergence_text:N", title=DRIFT.label("divergence")),
        alt.Tooltip("chance_text:N", title=DRIFT.label("by_chance")),
        alt.Tooltip("n_before:Q", title=f"n, {DRIFT.label('n_before').lower()}", format=",d"),
        alt.Tooltip("n_after:Q", title=f"n, {DRIFT.label('n_after').lower()}", format=",d"),
        alt.Tooltip("customers:Q", title=DRIFT.label("customers"), format=",d"),
    ]


def _colour() -> alt.Color:
    scale = alt.Scale(domain=list(_NEUTRAL), range=list(_NEUTRAL.values()))
    return alt.Color("tone:N", legend=None, scale=scale)


def _dots(base: alt.Chart, size: int, **place: alt.X | alt.Y) -> list[alt.Chart]:
    """Draw what is beyond chance as a full dot, and what is not as a ring."""
    some = base.transform_filter(alt.datum.nothing == "")
    ring = some.transform_filter(~alt.datum.is_beyond)
    return [
        ring.mark_point(style="optimove-paper", filled=True, size=size, opacity=1).encode(**place),
        ring.mark_point(size=size, strokeWidth=2, opacity=1).encode(**place, color=_colour()),
        some.transform_filter(alt.datum.is_beyond)
        .mark_point(filled=True, size=size * 1.3, opacity=1)
        .encode(**place, color=_colour()),
    ]


def _over_time(
    records: Sequence[Mapping[str, Any]], group: Group, top: float, width: int
) -> alt.VConcatChart:
    panels = []
    days = group.rows["after_from"].to_list()
    end = max(group.rows["after_to"].to_list()) + timedelta(days=1)
    for share in ("sends", "engagements"):
        own = [dict(one) for one in records if one["share"] == share]
        x = period_axis("from", days, end=end, labels=share == "engagements")
        scale = alt.Scale(domain=[0, top], nice=True)
        base = alt.Chart().encode(tooltip=_tooltip())
        head = alt.Axis(
            title=f"Divergence of the mix of {share}",
            tickCount=3,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="start",
            titleX=0,
            titleY=-10,
        )
        y = alt.Y("divergence:Q", scale=scale, axis=head)
        band = base.mark_rect(style="optimove-link", opacity=1).encode(
            x=x,
            x2="to",
            y=alt.Y("by_chance_95:Q", scale=scale, axis=head),
            y2=alt.datum(0),
        )
        middle = alt.X("middle:T", scale=x["scale"])
        stem = base.mark_rule(strokeWidth=2, opacity=0.6).encode(
            x=middle, y=y, y2=alt.datum(0), color=_colour()
        )
        dash = base.mark_text(style="optimove-note", dy=-6).encode(
            x=middle, y=alt.datum(0), text="nothing:N"
        )
        panels.append(
            alt.LayerChart(
                layer=[band, stem, *_dots(base, 45, x=middle, y=y), dash],
                data=alt.InlineData(values=own),
            ).properties(width=width, height=_HEIGHT)
        )
    title = {"title": alt.Title(group.label, fontSize=13, offset=6)} if group.label else {}
    return alt.vconcat(*panels, spacing=26, **title)


def _rows(
    records: Sequence[Mapping[str, Any]], labels: Sequence[str], top: float, width: int
) -> alt.VConcatChart:
    panels = []
    for share in ("sends", "engagements"):
        own = [dict(one) for one in records if one["share"] == share]
        axis = alt.Axis(labelLimit=180) if len(labels) > 1 else None
        y = alt.Y("group:N", sort=list(labels), title=None, axis=axis)
        scale = alt.Scale(domain=[0, top], nice=True)
        x = alt.X(
            "divergence:Q",
            title=None,
            scale=scale,
            axis=alt.Axis(tickCount=4, labels=share == "engagements", labelFlush=False),
        )
        base = alt.Chart().encode(y=y, tooltip=_tooltip())
        band = base.mark_bar(style="optimove-link", opacity=1, height={"band": 0.7}).encode(
            x=alt.X("by_chance_95:Q", scale=scale), x2=alt.datum(0)
        )
        stem = base.mark_rule(strokeWidth=2, opacity=0.6).encode(
            x=x, x2=alt.datum(0), color=_colour()
        )
        text = base.mark_text(style="optimove-value", align="left").encode(
            x=alt.value(width - _TEXT + 12), text="text:N"
        )
        panels.append(
            alt.LayerChart(
                layer=[band, stem, *_dots(base, 60, x=x), text], data=alt.InlineData(values=own)
            ).properties(
                width=width - _TEXT,
                height=_ROW * len(labels),
                title=alt.Title(
                    f"Divergence of the mix of {share}", frame="group", fontSize=12, offset=4
                ),
            )
        )
    return alt.vconcat(*panels, spacing=18)


def _how(records: Sequence[Mapping[str, Any]]) -> str:
    tones = {one["tone"] for one in records if not one["nothing"]}
    parts = [
        "Jensen and Shannon's divergence, 0 (the same shares) to 1 (no channel in both).",
        "Band: where it is 95 times of 100 if nothing had changed.",
        "Full dot: beyond it; ring: not.",
        f"Grey: fewer than {SMALL_N} in one of the periods." if "few" in tones else "",
        f"{words.NO_ANSWER}: nothing to compare." if any(one["nothing"] for one in records) else "",
    ]
    return " ".join(part for part in parts if part)


def _description(drawn: Sequence[Group]) -> str:
    parts = [f"{_TITLE}, as Jensen and Shannon's divergence of each mix from the one before."]
    said = []
    for group in drawn:
        prefix = f"{group.label}: " if group.label else ""
        for row in group.rows.drop_nulls("divergence").iter_rows(named=True):
            beyond = "more than" if row["divergence"] > row["by_chance_95"] else "within"
            said.append(
                f"{prefix}{row['share']} of {row['after_from']} to {row['after_to']} "
                f"{_number(row['divergence'])}, {beyond} the {_number(row['by_chance_95'])} that "
                "chance gives"
            )
    parts += [f"{one[:1].upper()}{one[1:]}." for one in said[:_TOLD]]
    if len(said) > _TOLD:
        parts.append(f"And {words.plural(len(said) - _TOLD, 'further comparison')}.")
    return " ".join(parts)
