"""Diversity: over how many channels, in effect, messages and engagements are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.diversity_panels import over_time, rows
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
from optimove_analysis.charts.theme import finished
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import DIVERSITY, SMALL_N

__all__ = ["diversity"]

_TITLE: Final = "Over how many channels the mix is spread"
_ROWS: Final = 60
"""So many groups are rows that can be read."""
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
        blocks = [rows(drawn, domain, width)]
        columns = 1
    else:
        refuse_too_many(len(drawn), MAX_PANELS, "groups")
        blocks = [over_time(group, domain, width) for group in drawn]
        columns = min(columns, len(drawn))
    labelled = 100 if timeless and len(drawn) > 1 else 30
    return finished(
        concat(*blocks, columns=columns, spacing=34),
        title=title or _TITLE,
        told=[words.settings(table), *_how(table)],
        width=columns * (width + labelled),
        description=_description(drawn),
    )


def _how(table: pl.DataFrame) -> list[str]:
    of = " / ".join(table["of"].unique(maintain_order=True))
    if of == "engaged":
        of = "clicked" if "ignore" in table["opens"] else "clicked or opened"
    few = table.filter("small", pl.col("effective_channels").is_not_null()).height
    return [
        f"Ring: of sends; dot: of engagements ({of})."
        + (f" Grey: fewer than {SMALL_N}." if few else ""),
        "Effective: so many channels of equal shares would be as diverse; 1: all on one channel.",
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
