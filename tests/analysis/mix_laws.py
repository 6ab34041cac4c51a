"""Laws that all that is asked of channel mixes keep: each takes the question as a function."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
from analysis import worlds
from hypothesis import HealthCheck, settings
from polars.testing import assert_frame_equal

from optimove_analysis import Catalogue
from optimove_analysis.schema import Table

Ask = Callable[..., pl.DataFrame]
LAW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SAYS = Catalogue(reports_sent=True)
BESIDE = ["n_immature", "n_unobserved", "notes"]
"""What immature messages may change."""


def order_and_repeats_change_nothing(
    ask: Callable[[pl.DataFrame], pl.DataFrame], frame: pl.DataFrame, chance: Any
) -> None:
    found = ask(frame)
    shuffled = frame[chance.sample(range(frame.height), frame.height)]
    assert_frame_equal(ask(shuffled), found)
    again = frame[chance.choices(range(frame.height), k=frame.height)] if frame.height else frame
    assert_frame_equal(ask(pl.concat([frame, again])).drop("notes"), found.drop("notes"))


def immature_messages_change_no_number(
    ask: Callable[[pl.DataFrame], pl.DataFrame],
    frame: pl.DataFrame,
    more: pl.DataFrame,
    keys: list[str],
) -> None:
    immature = more.with_columns(
        campaign_id=pl.col("campaign_id").fill_null(0) + 100,
        data_through=pl.lit(worlds.DAY0 - dt.timedelta(days=9)),
    )
    found, both = ask(frame), ask(pl.concat([frame, immature]))
    old = both.join(found.select(keys), on=keys, how="semi", nulls_equal=True)
    assert_frame_equal(old.drop(BESIDE), found.drop(BESIDE))


def a_customer_alone_is_as_among_all(
    ask: Callable[[pl.DataFrame], pl.DataFrame], frame: pl.DataFrame
) -> None:
    found = ask(frame)
    for (customer,), own in frame.group_by("customer_id"):
        mine = found.filter(pl.col("customer_id").eq_missing(customer))
        assert_frame_equal(ask(own), mine)


def lazy_is_eager_and_both_are_the_table(
    ask: Callable[[Any], Any], frame: pl.DataFrame, table: Table, group: dict[str, pl.DataType]
) -> None:
    found = ask(frame)
    assert_frame_equal(ask(frame.lazy()).collect(), found)
    assert list(found.schema.items()) == [*group.items(), *table.schema.items()]
    never = [column.name for column in table.columns if not column.nulls]
    assert found.select(never).null_count().sum_horizontal().to_list() == [0]
    numbers = found.select(
        pl.col(pl.Float64).is_nan().any() | pl.col(pl.Float64).is_infinite().any()
    )
    assert not any(numbers.row(0))
