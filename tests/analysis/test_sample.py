"""Funnel and mix of the sample data against the definitions computed a second time, by DuckDB."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import oracle

from optimove_analysis import channel_mix, funnel, messages

SAMPLE = Path(__file__).parents[2] / "data" / "interactions.parquet"

RULES: list[dict[str, Any]] = [
    {},
    {"implied": "none", "window": 3, "assume_sent": True},
    {"window": None, "opens": "ignore"},
    {"as_of": dt.date(2025, 6, 30), "window": 30},
]


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    return pl.read_parquet(SAMPLE)


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("by", [["channel_id"], [], ["customer_id"]], ids=str)
def test_the_funnel_of_the_sample_is_what_duckdb_finds(
    sample: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    found = funnel(sample, by=by, **rules)
    oracle.assert_equal(found, [*by, "stage"], oracle.funnel(SAMPLE, by=by, **rules))
    assert found["sent"].sum() > 1000


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize(
    ("of", "every"), [("engaged", None), ("clicked", "1mo"), ("delivered", None)]
)
def test_the_mix_of_the_sample_is_what_duckdb_finds(
    sample: pl.DataFrame, of: Any, every: str | None, rules: dict[str, Any]
) -> None:
    found = channel_mix(sample, of=of, every=every, **rules)
    expected = oracle.mix(SAMPLE, month=every == "1mo", of=of, **rules)
    oracle.assert_equal(found, ["period", "channel_id"], expected)
    assert found["engagements"].sum() > 100


def test_the_sample_holds_the_oddities_that_the_definitions_are_about(sample: pl.DataFrame) -> None:
    found = messages(sample)
    oddities = found.select("n_orphans", "n_unknown", "n_collapsed").sum().row(0)
    assert all(oddities), "orphans, unknown events, repeated sends"
    assert found["bounced_on"].count() > 0
    assert found["channel_id"].n_unique() >= 6
