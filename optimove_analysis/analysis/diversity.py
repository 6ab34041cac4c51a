"""How many channels a mix is really spread over.

Entropy: C. E. Shannon, "A mathematical theory of communication", Bell System Technical Journal 27
(1948). exp(H) as a number of kinds: M. O. Hill, "Diversity and evenness", Ecology 54 (1973).
Evenness: E. C. Pielou, "The measurement of diversity in different types of biological
collections", Journal of Theoretical Biology 13 (1966).
"""

from __future__ import annotations

import datetime as dt
from typing import get_args

import polars as pl

from optimove_analysis.analysis.channels import is_unknown_kind
from optimove_analysis.analysis.engines import Interactions, any_engine
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.mix_counts import (
    Engagement,
    check_options,
    count_mix,
    late_note,
    unable_note,
)
from optimove_analysis.analysis.notes import SUMS, notes, unknown_kinds
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.analysis.steady import steady_sum
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import DIVERSITY, SMALL_N, Share

__all__ = ["diversity"]


@any_engine
def diversity(
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
    """Say how evenly messages, and the engagements with them, are spread over channels.

    The shares are those of `channel_mix`. A channel counts as one of the S channels where it has a
    share above 0. From few messages H comes out low, by about (S - 1) / 2n (G. A. Miller, 1955).

    Args:
        interactions: One row an event (`schema.INTERACTIONS`), on any engine as in `channel_mix`.
        by: Column names or expressions, over the messages table and columns of yours: one mix a
            group.
        every: Length of the periods of the send, as in `channel_mix`; None: all time.
        of: What counts as engagement, as in `channel_mix`, as are all that follow.
        window: Calendar days from the send in which an event counts.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.DIVERSITY`: one row a group, period and share. H is in
        nats, and all is null where there is nothing to share out; evenness also for one channel.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> import datetime as dt
    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "channel_id": channel, "date": dt.date(2025, 3, 3),
    ...       "event_id": event}
    ...      for campaign, channel, event in [(1, 504, 1), (2, 505, 1), (2, 505, 4)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> diversity(frame).select("share", "effective_channels", "hhi", "evenness", "n").rows()
    [('sends', 2.0, 0.5, 1.0, 2), ('engagements', 1.0, 1.0, None, 1)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    check_options(rules, of, every)
    group = Grouping.of(by, taken=DIVERSITY.names)
    counts = count_mix(interactions, rules, group, of, every=every).with_columns(
        [pl.lit(None, pl.Date).alias("period")] if every is None else []
    )
    return _rows(counts, rules, group, of).collect()


def _rows(counts: pl.LazyFrame, rules: Rules, group: Grouping, of: Engagement) -> pl.LazyFrame:
    keys = [*group.keys, "period"]
    shares = get_args(Share)
    # A list of rows in each row and not one frame a share: the counts are then made but once.
    rows = [
        pl.struct(_of_shares(share, one, rules, of))
        for share, one in zip(shares, "se", strict=True)
    ]
    rests_on = {
        "unit": pl.lit("message"),
        "of": pl.lit(of),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
    }
    return (
        _sums(counts, rules, keys)
        .with_columns(expression.alias(name) for name, expression in rests_on.items())
        .with_columns(_rows=pl.concat_list(rows))
        .explode("_rows")
        .unnest("_rows")
        .select(*group.write(), *DIVERSITY.names)
        .sort(*group.names, "period", "share")
    )


def _sums(counts: pl.LazyFrame, rules: Rules, keys: list[str]) -> pl.LazyFrame:
    """Return one row a group and period; of sends, ``s_``, and of engagements, ``e_``."""
    s, e = pl.col("s"), pl.col("e")
    channels = counts.group_by(*keys, "channel_id").agg(
        s.sum(),
        e.sum(),
        _unable=pl.when(~pl.col("_can")).then(s).otherwise(0).sum(),
        _kindless=pl.when(is_unknown_kind(rules.catalogue)).then(s).otherwise(0).sum(),
    )
    groups = channels.group_by(keys).agg(
        *(expression for one in (s, e) for expression in _diversity(one)),
        pl.col("_unable", "_kindless").sum(),
    )
    customers = counts.group_by(*keys, "customer_id").agg(s.sum(), e.sum())
    beside = customers.group_by(keys).agg(
        s_customers=(s > 0).sum().cast(pl.Int64), e_customers=(e > 0).sum().cast(pl.Int64)
    )
    about = counts.group_by(keys).agg(
        pl.col(*SUMS, "_late").sum(),
        pl.col("through_first", "unknown_event").min(),
        pl.col("through_last").max(),
    )
    for other in (beside, about):
        groups = groups.join(other, on=keys, how="left", nulls_equal=True)
    return groups


def _diversity(count: pl.Expr) -> list[pl.Expr]:
    """Aggregate the channels of a group: of its shares, H, the sum of squares, S and n."""
    name = count.meta.output_name()
    p = count.filter(count > 0) / count.sum()
    return [
        # Of one share, 1 ln 1 is -0 once its sign is turned.
        (-steady_sum(p * p.log())).abs().alias(f"{name}_h"),
        steady_sum(p * p).alias(f"{name}_hhi"),
        (count > 0).sum().cast(pl.Int64).alias(f"{name}_channels"),
        count.sum().alias(f"{name}_n"),
    ]


def _of_shares(share: Share, one: str, rules: Rules, of: Engagement) -> list[pl.Expr]:
    n, channels = pl.col(f"{one}_n"), pl.col(f"{one}_channels")
    h = pl.when(n > 0).then(f"{one}_h")
    columns = {
        "share": pl.lit(share, DIVERSITY["share"].dtype),
        "shannon": h,
        "effective_channels": h.exp(),
        "hhi": pl.when(n > 0).then(f"{one}_hhi"),
        # Like shares may pass 1 by a rounding.
        "evenness": pl.when(channels > 1).then((h / channels.log()).clip(0, 1)),
        "n_channels": channels,
        "n": n,
        "customers": pl.col(f"{one}_customers"),
        "small": n < SMALL_N,
        "notes": notes(rules, unknown_kinds("_kindless"), *_own_notes(share, of)),
    }
    return [expression.alias(name) for name, expression in columns.items()]


def _own_notes(share: Share, of: Engagement) -> list[pl.Expr]:
    if share == "sends":
        return []
    return [late_note(of), unable_note()]
