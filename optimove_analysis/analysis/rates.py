"""The rates that messages are judged by, each with its interval and what it rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final, get_args

import polars as pl

from optimove_analysis.analysis.channels import channel_name
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.intervals import effective_n, mean_interval, wilson
from optimove_analysis.analysis.notes import (
    NOT_BOUNCED,
    SUMS,
    lacking_stage,
    notes,
    unknown_kinds,
)
from optimove_analysis.analysis.rate_counts import PARTS, RATIOS, Needed, count_rates, ratios
from optimove_analysis.analysis.rate_sums import sum_over_customers
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import INTERACTIONS, MEAN_OPENS, RATES, SMALL_N, Frame, RateName

__all__ = ["rate_rows", "rates"]

_PLACES: Final = {name: place for place, name in enumerate(RATIOS)}
_FLAGS: Final = (
    "n_kindless",
    "n_lacking",
    "any_has",
    "any_takes_part",
    "any_lacking",
    "any_not_reporting",
)


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
    found = (
        rate_rows(count_rates(checked.lazy(), rules, group), rules, group)
        .select(*group.write(), *RATES.names)
        .sort(*group.names, "rate", maintain_order=True)
    )
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def rate_rows(
    counts: pl.LazyFrame, rules: Rules, group: Grouping, only: Collection[RateName] | None = None
) -> pl.LazyFrame:
    """Return `schema.RATES` beside the group's keys, and ``n_control``, from `count_rates`.

    ``only`` these rates; None: all that there are by these rules.
    """
    wide = sum_over_customers(counts, rules, group)
    one_channel = "channel_id" in group.names
    for needs in get_args(Needed):
        names = [*SUMS, "through_first", "through_last", "unknown_event", *_FLAGS]
        said = notes(rules, *_channel_notes(needs, one_channel=one_channel))
        wide = wide.with_columns(
            pl.col(f"{needs}_{name}").alias(name) for name in names
        ).with_columns(said.alias(f"{needs}_notes"))
    # A list of rows in each row and not one frame a rate: the counts are then made but once.
    names_of = [name for name in ratios(rules) if only is None or name in only]
    rows_of = [_parts(name, one_channel=one_channel) for name in names_of]
    channel = channel_name(rules.catalogue) if one_channel else pl.lit(None, pl.String)
    return (
        wide.select(*group.keys, channel=channel, _rows=pl.concat_list(rows_of))
        .explode("_rows")
        .unnest("_rows")
        .select(*group.keys, *_columns(rules), "n_control")
    )


def _channel_notes(needs: Needed, *, one_channel: bool) -> list[pl.Expr]:
    what = "deliveries" if needs == "delivered" else "opens"
    who = "the channel's kind has no" if one_channel else "no channel of the group has"
    lacks = _lacks(one_channel=one_channel)
    return [
        pl.when(lacks).then(pl.lit(f"No rate: {who} {what}.")),
        pl.when(~lacks).then(lacking_stage("n_lacking", what)),
        pl.when("any_not_reporting").then(pl.lit(NOT_BOUNCED)),
        unknown_kinds("n_kindless"),
    ]


def _lacks(prefix: str = "", *, one_channel: bool) -> pl.Expr:
    has, takes_part, lacking = (
        pl.col(f"{prefix}any_{flag}") for flag in ("has", "takes_part", "lacking")
    )
    return ~has if one_channel else lacking & ~takes_part


def _parts(name: RateName, *, one_channel: bool) -> pl.Expr:
    """Gather what the row of one rate is made of."""
    ratio, place = RATIOS[name], _PLACES[name]
    lacks = _lacks(f"{ratio.needs}_", one_channel=one_channel)
    label = pl.lit(name)
    if name == "delivery rate":
        label = (
            pl.when(~pl.col("delivered_any_not_reporting"))
            .then(label)
            .when("delivered_any_reporting")
            .then(pl.lit("delivered or not bounced"))
            .otherwise(pl.lit("not bounced"))
        )
    of_channels = ("n_immature", "n_unobserved", "n_control", "through_last", "channels", "notes")
    columns = {
        "rate": pl.lit(name, RATES["rate"].dtype),
        "label": label,
        **{part: pl.when(~lacks).then(f"{part}_{place}").cast(pl.Int64) for part in PARTS},
        **{part: pl.col(f"{part}_{place}").cast(pl.Float64) for part in ("kk", "kn", "nn")},
        "m": pl.col(f"m_{place}"),
        "xx": pl.col("opens_squared"),
        "xd": pl.col("opens_delivered"),
        "of_sent": pl.lit(ratio.n == "sent"),
        **{part: pl.col(f"{ratio.needs}_{part}") for part in of_channels},
    }
    return pl.struct(column.alias(part) for part, column in columns.items())


def _columns(rules: Rules) -> list[pl.Expr]:
    """Return the columns of the table."""
    k, n, kk, kn, nn, m, xx, xd = (
        pl.col(part) for part in ("k", "n", "kk", "kn", "nn", "m", "xx", "xd")
    )
    is_mean = pl.col("rate") == pl.lit(MEAN_OPENS, RATES["rate"].dtype)
    value = pl.when((n > 0) & ((k <= n) | is_mean)).then(k / n)
    # With nothing implied, k is no part of n unless n is all the sent.
    proportion = pl.lit(rules.implied == "lower") | pl.col("of_sent")
    estimable = value.is_not_null() & proportion & ~is_mean
    effective = pl.when(estimable).then(effective_n(k, n, kk, kn, nn, m))
    of_rate = wilson(value * effective, effective)
    of_mean = mean_interval(k, n, kk, kn, nn, m, xx, xd)
    lo, hi = (pl.when(is_mean).then(b).otherwise(a) for a, b in zip(of_rate, of_mean, strict=True))
    method = pl.when(is_mean).then(pl.lit("log-linear")).otherwise(pl.lit("wilson"))
    beyond = pl.when(~is_mean & (k > n)).then(
        pl.lit("No rate: more were reported of k than of n, and nothing is implied.")
    )
    columns = {
        "channel": pl.col("channel"),
        "rate": pl.col("rate"),
        "label": pl.col("label"),
        "value": value,
        "lo": lo,
        "hi": hi,
        "k": k,
        "n": n,
        "n_effective": effective,
        "method": method + pl.when(m > 1).then(pl.lit("-cluster")).otherwise(pl.lit("")),
        "small": n < SMALL_N,
        "n_implied": k - pl.col("k_seen"),
        "base_implied": n - pl.col("n_seen"),
        "n_late": pl.col("late"),
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
    return [columns[name].alias(name) for name in RATES.names]
