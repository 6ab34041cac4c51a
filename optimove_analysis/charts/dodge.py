"""Labels beside marks, moved apart where they would overlap."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["dodged"]


def dodged(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move places apart by at least ``gap``, as little as may be, within ``low`` to ``high``.

    Their order stays. Where there is no room for all they share what there is.

    >>> dodged([10, 12, 50], 10, 0, 100)
    [6.0, 16.0, 50.0]
    >>> dodged([98, 99], 10, 0, 100)
    [90.0, 100.0]
    >>> dodged([5, 5, 5], 10, 0, 10)
    [0.0, 5.0, 10.0]
    """
    if not places:
        return []
    if len(places) > 1:
        gap = min(gap, (high - low) / (len(places) - 1))
    order = sorted(range(len(places)), key=lambda i: places[i])
    # Places less i gaps must not fall: the nearest such are means of pools (isotonic regression).
    pools: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        pools.append((places[i] - rank * gap, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools.pop(-2), pools.pop()
            pools.append(((a * n + b * m) / (n + m), n + m))
    level = [mean for mean, size in pools for _ in range(size)]
    most = high - (len(places) - 1) * gap
    found = [0.0] * len(places)
    for rank, i in enumerate(order):
        found[i] = float(min(max(level[rank], low), most) + rank * gap)
    return found
