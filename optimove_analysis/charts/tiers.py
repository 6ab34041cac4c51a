"""Tiers: how many customers are engaged, how many are cooling, and how many never were."""

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
from optimove_analysis.charts.theme import SMALL_COLOUR, TOTAL_COLOUR, finished
from optimove_analysis.schema import SMALL_N, TIER_NAMES, TIERS

__all__ = ["NOT_KNOWN", "RAMPED", "panelled", "tiers"]

RAMPED: Final = ("never engaged", "dormant", "cooling", "active", "champion")
"""The tiers along the ramp, the palest first; the new have no place in it."""
NOT_KNOWN: Final = "not known"
_ROW: Final = 44  # pixels a tier
_NAMES: Final = 104
_NUMBERS: Final = 96
_FEW: Final = f"fewer than {SMALL_N} customers"


def tiers(
    table: pl.DataFrame, *, title: str | None = None, width: int = 420, columns: int = 1
) -> alt.LayerChart | alt.FacetChart | alt.Chart:
    """Draw a table of tiers: a bar a tier, champions first, as a share of the customers.

    Every tier is there, also one that nobody is in, with what it means below its bar. Groups of
    fewer than 30 customers are grey.

    Args:
        table: what ``tiers(interactions)`` returns, a row a customer. Columns of yours before its
            own, such as a segment, make a panel each.
        title: in place of the title that says what is drawn.
        width: pixels of the longest bar; names and numbers take 200 more.
        columns: panels side by side.

    Raises:
        SchemaError: the table is not one of tiers, or has a customer twice in a group.
        InputError: it has more groups than a picture can show.

    >>> import optimove_analysis as oa
    >>> frame = pl.read_parquet("data/interactions.parquet")
    >>> tiers(oa.tiers(frame)).to_dict()["title"]["text"]
    'Customers by how long ago they last engaged'
    """
    table = checked(table, TIERS, "tiers")
    name = title or "Customers by how long ago they last engaged"
    if table.is_empty():
        return nothing(name, "No customers", "The table has no row")
    drawn = groups(table, TIERS, ["customer_id"], split=False)
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    meanings = _meanings(table)
    records = [record for group in drawn for record in _records(group, meanings)]
    order = [tier for tier in meanings if any(record["tier"] == tier for record in records)]
    columns = min(columns, len(drawn))
    layers = _layers(width, [_named(tier) for tier in order], max(r["share"] for r in records))
    panel = alt.LayerChart(layer=layers).properties(width=width, height=_ROW * len(order))
    return panelled(
        panel,
        records,
        [group.label for group in drawn],
        columns,
        title=name,
        told=_told(table, drawn),
        width=columns * (width + _NAMES + _NUMBERS),
        description=alt_text(
            "Customers by tier.",
            [_sentence(group, records) for group in drawn],
            [_sentence(group, records, most=2) for group in drawn],
        ),
    )


def panelled(
    panel: alt.LayerChart,
    records: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    columns: int,
    *,
    own_scale: bool = False,
    **said: Any,  # noqa: ANN401 - passed on to `finished`
) -> alt.LayerChart | alt.FacetChart:
    """Finish a panel for each label, or, of a single group without one, the panel alone.

    With ``own_scale`` each panel's y is its own, where what is compared is the shape.
    """
    data = inline(list(records))
    if list(labels) == [""]:
        return finished(panel.properties(data=data), **said)
    facets: alt.FacetChart = panel.facet(
        facet=alt.Facet(
            "group:N",
            sort=list(labels),
            title=None,
            header=alt.Header(labelAnchor="start", labelAlign="left", labelPadding=8),
        ),
        columns=columns,
        data=data,
        spacing={"row": 20, "column": 30},
    )
    if own_scale:
        facets = facets.resolve_scale(y="independent")
    return finished(facets, **said)


def _meanings(table: pl.DataFrame) -> dict[str, str]:
    """Say what each tier is, in the order of the tiers."""
    what = "clicked" if set(table["opens"]) == {"ignore"} else "opened or clicked"
    said = {
        "champion": "active, and in the top tenth by click rate",
        "active": f"{what} in the last 30 days",
        "cooling": f"last {what} 31 to 90 days ago",
        "dormant": f"last {what} more than 90 days ago",
        "never engaged": f"5 or more messages delivered, none {what}",
        "new": "fewer than 5 messages delivered",
    }
    return {tier: said[tier] for tier in TIER_NAMES} | {
        NOT_KNOWN: f"{what}, but as of no known day"
    }


