"""The same lines on DuckDB: the very numbers that polars gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from analysis import worlds
from analysis.events import frame, on
from analysis.test_agreement import RULES, WORLDS
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue, channel_mix, funnel
from optimove_analysis.analysis.keys import PackedKey
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import FUNNEL


def relation(interactions: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    return duckdb.connect().from_arrow(interactions.to_arrow())


@settings(WORLDS, max_examples=14)
@given(
    interactions=worlds.interactions(),
    by=st.sampled_from([["channel_id"], [], ["customer_id"], ["campaign_id", "send_date"]]),
    rules=RULES,
)
def test_a_funnel_on_duckdb_is_the_funnel_on_polars(
    interactions: pl.DataFrame, by: list[str], rules: dict[str, Any]
) -> None:
    there = funnel(relation(interactions), by=by, **rules)
    assert_frame_equal(there, funnel(interactions, by=by, **rules), rel_tol=1e-12)


@settings(WORLDS, max_examples=14)
@given(
    interactions=worlds.interactions(),
    by=st.sampled_from([[], ["customer_id"]]),
    every=st.sampled_from([None, "1d", "1w", "1mo", "1q", "1y"]),
    rules=RULES,
)
def test_a_mix_on_duckdb_is_the_mix_on_polars(
    interactions: pl.DataFrame, by: list[str], every: str | None, rules: dict[str, Any]
) -> None:
    there = channel_mix(relation(interactions), by=by, every=every, **rules)
    here = channel_mix(interactions, by=by, every=every, **rules)
    assert_frame_equal(there, here, rel_tol=1e-12)


@settings(WORLDS, max_examples=14)
@given(
    interactions=worlds.interactions(),
    by=st.sampled_from(
        [[], ["customer_id"], [pl.col("customer_id").str.slice(0, 1).alias("first")], ["action_id"]]
    ),
    rules=RULES,
)
def test_packed_ids_and_plain_ones_give_the_same_funnel(
    interactions: pl.DataFrame, by: list[str | pl.Expr], rules: dict[str, Any]
) -> None:
    packed = funnel(interactions, by=by, **rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PackedKey, "of", lambda *_, **__: None)  # as where an id is too wide
        plain = funnel(interactions, by=by, **rules)
    assert_frame_equal(plain, packed, rel_tol=1e-12)


def test_ids_too_wide_to_be_packed_are_counted_all_the_same() -> None:
    wide = frame(
        on(3, "sent", campaign_id=-(2**63), template_id=2**63 - 1),
        on(4, "opened", campaign_id=-(2**63), template_id=2**63 - 1),
        on(3, "sent", campaign_id=2**63 - 1, template_id=None),
    )
    assert funnel(wide)["messages"].to_list() == [2, 1, 1, 0]
    # Each wide, but not too wide: several whole numbers hold them.
    wide = frame(
        *(on(3, "sent", campaign_id=2**40 * i, template_id=2**50 * i) for i in range(3)),
        on(4, "clicked", campaign_id=2**41, template_id=2**51),
    )
    assert funnel(wide)["messages"].to_list() == [3, 1, 1, 1]


def test_a_column_of_ones_own_can_be_grouped_by_on_duckdb(tmp_path: Path) -> None:
    file = tmp_path / "interactions.parquet"
    rows = frame(on(3, "sent"), on(4, "opened"), on(3, "sent", campaign_id=4))
    rows.with_columns(segment=pl.lit("vip")).write_parquet(file)
    there = funnel(duckdb.connect().read_parquet(str(file)), by="segment")
    assert there.columns == ["segment", *FUNNEL.names]
    assert there["messages"].to_list() == [2, 1, 1, 0]


@pytest.mark.parametrize("name", ["Rows", "Send_Observed", "n_Orphans", "_by_0"])
def test_on_duckdb_a_group_may_be_called_like_a_column_of_messages_but_for_case(name: str) -> None:
    rows = frame(on(3, "sent"), on(4, "clicked")).with_columns(pl.lit("mine").alias(name))
    found = funnel(relation(rows), by=["customer_id", name])
    assert found[name].to_list() == ["mine"] * 4
    assert_frame_equal(found, funnel(rows, by=["customer_id", name]))


def test_an_optional_column_may_be_absent_on_duckdb_too() -> None:
    rows = frame(on(3, "sent"), on(4, "opened")).drop("data_through")
    there = funnel(relation(rows))
    assert_frame_equal(there, funnel(rows))
    assert "data_through" in there["notes"][0].to_list()[0]


@pytest.mark.parametrize("events", [{1: "sent", 3: "opened"}, {3: "opened"}, {}])
def test_a_catalogue_that_lacks_meanings_counts_alike_everywhere(events: Any) -> None:
    rows = frame(on(3, "sent"), on(4, "opened"), on(9, "sent"), on(10, "clicked"), on(2, 17))
    names = Catalogue(events=events)
    here = funnel(rows, catalogue=names)
    assert_frame_equal(funnel(relation(rows), catalogue=names), here)
    assert_frame_equal(funnel(rows.lazy(), catalogue=names).collect(), here)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.drop("event_id"), "need the column 'event_id'"),
        (lambda rows: rows.with_columns(pl.col("channel_id").cast(pl.String)), "must be Int64"),
    ],
)
def test_a_relation_that_is_no_table_of_interactions_is_refused(change: Any, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        funnel(relation(change(frame(on(3, "sent")))))


def test_what_only_polars_can_do_is_refused_on_duckdb_with_what_to_do() -> None:
    there = relation(frame(on(3, "sent")))
    with pytest.raises(InputError, match="add the column there first"):
        funnel(there, by=(pl.col("campaign_id") > 2).alias("new"))
    with pytest.raises(InputError, match="1d, 1w, 1mo, 1q or 1y"):
        channel_mix(there, every="2w")


def test_a_frame_of_no_known_engine_is_refused() -> None:
    with pytest.raises(SchemaError, match="must be a polars frame"):
        funnel([1, 2, 3])
