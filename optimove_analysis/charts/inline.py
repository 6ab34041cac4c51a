"""A chart's records as its data, copied once and not at every layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import altair as alt

__all__ = ["inline"]


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
