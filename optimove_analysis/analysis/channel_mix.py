"""The channel mix: over which channels messages went, and over which ones engagement came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from optimove_analysis.analysis.channels import channel_name, is_unknown_kind
from optimove_analysis.analysis.engines import Interactions, any_engine
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.intervals import Z95, wilson
from optimove_analysis.analysis.mix_counts import (
    Engagement,
    check_options,
    count_mix,
    late_note,
)
from optimove_analysis.analysis.notes import SUMS, notes, unknown_kinds
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import CHANNEL_MIX, SMALL_N

__all__ = ["Engagement", "channel_mix"]


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
) -> pl.LazyFrame:
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
) -> pl.LazyFrame:
    keys = [*group.keys, "period"]
    counts = count_mix(interactions, rules, group, of, every=every).with_columns(
        [pl.lit(None, pl.Date).alias("period")] if every is None else []
    )
    columns = {
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
        "notes": notes(rules, *_own_notes(rules, of)),
    }
    return (
        _sums(counts, keys)
        .with_columns(expression.alias(name) for name, expression in columns.items())
        .select(*group.write(), *CHANNEL_MIX.names)
        .sort(*group.names, "period", "channel_id")
    )


def _own_notes(rules: Rules, of: Engagement) -> list[pl.Expr]:
    return [
        late_note(of),
        pl.when(~pl.col("_can") & (pl.col("s") > 0)).then(
            pl.lit("This channel reports nothing that is engagement: its sends count.")
        ),
        pl.when(is_unknown_kind(rules.catalogue)).then(unknown_kinds("s")),
    ]


def _sums(counts: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """Return one row a channel with its sums over customers, and its group's beside them.

    ``s`` are sends and ``e`` engagements, ``sa`` and ``ea`` a customer's over all channels;
    ``s_ea`` is the sum over customers of the product of the two. ``g_`` marks the whole group.
    """
    s, e, sa, ea = (pl.col(name) for name in ("s", "e", "sa", "ea"))
    customers = counts.group_by(*keys, "customer_id").agg(s.sum().alias("sa"), e.sum().alias("ea"))
    groups = customers.group_by(keys).agg(
        sa.sum().alias("g_s"),
        ea.sum().alias("g_e"),
        (sa * sa).sum().alias("g_ss"),
        (ea * sa).sum().alias("g_es"),
        (ea * ea).sum().alias("g_ee"),
        (sa > 0).sum().cast(pl.Int64).alias("g_m"),
    )
    channels = (
        counts.join(customers, on=[*keys, "customer_id"], how="left", nulls_equal=True)
        .group_by(*keys, "channel_id")
        .agg(
            pl.col("_can").first(),
            s.sum(),
            pl.when(pl.col("_can").first()).then(e.sum()).alias("e"),
            (s > 0).sum().cast(pl.Int64).alias("customers"),
            *(
                (one * other).sum().alias(f"{one.meta.output_name()}_{other.meta.output_name()}")
                for one, other in ((e, e), (e, s), (s, s), (e, ea), (e, sa), (s, ea), (s, sa))
            ),
            *(pl.col(name).sum() for name in (*SUMS, "_late")),
            pl.col("through_first").min(),
            pl.col("through_last").max(),
            pl.col("unknown_event").min(),
        )
    )
    return channels.join(groups, on=list(keys), how="left", nulls_equal=True)


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
