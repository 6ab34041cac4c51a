"""From a result's table to the groups that a chart draws: checked, labelled, not too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import TABLES, Table

__all__ = [
    "ALL_CHANNELS",
    "MAX_PANELS",
    "MAX_ROWS",
    "Group",
    "checked",
    "groups",
    "label_of",
    "refuse_too_many",
]

MAX_PANELS: Final = 24
"""More panels than this are no picture any more."""
MAX_ROWS: Final = 4_000
"""Below Altair's own limit of 5,000 rows, and far above what an eye can tell apart."""
ALL_CHANNELS: Final = "All channels"


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one group of a result, under a label that no other group of it has."""

    label: str
    rows: pl.DataFrame


def checked(
    frame: object, table: Table, maker: str, *, may_lack: Collection[str] = ()
) -> pl.DataFrame:
    """Return the frame as a frame of the table, or say which function makes one.

    ``may_lack`` names columns that may be null here, though no result of the maker's is.

    Raises:
        SchemaError: it is no eager polars frame, or lacks a column, or one has another type, or
            holds a null where the table has none, or what is no number.
    """
    hint = f"a {table.name} chart draws what {maker}(interactions, ...) returns"
    if isinstance(frame, pl.LazyFrame):
        raise SchemaError(f"{hint}; this one is lazy: collect() it first.")
    if not isinstance(frame, pl.DataFrame):
        raise SchemaError(f"{hint}, a polars DataFrame; this is a {type(frame).__name__}.")
    try:
        frame = table.check(frame)
    except SchemaError as error:
        raise SchemaError(f"{hint}: {error}") from error
    _refuse_holes(frame, table, hint, may_lack)
    return frame


def _refuse_holes(frame: pl.DataFrame, table: Table, hint: str, may_lack: Collection[str]) -> None:
    """Refuse a null where the table has none, and what is no number: neither has a place."""
    never = [
        column.name
        for column in table.columns
        if not (column.nulls or column.optional or column.name in may_lack)
    ]
    floats = [column.name for column in table.columns if column.dtype.is_float()]
    odd = {
        "null": frame.select(pl.col(never).is_null().any()),
        "NaN or infinite": frame.select((~pl.col(floats).is_finite()).any()),
    }
    for what, found in odd.items():
        names = [name for name in found.columns if found[name].any()]
        if names:
            message = (
                f"{hint}; in some row of this one {', '.join(map(repr, names))} "
                f"{'is' if len(names) == 1 else 'are'} {what}, which says nothing: leave such rows "
                "out, or make the table anew."
            )
            raise SchemaError(message)


def label_of(name: str) -> str:
    """Return what a reader calls a column, whichever table knows it.

    >>> label_of("campaign_id"), label_of("my_segment")
    ('Campaign', 'My segment')
    """
    for table in TABLES:
        if name in table.names:
            return table.label(name)
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def groups(frame: pl.DataFrame, table: Table, unique: Sequence[str], *, split: bool) -> list[Group]:
    """Split a result into its groups, in the order of its rows.

    The group's columns are those that stand before the table's own. ``split`` makes each channel a
    group of its own; ``unique`` names what may stand once in a group.

    Raises:
        SchemaError: a group has two rows where it may have one: its group columns are gone.
    """
    own = [place for place, name in enumerate(frame.columns) if name in table.names]
    by = frame.columns[: own[0]]
    keys = [*by, "channel"] if split else by
    parts = frame.partition_by(keys, maintain_order=True) if keys else [frame]
    for part in parts:
        twice = part.filter(part.select(unique).is_duplicated())
        if twice.height:
            seen = ", ".join(f"{name} {twice[name][0]}" for name in unique)
            message = (
                f"a group of this {table.name} has {twice.height} rows where it may have one "
                f"({seen}); its groups are told apart by the columns before "
                f"{frame.columns[own[0]]!r}: {by or 'none'}. Keep the group columns in front, or "
                "filter to one group."
            )
            raise SchemaError(message)
    labels = [_label(part, by, split=split) for part in parts]
    doubled = {label for label, times in Counter(labels).items() if times > 1}
    labels = [  # two channels of one name stay two groups
        f"{label} ({_ids(part, by) or place})" if label in doubled else label
        for place, (label, part) in enumerate(zip(labels, parts, strict=True), start=1)
    ]
    return [Group(label, part) for label, part in zip(labels, parts, strict=True)]


def _label(part: pl.DataFrame, by: Sequence[str], *, split: bool) -> str:
    channel = part["channel"][0] if split and part.height else None
    # A total over channels needs no name beside a customer's or a campaign's.
    words = [channel or ALL_CHANNELS] if split and (channel or not by) else []
    words += [_key(name, part[name][0]) for name in by if name != "channel_id" or not split]
    return " \N{MIDDLE DOT} ".join(words)


def _key(name: str, value: Any) -> str:  # noqa: ANN401 - a user may group by anything
    return f"{label_of(name)} {'(none)' if value is None else value}"


def _ids(part: pl.DataFrame, by: Sequence[str]) -> str:
    return ", ".join(str(part[name][0]) for name in by)


def refuse_too_many(number: int, most: int, what: str) -> None:
    """Refuse to draw what no eye could read.

    Raises:
        InputError: there are more than ``most``.
    """
    if number > most:
        message = (
            f"{number:,} {what} are too many for one chart, which draws at most {most:,}: filter "
            "the table first, for example table.filter(pl.col('channel') == 'E-mail'), group by "
            "fewer columns, or take a longer period (every='1mo')."
        )
        raise InputError(message)
