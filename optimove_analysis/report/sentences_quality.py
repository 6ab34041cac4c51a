"""What a report says of the data itself: what the audit found, and days of bad delivery."""

from __future__ import annotations

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group, groups
from optimove_analysis.report.sentences_parts import capped, started
from optimove_analysis.schema import AUDIT, SEVERITIES

__all__ = ["audit"]


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
