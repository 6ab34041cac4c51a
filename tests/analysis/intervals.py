"""The intervals of the definitions a second time, in plain Python over counts and messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def wilson(k: float, n: float) -> tuple[float, float]:
    z = 1.959963984540054
    middle = (k / n + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def interval(pairs: Sequence[tuple[int, int]]) -> tuple[float, float] | None:
    """Interval of sum(k)/sum(n) over customers' (k, n)."""
    pairs = [(k, n) for k, n in pairs if n]
    total_k, total_n = sum(k for k, _ in pairs), sum(n for _, n in pairs)
    if not total_n:
        return None
    p, m, n_effective = total_k / total_n, len(pairs), float(total_n)
    if m > 1 and 0 < p < 1:
        residuals = sum((k - p * n) ** 2 for k, n in pairs)
        variance = residuals * m / (m - 1) / total_n**2
        n_effective /= max(1.0, variance / (p * (1 - p) / total_n))
    return wilson(p * n_effective, n_effective)


def index_interval(
    channel: int | None, counted: Sequence[dict[str, Any]], index: float
) -> tuple[float | None, float | None]:
    """Interval of a channel's index over messages that say their channel, customer and hit."""
    own = [row for row in counted if row["channel_id"] == channel]
    s, e = len(own), sum(row["hit"] for row in own)
    sends, hits = len(counted), sum(row["hit"] for row in counted)
    if index == 0:
        return 0.0, wilson(0, s)[1] * sends / hits
    one_customer = len({row["customer_id"] for row in counted}) == 1
    parts: dict[Any, float] = {}
    for number, row in enumerate(counted):
        cluster = number if one_customer else row["customer_id"]
        mine = row["channel_id"] == channel
        part = mine * row["hit"] / e - mine / s - row["hit"] / hits + 1 / sends
        parts[cluster] = parts.get(cluster, 0.0) + part
    m = len(parts)
    if m == 1:
        return None, None
    half = 1.959963984540054 * math.sqrt(sum(z * z for z in parts.values()) * m / (m - 1))
    return index * math.exp(-half), index * math.exp(half)
