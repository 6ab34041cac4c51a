"""What a report says of results, in sentences that carry the numbers' uncertainty."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final

import polars as pl

from optimove_analysis.charts import words
from optimove_analysis.charts.main_columns import recognised
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.report import (
    sentences_change,
    sentences_compare,
    sentences_customers,
    sentences_mix,
    sentences_next,
    sentences_quality,
    sentences_rates,
    sentences_time,
)
from optimove_analysis.report.sentences_parts import INTERVAL
from optimove_analysis.report.shown import Shown
from optimove_analysis.schema import (
    ANOMALIES,
    AUDIT,
    CHANNEL_MIX,
    COMPARISON,
    EXPLAIN_CHANGE,
    FREQUENCY_CONTRAST,
    FUNNEL,
    HAND_OFF,
    ORDERED_FUNNEL_COUNTS,
    OVERLAP,
    PREFERRED_CHANNEL,
    RATES,
    RECENCY,
    TIERS,
    TIME_TO_ENGAGE,
    Table,
)

__all__ = ["summary"]

_TELL: Final[Mapping[str, Callable[[pl.DataFrame], list[str]]]] = {
    ANOMALIES.name: sentences_quality.anomalies,
    AUDIT.name: sentences_quality.audit,
    CHANNEL_MIX.name: sentences_mix.channel_mix,
    COMPARISON.name: sentences_compare.comparison,
    EXPLAIN_CHANGE.name: sentences_change.explain_change,
    FREQUENCY_CONTRAST.name: sentences_time.frequency_contrast,
    FUNNEL.name: sentences_rates.funnel,
    HAND_OFF.name: sentences_next.hand_off,
    ORDERED_FUNNEL_COUNTS.name: sentences_next.ordered_funnel_counts,
    OVERLAP.name: sentences_mix.overlap,
    PREFERRED_CHANNEL.name: sentences_customers.preferred_channel,
    RATES.name: sentences_rates.rates,
    RECENCY.name: sentences_customers.recency,
    TIERS.name: sentences_customers.tiers,
    TIME_TO_ENGAGE.name: sentences_time.time_to_engage,
}
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""What would make two lines of one, or none that can be read."""


def summary(*results: pl.DataFrame) -> Shown:
    """Say what results come to, in sentences made from their numbers.

    A number stands with its 95 % interval, and nothing is claimed that the interval leaves open. No
    customer is named. Of each result there are about a dozen sentences at most, and then how many
    groups more the table has.

    Args:
        results: what functions of the analysis return; groups keep the columns they are told
            apart by, in front.

    Raises:
        InputError: there is no result, or one is none of ours, or one that has no sentences.
        SchemaError: a result lacks a column, or has a null or what is no number where it may not.

    >>> from optimove_analysis.schema import FUNNEL
    >>> summary(FUNNEL.empty())
    - No messages were sent in this range, or none whose window has closed.
    """
    if not results:
        message = f"summary() was given no result. {_can_tell()}"
        raise InputError(message)
    told = [_BREAKS.sub(" ", text) for result in results for text in _sentences(result)]
    sentences = dict.fromkeys(told)  # what two results have in common is said once
    items = "".join(f"<li>{escape(text)}</li>" for text in sentences)
    return Shown(
        "\n".join(f"- {text.replace(words.NBSP, ' ')}" for text in sentences),
        f'<ul class="summary">{items}</ul>',
    )


def _can_tell() -> str:
    return f"It tells of what these return: {', '.join(sorted(map(_maker, _TELL)))}."


def _maker(name: str) -> str:
    return name.replace(" ", "_")


def _sentences(result: pl.DataFrame) -> list[str]:
    if not isinstance(result, pl.DataFrame):
        lazy = "; collect() it first" if isinstance(result, pl.LazyFrame) else ""
        message = f"summary() takes polars DataFrames, this is a {type(result).__name__}{lazy}."
        raise InputError(message)
    main = recognised(result)
    if main is None:
        has = ", ".join(map(repr, result.columns)) or "none"
        message = f"a frame with the columns {has} is no result. {_can_tell()}"
        raise InputError(message)
    if main.table.name not in _TELL:
        message = f"there are no sentences on {_maker(main.table.name)} yet. {_can_tell()}"
        raise InputError(message)
    frame = main.table.check(result)
    _refuse_holes(frame, main.table)
    if "customer_id" in frame.columns and "customer_id" not in main.table.names:
        customers = frame["customer_id"].n_unique()
        if customers > 1:
            return [f"The table tells of {words.plural(customers, 'customer')} one by one."]
        frame = frame.drop("customer_id")
    return _once(_TELL[main.table.name](frame))


def _refuse_holes(frame: pl.DataFrame, table: Table) -> None:
    never = [column.name for column in table.columns if not (column.nulls or column.optional)]
    if table is AUDIT:
        never.remove("total")  # a group of control members only has no channels to count
    numbers = [column.name for column in table.columns if column.dtype.is_float()]
    for what, holes in (
        ("null", frame.select(pl.col(never).is_null().any())),
        ("no finite number", frame.select((~pl.col(numbers).is_finite()).any())),
    ):
        if names := [name for name in holes.columns if holes[name].any()]:
            message = (
                f"in some row of this frame of {table.name} {words.listed(names)} is {what}: "
                "leave such rows out, or make the table anew."
            )
            raise SchemaError(message)


def _once(sentences: Sequence[str]) -> list[str]:
    """Say the first time only that a range in brackets is a 95 % interval."""
    told: list[str] = []
    said = False
    for text in sentences:
        start, mark, rest = text.partition(INTERVAL)
        told.append(
            text.replace(INTERVAL, "") if said else start + mark + rest.replace(INTERVAL, "")
        )
        said = said or bool(mark)
    return told
