"""Bars of stages or steps, with their numbers in columns beside them: a panel a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from optimove_analysis.charts.groups import Group
from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer

__all__ = ["Bars"]

_ROW: Final = 30  # pixels a bar
_LABEL: Final = 180  # pixels of the longest name of a bar


@dataclass(frozen=True, slots=True)
class Bars:
    """What the bars are of.

    A datum holds ``group``, ``colour``, ``lo_count`` and ``hi_count`` (the interval on the scale of
    counts), ``who`` (a line under the panel's name), and the fields named here.
    """

    row: str
    """The field that names a bar."""
    order: Sequence[str]
    """The bars from top to bottom."""
    solid: str
    """The field with the count that was observed."""
    end: str
    """The field with the whole count; the part beyond ``solid`` is faint."""
    texts: Sequence[tuple[str, int, str]]
    """Columns of numbers: field, pixels from the longest bar to the right edge, head."""
    tooltip: Sequence[alt.Tooltip]
    width: int
    """Pixels of the longest bar."""

    @property
    def wide(self) -> int:
        """Pixels of a panel with its numbers."""
        return self.width + self.texts[-1][1] + 4

    def panels(
        self,
        records: Sequence[Mapping[str, Any]],
        drawn: Sequence[Group],
        palette: Mapping[str, str],
        columns: int,
    ) -> alt.FacetChart:
        """Draw all groups."""
        used = sorted({record["colour"] for record in records})
        chart: alt.FacetChart = (
            layer(*self._layers(used, [palette[name] for name in used]))
            .properties(width=self.wide, height=_ROW * len(self.order))
            .facet(
                facet=alt.Facet(
                    "group:N",
                    sort=[group.label for group in drawn],
                    title=None,
                    header=alt.Header(labelAnchor="start", labelAlign="left", labelPadding=10),
                ),
                columns=min(columns, len(drawn)),
                data=inline(list(records)),
                spacing={"row": 26, "column": 40},
            )
            # Each panel has its own scale of counts. A channel with a tenth of the messages would
            # be a sliver on a common one, and what is compared between channels is the shape, the
            # share of the first, which the number beside each bar gives; the counts are written
            # out as well.
            .resolve_scale(x="independent")
        )
        return chart

    def _layers(self, used: list[str], colours: list[str]) -> list[alt.Chart]:
        x = alt.Scale(range=[0, self.width], nice=False, zero=True)
        axis = alt.Axis(labelLimit=_LABEL)
        y = alt.Y(f"{self.row}:N", sort=list(self.order), title=None, axis=axis)
        colour = alt.Color("colour:N", legend=None, scale=alt.Scale(domain=used, range=colours))
        end = alt.X(f"{self.end}:Q", scale=x, axis=None)
        bar: dict[str, Any] = {"height": {"band": 0.62}, "tooltip": {"content": "encoding"}}
        tooltip = list(self.tooltip)
        base = alt.Chart()
        observed = base.mark_bar(**bar).encode(
            x=alt.X(f"{self.solid}:Q", scale=x, axis=None), y=y, color=colour, tooltip=tooltip
        )
        layers = [observed]
        if self.solid != self.end:
            implied = base.mark_bar(**bar, opacity=0.45).encode(
                x=end, x2=self.solid, y=y, color=colour, tooltip=tooltip
            )
            layers.append(implied)
        interval = base.mark_rule(style="optimove-interval").encode(
            x=alt.X("lo_count:Q", scale=x, axis=None), x2=alt.X2("hi_count"), y=y
        )
        text = [
            base.mark_text(style="optimove-value", align="right").encode(
                x=alt.XValue(self.width + edge), y=y, text=f"{name}:N"
            )
            for name, edge, _ in self.texts
        ]
        first = base.transform_filter(alt.datum[self.row] == self.order[0])
        heads = [
            first.mark_text(style="optimove-note", align="right", text=head).encode(
                x=alt.XValue(self.width + edge), y=alt.YValue(-10)
            )
            for _, edge, head in self.texts
        ]
        who = first.mark_text(style="optimove-note", align="left").encode(
            x=alt.XValue(0), y=alt.YValue(-26), text=alt.Text("who:N")
        )
        return [*layers, interval, *text, *heads, who]
