"""A frame as a table to read, in HTML and in a terminal, its numbers written as on the charts."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.cells import cell, interval_cell
from optimove_analysis.charts.groups import label_of
from optimove_analysis.charts.main_columns import main_columns, recognised
from optimove_analysis.charts.main_results import Main

__all__ = ["TABLE_STYLE", "ReadableTable", "html_table", "main_columns", "table", "text_table"]

# The notebook's own colours, light or dark; the class keeps its other tables as they are.
TABLE_STYLE: Final = """<style>
.optimove-table .scroll { overflow: auto; max-height: 32em; line-height: 1.4 }
.optimove-table table { border-collapse: collapse; font-variant-numeric: tabular-nums }
.optimove-table caption { text-align: left; padding: 4px 8px; font-weight: 600 }
.optimove-table th, .optimove-table td {
  text-align: left; font-weight: normal; padding: 2px 16px 2px 8px; white-space: nowrap;
  border-bottom: 1px solid var(--jp-border-color2, #ddd) }
.optimove-table thead th { font-weight: 600; position: sticky; top: 0;
  background: var(--jp-layout-color1, #fff) }
.optimove-table td.long { white-space: normal; min-width: 26em }
.optimove-table .number { text-align: right }
</style>"""

_LONG: Final = 40
"""More rows than this are folded away; the reader opens them."""
_SENTENCES: Final = ("what", "what_to_do")


@dataclass(frozen=True, slots=True, repr=False)
class ReadableTable:
    """A frame as it is read: text in a terminal, HTML in a notebook."""

    frame: pl.DataFrame
    caption: str = ""

    def __repr__(self) -> str:
        return text_table(self.frame)

    def _repr_html_(self) -> str:
        body = html_table(self.frame, self.caption, fold=False)
        return f'{TABLE_STYLE}<div class="optimove-table">{body}</div>'


def table(result: pl.DataFrame) -> ReadableTable:
    """Show what a reader looks at first in a result of the analysis; any other frame whole.

    Rates are percentages with their interval in one column, differences are in points. What is a
    mean (total opens per delivered) is no percentage. Null is a dash, or "n/a" where the channel
    lacks the stage.

    >>> from optimove_analysis.schema import FUNNEL
    >>> table(FUNNEL.empty()).frame.columns[:6]
    ['channel', 'stage', 'messages', 'n_observed', 'n_implied', 'n_late']
    """
    main = recognised(result)
    caption = "" if main is None else main.table.name.replace("_", " ").capitalize()
    return ReadableTable(main_columns(result), caption)


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
    main = recognised(frame)
    rows = frame.rows(named=True)
    owners = {end: name for name in frame.columns for end in _ends(name, frame, main) or ()}
    for name in frame.columns:
        if name in owners:
            continue
        texts = [cell(name, row[name], row, main) for row in rows]
        columns.append(_Column(_head(name, main), texts, _kind(frame[name])))
        if ends := _ends(name, frame, main):
            cells = [interval_cell(name, ends, row, main) for row in rows]
            columns.append(_Column(f"95{words.NBSP}% interval", cells, "number"))
    return columns


def _head(name: str, main: Main | None) -> str:
    if main is not None and name in main.table.names:
        return main.table.label(name)
    return label_of(name)


def _class(column: _Column) -> str:
    return f' class="{column.kind}"' if column.kind else ""


def _ends(name: str, frame: pl.DataFrame, main: Main | None) -> tuple[str, str] | None:
    """Return the columns with the ends of a column's interval, by whichever way they are named."""
    stem = name.removesuffix("_rate")
    ends = (f"{stem}_lo", f"{stem}_hi")
    if main is not None and name == main.estimate:
        ends = ("lo", "hi")
    if name == stem and f"{stem}_rate" in frame.columns:
        return None  # the ends are those of the step's rate, not of the step
    has_both = set(ends) <= set(frame.columns) and name not in ends
    return ends if has_both else None


def _kind(column: pl.Series) -> str:
    if column.dtype.is_numeric() and not column.name.endswith("_id"):
        return "number"
    return "long" if column.dtype == pl.List or column.name in _SENTENCES else ""
