"""The hand-off: where a customer engaged next, after a message that stayed without an answer."""

from __future__ import annotations

import datetime as dt
from functools import partial

import polars as pl

from optimove_analysis.analysis.channels import channel_name, has_stage, is_single_stage
from optimove_analysis.analysis.grouping import By, Grouping
from optimove_analysis.analysis.judging import judge
from optimove_analysis.analysis.messages import messages
from optimove_analysis.analysis.next_engagement import with_next
from optimove_analysis.analysis.note_sums import note_sums
from optimove_analysis.analysis.notes import notes
from optimove_analysis.analysis.once import gathered_once
from optimove_analysis.analysis.rate_counts import was_delivered
from optimove_analysis.analysis.rules import MOST_DAYS, Implied, Opens, Rules
from optimove_analysis.analysis.shares import count_shares, share_columns
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import HAND_OFF, INTERACTIONS, MESSAGES, Frame, Stage

__all__ = ["hand_off"]


def hand_off(
    interactions: Frame,
    *,
    within: int | None = None,
    by: By = (),
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
) -> Frame:
    """Count on which channel a customer engaged next, after an unanswered message.

    An unanswered message is a mature one that was delivered, and not engaged with in the window;
    of a channel whose kind has no deliveries one that was sent. The next engagement is the
    earliest day after the day of the send on which the customer clicked or opened any *other*
    message, older ones included, for the first time: a message's first open and first click
    count, each on its day. On the day of the send itself nobody knows what came first: such
    engagement is passed over, and counted (``n_same_day``). A next engagement on several
    channels on one day is ``several``, since the day does not say which was first.

    What comes after as_of is left out. Where there is none by then, ``within=None`` means none
    *yet*: these messages are censored, and more of them will have been handed off later on. With
    ``within`` messages count only if that many days had passed by as_of, so that all had the same
    time.

    It is what came next and not what the message led to.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`).
        within: Calendar days from the send, inclusive, in which a next engagement counts, 1 or
            more; None: any time through as_of.
        by: Column names or expressions, over the messages table and columns of yours: one table a
            group of unanswered messages. What comes next may be in any group.
        window: As in `funnel`, as are all that follow: engagement in it is an answer.
        as_of: The day through which the data is complete; None: what each row says of itself.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent. Engagement with one is
            a next engagement in any case.
        opens: ``"trust"``, or ``"ignore"``: engagement is a click.
        catalogue: What the account's ids mean (``client.catalogue()``).

    Returns:
        The group's columns, then `schema.HAND_OFF`: one row a group, channel and what came next.
        Shares are of the unanswered messages of a channel and add up to 1. Their 95 % intervals
        are Wilson's within one customer; across customers Wilson's at the effective sample size
        with the customer as the cluster.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"customer_id": "A", "recipient_group_id": 1, "action_id": 9, "template_id": 2}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "campaign_id": campaign, "channel_id": channel, "event_id": event,
    ...       "date": dt.date(2025, 3, day)} for day, campaign, channel, event in
    ...      [(1, 1, 504, 1), (2, 2, 504, 1), (6, 3, 505, 1), (8, 3, 505, 4), (9, 4, 504, 1)]],
    ...     schema_overrides={"date": pl.Date},
    ... )
    >>> found = hand_off(frame, as_of=dt.date(2025, 3, 31))
    >>> found.select("from_channel", "next", "to_channel", "n", "n_from", "median_days").rows()
    [('E-mail', 'engaged', 'SMS', 2, 3, 6.5), ('E-mail', 'none', None, 1, 3, None)]
    """
    known = Catalogue() if catalogue is None else catalogue
    rules = Rules(window, as_of, implied, assume_sent, opens, known)
    if within is not None and (
        isinstance(within, bool) or not isinstance(within, int) or not 1 <= within <= MOST_DAYS
    ):
        message = f"within={within!r} must be a number of days, 1 to {MOST_DAYS:,}, or None."
        raise InputError(message)
    group: Grouping = Grouping.of(by, taken=HAND_OFF.names)
    checked = INTERACTIONS.check(interactions)
    each = judge(
        # No group at all is one group of all.
        messages(checked.lazy(), catalogue=known, keep=group.keep).select(
            *MESSAGES.names, *group.read(), pl.lit(0).alias("_all")
        ),
        rules,
    )
    return gathered_once(
        checked,
        _with_answers(each, rules, within),
        group,
        HAND_OFF,
        partial(_answer, rules=rules, group=group, within=within),
    )


