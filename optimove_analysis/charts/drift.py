"""Drift: how far a mix is from that of the period before, beside how far it would be by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.drift_panels import over_time, rows
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import (
    MAX_PANELS,
    MAX_ROWS,
    Group,
    checked,
    groups,
    refuse_too_many,
)
from optimove_analysis.charts.joined import concat
from optimove_analysis.charts.periods import day_after
from optimove_analysis.charts.theme import finished
from optimove_analysis.schema import DRIFT, SMALL_N

__all__ = ["drift"]

_TITLE: Final = "How far the channel mix moved"
_ROWS: Final = 60
"""So many groups, each with one pair of periods, are rows that can be read."""
_MEASURE: Final = "Jensen-Shannon divergence: from 0 (the same shares) to 1 (no channel in both)."
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
        blocks = [rows(records, [group.label for group in drawn], top, width)]
        wide = width + 100 * (len(drawn) > 1)
        first = table.row(0, named=True)
        when = (
            f"{first['after_from']} to {first['after_to']}, against "
            f"{first['before_from']} to {first['before_to']}."
        )
    else:
        refuse_too_many(2 * len(drawn), MAX_PANELS, "panels")
        blocks = [
            over_time([one for one in records if one["group"] == group.label], group, top, width)
            for group in drawn
        ]
        columns = min(columns, len(drawn))
        wide = columns * (width + 60)
        when = "Each period against the one before."
    return finished(
        concat(*blocks, columns=columns, spacing=34),
        title=title or _TITLE,
        told=[words.settings(table), when, _MEASURE, _how(records)],
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
        "to": day_after(last).isoformat(),
        "before": f"{row['before_from']} to {row['before_to']}",
        "after": f"{first} to {last}",
        "divergence_text": _number(row["divergence"]),
        "chance_text": chance,
        "text": f"{_number(row['divergence'])} (chance: {_number(row['by_chance_95'])})"
        if some
        else words.NO_ANSWER,
        "nothing": "" if some else words.NO_ANSWER,
    }


def _how(records: Sequence[Mapping[str, Any]]) -> str:
    tones = {one["tone"] for one in records if not one["nothing"]}
    parts = [
        "Band: where chance puts it 95 times of 100.",
        "Full dot: beyond it; ring: not.",
        f"Grey: fewer than {SMALL_N} in one of the periods." if "few" in tones else "",
        f"{words.NO_ANSWER}: no answer." if any(one["nothing"] for one in records) else "",
    ]
    return " ".join(part for part in parts if part)


def _description(drawn: Sequence[Group]) -> str:
    parts = [f"{_TITLE}, as the Jensen-Shannon divergence of each mix from the one before."]
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
