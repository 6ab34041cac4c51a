"""A frame as an accessible HTML table, its numbers written as everywhere else."""

from __future__ import annotations

from html import escape
from typing import Any, Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import label_of

__all__ = ["html_table"]

_LONG: Final = 40
"""More rows than this are folded away; the reader opens them."""
_OF_A_STAGE: Final = (
    "messages",
    "engagements",
    "n_observed",
    "n_implied",
    "n_late",
    "overall_",
    "step_",
    "previous",
    "share_of_engagements",
    "index",
)
_RATES: Final = ("_rate", "_lo", "_hi")


def html_table(frame: pl.DataFrame, caption: str, *, fold: bool = True) -> str:
    """Return the frame as HTML, every text escaped; a long one folded, unless told otherwise.

    A rate with both ends of its interval becomes two columns: the rate, and "2.6 to 3.7 %". Null
    is a dash, or "n/a" where a channel lacks the stage.
    """
    columns = [name for name in frame.columns if not _is_end(name, frame)]
    heads: list[str] = []
    for place, name in enumerate(columns):
        heads.append(_head(label_of(name), number=_is_number(frame[name]), first=place == 0))
        if _ends(name, frame):
            heads.append(_head(f"95{words.NBSP}% interval", number=True, first=False))
    rows = "\n".join(_row(row, columns, frame) for row in frame.iter_rows(named=True))
    table = (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table>\n<caption>{escape(caption)}</caption>\n"
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )
    if fold and frame.height > _LONG:
        summary = f"{caption}: {frame.height:,} rows"
        table = f"<details><summary>{escape(summary)}</summary>{table}</details>"
    return table


def _ends(name: str, frame: pl.DataFrame) -> tuple[str, str] | None:
    stem = name.removesuffix("_rate")
    ends = (f"{stem}_lo", f"{stem}_hi")
    has_both = set(ends) <= set(frame.columns) and name not in ends
    return ends if has_both else None


def _is_end(name: str, frame: pl.DataFrame) -> bool:
    stem = name[:-3] if name.endswith(("_lo", "_hi")) else None
    return stem is not None and any(
        owner in frame.columns and _ends(owner, frame) for owner in (stem, f"{stem}_rate")
    )


def _is_number(column: pl.Series) -> bool:
    return column.dtype.is_numeric() and not column.name.endswith("_id")


def _kind(column: pl.Series) -> str:
    if _is_number(column):
        return ' class="number"'
    # Sentences may break into lines; names and dates may not.
    return ' class="long"' if column.dtype == pl.List else ""


def _head(label: str, *, number: bool, first: bool) -> str:
    kind = ' class="number"' if number and not first else ""
    return f'<th scope="col"{kind}>{escape(label)}</th>'


def _row(row: dict[str, Any], columns: list[str], frame: pl.DataFrame) -> str:
    cells: list[str] = []
    for place, name in enumerate(columns):
        text = _text(name, row[name], row)
        kind = _kind(frame[name])
        if place == 0:
            cells.append(f'<th scope="row">{escape(text)}</th>')
        else:
            cells.append(f"<td{kind}>{escape(text)}</td>")
        if ends := _ends(name, frame):
            write = words.interval if name.endswith("_rate") else words.ratio_interval
            low, high = row[ends[0]], row[ends[1]]
            # Without an interval the rate's own word (n/a or a dash) says why.
            text = write(low, high) if low is not None or row[name] is not None else text
            cells.append(f'<td class="number">{escape(text)}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _text(name: str, value: Any, row: dict[str, Any]) -> str:  # noqa: ANN401 - a cell of any column
    if value is None:
        # In a funnel and a mix the count says whether the channel has the stage at all.
        counts = [row[count] for count in ("messages", "engagements") if count in row]
        lacks = bool(counts) and counts[0] is None and name.startswith(_OF_A_STAGE)
        return words.NO_STAGE if lacks else words.NO_ANSWER
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        is_rate = name.endswith(_RATES) or name.startswith("share_of")
        return words.percent(value) if is_rate else words.ratio(value)
    if isinstance(value, int):
        return str(value) if name.endswith("_id") else f"{value:,}"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value).capitalize() if name == "stage" else str(value)
