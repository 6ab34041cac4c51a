"""How fast message funnel and mix are, beside what one would write for DuckDB and for pandas.

``make bench`` runs it. The same numbers of the same rows, in one run: latest send wins, a window of
7 days, mature messages only, implied stages, bounces. The peers give the counts; ours gives
intervals with the customer as the cluster and notes as well. Ratios count, not seconds: machines
differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest
from benchmarks import pandas_peer
from benchmarks.big_world import interactions

from optimove_analysis import channel_mix, funnel
from optimove_analysis.schema import MESSAGE_KEY

ROWS = 10_000_000

_EVENTS = {"delivered": 2, "opened": 3, "clicked": 4, "unsubscribed": 5, "bounced": 6, "spam": 7}
_IDS = ", ".join(MESSAGE_KEY)
_ROW_IDS = ", ".join(f"r.{name}" for name in MESSAGE_KEY)
_SAME = " AND ".join(f"h.{name} IS NOT DISTINCT FROM r.{name}" for name in MESSAGE_KEY)


def _first_days(also: str = "") -> str:
    return ", ".join(
        f"min(date) FILTER (event_id = {i}{also}) AS {name}_on" for name, i in _EVENTS.items()
    )


# The best that we found: one aggregation for keys that are sent once, window functions only for the
# rows of the others. With window functions over all rows it took several times as long.
_JUDGED = f"""
WITH k AS MATERIALIZED (
  SELECT {_IDS}, min(date) FILTER (event_id = 1) AS first_send,
         max(date) FILTER (event_id = 1) AS last_send, min(date) AS earliest,
         {_first_days()}, max(data_through) AS through
  FROM {{source}} GROUP BY ALL
), hard AS (
  SELECT {_IDS} FROM k WHERE first_send < last_send OR earliest < first_send
), placed AS (
  SELECT r.*, min(date) FILTER (event_id = 1) OVER (PARTITION BY {_ROW_IDS}) AS first_send,
         max(date) FILTER (event_id = 1) OVER (PARTITION BY {_ROW_IDS}
           ORDER BY date, event_id <> 1 ROWS UNBOUNDED PRECEDING) AS latest
  FROM {{source}} r SEMI JOIN hard h ON {_SAME}
), m AS (
  SELECT customer_id, channel_id, action_id, coalesce(first_send, earliest) AS send,
         first_send IS NOT NULL AS observed, delivered_on, opened_on, clicked_on, unsubscribed_on,
         bounced_on, spam_on, through
  FROM k WHERE NOT coalesce(first_send < last_send OR earliest < first_send, false)
  UNION ALL BY NAME
  SELECT customer_id, channel_id, action_id, send, bool_or(event_id = 1) AS observed,
         {_first_days(" AND date >= send")}, max(data_through) AS through
  FROM (SELECT *, coalesce(latest, first_send) AS send FROM placed) GROUP BY {_IDS}, send
), j AS (
  SELECT customer_id, channel_id, observed,
         action_id IS NOT DISTINCT FROM 1 AS control, coalesce(through - send < 7, false) AS young,
         bounced_on IS NOT NULL AND clicked_on IS NULL AS bounced,
         coalesce(delivered_on - send <= 7, false) AS d,
         coalesce(opened_on - send <= 7, false) AS o,
         coalesce(clicked_on - send <= 7, false) AND channel_id <> 502 AS c,
         coalesce(unsubscribed_on - send <= 7, false) OR coalesce(spam_on - send <= 7, false) AS u
  FROM m
), counted AS (
  SELECT customer_id, channel_id,
         channel_id NOT IN (502, 511) AND NOT bounced AND (d OR o AND channel_id = 504 OR c OR u)
           AS delivered,
         channel_id = 504 AND (o AND NOT bounced OR c) AS opened, c AS clicked
  FROM j WHERE observed AND NOT control AND NOT young
)
"""
FUNNEL = f"""{_JUDGED}
SELECT channel_id, sum(s), sum(d), sum(o), sum(c), count(*)
FROM (SELECT customer_id, channel_id, count(*) AS s, count(*) FILTER (delivered) AS d,
             count(*) FILTER (opened) AS o, count(*) FILTER (clicked) AS c
      FROM counted GROUP BY ALL)
