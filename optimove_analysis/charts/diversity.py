"""Diversity: over how many channels, in effect, messages and engagements are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.empty import no_messages
from optimove_analysis.charts.groups import (
    MAX_PANELS,
    MAX_ROWS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.periods import ends_of, period_axis
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, finished
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import DIVERSITY, SMALL_N

__all__ = ["diversity"]

_TITLE: Final = "Over how many channels the mix is spread"
_ROWS: Final = 60
"""So many groups are rows that can be read."""
_ROW: Final = 26
_HEIGHT: Final = 150
_TEXT: Final = 110
_APART: Final = 0.1  # of the axis: closer labels are pushed apart
_TOLD: Final = 12


def diversity(
    table: pl.DataFrame,
    *,
    title: str | None = None,
    width: int = 520,
    columns: int = 1,
) -> alt.ConcatChart | alt.Chart:
    """Draw a diversity's table: the effective channels of sends (ring) and engagements (dot).

    With ``every`` a line over time, a panel a group, broken where nothing was sent; without
    periods a row a group. Evenness and concentration are in the tooltip. What rests on fewer than
    30 is grey.

    Args:
        table: what ``diversity(interactions, ...)`` returns; all numbers are read from it.
        title: in place of the title that says what is drawn.
        width: pixels of one panel, the numbers at its right included.
        columns: panels side by side.

    Raises:
        SchemaError: the table is not a diversity's, or has periods in some rows only.
        InputError: it has more groups or periods than a picture can show.

    >>> from optimove_analysis.schema import DIVERSITY
    >>> diversity(DIVERSITY.empty()).to_dict()["title"]["subtitle"]
    ['Nothing was sent in this range']
    """
    table = checked(table, DIVERSITY, "diversity")
    if not table["n"].sum():
        return no_messages(table.filter(pl.col("share") == "sends"), title or _TITLE)
    timeless = table["period"].null_count()
    if timeless not in {0, table.height}:
        message = (
            f"{timeless:,} of {table.height:,} rows of this diversity have no period: draw that "
            "of all time (every=None) and that over time (every='1mo') apart."
        )
        raise SchemaError(message)
    drawn = groups(table, DIVERSITY, ["period", "share"], split=False)
    refuse_too_many(table.height, MAX_ROWS, "rows")
    # From one channel, the least there can be, to the most in any row.
    domain = [1.0, max([1.5, *table["effective_channels"].drop_nulls()])]
    blocks: list[alt.LayerChart]
    if timeless:
        refuse_too_many(len(drawn), _ROWS, "groups")
        blocks = [_rows(drawn, domain, width)]
        columns = 1
    else:
        refuse_too_many(len(drawn), MAX_PANELS, "groups")
        blocks = [_over_time(group, domain, width) for group in drawn]
        columns = min(columns, len(drawn))
    labelled = 100 if timeless and len(drawn) > 1 else 30
    return finished(
        alt.concat(*blocks, columns=columns, spacing=34),
        title=title or _TITLE,
        told=[words.settings(table), *_how(table)],
        width=columns * (width + labelled),
        description=_description(drawn),
    )


def _record(group: Group, row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ("effective_channels", "evenness", "hhi", "n", "n_channels", "customers")
    return {
        "group": group.label,
        "share": row["share"],
        "tone": "few" if row["small"] else "enough",
        **{name: row[name] for name in numbers},
        **{f"{name}_text": words.ratio(row[name]) for name in numbers[:3]},
        "text": f"{row['share']} {words.ratio(row['effective_channels'])}",
    }


def _tooltip(*first: alt.Tooltip) -> list[alt.Tooltip]:
    return [
        *first,
        alt.Tooltip("share:N", title=DIVERSITY.label("share")),
        *(
            alt.Tooltip(f"{name}_text:N", title=DIVERSITY.label(name))
            for name in ("effective_channels", "evenness", "hhi")
        ),
        *(
            alt.Tooltip(f"{name}:Q", title=DIVERSITY.label(name), format=",d")
            for name in ("n_channels", "n", "customers")
        ),
    ]


def _marks(base: alt.Chart) -> list[alt.Chart]:
    """Draw sends as rings and engagements as dots, as a channel mix does; a dot fits a ring."""
    colour = alt.Color(
        "tone:N",
        legend=None,
        scale=alt.Scale(domain=["few", "enough"], range=[SMALL_COLOUR, TOTAL_COLOUR]),
    )
    ring = base.transform_filter(alt.datum.share == "sends")
    dot = base.transform_filter(alt.datum.share == "engagements")
    return [
        ring.mark_point(style="optimove-paper", filled=True, size=80, opacity=1),
        ring.mark_point(size=80, strokeWidth=2, opacity=1).encode(color=colour),
        dot.mark_point(filled=True, size=42, opacity=1).encode(color=colour),
    ]


def _over_time(group: Group, domain: list[float], width: int) -> alt.LayerChart:
    days: list[date] = sorted(group.rows["period"].unique())
    ends = ends_of(days)
    records, last = [], {}
    for share in ("sends", "engagements"):
        run, until = 0, None
        rows = group.rows.filter(pl.col("share") == share).sort("period")
        for row in rows.iter_rows(named=True):
            first, some = row["period"], row["effective_channels"] is not None
            # A line from one period to the next one only.
            run += not (some and until == first)
            until = ends[first] if some else None
            middle = first + (ends[first] - first) / 2
            record = _record(group, row) | {"from": first.isoformat(), "run": f"{share} {run}"}
            records.append(record | {"middle": middle.isoformat()})
            if some:
                last[share] = records[-1]
    x = period_axis("from", days, end=max(ends.values()))
    middle_x = alt.X("middle:T", title=None, scale=x["scale"], axis=x["axis"])
    y = alt.Y(
        "effective_channels:Q",
        scale=alt.Scale(domain=domain, nice=True),
        axis=alt.Axis(
            title=DIVERSITY.label("effective_channels"),
            tickCount=4,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="start",
            titleX=0,
            titleY=-10,
        ),
    )
    period = alt.Tooltip("from:N", title=DIVERSITY.label("period"))
    base = alt.Chart().encode(x=middle_x, y=y, tooltip=_tooltip(period))
    line = base.mark_line(style="optimove-interval", strokeWidth=1.5, opacity=0.6).encode(
        detail="run:N"
    )
    labels = _apart(list(last.values()), domain)
    names = [
        alt.Chart(alt.InlineData(values=[one]))
        .mark_text(style="optimove-value", align="left", dy=dy)
        .encode(x=alt.value(width - _TEXT + 10), y=y, text="text:N")
        for one, dy in labels
    ]
    head = {"title": alt.Title(group.label, fontSize=13, offset=6)} if group.label else {}
    return alt.LayerChart(
        layer=[line, *_marks(base), *names], data=alt.InlineData(values=records)
    ).properties(width=width - _TEXT, height=_HEIGHT, **head)


def _apart(
    last: Sequence[Mapping[str, Any]], domain: Sequence[float]
) -> list[tuple[dict[str, Any], int]]:
    """Return each line's last record, and by how many pixels to move its label off the other's."""
    ordered = sorted((dict(one) for one in last), key=lambda one: -one["effective_channels"])
    values = [one["effective_channels"] for one in ordered]
    close = len(values) > 1 and values[0] - values[1] < _APART * (domain[1] - domain[0])
    return [(one, place * 14 - 7 if close else 0) for place, one in enumerate(ordered)]


def _rows(drawn: Sequence[Group], domain: list[float], width: int) -> alt.LayerChart:
    records = [_record(group, row) for group in drawn for row in group.rows.iter_rows(named=True)]
    pairs: dict[str, list[str]] = {}
    for record in records:
        pairs.setdefault(record["group"], []).append(record["effective_channels_text"])
    texts = [{"group": group, "text": " / ".join(pair)} for group, pair in pairs.items()]
    order = list(pairs)
    y = alt.Y(
        "group:N",
        sort=order,
        title=None,
        axis=alt.Axis(labelLimit=180) if len(order) > 1 else None,
    )
    x = alt.X(
        "effective_channels:Q",
        title=DIVERSITY.label("effective_channels"),
        scale=alt.Scale(domain=domain, nice=True),
        axis=alt.Axis(tickCount=5, labelFlush=False),
    )
    base = alt.Chart().encode(x=x, y=y, tooltip=_tooltip())
    link = base.mark_line(style="optimove-link").encode(detail="group:N")
    text = (
        alt.Chart(alt.InlineData(values=texts))
        .mark_text(style="optimove-value", align="left")
        .encode(x=alt.value(width - _TEXT + 14), y=y, text="text:N")
    )
    head = (
        alt.Chart(alt.InlineData(values=[{"text": "sends / engagements"}]))
        .mark_text(style="optimove-note", align="left")
        .encode(x=alt.value(width - _TEXT + 14), y=alt.value(-8), text="text:N")
    )
    return alt.LayerChart(
        layer=[link, *_marks(base), text, head], data=alt.InlineData(values=records)
    ).properties(width=width - _TEXT, height=_ROW * len(order))


def _how(table: pl.DataFrame) -> list[str]:
    of = " / ".join(table["of"].unique(maintain_order=True))
    few = table.filter("small", pl.col("effective_channels").is_not_null()).height
    return [
        f"Ring: of sends; dot: of engagements ({of})."
        + (f" Grey: fewer than {SMALL_N}." if few else ""),
        "So many channels with like shares would be as diverse; 1: all on one channel.",
    ]


def _description(drawn: Sequence[Group]) -> str:
    said = []
    for group in drawn:
        prefix = f"{group.label}: " if group.label else ""
        days = sorted(day for day in group.rows["period"].unique() if day is not None)
        for day in sorted({days[0], days[-1]}) if days else [None]:
            rows = group.rows.filter(pl.col("period").eq_missing(day))
            when = f"in the period from {day} " if day else ""
            told = [
                f"{words.ratio(row['effective_channels'])} of {row['n']:,} {row['share']}"
                for row in rows.iter_rows(named=True)
            ]
            said.append(f"{prefix}{when}effective channels {words.listed(told)}.")
    parts = [f"{_TITLE}.", *(f"{one[:1].upper()}{one[1:]}" for one in said[:_TOLD])]
    if len(said) > _TOLD:
        parts.append(f"And {words.plural(len(said) - _TOLD, 'further sentence')} as these.")
    return " ".join(parts)
