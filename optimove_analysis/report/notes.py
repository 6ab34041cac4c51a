"""The notes of a result's rows as a reader wants them: each once, under whom it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.main_columns import main_columns, recognised
from optimove_analysis.report.shown import Shown

__all__ = ["notes"]

_TITLE: Final = "What these numbers leave out, and why"


def notes(*results: pl.DataFrame) -> Shown:
    """Return what the numbers of results leave out, and why: each note once.

    What holds for all rows stands first; a note of some rows is said with their channel, and with
    the values of the columns that the result is grouped by.

    Args:
        results: What analyses return; what a later one repeats is left out.
    """
    lines: list[str] = []
    for result in results:
        lines += [line for line in _told(_by_group(result)) if line not in lines]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    if not lines:
        return Shown("", "")
    # Folded: it is for who asks how a number came about, and as long as the table.
    html = f'<details><summary>{_TITLE}</summary><ul class="notes">{items}</ul></details>'
    return Shown("\n".join([f"{_TITLE}:", *(f"- {line}" for line in lines)]), html)


def _by_group(result: pl.DataFrame) -> dict[str, list[str]]:
    if "notes" not in result.columns:
        return {}
    main = recognised(result)
    ours = set() if main is None else {*main.table.names, "channel_id"} - {"channel"}
    labels = [name for name in main_columns(result).columns if name not in ours]
    found: dict[str, list[str]] = {}
    for row in result.iter_rows(named=True):
        label = words.DOT.join(str(row[name]) for name in labels if row[name] is not None)
        found.setdefault(label, []).extend(row["notes"] or ())
    return found


def _told(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Write notes as lines: first what holds for all, then what holds for one.

    >>> _told({"E-mail": ["No end known.", "4 orphans."], "SMS": ["No end known."]})
    ['No end known.', 'E-mail: 4 orphans.']
    """
    if not notes:
        return []
    common = [
        note
        for note in dict.fromkeys(next(iter(notes.values())))
        if all(note in others for others in notes.values())
    ]
    lines = list(common)
    for label, own in notes.items():
        rest = [note for note in dict.fromkeys(own) if note not in common]
        if rest:
            lines.append(f"{label}: {' '.join(rest)}" if label else " ".join(rest))
    return lines
