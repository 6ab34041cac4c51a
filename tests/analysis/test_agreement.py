"""Funnel and mix against the definitions computed a second time, by DuckDB and plain Python."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import oracle, worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimove_analysis import channel_mix, funnel
from optimove_analysis.analysis.channel_mix import Engagement

RULES = st.fixed_dictionaries(
    {
        "window": st.sampled_from([7, 0, 3, None]),
        "as_of": st.sampled_from([None, worlds.DAY0 + dt.timedelta(days=15)]),
        "implied": st.sampled_from(["lower", "none"]),
        "assume_sent": st.sampled_from([None, True, False]),
        "opens": st.sampled_from(["trust", "ignore"]),
    }
)
BY = st.sampled_from([["channel_id"], [], ["customer_id"], ["campaign_id", "channel_id"]])
WORLDS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    return tmp_path / "interactions.parquet"


@WORLDS
@given(frame=worlds.interactions(), by=BY, rules=RULES)
def test_the_funnel_of_a_random_world_is_what_duckdb_finds(
    parquet: Path, frame: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    frame.write_parquet(parquet)
    ours = funnel(frame, by=by, **rules)
    oracle.assert_equal(ours, [*by, "stage"], oracle.funnel(parquet, by=by, **rules))


@WORLDS
@given(
    frame=worlds.interactions(),
    by=st.sampled_from([[], ["customer_id"]]),
    every=st.sampled_from([None, "1mo"]),
    of=st.sampled_from(["engaged", "clicked", "opened", "delivered"]),
    rules=RULES,
)
def test_the_mix_of_a_random_world_is_what_duckdb_finds(  # noqa: PLR0917 - Hypothesis' draws
    parquet: Path,
    frame: pl.DataFrame,
    by: list[str],
    every: str | None,
    of: Engagement,
    rules: dict[str, Any],
) -> None:
    if of == "opened":
        rules = {**rules, "opens": "trust"}
    frame.write_parquet(parquet)
    ours = channel_mix(frame, by=by, every=every, of=of, **rules)
    expected = oracle.mix(parquet, by=by, month=every == "1mo", of=of, **rules)
    oracle.assert_equal(ours, [*by, "period", "channel_id"], expected)
