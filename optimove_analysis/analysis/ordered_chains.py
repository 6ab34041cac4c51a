"""The best chain of each customer, for ordered funnels; three exact ways, the quickest that holds.

Events come packed as numbers: ``time`` is the customer's code times `SPAN` plus the day, so that
customers are further apart than any window reaches and no step needs a group-by; ``mask`` has a
bit for each step that the event may serve, and bit 0 for an excluded event.

- No event serves several steps, loose: a scan over sorted rows for each step (`_scan`).
- The same in any order: the next event of each step, seen from each day (`_windows`).
- Events that may serve several steps, and strict: a scan over days (`ordered_days`); such events
  in any order: customer by customer in Python (`ordered_search`). Only the customers that have
  such an event go these slower ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from optimove_analysis.analysis.ordered_days import scan_days
from optimove_analysis.analysis.ordered_search import search
from optimove_analysis.analysis.ordered_steps import Question
from optimove_analysis.analysis.ordered_times import FAR, code_of, first_of_customer

__all__ = ["EXCLUDED", "LETTERS", "best_chains"]

LETTERS: Final = 32
EXCLUDED: Final = LETTERS - 1  # the last letter: within a day it comes after all steps


def best_chains(
    plain: pl.Series, several: pl.DataFrame, question: Question, customers: int, cutoff: pl.Series
) -> pl.DataFrame:
    """Return a row a customer with a chain: ``code``, ``position``, ``steps``, ``time_1``, ...

    Args:
        plain: ``time * 32 + letter`` of the customers none of whose events serves several steps.
        several: ``time`` and ``mask`` of the distinct events of all other customers.
        question: What is asked.
        customers: Their number; codes are below it.
        cutoff: For each code, the last time at which a chain may begin.
    """
    found: list[pl.DataFrame] = []
    plain = plain.sort()
    rows = pl.DataFrame({"key": plain}).filter(pl.col("key") != pl.col("key").shift(fill_value=-1))
    rows = rows.select(time=pl.col("key") // LETTERS, letter=pl.col("key") % LETTERS)
    if question.mode == "strict":
        bit = pl.when(pl.col("letter") == EXCLUDED).then(0).otherwise("letter")
        single = rows.select("time", mask=pl.lit(2, pl.Int64).pow(bit).cast(pl.Int64))
    for number, way in enumerate(question.ways()):
        letters = [*way, EXCLUDED]
        chosen = rows if len(way) == len(question.names) else _only(rows, letters)
        if question.mode == "strict":
            ways = [scan_days(single, way, question, customers, cutoff, plain=True)]
        elif question.mode == "any":
            ways = [_windows(chosen, way, question, cutoff)]
        else:
            ways = [_scan(chosen, way, question, customers, cutoff)]
        if several.height:
            slow = search if question.mode == "any" else scan_days
            ways.append(slow(several, way, question, customers, cutoff))
        found += [one.with_columns(_way=pl.lit(number)) for one in ways]
    return _best(found, len(question.names), several=bool(question.optional))


def _only(rows: pl.DataFrame, letters: Iterable[int]) -> pl.DataFrame:
    return rows.filter(pl.col("letter").is_in(list(letters)))


def _best(found: list[pl.DataFrame], steps: int, *, several: bool) -> pl.DataFrame:
    """Choose among the ways through: furthest, most steps, first to finish, last to start."""
    times = [f"time_{number}" for number in range(1, steps + 1)]
    empty = pl.DataFrame(schema=dict.fromkeys(["code", "position", "steps", *times], pl.Int64))
    chains = pl.concat([empty, *(one.drop("_way") for one in found)], how="diagonal")
    if not several:
        return chains
    ways = pl.concat([pl.Series("_way", [], pl.Int32), *(one["_way"] for one in found)])
    return (
        chains.with_columns(
            ways, _done=pl.max_horizontal(times), _start=pl.min_horizontal(times)
        )
        .sort(
            "code", "position", "steps", "_done", "_start", "_way",
            descending=[False, True, True, False, True, False],
        )
        .filter(pl.col("code") != pl.col("code").shift(fill_value=-1))
        .drop("_way", "_done", "_start")
    )  # fmt: skip


def _scan(
    rows: pl.DataFrame, way: tuple[int, ...], question: Question, customers: int, cutoff: pl.Series
) -> pl.DataFrame:
    """Carry the latest start that has reached each step; rows of a day are in favour's order.

    The latest start is all that a later step need know: if any chain reaches it within the
    window, the one that began last does.
    """
    may_start = pl.col("time") <= cutoff.gather(code_of(rows["time"])) if len(cutoff) else True
    sets: list[pl.DataFrame] = []
    for number, letter in enumerate(way):
        here = pl.col("letter") == letter
        in_time = (pl.col("time") - pl.col("_at") <= question.within) if number else may_start
        rows = rows.with_columns(_set=pl.when(here & in_time).then("_at" if number else "time"))
        sets.append(rows.filter(pl.col("_set").is_not_null()).select("time", start="_set"))
        if question.exclude is not None:
            # What began on the excluded event's own day may have begun after it.
            ends = (pl.col("letter") == EXCLUDED) & (
                pl.col("_set").forward_fill() != pl.col("time")
            )
            rows = rows.with_columns(_set=pl.when(ends).then(FAR).otherwise("_set"))
        rows = rows.with_columns(_at=pl.col("_set").forward_fill())
    steps = pl.zeros(customers, pl.Int64, eager=True)
    start = pl.zeros(customers, pl.Int64, eager=True)
    for number, found in enumerate(sets):
        first = first_of_customer(found)
        steps = steps.scatter(code_of(first["time"]), number + 1)
        start = start.scatter(code_of(first["time"]), first["start"])
    chains = pl.DataFrame({"steps": steps, "start": start}).with_row_index("code")
    chains = chains.cast({"code": pl.Int64}).filter(pl.col("steps") > 0)
    for number, (letter, found) in enumerate(zip(way, sets, strict=True)):
        # Starts only ever grow from row to row, so the first row of a start is searched for.
        if not found.height:
            break
        place = found["start"].search_sorted(chains["start"], "left")
        time = found["time"].gather(place.clip(0, found.height - 1))
        chains = chains.with_columns(
            pl.when(pl.col("steps") > number).then(time).alias(f"time_{letter}")
        )
    position = pl.lit(pl.Series(way, dtype=pl.Int64)).gather(pl.col("steps") - 1)
    return chains.with_columns(position=position).drop("start")


def _windows(
    rows: pl.DataFrame, way: tuple[int, ...], question: Question, cutoff: pl.Series
) -> pl.DataFrame:
    """Look from each day that has a step at the next event of each step, in any order."""
    later = [
        pl.when(pl.col("letter") == letter).then("time").backward_fill().alias(f"time_{letter}")
        for letter in way
    ]
    excluded = pl.when(pl.col("letter") == EXCLUDED).then("time").backward_fill()
    end = pl.col("time") + question.within
    if question.exclude is not None:
        rows = rows.with_columns(_ex=excluded).with_columns(
            # Of two excluded days the one that is not today: today's may lie before the chain.
            _after=pl.when(pl.col("letter") == EXCLUDED)
            .then(pl.col("_ex").shift(-1))
            .backward_fill()
        )
        next_one = pl.when(pl.col("_ex") == pl.col("time")).then("_after").otherwise("_ex")
        end = pl.min_horizontal(end, next_one)
    days = rows.with_columns(*later, _end=end).filter(
        pl.col("time") != pl.col("time").shift(fill_value=-1), pl.col("letter") != EXCLUDED
    )
    if len(cutoff):
        days = days.filter(pl.col("time") <= cutoff.gather(code_of(days["time"])))
    found: list[pl.DataFrame] = []
    for number in range(len(way), 0, -1):
        times = [f"time_{letter}" for letter in way[:number]]
        done = pl.max_horizontal(times)
        chains = days.filter(
            *(pl.col(time) <= pl.col("_end") for time in times),
            pl.min_horizontal(times) == pl.col("time"),
        ).with_columns(done.alias("_done"))
        # The first to finish, and of those with that finish the last to start.
        chains = chains.filter((pl.col("_done") != pl.col("_done").shift(-1)).fill_null(True))
        chains = first_of_customer(chains).with_columns(code=code_of(pl.col("time")))
        if found:
            chains = chains.join(pl.concat(found, how="diagonal"), on="code", how="anti")
        found.append(
            chains.select(
                "code", *times,
                position=pl.lit(way[number - 1], pl.Int64), steps=pl.lit(number, pl.Int64),
            )
        )  # fmt: skip
    return pl.concat(found, how="diagonal")
