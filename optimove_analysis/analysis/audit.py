"""The audit: what is odd about the rows, before any number is made of them."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from optimove_analysis.analysis.checks import CHECKED
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.oddities import oddities
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError, SchemaError, suggest
from optimove_analysis.schema import AUDIT, INTERACTIONS, Frame

__all__ = ["audit"]

_NO_EXAMPLES: Final = frozenset(
    {check for check in CHECKED if check.startswith("null_")}
    | {"undated", "no_data_through", "after_data_through"}
)


def audit(
    interactions: Frame,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    catalogue: Catalogue | None = None,
    by: By = (),
) -> Frame:
    """Look for what is odd about the rows, before any number is made of them.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        start: The first day that was asked for; None: no row is too early.
        end: The last day that was asked for; None: no row is too late.
        catalogue: What the account's ids mean (``client.catalogue()``).
        by: Column names or expressions, over the interactions: one audit a group. A message whose
            rows are of several groups is put with the smallest of them.

    Returns:
        The group's columns, then `schema.AUDIT`: one row a group and check, every check always
        there and always in the same order, so that two audits can be held against each other.
        ``share`` lies in 0..1; ``count`` and ``share`` are null where something was not checked.
        Examples name campaigns, days, events, channels and fields, never customers.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known, or the range is reversed.

    >>> ids = {"customer_id": "A", "campaign_id": 3, "recipient_group_id": 1, "action_id": 9,
    ...        "channel_id": 504, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for day, event in [(3, 1), (2, 3), (4, 17), (4, 17)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = audit(frame).filter(pl.col("severity") == "warning")
    >>> found.select("check", "count", "total", "examples").rows()
    [('orphan', 1, 4, ['campaign 3']), ('unknown_event', 2, 4, ['event 17 (unknown)'])]
    """
    known = Catalogue() if catalogue is None else catalogue
    if not isinstance(known, Catalogue):
        message = f"catalogue={known!r} must be a Catalogue."
        raise InputError(message)
    _check_range(start, end)
    group = Grouping.of(by, taken=AUDIT.names)
    checked = INTERACTIONS.check(interactions)
    has = checked.collect_schema()
    for root in sorted({root for one in group.expressions for root in one.meta.root_names()}):
        if root not in has:
            message = f"the interactions have no column {root!r}; {suggest(root, has)}"
            raise SchemaError(message)
    rows = checked.lazy().select(*INTERACTIONS.names, *group.read())
    given = set(interactions.collect_schema())
    unchecked = {
        "before_range": pl.lit(start is None),
        "after_range": pl.lit(end is None),
        "event_name": pl.col("event_names") == 0,
        "channel_name": pl.col("channel_names") == 0,
        "after_data_through": (pl.col("rows") > 0)
        & (pl.col("n_no_data_through") == pl.col("rows")),
    }
    told = [_told(check, known, unchecked.get(check, pl.lit(False))) for check in CHECKED]
    found = (
        oddities(rows, group, known, (start, end), given)
        .select(*group.write(), _told=pl.concat_list(told))
        .explode("_told")
        .unnest("_told")
        .select(*group.names, *AUDIT.names)
        .sort(*group.names, "check")
    )
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def _check_range(start: object, end: object) -> None:
    for name, day in (("start", start), ("end", end)):
        if day is not None and type(day) is not dt.date:
            message = f"{name}={day!r} must be a datetime.date or None."
            raise InputError(message)
    if isinstance(start, dt.date) and isinstance(end, dt.date) and start > end:
        message = f"start={start} is after end={end}."
        raise InputError(message)


def _told(check: str, catalogue: Catalogue, unchecked: pl.Expr) -> pl.Expr:
    """Make a check's row, as a struct, of the sums of `oddities`."""
    words = CHECKED[check]
    # Of channels there are none where a group has no messages but a control group's.
    count, total = pl.col(f"n_{check}"), pl.col(words.of).fill_null(0)
    some = ~unchecked & (count > 0)
    what = (
        pl.when(count == 1)
        .then(pl.lit(words.one))
        .otherwise(pl.format(words.many, _grouped(count)))
    )
    columns = {
        "check": pl.lit(check),
        "severity": pl.when(some).then(_severity(check, catalogue)).otherwise(pl.lit("ok")),
        "count": pl.when(~unchecked).then(count),
        "of": pl.lit(words.of),
        "total": total,
        "share": pl.when(~unchecked & (total > 0)).then(count / total),
        "what": pl.when(unchecked)
        .then(pl.lit(words.needs))
        .when(some)
        .then(what)
        .otherwise(pl.lit(words.none)),
        "what_to_do": pl.when(some).then(pl.lit(words.to_do)),
        "examples": _examples(check, some),
    }
    return pl.struct(
        columns[column.name].cast(column.dtype).alias(column.name) for column in AUDIT.columns
    )


def _examples(check: str, some: pl.Expr) -> pl.Expr:
    none = pl.lit([], pl.List(pl.String))
    if check in _NO_EXAMPLES:
        return none
    return pl.when(some).then(f"ex_{check}").otherwise(none).fill_null(none)


def _severity(check: str, catalogue: Catalogue) -> pl.Expr:
    """Say how much a finding matters, which may rest on how much of it there is."""
    usual = pl.lit(CHECKED[check].severity)
    if check in {"no_send", "channel_without_sends"}:
        # An account that reports no sends at all is the normal case for some set-ups.
        if catalogue.reports_sent is False:
            return pl.lit("note")
        none = pl.col("n_channel_without_sends") == pl.col("channels")
        return pl.when(none).then(pl.lit("note")).otherwise(usual)
    if check in {"unknown_event", "null_event_id"}:
        # Not one event is known: the catalogue is another account's.
        return (
            pl.when(pl.col(f"n_{check}") == pl.col("rows")).then(pl.lit("error")).otherwise(usual)
        )
    return usual


def _grouped(count: pl.Expr) -> pl.Expr:
    """Write a count as all counts are, with a comma between thousands.

    >>> pl.select(_grouped(pl.lit(1454567))).item(), pl.select(_grouped(pl.lit(145))).item()
    ('1,454,567', '145')
    """
    backwards = count.cast(pl.String).str.reverse().str.replace_all(r"\d{3}", "$0,")
    return backwards.str.strip_chars_end(",").str.reverse()
