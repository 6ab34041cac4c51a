"""What a column and a table are, and how a frame is held against one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from optimove_analysis.errors import SchemaError, suggest

__all__ = ["Column", "Frame", "Table"]

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
"""What analysis takes it gives back: eager in, eager out; lazy in, lazy out."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, type and what a reader must know of it."""

    name: str
    dtype: pl.DataType
    label: str
    """What an axis, a header or a form calls it."""
    what: str
    """One sentence for the data dictionary, with the unit where there is one."""
    nulls: str = ""
    """What a null means; empty where there is none."""
    api: str = ""
    """The API's field, where the column comes from one."""
    optional: bool = False
    """A frame without it is still this table; analysis then says what it had to assume."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its grain and its columns, in order."""

    name: str
    grain: str
    """What one row is, and the order of rows."""
    columns: tuple[Column, ...]

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        message = f"the {self.name} table has no column {name!r}; {suggest(name, self.names)}"
        raise SchemaError(message)

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    @property
    def schema(self) -> pl.Schema:
        """Names and types, in order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def label(self, name: str) -> str:
        """Return what an axis or a header calls the column.

        >>> from optimove_analysis.schema import FUNNEL
        >>> FUNNEL.label("overall_rate")
        'Of sent'
        """
        return self[name].label

    def empty(self) -> pl.DataFrame:
        """Return the table without a row, typed.

        >>> from optimove_analysis.schema import INTERACTIONS
        >>> INTERACTIONS.empty().shape
        (0, 14)
        """
        return pl.DataFrame(schema=self.schema)

    def check(self, frame: Frame) -> Frame:
        """Return the frame with every column of this table, or say what is wrong with it.

        Optional columns that are absent are added as nulls; columns that the table does not know
        (a segment that the user joined on, say) are kept.

        Raises:
            SchemaError: a column is missing or has another type, or this is no polars frame.
        """
        if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
            message = (
                f"{self.name} must be a polars frame, this is {type(frame).__name__}; "
                "pl.DataFrame() and pl.from_pandas() make one."
            )
            raise SchemaError(message)
        seen = frame.collect_schema()
        absent: list[pl.Expr] = []
        for column in self.columns:
            if column.name in seen:
                if seen[column.name] != column.dtype:
                    message = (
                        f"column {column.name!r} of a frame of {self.name} must be "
                        f"{column.dtype}, this one is {seen[column.name]}: cast it first."
                    )
                    raise SchemaError(message)
            elif column.optional:
                absent.append(pl.lit(None, dtype=column.dtype).alias(column.name))
            else:
                has = ", ".join(map(repr, seen)) or "no columns at all"
                message = (
                    f"a frame of {self.name} needs the column {column.name!r} ({column.what}); "
                    f"this one has {has}."
                )
                raise SchemaError(message)
        return frame.with_columns(absent) if absent else frame
