"""What a report says of funnels and rates: the share, its interval, and what it is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from optimove_analysis.analysis.rate_counts import RATIOS
from optimove_analysis.charts import words
from optimove_analysis.charts.groups import groups
from optimove_analysis.report.sentences_parts import (
    EMPTY,
    FEW,
    INTERVAL,
    base,
    capped,
    chosen_rates,
    divided_by,
    merged,
    named,
    recent_of,
    some,
    started,
    value_of,
)
from optimove_analysis.schema import FUNNEL, RATES, STAGES

__all__ = ["funnel", "rates"]

_OF_UNIT: Final[Mapping[str, tuple[str, str]]] = {
    "customer": ("customer", "sent messages"),
    "customer_day": ("customer-day", "with messages sent"),
    "campaign": ("campaign", "sent"),
}
"""What is counted, where it is no message, and what makes it sent."""


def funnel(table: pl.DataFrame) -> list[str]:
    """Tell the furthest stage of each group: not its click rate, which is of the delivered."""
    alone = _alone(table)
    drawn = groups(table, FUNNEL, ["stage"], split=True)
    counted = [group for group in drawn if (group.rows["sent"] > 0).any()]
    units = [[started(group.label, _furthest(group.rows, alone=alone))] for group in counted]
    told = capped(units, sizes=[group.rows["sent"][0] for group in counted])
    return [*(told or [EMPTY]), *recent_of(drawn)]


def _alone(table: pl.DataFrame) -> bool:
    """Whether all is of one customer, so that it need not be said each time."""
    return (table["customers"] <= 1).all()


def _furthest(rows: pl.DataFrame, *, alone: bool) -> str:
    row: dict[str, Any] = rows.filter(pl.col("messages").is_not_null()).row(-1, named=True)
    sent = _sent(row, alone=alone)
    if row["stage"] == STAGES[0]:
        return f"{sent}; no further stage is reported."
    ends = words.interval(row["overall_lo"], row["overall_hi"])
    if row["small"]:
        return (
            f"{row['messages']:,} {row['stage']} of {sent}, too few to read as a rate "
            f"({INTERVAL}{ends})."
        )
    value = words.percent(row["overall_rate"])
    return f"{value} {row['stage']} ({INTERVAL}{ends}) of {sent}."


def _sent(row: Mapping[str, Any], *, alone: bool) -> str:
    if row["unit"] not in _OF_UNIT:
        return base("sent", row["sent"], None if alone else row["customers"])
    noun, how = _OF_UNIT[row["unit"]]
    return f"{words.plural(row['sent'], noun)} {how}"


def rates(table: pl.DataFrame) -> list[str]:
    """Tell each group's rates, those of the same messages in one sentence."""
    chosen, alone = chosen_rates(table), _alone(table)
    rows = table.filter(pl.col("rate").is_in(chosen))
    drawn = groups(rows, RATES, ["rate"], split=True)
    units: list[list[str]] = []
    sizes: list[int] = []
    lacking: list[str] = []
    for group in drawn:
        known = [row for row in group.rows.iter_rows(named=True) if row["k"] is not None]
        if known:
            units.append(_group(group.label, known, alone=alone))
            sizes.append(max(row["n"] for row in known))
        else:
            lacking.append(group.label)
    if not drawn:
        return [EMPTY]
    stage = "deliveries" if any(RATIOS[name].needs == "delivered" for name in chosen) else "opens"
    none = [f"No rates for {some(lacking)}, where no {stage} are reported."] if lacking else []
    return [*capped(units, sizes=sizes), *none, *recent_of(drawn)]


def _group(label: str, rows: Sequence[Mapping[str, Any]], *, alone: bool) -> list[str]:
    same_base: dict[tuple[str, int, int], list[tuple[str, Mapping[str, Any]]]] = {}
    for name, row in merged(rows, ("k", "n", "lo", "hi")):
        base_of = (divided_by(row), row["n"], row["customers"])
        same_base.setdefault(base_of, []).append((name, row))
    return [
        started(label, _of_same(same, of, n, None if alone else customers))
        for (of, n, customers), same in same_base.items()
    ]


def _of_same(
    rows: Sequence[tuple[str, Mapping[str, Any]]], of: str, n: int, customers: int | None
) -> str:
    """Tell the rates that divide by the same messages."""
    if n == 0:
        return f"no {named([name for name, _ in rows])}, since no message was {of}."
    values = [
        f"{name} {value_of(row['rate'], row['value'], row['lo'], row['hi'])}"
        for name, row in rows
        if row["value"] is not None
    ]
    told = [f"{words.listed(values)} of {base(of, n, customers)}."] if values else []
    # Where nothing is implied, more may be clicked than were reported as delivered.
    over = [name for name, row in rows if row["value"] is None]
    if over:
        told.append(f"no {named(over)}: more than the {base(of, n, None)} were reported.")
    if values and rows[0][1]["small"]:
        told.append(FEW)
    return " ".join(
        text[:1].upper() + text[1:] if place else text for place, text in enumerate(told)
    )
