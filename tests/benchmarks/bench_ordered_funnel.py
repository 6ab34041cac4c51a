"""How fast an ordered funnel is, beside ClickHouse's windowFunnel and SQL in DuckDB.

``make bench BENCH=tests/benchmarks/bench_ordered_funnel.py`` runs it. All are asked the same of the
same 3 million events of 100,000 customers, in one run, and must give the same counts: opened, then
clicked, then opened on another channel, within 14 days. Ours also says on which days; the peers
give no more than how far. Ratios count, not seconds: machines differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from chdb.session import Session

from optimove_analysis import ordered_funnel
from optimove_analysis.schema import INTERACTIONS

ROWS, CUSTOMERS, WITHIN = 3_000_000, 100_000, 14
STEPS: dict[str, pl.Expr] = {
    "e-mail opened": (pl.col("channel_id") == 504) & (pl.col("event_id") == 3),
    "clicked": pl.col("event_id") == 4,
    "push opened": (pl.col("channel_id") == 506) & (pl.col("event_id") == 3),
}
CONDITIONS = (
    "channel_id = 504 AND event_id = 3",
    "event_id = 4",
    "channel_id = 506 AND event_id = 3",
)
FUNNEL = f"""
    SELECT level, count() FROM (
        SELECT windowFunnel({WITHIN}{{mode}})(toUInt32(toDate(date)), {", ".join(CONDITIONS)})
               AS level
        FROM {{source}} GROUP BY customer_id
    ) GROUP BY level ORDER BY level
"""
# For each event the latest first step that a chain to it may have begun with, step by step: the
# best that we found; joins of first steps with later ones took many times as long.
WINDOW = (
    "max({what}) OVER (PARTITION BY customer_id ORDER BY date, step "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
)
_TWO = f"CASE WHEN step = 2 AND date - one <= {WITHIN} THEN one END"
LEVELS = f"""
    WITH e AS (
        SELECT customer_id, date, CASE WHEN {CONDITIONS[0]} THEN 1 WHEN {CONDITIONS[1]} THEN 2
               WHEN {CONDITIONS[2]} THEN 3 END AS step
        FROM {{source}} WHERE ({CONDITIONS[0]}) OR ({CONDITIONS[1]}) OR ({CONDITIONS[2]})
    ), a AS (
        SELECT *, {WINDOW.format(what="CASE WHEN step = 1 THEN date END")} AS one FROM e
    ), b AS (
        SELECT *, {WINDOW.format(what=_TWO)}
               AS two FROM a
    ), c AS (
        SELECT customer_id, max(CASE WHEN step = 3 AND date - two <= {WITHIN} THEN 3
               WHEN two IS NOT NULL THEN 2 WHEN one IS NOT NULL THEN 1 ELSE 0 END) AS level
        FROM b GROUP BY customer_id
    )
    SELECT coalesce(level, 0) AS level, count(*) FROM (SELECT DISTINCT customer_id FROM {{source}})
    LEFT JOIN c USING (customer_id) GROUP BY ALL ORDER BY level
