"""What rates are made of: the k and n of each rate, by group, customer and channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import polars as pl

from optimove_analysis.analysis.channels import has_stage
from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.judging import judge
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.errors import InputError
from optimove_analysis.schema import MEAN_OPENS, MESSAGE_KEY, MESSAGES, RateName

__all__ = [
    "PARTS",
    "RATIOS",
    "Needed",
    "Ratio",
    "base_of",
    "can_have",
    "check_proportion",
    "count_rates",
    "rate_facts",
    "ratios",
    "sum_facts",
    "was_delivered",
]

PARTS: Final = ("k", "n", "k_seen", "n_seen", "late")
"""What is counted for each rate; see `count_rates`."""

Needed: TypeAlias = Literal["delivered", "opened"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """What a rate divides, and which stage a channel needs to have it."""

    k: str
    n: str
    needs: Needed
    """In every kind of channel one that has opens has deliveries and clicks too, and one that has
    deliveries has clicks: so one stage says whether a channel has both of the rate's."""


# A channel without deliveries (in-app) has no bounces either: 0 % would be no answer.
RATIOS: Final[Mapping[RateName, Ratio]] = {
    "delivery rate": Ratio("delivered", "sent", "delivered"),
    "bounce rate": Ratio("bounced", "sent", "delivered"),
    "open rate": Ratio("opened", "delivered", "opened"),
    "click rate": Ratio("clicked", "delivered", "delivered"),
    "click-to-open rate": Ratio("clicked", "opened", "opened"),
    "unsubscribe rate": Ratio("unsubscribed", "delivered", "delivered"),
    "spam complaint rate": Ratio("spam_complaint", "delivered", "delivered"),
    "engagement rate": Ratio("engaged", "delivered", "delivered"),
    MEAN_OPENS: Ratio("opens", "delivered", "opened"),
}


def ratios(rules: Rules) -> dict[RateName, Ratio]:
    """Return the rates that there are by these rules."""
    some = rules.opens == "trust"
    return {name: ratio for name, ratio in RATIOS.items() if some or ratio.needs != "opened"}


def can_have(needs: Needed, rules: Rules) -> pl.Expr:
    """Whether the row's channel has both stages of a rate."""
    return has_stage(rules.catalogue, needs)


def check_proportion(rate: str, rules: Rules) -> None:
    """Say so where the rate is no proportion, or is none by these rules."""
    some = [name for name in ratios(rules) if name != MEAN_OPENS]
    if rate not in some:
        raise InputError.option("rate", rate, some)


def base_of(rate: RateName, rules: Rules) -> pl.Expr:
    """Whether a message (`rate_facts`) is one that the rate divides by."""
    ratio = RATIOS[rate]
    return pl.col("_counted") & can_have(ratio.needs, rules) & (pl.col(f"_is_{ratio.n}") > 0)


def count_rates(rows: pl.LazyFrame, rules: Rules, by: Grouping) -> pl.LazyFrame:
    """Count what rates are made of, by group, customer and channel.

    The columns: the group's keys, ``customer_id`` and ``channel_id``; for each rate, by its place
    in `RATIOS`, ``k_<place>``, ``n_<place>``, those of them whose own event was reported,
    ``k_seen_<place>``, ``n_seen_<place>``, and ``late_<place>``; ``counted``; the sums of a tally
    that notes are made of; ``reports``: whether the channel reports deliveries; ``opens_squared``
    and ``opens_delivered``: the sum over messages of the squares of opens, and of the opens of
    delivered ones.
    """
    return sum_facts(rate_facts(rows, rules, by), by)


def rate_facts(rows: pl.LazyFrame, rules: Rules, by: Grouping) -> pl.LazyFrame:
    """Judge each message, with the group's keys, and say what rates count of it.

    ``_is_<fact>`` is 1 or 0 for the k and n of each of `RATIOS` (opens: how many), also of
    messages that do not count or whose channel lacks the stage; ``_is_seen_<fact>``: by its own
    event; ``_is_late_<fact>``: after the window; ``_reports``: whether the channel reports
    deliveries.
    """
    found = messages(rows, catalogue=rules.catalogue, keep=by.keep)
    # Only now may names be ours: no expression of the user's is read after this.
    each = judge(found.select(*MESSAGES.names, *by.read()), rules)
    if rules.opens == "trust":
        opens = _open_rows(rows, each, rules)
        each = each.join(opens, on=[*MESSAGE_KEY, "send_date"], how="left", nulls_equal=True)
    else:
        each = each.with_columns(_opens=pl.lit(0, pl.Int64), _late_opens=pl.lit(0, pl.Int64))
    return _with_facts(each, rules)


