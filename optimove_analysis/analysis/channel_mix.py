"""The channel mix: over which channels messages went, and over which ones engagement came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final

import narwhals as nw
import polars as pl

from optimove_analysis.analysis.channels import channel_name, is_unknown_kind
from optimove_analysis.analysis.counting import Clusters, tally
from optimove_analysis.analysis.engines import Interactions, any_engine
from optimove_analysis.analysis.grouping import By, Grouping, aggregate, in_parts, join, within
from optimove_analysis.analysis.intervals import Z95, wilson
from optimove_analysis.analysis.messages import count_where
from optimove_analysis.analysis.mix_counts import (
    Engagement,
    check_options,
    late_note,
    mix_columns,
    name_of,
)
from optimove_analysis.analysis.notes import unknown_kinds, with_notes
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import CHANNEL_MIX, SMALL_N

__all__ = ["Engagement", "channel_mix"]

_PRODUCTS: Final = ("e_e", "e_s", "s_s", "e_ea", "e_sa", "s_ea", "s_sa")
"""The products of which sums over customers are needed; see `_clusters`."""


@any_engine
def channel_mix(
    interactions: Interactions,
    *,
    by: By = (),
    every: str | None = None,
    of: Engagement = "engaged",
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> pl.DataFrame:
    """Share out messages, and the engagements with them, over channels.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`): a polars frame, or a DuckDB
            relation or PySpark DataFrame, which is counted where it is.
        by: Column names or expressions, over the messages table and columns of yours: one mix a
            group. Not the channel itself: the mix is over channels.
        every: Length of the periods of the send that each get a mix of their own: ``"1d"``,
            ``"1w"`` (from Monday), ``"1mo"``, ``"1q"``, ``"1y"``; None: all time.
        of: What counts as engagement: ``"engaged"`` (clicked, or opened where opens are trusted,
            at most once a message), ``"clicked"``, ``"opened"`` or ``"delivered"``.
        window: As in `funnel`, as are all that follow.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.CHANNEL_MIX`: one row a group, period and channel. Shares
        lie in 0..1. ``index`` is share of engagements / share of sends: 1 is par. Its 95 %
        interval is made on the log scale by linearisation, over messages within one customer and
        with the customer as the cluster across customers. A channel that cannot be engaged with
        (a call centre) has its share of sends, and null for the rest.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> import datetime as dt
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "channel_id": channel, "date": dt.date(2025, 3, 3),
    ...       "event_id": event}
    ...      for campaign, channel, event in [(1, 504, 1), (2, 504, 1), (2, 504, 4), (3, 504, 1),
    ...                                       (4, 505, 1), (4, 505, 4)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> channel_mix(frame).select("channel", "sends", "share_of_sends", "index").rows()
    [('E-mail', 3, 0.75, 0.6666666666666666), ('SMS', 1, 0.25, 2.0)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    check_options(rules, of, every)
    group = Grouping.of(by, taken=CHANNEL_MIX.names)
    return _mix(interactions, rules, group, every, of)


def _mix(
    interactions: Interactions, rules: Rules, group: Grouping, every: str | None, of: Engagement
) -> pl.DataFrame:
    # What rows are made of is larger than they are, and gone before they are sorted: a copy.
    rows = pl.concat(_rows(interactions, rules, group, every, of))
    return rows.sort(*group.names, "period", "channel_id")


def _rows(
    interactions: Interactions, rules: Rules, group: Grouping, every: str | None, of: Engagement
) -> Iterator[pl.DataFrame]:
    """Return the rows of some groups after the other, in no order."""
    keys = [*group.keys, *([] if every is None else ["period"])]
    counts, *moments = tally(interactions, rules, group, *_clusters(group, keys, of), every=every)
    columns = {
        **({"period": pl.lit(None, pl.Date)} if every is None else {}),
        "channel": channel_name(rules.catalogue),
        "sends": pl.col("s"),
        "engagements": pl.col("e"),
        "share_of_sends": _share("s", "g_s"),
        "share_of_engagements": _share("e", "g_e"),
        **_index(),
        "small": pl.col("s") < SMALL_N,
        "unit": pl.lit("message"),
        "of": pl.lit(of),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "opens": pl.lit(rules.opens),
    }
    for part in in_parts(counts, keys):
        by_channel = part.lazy().with_columns(mix_columns(rules, of))
        rows = (
            _with_moments(by_channel, moments, keys)
            .with_columns(expression.alias(name) for name, expression in columns.items())
            .collect(engine="streaming")
        )
        noted = with_notes(rows, rules, *_own_notes(rules, of))
        yield noted.select(*group.write(), *CHANNEL_MIX.names)


def _own_notes(rules: Rules, of: Engagement) -> list[tuple[pl.Expr, pl.Expr]]:
    some = pl.col("s") > 0
    return [
        (pl.col("_late") > 0, late_note(of)),
        (
            ~pl.col("_can") & some,
            pl.lit("This channel reports nothing that is engagement: its sends count."),
        ),
        (is_unknown_kind(rules.catalogue) & some, unknown_kinds("s")),
    ]


def _clusters(group: Grouping, keys: Sequence[str], of: Engagement) -> list[Clusters]:
    """Say what the index' interval needs of customers; nothing if a group is of one customer.

    First by channel, ``customers`` and sums over customers of products: ``s`` are a customer's
    sends over the channel and ``e`` its engagements, ``sa`` and ``ea`` the customer's over all
    channels. Then by group, ``g_m``: the customers.
    """
    if group.is_of_one_customer:
        return []
    s, e, sa, ea = (nw.col(name) for name in ("s", "e", "sa", "ea"))
    parts = {"s": s, "e": e, "sa": sa, "ea": ea}
    pairs = {name: [parts[part] for part in name.split("_")] for name in _PRODUCTS}

    def customers(each: nw.LazyFrame[Any], *further: str) -> nw.LazyFrame[Any]:
        happened = {"s": nw.lit(True), "e": nw.col(f"_{name_of(of)}")}
        return (
            each.with_columns(
                nw.when(nw.col("_counted") & what).then("messages").otherwise(nw.lit(0)).alias(name)
                for name, what in happened.items()
            )
            .group_by(*keys, "customer_id", *further)
            .agg(nw.col("s", "e").sum().cast(nw.Int64))
        )

    def by_channel(each: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        whole = [nw.col(name).sum().over(*keys, "customer_id") for name in ("s", "e")]
        return (
            customers(each, "channel_id")
            .with_columns(
                one.cast(nw.Int64).alias(name)
                for one, name in zip(whole, ("sa", "ea"), strict=True)
            )
            .group_by(*keys, "channel_id")
            .agg(
                count_where(s > 0).alias("customers"),
                *((a * b).sum().cast(nw.Int64).alias(name) for name, (a, b) in pairs.items()),
            )
        )

    def by_group(each: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return aggregate(customers(each), keys, count_where(s > 0).alias("g_m"))

    return [Clusters(by_channel), Clusters(by_group)]


def _with_moments(
    by_channel: pl.LazyFrame, moments: Sequence[pl.DataFrame], keys: Sequence[str]
) -> pl.LazyFrame:
    """Add what `_clusters` gave, and the sums of the whole group, marked ``g_``."""
    if moments:
        channels, groups = (one.lazy() for one in moments)
        by_channel = join(by_channel, channels, [*keys, "channel_id"])
        by_channel = join(by_channel, groups, keys)
    else:
        one = pl.col("s") > 0
        by_channel = by_channel.with_columns(
            *(pl.lit(None, pl.Int64).alias(name) for name in _PRODUCTS),
            customers=one.cast(pl.Int64),
            g_m=within(one.any(), keys).cast(pl.Int64),
        )
    # A customer's sends over all channels, squared, are over each channel times all, added up.
    whole = {"g_s": "s", "g_e": "e", "g_ss": "s_sa", "g_es": "e_sa", "g_ee": "e_ea"}
    return by_channel.with_columns(
        within(pl.col(name).sum(), keys).alias(total) for total, name in whole.items()
    )


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def _index() -> dict[str, pl.Expr]:
    """Return the index, its interval and how the interval was made.

    The log of the index, ln(e/s) - ln(g_e/g_s), is linearised: a cluster contributes
    e_i/e - s_i/s - ea_i/g_e + sa_i/g_s, which sums to 0, and the variance is the sum of its
    squares times m/(m - 1). Within one customer each message is a cluster, so that a sum of
    squares is a count.
    """
    s, e, g_s, g_e = (pl.col(name).cast(pl.Float64) for name in ("s", "e", "g_s", "g_e"))
    one = pl.col("g_m") <= 1

    def total(product: str, of_one: str) -> pl.Expr:
        return pl.when(one).then(of_one).otherwise(product).cast(pl.Float64)

    own = total("e_e", "e") / e**2 - 2 * total("e_s", "e") / (e * s) + total("s_s", "s") / s**2
    shared = (
        total("e_ea", "e") / (e * g_e)
        - total("e_sa", "e") / (e * g_s)
        - total("s_ea", "e") / (s * g_e)
        + total("s_sa", "s") / (s * g_s)
    )
    whole = (
        total("g_ee", "g_e") / g_e**2
        - 2 * total("g_es", "g_e") / (g_e * g_s)
        + total("g_ss", "g_s") / g_s**2
    )
    m = pl.when(one).then(g_s).otherwise(pl.col("g_m").cast(pl.Float64))
    half = Z95 * ((own - 2 * shared + whole).clip(0) * m / (m - 1)).sqrt()

    index = pl.when((s > 0) & (g_e > 0)).then((e / g_e) / (s / g_s))
    # Nothing engaged with has no logarithm; what its rate may at most be, against the pooled one.
    _, most = wilson(e, s)
    none, estimable = e == 0, m > 1
    return {
        "index": index,
        "index_lo": pl.when(index.is_not_null() & none)
        .then(0.0)
        .when(estimable)
        .then(index * (-half).exp()),
        "index_hi": pl.when(index.is_not_null() & none)
        .then(most * g_s / g_e)
        .when(estimable)
        .then(index * half.exp()),
        "method": pl.when(none)
        .then(pl.lit("wilson"))
        .when(one)
        .then(pl.lit("log-linear"))
        .otherwise(pl.lit("log-linear-cluster")),
    }
