"""What a report says of two arms: what the difference is, and whether chance could have made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from optimove_analysis.charts import signed, words
from optimove_analysis.charts.groups import Group, groups, label_of
from optimove_analysis.report.sentences_parts import (
    EMPTY,
    INTERVAL,
    base,
    capped,
    change,
    chosen_rates,
    divided_by,
    merged,
    named,
    not_apart,
    short,
    some,
    started,
)
from optimove_analysis.schema import COMPARISON, SMALL_N

__all__ = ["comparison"]

_LACKS: Final = "no such stage"
_NUMBERS: Final = ("k0", "n0", "k", "n", "difference_lo", "difference_hi", "flips", "reason")
_SIDES: Final = (("against", "n"), ("baseline", "n0"))
_NO_LIFT: Final[Mapping[str, str]] = {
    "zero baseline": "no relative lift, since the baseline's rate is 0",
    "both whole": "no relative lift, since both rates are whole",
}


def comparison(table: pl.DataFrame) -> list[str]:
    """Tell each rate of the two arms, their difference, and how sure it is."""
    rows = table.filter(pl.col("rate").is_in(chosen_rates(table)))
    units: list[list[str]] = []
    sizes: list[int] = []
    lacking: list[str] = []
    for group in groups(rows, COMPARISON, ["rate"], split=True):
        known = group.rows.filter(pl.col("reason").ne_missing(_LACKS))
        if known.is_empty():
            lacking.append(group.label)
            continue
        units.append(_group(group))
        sizes.append(int(known["n0"].sum()) + int(known["n"].sum()))
    if not units and not lacking:
        return [EMPTY]
    none = f"No rate to compare for {some(lacking)}: a stage that it needs is not reported."
    return [*capped(units, sizes=sizes), *([none] if lacking else [])]


def _group(group: Group) -> list[str]:
    rows = [{**row, "flips": bool(row["flips"])} for row in group.rows.iter_rows(named=True)]
    # What neither side has is not asked of them.
    lacking = [r for r in rows if r["reason"] == _LACKS and (r["n"] is None) != (r["n0"] is None)]
    known = [row for row in rows if row["reason"] != _LACKS]
    answered = [row for row in known if row["difference"] is not None]
    told = [_difference(label, row) for label, row in merged(answered, _NUMBERS)]
    unanswered: dict[str, list[str]] = {}
    for row in known:
        if row["difference"] is None:
            unanswered.setdefault(_why(row), []).append(row["label"])
    told += [f"{named(labels)}: {why}" for why, labels in unanswered.items()]
    if lacking:
        who = [_arm(lacking[0], arm) for arm, n in _SIDES if lacking[0][n] is None]
        labels = named([row["label"] for row in lacking])
        told.append(f"no {labels} to compare: {words.listed(who)} has no such stage.")
    if both := max(row["customers_in_both"] for row in rows):
        who_are = "customer is" if both == 1 else "customers are"
        told.append(f"{both:,} {who_are} on both sides, which are then not independent.")
    return [started(group.label, text) for text in told]


def _arm(row: Mapping[str, Any], which: str) -> str:
    name = row[which] if row[which] is not None else "(none)"
    known = "" if row["between"] == "channel_id" else f"{label_of(row['between'])} "
    return short(f"{known}{name}")


def _difference(label: str, row: Mapping[str, Any]) -> str:
    against, baseline = _arm(row, "against"), _arm(row, "baseline")
    lo, hi = row["difference_lo"], row["difference_hi"]
    text = (
        f"{label} {words.percent(row['value'])} of {base(divided_by(row), row['n'], None)} "
        f"({against}) against {words.percent(row['value0'])} of {row['n0']:,} ({baseline}), a "
        f"difference of {change(row['difference'], lo, hi)}"
    )
    if lo is None or hi is None:
        text += ", which may be by chance."
    elif not_apart(lo, hi):
        text += ", not to be told from none."
    else:
        text += f"; {_lift(row)}."
    if row["flips"]:
        text += (
            " This hangs on opens, which machines make too: without them the conclusion is another."
        )
    return text


def _lift(row: Mapping[str, Any]) -> str:
    if row["lift"] is None:
        return _NO_LIFT.get(row["reason"] or "", "no relative lift")
    ends = signed.lift_interval(row["lift_lo"], row["lift_hi"])
    inside = "no interval" if ends == words.NO_ANSWER else f"{INTERVAL}{ends}"
    return f"relative lift {signed.lift(row['lift'])} ({inside})"


def _why(row: Mapping[str, Any]) -> str:
    """Say why there is no difference."""
    sides = [(_arm(row, arm), row[n]) for arm, n in _SIDES]
    absent = [name for name, n in sides if not n]
    few = [f"{name} has {n:,}" for name, n in sides if n is not None and n < SMALL_N]
    match row["reason"]:
        case "control group":
            return "no answer, since one side is a control group, to which nothing is sent."
        case "absent":
            return f"no answer, since no message counts for {words.listed(absent)}."
        case "insufficient":
            return f"too few messages to compare: {words.listed(few)}, and it takes {SMALL_N}."
        case "k above n":
            return "no answer, since more were reported than there are messages to divide by."
        case _:
            return "no answer."
