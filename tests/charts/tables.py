"""Hand-written results: counts in, tables of the schema out, intervals reckoned here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from optimove_analysis.schema import CHANNEL_MIX, FUNNEL, STAGES

AS_OF = date(2026, 11, 30)
Z = 1.959963984540054  # the 97.5 % point of the normal distribution, from a printed table


def wilson(k: int, n: int) -> tuple[float, float]:
    """Solve |p - k/n| = z sqrt(p(1-p)/n) for p: the interval's own definition."""
    a, b, c = 1 + Z**2 / n, -(2 * k / n + Z**2 / n), (k / n) ** 2
    root = math.sqrt(max(b**2 - 4 * a * c, 0))
    low, high = (-b - root) / (2 * a), (-b + root) / (2 * a)
    return 0.0 if k == 0 else low, 1.0 if k == n else high


def rate(prefix: str, k: int | None, n: int | None) -> dict[str, float | None]:
    if k is None or not n:
        return {f"{prefix}_rate": None, f"{prefix}_lo": None, f"{prefix}_hi": None}
    low, high = wilson(k, n)
    return {f"{prefix}_rate": k / n, f"{prefix}_lo": low, f"{prefix}_hi": high}


# sent / sent is 1 by definition, so that there is nothing to estimate.
SURE = {"overall_rate": 1.0, "overall_lo": 1.0, "overall_hi": 1.0}


def funnel_rows(
    counts: Sequence[int | None],
    *,
    channel: str | None,
    implied: Sequence[int] = (0, 0, 0, 0),
    late: Sequence[int] = (0, 0, 0, 0),
    immature: int = 0,
    customers: int = 0,
    notes: Sequence[str] = (),
    **keys: object,
) -> list[dict[str, Any]]:
    """Four rows from the counts of sent, delivered, opened, clicked; None where there is none."""
    rows: list[dict[str, Any]] = []
    sent, previous = counts[0] or 0, None
    for place, (stage, k) in enumerate(zip(STAGES, counts, strict=True)):
        lacks = k is None
        rows.append(
            {
                **keys,
                "channel": channel,
                "stage": stage,
                "messages": k,
                "n_observed": None if k is None else k - implied[place],
                "n_implied": None if lacks else implied[place],
                "n_late": None if lacks else late[place],
                "n_immature": immature,
                "n_unobserved": 0,
                "sent": sent,
                **(rate("overall", k, sent) if place or not sent else SURE),
                "previous": None if lacks else previous,
                **rate("step", k, previous),
                "customers": customers,
                "small": sent < 30,
                "method": "wilson-cluster",
                "unit": "message",
                "window": 7,
                "as_of": AS_OF,
                "implied": "lower",
                "opens": "trust",
                "notes": list(notes),
            }
        )
        previous = previous if k is None else k
    return rows


def _frame(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    keys = [name for name in rows[0] if name not in schema]
    ordered = [{name: row[name] for name in (*keys, *schema)} for row in rows]
    frame = pl.DataFrame(ordered, infer_schema_length=None)
    return frame.cast({name: dtype for name, dtype in schema.items() if name in frame.columns})


def funnel_table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return _frame(rows, FUNNEL.schema)


def audience_funnel() -> pl.DataFrame:
    """An audience of six channels, as `funnel(interactions, by="channel_id")` gives it."""
    late, implied = (0, 0, 61, 17), (0, 212, 44, 0)
    rows = [
        *funnel_rows((57, None, None, None), channel="Call centre", channel_id=502, customers=51),
        *funnel_rows(
            (4210, 4102, 1020, 131),
            channel="E-mail",
            channel_id=504,
            implied=implied,
            late=late,
            immature=120,
            customers=198,
            notes=["17 rows have an event id that the catalogue lacks."],
        ),
        *funnel_rows(
            (901, 884, None, 56), channel="SMS", channel_id=505, customers=170, implied=(0, 9, 0, 0)
        ),
        *funnel_rows((1440, 1203, None, 44), channel="Push", channel_id=506, customers=122),
        *funnel_rows((22, 19, None, 2), channel="Web push", channel_id=510, customers=9),
        *funnel_rows((610, None, None, 75), channel="In-app", channel_id=511, customers=88),
    ]
    return funnel_table(rows)


def mix_rows(
    counts: Sequence[tuple[int, str, int, int | None]],
    *,
    period: date | None = None,
    customers: int = 0,
    notes: Sequence[str] = (),
    **keys: object,
) -> list[dict[str, Any]]:
    """Rows of one group and period from (channel id, channel, sends, engagements or None)."""
    sends = sum(count[2] for count in counts)
    engagements = sum(count[3] or 0 for count in counts)
    rows = []
    for channel_id, channel, sent, engaged in counts:
        of_sends = sent / sends if sends else None
        of_engagements = engaged / engagements if engaged is not None and engagements else None
        index = low = high = None
        if of_sends and of_engagements is not None:
            index = of_engagements / of_sends
            if engaged:  # log-linear: exp(log index +- z se), with the delta method's variance
                spread = Z * math.sqrt(max(1 / engaged - 1 / engagements + 1 / sent, 0))
                low, high = index * math.exp(-spread), index * math.exp(spread)
        rows.append(
            {
                **keys,
                "period": period,
                "channel_id": channel_id,
                "channel": channel,
                "sends": sent,
                "engagements": engaged,
                "share_of_sends": of_sends,
                "share_of_engagements": of_engagements,
                "index": index,
                "index_lo": low,
                "index_hi": high,
                "n_immature": 3,
                "n_unobserved": 0,
                "customers": customers,
                "small": sent < 30,
                "method": "log-linear-cluster",
                "unit": "message",
                "of": "engaged",
                "window": 7,
                "as_of": AS_OF,
                "opens": "trust",
                "notes": list(notes),
            }
        )
    return rows


def mix_table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return _frame(rows, CHANNEL_MIX.schema)


def audience_mix() -> pl.DataFrame:
    """The mix of the audience of `audience_funnel`, over all time."""
    counts: list[tuple[int, str, int, int | None]] = [
        (502, "Call centre", 57, None),
        (504, "E-mail", 4210, 1020),
        (505, "SMS", 901, 56),
        (506, "Push", 1440, 44),
        (510, "Web push", 22, 2),
        (511, "In-app", 610, 75),
    ]
    return mix_table(mix_rows(counts, customers=200))


def mix_by_month(periods: Sequence[date], **keys: object) -> list[dict[str, Any]]:
    """A mix that moves from e-mail to push, a row a period and channel."""
    rows = []
    for place, period in enumerate(periods):
        counts: list[tuple[int, str, int, int | None]] = [
            (502, "Call centre", 5 + place % 3, None),
            (504, "E-mail", 420 - 14 * place, 101 - 3 * place),
            (505, "SMS", 90 + 2 * place, 6 + place % 4),
            (506, "Push", 80 + 15 * place, 9 + 3 * place),
            (511, "In-app", 60, 8 + place % 2),
        ]
        rows += [{**keys, **row} for row in mix_rows(counts, period=period, customers=180)]
    return rows
