"""Ordered funnels in any order where an event may serve several steps: customer by customer.

Which steps a window of days can serve is a matching, not a scan, so this is plain Python; only the
customers who have such an event come here.
"""

from __future__ import annotations

from collections import defaultdict

import polars as pl

from optimove_analysis.analysis.ordered_days import can_serve
from optimove_analysis.analysis.ordered_steps import Question
from optimove_analysis.analysis.ordered_times import SPAN

__all__ = ["search"]

_Events = list[tuple[int, int]]


def search(
    events: pl.DataFrame,
    way: tuple[int, ...],
    question: Question,
    customers: int,  # noqa: ARG001 - the same arguments for each way
    cutoff: pl.Series,
) -> pl.DataFrame:
    """Return the best chain of each customer."""
    of: defaultdict[int, _Events] = defaultdict(list)
    for time, mask in events.sort("time", "mask").iter_rows():
        of[time // SPAN].append((time, mask))
    rows: list[dict[str, int]] = []
    for code, own in of.items():
        last = cutoff[code] if len(cutoff) else None
        best: tuple[int, int, int] | None = None
        days: list[int] = []
        for start in sorted({time for time, mask in own if mask > 1}):
            if last is not None and start > last:
                break
            end = start + question.within
            end = min([end, *(time for time, mask in own if mask == 1 and time > start)])
            window = [(time, mask) for time, mask in own if start <= time <= end and mask > 1]
            chain = _chain(window, way, start)
            if chain and (best is None or (len(chain), -max(chain), start) > best):
                best, days = (len(chain), -max(chain), start), chain
        if days:
            times = {f"time_{number}": time for number, time in zip(way, days, strict=False)}
            rows.append({"code": code, "position": way[len(days) - 1], "steps": len(days), **times})
    names = ["code", "position", "steps", *(f"time_{number}" for number in way)]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64))


def _chain(window: _Events, way: tuple[int, ...], start: int) -> list[int]:
    """Return the days of the longest chain that has its first event on the first day."""
    for steps in range(len(way), 0, -1):
        for end in sorted({time for time, _ in window}):
            wanted = dict.fromkeys(way[:steps], end)
            if not _fits(window, wanted, start):
                continue
            # From the last step to the first, each as early as the others leave it.
            for number in reversed(way[:steps]):
                for day in sorted({time for time, _ in window if time <= end}):
                    if _fits(window, wanted | {number: day}, start):
                        wanted[number] = day
                        break
            return list(wanted.values())
    return []


def _fits(window: _Events, by: dict[int, int], start: int) -> bool:
    """Return whether each step can be done by its day, one of them on the first day."""

    def serve(latest: dict[int, int]) -> bool:
        masks = [
            sum(2**number for number, day in latest.items() if time <= day and mask >> number & 1)
            for time, mask in window
        ]
        return can_serve(list(latest), masks)

    return any(serve(by | {number: start}) for number in by)
