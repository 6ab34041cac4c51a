"""Two arms' rates side by side: difference, lift, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from optimove_analysis.analysis.grouping import within
from optimove_analysis.analysis.intervals import log_ratio, newcombe
from optimove_analysis.analysis.notes import number_of
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.schema import RATES, SMALL_N

__all__ = ["side_by_side"]

_OF_ARM: Final = ("n_implied", "n_late", "n_immature", "n_unobserved")
_NO_NOTES: Final = pl.lit(pl.Series([[]], dtype=pl.List(pl.String()))).first()


def side_by_side(joined: pl.LazyFrame, rules: Rules, keys: Sequence[str]) -> pl.LazyFrame:
    """Add the columns of `schema.COMPARISON` but for names of arms.

    ``joined`` has those of `schema.RATES`, ``there`` and ``n_control`` for the arm and, with a 0
    after each name, for the baseline, and ``customers_in_both``.
    """
    return (
        _with_counts(joined)
        .with_columns(reason=_reason(rules))
        .with_columns(*_differences())
        .with_columns(_conclusion=_conclusion())
        .with_columns(_without_opens=_of_clicks(keys), **_labels())
        .with_columns(flips=_flips(rules))
        .with_columns(
            unit=pl.lit("message"),
            window=pl.lit(rules.window, pl.Int32),
            as_of=pl.lit(rules.as_of, pl.Date)
            if rules.as_of
            else pl.max_horizontal("as_of", "as_of0"),
            implied=pl.lit(rules.implied),
            opens=pl.lit(rules.opens),
            notes=_notes(),
        )
    )


def _with_counts(joined: pl.LazyFrame) -> pl.LazyFrame:
    """Give an arm that is not there the counts of nothing, and say what there is of each."""
    columns: list[pl.Expr] = []
    for suffix in ("", "0"):
        there = pl.col(f"there{suffix}").fill_null(False)
        counts = [f"{name}{suffix}" for name in ("k", "n", "customers", *_OF_ARM, "n_control")]
        columns += [pl.when(there).then(name).otherwise(0).alias(name) for name in counts]
        lacks = there & pl.col(f"n{suffix}").is_null()
        talks = pl.col(f"channels{suffix}").list.len() > 0
        columns += [
            lacks.alias(f"_lacks{suffix}"),
            (~lacks & ~(there & talks)).fill_null(True).alias(f"_absent{suffix}"),
            pl.coalesce(f"notes{suffix}", _NO_NOTES).alias(f"notes{suffix}"),
            pl.coalesce(f"channels{suffix}", _NO_NOTES).alias(f"channels{suffix}"),
        ]
    return (
        joined.with_columns(columns)
        .with_columns(
            small=pl.min_horizontal("n", "n0") < SMALL_N,
            customers_in_both=pl.col("customers_in_both").fill_null(0),
        )
        .with_columns(small=pl.when(~pl.col("_lacks") & ~pl.col("_lacks0")).then("small"))
    )


def _either(flag: str) -> pl.Expr:
    return pl.col(flag) | pl.col(f"{flag}0")


def _reason(rules: Rules) -> pl.Expr:
    """Say why a number is null: the first that applies, in the order of the table's words."""
    k, n, k0, n0 = (pl.col(name) for name in ("k", "n", "k0", "n0"))
    control = (pl.col("_absent") & (pl.col("n_control") > 0)) | (
        pl.col("_absent0") & (pl.col("n_control0") > 0)
    )
    reasons = {
        "no such stage": _either("_lacks"),
        "control group": control,
        "absent": _either("_absent"),
        "insufficient": pl.col("small"),
        "k above n": (k > n) | (k0 > n0),
        "zero baseline": k0 == 0,
        "zero count": k == 0,
        "not a part": _either_null("n_effective") if rules.implied == "none" else pl.lit(False),
        "both whole": (k == n) & (k0 == n0),
    }
    return pl.coalesce(
        *(pl.when(applies).then(pl.lit(reason)) for reason, applies in reasons.items())
    )


def _either_null(name: str) -> pl.Expr:
    return pl.col(name).is_null() | pl.col(f"{name}0").is_null()


