"""Ordered funnels day by day: for strict ones, and where an event may serve several steps.

A chain serves some steps in a row on each of its days. Which runs of steps a day can serve, one
event each, and which chains may pass through it, depends only on the day's masks: it is worked
out in Python once for each *distinct* set of masks (a few hundred at most in practice). The scan
over days is then polars', however many customers there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from optimove_analysis.analysis.ordered_steps import Question
from optimove_analysis.analysis.ordered_times import code_of, first_of_customer

__all__ = ["can_serve", "scan_days"]


def scan_days(  # noqa: PLR0917 - the same arguments for each way
    events: pl.DataFrame,
    way: tuple[int, ...],
    question: Question,
    customers: int,
    cutoff: pl.Series,
    plain: bool = False,  # noqa: FBT001, FBT002 - not a user's option
) -> pl.DataFrame:
    """Return the best chain of each customer; with ``plain`` each event serves one step only."""
    days = _days(events, way, question, plain=plain)
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    may_start = pl.col("time") <= cutoff.gather(code_of(days["time"])) if len(cutoff) else True
    days = days.with_columns(
        _row=row,
        # The first row in whose day a chain that ends today may have begun.
        _floor=days["time"].search_sorted(days["time"] - question.within, "left"),
        _starts=may_start,
    )
    for b in range(1, len(way) + 1):
        days = days.with_columns(
            pl.when(pl.col(f"serves_0_{b}") & pl.col("_starts")).then("_row").alias("_from_0"),
            *(
                pl.when(pl.col(f"serves_{a}_{b}") & (pl.col(f"_before_{a}") >= pl.col("_floor")))
                .then(f"_before_{a}")
                .alias(f"_from_{a}")
                for a in range(1, b)
            ),
        )
        goes_on = [
            pl.when(pl.col(f"passes_{a}_{b}") if a else True).then(f"_from_{a}") for a in range(b)
        ]
        ends = [pl.col(f"_from_{a}") for a in range(b)]
        # A state is lost on a day that no chain in it can pass. Starts are told apart by how
        # often that has happened, so that one running maximum does for all.
        lost = (~pl.col(f"passes_{b}_{b}")).cum_sum().cast(pl.Int64) * pl.len()
        days = days.with_columns(
            pl.max_horizontal(ends).alias(f"_ends_{b}"),
            _latest(ends).alias(f"_end_from_{b}"),
            pl.max_horizontal(goes_on).alias("_set"),
            _latest(goes_on).alias(f"_on_from_{b}"),
            _lost=lost,
        ).with_columns(
            (pl.col("_set") + pl.col("_lost"))
            .cum_max()
            .forward_fill()
            .fill_null(-1)
            .alias(f"_state_{b}")
        )
        held = pl.col(f"_state_{b}") - pl.col("_lost")
        days = days.with_columns(
            pl.when(held >= 0).then(held).shift(1).alias(f"_before_{b}"),
        )
    return _trace(days, way, customers)


def _latest(froms: Sequence[pl.Expr]) -> pl.Expr:
    """Return the furthest state that has the latest start: the step before comes earlier then."""
    best = pl.max_horizontal(froms)
    chosen = pl.lit(None, pl.Int64)
    for a, start in enumerate(froms):
        chosen = pl.when(start == best).then(a).otherwise(chosen)
    return chosen


def _trace(days: pl.DataFrame, way: tuple[int, ...], customers: int) -> pl.DataFrame:
    """Go back from the end of each customer's best chain to the day of each step."""
    level = pl.zeros(customers, pl.Int64, eager=True)
    row = pl.zeros(customers, pl.Int64, eager=True)
    for b in range(1, len(way) + 1):
        ends = first_of_customer(days.filter(pl.col(f"_ends_{b}").is_not_null()))
        level = level.scatter(code_of(ends["time"]), b)
        row = row.scatter(code_of(ends["time"]), ends["_row"])
    chains = pl.DataFrame({"steps": level, "_row": row, "_level": level}).with_row_index("code")
    chains = chains.cast({"code": pl.Int64}).filter(pl.col("steps") > 0)
    names = [f"time_{number}" for number in way]
    chains = chains.with_columns(pl.lit(None, pl.Int64).alias(name) for name in names)
    for b in range(len(way), 0, -1):
        if not chains.height:
            break
        here = pl.col("_level") == b
        end, on = (days[f"_{what}_from_{b}"].gather(chains["_row"]) for what in ("end", "on"))
        chains = chains.with_columns(_from=pl.when(pl.col("steps") == b).then(end).otherwise(on))
        time = days["time"].gather(chains["_row"])
        chains = chains.with_columns(
            pl.when(here & (pl.col("_from") < t)).then(time).otherwise(name).alias(name)
            for t, name in enumerate(names[:b], start=1)
        )
        place, before = pl.col("_row"), (chains["_row"] - 1).clip(0)
        for a in range(1, b):
            state = days[f"_state_{a}"]
            first = state.search_sorted(state.gather(before), "left").cast(pl.Int64)
            place = pl.when(here & (pl.col("_from") == a)).then(first).otherwise(place)
        chains = chains.with_columns(
            _row=place, _level=pl.when(here).then("_from").otherwise("_level")
        )
    position = pl.lit(pl.Series(way, dtype=pl.Int64)).gather(pl.col("steps") - 1)
    return chains.with_columns(position=position).drop("_row", "_level", "_from", strict=False)


