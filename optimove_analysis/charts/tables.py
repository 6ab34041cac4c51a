"""A frame as a table to read, in HTML and in a terminal, its numbers written as on the charts."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import label_of
from optimove_analysis.schema import STAGES

__all__ = ["html_table", "text_table"]

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


@dataclass(frozen=True, slots=True)
class _Column:
    """One column as it is read: a header, its cells, and how they stand."""

    head: str
    cells: list[str]
    kind: str = ""
    """``number``: to the right; ``long``: may break into lines; names and dates may not."""


def html_table(frame: pl.DataFrame, caption: str, *, fold: bool = True) -> str:
    """Return the frame as accessible HTML, every text escaped; a long one folded if ``fold``.

    A rate with both ends of its interval becomes two columns: the rate, and "2.6 to 3.7 %". Null
    is a dash, or "n/a" where a channel lacks the stage.
    """
    columns = _columns(frame)
    heads = [f'<th scope="col"{_class(column)}>{escape(column.head)}</th>' for column in columns]
    rows = "\n".join(
        "<tr>"
        f'<th scope="row">{escape(columns[0].cells[place])}</th>'
        + "".join(f"<td{_class(one)}>{escape(one.cells[place])}</td>" for one in columns[1:])
        + "</tr>"
        for place in range(frame.height)
    )
    table = (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table>\n<caption>{escape(caption)}</caption>\n"
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )
    if fold and frame.height > _LONG:
        summary = f"{caption}: {frame.height:,} rows"
        table = f"<details><summary>{escape(summary)}</summary>{table}</details>"
    return table


def text_table(frame: pl.DataFrame) -> str:
    """Return the same table for a terminal.

    >>> print(text_table(pl.DataFrame({"channel": ["SMS"], "sends": [1541], "index": [0.318]})))
    Channel   Sent  Index
    SMS      1,541   0.32
    """
    columns = _columns(frame)
    lines: list[list[str]] = [[] for _ in range(frame.height + 1)]
    for column in columns:
        texts = [text.replace(words.NBSP, " ") for text in (column.head, *column.cells)]
        width = max(map(len, texts))
        for line, text in zip(lines, texts, strict=True):
            line.append(text.rjust(width) if column.kind == "number" else text.ljust(width))
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _columns(frame: pl.DataFrame) -> list[_Column]:
    columns: list[_Column] = []
    rows = frame.rows(named=True)
    for name in frame.columns:
        if _is_end(name, frame):
            continue
        texts = [_text(name, row[name], row) for row in rows]
        columns.append(_Column(label_of(name), texts, _kind(frame[name])))
        if ends := _ends(name, frame):
            write = words.interval if name.endswith("_rate") else words.ratio_interval
            # Without an interval the rate's own word (n/a or a dash) says why.
            cells = [
                text if row[name] is None else write(*_estimated(row, ends))
                for row, text in zip(rows, texts, strict=True)
            ]
            columns.append(_Column(f"95{words.NBSP}% interval", cells, "number"))
    return columns


def _estimated(row: dict[str, Any], ends: tuple[str, str]) -> tuple[float | None, float | None]:
    """Return the ends of an interval; sent of sent is 1 by definition, not by estimate."""
    if row.get("stage") == STAGES[0] and ends[0].startswith("overall"):
        return None, None
    return row[ends[0]], row[ends[1]]


def _class(column: _Column) -> str:
    return f' class="{column.kind}"' if column.kind else ""


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


def _kind(column: pl.Series) -> str:
    if column.dtype.is_numeric() and not column.name.endswith("_id"):
        return "number"
    return "long" if column.dtype == pl.List else ""


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
