"""What a customer's form has found."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from optimove_analysis.analysis import Dossier

__all__ = ["Dossiers", "View"]


class Dossiers(Mapping[str, Dossier]):
    """A dossier of each customer, made when it is first looked at: of hundreds, few ever are."""

    def __init__(self, customer_ids: Sequence[str], make: Callable[[str], Dossier]) -> None:
        self._ids = dict.fromkeys(customer_ids)
        self._make = functools.cache(make)

    def __getitem__(self, customer_id: str) -> Dossier:
        if customer_id not in self._ids:
            raise KeyError(customer_id)
        return self._make(customer_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<Dossiers of {len(self):,} customers>"


@dataclass(frozen=True, slots=True)
class View:
    """What a form has found, to go on with in code."""

    interactions: pl.DataFrame
    funnel: pl.DataFrame
    mix: pl.DataFrame
    journey: pl.DataFrame
    funnel_chart: alt.TopLevelMixin
    mix_chart: alt.TopLevelMixin
    dossiers: Mapping[str, Dossier]
    """Each customer's, in the order asked; who has no interactions has none."""
    code: str
    """Python that makes the same again, with the instance and the key from the environment."""
