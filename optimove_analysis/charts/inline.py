"""Parts of a chart that Altair would copy at every layer, and that a copy may share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final, Self, TypeVar

import altair as alt

__all__ = ["inline", "shared"]

_ChartT = TypeVar("_ChartT")
_INNER: Final = ("layer", "concat", "hconcat", "vconcat")


class _Records(alt.InlineDataset):
    """Records that no part of a chart changes: a copy of a chart may share them.

    Altair copies a chart, its data with it, at every ``layer``, ``concat`` and ``properties``; of
    thousands of records that is most of the time that a chart takes.
    """

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def to_dict(self, *_: object, **__: object) -> list[dict[str, Any]]:  # type: ignore[override] # it is a list
        return [dict(record) for record in self._args[0]]


def inline(records: Iterable[Mapping[str, Any]]) -> alt.InlineData:
    """Return records as a chart's data.

    >>> alt.Chart(inline([{"day": "2025-03-01"}])).mark_point().to_dict()["datasets"].values()
    dict_values([[{'day': '2025-03-01'}]])
    """
    kept = [dict(record) for record in records]
    return alt.InlineData(values=_Records(kept))  # type: ignore[no-untyped-call] # Altair's, of any kind


def shared(chart: _ChartT) -> _ChartT:
    """Return the chart, of whose marks and encodings no further copy is made.

    Altair copies all that is in a chart several times at every ``layer``, ``concat`` and
    ``properties`` around it, though it exchanges those and never changes them: with two dozen
    panels that took twenty seconds.
    """
    kwds: dict[str, Any] = vars(chart)["_kwds"]
    for name in ("mark", "encoding"):
        part = kwds.get(name)
        if isinstance(part, alt.SchemaBase):
            object.__setattr__(part, "__deepcopy__", partial(_itself, part))
    for name in _INNER:
        inner = kwds.get(name)
        for one in inner if isinstance(inner, list) else ():
            if isinstance(one, alt.SchemaBase):
                shared(one)
    return chart


def _itself(part: Any, _: object = None) -> Any:  # noqa: ANN401 - any part of Altair's
    return part
