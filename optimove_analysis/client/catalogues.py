"""The catalogues' requests: few, small, good for a day, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

import polars as pl

from optimove_analysis.client.endpoints import CATALOGUE_LIFETIME, CUSTOMERS_PATH
from optimove_analysis.client.paging import Pages
from optimove_analysis.client.responses import parse_table
from optimove_analysis.client.session import Session, Shape
from optimove_analysis.errors import ApiError
from optimove_analysis.schema import CUSTOMERS, Table

__all__ = ["Asked", "catalogue", "customers"]

Asked: TypeAlias = Sequence[tuple[Mapping[str, str], Mapping[str, object]]]
"""Of each request: its parameters, and the columns that are constant in what it gives."""

_ONCE: Final[Asked] = [({}, {})]


def catalogue(
    session: Session, table: Table, path: str, asked: Asked = _ONCE, *, shape: Shape = "list"
) -> pl.DataFrame:
    """Return the table that the answers to some requests make."""
    bodies = []
    for params, constants in asked:
        # What does not fit may be an outage that answers 200: it is not kept for a day.
        def check(body: bytes, constants: Mapping[str, object] = constants) -> None:
            parse_table(table, [(path, body, constants)])

        answer = session.get(path, params, shape=shape, lifetime=CATALOGUE_LIFETIME, check=check)
        bodies.append((answer.asked, answer.body, constants))
    return parse_table(table, bodies)


def customers(
    session: Session, target_group_id: int, day: date, page_size: int | None
) -> pl.DataFrame:
    """Return the customers of a target group, page by page until one brings nothing new."""
    asked = {"TargetGroupID": str(target_group_id), "Date": day.isoformat()}
    pages: Pages[pl.DataFrame] = Pages(asked, page_size)
    found: list[pl.DataFrame] = []
    while pages.next is not None:
        try:
            page = catalogue(session, CUSTOMERS, CUSTOMERS_PATH, [(pages.next, {})])
        except ApiError as error:
            found += pages.refused(error)
        else:
            found += pages.add(page, rows=page.height, content=page.rows())
    return pl.concat(found, how="diagonal")
