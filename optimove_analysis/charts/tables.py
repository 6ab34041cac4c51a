"""A frame as a table to read, in HTML and in a terminal, its numbers written as on the charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.groups import label_of
from optimove_analysis.schema import CHANNEL_MIX, FUNNEL, JOURNEY, STAGES, Table

__all__ = ["TABLE_STYLE", "ReadableTable", "html_table", "main_columns", "table", "text_table"]

# Each result by a column that only it has, and what a reader looks at first of it.
_MAIN: Final[tuple[tuple[Table, str, tuple[str, ...]], ...]] = (
    (
        FUNNEL,
        "overall_rate",
        (
            *("channel", "stage", "messages", "n_observed", "n_implied", "n_late"),
            *("overall_rate", "overall_lo", "overall_hi", "step_rate", "step_lo", "step_hi"),
        ),
    ),
    (
        CHANNEL_MIX,
        "share_of_sends",
        (
            *("period", "channel", "sends", "engagements", "share_of_sends"),
            *("share_of_engagements", "index", "index_lo", "index_hi"),
        ),
    ),
    (
        JOURNEY,
        "side_events",
        (
            *("send_date", "channel", "campaign_id", "action_id", "template_id"),
            *("stage", "days", "side_events"),
        ),
    ),
)

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
.optimove-table .number { text-align: right }
</style>"""

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
    """Show what a reader looks at first in a funnel, a channel mix or a journey.

    >>> table(FUNNEL.empty()).frame.columns[:6]
    ['channel', 'stage', 'messages', 'n_observed', 'n_implied', 'n_late']
    """
    caption = next((known.name for known, mark, _ in _MAIN if mark in result.columns), "")
    return ReadableTable(main_columns(result), caption.capitalize())


def main_columns(result: pl.DataFrame, *, also: Sequence[str] = ()) -> pl.DataFrame:
    """Keep the user's own columns, and those of ours that a reader looks at first, and ``also``."""
    for known, mark, wanted in _MAIN:
        if mark in result.columns:
            ours = {*known.names, "channel_id"} - {"customer_id"}
            own = [name for name in result.columns if name not in ours]
            there = [name for name in wanted if name in result.columns]
            filled = [n for n in there if result.is_empty() or not result[n].is_null().all()]
            return result.select(*own, *filled, *also)
    return result


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