def sum_facts(each: pl.LazyFrame, by: Grouping) -> pl.LazyFrame:
    """Sum the facts about messages up to what `count_rates` gives."""
    counted = pl.col("_counted")
    per_message = ("n_orphans", "n_unknown")
    of_counted = ("conflicts", "off_stage", "no_through", "assumed")
    of_all = ("control", "unobserved", "unknown_only", "dateless", "immature", "ahead")
    sums: list[pl.Expr] = []
    for place, ratio in enumerate(RATIOS.values()):
        parts = {"k": ratio.k, "n": ratio.n, "late": f"late_{ratio.k}"}
        parts |= {"k_seen": f"seen_{ratio.k}", "n_seen": f"seen_{ratio.n}"}
        sums += [_sum(counted, fact).alias(f"{part}_{place}") for part, fact in parts.items()]
    opened, delivered = pl.col("_is_opens"), pl.col("_is_delivered")
    return each.group_by(*by.keys, "customer_id", "channel_id").agg(
        *sums,
        counted.sum().cast(pl.Int64).alias("counted"),
        pl.col("_reports").first().alias("reports"),
        (opened * opened * counted).sum().alias("opens_squared"),
        (opened * delivered * counted).sum().alias("opens_delivered"),
        *(pl.col(f"_{reason}").sum().cast(pl.Int64).alias(f"n_{reason}") for reason in of_all),
        *(pl.col(name).sum() for name in (*per_message, "n_undated", "n_collapsed")),
        *(
            (counted & pl.col(f"_{oddity}")).sum().cast(pl.Int64).alias(f"n_{oddity}")
            for oddity in of_counted
        ),
        pl.col("unknown_event").min(),
        pl.col("_through").filter(counted).min().alias("through_first"),
        pl.col("_through").filter(counted).max().alias("through_last"),
    )


def was_delivered(rules: Rules) -> tuple[pl.Expr, pl.Expr]:
    """Whether a judged message's channel reports deliveries, and whether the message has one.

    Where the channel reports none, delivered means not bounced; with a click the bounce loses.
    """
    reports = (pl.col("_counted") & pl.col("delivered_on").is_not_null()).any().over("channel_id")
    bounced = pl.col("bounced_on").is_not_null() & pl.col("clicked_on").is_null()
    lives = has_stage(rules.catalogue, "delivered") & ~bounced
    return reports, pl.when(reports).then("_reached_delivered").otherwise(lives)


def _with_facts(each: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Say of each message what rates count: ``_is_<fact>``, ``_is_seen_<fact>``, ``_is_late_``."""
    # As in funnel, whether a message bounced is a fact about it and not about the window, and
    # with a click the bounce loses; only the bounce rate asks when.
    unclicked = pl.col("clicked_on").is_null()
    bounced = pl.col("bounced_on").is_not_null() & unclicked
    reports, delivered = was_delivered(rules)
    # Who complained of a message that bounced is no part of the delivered. With nothing implied
    # no count is part of another.
    among = delivered if rules.implied == "lower" else pl.lit(True)
    late_among = ~bounced if rules.implied == "lower" else pl.lit(True)
    true, false = pl.lit(True), pl.lit(False)
    of_stage = {
        stage: (pl.col(f"_reached_{stage}"), f"_observed_{stage}", f"_late_{stage}")
        for stage in ("opened", "clicked")
    }
    of_side = {
        side: (
            pl.col(f"_had_{side}") & among,
            pl.col(f"_had_{side}") & among,
            pl.col(f"{side}_on").is_not_null() & ~pl.col(f"_had_{side}") & late_among,
        )
        for side in ("unsubscribed", "spam_complaint")
    }
    open_rows = has_stage(rules.catalogue, "opened") & ~bounced
    opens = {
        name: pl.when(open_rows).then(pl.col(f"_{name}").fill_null(0)).otherwise(0)
        for name in ("opens", "late_opens")
    }
    facts: dict[str, tuple[pl.Expr, pl.Expr | str, pl.Expr | str]] = {
        "sent": (true, "send_observed", false),
        "delivered": (delivered, "_observed_delivered", "_late_delivered"),
        "bounced": (
            bounced & pl.col("_had_bounced"),
            bounced & pl.col("_had_bounced"),
            bounced & ~pl.col("_had_bounced"),
        ),
        **of_stage,
        **of_side,
        "engaged": (pl.col("_engaged"), "_engaged", "_late_engaged"),
        "opens": (opens["opens"], opens["opens"], opens["late_opens"]),
    }
    columns: dict[str, pl.Expr] = {}
    for fact, parts in facts.items():
        for prefix, part in zip(("", "seen_", "late_"), parts, strict=True):
            one = pl.col(part) if isinstance(part, str) else part
            columns[f"_is_{prefix}{fact}"] = one.cast(pl.Int64)
    return each.with_columns(_reports=reports, **columns)


def _open_rows(rows: pl.LazyFrame, each: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Count the open rows of each message, in its window and after; orphans belong to none.

    An open row belongs to the latest send on or before its day. Only sends of messages with an
    open can be that: the latest one, having the row, is among them.
    """
    key = list(MESSAGE_KEY)
    sends = each.filter(pl.col("opened_on").is_not_null()).select(
        *key, "send_date", day="send_date", is_open=pl.lit(False)
    )
    is_open = pl.col("event_id").is_in(rules.catalogue.ids("opened")).fill_null(False)
    opens = rows.filter(is_open, pl.col("date").is_not_null()).select(
        *key, send_date=pl.lit(None, pl.Date), day="date", is_open=pl.lit(True)
    )
    own_send = pl.col("send_date").forward_fill().over(key, order_by=["day", "is_open"])
    days = (pl.col("day") - pl.col("send_date")).dt.total_days()
    inside = pl.col("is_open") if rules.window is None else days <= rules.window
    return (
        pl.concat([sends, opens])
        .with_columns(send_date=own_send)
        .filter("is_open", pl.col("send_date").is_not_null())
        .group_by(*key, "send_date")
        .agg(
            inside.sum().cast(pl.Int64).alias("_opens"),
            (~inside).sum().cast(pl.Int64).alias("_late_opens"),
        )
    )


def _sum(counted: pl.Expr, fact: str) -> pl.Expr:
    return pl.when(counted).then(f"_is_{fact}").otherwise(0).sum()
