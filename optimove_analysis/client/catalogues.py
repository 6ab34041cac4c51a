"""The catalogues' requests: few, small, good for a day, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

import polars as pl

from optimove_analysis.client.endpoints import CATALOGUE_LIFETIME, CUSTOMERS_PATH
from optimove_analysis.client.responses import parse_table
from optimove_analysis.client.session import Session, Shape
from optimove_analysis.errors import ApiError, InputError
from optimove_analysis.schema import CUSTOMERS, Table

__all__ = ["Asked", "catalogue", "customers"]

Asked: TypeAlias = Sequence[tuple[Mapping[str, str], Mapping[str, object]]]
"""Of each request: its parameters, and the columns that are constant in what it gives."""

_ONCE: Final[Asked] = [({}, {})]
_BAD_REQUEST: Final = 400


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
    if page_size is not None:
        if page_size < 1:
            raise InputError(f"page_size={page_size!r}: a page must hold at least one customer.")
        asked["$top"] = str(page_size)
    pages = [catalogue(session, CUSTOMERS, CUSTOMERS_PATH, [(asked, {})])]
    got = pages[0].height
    while not pages[-1].is_empty():
        further: Asked = [({**asked, "$skip": str(got)}, {})]
        try:
            page = catalogue(session, CUSTOMERS, CUSTOMERS_PATH, further)
        except ApiError as error:
            if error.status == _BAD_REQUEST:  # it knows no $skip: all came at once
                break
            raise
        if page.equals(pages[0]):  # it passes over $skip: all came at once
            break
        pages.append(page)
        got += page.height
    return pl.concat(pages, how="diagonal")
