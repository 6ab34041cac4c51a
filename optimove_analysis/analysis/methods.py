"""One paragraph on how numbers were made, for who reads a report and wants to know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from optimove_analysis.analysis.judging import judged
from optimove_analysis.analysis.rules import Implied, Opens, Rules
from optimove_analysis.catalogue import Catalogue
from optimove_analysis.errors import InputError
from optimove_analysis.schema import INTERACTIONS, Frame

__all__ = ["methods", "methods_of_tables"]

_NOTHING: Final = "There was nothing to count."
_INTERVALS: Final = {
    "wilson": "Wilson's score interval, {units} taken as independent",
    "wilson-cluster": "Wilson's score interval, widened since the {units} of one customer "
    "are not independent",
    "log-linear": "a log-linear interval, {units} taken as independent",
    "log-linear-cluster": "a log-linear interval with the customer as the cluster",
}
_UNITS: Final = {"customer_day": "days"}
"""What is counted of one customer, where it is not called as the unit is."""
_IMPLIED: Final = {
    "lower": "A click implies that the message was opened and delivered, an open that it was "
    "delivered; such implied counts are shown apart.",
    "none": "Only what was reported is counted; no stage is implied by a later one.",
}
_WITHOUT_OPENS: Final = (
    "A click or an open implies that the message was delivered; such implied counts are shown "
    "apart."
)
_OPENS: Final = {
    "ignore": "Opens are ignored, since privacy proxies open mail by machine.",
    "trust": "Opens are taken as reported; privacy proxies open mail by machine, so they are an "
    "upper bound of what was read.",
}


def methods(
    interactions: Frame,
    *,
    window: int | None = 7,
    as_of: dt.date | None = None,
    implied: Implied = "lower",
    assume_sent: bool | None = None,
    opens: Opens = "trust",
    catalogue: Catalogue | None = None,
    source: str | None = None,
    fetched_at: dt.date | None = None,
) -> str:
    """Say in one paragraph how the rates of these interactions are made, with these options.

    It gives numbers of messages and customers and names none of them. It reads no clock: when the
    data was fetched is told, or is said not to be.

    Args:
        interactions: One row an event (`schema.INTERACTIONS`); a lazy frame is read.
        window: As given to `funnel` or `rates`, as are all that follow up to ``catalogue``.
        as_of: The day through which the data is complete.
        implied: ``"lower"`` or ``"none"``.
        assume_sent: Whether a message without a sent row counts as sent.
        opens: ``"trust"`` or ``"ignore"``.
        catalogue: What the account's ids mean; the paragraph gives its fingerprint.
        source: Where the interactions come from, in your words, which are printed as they are.
        fetched_at: When they were fetched: a day, or a time, best with its zone.

    Returns:
        Plain sentences, without a line break of ours.

    Raises:
        SchemaError: a column is missing or has another type.
        InputError: an option is not known.

    >>> ids = {"customer_id": "A", "campaign_id": 3, "recipient_group_id": 1, "action_id": 9,
    ...        "channel_id": 504, "template_id": 2, "data_through": dt.date(2025, 3, 31)}
    >>> frame = pl.DataFrame(
    ...     [{**ids, "date": dt.date(2025, 3, day), "event_id": event}
    ...      for day, event in [(3, 1), (5, 3), (28, 1)]],
    ...     schema_overrides={"date": pl.Date, "data_through": pl.Date},
    ... )
    >>> said = methods(frame, source="a sandbox, seed 7", fetched_at=dt.date(2025, 4, 1))
    >>> for sentence in said.split(". ")[:4]:
    ...     print(sentence)
    The interactions come from a sandbox, seed 7, and were fetched on 2025-04-01
    1 message to 1 customer counts
    The unit is the message; a stage counts where its event came from the day of the send to 7 days
    after it
    The data is complete through 2025-03-31; messages whose window had not closed by then are left
    out of every count and rate, 1 message of these
    """
    known = Catalogue() if catalogue is None else catalogue
    rules: Rules = Rules(window, as_of, implied, assume_sent, opens, known)
    if source is not None and not isinstance(source, str):
        message = f"source={source!r} must be text or None."
        raise InputError(message)
    if fetched_at is not None and not isinstance(fetched_at, dt.date):
        message = f"fetched_at={fetched_at!r} must be a datetime.datetime, a date or None."
        raise InputError(message)
    seen: _Seen = _Seen.of(INTERACTIONS.check(interactions).lazy(), rules)
    parts = [
        _source(source, fetched_at),
        _size(seen),
        _window(["message"], [window]),
        *_maturity_of(seen, rules),
        *_sends(seen),
        _implied(implied, opens),
        _OPENS[opens],
        _interval("a rate", ["wilson-cluster" if seen.customers > 1 else "wilson"]),
        _catalogue(known),
    ]
    return " ".join(parts)


def methods_of_tables(funnel: pl.DataFrame, mix: pl.DataFrame) -> str:
    """Say the same of a funnel and a channel mix, as far as the tables themselves tell it.

    >>> from optimove_analysis.schema import CHANNEL_MIX, FUNNEL
    >>> methods_of_tables(FUNNEL.empty(), CHANNEL_MIX.empty())
    'There was nothing to count.'
    """
    if funnel.is_empty() and mix.is_empty():
        return _NOTHING
    some = funnel if funnel.height else mix
    unit, windows, opens = (
        some[name].unique(maintain_order=True).to_list() for name in ("unit", "window", "opens")
    )
    ends: list[dt.date] = some["as_of"].drop_nulls().unique().to_list()
    parts = [_window(unit, windows)]
    parts += [_open_ended(sorted(ends))] if ends and windows == [None] else [_maturity(ends)]
    if funnel.height:
        ways = funnel.select("implied", "opens").drop_nulls().unique(maintain_order=True)
        parts += dict.fromkeys(_implied(*way) for way in ways.iter_rows())
    parts += [_OPENS[value] for value in opens if value is not None]
    for name, table in (("a rate", funnel), ("an index", mix)):
        used = table["method"].drop_nulls().unique(maintain_order=True)
        if len(used):
            parts.append(_interval(name, used, table["unit"].unique(maintain_order=True)))
    if mix.height:
        of = " / ".join(mix["of"].drop_nulls().unique(maintain_order=True))
        meant = "clicked, or opened where opens are trusted" if of == "engaged" else of
        parts.append(
            f"In the mix a message counts once at most as engaged ({meant}); the index of a "
            "channel is its share of engagements over its share of sends, 1 being par."
        )
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the paragraph must know of the messages."""

    counted: int
    customers: int
    immature: int
    unobserved: int
    assumed: int
    no_through: int
    through_first: dt.date | None
    through_last: dt.date | None

    @classmethod
    def of(cls, interactions: pl.LazyFrame, rules: Rules) -> _Seen:
        counted = pl.col("_counted")
        through = pl.col("_through").filter(counted | pl.col("_immature"))
        found = judged(interactions, rules).select(
            counted=counted.sum(),
            customers=pl.col("customer_id").filter(counted).n_unique(),
            immature=pl.col("_immature").sum(),
            unobserved=pl.col("_unobserved").sum(),
            assumed=(counted & pl.col("_assumed")).sum(),
            no_through=(counted & pl.col("_no_through")).sum(),
            through_first=through.min(),
            through_last=through.max(),
        )
        return cls(**found.collect().row(0, named=True))


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _implied(implied: str, opens: str) -> str:
    # With opens ignored there is no stage that a click could imply but the delivery.
    return _WITHOUT_OPENS if (implied, opens) == ("lower", "ignore") else _IMPLIED[implied]


