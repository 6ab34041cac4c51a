"""Tiers: which customers are engaged, which are cooling, and which never were."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.recency import count_customers, customer_columns
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.analysis.shrinkage import shrunk_mean
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.schema import INTERACTIONS, TIERS, Frame, Tier

__all__ = ["tiers"]

# The tiers of the definitions, in days since the last engagement and in messages.
_ACTIVE_DAYS: Final = 30
_COOLING_DAYS: Final = 90
_KNOWN_FROM: Final = 5
_TOP: Final = 10
"""One in so many is in the top decile."""
_DIGITS: Final = 12
"""Rates that are equal but for rounding are tied."""


def tiers(
    interactions: Frame,
    *,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Put each customer in a tier, by how long ago they last engaged.

    The first that holds:

    - ``new``: fewer than 5 messages delivered, engaged with or not;
    - ``never engaged``: 5 or more delivered, none ever engaged with;
    - ``dormant``: engaged, but not in the 90 days up to as_of;
    - ``cooling``: last engaged 31 to 90 days before as_of;
    - ``champion``: last engaged 30 days or fewer before, and in the top decile of the click rate;
    - ``active``: the others who last engaged 30 days or fewer before.

    Engagement and delivery are those of `recency`: at any time through as_of, over all channels.
    The click rate is clicked of delivered messages / delivered, over all channels that have
    deliveries, shrunk (`shrinkage`) towards that of all customers of the frame, so that one click
    of five does not outdo thirty of a hundred. The top decile are the customers than whom, with
    those tied, at most a tenth of all who had anything delivered have as high a rate: ties are
    in or out together, so where nobody stands out there are no champions, and of fewer than ten
    customers there are none either. Who is a champion depends on whom the frame holds.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        as_of: The day as which it stands; None: the latest ``data_through`` of each customer.
        implied: ``"lower"`` or ``"none"``, as in `funnel`, as are all that follow.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"``, or ``"ignore"``: engagement is a click.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        `schema.TIERS`: one row a customer with any row through as_of. The tier is null where
        it hangs on days and as_of is not known.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"recipient_group_id": 1, "action_id": 9, "channel_id": 504, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{"customer_id": who, "campaign_id": campaign, **ids, "date": dt.date(2025, 3, 3),
    ...       "event_id": event}
    ...      for who in ("A", "B") for campaign in range(5) for event in (1, 2)]
    ...     + [{"customer_id": "B", "campaign_id": 0, **ids, "date": dt.date(2025, 3, 5),
    ...         "event_id": 4}],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = tiers(frame, as_of=dt.date(2025, 4, 30))
    >>> found.select("customer_id", "tier", "delivered", "days_since_engaged").rows()
    [('A', 'never engaged', 5, None), ('B', 'cooling', 5, 56)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(None, as_of, implied, assume_sent, opens, known)
    checked = INTERACTIONS.check(interactions)
    counts = count_customers(checked.lazy(), rules, Grouping.of((), taken=TIERS.names))
    # In one order, so that sums of floats are the same whatever the order of rows.
    found = (
        counts.sort("customer_id")
        .with_columns(customer_columns(rules)["days_since_engaged"].alias("days"))
        .with_columns(
            click_rate=shrunk_mean(pl.col("delivered_clicked"), pl.col("delivered")).round(_DIGITS),
            ranked=pl.col("delivered") > 0,
        )
        .with_columns(n_ranked=pl.col("ranked").sum().cast(pl.Int64))
    )
    rate = pl.when("ranked").then("click_rate")
    found = found.with_columns(
        top=(rate.rank("max", descending=True) * _TOP <= pl.col("n_ranked")).fill_null(False)
    )
    columns = customer_columns(rules) | {
        "tier": _tier(),
        "click_rate": pl.col("click_rate"),
        "threshold": pl.col("click_rate").filter("top").min(),
        "n_ranked": pl.col("n_ranked"),
    }
    found = found.select(columns[name].alias(name) for name in TIERS.names)
    return found if isinstance(checked, pl.LazyFrame) else found.collect()


def _tier() -> pl.Expr:
    def is_in(tier: Tier) -> pl.Expr:
        return pl.lit(tier, TIERS["tier"].dtype)

    days = pl.col("days")
    return (
        pl.when(pl.col("delivered") < _KNOWN_FROM)
        .then(is_in("new"))
        .when(pl.col("engaged") == 0)
        .then(is_in("never engaged"))
        .when(days > _COOLING_DAYS)
        .then(is_in("dormant"))
        .when(days > _ACTIVE_DAYS)
        .then(is_in("cooling"))
        .when((days <= _ACTIVE_DAYS) & pl.col("top"))
        .then(is_in("champion"))
        .when(days <= _ACTIVE_DAYS)
        .then(is_in("active"))
    )
