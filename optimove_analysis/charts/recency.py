"""Recency: how many days ago customers last engaged, in bins that end where the tiers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import alt_text
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import MAX_PANELS, Group, checked, groups, refuse_too_many
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR
from optimove_analysis.charts.tiers import RAMPED, panelled
from optimove_analysis.schema import RECENCY, SMALL_N

__all__ = ["recency"]

_STEP: Final = 10  # days
_LAST: Final = 180
_UP_TO: Final = (30, 90)  # days: the ends of active, and of cooling
_NEVER, _UNKNOWN = "never", "not known"
_HEIGHT: Final = 150
_EVERY: Final = 30  # days from one number below the bars to the next
# What is written over the bars of a kind, and its tint.
_PARTS: Final[Mapping[str, str]] = {
    "0 to 30": "active",
    "31 to 90": "cooling",
    "91 or more": "dormant",
    "never": "never engaged",
    "not known": "other",
}


def recency(
    table: pl.DataFrame, *, title: str | None = None, width: int = 560, columns: int = 1
) -> alt.LayerChart | alt.FacetChart | alt.Chart:
    """Draw a table of recency: how many customers last engaged how many days ago.

    Bins are ten days wide (the first has day 0 too), so that they end with the tiers, at 30 and at
    90 days; whoever engaged more than 180 days ago is in one bin, and whoever never did in another.

    Args:
        table: what ``recency(interactions)`` returns; with ``by=`` a panel a group.
        title: in place of the title that says what is drawn.
        width: pixels of a panel's bars.
        columns: panels side by side.

    Raises:
        SchemaError: the table is not one of recency, or has a customer twice in a group.
        InputError: it has more groups than a picture can show.

    >>> import optimove_analysis as oa
    >>> frame = pl.read_parquet("data/interactions.parquet")
    >>> recency(oa.recency(frame)).to_dict()["title"]["text"]
    'Days since customers last engaged'
    """
    table = checked(table, RECENCY, "recency")
    name = title or "Days since customers last engaged"
    if table.is_empty():
        return nothing(name, "No customers", "The table has no row")
    by_channel = bool(table["channel"].count())
    drawn = groups(table, RECENCY, ["customer_id"], split=by_channel)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    records = [record for group in drawn for record in _records(group)]
    columns = min(columns, len(drawn))
    panel = alt.LayerChart(layer=_layers(width, records)).properties(width=width, height=_HEIGHT)
    return panelled(
        panel,
        records,
        [group.label for group in drawn],
        columns,
        own_scale=True,
        title=name,
        told=_told(table, drawn),
        width=columns * width,
        description=alt_text(
            "Customers by days since they last engaged.",
            [_sentence(group) for group in drawn],
            [_sentence(group, most=1) for group in drawn],
        ),
    )


def _bin(days: int | None, engaged: int) -> tuple[str, str]:
    """Return the bin of a customer, and the part of the picture that it is in.

    >>> _bin(0, 4), _bin(31, 1)[0], _bin(None, 0)[0]
    (('0 to 10', '0 to 30'), '31 to 40', 'never')
    """
    first, second, third, never, unknown = _PARTS
    if days is None:
        return (_UNKNOWN, unknown) if engaged else (_NEVER, never)
    if days > _LAST:
        return f"{_LAST + 1}+", third
    number = max(days - 1, 0) // _STEP
    low = number * _STEP + (1 if number else 0)
    part = first if days <= _UP_TO[0] else second if days <= _UP_TO[1] else third
    return f"{low} to {(number + 1) * _STEP}", part


def _records(group: Group) -> list[dict[str, Any]]:
    """Make a datum a bin, of all bins of days, also of those with nobody."""
    seen = group.rows.select("days_since_engaged", "engaged").rows()
    bins = [_bin(day, 1) for day in range(_STEP, _LAST + _STEP + 1, _STEP)]
    bins.append((_NEVER, "never"))
    counts = {**dict.fromkeys(bins, 0)}
    for days, engaged in seen:
        found = _bin(days, engaged)
        counts[found] = counts.get(found, 0) + 1
    few = group.rows.height < SMALL_N
    return [
        {
            "group": group.label,
            "bin": name,
            # A gap sets those apart that are no days.
            "x": place + {_NEVER: 0.6, _UNKNOWN: 1.8}.get(name, 0),
            "part": part,
            "ink": "few" if few else _PARTS[part],
            "customers": n,
            "text": f"{n:,}" if n else "",
            "of": f"{n:,} / {group.rows.height:,} = {words.percent(n / group.rows.height)}",
        }
        for place, ((name, part), n) in enumerate(counts.items())
    ]


def _layers(width: int, records: Sequence[Mapping[str, Any]]) -> list[alt.Chart]:
    end = max(record["x"] for record in records) + 1
    scale = alt.Scale(domain=[0, end], range=[0, width], nice=False)
    base = (
        alt.Chart()
        .transform_calculate(left="datum.x + 0.06", right="datum.x + 0.94", middle="datum.x + 0.5")
        .encode(
            y=alt.Y("customers:Q", axis=None, scale=alt.Scale(zero=True)),
        )
    )
    middle = alt.X("middle:Q", scale=scale, axis=None)
    tooltip = [
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("bin:N", title=RECENCY.label("days_since_engaged")),
        alt.Tooltip("of:N", title="Customers"),
    ]

    def bars(which: Any, **look: Any) -> alt.Chart:  # noqa: ANN401 - a predicate; the mark's look
        chart: alt.Chart = (
            base.transform_filter(which)
            .mark_rect(tooltip={"content": "encoding"}, **look)
            .encode(
                x=alt.X("left:Q", scale=scale, axis=None),
                x2=alt.X2("right"),
                y2=alt.Y2Datum(0),
                tooltip=tooltip,
            )
        )
        return chart

    inks = {record["ink"] for record in records}
    ramp = alt.Color("ink:O", legend=None, scale=alt.Scale(domain=list(RAMPED)))
    plain = {"other": TOTAL_COLOUR, "few": SMALL_COLOUR}
    layers = [
        bars(alt.FieldOneOfPredicate("ink", [ink]), color=colour)
        for ink, colour in plain.items()
        if ink in inks  # a layer of nothing has no extent, and Vega says so
    ]
    if inks - set(plain):
        layers.append(bars(alt.FieldOneOfPredicate("ink", list(RAMPED))).encode(color=ramp))
    return [
        *layers,
        base.mark_text(style="optimove-value", baseline="bottom", dy=-3).encode(
            x=middle, text=alt.Text("text:N")
        ),
        *_names(records, scale),
    ]


def _names(records: Sequence[Mapping[str, Any]], scale: alt.Scale) -> list[alt.Chart]:
    """Write the ends of bins below the bars, and over them what they come to."""
    ends = [{"x": day / _STEP, "name": str(day)} for day in range(0, _LAST + _STEP, _EVERY)]
    places = {record["bin"]: record["x"] for record in records}
    ends += [
        {"x": places[name] + 0.5, "name": name} for name in (_NEVER, _UNKNOWN) if name in places
    ]
    parts: dict[str, float] = {}
    for record in records:
        if record["bin"] not in {_NEVER, _UNKNOWN}:
            parts.setdefault(record["part"], record["x"])
    x = alt.X("x:Q", scale=scale, axis=None)
    below, over = (
        alt.Chart(inline(values))
        for values in (ends, [{"x": at, "name": part} for part, at in parts.items()])
    )
    return [
        below.mark_text(style="optimove-note", baseline="top").encode(
            x=x, y=alt.YValue(_HEIGHT + 6), text=alt.Text("name:N")
        ),
        over.mark_rule(style="optimove-link", strokeWidth=1).encode(
            x=x, y=alt.YValue(-26), y2=alt.Y2Value(_HEIGHT)
        ),
        over.mark_text(style="optimove-note", align="left", baseline="bottom", dx=4).encode(
            x=x, y=alt.YValue(-16), text=alt.Text("name:N")
        ),
    ]


def _told(table: pl.DataFrame, drawn: Sequence[Group]) -> list[str]:
    n = words.plural(table["customer_id"].n_unique(), "customer")
    told = [words.settings(table.drop("unit"), n=n)]
    last = "click" if set(table["opens"]) == {"ignore"} else "open or click"
    told.append(f"Days from the last {last} to that day, in bins of ten; the last is 181 or more.")
    if any(group.rows.height < SMALL_N for group in drawn):
        told.append(f"Grey: fewer than {SMALL_N} customers.")
    return told


def _sentence(group: Group, *, most: int = len(_PARTS)) -> str:
    counts = dict.fromkeys(_PARTS, 0)
    for record in _records(group):
        counts[record["part"]] += record["customers"]
    total = group.rows.height
    parts = [
        f"{part}{' days' if part[0].isdigit() else ''} {n:,} ({words.percent(n / total)})"
        for part, n in counts.items()
        if n
    ]
    prefix = f"{group.label}: of" if group.label else "Of"
    return f"{prefix} {words.plural(total, 'customer')}, {words.listed(parts[:most])}."
