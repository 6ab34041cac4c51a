"""What the campaign route would send for a range, as far as can be known without sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from optimove_analysis.client.endpoints import SENDS_PATH
from optimove_analysis.client.paging import Pages
from optimove_analysis.client.sends import Asks, campaigns_of, day_lists, digest, height, sends_of

__all__ = ["RouteCost", "cost"]

_USUAL_PAGES: Final = 2
"""Requests a campaign where its sends fit on one page: that page, and the empty one after it."""


@dataclass(frozen=True, slots=True)
class RouteCost:
    """What the route would send for a range.

    >>> print(RouteCost(days=31, campaigns=0, pages=0, expected_pages=0))
    at least 31 requests: 31 lists of campaigns, which name the campaigns to ask for
    >>> print(RouteCost(days=0, campaigns=640, pages=640, expected_pages=1280))
    at least 640 requests, probably 1,280: at least one page for each of 640 campaigns
    """

    days: int
    """Days whose campaigns are not known yet: one request each."""
    campaigns: int
    """Campaigns of the other days whose sends are not all kept."""
    pages: int
    """Requests for their sends, at least."""
    expected_pages: int
    """The same where each campaign's sends fit on one page."""

    @property
    def requests(self) -> int:
        """The requests that will be sent at least: a campaign may have more pages than known."""
        return self.days + self.pages

    @property
    def known(self) -> bool:
        """Whether the campaigns of all days are known."""
        return not self.days

    @property
    def expected(self) -> int | None:
        """The requests that will probably be sent; None: not even the campaigns are known."""
        return self.expected_pages if self.known else None

    def cheaper_than(self, requests: int) -> bool | None:
        """Tell whether this route sends fewer requests; None: that cannot be known yet.

        >>> RouteCost(31, 0, 0, 0).cheaper_than(20), RouteCost(31, 0, 0, 0).cheaper_than(2000)
        (False, None)
        >>> RouteCost(0, 640, 640, 1280).cheaper_than(2000)
        True
        """
        if self.requests >= requests:
            return False
        return None if self.expected is None else self.expected < requests

    def __str__(self) -> str:
        if not self.requests:
            return "no requests: all is kept"
        probably = f", probably {self.expected:,}" if self.expected else ""
        lists = f"{self.days:,} lists of campaigns, which name the campaigns to ask for"
        pages = f"at least one page for each of {self.campaigns:,} campaigns"
        parts = [lists] * bool(self.days) + [pages] * bool(self.campaigns)
        return f"at least {self.requests:,} requests{probably}: {'; '.join(parts)}"


def cost(asks: Asks, first: date, last: date, *, page_size: int | None = None) -> RouteCost:
    """Return what the route would send for a range, from what is kept; nothing is sent.

    Args:
        asks: whose kept answers count.
        first: the first day of the range.
        last: its last day.
        page_size: as for `fetch`.

    Raises:
        SchemaError, ResponseError: a kept answer is not what is documented.
    """
    kept = [asks.kept(request.function, request.params) for request in day_lists(first, last)]
    numbers, _ = campaigns_of(answer for answer in kept if answer is not None)
    campaigns = pages = expected = 0
    for number in numbers:
        sends: Pages[None] = Pages(sends_of(number), page_size, repeats=True)
        known = 0
        while sends.next is not None and (answer := asks.kept(SENDS_PATH, sends.next)):
            sends.add(None, rows=height(answer), content=digest(answer))
            known += 1
        if sends.next is not None:
            campaigns += 1
            pages += 1
            expected += max(1, _USUAL_PAGES - known)
    return RouteCost(kept.count(None), campaigns, pages, expected)
