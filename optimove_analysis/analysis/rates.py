"""The rates that messages are judged by, each with its interval and what it rests on."""

from __future__ import annotations

import datetime as dt
from typing import Final, get_args

import polars as pl

from optimove_analysis.analysis.channels import channel_name, is_unknown_kind
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.intervals import effective_n, mean_interval, wilson
from optimove_analysis.analysis.notes import SUMS, notes, number_of, unknown_kinds
from optimove_analysis.analysis.rate_counts import (
    PARTS,
    RATIOS,
    Needed,
    can_have,
    count_rates,
    ratios,
    sum_over_customers,
)
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import INTERACTIONS, MEAN_OPENS, RATES, SMALL_N, Frame, RateName

__all__ = ["rates"]

_PLACES: Final = {name: place for place, name in enumerate(RATIOS)}


def rates(
    interactions: Frame,
    *,
    by: By = "channel_id",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Divide what happened to messages by what could have.

    Delivery and bounce rate are of the sent; open, click, unsubscribe, spam complaint and
    engagement rate (clicked, or opened where opens are trusted) of the delivered, where some
    e-mail providers divide by the sent; the click-to-open rate is of the opened. Total opens per
    delivered is a mean of rows, no percentage.

    A channel reports no delivered events if none of its counted messages in the frame has one,
    whatever the window. Delivered there means not bounced, in each rate (else only those who
    opened would count as delivered, and all of them would have opened); the delivery rate is
    then labelled "not bounced". Where a message bounced and was not clicked it is not
    delivered, and an unsubscription or complaint with it is in no rate.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        by: Column names or expressions, over the messages table and columns of yours. In a total
            over channels (``by=()``) each rate is over the channels that have both of its stages,
            and names them.
        window: As in `funnel`, as are all that follow.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"``; ``"ignore"`` leaves out the three rates with opens, and engagement is
            a click.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.RATES`: one row a group and rate. Rates lie in 0..1 and
        are null where n is 0 or the channel lacks a stage, as the notes then say. Their 95 %
        intervals are Wilson's within one customer; across customers Wilson's at the effective
        sample size with the customer as the cluster. The mean's is made on the log scale by
        linearisation, with the messages as clusters within one customer, and across customers
        with the customers, or the messages where they differ more than their customers do.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> import datetime as dt
    >>> ids = {"campaign_id": 3, "recipient_group_id": 1, "action_id": 9, "channel_id": 504,
    ...        "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, **ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for who, day, event in [("A", 3, 1), ("A", 4, 3), ("A", 5, 3), ("B", 3, 1),
    ...                              ("B", 3, 2)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = rates(frame).filter(pl.col("n_implied") + pl.col("k") > 0)
    >>> found.select("channel", "rate", "value", "k", "n", "n_implied").rows()
    [('E-mail', 'delivery rate', 1.0, 2, 2, 1), ('E-mail', 'open rate', 0.5, 1, 2, 0),
     ('E-mail', 'engagement rate', 0.5, 1, 2, 0),
     ('E-mail', 'total opens per delivered', 1.0, 2, 2, 0)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    group = Grouping.of(by, taken=RATES.names)
    checked = INTERACTIONS.check(interactions)
    found = _rates(checked.lazy(), rules, group)
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def _rates(rows: pl.LazyFrame, rules: Rules, group: Grouping) -> pl.LazyFrame:
    counts = count_rates(rows, rules, group)
    numbers = sum_over_customers(counts, rules, group)
    parts = []
    for needs in get_args(Needed):
        names = [name for name, ratio in ratios(rules).items() if ratio.needs == needs]
        about = _about_channels(counts, rules, group, needs)
        if group.keys:
            wide = numbers.join(about, on=group.keys, how="left", nulls_equal=True)
        else:
            wide = pl.concat([numbers, about], how="horizontal")
        wide = wide.with_columns(notes=notes(rules, *_channel_notes(group, needs)))
        parts += [_rows(wide, name, rules, group) for name in names]
    return pl.concat(parts).sort(*group.names, "rate", maintain_order=True)


def _about_channels(
    counts: pl.LazyFrame, rules: Rules, group: Grouping, needs: Needed
) -> pl.LazyFrame:
    """Say of each group over which channels its rates are, and sum up what the notes are made of.

    A channel without counted messages has no say, else an immature message would change what
    the others are told.
    """
    one_channel = "channel_id" in group.names
    has, talks = can_have(needs, rules), pl.col("counted") > 0
    # What takes no part is left out of the notes as well, but for how much it is.
    belongs = pl.lit(True) if one_channel else has
    unknown = pl.when(is_unknown_kind(rules.catalogue)).then("counted").otherwise(0)
    takes_part = has & talks
    return group.aggregate(
        counts.with_columns(n_kindless=unknown),
        *(pl.col(name).filter(belongs).sum() for name in (*SUMS, "n_kindless")),
        pl.col("through_first").filter(belongs).min(),
        pl.col("through_last").filter(belongs).max(),
        pl.col("unknown_event").filter(belongs).min(),
        pl.col("channel_id").first(),
        channel_name(rules.catalogue)
        .filter(takes_part)
        .unique()
        .sort()
        .implode()
        .alias("channels"),
        pl.col("counted").filter(~has).sum().alias("n_lacking"),
        (takes_part & pl.col("reports")).any().alias("some_report"),
        (takes_part & ~pl.col("reports")).any().alias("some_do_not"),
        (~has).all().alias("_lacks")
        if one_channel
        else ((~has & talks).any() & ~takes_part.any()).alias("_lacks"),
    )


def _channel_notes(group: Grouping, needs: Needed) -> list[pl.Expr]:
    what = "deliveries" if needs == "delivered" else "opens"
    who = "the channel's kind" if "channel_id" in group.names else "no channel of the group"
    has = "has no" if "channel_id" in group.names else "has"
    lacks, left_out = pl.col("_lacks"), pl.col("n_lacking") > 0
    return [
        pl.when(lacks).then(pl.lit(f"No rate: {who} {has} {what}.")),
        pl.when(~lacks & left_out).then(
            pl.format(
                f"{{}} of channels whose kind has no {what} left out.", number_of("n_lacking")
            )
        ),
        pl.when("some_do_not").then(
            pl.lit("Delivered means not bounced where a channel reports no delivered events.")
        ),
        unknown_kinds("n_kindless"),
    ]


def _rows(wide: pl.LazyFrame, name: RateName, rules: Rules, group: Grouping) -> pl.LazyFrame:
    """Return the rows of one rate, in the columns of the table."""
    ratio, place = RATIOS[name], _PLACES[name]
    lacks = pl.col("_lacks")
    k, n, k_seen, n_seen, late = (
        pl.when(~lacks).then(f"{part}_{place}").cast(pl.Int64) for part in PARTS
    )
    kk, kn, nn, m = (pl.col(f"{part}_{place}") for part in ("kk", "kn", "nn", "m"))
    across = pl.when(m > 1)
    label, beyond = pl.lit(name), pl.lit(None, pl.String)
    if name == MEAN_OPENS:
        value = pl.when(n > 0).then(k / n)
        lo, hi = mean_interval(
            k, n, kk, kn, nn, m, pl.col("opens_squared"), pl.col("opens_delivered")
        )
        effective = pl.lit(None, pl.Float64)
        method = across.then(pl.lit("log-linear-cluster")).otherwise(pl.lit("log-linear"))
    else:
        value = pl.when((n > 0) & (k <= n)).then(k / n)
        beyond = pl.when(k > n).then(
            pl.lit("No rate: more were reported of k than of n, and nothing is implied.")
        )
        # With nothing implied, k is no part of n unless n is all the sent.
        proportion = pl.lit(rules.implied == "lower" or ratio.n == "sent")
        effective = pl.when(value.is_not_null() & proportion).then(effective_n(k, n, kk, kn, nn, m))
        lo, hi = wilson(value * effective, effective)
        method = across.then(pl.lit("wilson-cluster")).otherwise(pl.lit("wilson"))
    if name == "delivery rate":
        label = (
            pl.when(~pl.col("some_do_not"))
            .then(label)
            .when("some_report")
            .then(pl.lit("delivered or not bounced"))
            .otherwise(pl.lit("not bounced"))
        )
    one_channel = "channel_id" in group.names
    columns = {
        "channel": channel_name(rules.catalogue) if one_channel else pl.lit(None, pl.String),
        "rate": pl.lit(name, RATES["rate"].dtype),
        "label": label,
        "value": value,
        "lo": lo,
        "hi": hi,
        "k": k,
        "n": n,
        "n_effective": effective,
        "method": method,
        "small": n < SMALL_N,
        "n_implied": k - k_seen,
        "base_implied": n - n_seen,
        "n_late": late,
        "n_immature": pl.col("n_immature"),
        "n_unobserved": pl.col("n_unobserved"),
        "customers": m,
        "channels": pl.col("channels"),
        "unit": pl.lit("message"),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
        "notes": pl.concat_list("notes", beyond).list.drop_nulls(),
    }
    return wide.select(*group.write(), *(columns[name].alias(name) for name in RATES.names))