def _named(tier: str) -> str:
    return tier[:1].upper() + tier[1:]


def _records(group: Group, meanings: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = group.rows
    counts = dict(rows["tier"].cast(pl.String).fill_null(NOT_KNOWN).value_counts().iter_rows())
    few = rows.height < SMALL_N
    return [
        {
            "group": group.label,
            "tier": tier,
            "name": _named(tier),
            "customers": counts.get(tier, 0),
            "share": counts.get(tier, 0) / rows.height,
            "text": f"{counts.get(tier, 0):,} ({words.percent(counts.get(tier, 0) / rows.height)})",
            "of": f"{counts.get(tier, 0):,} / {rows.height:,} = "
            f"{words.percent(counts.get(tier, 0) / rows.height)}",
            "meaning": meaning,
            "ink": "few" if few else tier if tier in RAMPED else "other",
        }
        for tier, meaning in meanings.items()
        if tier != NOT_KNOWN or tier in counts
    ]


def _layers(width: int, order: Sequence[str], top: float) -> list[alt.Chart]:
    x = alt.Scale(domain=[0, top], range=[0, width], nice=False)
    share = alt.X("share:Q", scale=x, axis=None)
    y = alt.Y(
        "name:N", sort=list(order), title=None, axis=alt.Axis(labelLimit=_NAMES, labelOffset=-6)
    )
    tooltip = [
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("name:N", title=TIERS.label("tier")),
        alt.Tooltip("of:N", title="Customers"),
        alt.Tooltip("meaning:N", title="Meaning"),
    ]
    base = alt.Chart().encode(x=share, y=y)

    def bars(which: Any, **look: Any) -> alt.Chart:  # noqa: ANN401 - a predicate; the mark's look
        chart: alt.Chart = (
            base.transform_filter(which)
            .mark_bar(height=16, yOffset=-6, tooltip={"content": "encoding"}, **look)
            .encode(tooltip=tooltip)
        )
        return chart

    return [
        bars(alt.FieldOneOfPredicate("ink", list(RAMPED))).encode(
            # The ramp is the theme's, so that it turns with light and dark.
            color=alt.Color("ink:O", legend=None, scale=alt.Scale(domain=list(RAMPED)))
        ),
        bars(alt.datum.ink == "other", color=TOTAL_COLOUR),
        bars(alt.datum.ink == "few", color=SMALL_COLOUR),
        base.mark_text(style="optimove-value", align="left", dx=7, dy=-6).encode(
            text=alt.Text("text:N")
        ),
        base.mark_text(style="optimove-note", align="left", dy=10).encode(
            x=alt.XValue(0), text=alt.Text("meaning:N")
        ),
    ]


def _told(table: pl.DataFrame, drawn: Sequence[Group]) -> list[str]:
    told = [words.settings(table, n=words.plural(table.height, "row"))]
    customers = table["customer_id"].n_unique()
    if len(drawn) == 1:
        told = [words.settings(table.drop("unit"), n=words.plural(customers, "customer"))]
    thresholds = table["threshold"].drop_nulls().unique().to_list()
    if len(thresholds) == 1:
        told.append(f"Top tenth by click rate: {words.percent(thresholds[0])} or more, shrunk.")
    told.append(
        "A bar's length is the share of the customers"
        + ("." if len(drawn) == 1 else " of its group; all groups have one scale.")
    )
    if any(group.rows.height < SMALL_N for group in drawn):
        told.append(f"Grey: {_FEW}.")
    return told


def _sentence(
    group: Group, records: Sequence[Mapping[str, Any]], *, most: int = len(TIER_NAMES) + 1
) -> str:
    parts = [f"{r['tier']} {r['text']}" for r in records if r["group"] == group.label]
    prefix = f"{group.label}: of" if group.label else "Of"
    small = f" These are {_FEW}." if group.rows.height < SMALL_N else ""
    customers = words.plural(group.rows.height, "customer")
    return f"{prefix} {customers}, {words.listed(parts[:most])}.{small}"
