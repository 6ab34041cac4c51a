"""The rows of a comparison: their places, and their numbers in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from optimove_analysis.charts import words
from optimove_analysis.charts.forest import Layers
from optimove_analysis.charts.groups import ALL_CHANNELS
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.charts.signed import lift, lift_interval, points, points_interval
from optimove_analysis.schema import COMPARISON, SMALL_N

__all__ = ["panel", "record", "texts_width"]

_ROW: Final = 54
_LABEL: Final = 46  # pixels at both ends of a row, which the label of a mark there needs
_LETTER: Final = 6.2
_REASONS: Final[Mapping[str, str]] = {
    "no such stage": "n/a: an arm's channels lack a stage",
    "control group": "Not compared: nothing is sent to controls",
    "absent": "Not compared: an arm has no message",
    "insufficient": f"Insufficient: n of an arm below {SMALL_N}",
    "k above n": "Not compared: more reported of k than of n",
    "zero baseline": "No lift: the baseline is 0",
    "zero count": "without an interval: the arm has none",
    "both whole": "without an interval: both are 100 %",
    "not a part": "No interval: k is no part of n",
}


def record(row: Mapping[str, Any], *, of_arms: bool) -> dict[str, Any]:
    """Make a rate's datum: the table's numbers, the same in words, and places from 0 to 1.

    ``of_arms``: the arms are channels, and have their colours.
    """
    value0, value, low, high = (
        row[name] for name in ("value0", "value", "difference_lo", "difference_hi")
    )
    ends = [None if end is None else value0 + end for end in (low, high)]
    top = max((end for end in (value0, value, *ends) if end is not None), default=0) or 1

    def at(end: float | None) -> float | None:
        return None if end is None else max(end, 0) / top

    sure = low is not None and high is not None and (low > 0 or high < 0)
    channel = row["channel"] or ALL_CHANNELS
    first, second = (row["baseline"], row["against"]) if of_arms else (channel, channel)
    lines = _lines(row)
    numbers = ("k0", "n0", "value0", "k", "n", "value", "difference", "lift")
    return {
        "name": row["label"].capitalize(),
        **{name: row[name] for name in numbers},
        "difference_lo": low,
        "difference_hi": high,
        "at0": at(value0),
        "at": at(value),
        "lo_at": at(ends[0]),
        "hi_at": at(ends[1]),
        "small": bool(row["small"]),
        "sure": sure,
        "ahead": value is not None and value0 is not None and value >= value0,
        "colour0": words.FEW if row["small"] else first,
        "colour": words.FEW if row["small"] else second,
        "text0": _of(value0, row["n0"]),
        "text": _of(value, row["n"]),
        "of": _n(row),
        "line_1": lines[0],
        "line_2": lines[1],
        "line_3": lines[2],
        "k_of_n0": words.k_of_n(row["k0"], row["n0"], value0),
        "k_of_n": words.k_of_n(row["k"], row["n"], value),
        "sentence": _sentence(row, lines),
    }


def _of(value: float | None, n: int | None) -> str:
    return "" if value is None or n is None else words.percent(value)


def _n(row: Mapping[str, Any]) -> str:
    if row["n0"] is None and row["n"] is None:
        return ""
    return f"n = {words.count(row['n0'])} and {words.count(row['n'])}"


def _lines(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Write the difference, the lift, and what turns the conclusion around."""
    reason = row["reason"] or ""
    why = _REASONS.get(reason, reason.capitalize())
    flips = "Flips: another conclusion with opens ignored" if row["flips"] else ""
    if row["difference"] is None:
        return why, "", flips
    first = points(row["difference"])
    if row["difference_lo"] is not None:
        first += f" ({points_interval(row['difference_lo'], row['difference_hi'])})"
    elif reason:
        return first, why, flips
    if row["lift"] is None:
        return first, why, flips
    second = f"lift {lift(row['lift'])}"
    if row["lift_lo"] is not None:
        second += f" ({lift_interval(row['lift_lo'], row['lift_hi'])})"
    elif reason:
        second += f", {why}"
    return first, second, flips


def _sentence(row: Mapping[str, Any], lines: Sequence[str]) -> str:
    if row["value0"] is None or row["value"] is None:
        return lines[0]
    arms = f"{words.percent(row['value0'])} to {words.percent(row['value'])}"
    return ", ".join([arms, *(line for line in lines if line)])


