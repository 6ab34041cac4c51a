"""The day through which the API's data is complete: asked for at most once in a while."""

from __future__ import annotations

from datetime import date

from optimove_analysis.client.convert import loads
from optimove_analysis.client.endpoints import LAST_UPDATE_LIFETIME, LAST_UPDATE_PATH
from optimove_analysis.client.inputs import as_day
from optimove_analysis.client.maturity import is_younger
from optimove_analysis.client.session import Session
from optimove_analysis.errors import InputError, SchemaError

__all__ = ["LastUpdateWarning", "day_of", "kept_last_update", "last_update"]


class LastUpdateWarning(UserWarning):
    """The API does not say through which day its data is complete."""


def last_update(session: Session) -> date:
    """Return the day through which the API's data is complete.

    Raises:
        ApiError: the API does not say.
        SchemaError: it says something that is no day.
    """
    answer = session.get(
        LAST_UPDATE_PATH, {}, shape="object", lifetime=LAST_UPDATE_LIFETIME, check=day_of
    )
    return day_of(answer.body)


def kept_last_update(session: Session, *, fresh: bool = False) -> date | None:
    """Return the last data update that the cache knows of; nothing is sent.

    Data does not become less complete: where an old answer is enough, no new one is needed.

    Args:
        session: whose cache.
        fresh: only if it was asked for a moment ago, so that it would not be asked for again.
    """
    entry = session.cache.read(LAST_UPDATE_PATH, {})
    if entry is None or (
        fresh and not is_younger(entry.facts, LAST_UPDATE_LIFETIME, session.now())
    ):
        return None
    return day_of(entry.body)


def day_of(body: bytes) -> date:
    """Return the day that an answer gives.

    Raises:
        SchemaError: it gives none.
    """
    try:
        return as_day(loads(body).get("Date"))
    except InputError as error:
        raise SchemaError(
            f"GetLastDataUpdate should give a day as 'Date'; it gave {body[:80]!r}."
        ) from error
