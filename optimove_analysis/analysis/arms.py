"""The two arms of a comparison: what tells them apart, and what each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import polars as pl

from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.rate_counts import RATIOS, can_have
from optimove_analysis.analysis.rules import Rules
from optimove_analysis.errors import InputError
from optimove_analysis.schema import CONTROL_ACTION_ID, RATES, RateName

__all__ = ["Arms", "in_both"]

_ARM: Final = "arm of the comparison"
"""What the arms' column is called as a group; no column of anybody's is."""

_NAMED: Final = 5
"""So many values are named where there are too many."""


@dataclass(frozen=True, slots=True)
class Arms:
    """What tells two arms apart, and its values for each; None for both: the two that occur."""

    expression: pl.Expr
    baseline: object
    against: object

    @classmethod
    def of(cls, between: object, baseline: object, against: object) -> Self:
        """Read what the user gave, and refuse what cannot be two arms whatever the data is."""
        if not isinstance(between, str | pl.Expr):
            message = f"between={between!r} must be a column's name or a polars expression."
            raise InputError(message)
        expression = pl.col(between) if isinstance(between, str) else between
        if expression.meta.has_multiple_outputs():
            message = f"between={between} may stand for many columns; it must be one."
            raise InputError(message)
        if (baseline is None) != (against is None):
            message = (
                f"baseline={baseline!r} and against={against!r}: give both, or neither where "
                "between= has two values. A null is no arm; .fill_null() it."
            )
            raise InputError(message)
        arms = cls(expression, baseline, against)
        if CONTROL_ACTION_ID in {*arms._given()} and arms.is_action:
            message = (
                f"between='action_id' with {CONTROL_ACTION_ID}: that action marks members of a "
                "control group. Nothing is sent to them, so interactions hold no rows of theirs, "
                "and a lift against control needs a table of outcomes of both groups. Compare two "
                "actions that were sent."
            )
            raise InputError(message)
        return arms

    @property
    def name(self) -> str:
        """What the arms' column is called by the user."""
        return self.expression.meta.output_name()

    @property
    def as_group(self) -> pl.Expr:
        """Return what arms are grouped by, apart from the groups of the user's."""
        # A channel keeps its name: which stages an arm has is then known before any message.
        return self.expression if self.is_channel else self.expression.alias(_ARM)

    @property
    def is_channel(self) -> bool:
        """Whether it is the channel that tells the arms apart."""
        return self.expression.meta.eq(pl.col("channel_id"))

    @property
    def is_action(self) -> bool:
        """Whether it is the action that tells the arms apart."""
        return self.expression.meta.eq(pl.col("action_id"))

    def _given(self) -> list[Any]:
        return [] if self.baseline is None else [self.baseline, self.against]

    def check(self, dtype: pl.DataType) -> None:
        """Say what is wrong with the values for a column of that type."""
        # A duration cannot be written as text, as the result has the arms' values.
        if dtype.is_nested() or dtype.base_type() in {pl.Object, pl.Duration}:
            message = f"between={self.name!r} is {dtype}, which has no plain values to choose."
            raise InputError(message)
        values = [_value(one, dtype, self.name) for one in self._given()]
        if values and values[0].equals(values[1]):
            message = f"baseline and against are both {self.baseline!r}: one arm is no comparison."
            raise InputError(message)

    def values(self, counts: pl.DataFrame, key: str) -> pl.Series:
        """Return the baseline's value and the other's, as the column has them.

        ``counts`` are those of `rate_counts.count_rates`.
        """
        dtype = counts.schema[key]
        if given := self._given():
            return pl.concat([_value(one, dtype, self.name) for one in given])
        found = counts.filter(pl.col("counted") > 0)[key].drop_nulls().unique().sort()
        if len(found) == 2:  # noqa: PLR2004 - two arms
            return found
        listed = ", ".join(map(repr, found.head(_NAMED))) + (", ..." if len(found) > _NAMED else "")
        message = (
            f"between={self.name!r} has {len(found)} values among the messages that count"
            f"{': ' * bool(listed)}{listed}. Without baseline= and against= it must have two."
        )
        raise InputError(message)


def _value(value: object, dtype: pl.DataType, name: str) -> pl.Series:
    """Return the value as the column has it; a value of another kind would never be found."""
    try:
        series = pl.Series([value], dtype=dtype, strict=True)
        # A 3 is no day, and True is no 1, though polars takes them so.
        same = series.item() == value and isinstance(value, bool) == (dtype == pl.Boolean())
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        same = False
    if not same:
        message = f"between={name!r} is {dtype}: {value!r} is no value that it can have."
        raise InputError(message)
    return series


def in_both(
    counts: pl.LazyFrame, rules: Rules, group: Grouping, only: Sequence[RateName]
) -> pl.LazyFrame:
    """Count the customers who have messages in n of both arms, by group and rate.

    ``counts`` are those of `rate_counts.count_rates`, with True or False for the group's last key.
    """
    *keys, arm = group.keys
    places = {name: place for place, name in enumerate(RATIOS) if name in only}
    n_of = {
        name: pl.when(can_have(RATIOS[name].needs, rules)).then(f"n_{place}").otherwise(0)
        for name, place in places.items()
    }
    both = [
        (((n > 0) & pl.col(arm)).any() & ((n > 0) & ~pl.col(arm)).any()).alias(name)
        for name, n in n_of.items()
    ]
    by_customer = counts.group_by(*keys, "customer_id").agg(both)
    sums = pl.col(*places).sum().cast(pl.Int64)
    total = by_customer.group_by(keys).agg(sums) if keys else by_customer.select(sums)
    return total.unpivot(
        list(places), index=keys, variable_name="rate", value_name="customers_in_both"
    ).with_columns(pl.col("rate").cast(RATES["rate"].dtype))
