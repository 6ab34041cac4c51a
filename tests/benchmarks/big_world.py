"""A large frame of interactions with a fixed seed: what benchmarks count.

Drawn in bulk and not by the sandbox, which makes a customer's year in some milliseconds: a hundred
million rows would take it days. Shapes are the sandbox's: six channels, e-mail most of all, stages
that thin out, and a few of each oddity (a campaign sent again, events before the send, repeats,
unknown events, null ids), so that no formulation is timed that would be wrong on real data.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl

from optimove_analysis import Archive
from optimove_analysis.schema import INTERACTIONS

__all__ = ["archive", "interactions", "write"]

Numbers: TypeAlias = np.ndarray[Any, np.dtype[Any]]

ROWS_A_MESSAGE: Final = 2.11
"""How many rows a message has on average, as drawn below."""

_CHANNELS: Final = np.array([504, 505, 506, 510, 511, 502])
_CHANNEL_ODDS: Final = [0.5, 0.15, 0.15, 0.06, 0.1, 0.04]
# Chance of each event given a send, by channel in the order above: delivered, opened, clicked.
_CHANCES: Final = {
    2: [0.97, 0.95, 0.93, 0.93, 0.0, 0.0],
    3: [0.40, 0.0, 0.0, 0.0, 0.0, 0.0],
    4: [0.06, 0.05, 0.04, 0.03, 0.12, 0.0],
    5: [0.004, 0.002, 0.0, 0.0, 0.0, 0.0],
    6: [0.02, 0.02, 0.0, 0.0, 0.0, 0.0],
    7: [0.001, 0.0, 0.0, 0.0, 0.0, 0.0],
}
_DAYS: Final = 365
_FIRST: Final = dt.date(2025, 1, 1)
_LAST: Final = dt.date(2025, 12, 31)
_MESSAGES_A_CUSTOMER: Final = 42


def interactions(rows: int, *, seed: int = 4, first_customer: int = 0) -> pl.DataFrame:
    """Draw about ``rows`` rows, customer by customer, as a client's frame has them."""
    draw = np.random.default_rng([seed, first_customer])
    n = max(1, round(rows / ROWS_A_MESSAGE))
    customers = max(1, n // _MESSAGES_A_CUSTOMER)
    who = np.sort(draw.integers(0, customers, n)) + first_customer
    channel = draw.choice(6, n, p=_CHANNEL_ODDS)
    day = draw.integers(0, _DAYS, n)
    campaign = day * 8 + channel  # one campaign a day and channel
    group, action = draw.integers(1, 4, n), 2 + channel * 5 + draw.integers(0, 5, n)
    template = channel * 20 + draw.integers(0, 20, n)
    control, lost = draw.random(n) < 0.01, draw.random(n) < 0.002
    action = np.where(control, 1, action)

    index: list[Numbers] = []
    event: list[Numbers] = []
    lag: list[Numbers] = []

    def add(of: Numbers, which: int, days: Numbers | int) -> None:
        index.append(of)
        event.append(np.full(of.size, which))
        lag.append(np.broadcast_to(days, of.size))

    add(np.flatnonzero(draw.random(n) > 0.003), 1, 0)  # a few sends are not reported
    for which, chances in _CHANCES.items():
        of = np.flatnonzero(draw.random(n) < np.array(chances)[channel])
        add(of, which, np.minimum(draw.geometric(0.45, of.size) - 1, 40) * (which > 2))
    again = np.flatnonzero(draw.random(n) < 0.002)  # the same campaign sent again
    add(again, 1, draw.integers(1, 15, again.size))
    early = np.flatnonzero(draw.random(n) < 0.001)  # orphans
    add(early, 2, -draw.integers(1, 3, early.size))
    add(np.flatnonzero(draw.random(n) < 0.002), 17, 1)  # in no catalogue
    twice = np.flatnonzero(draw.random(n) < 0.01)  # repeated reports
    add(twice, 2, 0)
    add(twice, 2, 0)

    of, events, days = np.concatenate(index), np.concatenate(event), np.concatenate(lag)
    order = np.lexsort((events, day[of] + days, who[of]))
    of, events, days = of[order], events[order], days[order]
    start = (_FIRST - dt.date(1970, 1, 1)).days
    frame = pl.DataFrame(
        {
            "customer_id": who[of],
            "date": (start + day[of] + days).astype(np.int32),
            "campaign_id": campaign[of],
            "recipient_group_id": group[of],
            "action_id": action[of],
            "channel_id": _CHANNELS[channel[of]],
            "template_id": template[of],
            "lost": lost[of],
            "event_id": events,
        }
    )
    return INTERACTIONS.check(
        frame.with_columns(
            pl.format("{}", pl.col("customer_id") + 100_000).alias("customer_id"),
            pl.col("date").cast(pl.Date),
            pl.when(~pl.col("lost")).then("template_id").alias("template_id"),
            data_through=pl.lit(_LAST),
        ).drop("lost")
    ).select(INTERACTIONS.names)


def write(path: Path, rows: int, *, seed: int = 4, chunk: int = 5_000_000) -> None:
    """Write about ``rows`` rows as Parquet, so many at a time that memory does not limit them."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only large files need it

    writer, done = None, 0
    while done < rows:
        part = interactions(min(chunk, rows - done), seed=seed, first_customer=done)
        table = part.to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        done += chunk
    if writer:
        writer.close()


def archive(folder: Path, rows: int, *, seed: int = 4) -> Archive:
    """Make an archive of about ``rows`` rows."""
    kept = Archive(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        file = Path(temporary) / "drawn.parquet"
        write(file, rows, seed=seed)
        kept.import_parquet(file, start=_FIRST, end=_LAST, data_through=_LAST)
    return kept
