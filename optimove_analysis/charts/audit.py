"""An audit: what was found in the rows before any number is made of them, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.alt_text import ENDLESS, alt_text
from optimove_analysis.charts.empty import nothing
from optimove_analysis.charts.groups import MAX_PANELS, Group, checked, groups, refuse_too_many
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import vconcat
from optimove_analysis.charts.theme import TOTAL_COLOUR, finished
from optimove_analysis.schema import AUDIT, SEVERITIES

__all__ = ["audit"]

# More ink, worse: a square, a triangle, a ring; a tick for what is in order.
_SHAPES: Final[Mapping[str, tuple[str, bool]]] = {
    "error": ("square", True),
    "warning": ("triangle-up", True),
    "note": ("circle", False),
    "ok": ("M-0.7,0L-0.2,0.6L0.8,-0.6", False),
    "not made": ("M-0.7,0L0.7,0", False),
}
_WORST_FIRST: Final = tuple(reversed(SEVERITIES))
_BADGE: Final = 84  # pixels for the severity's shape and word
_SHARE: Final = 150  # pixels for the longest bar, and for what is written below it
_LINE: Final = 15
_AIR: Final = 16


def audit(
    table: pl.DataFrame, *, title: str | None = None, width: int = 420, everything: bool = False
) -> alt.VConcatChart | alt.Chart:
    """Draw an audit's table: a row for each check that found something, the worst first.

    Left, how much it matters, by shape and in words; then what was found, and below what to do
    about it; right, how many that are of how many, with a bar that is the share.

    Args:
        table: what ``audit(interactions)`` returns; with ``by=`` a block a group.
        title: in place of the title that counts what was found.
        width: pixels for the sentences; what stands beside them takes 260 more.
        everything: draw the checks that found nothing, and those that could not be made, too.

    Raises:
        SchemaError: the table is not an audit's.
        InputError: it has more groups than a picture can show.

    >>> import optimove_analysis as oa
    >>> frame = pl.read_parquet("data/interactions.parquet")
    >>> audit(oa.audit(frame)).to_dict()["title"]["text"]
    'Audit: 4 warnings and 4 notes'
    """
    table = checked(table, AUDIT, "audit")
    drawn = groups(table, AUDIT, ["check"], split=False) if table.height else []
    refuse_too_many(len(drawn), MAX_PANELS, "groups")
    found = table.filter(pl.col("severity") != "ok")
    if table.is_empty() or (found.is_empty() and not everything):
        made = table.filter(pl.col("count").is_not_null())["check"].n_unique()
        why = f"By {words.plural(made, 'check')} of {_size(table)}" if made else "No check was made"
        return nothing(title or "Audit", "Nothing found", why)
    top = max(table["share"].drop_nulls().to_list(), default=0) or 1
    blocks = [
        _block(group, width, top, everything=everything, labelled=bool(group.label))
        for group in drawn
    ]
    chart: alt.VConcatChart = vconcat(*blocks, spacing=22)
    summary = _summary(found)
    return finished(
        chart,
        title=title or f"Audit: {summary}",
        told=_told(table, summary if title else ""),
        width=width + _BADGE + _SHARE + 24,
        description=alt_text(
            f"Audit: {summary}.",
            [_sentence(group) for group in drawn],
            [_brief(group) for group in drawn],
            most=ENDLESS,
        ),
    )


def _summary(found: pl.DataFrame) -> str:
    counts = dict(found["severity"].cast(pl.String).value_counts().iter_rows())
    parts = [words.plural(counts[name], name) for name in _WORST_FIRST if name in counts]
    return words.listed(parts).replace(words.NBSP, " ") or "nothing found"


def _size(table: pl.DataFrame) -> str:
    """Say how many rows, messages and channels there are: of each group the total, once."""
    keys = table.columns[: table.columns.index("check")]
    totals = dict(
        table.unique([*keys, "of"], maintain_order=True)
        .group_by("of", maintain_order=True)
        .agg(pl.col("total").sum())
        .iter_rows()
    )
    # A message or a channel may be in several groups.
    names = ["rows"] if keys else ["rows", "messages", "channels"]
    parts = [words.plural(totals[name], name.removesuffix("s")) for name in names if name in totals]
    return words.listed(parts)


def _told(table: pl.DataFrame, summary: str) -> list[str]:
    unmade = table.filter(pl.col("count").is_null())["check"].n_unique()
    silent = (
        table.filter(pl.col("count").is_not_null())
        .group_by("check")
        .agg(nothing=(pl.col("severity") == "ok").all())
    )
    told = [f"{summary}." if summary else "", _size(table)]
    text = f"Nothing found by {words.plural(int(silent['nothing'].sum()), 'check')}"
    told.append(text + (f"; {words.plural(unmade, 'check')} not made." if unmade else "."))
    told.append("Bar: share of the rows, messages or channels that were looked at.")
    return told


def _block(
    group: Group, width: int, top: float, *, everything: bool, labelled: bool
) -> alt.LayerChart:
    rows = group.rows if everything else group.rows.filter(pl.col("severity") != "ok")
    rows = rows.sort(pl.col("severity").to_physical(), descending=True, maintain_order=True)
    marks: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    y = 0.0
    for row in rows.iter_rows(named=True):
        what = words.lines([row["what"]], width)
        to_do = words.lines([row["what_to_do"] or ""], int(width * 1.12))
        lines += [
            {"text": text, "y": y + _LINE * (place + 0.5), "strong": place < len(what)}
            for place, text in enumerate([*what, *to_do])
        ]
        marks.append(_record(row, y + _LINE / 2))
        y += _LINE * max(len(what) + len(to_do), 2 if row["count"] else 1) + _AIR
    if not marks:
        lines.append({"text": "Nothing found.", "y": _LINE / 2, "strong": True})
        y = _LINE + _AIR
    height = y - _AIR
    block = alt.LayerChart(layer=_layers(marks, lines, width, height, top)).properties(
        width=width + _BADGE + _SHARE + 24, height=height
    )
    if labelled:
        block = block.properties(title=alt.Title(group.label, fontSize=13, offset=8))
    return block


def _record(row: Mapping[str, Any], y: float) -> dict[str, Any]:
    of = str(row["of"])
    text = words.NO_ANSWER
    if row["count"] is not None:
        text = f"{row['count']:,} / {row['total']:,} {of} = {words.percent(row['share'])}"
    return {
        "check": row["check"],
        "severity": "not made" if row["count"] is None else row["severity"],
        "y": y,
        "bar": y - 4,
        "bar_end": y + 4,
        "below": y + _LINE if row["count"] else y,
        "count": row["count"],
        "share": row["share"],
        "of": text,
        "what": row["what"],
        "examples": ", ".join(row["examples"]) or "none",
    }


def _layers(
    marks: Sequence[Mapping[str, Any]],
    lines: Sequence[Mapping[str, Any]],
    width: int,
    height: float,
    top: float,
) -> list[alt.Chart]:
    scale = alt.Scale(domain=[0, height], range=[0, height], nice=False)
    y = alt.Y("y:Q", axis=None, scale=scale)
    left = width + _BADGE + 24
    tooltip = [
        alt.Tooltip("check:N", title=AUDIT.label("check")),
        alt.Tooltip("severity:N", title=AUDIT.label("severity")),
        alt.Tooltip("of:N", title="Found"),
        alt.Tooltip("examples:N", title=AUDIT.label("examples")),
    ]
    data = alt.Chart(inline(list(marks)))
    shapes = alt.Scale(domain=list(_SHAPES), range=[shape for shape, _ in _SHAPES.values()])
    badges = [
        data.transform_filter(
            alt.FieldOneOfPredicate(
                "severity", [name for name, (_, full) in _SHAPES.items() if full is filled]
            )
        )
        .mark_point(style="optimove-interval", filled=filled, opacity=1, size=80)
        .encode(
            x=alt.XValue(7),
            y=y,
            shape=alt.Shape("severity:N", scale=shapes, legend=None),
            tooltip=tooltip,
        )
        for filled in (True, False)
    ]
    text = alt.Chart(inline(list(lines)))
    return [
        *badges,
        data.mark_text(style="optimove-value", align="left").encode(
            x=alt.XValue(20), y=y, text=alt.Text("severity:N")
        ),
        *(
            text.transform_filter(alt.datum.strong == strong)
            .mark_text(style=style, align="left")
            .encode(x=alt.XValue(_BADGE), y=y, text=alt.Text("text:N"))
            for strong, style in ((True, "optimove-value"), (False, "optimove-note"))
        ),
        # A bar between two places would stand upright: both of its sides are given.
        data.mark_rect(color=TOTAL_COLOUR, tooltip={"content": "encoding"}).encode(
            x=alt.X(
                "share:Q",
                axis=None,
                scale=alt.Scale(domain=[0, top], range=[left, left + _SHARE], nice=False),
            ),
            x2=alt.X2Datum(0),
            y=alt.Y("bar:Q", axis=None, scale=scale),
            y2=alt.Y2("bar_end"),
            tooltip=tooltip,
        ),
        data.mark_text(style="optimove-note", align="left").encode(
            x=alt.XValue(left), y=alt.Y("below:Q", axis=None, scale=scale), text=alt.Text("of:N")
        ),
    ]


def _brief(group: Group) -> str:
    return f"{group.label}: {_summary(group.rows.filter(pl.col('severity') != 'ok'))}."


def _sentence(group: Group) -> str:
    rows = group.rows.filter(pl.col("severity") != "ok").sort(
        pl.col("severity").to_physical(), descending=True, maintain_order=True
    )
    prefix = f"{group.label}: " if group.label else ""
    told = [f"{row['severity'].capitalize()}: {row['what']}" for row in rows.iter_rows(named=True)]
    return prefix + (" ".join(told) or "Nothing found.")
