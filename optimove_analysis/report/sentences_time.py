"""What a report says of time: how soon there is engagement, and what sending more goes with."""

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
    base,
    capped,
    change,
    not_apart,
    rate,
    recent_of,
    some,
    started,
)
from optimove_analysis.schema import FREQUENCY_CONTRAST, MEAN_OPENS, TIME_TO_ENGAGE

__all__ = ["frequency_contrast", "time_to_engage"]

_NO_EFFECT: Final = (
    "one and the same customer's rate differs as follows. This is an association, no effect: who "
    "is sent more, and when, is not left to chance."
)
_WHY: Final[Mapping[bool, str]] = {
    True: "the rate is not reported",
    False: "no customer's number of messages before ever varies",
}
"""Why there is no answer, by whether the group lacks the rate."""
_SOON: Final = {1: "within a day", 7: "within 7 days"}


def time_to_engage(table: pl.DataFrame) -> list[str]:
    """Tell the share of messages engaged with within a day and a week of the send."""
    drawn = groups(table, TIME_TO_ENGAGE, ["day"], split=True)
    known = [group for group in drawn if group.rows["n"].is_not_null().any()]
    lacking = [group.label for group in drawn if group.rows["n"].is_null().all()]
    alone = (table["customers"].fill_null(0) <= 1).all()
    units = [[started(group.label, _soon(group, alone=alone))] for group in known]
    told = capped(units, sizes=[int(group.rows["n"][0]) for group in known])
    if lacking:
        told.append(f"No times for {some(lacking)}, where no deliveries are reported.")
    return [*(told or [EMPTY]), *recent_of(drawn)]


def _soon(group: Group, *, alone: bool) -> str:
    rows = group.rows.sort("day")
    last: dict[str, Any] = rows.row(-1, named=True)
    if not last["n"]:
        return "no message was delivered."
    of = base("delivered", last["n"], None if alone else last["customers"])
    parts: list[str] = []
    for day, within in _SOON.items():
        if day > last["day"] and last["engaged"] < 1:
            continue  # nobody was followed so long
        then = rows.filter(pl.col("day") <= day).select("engaged", "lo", "hi").row(-1)
        parts.append(f"{rate(*then)}{'' if parts else ' were engaged with'} {within}")
    if not parts:
        return f"the {of} were followed for less than a day."
    text = f"of {of}, {words.listed(parts)}."
    if len(parts) < len(_SOON):
        text += f" They were followed for {words.plural(last['day'], 'day')} only."
    return f"{text} {FEW}" if last["small"] else text


def frequency_contrast(table: pl.DataFrame) -> list[str]:
    """Tell how a rate differs for the same customer with each further message."""
    drawn = groups(table, FREQUENCY_CONTRAST, ["rate"], split=True)
    known = [group for group in drawn if group.rows["slope"].is_not_null().any()]
    units = [
        [
            started(group.label, _slope(row))
            for row in group.rows.iter_rows(named=True)
            if row["slope"] is not None
        ]
        for group in known
    ]
    told = capped(units, sizes=[int(group.rows["n"][0]) for group in known])
    if told:
        days = " or ".join(str(days) for days in table["days"].unique().sort())
        told.insert(0, f"With each further message in the {days} days before, {_NO_EFFECT}")
    for lacks, why in _WHY.items():
        if who := [group.label for group in drawn if _lacks(group) is lacks]:
            told.append(f"No answer for {some(who)}, where {why}.")
    return [*(told or [EMPTY]), *recent_of(drawn)]


def _lacks(group: Group) -> bool | None:
    """Whether no channel has the rate; None: there is an answer."""
    if group.rows["slope"].is_not_null().any():
        return None
    return not group.rows["channels"][0].len()


def _slope(row: dict[str, Any]) -> str:
    lo, hi, mean = row["lo"], row["hi"], row["rate"] == MEAN_OPENS
    of = f"of {words.plural(row['n'], 'message')} to {words.plural(row['customers'], 'customer')}"
    text = f"{row['label']} {change(row['slope'], lo, hi, mean=mean)}"
    if lo is None or hi is None:
        return f"{text}, {of}."
    unsure = ", not to be told from none," if not_apart(lo, hi) else ""
    few = f" {FEW_CUSTOMERS}" if row["small"] else ""
    return f"{text}{unsure} {of}.{few}"
