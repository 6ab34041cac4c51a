"""What a message's rows are found by: its six ids, in columns that can be grouped and joined.

A null id is a value, but a join on any engine takes it for unlike itself. So ids are grouped and
joined in other columns, which are never null and from which the ids can be had back, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, Protocol, Self, cast

import narwhals as nw
import polars as pl

from optimove_analysis.schema import MESSAGE_KEY

__all__ = ["Key", "PackedKey", "PlainKey"]

_CUSTOMER: Final = MESSAGE_KEY[0]
_NUMBERS: Final = MESSAGE_KEY[1:]
_CODES: Final = 2**32
"""How many customers there can be: polars' codes of categories are of 32 bits."""
_MOST: Final = 2**63 - 1


class Key(Protocol):
    """The six ids in columns that are never null."""

    @property
    def columns(self) -> Sequence[str]:
        """What to group and join by."""
        ...

    def write(self, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Add the columns to rows that have the ids."""
        ...

    def read(self, frame: nw.LazyFrame[Any], names: Sequence[str]) -> nw.LazyFrame[Any]:
        """Add the ids of these names to a frame that has the columns."""
        ...

    def head(self, names: Sequence[str], room: int) -> nw.Expr | None:
        """Return one whole number that stands for the customer and these ids, if there is one."""
        ...


class PlainKey:
    """Each id in a column of its own, and one more that says which of them are null."""

    columns = (*(f"_key_{name}" for name in MESSAGE_KEY), "_key_nulls")

    def write(self, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Add the columns to rows that have the ids."""
        nulls = nw.lit(0)
        for bit, name in enumerate(MESSAGE_KEY):
            nulls = nulls + nw.when(nw.col(name).is_null()).then(nw.lit(2**bit)).otherwise(
                nw.lit(0)
            )
        filled = {
            f"_key_{name}": nw.col(name).fill_null("" if name == _CUSTOMER else 0)
            for name in MESSAGE_KEY
        }
        return rows.with_columns(**filled, _key_nulls=nulls)

    def read(self, frame: nw.LazyFrame[Any], names: Sequence[str]) -> nw.LazyFrame[Any]:
        """Add the ids of these names to a frame that has the columns."""
        nulls = nw.col("_key_nulls")
        return frame.with_columns(
            nw.when(nulls // 2**bit % 2 == 0).then(nw.col(f"_key_{name}")).alias(name)
            for bit, name in enumerate(MESSAGE_KEY)
            if name in names
        )

    def head(self, names: Sequence[str], room: int) -> nw.Expr | None:  # noqa: ARG002 - as of all keys
        """Return None: there is no such number."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class PackedKey:
    """The ids as the digits of one whole number, or of a few: what polars groups fastest by.

    Each id is a digit of a base as large as its range, so nothing can collide. A customer's digit
    is its code among categories of this key's own, and is read back as a categorical.
    """

    ranges: Mapping[str, tuple[int, int]]
    """Smallest and largest of each id but the customer's, in the order of the digits."""
    categories: pl.Categories = field(default_factory=pl.Categories.random)
    _codes: pl.Series = field(init=False)

    def __post_init__(self) -> None:
        # Categories forget their codes when no column has them any more; this one has.
        codes = pl.Series(dtype=pl.Categorical(self.categories))
        object.__setattr__(self, "_codes", codes)

    @classmethod
    def of(cls, rows: pl.LazyFrame, *, leading: Sequence[str] = ()) -> Self | None:
        """Look at the ids' ranges; None where one is too wide to be a digit.

        ``leading`` ids come first after the customer, so that a `head` can stand for them.
        """
        names = sorted(_NUMBERS, key=lambda name: name not in leading)
        ids = [pl.col(name) for name in names]
        lows = (one.min().fill_null(0).name.prefix("lo_") for one in ids)
        highs = (one.max().fill_null(0).name.prefix("hi_") for one in ids)
        ends = rows.select(*lows, *highs).collect(engine="streaming").row(0)
        ranges = zip(ends[: len(ids)], ends[len(ids) :], strict=True)
        key = cls(dict(zip(names, ranges, strict=True)))
        return key if max(size for _, size in key._digits()) <= _MOST else None

    @property
    def columns(self) -> Sequence[str]:
        """What to group and join by."""
        return [f"_key_{number}" for number in range(len(self._columns()))]

    def write(self, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Add the columns to rows that have the ids."""
        code = pl.col(_CUSTOMER).cast(pl.Categorical(self.categories)).to_physical()
        digits = {_CUSTOMER: (code.cast(pl.Int64) + 1).fill_null(0)}
        for name, (lo, _) in self.ranges.items():
            digits[name] = (pl.col(name) - (lo - 1)).fill_null(0)
        packed: list[pl.Expr] = []
        for column in self._columns():
            number = pl.lit(0, pl.Int64)
            for name, size in column:
                number = number * size + digits[name]
            packed.append(number.alias(f"_key_{len(packed)}"))
        native: pl.LazyFrame = rows.to_native()
        return nw.from_native(native.with_columns(packed))

    def read(self, frame: nw.LazyFrame[Any], names: Sequence[str]) -> nw.LazyFrame[Any]:
        """Add the ids of these names to a frame that has the columns."""
        native: pl.LazyFrame = frame.to_native()
        for number, column in enumerate(self._columns()):
            native = self._read(native, f"_key_{number}", column, names)
        return nw.from_native(native)

    def head(self, names: Sequence[str], room: int) -> nw.Expr | None:
        """Return one whole number that stands for the customer and these ids.

        It leaves ``room`` for a further digit of that size; None where no number does.
        """
        of_head, rest = self._head(names)
        if {name for name, _ in of_head} != {_CUSTOMER, *names}:
            return None
        fits = prod(size for _, size in of_head) <= _MOST // room
        return nw.col("_key_0") // prod(size for _, size in rest) if fits else None

    def read_head(
        self, frame: nw.LazyFrame[Any], column: str, names: Sequence[str]
    ) -> nw.LazyFrame[Any]:
        """Add the customer and the ids of these names to a frame that has their `head`."""
        of_head, _ = self._head(names)
        found = self._read(frame.to_native(), column, of_head, [_CUSTOMER, *names])
        return nw.from_native(found)

    def _head(
        self, names: Sequence[str]
    ) -> tuple[Sequence[tuple[str, int]], Sequence[tuple[str, int]]]:
        first = self._columns()[0]
        return first[: 1 + len(names)], first[1 + len(names) :]

    def _read(
        self,
        frame: pl.LazyFrame,
        column: str,
        digits: Sequence[tuple[str, int]],
        names: Sequence[str],
    ) -> pl.LazyFrame:
        """Add the ids of these names that are digits of the column."""
        ids: list[pl.Expr] = []
        base = 1
        for name, size in reversed(digits):
            digit = pl.col(column) // base % size
            base *= size
            if name == _CUSTOMER:
                code = (digit - 1).cast(pl.UInt32)
                value = pl.when(digit > 0).then(code).cat.to(pl.Categorical(self.categories))
            else:
                value = pl.when(digit > 0).then(digit + (self.ranges[name][0] - 1))
            if name in names:
                ids.append(value.alias(name))
        return frame.with_columns(ids)

    def parts(self, frame: pl.DataFrame, n: int) -> Iterator[pl.LazyFrame]:
        """Part a frame that has the columns by customers, into ``n`` parts of about alike size."""
        first = pl.col("_key_0")
        if n == 1 or frame.is_empty():
            yield frame.lazy()
            return
        base = prod(size for _, size in self._columns()[0][1:])
        # Codes are given in the order in which customers come, so even shares of codes will do.
        most = cast("int", frame.select(first.max()).item()) // base + 1
        for part in range(n):
            lo, hi = (most * end // n * base for end in (part, part + 1))
            yield frame.lazy().filter(first.is_between(lo, hi, closed="left"))

    def _digits(self) -> list[tuple[str, int]]:
        # One more than the range, for null.
        return [
            (_CUSTOMER, _CODES),
            *((name, hi - lo + 2) for name, (lo, hi) in self.ranges.items()),
        ]

    def _columns(self) -> list[list[tuple[str, int]]]:
        """Share the ids out over as few whole numbers as hold them."""
        columns: list[list[tuple[str, int]]] = []
        room = 0
        for name, size in self._digits():
            if size > room:
                columns.append([])
                room = _MOST
            columns[-1].append((name, size))
            room //= size
        return columns
