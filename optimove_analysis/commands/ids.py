"""Customer ids from a file, as text: what looks like a number keeps its leading zeros."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from optimove_analysis.client.inputs import as_ids
from optimove_analysis.errors import InputError, suggest
from optimove_analysis.id_lists import (
    Row,
    csv_rows,
    decoded,
    first_is_header,
    is_customer_id,
    is_shortened,
)

__all__ = ["ids_of", "read_ids"]

_TABLES: Final = {".xlsx", ".xls", ".ods", ".json"}


def ids_of(options: argparse.Namespace) -> list[str]:
    """Return the ids that the options of a command name; see `read_ids`."""
    header = False if options.no_header else None
    return read_ids(options.ids, column=options.id_column, header=header)


def read_ids(source: str, *, column: str | None = None, header: bool | None = None) -> list[str]:
    """Return the ids of a file, each once, in order.

    Args:
        source: a CSV file, lines of text, a Parquet file, or ``"-"`` for standard input.
        column: the name of the column that holds the ids; the first line is a header then.
        header: whether the first line is one; None: it is if it is named like one.

    Raises:
        InputError: the file cannot be read, is broken, has no such column, or it is not clear
            which column holds the ids, or whether the first line is one.
    """
    if Path(source).suffix.lower() == ".parquet":
        found = _parquet(source, column)
    else:
        found = pl.Series(_column(source, _text(source), column, header=header), dtype=pl.String)
    if found.is_empty():
        where = "standard input" if source == "-" else source
        raise InputError(f"{where} holds no customer id.")
    return as_ids(found)


def _parquet(source: str, column: str | None) -> pl.Series:
    try:
        frame = pl.scan_parquet(source)
        names = frame.collect_schema().names()
        return frame.select(names[_position(source, names, column)]).collect().to_series()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{source} cannot be read as Parquet: {_reason(error)}") from error


def _text(source: str) -> str:
    if Path(source).suffix.lower() in _TABLES:
        raise InputError(f"{source} is not read: save the ids as CSV, one a line.")
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"{source} cannot be read: {_reason(error)}") from error
    return decoded(raw, source)


def _column(source: str, text: str, column: str | None, *, header: bool | None) -> Iterator[str]:
    rows = csv_rows(text, source)
    if not rows:
        return
    names = rows[0][1]
    position = 0
    if column is not None or (header is not False and _is_header(source, rows)):
        position = _position(source, names, column)
        del rows[0]
    elif len(names) > 1:
        raise InputError(
            f"{source} has {len(names)} columns and no header that tells which holds the ids: give "
            "it one, or the ids alone."
        )
    for number, row in rows:
        if len(row) != len(names):
            raise InputError(
                f"{source}, line {number}: broken CSV: the first line has {len(names)} "
                f"values, this one {len(row)}."
            )
        if not row[position]:
            raise InputError(f"{source}, line {number}: there is no customer id.")
        if is_shortened(row[position]):
            raise InputError(
                f"{source}, line {number}: {row[position]} is a number that a spreadsheet has "
                "shortened, and no id any more: make that column text, and save it again."
            )
        yield row[position]


def _is_header(source: str, rows: list[Row]) -> bool:
    """Tell whether the first row names columns; where that is not clear, ask."""
    found = first_is_header(rows)
    if found is None:
        name = rows[0][1][0]
        raise InputError(
            f"{source}: is its first line, {name!r}, a name or an id? "
            f"--id-column {name!r} says the one, --no-header the other."
        )
    return found


def _position(source: str, names: list[str], column: str | None) -> int:
    if column is not None:
        if column not in names:
            raise InputError(f"{source} has no column {column!r}; {suggest(column, names)}")
        return names.index(column)
    ours = [position for position, name in enumerate(names) if is_customer_id(name)]
    if len(names) > 1 and len(ours) != 1:
        raise InputError(
            f"{source} has {len(names)} columns ({', '.join(map(repr, names))}): name the one "
            "that holds the ids with --id-column."
        )
    return ours[0] if ours else 0


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0]
