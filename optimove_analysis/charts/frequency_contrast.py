"""The contrast within customers as a sentence, for the panel that it belongs to."""

from __future__ import annotations

from typing import Any

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import Group, checked
from optimove_analysis.charts.signed import points, points_interval
from optimove_analysis.errors import SchemaError
from optimove_analysis.schema import FREQUENCY, FREQUENCY_CONTRAST

__all__ = ["sentences"]

_SAME = ("rate", "days", "window", "implied", "opens")


def sentences(contrast: pl.DataFrame, table: pl.DataFrame, drawn: list[Group]) -> dict[str, str]:
    """Say of each group how its rate changes with a further message, for the same customer.

    Raises:
        SchemaError: it is no contrast, or one of other groups or of another question.
    """
    contrast = checked(contrast, FREQUENCY_CONTRAST, "frequency_contrast")
    keys = _front(table, FREQUENCY.names)
    if _front(contrast, FREQUENCY_CONTRAST.names) != keys:
        message = (
            f"the contrast has the groups {_front(contrast, FREQUENCY_CONTRAST.names) or 'none'}, "
            f"the frequency {keys or 'none'}: ask both with the same by=."
        )
        raise SchemaError(message)
    for column in _SAME:
        ours, theirs = (set(frame[column].unique()) for frame in (table, contrast))
        if contrast.height and ours != theirs:
            message = (
                f"the contrast's {column} is {_listed(theirs)}, the frequency's is "
                f"{_listed(ours)}: ask both with the same options."
            )
            raise SchemaError(message)
    rows = {tuple(row[key] for key in keys): row for row in contrast.iter_rows(named=True)}
    found: dict[str, str] = {}
    for group in drawn:
        row = rows.get(tuple(group.rows[key][0] for key in keys))
        if row is not None:
            found[group.label] = _sentence(row)
    return found


def _front(frame: pl.DataFrame, own: list[str]) -> list[str]:
    return frame.columns[: next(i for i, name in enumerate(frame.columns) if name in own)]


def _listed(values: set[Any]) -> str:
    return " and ".join(sorted(map(str, values)))


def _sentence(row: dict[str, Any]) -> str:
    if row["slope"] is None:
        return "Same customer: not known, since nobody's pressure varies"
    text = f"Same customer: {points(row['slope'])} a message"
    if row["lo"] is not None and row["hi"] is not None:
        text += f" ({points_interval(row['lo'], row['hi'])})"
    few = f", of only {words.plural(row['customers'], 'customer')}" if row["small"] else ""
    return text + few
