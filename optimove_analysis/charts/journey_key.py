"""What a journey's marks look like, and the key that says what they mean."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final

import altair as alt

from optimove_analysis.charts.inline import inline
from optimove_analysis.charts.joined import layer
from optimove_analysis.schema import CONTROL_ACTION_ID

__all__ = ["KINDS", "SHAPES", "in_ink", "key", "kind_of", "side_scale"]

# More ink, further along: a tick, a ring, a disc, a lozenge. A path's unit is half a mark's width.
SHAPES: Final[Mapping[str, tuple[str, bool, float]]] = {
    "sent": ("M0,-0.9L0,0.9", False, 1),
    "delivered": ("circle", False, 0.7),
    "opened": ("circle", True, 0.9),
    "clicked": ("M0,-1.1L1.1,0L0,1.1L-1.1,0Z", True, 1.5),
    "no known stage": ("M-0.8,0L0.8,0", False, 1),
    "control group, not sent": ("square", False, 0.6),
}
"""What a mark can be: its shape, whether it is filled, and its area in times the usual."""
KINDS: Final = tuple(SHAPES)
# Upon or above the mark, in ink and not in the channel's colour.
_SIDES: Final[Mapping[str, tuple[str, bool]]] = {
    "bounced": ("M-0.8,-0.8L0.8,0.8M0.8,-0.8L-0.8,0.8", False),
    "unsubscribed": ("M-0.7,1L-0.7,-1L0.9,-0.45L-0.4,0.1L-0.4,1Z", True),
    "spam complaint": ("triangle-down", True),
    "unknown event": ("M0,-0.8L0,0.8M-0.8,0L0.8,0", False),
}
_KEY_ROW: Final = 20
_LETTER: Final = 5.4  # pixels of the key's text, on average


def kind_of(message: Mapping[str, Any]) -> str:
    """Name the mark of a message."""
    if message["action_id"] == CONTROL_ACTION_ID:
        return "control group, not sent"
    return message["stage"] or "no known stage"


def side_scale() -> alt.Scale:
    """Return the shapes of what is marked upon or above a mark."""
    return alt.Scale(domain=list(_SIDES), range=[shape for shape, _ in _SIDES.values()])


def in_ink(chart: alt.Chart, field: str, **mark: Any) -> list[alt.Chart]:  # noqa: ANN401 - of marks
    """Draw those that are filled and those that are lines, both in the ink of the text."""
    return [
        chart.transform_filter(
            alt.FieldOneOfPredicate(
                field, [name for name, (_, full) in _SIDES.items() if full is filled]
            )
        ).mark_point(style="optimove-interval", filled=filled, opacity=1, **mark)
        for filled in (True, False)
    ]


def key(
    kinds: Container[str], sides: Container[str], width: int
) -> alt.LayerChart | alt.FacetChart:
    """Draw what each mark means, of those that are there, in as many lines as need be."""
    x, y, records = 6.0, _KEY_ROW / 2, []
    for name in [*(kind for kind in KINDS if kind in kinds), *(s for s in _SIDES if s in sides)]:
        needs = 26 + len(name) * _LETTER
        if x > 6 and x + needs > width:  # noqa: PLR2004 - not the first of a line
            x, y = 6.0, y + _KEY_ROW
        _, filled, area = SHAPES.get(name, ("", False, 0.8))
        records.append({"what": name, "x": x, "y": y, "filled": filled, "area": area * 90})
        x += needs
    height = y + _KEY_ROW / 2
    place: dict[str, Any] = {
        "x": alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], nice=False)),
        "y": alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height])),
    }
    shapes = {name: shape for name, (shape, *_) in (*SHAPES.items(), *_SIDES.items())}
    data = alt.Chart(inline(records))
    marks = data.encode(
        **place,
        shape=alt.Shape(
            "what:N",
            legend=None,
            scale=alt.Scale(domain=list(shapes), range=list(shapes.values())),
        ),
        size=alt.Size("area:Q", legend=None, scale=None),
    )
    stages = [
        marks.transform_filter(
            alt.FieldOneOfPredicate(
                "what", [name for name, (_, full, _) in SHAPES.items() if full is filled]
            )
        ).mark_point(style="optimove-note", filled=filled, opacity=1, strokeWidth=1.3)
        for filled in (True, False)
    ]
    text = data.mark_text(style="optimove-note", align="left", dx=10).encode(
        **place, text=alt.Text("what:N")
    )
    drawn = layer(*stages, *in_ink(marks, "what"), text)
    return drawn.properties(width=width, height=height)
