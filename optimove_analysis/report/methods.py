"""One paragraph on how the numbers were made, read from the tables that hold them."""

from __future__ import annotations

import polars as pl

from optimove_analysis.charts import words

__all__ = ["methods"]


def methods(funnel: pl.DataFrame, mix: pl.DataFrame) -> str:
    """Say unit, window, maturity, implied stages, opens, intervals and the mix's definitions.

    >>> from optimove_analysis.schema import CHANNEL_MIX, FUNNEL
    >>> methods(FUNNEL.empty(), CHANNEL_MIX.empty())
    'There was nothing to count.'
    """
    if funnel.is_empty() and mix.is_empty():
        return "There was nothing to count."
    some = funnel if funnel.height else mix
    opens = some["opens"].drop_nulls().unique(maintain_order=True)
    parts = [_window(some), _maturity(some)]
    if funnel.height:
        parts += [_implied(value) for value in funnel["implied"].drop_nulls().unique()]
    parts += [_opens(value) for value in opens]
    parts += _intervals(funnel, mix)
    if mix.height:
        of = " / ".join(mix["of"].drop_nulls().unique(maintain_order=True))
        meant = "clicked, or opened where opens are trusted" if of == "engaged" else of
        parts.append(
            f"In the mix a message counts once at most as engaged ({meant}); the index of a "
            "channel is its share of engagements over its share of sends, 1 being par."
        )
    return " ".join(parts)


def _window(some: pl.DataFrame) -> str:
    unit = " / ".join(some["unit"].drop_nulls().unique(maintain_order=True))
    windows = some["window"].unique(maintain_order=True)
    counted = " or ".join(
        "at any time after the send"
        if days is None
        else f"from the day of the send to {words.plural(days, 'day')} after it"
        for days in windows
    )
    return f"The unit is the {unit}; a stage counts where its event came {counted}."


def _maturity(some: pl.DataFrame) -> str:
    days = some["as_of"].drop_nulls().unique().sort()
    if days.is_empty():
        return "Through which day the data is complete is not known: all messages are counted."
    when = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}, by group"
    return (
        f"The data is complete through {when}; messages whose window had not closed by then are "
        "left out of every count and rate, and their number is given beside them."
    )


def _implied(value: str) -> str:
    if value == "lower":
        return (
            "A click implies that the message was opened and delivered, an open that it was "
            "delivered; such implied counts are shown apart."
        )
    return "Only what was reported is counted; no stage is implied by a later one."


def _opens(value: str) -> str:
    if value == "ignore":
        return "Opens are ignored, since privacy proxies open mail by machine."
    return (
        "Opens are taken as reported; privacy proxies open mail by machine, so they are an upper "
        "bound of what was read."
    )


def _intervals(funnel: pl.DataFrame, mix: pl.DataFrame) -> list[str]:
    known = {
        "wilson": "Wilson's score interval, messages taken as independent",
        "wilson-cluster": "Wilson's score interval, widened since the messages of one customer "
        "are not independent",
        "log-linear": "a log-linear interval, messages taken as independent",
        "log-linear-cluster": "a log-linear interval with the customer as the cluster",
    }
    parts = []
    for name, table in (("a rate", funnel), ("an index", mix)):
        used = table["method"].drop_nulls().unique(maintain_order=True)
        if len(used):
            ways = words.listed([known.get(method, method) for method in used])
            parts.append(f"The 95{words.NBSP}% interval of {name} is {ways}.")
    return parts
