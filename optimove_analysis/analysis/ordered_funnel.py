"""The ordered funnel: how far each customer got through steps of the user's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import polars as pl

from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.ordered_chains import best_chains
from optimove_analysis.analysis.ordered_counts import count_steps
from optimove_analysis.analysis.ordered_events import begun_by, cutoffs, gather
from optimove_analysis.analysis.ordered_steps import Condition, Mode, Question
from optimove_analysis.analysis.ordered_times import DAY_ZERO, SPAN
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import (
    INTERACTIONS,
    ORDERED_FUNNEL,
    ORDERED_FUNNEL_COUNTS,
    Frame,
    Table,
)

__all__ = ["ordered_funnel", "ordered_funnel_counts"]


def ordered_funnel(
    interactions: Frame,
    steps: Mapping[str, Condition],
    *,
    within: int | None,
    mode: Mode = "loose",
    optional: Collection[str] = (),
    exclude: Condition | None = None,
    by: By = (),
    catalogue: Catalogue | None = None,
) -> Frame:
    """Find how far each customer got through the steps, and on which days.

    A chain is an event for each step, in the steps' order; days order events, and within a day
    any order counts that is in the chain's favour. The chain that gets furthest wins; of equals
    the one with most optional steps, then the one that ends first, then the one that begins last,
    then, from its last step back, the one whose step came first. Steps are events as reported:
    nothing is implied.

    One event serves one step. An event is what is the same in all ids, day, event and time, and
    in the columns that the steps read: repeats of a row are one event.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        steps: The steps' names, in order, and what makes an event that step: words (see `step`)
            or any expression over interactions that is true or false.
        within: Calendar days from the chain's first step, inclusive, in which its last one
            counts; None: any time.
        mode: ``"loose"``: other events may lie between. ``"strict"``: between two steps no event
            of a step other than these two. ``"any"``: the steps up to the furthest in any order.
        optional: Names of steps that a chain may go without.
        exclude: What ends a chain. On the day that a chain begins or ends it does not: it may
            have come before, or after. An excluded event is no step itself.
        by: Column names or expressions over interactions; a chain keeps to one group, so that
            ``by="campaign_id"`` asks for all steps in one campaign.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.ORDERED_FUNNEL`, then a column a step with its day
        (null where it was not done): one row a customer and group, also where no step was done.
        Rows without a date and those of control members (action 1) are in no step, and are
        counted (``n_left_out``). A chain whose window is still open counts as far as it got;
        `ordered_funnel_counts` leaves such chains out.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known, or a step cannot be asked of these interactions.

    >>> ids = {"campaign_id": 3, "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, **ids, "date": dt.date(2025, 3, day), "channel_id": channel,
    ...       "event_id": event} for who, day, channel, event in
    ...      [("A", 3, 504, 3), ("A", 9, 506, 4), ("B", 3, 504, 3), ("B", 30, 506, 4)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> steps = {"e-mail opened": {"channel": "E-mail", "event": "opened"},
    ...          "push clicked": {"channel": "Push", "event": "clicked"}}
    >>> found = ordered_funnel(frame, steps, within=14)
    >>> found.select("customer_id", "furthest", "days", "push clicked").rows()
    [('A', 'push clicked', 6, datetime.date(2025, 3, 9)), ('B', 'e-mail opened', 0, None)]
    """
    return _answer(
        interactions,
        by,
        ORDERED_FUNNEL,
        partial(Question.of, steps, within, mode, optional, exclude, catalogue),
        _customers,
    )


def ordered_funnel_counts(
    interactions: Frame,
    steps: Mapping[str, Condition],
    *,
    within: int | None,
    mode: Mode = "loose",
    optional: Collection[str] = (),
    exclude: Condition | None = None,
    by: By = (),
    as_of: dt.date | None = None,
    catalogue: Catalogue | None = None,
) -> Frame:
    """Count the customers who got to each step.

    Chains are those of `ordered_funnel`, but a chain counts only if it began so early that its
    window had closed by ``as_of``: a customer who may still go on is no failure yet, and one who
    has gone on already is no fair success. Customers are independent units, so the intervals are
    Wilson's.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        steps: As for `ordered_funnel`; so are ``within``, ``mode``, ``optional``, ``exclude``.
        within: Calendar days from the chain's first step, inclusive; None: any time, and then
            every chain counts.
        mode: ``"loose"``, ``"strict"`` or ``"any"``.
        optional: Names of steps that a chain may go without.
        exclude: What ends a chain.
        by: Column names or expressions over interactions; a chain keeps to one group, and a
            customer counts once in each group.
        as_of: The day through which the data is complete; None: the latest ``data_through`` of
            the customer's rows in the group.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.ORDERED_FUNNEL_COUNTS`: one row a group and step. Rates
        lie in 0..1 and are null where nobody came so far as what they divide by.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known, or a step cannot be asked of these interactions.

    >>> ids = {"campaign_id": 3, "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, **ids, "date": dt.date(2025, 3, day), "channel_id": channel,
    ...       "event_id": event} for who, day, channel, event in
    ...      [("A", 3, 504, 3), ("A", 9, 506, 4), ("B", 3, 504, 3), ("B", 30, 506, 4)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> steps = {"e-mail opened": {"channel": "E-mail", "event": "opened"},
    ...          "push clicked": {"channel": "Push", "event": "clicked"}}
    >>> counted = ordered_funnel_counts(frame, steps, within=14)
    >>> counted.select("step", "customers", "step_rate", "median_days").rows()
    [('e-mail opened', 2, None, 0.0), ('push clicked', 1, 0.5, 6.0)]
    """
    if as_of is not None and type(as_of) is not dt.date:
        raise InputError(f"as_of={as_of!r} must be a datetime.date or None.")
    return _answer(
        interactions,
        by,
        ORDERED_FUNNEL_COUNTS,
        partial(Question.of, steps, within, mode, optional, exclude, catalogue),
        partial(_counts, as_of=as_of),
    )


def _answer(
    interactions: Frame,
    by: By,
    table: Table,
    ask: Callable[[Sequence[str]], Question],
    answer: Callable[[pl.LazyFrame, Question, Grouping], pl.DataFrame],
) -> Frame:
    """Check what was asked; answer at once, or when the lazy frame is collected."""
    own = table is ORDERED_FUNNEL
    group: Grouping = Grouping.of(by, taken=table.names)
    question = ask([*table.names, *group.names] if own else ())
    checked = INTERACTIONS.check(interactions)
    rows = checked.lazy()
    question.check(rows)
    schema = pl.Schema(_group_schema(rows, group) | dict(table.schema))
    if own:
        schema |= dict.fromkeys(question.names, pl.Date())
    if isinstance(checked, pl.LazyFrame):
        # Which events may serve several steps is seen in the data only: a plan cannot branch.
        return pl.defer(partial(answer, rows, question, group), schema=schema)
    return answer(rows, question, group)


def _group_schema(rows: pl.LazyFrame, group: Grouping) -> dict[str, pl.DataType]:
    try:
        return dict(
            rows.select(*group.read())
            .rename(dict(zip(group.keys, group.names, strict=True)))
            .collect_schema()
        )
    except pl.exceptions.PolarsError as error:
        raise InputError(f"by= cannot be asked of these interactions: {error}") from error


def _customers(rows: pl.LazyFrame, question: Question, group: Grouping) -> pl.DataFrame:
    events = gather(rows, question, group)
    everyone = events.everyone
    no_cutoff = pl.Series([], dtype=pl.Int64)
    chains = best_chains(events.plain, events.several, question, everyone.height, no_cutoff)
    joined = everyone.rename({"_code": "code"}).join(
        chains, on="code", how="left", maintain_order="left"
    )
    times = [f"time_{number}" for number in range(1, len(question.names) + 1)]
    names = pl.lit(pl.Series([None, *question.names], dtype=pl.String))
    position = pl.col("position").fill_null(0)
    columns = {
        "customer_id": pl.col("customer_id"),
        "furthest": names.gather(position),
        "position": position,
        "steps": pl.col("steps").fill_null(0),
        "completed": position >= question.last_required,
        "days": pl.max_horizontal(times) - pl.min_horizontal(times),
        "n_left_out": pl.col("n_undated") + pl.col("n_control"),
        "window": pl.lit(question.window, pl.Int32),
        "mode": pl.lit(question.mode),
    }
    days = [
        (pl.col(time) % SPAN + DAY_ZERO).cast(pl.Int32).cast(pl.Date).alias(name)
        for time, name in zip(times, question.names, strict=True)
    ]
    own = [columns[name].alias(name) for name in ORDERED_FUNNEL.names]
    return joined.select(*group.write(), *own, *days)


def _counts(
    rows: pl.LazyFrame, question: Question, group: Grouping, *, as_of: dt.date | None
) -> pl.DataFrame:
    events = gather(rows, question, group, through=True)
    everyone = events.everyone
    cutoff = pl.Series([], dtype=pl.Int64)
    if question.window is not None:
        cutoff = cutoffs(everyone, question, as_of)
    chains = best_chains(events.plain, events.several, question, everyone.height, cutoff)
    begun = pl.DataFrame({"code": begun_by(events, question)}).with_columns(begun=pl.lit(True))
    joined = (
        everyone.rename({"_code": "code"})
        .join(chains, on="code", how="left")
        .join(begun, on="code", how="left")
        .with_columns(pl.col("begun").fill_null(False))
    )
    return count_steps(joined, question, group, as_of)