"""

pytestmark = pytest.mark.benchmark(group="ordered_funnel")


def generate(rows: int = ROWS, customers: int = CUSTOMERS, *, seed: int = 7) -> pl.DataFrame:
    """Return events of half a year, customer by customer and day by day, as a fetch gives them."""
    draw = np.random.default_rng(seed)
    ids = pl.Series([f"customer-{i:07}" for i in range(customers)])
    frame = pl.DataFrame(
        {
            "customer_id": ids.gather(np.sort(draw.integers(0, customers, rows))),
            "date": pl.Series(20_000 + draw.integers(0, 182, rows), dtype=pl.Int32).cast(pl.Date),
            "campaign_id": draw.integers(1, 400, rows),
            "recipient_group_id": draw.integers(1, 3, rows),
            "action_id": draw.integers(2, 30, rows),
            "channel_id": draw.choice([504, 505, 506, 511], rows, p=[0.5, 0.15, 0.25, 0.1]),
            "template_id": draw.integers(1, 90, rows),
            "event_id": draw.choice(
                [1, 2, 3, 4, 5, 6], rows, p=[0.4, 0.36, 0.17, 0.05, 0.01, 0.01]
            ),
        }
    )
    return INTERACTIONS.check(frame.sort("customer_id", "date")).select(INTERACTIONS.names)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return generate()


@pytest.fixture(scope="module")
def parquet(frame: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "events.parquet"
    frame.write_parquet(path)
    return path


@pytest.fixture(scope="module")
def expected(frame: pl.DataFrame) -> list[tuple[int, int]]:
    return ours(frame)


@pytest.fixture(scope="module")
def clickhouse(parquet: Path) -> Iterator[Any]:
    session = Session()
    session.query("CREATE DATABASE IF NOT EXISTS bench")
    session.query(
        "CREATE TABLE bench.events ENGINE = Memory AS "
        "SELECT customer_id, date, channel_id, event_id "
        f"FROM file('{parquet}', Parquet)"
    )
    yield session
    session.close()


def ours(rows: Any, **options: Any) -> list[tuple[int, int]]:
    found: Any = ordered_funnel(rows, STEPS, **{"within": WITHIN} | options)
    counts: list[tuple[int, int]] = (
        found.lazy().group_by("position").len().sort("position").collect().rows()
    )
    return counts


def rows_of(answer: Any) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in (line.split() for line in str(answer).splitlines())]


def test_ours_from_memory(
    benchmark: Any, frame: pl.DataFrame, expected: list[tuple[int, int]]
) -> None:
    assert benchmark(ours, frame) == expected


def test_ours_from_parquet(benchmark: Any, parquet: Path, expected: list[tuple[int, int]]) -> None:
    assert benchmark(lambda: ours(pl.scan_parquet(parquet))) == expected


def test_ours_from_memory_shuffled(
    benchmark: Any, frame: pl.DataFrame, expected: list[tuple[int, int]]
) -> None:
    shuffled = frame.sample(fraction=1, shuffle=True, seed=7)
    assert benchmark(ours, shuffled) == expected


@pytest.mark.parametrize("mode", ["", "strict_once"])
def test_clickhouse_from_memory(
    benchmark: Any, clickhouse: Any, expected: list[tuple[int, int]], mode: str
) -> None:
    sql = FUNNEL.format(source="bench.events", mode=f", '{mode}'" if mode else "")
    assert rows_of(benchmark(clickhouse.query, sql, "TabSeparated")) == expected


def test_clickhouse_from_parquet(
    benchmark: Any, clickhouse: Any, parquet: Path, expected: list[tuple[int, int]]
) -> None:
    sql = FUNNEL.format(source=f"file('{parquet}', Parquet)", mode="")
    assert rows_of(benchmark(clickhouse.query, sql, "TabSeparated")) == expected


def test_duckdb_from_memory(benchmark: Any, parquet: Path, expected: list[tuple[int, int]]) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE events AS SELECT * FROM read_parquet(?)", [str(parquet)])
        sql = LEVELS.format(source="events")
        assert benchmark(lambda: connection.execute(sql).fetchall()) == expected


def test_duckdb_from_parquet(
    benchmark: Any, parquet: Path, expected: list[tuple[int, int]]
) -> None:
    with duckdb.connect() as connection:
        sql = LEVELS.format(source=f"read_parquet('{parquet}')")
        assert benchmark(lambda: connection.execute(sql).fetchall()) == expected


@pytest.mark.parametrize("mode", ["strict", "any"])
def test_ours_in_other_modes(benchmark: Any, frame: pl.DataFrame, mode: str) -> None:
    counted = benchmark(ours, frame, mode=mode)
    assert sum(customers for _, customers in counted) == frame["customer_id"].n_unique()


@pytest.mark.parametrize("mode", ["loose", "strict", "any"])
def test_ours_where_an_event_may_serve_two_steps(
    benchmark: Any, frame: pl.DataFrame, mode: Any
) -> None:
    opened = pl.col("event_id") == 3
    steps = {"opened": opened, "opened again": opened, "clicked": pl.col("event_id") == 4}
    # Of customers who all have such events; in any order they go one by one, so fewer of them.
    some = frame.head(ROWS // 30) if mode == "any" else frame
    found = benchmark.pedantic(
        lambda: ordered_funnel(some, steps, within=WITHIN, mode=mode), rounds=3
    )
    assert found.height == some["customer_id"].n_unique()