def _differences() -> list[pl.Expr]:
    value, value0 = pl.col("value"), pl.col("value0")
    n, n0 = pl.col("n_effective"), pl.col("n_effective0")
    reason = pl.col("reason").fill_null("")
    none = reason.is_in(["no such stage", "control group", "absent", "insufficient", "k above n"])
    no_ends = reason.is_in(["zero count", "both whole"])
    lifts = ~none & (reason != "zero baseline")
    of_difference = newcombe(value * n, n, value0 * n0, n0)
    of_ratio = log_ratio(value * n, n, value0 * n0, n0)
    several = pl.max_horizontal("customers", "customers0") > 1
    cluster = pl.when(several).then(pl.lit("-cluster")).otherwise(pl.lit(""))
    columns = {
        "difference": pl.when(~none).then(value - value0),
        "difference_lo": pl.when(~none).then(of_difference[0]),
        "difference_hi": pl.when(~none).then(of_difference[1]),
        "method": pl.lit("newcombe") + cluster,
        "lift": pl.when(lifts).then(value / value0 - 1),
        "lift_lo": pl.when(lifts & ~no_ends).then(of_ratio[0] - 1),
        "lift_hi": pl.when(lifts & ~no_ends).then(of_ratio[1] - 1),
        "lift_method": pl.lit("log-ratio") + cluster,
    }
    return [column.alias(name) for name, column in columns.items()]


def _conclusion() -> pl.Expr:
    """Return 1 where the arm is shown to be above the baseline, -1 below it, 0 neither."""
    lo, hi = pl.col("difference_lo"), pl.col("difference_hi")
    return pl.when(lo > 0).then(1).when(hi < 0).then(-1).when(lo.is_not_null()).then(0)


def _is(rate: str) -> pl.Expr:
    return pl.col("rate") == pl.lit(rate, RATES["rate"].dtype)


def _of_clicks(keys: Sequence[str]) -> pl.Expr:
    # With opens ignored engagement is a click: the engagement rate is then the click rate.
    return within(pl.col("_conclusion").filter(_is("click rate")).first(), keys)


def _flips(rules: Rules) -> pl.Expr:
    if rules.opens == "ignore":
        return pl.lit(None, pl.Boolean)
    flips = pl.col("_conclusion") != pl.col("_without_opens")
    return pl.when(_is("engagement rate")).then(flips)


def _labels() -> dict[str, pl.Expr]:
    label, label0 = pl.col("label"), pl.col("label0")
    return {
        "label": pl.when(label != label0)
        .then(pl.lit("delivered or not bounced"))
        .otherwise(pl.coalesce(label, label0, pl.col("rate").cast(pl.String))),
        "_unlike_labels": (label != label0).fill_null(False),
        "channel": pl.coalesce("channel", "channel0"),
        "_all_channels": pl.concat_list("channels", "channels0").list.unique().list.sort(),
    }


def _notes() -> pl.Expr:
    notes, notes0 = pl.col("notes"), pl.col("notes0")
    own = {
        "Baseline: ": notes0.list.set_difference(notes),
        "Arm: ": notes.list.set_difference(notes0),
    }
    said = [
        notes.list.set_intersection(notes0),
        *(
            some.list.eval(pl.concat_str(pl.lit(who), pl.element().cast(pl.String)))
            for who, some in own.items()
        ),
    ]
    return pl.concat_list(*said, *_said()).list.drop_nulls()


def _said() -> list[pl.Expr]:
    """Return what a reader must know of the comparison; null or text."""
    both, several = pl.col("customers_in_both"), pl.max_horizontal("customers", "customers0") > 1
    shared = (
        "{} in both arms, which are then not independent. The intervals take them as independent: "
        "too wide where customers who respond in one arm respond in the other too."
    )
    clicks = pl.col("_without_opens")
    instead = (
        pl.when(clicks > 0)
        .then(pl.lit("the arm is above the baseline"))
        .when(clicks < 0)
        .then(pl.lit("the arm is below the baseline"))
        .otherwise(pl.lit("no difference is shown"))
    )
    ours, theirs = pl.col("channels"), pl.col("channels0")
    unlike = (ours != theirs) & (ours.list.len() > 0) & (theirs.list.len() > 0)
    one_alone = several & (pl.min_horizontal("customers", "customers0") == 1)
    return [
        pl.when((both > 0) & several).then(
            pl.format(shared, number_of("customers_in_both", "customer is", "customers are"))
        ),
        pl.when(one_alone).then(
            pl.lit("An arm is of one customer: how far customers differ is not seen in it.")
        ),
        pl.when("flips").then(pl.format("The conclusion flips: with opens ignored, {}.", instead)),
        pl.when("_unlike_labels").then(
            pl.lit("The arms' delivery rates are not counted alike: not bounced is not delivered.")
        ),
        pl.when(unlike).then(
            pl.format(
                "The arms are over unlike channels, {} and the baseline {}: part of a difference "
                "may be the channels'.",
                ours.list.join(", "),
                theirs.list.join(", "),
            )
        ),
    ]