def texts_width(records: Sequence[Mapping[str, Any]]) -> int:
    """Return the pixels that the lines at the right take."""
    lines = (len(one[f"line_{line}"]) for one in records for line in (1, 2, 3))
    return 20 + round(max(lines, default=0) * _LETTER)


def panel(
    head: str,
    records: Sequence[dict[str, Any]],
    palette: Mapping[str, str],
    width: int,
    names: int,
) -> Layers:
    """Draw a group's rows: names at the left, the two arms, the difference at the right."""
    used = sorted({one[name] for one in records for name in ("colour0", "colour")})
    scale = alt.Scale(domain=used, range=[palette[name] for name in used])
    colour0, colour = (
        alt.Color(f"{name}:N", legend=None, scale=scale) for name in ("colour0", "colour")
    )
    y = alt.Y("name:N", sort=[one["name"] for one in records], axis=None)
    place = alt.Scale(domain=[0, 1], range=[_LABEL, width - _LABEL], nice=False)
    zero = alt.Axis(
        values=[0], format="d", labelFlush=False, title=None
    )  # all that the rows' scales share
    at0, at, low = (alt.X(f"{name}:Q", scale=place, axis=zero) for name in ("at0", "at", "lo_at"))
    tooltip = _tooltip()
    base = alt.Chart()
    ring = base.mark_point(size=84, strokeWidth=2, opacity=1)
    marks = [
        base.mark_rule(style="optimove-link").encode(x=at0, x2=alt.X2("at"), y=y),
        base.mark_rule(style="optimove-interval").encode(
            x=low, x2=alt.X2("hi_at"), y=y, tooltip=tooltip
        ),
        base.mark_point(style="optimove-paper", filled=True, size=84, opacity=1).encode(x=at0, y=y),
        ring.encode(x=at0, y=y, color=colour0, tooltip=tooltip),
        base.mark_point(filled=True, size=96, opacity=1).encode(
            x=at, y=y, color=colour, tooltip=tooltip
        ),
    ]
    title: dict[str, Any] = {"title": alt.Title(head, fontSize=13, offset=8)} if head else {}
    layers: Layers = layer(
        *marks,
        *_labels(base, at0, at, y),
        *_texts(base, y, width, names),
        data=inline(list(records)),
    ).properties(width=width, height=_ROW * len(records), **title)
    return layers


def _labels(base: alt.Chart, at0: alt.X, at: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Write each value above its mark, to the outer side, so that two never meet."""
    labels = []
    for x, field, is_baseline in ((at0, "text0", True), (at, "text", False)):
        for ahead in (True, False):
            left = ahead == is_baseline
            labels.append(
                base.transform_filter(f"datum.ahead === {str(ahead).lower()}")
                .mark_text(
                    style="optimove-note" if is_baseline else "optimove-value",
                    align="right" if left else "left",
                    dx=-2 if left else 2,
                    dy=-14,
                )
                .encode(x=x, y=y, text=f"{field}:N")
            )
    return labels


def _texts(base: alt.Chart, y: alt.Y, width: int, names: int) -> list[alt.Chart]:
    left, right = alt.value(-names), alt.value(width + 8)
    sure, unsure = base.transform_filter("datum.sure"), base.transform_filter("!datum.sure")
    value: dict[str, Any] = {"style": "optimove-value", "align": "left"}
    note: dict[str, Any] = {"style": "optimove-note", "align": "left"}
    return [
        base.mark_text(**value, dy=-7, limit=names).encode(x=left, y=y, text=alt.Text("name:N")),
        base.mark_text(**note, dy=8).encode(x=left, y=y, text=alt.Text("of:N")),
        sure.mark_text(**value, dy=-14, fontWeight="bold").encode(
            x=right, y=y, text=alt.Text("line_1:N")
        ),
        unsure.mark_text(**value, dy=-14).encode(x=right, y=y, text=alt.Text("line_1:N")),
        base.mark_text(**note, dy=1).encode(x=right, y=y, text=alt.Text("line_2:N")),
        base.mark_text(**note, dy=15, fontWeight="bold").encode(
            x=right, y=y, text=alt.Text("line_3:N")
        ),
    ]


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=COMPARISON.label("label")),
        alt.Tooltip("k_of_n0:N", title=COMPARISON.label("value0")),
        alt.Tooltip("k_of_n:N", title=COMPARISON.label("value")),
        alt.Tooltip("line_1:N", title=COMPARISON.label("difference")),
        alt.Tooltip("line_2:N", title=COMPARISON.label("lift")),
        alt.Tooltip("line_3:N", title=COMPARISON.label("flips")),
    ]