GROUP BY ALL ORDER BY ALL
"""
MIX = f"""{_JUDGED}
SELECT customer_id, channel_id, s, e, s / sum(s) OVER who, e / nullif(sum(e) OVER who, 0)
FROM (SELECT customer_id, channel_id, count(*) AS s, count(*) FILTER (opened OR clicked) AS e
      FROM counted GROUP BY ALL)
WINDOW who AS (PARTITION BY customer_id) ORDER BY ALL
"""


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return interactions(ROWS)


@pytest.fixture(scope="module")
def parquet(frame: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bench") / "interactions.parquet"
    frame.write_parquet(file)
    return file


@pytest.fixture(scope="module")
def duck(parquet: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE interactions AS FROM '{parquet}'")
        yield connection


def counts_of(found: pl.DataFrame) -> list[tuple[int, ...]]:
    """Return our funnel as the SQL gives it: a row a channel, 0 for a stage that it lacks."""
    wide = found.pivot("stage", index=["channel_id", "customers"], values="messages").fill_null(0)  # noqa: PD010 - a frame of polars
    order = ("channel_id", "sent", "delivered", "opened", "clicked", "customers")
    return sorted(wide.select(order).rows())


def timed(benchmark: Any, run: Any) -> Any:
    return benchmark.pedantic(run, rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="funnel from memory")
def test_duckdb_funnel_from_memory(benchmark: Any, duck: duckdb.DuckDBPyConnection) -> None:
    timed(benchmark, lambda: duck.execute(FUNNEL.format(source="interactions")).fetchall())


@pytest.mark.benchmark(group="funnel from memory")
def test_our_funnel_from_memory(
    benchmark: Any, frame: pl.DataFrame, duck: duckdb.DuckDBPyConnection
) -> None:
    by = ["channel_id"]
    found = timed(benchmark, lambda: funnel(frame, by=by))
    assert counts_of(found) == duck.execute(FUNNEL.format(source="interactions")).fetchall()


@pytest.fixture(scope="module")
def in_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    return frame.to_pandas().astype(dict.fromkeys(("date", "data_through"), "datetime64[s]"))


@pytest.mark.benchmark(group="funnel from memory")
def test_pandas_funnel_from_memory(
    benchmark: Any, in_pandas: pd.DataFrame, duck: duckdb.DuckDBPyConnection
) -> None:
    found = benchmark.pedantic(lambda: pandas_peer.funnel(in_pandas), rounds=1)
    assert found == duck.execute(FUNNEL.format(source="interactions")).fetchall()


@pytest.mark.benchmark(group="funnel from Parquet")
def test_duckdb_funnel_from_parquet(benchmark: Any, parquet: Path) -> None:
    with duckdb.connect() as connection:
        timed(
            benchmark, lambda: connection.execute(FUNNEL.format(source=f"'{parquet}'")).fetchall()
        )


@pytest.mark.benchmark(group="funnel from Parquet")
def test_our_funnel_from_parquet(benchmark: Any, parquet: Path) -> None:
    timed(benchmark, lambda: funnel(pl.scan_parquet(parquet)).collect())


@pytest.mark.benchmark(group="mix by customer from memory")
def test_duckdb_mix_from_memory(benchmark: Any, duck: duckdb.DuckDBPyConnection) -> None:
    timed(benchmark, lambda: duck.sql(MIX.format(source="interactions")).pl())


@pytest.mark.benchmark(group="mix by customer from memory")
def test_our_mix_from_memory(
    benchmark: Any, frame: pl.DataFrame, duck: duckdb.DuckDBPyConnection
) -> None:
    found = timed(benchmark, lambda: channel_mix(frame, by="customer_id"))
    theirs = duck.sql(MIX.format(source="interactions")).pl()
    ours = found.filter(pl.col("sends") > 0).select("sends", pl.col("engagements").fill_null(0))
    assert ours.sum().row(0) == theirs.select(pl.col("s", "e").sum().cast(pl.Int64)).row(0)


@pytest.mark.benchmark(group="mix by customer from memory")
def test_pandas_mix_from_memory(
    benchmark: Any, in_pandas: pd.DataFrame, duck: duckdb.DuckDBPyConnection
) -> None:
    found = benchmark.pedantic(lambda: pandas_peer.mix(in_pandas), rounds=1)
    theirs = duck.sql(MIX.format(source="interactions")).pl()
    sums = tuple(found[["sent", "engaged"]].sum())
    assert sums == theirs.select(pl.col("s", "e").sum().cast(pl.Int64)).row(0)
