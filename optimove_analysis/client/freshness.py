"""Which kept answers for a range are good, and through which day the API's data is complete."""

from __future__ import annotations

import warnings
from datetime import date
from typing import Final

from optimove_analysis.client.endpoints import INTERACTIONS_PATH
from optimove_analysis.client.last_update import LastUpdateWarning, kept_last_update, last_update
from optimove_analysis.client.maturity import Maturity
from optimove_analysis.client.session import Session
from optimove_analysis.client.store import Facts
from optimove_analysis.errors import ApiError, AuthError, QuotaError, ResponseError, SchemaError

__all__ = ["Absent", "Freshness", "NotFoundWarning"]

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403


class NotFoundWarning(UserWarning):
    """Nobody was found by a function whose path is only assumed: perhaps the path is wrong."""


class Freshness:
    """Tells which kept answers for a range are good; asks for the last data update if it matters.

    Args:
        session: whose cache, clock and settings.
        end: the last day of the range.
        absent: asks for the last data update.
        offline: kept answers are good whatever their age.
        refresh: they are not, unless they came since this was made.
    """

    def __init__(
        self,
        session: Session,
        end: date,
        absent: Absent,
        *,
        offline: bool = False,
        refresh: bool = False,
    ) -> None:
        self._session, self._end, self._absent = session, end, absent
        self._offline, self._refresh = offline, refresh
        self.maturity = Maturity(end, session.settings.settle_after, session.settings.max_age)
        self._began = session.now()
        self._asked = False
        self._updated: date | None = None

    def good(self, facts: Facts) -> bool:
        """Tell whether a kept answer is what the API would say."""
        if not self._refresh and (self._offline or self.maturity.settled(facts, self._began)):
            return True
        if self._began <= facts.fetched_at <= self._session.now():
            return True
        if self._refresh or not self.maturity.maybe_current(facts, self._began):
            return False
        return self.maturity.current(facts, self.updated(), self._began)

    def updated(self, *, needed: bool = True) -> date | None:
        """Return the last data update; if not ``needed``, one that settles the range is enough."""
        if not self._asked:
            kept = None if needed else kept_last_update(self._session)
            if self.maturity.settles(kept):
                return kept
            # In this order: other threads look at both.
            self._updated = self._absent.last_update()
            self._asked = True
        return self._updated


class Absent:
    """Tells a customer whom the API does not know from an address where no API is.

    Either may be answered 404. The latter is so for every function.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._update_missing = False
        self._customers: list[ApiError] = []

    def last_update(self) -> date | None:
        """Return the last data update, or None with a warning where the API does not say."""
        try:
            return last_update(self._session)
        except (ApiError, SchemaError) as error:
            status = getattr(error, "status", None)
            if isinstance(error, QuotaError) or (
                isinstance(error, AuthError) and status != _FORBIDDEN
            ):
                raise
            self._update_missing = status == _NOT_FOUND
            warnings.warn(
                "the API does not say through which day its data is complete, so data_through is "
                f"the end of the range or the day of the fetch: {error}",
                LastUpdateWarning,
                stacklevel=6,
            )
            return None

    def customer(self, path: str, error: ApiError) -> bool | None:
        """Tell whether an error means that the API does not know a customer, and is sure to."""
        if error.status != _NOT_FOUND or isinstance(error, ResponseError):
            return None
        if not self._update_missing and path == INTERACTIONS_PATH:
            return True
        # Perhaps nothing is there at all: see `check`, when all have been asked.
        self._customers.append(error)
        return False

    def check(self, path: str, *, asked: int, of: int) -> None:
        """Raise if nothing at all was found; warn if nobody was, where the path is a guess."""
        if len(self._customers) < asked:
            return
        if self._update_missing:
            raise ApiError(
                f"everything that was asked of {self._session.settings.url} was answered 404: is "
                f"it the right instance? {self._customers[0]}",
                status=_NOT_FOUND,
            )
        if path != INTERACTIONS_PATH and asked == of:
            warnings.warn(
                f"{asked} of {of} customers were answered 404. Either the API knows none of them, "
                f"or {path} is not where your account has this function: no public page says "
                "where it is, so engagement_metrics_path=... sets it.",
                NotFoundWarning,
                stacklevel=5,
            )
