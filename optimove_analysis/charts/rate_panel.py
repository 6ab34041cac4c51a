"""One rate's panel of a forest: its rows, its axis, its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from optimove_analysis.analysis.rate_counts import RATIOS
from optimove_analysis.charts import words
from optimove_analysis.charts.forest import (
    Axis,
    Column,
    Layers,
    axis_over,
    columns_of_text,
    names_axis,
    pooled_line,
    row_height,
)
from optimove_analysis.charts.groups import ALL_CHANNELS, Group
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.schema import MEAN_OPENS, RATES, RateName

__all__ = ["Panel", "draw"]

_NAMED: Final = 6
"""Groups that are named where they lack a rate; of more it is said how many."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What one rate's panel shows."""

    name: RateName
    records: list[dict[str, Any]]
    """The rows, from the top."""
    lacking: list[str]
    """Groups whose channels lack a stage of the rate."""
    whole: Mapping[str, Any] | None
    """The row of all together, where it is drawn and has an answer."""

    @classmethod
    def of(
        cls, name: RateName, drawn: Sequence[Group], whole: Mapping[str, Any] | None, sort: str
    ) -> Panel:
        """Gather a rate's rows; ``sort="value"`` puts the highest first and no answer last."""
        records: list[dict[str, Any]] = []
        lacking: list[str] = []
        for group in drawn:
            for row in group.rows.iter_rows(named=True):
                if row["rate"] == name and row["k"] is None:
                    lacking.append(group.label)
                elif row["rate"] == name:
                    records.append(_record(group.label, row))
        if sort == "value":
            records.sort(key=lambda r: -1.0 if r["value"] is None else r["value"], reverse=True)
        for place, record in enumerate(records):
            record["place"] = place
        answered = whole if whole is not None and whole["value"] is not None else None
        return cls(name, records, lacking, answered)

    @property
    def whole_text(self) -> str:
        """The value of all together, as it is read."""
        return "" if self.whole is None else _value(self.name, self.whole["value"])

    @property
    def lacking_sentence(self) -> str:
        """Say who lacks the rate, to come after another sentence."""
        if not self.lacking:
            return ""
        few = len(self.lacking) <= _NAMED
        who = words.listed(self.lacking) if few else words.plural(len(self.lacking), "group")
        return f" n/a: {who}."

    @property
    def head(self) -> str:
        """Say what the rate is of, how it was counted and who has none."""
        n = sum(record["n"] for record in self.records)
        said = [f"Of {n:,} {RATIOS[self.name].n} messages."] if self.records else []
        unlike = {record["counted"] for record in self.records} - {self.name}
        if unlike:
            said.append(f"Some counted as {words.listed(sorted(unlike))}.")
        return (" ".join(said) + self.lacking_sentence).strip()

    @property
    def axis(self) -> Axis:
        """Hold what is well known; a small group's value and interval would leave it no room."""
        large = [record for record in self.records if not record["small"]] or self.records
        values = [record[end] for record in large for end in ("value", "lo", "hi")]
        whole = [] if self.whole is None else [self.whole["value"]]
        return axis_over([*values, *whole], most=None if self.name == MEAN_OPENS else 1.0)


def _value(name: str, value: float | None) -> str:
    return words.ratio(value) if name == MEAN_OPENS else words.percent(value)


def _record(label: str, row: Mapping[str, Any]) -> dict[str, Any]:
    name = row["rate"]
    write = words.ratio_interval if name == MEAN_OPENS else words.interval
    value, interval = _value(name, row["value"]), write(row["lo"], row["hi"])
    numbers = ("value", "lo", "hi", "k", "n", "customers", "n_implied", "n_late", "n_immature")
    return {
        "name": label,
        "rate": name,
        "counted": row["label"],
        "channel": row["channel"] or ALL_CHANNELS,
        "colour": words.FEW if row["small"] else row["channel"] or ALL_CHANNELS,
        "small": bool(row["small"]),
        **{number: row[number] for number in numbers},
        "value_text": value,
        "interval_text": interval,
        "text": value if row["lo"] is None else f"{value} ({interval})",
        "k_of_n": f"{row['k']:,} / {row['n']:,}",
    }


