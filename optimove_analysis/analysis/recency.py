"""Recency: when each customer was last sent something, and when they last engaged."""

from __future__ import annotations

import datetime as dt

import polars as pl

from optimove_analysis.analysis.channels import channel_name, has_stage, is_unknown_kind
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.judging import judge
from optimove_analysis.analysis.messages import OF_A_ROW, check_keep, messages
from optimove_analysis.analysis.note_sums import note_sums
from optimove_analysis.analysis.notes import notes, number_of, unknown_kinds
from optimove_analysis.analysis.rate_counts import was_delivered
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import INTERACTIONS, MESSAGE_KEY, MESSAGES, RECENCY, Frame

__all__ = ["count_customers", "customer_columns", "recency"]


def recency(
    interactions: Frame,
    *,
    by: By = (),
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Say of each customer when they were last sent something, and when they last engaged.

    It is a fact about the customer and not about a message: no window closes, and every day with
    a click or an open counts, a repeated one and one of a message without a sent row included.
    Orphans and control members' rows do not; neither does an open of a message that bounced.

    It stands as it stood on the day ``as_of``: later rows are left out, and counted in the notes.
    The last day seen in rows is a fact about customers and not about data, so where nobody says
    as of when it stands there are no days.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        by: Column names or expressions, over the messages table and columns of yours: one row a
            customer and group, as with ``by="channel_id"``.
        as_of: The day as which it stands; None: the latest ``data_through`` of each customer.
        implied: ``"lower"`` or ``"none"``, as in `funnel`, as are all that follow.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"``, or ``"ignore"``: engagement is a click.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.RECENCY`: one row a customer (and group) with any row
        through as_of. Days are calendar days; null where there is nothing to count from, or
        as_of is not known.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"campaign_id": 3, "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, **ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for who, day, event in [("A", 3, 1), ("A", 4, 3), ("A", 9, 3), ("B", 3, 1)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = recency(frame, as_of=dt.date(2025, 3, 31))
    >>> found.select("customer_id", "days_since_sent", "days_since_engaged", "days_censored").rows()
    [('A', 28, 22, None), ('B', 28, None, 28)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(None, as_of, implied, assume_sent, opens, known)
    group = Grouping.of(by, taken=RECENCY.names)
    checked = INTERACTIONS.check(interactions)
    named = "channel_id" in group.names
    columns = customer_columns(rules) | {
        "channel": channel_name(known) if named else pl.lit(None, pl.String),
    }
    found = (
        count_customers(checked.lazy(), rules, group)
        .select(*group.write(), *(columns[name].alias(name) for name in RECENCY.names))
        .sort(*group.names, "customer_id")
    )
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def count_customers(rows: pl.LazyFrame, rules: Rules, group: Grouping) -> pl.LazyFrame:
    """Count, by group and customer, what recency and tiers are made of; rules with no window."""
    check_keep(group.keep, rows.collect_schema())
    # Beside columns of the user's, whatever they are called.
    ours = "_"
    while any(name.startswith(ours) for name in group.keep):
        ours += "_"
    through = (
        pl.lit(rules.as_of, pl.Date)
        if rules.as_of
        else pl.col("data_through").max().over("customer_id")
    )
    after = (pl.col("date") > pl.col(f"{ours}stands")).fill_null(False)
    # Of rows that fall together the smallest value is kept: turned round, the latest day.
    days = {
        event: pl.when(pl.col("event_id").is_in(rules.catalogue.ids(event))).then(
            -pl.col("date").cast(pl.Int32)
        )
        for event in ("opened", "clicked")
    }
    kept = ["stands", "n_after", *days]
    found = (
        rows.select(*MESSAGE_KEY, *OF_A_ROW, *group.keep)
        .with_columns(through.alias(f"{ours}stands"))
        .with_columns(after.alias(f"{ours}after"))
        .with_columns(
            pl.col(f"{ours}after").sum().over("customer_id").cast(pl.Int64).alias(f"{ours}n_after"),
            *(day.alias(f"{ours}{event}") for event, day in days.items()),
        )
        .filter(~pl.col(f"{ours}after"))
        .select(*MESSAGE_KEY, *OF_A_ROW, *group.keep, *(f"{ours}{name}" for name in kept))
    )
    found = messages(
        found, catalogue=rules.catalogue, keep=[*group.keep, *(f"{ours}{name}" for name in kept)]
    ).select(
        *MESSAGES.names,
        *group.read(),
        *(pl.col(f"{ours}{name}").alias(f"_{name}") for name in kept),
    )
    return _sum_up(judge(found, rules), rules, group)


def _sum_up(each: pl.LazyFrame, rules: Rules, group: Grouping) -> pl.LazyFrame:
    _, delivered = was_delivered(rules)
    each = each.with_columns(_delivered=pl.col("_counted") & delivered)
    counted, clicked = pl.col("_counted"), pl.col("_reached_clicked")
    # That a customer clicked is so, whether or not the send was reported.
    engaged = (counted | pl.col("_unobserved")) & pl.col("_engaged")
    seen = {
        stage: has_stage(rules.catalogue, stage) & pl.col(f"{stage}_on").is_not_null()
        for stage in ("opened", "clicked")
    }
    opens = seen["opened"] & pl.lit(rules.opens == "trust")
    last = pl.max_horizontal(
        pl.when(opens).then(-pl.col("_opened")), pl.when(seen["clicked"]).then(-pl.col("_clicked"))
    ).cast(pl.Date)
    sent = pl.col("send_date").filter(counted)
    lacks = counted & ~has_stage(rules.catalogue, "delivered")
    sums = {
        "sent": counted,
        "delivered": pl.col("_delivered"),
        "engaged": engaged,
        "clicked": engaged & clicked,
        "delivered_clicked": pl.col("_delivered") & clicked,
        "n_lacking": lacks,
        "n_kindless": counted & is_unknown_kind(rules.catalogue),
        "n_engaged_unobserved": engaged & ~counted,
    }
    summed = each.group_by(*group.keys, "customer_id").agg(
        *(one.sum().cast(pl.Int64).alias(name) for name, one in sums.items()),
        sent.min().alias("first_sent"),
        sent.max().alias("last_sent"),
        last.filter(engaged).max().alias("last_engaged"),
        pl.col("_stands").max().alias("as_of"),
        pl.col("_n_after").max().alias("n_after"),
        pl.col("channel_id").first(),
        *note_sums(),
    )
    # What notes say of maturity is not asked here: no window closes, and one day holds for all.
    nothing = pl.lit(0, pl.Int64)
    return summed.with_columns(
        n_no_through=nothing,
        n_ahead=nothing,
        n_immature=nothing,
        through_first="as_of",
        through_last="as_of",
    )


def customer_columns(rules: Rules) -> dict[str, pl.Expr]:
    """Return the columns that recency and tiers share, from `count_customers`."""

    def since(day: str) -> pl.Expr:
        return (pl.col("as_of") - pl.col(day)).dt.total_days()

    counts = ("sent", "delivered", "engaged", "clicked", "n_unobserved")
    days = ("first_sent", "last_sent", "last_engaged", "as_of")
    return {
        "customer_id": pl.col("customer_id"),
        **{name: pl.col(name) for name in (*counts, *days)},
        "days_since_sent": since("last_sent"),
        "days_since_engaged": since("last_engaged"),
        "days_censored": pl.when(pl.col("last_engaged").is_null()).then(since("first_sent")),
        "unit": pl.lit("customer"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": _notes(rules),
    }


def _notes(rules: Rules) -> pl.Expr:
    further = [
        pl.when(pl.col("as_of").is_null()).then(
            pl.lit("No days: no data_through says as of when this stands (or as_of=).")
        ),
        pl.when(pl.col("n_after") > 0).then(
            pl.format(
                "{} of the customer dated after as_of left out.",
                number_of("n_after", "row", "rows"),
            )
        ),
        pl.when(pl.col("n_engaged_unobserved") > 0).then(
            pl.format(
                "{} engaged with, though not known to be sent: among engaged, not among sent.",
                number_of("n_engaged_unobserved"),
            )
        ),
        pl.when(pl.col("n_lacking") > 0).then(
            pl.format(
                "{} of channels whose kind has no deliveries: not among delivered.",
                number_of("n_lacking"),
            )
        ),
        unknown_kinds("n_kindless"),
    ]
    return notes(rules, *further)