def _days(
    events: pl.DataFrame, way: tuple[int, ...], question: Question, *, plain: bool
) -> pl.DataFrame:
    """Return a row a customer and day: which runs of steps it serves, which chains may pass."""
    bits = sum(2**number for number in way)
    if question.mode != "strict":  # other steps' events are in nobody's way
        mask = pl.col("mask") & (bits + 1)
        events = events.select("time", mask=mask).filter(pl.col("mask") > 0)
    masks = pl.col("mask")
    said = masks.sum().cast(pl.String) if plain else masks.sort().cast(pl.String).str.join(" ")
    days = events.group_by("time").agg(day=said).sort("time")
    kinds = days["day"].unique()
    facts = [_facts([int(m) for m in kind.split()], way, question, plain=plain) for kind in kinds]
    names = _names(len(way))
    table = pl.DataFrame(facts, schema=dict.fromkeys(names, pl.Boolean), orient="row")
    return days.join(table.with_columns(kinds), on="day", how="left", maintain_order="left")


def _names(steps: int) -> list[str]:
    serves = [f"serves_{a}_{b}" for a in range(steps) for b in range(a + 1, steps + 1)]
    return serves + [f"passes_{a}_{b}" for a in range(1, steps + 1) for b in range(a, steps + 1)]


def _facts(
    masks: Sequence[int], way: tuple[int, ...], question: Question, *, plain: bool
) -> list[bool]:
    if plain:  # one number with the bits of all
        masks = [2**bit for bit in range(masks[0].bit_length()) if masks[0] >> bit & 1]
    steps = len(way)
    events = [mask for mask in masks if mask > 1]
    excluded = len(events) < len(masks)
    serves = [can_serve(way[a:b], events) for a in range(steps) for b in range(a + 1, steps + 1)]
    passes: list[bool] = []
    for a in range(1, steps + 1):
        for b in range(a, steps + 1):
            # Between two steps only events of these two: somewhere from the last step before
            # this day to the first one after it, each event of the day must find its place.
            beside = sum(2**number for number in way[a - 1 : b + 1])
            clear = question.mode != "strict" or all(mask & beside for mask in events)
            passes.append(clear and not excluded)
    return serves + passes


def can_serve(steps: Sequence[int], masks: Sequence[int]) -> bool:
    """Return whether each step can have an event of its own (a matching, by augmenting paths).

    >>> can_serve([1, 2], [0b110]), can_serve([1, 2], [0b110, 0b100])
    (False, True)
    """
    served: dict[int, int] = {}  # event to step

    def find(step: int, tried: set[int]) -> bool:
        for number, mask in enumerate(masks):
            if mask >> step & 1 and number not in tried:
                tried.add(number)
                if number not in served or find(served[number], tried):
                    served[number] = step
                    return True
        return False

    return all(find(step, set()) for step in steps)