def draw(
    panel: Panel, palette: Mapping[str, str], columns: Sequence[Column], width: int, names: int
) -> Layers:
    """Draw a rate's panel.

    Args:
        panel: what it shows.
        palette: the colour of each record.
        columns: the numbers at the right.
        width: pixels of the axis.
        names: pixels of the rows' names, the same in all panels so that they stand in line.
    """
    axis, order = panel.axis, [record["name"] for record in panel.records]
    for record in panel.records:
        record["beyond"] = _beyond(record, axis)
    y = alt.Y("name:N", sort=order, title=None, axis=names_axis(names))
    texts = columns_of_text(y, width, columns, first="datum.place == 0")
    layers = [*_marks(panel, axis, y, palette, width), *texts]
    layered: Layers = layer(*layers, data=inline(panel.records)).properties(
        width=width, height=row_height(len(order)) * max(len(order), 1)
    )
    if panel.whole is None:
        return layered
    k_of_n = f"{panel.whole['k']:,} / {panel.whole['n']:,}"
    line = pooled_line(panel.whole["value"], f"all {panel.whole_text}", k_of_n, axis)
    return layer(layered, *line)


def _beyond(record: Mapping[str, Any], axis: Axis) -> str:
    """Say at which end the row leaves the axis: its value or only its interval."""
    near = 1e-12
    for name, above, below in (("value", "value above", "value below"), ("hi", "above", "")):
        if record[name] is not None and record[name] > axis.high + near:
            return above
        if record[name] is not None and record[name] < axis.low - near:
            return below
    return "below" if record["lo"] is not None and record["lo"] < axis.low - near else ""


def _marks(
    panel: Panel, axis: Axis, y: alt.Y, palette: Mapping[str, str], width: int
) -> list[alt.Chart]:
    used = sorted({record["colour"] for record in panel.records})
    colour = alt.Color(
        "colour:N",
        legend=None,
        scale=alt.Scale(domain=used, range=[palette[name] for name in used]),
    )
    marked = axis.drawn(percent=panel.name != MEAN_OPENS)
    # A title of its own in each layer would join into one: all say that there is none.
    place: dict[str, Any] = {"scale": axis.scale, "axis": marked, "title": None}
    tooltip = _tooltip(panel.name)
    base = alt.Chart()
    lo = alt.X("lo:Q", **place)
    interval = [
        base.transform_filter("!datum.small")
        .mark_rule(style="optimove-interval", clip=True)
        .encode(x=lo, x2=alt.X2("hi"), y=y, tooltip=tooltip),
        base.transform_filter("datum.small")
        .mark_rule(clip=True, strokeWidth=1.25)
        .encode(x=lo, x2=alt.X2("hi"), y=y, color=colour, tooltip=tooltip),
    ]
    dot = (
        base.transform_filter("!test(/^value/, datum.beyond)")
        .mark_point(filled=True, size=80, opacity=1)
        .encode(x=alt.X("value:Q", **place), y=y, color=colour, tooltip=tooltip)
    )
    # At the axis's end a triangle points on, large for the value itself; the number beside it
    # tells how far.
    ends = [
        base.transform_filter(f"datum.beyond === '{which}{side}'")
        .mark_point(filled=True, size=size, opacity=1, shape=f"triangle-{way}")
        .encode(x=alt.XValue(at), y=y, color=colour, tooltip=tooltip)
        for side, way, at in (("above", "right", width), ("below", "left", 0))
        for which, size in (("", 36), ("value ", 80))
        if any(record["beyond"] == f"{which}{side}" for record in panel.records)
    ]
    return [*interval, dot, *ends]


def _tooltip(name: RateName) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="Group"),
        alt.Tooltip("counted:N", title=RATES.label("label")),
        alt.Tooltip("k_of_n:N", title=f"k / n ({RATIOS[name].n})"),
        alt.Tooltip("value_text:N", title=RATES.label("value")),
        alt.Tooltip("interval_text:N", title=f"95{words.NBSP}% interval"),
        *(
            alt.Tooltip(f"{count}:Q", title=RATES.label(count), format=",d")
            for count in ("n_implied", "n_late", "n_immature", "customers")
        ),
    ]