def _with_answers(each: pl.LazyFrame, rules: Rules, within: int | None) -> pl.LazyFrame:
    """Say of each message whether it is unanswered, or why not, and when it was engaged with."""
    _, delivered = was_delivered(rules)
    received = delivered | ~has_stage(rules.catalogue, "delivered")
    send, through = pl.col("send_date"), pl.col("_through")
    # With no window a message counts however young: one that was not sent by as_of must not.
    short = ((through - send).dt.total_days() < (within or 0)).fill_null(False)
    ripe = pl.col("_counted") & ~short
    bounced = pl.col("bounced_on").is_not_null() & pl.col("clicked_on").is_null()
    # Engagement is a fact, whatever is known of the send, and however young the message is.
    acted = pl.col("_counted") | pl.col("_unobserved") | pl.col("_immature")

    def first(stage: Stage, also: pl.Expr) -> pl.Expr:
        has, day = has_stage(rules.catalogue, stage), pl.col(f"{stage}_on")
        return pl.when(acted & has & also & (day <= through).fill_null(True)).then(day)

    each = each.with_columns(
        _first_open=first("opened", ~bounced & pl.lit(rules.opens == "trust")),
        _first_click=first("clicked", pl.lit(True)),
    )
    # In a window that has closed all is before as_of; with none, what came later is no answer yet.
    by_then = pl.any_horizontal(pl.col("_first_open", "_first_click").is_not_null())
    engaged = pl.col("_engaged") & by_then
    return each.with_columns(
        _unanswered=ripe & received & ~engaged,
        _answered=ripe & engaged,
        _undelivered=ripe & ~received & ~engaged,
        _immature=pl.col("_immature") | (pl.col("_counted") & short),
        _counted=ripe,
    )


def _answer(each: pl.LazyFrame, rules: Rules, group: Grouping, within: int | None) -> pl.LazyFrame:
    start = [*group.keys, "_all", "channel_id"]
    followed = with_next(each, within)
    also = followed.group_by(start).agg(
        pl.col(name).sum().cast(pl.Int64).alias(f"n_{name}")
        for name in ("answered_late", "same_day")
    )
    said = each.group_by(start).agg(
        *(
            pl.col(f"_{name}").sum().cast(pl.Int64).alias(f"n_{name}")
            for name in ("answered", "undelivered")
        ),
        *note_sums(),
    )
    to, days = ["next", "next_channel"], pl.col("days")
    took = followed.group_by(*start, *to).agg(
        median_days=days.median(),
        days_q1=days.quantile(0.25, "linear"),
        days_q3=days.quantile(0.75, "linear"),
    )
    name = channel_name(rules.catalogue)
    deaf = pl.when(is_single_stage(rules.catalogue)).then(
        pl.lit("This channel reports nothing that is engagement: no message of it is answered.")
    )
    found = (
        count_shares(followed, start, to)
        .join(took, on=[*start, *to], how="left", nulls_equal=True)
        .join(also, on=start, how="left", nulls_equal=True)
        .join(said, on=start, how="left", nulls_equal=True)
        .with_columns(from_channel=name, from_channel_id="channel_id", notes=notes(rules, deaf))
        .with_columns(channel_id="next_channel")
        .with_columns(to_channel=pl.when(pl.col("next") == "engaged").then(name))
    )
    same = (
        *("from_channel_id", "from_channel", "next", "to_channel", "notes"),
        *("median_days", "days_q1", "days_q3", "n_answered", "n_undelivered"),
        *("n_answered_late", "n_same_day", "n_immature", "n_unobserved"),
    )
    columns = {
        **{one: pl.col(one) for one in same},
        **share_columns(),
        "to_channel_id": pl.col("next_channel"),
        "unit": pl.lit("message"),
        "within": pl.lit(within, pl.Int32),
        "window": pl.lit(rules.window, pl.Int32),
        "as_of": pl.lit(rules.as_of, pl.Date) if rules.as_of else pl.col("through_last"),
        "implied": pl.lit(rules.implied),
        "opens": pl.lit(rules.opens),
    }
    return found.select(*group.write(), *(columns[one].alias(one) for one in HAND_OFF.names)).sort(
        *group.names, "from_channel_id", "next", "to_channel_id"
    )
