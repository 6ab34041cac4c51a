"""The notes of a table's rows, as a reader wants them: each once, under whom it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from optimove_analysis.charts.groups import Group

__all__ = ["by_channel", "by_group", "told"]


def by_group(groups: Iterable[Group]) -> dict[str, list[str]]:
    """Return each group's notes, each once, in the order of its rows."""
    return {group.label: _of(group.rows) for group in groups}


def by_channel(groups: Iterable[Group]) -> dict[str, list[str]]:
    """Return the notes of each group's channels."""
    notes: dict[str, list[str]] = {}
    for group in groups:
        for part in group.rows.partition_by("channel", maintain_order=True):
            channel = part["channel"][0] or "Channel without a name"
            words = [channel, group.label] if group.label else [channel]
            notes[" \N{MIDDLE DOT} ".join(words)] = _of(part)
    return notes


def _of(rows: pl.DataFrame) -> list[str]:
    return list(dict.fromkeys(note for row in rows["notes"].drop_nulls() for note in row))


def told(
    notes: Mapping[str, Sequence[str]], before: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Write notes as lines: first what holds for all, then what holds for one.

    ``before`` are notes that the reader has already met; they are left out.

    >>> told({"E-mail": ["No end known.", "4 orphans."], "SMS": ["No end known."]})
    ['No end known.', 'E-mail: 4 orphans.']
    """
    if not notes:
        return []
    first = next(iter(notes.values()))
    common = [note for note in first if all(note in other for other in notes.values())]
    met = {note for others in (before or {}).values() for note in others}
    lines = [note for note in common if note not in met] if len(notes) > 1 else []
    for label, own in notes.items():
        known = (before or {}).get(label, ())
        rest = [note for note in own if note not in known]
        if len(notes) > 1:
            rest = [note for note in rest if note not in common]
        if rest:
            lines.append(f"{label}: {' '.join(rest)}" if label else " ".join(rest))
    return lines
