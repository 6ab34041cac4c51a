"""The catalogues' requests: few, small, good for a day, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final, TypeAlias

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
    session: Session,
    table: Table,
    path: str,
    asked: Asked = _ONCE,
    *,
    shape: Shape = "list",
    absent: Callable[[ApiError], bool | None] | None = None,
) -> pl.DataFrame:
    """Return the table that the answers to some requests make."""
    bodies = []
    for params, constants in asked:
        # What does not fit may be an outage that answers 200: it is not kept for a day.
        def check(body: bytes, constants: Mapping[str, object] = constants) -> None:
            parse_table(table, [(path, body, constants)])

        how: Any = {"shape": shape, "lifetime": CATALOGUE_LIFETIME}
        answer = session.get(path, params, check=check, absent=absent, **how)
        bodies.append((answer.asked, answer.body, constants))
    return parse_table(table, bodies)


def _is_last(pages: Pages[pl.DataFrame], error: ApiError) -> bool | None:
    return True if pages.ends_with(error) else None


def customers(
    session: Session, target_group_id: int, day: date, page_size: int | None
) -> pl.DataFrame:
    """Return the customers of a target group, page by page until one brings nothing new."""
    asked = {"TargetGroupID": str(target_group_id), "Date": day.isoformat()}
    pages: Pages[pl.DataFrame] = Pages(asked, page_size)
    found: list[pl.DataFrame] = []
    while pages.next is not None:
        try:
            # What says that there are no more is kept, as pages are: offline it is known too.
            asked_now: Asked = [(pages.next, {})]
            absent = partial(_is_last, pages)
            page = catalogue(session, CUSTOMERS, CUSTOMERS_PATH, asked_now, absent=absent)
        except ApiError as error:
            found += pages.refused(error)
        else:
            found += pages.add(page, rows=page.height, content=page.rows())
    return pl.concat(found, how="diagonal")
