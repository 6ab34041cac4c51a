"""How many customers got how far: the ordered funnel's chains, counted by step."""

from __future__ import annotations

import datetime as dt

import polars as pl

from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.intervals import wilson
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.ordered_steps import Question
from optimove_analysis.schema import ORDERED_FUNNEL_COUNTS, SMALL_N

__all__ = ["count_steps"]


def count_steps(
    customers: pl.DataFrame, question: Question, group: Grouping, as_of: dt.date | None
) -> pl.DataFrame:
    """Count customers by step, from one row each: ``time_1``, ..., ``n_undated``, ``begun``."""
    numbers = range(1, len(question.names) + 1)
    start = pl.min_horizontal(f"time_{number}" for number in numbers)
    days = {number: pl.col(f"time_{number}") - start for number in numbers}
    judged = question.window is not None
    wide = group.aggregate(
        customers.lazy(),
        *(pl.col(f"time_{n}").count().cast(pl.Int64).alias(f"customers_{n}") for n in numbers),
        *(days[n].median().alias(f"median_{n}") for n in numbers),
        start.count().cast(pl.Int64).alias("entered"),
        pl.len().cast(pl.Int64).alias("audience"),
        (pl.col("begun") & start.is_null()).sum().cast(pl.Int64).alias("n_immature"),
        (pl.col("begun") & pl.col("through").is_null() & pl.lit(judged and as_of is None))
        .sum()
        .cast(pl.Int64)
        .alias("n_no_through"),
        pl.col("n_undated", "n_control").sum(),
        pl.col("through").max().alias("through_last"),
    )
    long = pl.concat([_step(wide, question, group, number, as_of) for number in numbers])
    return long.sort(*group.names, "position").collect()


def _step(
    wide: pl.LazyFrame, question: Question, group: Grouping, number: int, as_of: dt.date | None
) -> pl.LazyFrame:
    k, entered = pl.col(f"customers_{number}"), pl.col("entered")
    before = max((n for n in range(1, number) if n not in question.optional), default=0)
    previous = pl.col(f"customers_{before}") if before else entered
    if number == 1:
        previous = pl.lit(None, pl.Int64)
    ends = {"overall": wilson(k, entered), "step": wilson(k, previous)}
    columns = {
        "step": pl.lit(question.names[number - 1]),
        "position": pl.lit(number, pl.Int64),
        "optional": pl.lit(number in question.optional),
        "customers": k,
        "entered": entered,
        "overall_rate": pl.when(entered > 0).then(k / entered),
        "overall_lo": ends["overall"][0],
        "overall_hi": ends["overall"][1],
        "previous": previous,
        "step_rate": pl.when(previous > 0).then(k / previous),
        "step_lo": ends["step"][0],
        "step_hi": ends["step"][1],
        "median_days": pl.col(f"median_{number}"),
        "audience": pl.col("audience"),
        "n_immature": pl.col("n_immature"),
        "small": entered < SMALL_N,
        "method": pl.lit("wilson"),
        "unit": pl.lit("customer"),
        "window": pl.lit(question.window, pl.Int32),
        "as_of": pl.lit(as_of, pl.Date) if as_of else pl.col("through_last"),
        "mode": pl.lit(question.mode),
        "notes": _notes(),
    }
    names = ORDERED_FUNNEL_COUNTS.names
    return wide.select(*group.write(), *(columns[name].alias(name) for name in names))


def _notes() -> pl.Expr:
    said = {
        "n_no_through": (
            ("customer", "customers"),
            "taken as mature: no data_through says how far the data goes (or as_of=).",
        ),
        "n_control": (("event", "events"), "of the control group left out (action 1)."),
        "n_undated": (("event", "events"), "without a date, in no step."),
    }
    return pl.concat_list(
        pl.when(pl.col(column) > 0).then(pl.format(f"{{}} {text}", number_of(column, *words)))
        for column, (words, text) in said.items()
    ).list.drop_nulls()
