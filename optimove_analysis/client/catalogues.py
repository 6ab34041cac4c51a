"""The catalogues' requests: few, small, good for a day, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

import polars as pl

from optimove_analysis.client.endpoints import CATALOGUE_LIFETIME, CUSTOMERS_PATH
from optimove_analysis.client.paging import Pages
from optimove_analysis.client.responses import parse_table
from optimove_analysis.client.session import Answer, Session, Shape
from optimove_analysis.errors import ApiError, SchemaError
from optimove_analysis.schema import CUSTOMERS, Table

__all__ = ["Asked", "catalogue", "customers"]

Asked: TypeAlias = Sequence[tuple[Mapping[str, str], Mapping[str, object]]]
"""Of each request: its parameters, and the columns that are constant in what it gives."""

_ONCE: Final[Asked] = [({}, {})]


def catalogue(
    session: Session, table: Table, path: str, asked: Asked = _ONCE, *, shape: Shape = "list"
) -> pl.DataFrame:
    """Return the table that the answers to some requests make."""
    how: Any = {"shape": shape, "lifetime": CATALOGUE_LIFETIME}
    answers = [session.get(path, params, **how) for params, _ in asked]
    try:
        return _parsed(table, answers, asked)
    except SchemaError:
        if not any(answer.from_cache for answer in answers):
            raise
    # What does not fit may have been an outage that answered 200: do not keep to it for a day.
    return _parsed(table, [session.fetch(path, params, **how) for params, _ in asked], asked)


def _parsed(table: Table, answers: Sequence[Answer], asked: Asked) -> pl.DataFrame:
    constants = (constants for _, constants in asked)
    bodies = ((a.asked, a.body, constant) for a, constant in zip(answers, constants, strict=True))
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
