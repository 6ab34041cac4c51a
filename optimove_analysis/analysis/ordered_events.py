"""What an ordered funnel reads of interactions: customers by number, and the events of steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.ordered_chains import EXCLUDED, LETTERS
from optimove_analysis.analysis.ordered_steps import Question
from optimove_analysis.analysis.ordered_times import DAY_ZERO, SPAN, code_of
from optimove_analysis.schema import CONTROL_ACTION_ID, MESSAGE_KEY

__all__ = ["Events", "begun_by", "cutoffs", "gather"]


@dataclass(frozen=True, slots=True)
class Events:
    """Events as `best_chains` takes them, and whose they are."""

    everyone: pl.DataFrame
    """A row a customer and group, in their order, which is that of the codes: the keys, the
    ``n_undated`` and ``n_control`` rows that are in no step, ``through`` which day data goes."""
    plain: pl.Series
    several: pl.DataFrame


def gather(
    rows: pl.LazyFrame, question: Question, group: Grouping, *, through: bool = False
) -> Events:
    """Read the events once; and once more, if any may serve several steps, to tell repeats."""
    mask = pl.sum_horizontal(
        condition.fill_null(False).cast(pl.Int64) * 2**number
        for number, condition in enumerate(question.conditions, start=1)
    )
    if question.exclude is not None:
        mask = pl.when(question.exclude.fill_null(False)).then(1).otherwise(mask)
    is_control = pl.col("action_id").eq_missing(CONTROL_ACTION_ID)
    in_steps = ~is_control & pl.col("date").is_not_null()
    seen = rows.select(
        *group.read(),
        "customer_id",
        *(["data_through"] if through else []),
        _day=pl.col("date").cast(pl.Int64) - DAY_ZERO,
        _control=is_control,
        _mask=pl.when(in_steps).then(mask).otherwise(0),
    ).collect()
    keys = [*group.keys, "customer_id"]
    everyone, code = _number(seen, keys)
    everyone = _sum_up(everyone, seen, code, through=through)
    used = (seen["_mask"] > 0).arg_true()
    own = seen.select(pl.col("_day", "_mask").gather(used)).with_columns(_code=code(used))
    events = own.select(_time(), mask="_mask")
    ambiguous = code_of(events.filter(_several(pl.col("mask")))["time"]).unique()
    if not len(ambiguous):
        return Events(everyone, _letters(events, question), events.clear())
    # An event is told from another by its ids, day and time, and by what the steps read.
    told_by = {*MESSAGE_KEY, "date", "event_id", "event_time", *question.roots()}
    again = (
        rows.select(*sorted(told_by), *group.read(), _mask=pl.when(in_steps).then(mask))
        .filter(_several(pl.col("_mask")))
        .unique()
        .collect()
        .with_columns(_day=pl.col("date").cast(pl.Int64) - DAY_ZERO)
        .join(everyone.select(*keys, "_code"), on=keys, how="left", nulls_equal=True)
    )
    slow = code_of(pl.col("time")).is_in(ambiguous.implode())
    # Repeats of an event that can serve one step only are no matter.
    once = events.filter(slow, ~_several(pl.col("mask"))).unique()
    several = pl.concat([once, again.select(_time(), mask="_mask")])
    return Events(everyone, _letters(events.filter(~slow), question), several)


def _time() -> pl.Expr:
    return (pl.col("_code") * SPAN + pl.col("_day")).alias("time")


def _letters(events: pl.DataFrame, question: Question) -> pl.Series:
    letter = pl.lit(EXCLUDED, pl.Int64)
    for number in range(1, len(question.names) + 1):
        letter = pl.when(pl.col("mask") == 2**number).then(number).otherwise(letter)
    return events.select(pl.col("time") * LETTERS + letter).to_series()


def _several(mask: pl.Expr) -> pl.Expr:
    return (mask & (mask - 1)) != 0


def _number(
    seen: pl.DataFrame, keys: list[str]
) -> tuple[pl.DataFrame, Callable[[pl.Series], pl.Series]]:
    """Number the customers, in their order; return them, and what gives the codes of rows.

    Rows mostly come customer by customer, so only where one begins is it looked up.
    """
    changes = [pl.col(key).ne_missing(pl.col(key).shift()) for key in keys]
    begins = seen.select(pl.any_horizontal(changes)).to_series()
    if len(begins):
        begins = begins.scatter(0, True)  # also where the first key is null
    heads = seen.select(keys).filter(begins)
    run = begins.cum_sum() - 1
    if len(keys) == 1 and heads.select(pl.all() > pl.all().shift()).to_series()[1:].eq(True).all():
        # They come in order already: the runs of rows are the customers.
        return heads.with_row_index("_code").cast({"_code": pl.Int64}), run.cast(pl.Int64).gather
    everyone = heads.unique().sort(keys).with_row_index("_code").cast({"_code": pl.Int64})
    found = heads.join(everyone, on=keys, how="left", nulls_equal=True, maintain_order="left")

    def code(rows: pl.Series) -> pl.Series:
        return found["_code"].gather(run.gather(rows))

    return everyone, code


def _sum_up(
    everyone: pl.DataFrame,
    seen: pl.DataFrame,
    code: Callable[[pl.Series], pl.Series],
    *,
    through: bool,
) -> pl.DataFrame:
    """Count each customer's rows that are in no step; with ``through``, say how far data goes."""
    undated = pl.col("_day").is_null() & ~pl.col("_control")
    odd = seen.select(pl.col("_control") | undated).to_series().arg_true()
    left_out = (
        seen.select(undated.alias("n_undated"), n_control="_control")
        .select(pl.all().gather(odd))
        .group_by(code(odd).alias("_code"))
        .agg(pl.all().sum().cast(pl.Int64))
    )
    everyone = everyone.join(left_out, on="_code", how="left", maintain_order="left")
    everyone = everyone.with_columns(pl.col("n_undated", "n_control").fill_null(0))
    if not through:
        return everyone
    rows = pl.int_range(seen.height, eager=True)
    reach = seen.group_by(code(rows).alias("_code")).agg(through=pl.col("data_through").max())
    return everyone.join(reach, on="_code", how="left", maintain_order="left")


def cutoffs(everyone: pl.DataFrame, question: Question, as_of: dt.date | None) -> pl.Series:
    """Return for each code the last time at which a window may open that has closed by as_of."""
    through = pl.lit(as_of, pl.Date) if as_of else pl.col("through")
    day = through.cast(pl.Int64) - question.within - DAY_ZERO
    latest = pl.when(through.is_null()).then(SPAN - 1).otherwise(day.clip(-1, SPAN - 1))
    return everyone.select(pl.col("_code") * SPAN + latest).to_series()


def begun_by(events: Events, question: Question) -> pl.Series:
    """Return the codes of those who have an event that a chain may begin with, mature or not."""
    first = range(1, question.last_first + 1)
    letters = pl.Series([*first], dtype=pl.Int64).implode()
    plain = events.plain.filter((events.plain % LETTERS).is_in(letters)) // LETTERS
    any_of = sum(2**number for number in first)
    several = events.several.filter((pl.col("mask") & any_of) != 0)["time"]
    return code_of(pl.concat([plain, several])).unique()
