"""What is odd about rows and messages, counted: the sums that an audit is made of."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import polars as pl

from optimove_analysis.analysis.channels import channel_name, has_stage, is_unknown_kind
from optimove_analysis.analysis.grouping import Grouping
from optimove_analysis.analysis.messages import messages
from optimove_analysis.catalogue import Catalogue, guess_kind
from optimove_analysis.schema import CONTROL_ACTION_ID, MESSAGE_KEY, STAGES, Meaning

__all__ = ["oddities"]

_FEW: Final = 5
"""So many examples are given, but of ids that the catalogue lacks."""

_NAMES: Final = ("event_name", "channel_name")

# In the order in which they are tried: "undelivered" is no delivery, "unsubscribe click" no click.
_EVENT_WORDS: Final[tuple[tuple[tuple[str, ...], Meaning], ...]] = (
    (("unsub", "opt out", "opt-out", "optout"), "unsubscribed"),
    (("spam", "complain", "junk"), "spam_complaint"),
    (("bounce", "undeliver", "not deliver", "fail", "reject"), "bounced"),
    (("click",), "clicked"),
    (("open",), "opened"),
    (("deliver",), "delivered"),
    (("sent", "send"), "sent"),
)


def oddities(
    rows: pl.LazyFrame,
    group: Grouping,
    catalogue: Catalogue,
    span: tuple[dt.date | None, dt.date | None],
    given: AbstractSet[str],
) -> pl.LazyFrame:
    """Count what is odd: one row a group; with no group, one row whatever the input.

    The columns: the group's keys; ``rows``, ``messages`` and ``channels``; ``event_names`` and
    ``channel_names``, rows that have one; ``n_<check>``, how many were found; ``ex_<check>``,
    examples in words, where a check has any.

    Args:
        rows: Interactions, with the group's keys.
        group: What to count by.
        catalogue: What the account's ids mean.
        span: The first and the last day that were asked for.
        given: The columns that the user's frame has, optional ones included.
    """
    cells = _cells(rows, group, span, given).with_columns(_flags(catalogue))
    found = messages(rows, catalogue=catalogue, keep=group.keys)
    parts = [
        group.aggregate(cells, *_of_cells(catalogue)),
        group.aggregate(_channels(cells, group, catalogue), *_of_channels()),
        group.aggregate(found, *_of_messages()),
        group.aggregate(_repeats(rows, group), *_of_repeats()),
        group.aggregate(_fields(rows, group), _listed("field", pl.lit(True), "extra", None)),
    ]
    if not group.keys:
        return pl.concat(parts, how="horizontal")
    beside = parts[0]
    for part in parts[1:]:
        beside = beside.join(part, on=group.keys, how="left", nulls_equal=True)
    # A message is put with one of its groups: another one may have rows and no message.
    return beside.with_columns(pl.col("^n_.*$").fill_null(0), pl.col("messages").fill_null(0))


def _cells(
    rows: pl.LazyFrame,
    group: Grouping,
    span: tuple[dt.date | None, dt.date | None],
    given: AbstractSet[str],
) -> pl.LazyFrame:
    """Count rows by group, channel, event and their names, in one pass: few rows are left."""
    day, through = pl.col("date"), pl.col("data_through")
    start, end = span
    flags = {
        **{f"null_{name}": pl.col(name).is_null() for name in (*MESSAGE_KEY, "event_id")},
        "undated": day.is_null(),
        "before_range": pl.lit(False) if start is None else day < start,
        "after_range": pl.lit(False) if end is None else day > end,
        "no_data_through": through.is_null(),
        "after_data_through": day > through,
        "control": pl.col("action_id") == CONTROL_ACTION_ID,
        "extra": pl.col("extra").is_not_null(),
    }
    # Grouping by names that nobody gave would cost as much again.
    names = [name for name in _NAMES if name in given]
    return (
        rows.group_by(*group.keys, "channel_id", "event_id", *names)
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            *(_count(flag).alias(f"n_{name}") for name, flag in flags.items()),
            day.min().alias("first_day"),
            day.max().alias("last_day"),
        )
        .with_columns(pl.lit(None, pl.String).alias(name) for name in _NAMES if name not in given)
    )


def _flags(catalogue: Catalogue) -> list[pl.Expr]:
    """Say what holds of all rows of a cell, by the catalogue."""
    channel = pl.col("channel_id")
    known = {*catalogue.channels, *catalogue.kinds}
    in_catalogue = channel.is_in(list(known))
    meaning = _mapped("event_id", catalogue.events)
    kind = _mapped("channel_id", {i: catalogue.kind(i) for i in known})
    called = _each("channel_name", guess_kind)
    # "Email" for "E-mail", or another name of a channel of the same kind, contradicts nothing.
    other_name = _plain(pl.col("channel_name")) != _plain(channel_name(catalogue))
    other_kind = pl.when((kind != "unknown") & (called != "unknown")).then(kind != called)
    flags = {
        "unknown_event": meaning.is_null() & pl.col("event_id").is_not_null(),
        "unknown_channel": ~in_catalogue,
        "unknown_kind": in_catalogue & is_unknown_kind(catalogue),
        "off_stage": pl.any_horizontal(
            (meaning == stage) & ~has_stage(catalogue, stage) for stage in STAGES
        ),
        "event_name": meaning != _each("event_name", _meaning_of),
        "channel_name": in_catalogue & other_name & other_kind.otherwise(pl.lit(True)),
    }
    return [flag.fill_null(False).alias(f"is_{name}") for name, flag in flags.items()]


def _of_cells(catalogue: Catalogue) -> list[pl.Expr]:
    channel = channel_name(catalogue)
    event = pl.coalesce(
        _mapped("event_id", {i: catalogue.event(i) for i in catalogue.events}),
        pl.format("event {} (unknown)", "event_id"),
    )
    by_api = pl.format("{}, by the API {}", event, "event_name")
    labels = {
        "unknown_event": pl.coalesce(by_api, event),
        "unknown_channel": channel,
        "unknown_kind": channel,
        "off_stage": pl.format("{} on {}", event, channel),
        "event_name": pl.format("event {}: {}, by the API {}", "event_id", event, "event_name"),
        "channel_name": pl.format("{}, by the API {}", channel, "channel_name"),
    }
    sums = [pl.col("rows").sum()]
    sums += [pl.col("rows").filter(pl.col(n).is_not_null()).sum().alias(f"{n}s") for n in _NAMES]
    for name, label in labels.items():
        flag = pl.col(f"is_{name}")
        sums.append(pl.col("rows").filter(flag).sum().alias(f"n_{name}"))
        sums.append(_listed(label, flag, name, None if name.startswith("unknown_") else _FEW))
    counted = [f"null_{name}" for name in (*MESSAGE_KEY, "event_id")]
    counted += ["undated", "before_range", "after_range", "no_data_through", "after_data_through"]
    sums += [pl.col(f"n_{name}").sum() for name in (*counted, "control", "extra")]
    for name, day in (("before_range", pl.col("first_day")), ("after_range", pl.col("last_day"))):
        found = day.filter(pl.col(f"n_{name}") > 0)
        end = found.min() if name == "before_range" else found.max()
        sums.append(end.cast(pl.String).implode().list.drop_nulls().alias(f"ex_{name}"))
    return sums


def _channels(cells: pl.LazyFrame, group: Grouping, catalogue: Catalogue) -> pl.LazyFrame:
    """Return one row a group and channel over which not only control members have rows."""
    sends = pl.col("event_id").is_in(catalogue.ids("sent")) & pl.col("first_day").is_not_null()
    return (
        cells.group_by(*group.keys, "channel_id")
        .agg(sends.fill_null(False).any().alias("has_send"), pl.col("rows", "n_control").sum())
        .filter(pl.col("rows") > pl.col("n_control"))
        .with_columns(channel=channel_name(catalogue))
    )


def _of_channels() -> list[pl.Expr]:
    without = ~pl.col("has_send")
    return [
        pl.len().cast(pl.Int64).alias("channels"),
        _count(without).alias("n_channel_without_sends"),
        _listed("channel", without, "channel_without_sends", None),
    ]


def _of_messages() -> list[pl.Expr]:
    control = (pl.col("action_id") == CONTROL_ACTION_ID).fill_null(False)
    conflict = pl.col("bounced_on").is_not_null() & pl.any_horizontal(
        pl.col("delivered_on", "opened_on").is_not_null()
    )
    found = {
        # Control members receive nothing: that no send was reported is as it should be.
        "no_send": ~pl.col("send_observed") & ~control,
        "bounced_and_delivered": conflict & ~control,
        "orphan": pl.col("n_orphans") > 0,
        "double_send": pl.col("n_collapsed") > 0,
        "control": control,
    }
    return [
        pl.len().cast(pl.Int64).alias("messages"),
        _count(found["no_send"]).alias("n_no_send"),
        _count(found["bounced_and_delivered"]).alias("n_bounced_and_delivered"),
        pl.col("n_orphans").sum().alias("n_orphan"),
        pl.col("n_collapsed").sum().alias("n_double_send"),
        *(_campaigns(flag, name) for name, flag in found.items()),
    ]


def _repeats(rows: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    """Return one row a distinct row: what was fetched when is no difference."""
    same = [*group.keys, *MESSAGE_KEY, "date", "event_id", "event_time"]
    return rows.group_by(same).agg((pl.len().cast(pl.Int64) - 1).alias("repeats"))


def _of_repeats() -> list[pl.Expr]:
    some = pl.col("repeats") > 0
    return [pl.col("repeats").sum().alias("n_duplicate"), _campaigns(some, "duplicate")]


def _fields(rows: pl.LazyFrame, group: Grouping) -> pl.LazyFrame:
    """Return one row a group and field that this package does not know."""
    distinct = rows.filter(pl.col("extra").is_not_null()).select(*group.keys, "extra").unique()
    named = pl.col("extra").map_elements(_keys, return_dtype=pl.List(pl.String))
    return distinct.select(*group.keys, field=named).explode("field").unique()


def _keys(extra: str) -> list[str]:
    try:
        content = json.loads(extra)
    except ValueError:
        return ["(not JSON)"]
    return list(content) if isinstance(content, dict) else ["(no JSON object)"]


def _count(flag: pl.Expr) -> pl.Expr:
    return flag.sum().cast(pl.Int64)


def _listed(label: pl.Expr | str, flag: pl.Expr, name: str, most: int | None) -> pl.Expr:
    words = pl.col(label) if isinstance(label, str) else label
    distinct = words.filter(flag).drop_nulls().unique().sort()
    return (distinct if most is None else distinct.head(most)).implode().alias(f"ex_{name}")


def _campaigns(flag: pl.Expr, name: str) -> pl.Expr:
    ids = pl.col("campaign_id").filter(flag).drop_nulls().unique().sort().head(_FEW)
    return pl.format("campaign {}", ids).implode().alias(f"ex_{name}")


def _plain(name: pl.Expr) -> pl.Expr:
    return name.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")


def _mapped(column: str, names: Any) -> pl.Expr:  # noqa: ANN401 - ids to any kind of text
    return pl.col(column).replace_strict(dict(names), default=None, return_dtype=pl.String)


def _each(column: str, find: Callable[[str], str | None]) -> pl.Expr:
    """Return what ``find`` says of each text; it is asked once a distinct text."""

    def found(texts: pl.Series) -> pl.Series:
        distinct: Sequence[str] = texts.drop_nulls().unique().to_list()
        answers = {text: find(text) for text in distinct}
        return texts.replace_strict(answers, default=None, return_dtype=pl.String)

    return pl.col(column).map_batches(found, return_dtype=pl.String, is_elementwise=True)


def _meaning_of(event_name: str) -> Meaning | None:
    """Guess from an event's name what it means; None: it tells nothing.

    >>> _meaning_of("Email Opened"), _meaning_of("Not delivered"), _meaning_of("Forwarded")
    ('opened', 'bounced', None)
    """
    name = event_name.casefold()
    for words, meaning in _EVENT_WORDS:
        if any(word in name for word in words):
            return meaning
    return None
