"""Ranges of days that answers cover: what is missing, and what an answer replaces.

The API's range filters on the day of the send, and its answers need not say that day. So an answer
stands or falls as a whole: no range is ever cut at a day. What is asked for is therefore one range
a customer, as one request costs the same however long the range is: from the first missing day to
the last, and as far beyond as answers reach that would else be cut.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from optimove_analysis.schema import ANSWER_KEY, COVERAGE

__all__ = ["chained", "disjoint", "missing", "replaced_by", "still_held", "taken"]

_DAY: Final = timedelta(days=1)


def missing(coverage: pl.DataFrame, ids: pl.Series, start: date, end: date) -> pl.DataFrame:
    """Return whom to ask about which days, so that all days of a range are covered.

    Args:
        coverage: `schema.COVERAGE`, and ``good``: whether an answer still is what the API would
            say.
        ids: the customers, each once.
        start: the first day of the range.
        end: its last day.

    Returns:
        ``customer_id``, ``start``, ``end`` of those with a day that no good answer covers, in the
        order of the ids.
    """
    asked = pl.DataFrame({"customer_id": ids}).with_row_index("place")
    near = (
        coverage.filter(pl.col("start") <= end, pl.col("end") >= start)
        .join(asked, on="customer_id", how="inner")
        .sort("place", "start")
    )
    # The days between good answers, and before the first and after the last of them.
    good = near.filter("good").with_columns(before=pl.col("end").shift(1).over("place") + _DAY)
    gaps = pl.concat(
        [
            good.select(
                "place",
                first=pl.col("before").fill_null(start),
                last=pl.col("start") - _DAY,
            ),
            good.group_by("place").agg(first=pl.col("end").max() + _DAY).with_columns(last=end),
            asked.join(good, on="place", how="anti").select("place", first=start, last=end),
        ]
    ).filter(pl.col("first") <= pl.col("last"))
    hulls = gaps.group_by("place").agg(pl.col("first").min(), pl.col("last").max())
    # An answer that reaches into the range is replaced as a whole.
    reach = (
        hulls.join(near, on="place", how="inner")
        .filter(pl.col("start") <= pl.col("last"), pl.col("end") >= pl.col("first"))
        .group_by("place")
        .agg(pl.col("start").min(), pl.col("end").max())
    )
    return (
        asked.join(hulls, on="place", how="inner")
        .join(reach, on="place", how="left")
        .sort("place")
        .select(
            "customer_id",
            start=pl.min_horizontal("start", "first"),
            end=pl.max_horizontal("end", "last"),
        )
    )


def taken(new: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """Return those of new answers that replace what there is.

    Not one that would cut an answer in two, since another writer was quicker: it is asked for
    again. Nor one that a later answer covers.
    """
    there = new.join(coverage, on="customer_id", how="inner", suffix="_there").filter(
        pl.col("start_there") <= pl.col("end"), pl.col("end_there") >= pl.col("start")
    )
    outside = (pl.col("start_there") < pl.col("start")) | (pl.col("end_there") > pl.col("end"))
    as_wide = (pl.col("start_there") <= pl.col("start")) & (pl.col("end_there") >= pl.col("end"))
    later = as_wide & (pl.col("fetched_at_there") > pl.col("fetched_at"))
    refused = there.filter(outside | later).select("customer_id")
    return new.join(refused, on="customer_id", how="anti", maintain_order="left")


def replaced_by(answers: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """Return what is covered with answers in the place of those whose days they share."""
    numbered = coverage.with_row_index("_row")
    gone = numbered.join(answers, on="customer_id", how="inner", suffix="_new").filter(
        pl.col("start") <= pl.col("end_new"), pl.col("end") >= pl.col("start_new")
    )
    kept = numbered.join(gone, on="_row", how="anti").drop("_row")
    return pl.concat([kept, answers.select(coverage.columns)])


def disjoint(coverage: pl.DataFrame) -> pl.DataFrame:
    """Return no two answers of a customer that share a day: those with rows, and later ones, stay.

    That there are any means that two writers met; what is dropped is asked for again.
    """
    once = coverage.unique(list(ANSWER_KEY), keep="last", maintain_order=True)
    left = once.sort(pl.col("rows") > 0, "fetched_at", "start").with_row_index("rank")
    kept = [left.filter(~pl.col("customer_id").is_duplicated())]
    left = left.filter(pl.col("customer_id").is_duplicated())
    while left.height:
        # Those that no better one meets stay, and what meets them goes; then look again.
        meet = left.join(left, on="customer_id", how="inner", suffix="_other").filter(
            pl.col("rank") < pl.col("rank_other"),
            pl.col("start") <= pl.col("end_other"),
            pl.col("end") >= pl.col("start_other"),
        )
        best = left.join(meet, on="rank", how="anti")
        gone = meet.join(best, left_on="rank_other", right_on="rank", how="semi")
        kept.append(best)
        left = left.join(best, on="rank", how="anti").join(gone, on="rank", how="anti")
    return once.join(pl.concat(kept), on=list(ANSWER_KEY), how="semi", maintain_order="left")


def still_held(coverage: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the answers whose interactions the rows are, and those that had none.

    The two tables are written one after the other. Who is killed in between leaves rows whose
    answer is not recorded, or a record whose rows were replaced: the rows decide.
    """
    held = (
        rows.lazy().group_by(list(ANSWER_KEY.values())).agg(pl.len().cast(pl.Int64).alias("_held"))
    )
    return (
        coverage.join(
            held.collect(),
            left_on=list(ANSWER_KEY),
            right_on=list(ANSWER_KEY.values()),
            how="left",
            maintain_order="left",
        )
        .filter(pl.col("_held").fill_null(0) == pl.col("rows"))
        .drop("_held")
    )


def chained(coverage: pl.DataFrame) -> pl.DataFrame:
    """Return the answers, in order, with how far data reaches (``data_through``) from each.

    Through the end of its range; and if the days that follow are covered as well, through theirs,
    but never beyond the day through which data was known when the answer itself was fetched.
    """
    ordered = coverage.sort("customer_id", "start")
    # Over the neighbours of all, as `over` takes minutes for a million customers.
    same = pl.col("customer_id").shift(-1) == pl.col("customer_id")
    follows = same & (pl.col("start").shift(-1) == pl.col("end") + _DAY)
    own = pl.min_horizontal("end", "known_through")
    # From an answer data reaches on while each is known through its own end: to the end of the
    # first that is not, or that none follows, as the last of each customer.
    goes_on = (follows & (pl.col("known_through") >= pl.col("end"))).fill_null(False)
    stops = pl.when(~goes_on).then(own).backward_fill()
    return ordered.with_columns(data_through=pl.min_horizontal("known_through", stops)).select(
        COVERAGE.names
    )
