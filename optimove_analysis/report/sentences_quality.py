"""What a report says of the data itself: what the audit found, and days of bad delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group, groups
from optimove_analysis.report.sentences_parts import EMPTY, capped, rate, started
from optimove_analysis.schema import ANOMALIES, AUDIT, SEVERITIES

__all__ = ["anomalies", "audit"]

_UNTESTED: Final[Mapping[str, str]] = {
    "no data": "without a message that counts",
    "small": "with too few messages",
    "no baseline": "with too few earlier days to hold against",
    "immature": "too recent",
    "no rate": "on channels that report no deliveries",
}
"""Days that were not tested, by their status."""
_TENTH: Final = 0.1


def audit(table: pl.DataFrame) -> list[str]:
    """Tell what was found, what matters most first; what was not looked at, too."""
    drawn = groups(table, AUDIT, ["check"], split=False)
    found = [
        (-SEVERITIES.index(row["severity"]), started(group.label, row["what"]))
        for group in drawn
        for row in group.rows.iter_rows(named=True)
        if row["severity"] != SEVERITIES[0]
    ]
    found.sort(key=lambda one: one[0])  # stable: within a severity in the order of the rows
    clean = [_clean(group) for group in drawn if (group.rows["severity"] == SEVERITIES[0]).all()]
    units = [[sentence] for _, sentence in found] + [[sentence] for sentence in clean if sentence]
    return capped(units, "finding") or ["There were no rows to check."]


def _clean(group: Group) -> str:
    checked = group.rows.filter(pl.col("count").is_not_null())
    total = checked.filter(pl.col("of") == "rows")["total"].max()
    if not total:
        return ""
    text = f"the audit found nothing odd in {words.plural(int(str(total)), 'row')}"
    if left := group.rows.height - checked.height:
        text += f"; {words.plural(left, 'check')} could not be made"
    return started(group.label, f"{text}.")


def anomalies(table: pl.DataFrame) -> list[str]:
    """Tell the days of bad delivery, how many chance would make, and how many were not tested."""
    drawn = groups(table, ANOMALIES, ["send_date"], split=True)
    if not drawn:
        return [EMPTY]
    tests = [(row["n_tests"], row["alpha"]) for row in (g.rows.row(0, named=True) for g in drawn)]
    found = [
        (group.label, row)
        for group in drawn
        for row in group.rows.filter(pl.col("status") == "anomaly").iter_rows(named=True)
    ]
    told = capped([[started(label, _day(row))] for label, row in found], "day")
    return [_search(len(found), tests), *told, *_untested(table)]


def _search(found: int, tests: Sequence[tuple[int, float]]) -> str:
    """Say how many days were found of how many, and how many of them chance alone would make."""
    tested = sum(n for n, _ in tests)
    if not tested:
        return "No day's deliveries could be tested."
    chance = sum(n * alpha for n, alpha in tests)
    much = f"{chance:.1f}" if chance >= _TENTH else f"less than {_TENTH}"
    of = f"of {words.plural(tested, 'tested day')}"
    each = ", counted for each group," if len(tests) > 1 else ""
    if not found:
        return f"None {of}{each} stands out with bad deliveries."
    stand = "stands" if found == 1 else "stand"
    return (
        f"{found:,} {of}{each} {stand} out with bad deliveries; by chance alone it would be {much}."
    )


def _day(row: Mapping[str, Any]) -> str:
    done = "delivered" if row["label"] == "delivery rate" else row["label"]
    return (
        f"on {row['send_date']}, {rate(row['rate'], row['lo'], row['hi'])} of "
        f"{words.plural(row['n'], 'message')} sent were {done}, against "
        f"{words.percent(row['expected'])} on the same weekdays before."
    )


def _untested(table: pl.DataFrame) -> list[str]:
    counts = {status: int((table["status"] == status).sum()) for status in _UNTESTED}
    if not (total := sum(counts.values())):
        return []
    parts = [f"{n:,} {_UNTESTED[status]}" for status, n in counts.items() if n]
    return [f"{words.plural(total, 'day')} could not be tested: {words.listed(parts)}."]