def _size(seen: _Seen) -> str:
    counts = "counts" if seen.counted == 1 else "count"
    whom = _number(seen.customers, "customer")
    return f"{_number(seen.counted, 'message')} to {whom} {counts}."


def _source(source: str | None, fetched_at: dt.date | None) -> str:
    if isinstance(fetched_at, dt.datetime):
        zone = fetched_at.tzname()
        when = f"on {fetched_at:%Y-%m-%d} at {fetched_at:%H:%M}{f' {zone}' if zone else ''}"
    else:
        when = "" if fetched_at is None else f"on {fetched_at.isoformat()}"
    if source is None and not when:
        return "Where the interactions come from, and when they were fetched, was not told."
    if source is None:
        return f"Where the interactions come from was not told; they were fetched {when}."
    if not when:
        return f"The interactions come from {source}; when they were fetched was not told."
    return f"The interactions come from {source}, and were fetched {when}."


def _window(units: Iterable[str], windows: Iterable[int | None]) -> str:
    counted = " or ".join(
        "at any time after the send"
        if days is None
        else "on the day of the send"
        if days == 0
        else f"from the day of the send to {_number(days, 'day')} after it"
        for days in windows
    )
    unit = " / ".join(units)
    return f"The unit is the {unit}; a stage counts where its event came {counted}."


def _maturity(
    days: Sequence[dt.date],
    by: str = "group",
    immature: str = "and their number is given beside them",
) -> str:
    if not days:
        return "Through which day the data is complete is not known: all messages are counted."
    when = str(min(days)) if min(days) == max(days) else f"{min(days)} to {max(days)}, by {by}"
    return (
        f"The data is complete through {when}; messages whose window had not closed by then are "
        f"left out of every count and rate, {immature}."
    )


def _open_ended(ends: Sequence[dt.date]) -> str:
    when = " to ".join(map(str, dict.fromkeys((ends[0], ends[-1]))))
    return f"The data is complete through {when}; there is no window that may not have closed."


def _maturity_of(seen: _Seen, rules: Rules) -> list[str]:
    ends = [day for day in (seen.through_first, seen.through_last) if day is not None]
    if not ends:
        return [_maturity([])] if seen.counted else []
    if rules.window is None:
        return [_open_ended(ends)]
    said = [_maturity(ends, "message", f"{_number(seen.immature, 'message')} of these")]
    if seen.no_through:
        unknown = _number(seen.no_through, "message")
        said.append(f"Of {unknown} it is not known through which day; they are counted.")
    return said


def _sends(seen: _Seen) -> list[str]:
    if seen.assumed:
        return [f"{_number(seen.assumed, 'message')} without a sent row counted as sent."]
    if seen.unobserved:
        return [f"{_number(seen.unobserved, 'message')} without a sent row left out."]
    return []


def _interval(name: str, used: Iterable[str], units: Iterable[str] = ("message",)) -> str:
    counted = " / ".join(_UNITS.get(unit, f"{unit}s") for unit in units)
    ways = " and ".join(_INTERVALS.get(one, one).format(units=counted) for one in used)
    return f"The 95 % interval of {name} is {ways}."


def _catalogue(catalogue: Catalogue) -> str:
    if catalogue == Catalogue():
        whose = "this package's default one, whose ids an account need not share"
    else:
        whose = "the account's, as it was given"
    return f"Events and channels are read by the catalogue {catalogue.fingerprint()}: {whose}."
