"""The same lines on PySpark, a real local session on java: the very numbers that polars gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from analysis import worlds
from analysis.events import seeded
from polars.testing import assert_frame_equal

from optimove_analysis import channel_mix, funnel
from optimove_analysis.schema import INTERACTIONS

pytest.importorskip("pyspark.sql", reason="PySpark is not installed here: make spark")

pytestmark = pytest.mark.filterwarnings("default")  # PySpark's own, which we can do nothing about


@pytest.fixture(scope="module")
def world() -> pl.DataFrame:
    """Return a world with every oddity that the laws are tried on."""
    rows = worlds.rows(seeded(7), 400)
    frame = pl.DataFrame(rows, schema_overrides=dict(INTERACTIONS.schema))
    return INTERACTIONS.check(frame).select(INTERACTIONS.names)


@pytest.fixture(scope="module")
def there(session: Any, world: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("spark") / "interactions.parquet"
    world.write_parquet(file)
    return session.read.parquet(str(file))


@pytest.mark.parametrize("by", [["channel_id"], [], ["customer_id"]])
@pytest.mark.parametrize("options", [{}, {"window": None, "implied": "none"}, {"opens": "ignore"}])
def test_a_funnel_on_pyspark_is_the_funnel_on_polars(
    there: Any, world: pl.DataFrame, by: list[str], options: dict[str, Any]
) -> None:
    assert_frame_equal(
        funnel(there, by=by, **options), funnel(world, by=by, **options), rel_tol=1e-12
    )


@pytest.mark.parametrize("every", [None, "1w", "1mo"])
def test_a_mix_on_pyspark_is_the_mix_on_polars(
    there: Any, world: pl.DataFrame, every: str | None
) -> None:
    assert_frame_equal(
        channel_mix(there, every=every), channel_mix(world, every=every), rel_tol=1e-12
    )


def test_the_sample_data_gives_the_same_numbers_on_pyspark(session: Any) -> None:
    sample = Path(__file__).parents[2] / "data" / "interactions.parquet"
    assert_frame_equal(
        funnel(session.read.parquet(str(sample))), funnel(pl.read_parquet(sample)), rel_tol=1e-12
    )
