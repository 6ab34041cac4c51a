"""The code that reproduces what a form shows: plain calls of this package, nothing of the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optimove_analysis.forms.fields import split_ids

__all__ = ["counting_code", "fetching_code", "narrowing_code", "view_code"]

_TAKE_FEW = 12
"""So many ids stand on one line."""


def view_code(asked: Mapping[str, Any], channel_ids: Sequence[int]) -> str:
    """Return the code that makes a customer's, or a few customers', funnel, mix and journey.

    Args:
        asked: a form's ``value``.
        channel_ids: the ids of the channels that are asked for; none: all.
    """
    return "\n".join(
        [
            *fetching_code(split_ids(asked["customer_id"]), asked),
            *narrowing_code(asked, channel_ids),
            *counting_code(asked),
            "journey = oa.journey(interactions, catalogue=catalogue)",
            "",
            "oa.charts.funnel(funnel)",
        ]
    )


def fetching_code(ids: Sequence[str], asked: Mapping[str, Any]) -> list[str]:
    """Return the lines that fetch; the instance and the key come from the environment."""
    return [
        "import polars as pl",
        "",
        "import optimove_analysis as oa",
        "",
        "# The instance and the key come from OPTIMOVE_INSTANCE and OPTIMOVE_API_KEY.",
        "client = oa.OptimoveClient.from_env()",
        "catalogue = client.catalogue()",
        f"customer_ids = {_listed(ids)}",
        f'interactions = client.interactions(customer_ids, "{asked["start"]}", "{asked["end"]}")',
    ]


def narrowing_code(asked: Mapping[str, Any], channel_ids: Sequence[int]) -> list[str]:
    """Return the lines that keep some channels and campaigns."""
    campaigns = [int(one) for one in split_ids(asked["campaigns"])]
    return [
        f'interactions = interactions.filter(pl.col("{name}").is_in({ids!r}))'
        for name, ids in (("channel_id", list(channel_ids)), ("campaign_id", campaigns))
        if ids
    ]


def counting_code(asked: Mapping[str, Any]) -> list[str]:
    """Return the lines that count."""
    rules = f'"window": {asked["window"]!r}, "opens": "{asked["opens"]}"'
    return [
        f'rules = {{{rules}, "catalogue": catalogue}}',
        f'funnel = oa.funnel(interactions, unit="{asked["unit"]}", **rules)',
        "mix = oa.channel_mix(interactions, **rules)",
    ]


def _listed(ids: Sequence[str]) -> str:
    if len(ids) <= _TAKE_FEW:
        return repr(list(ids))
    rows = [ids[place : place + _TAKE_FEW] for place in range(0, len(ids), _TAKE_FEW)]
    inner = "".join(f"    {', '.join(map(repr, row))},\n" for row in rows)
    return f"[\n{inner}]"
