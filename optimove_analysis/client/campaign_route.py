"""The cheaper route: asking whom a campaign was sent to, in place of asking customer by customer.

One list a day names the campaigns, and one or more pages a campaign name those who were sent it.
That is the sent events of an audience, and nothing else: see `LIMITS`.

ASSUMED: fields, the text of ScheduledTime (``2015-12-30 10:30:00``) and ``IncludeTemplateIDs=True``
are as in the public client `optimove` 2.0.0 and its tests (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from optimove_analysis.client.endpoints import SENDS_PATH
from optimove_analysis.client.paging import Pages
from optimove_analysis.client.responses import parse_table
from optimove_analysis.client.sends import (
    AUDIENCE,
    Asks,
    Request,
    campaigns_of,
    data_through,
    day_lists,
    digest,
    sends_of,
    sent_interactions,
)
from optimove_analysis.client.session import Answer
from optimove_analysis.errors import ApiError, ResponseError
from optimove_analysis.schema import SENDS

__all__ = [
    "LIMITS",
    "MISSING_COLUMNS",
    "MISSING_EVENTS",
    "Ask",
    "CampaignSends",
    "Many",
    "RouteWarning",
    "fetch",
    "one_by_one",
]

MISSING_COLUMNS: Final = ("recipient_group_id", "action_id")
"""Columns of the interactions that this route cannot fill; they are null."""

MISSING_EVENTS: Final = "events other than sent"
"""What this route cannot tell of."""

LIMITS: Final = (
    (
        f"The campaign route tells of no {MISSING_EVENTS}, and {' and '.join(MISSING_COLUMNS)} are "
        "null: a member of a control group whom the API lists as sent to cannot be told apart."
    ),
    (
        "The range is that of the days on which campaigns were executed: later sends of theirs are "
        "among the rows, and those in the range by a campaign from before it are not."
    ),
    (
        "Whether the API lists triggered campaigns among those executed is not documented; where "
        "it does not, their sends are missing."
    ),
)
"""What a user of this route must know, in sentences: for a plan, and for a `RouteWarning`."""

_NOT_FOUND: Final = 404
_BAD_REQUEST: Final = 400


class RouteWarning(UserWarning):
    """An answer by the campaign route lacks what that route cannot give."""


Ask: TypeAlias = Callable[[Request, Callable[[float], None] | None], Answer]
"""Asks one thing; the second argument waits, and may raise to give up."""

Many: TypeAlias = Callable[[Ask, Sequence[Request]], Iterable[Answer]]
"""Calls the function for each request, and gives the answers in the order of the requests."""


def one_by_one(ask: Ask, requests: Sequence[Request]) -> Iterable[Answer]:
    """Ask one after the other, each when its answer is wanted: so one body is held at a time."""
    return (ask(request, None) for request in requests)


@dataclass(frozen=True, slots=True)
class CampaignSends:
    """What the route brought, and what it passed over."""

    frame: pl.DataFrame
    """The interactions table: one row a send to a customer of the audience."""
    campaigns: int
    """Campaigns whose sends were asked for."""
    others: int
    """Sends to customers outside the audience."""
    outside: int
    """Rows of the frame whose day lies outside the range; they are kept."""
    not_found: int
    """Campaigns that the API names as executed and then answers 404 for."""
    nameless: int
    """Executed campaigns without an id, whose sends cannot be asked for."""

    @property
    def notes(self) -> list[str]:
        """What a user must know of the frame, in sentences: `LIMITS`, and what this answer adds."""
        found = [
            (self.outside, "rows lie outside the range: their campaigns were executed in it"),
            (self.not_found, "executed campaigns were answered 404: they count as sent to nobody"),
            (self.nameless, "executed campaigns have no id, so that their sends are missing"),
        ]
        return [*LIMITS, *(f"{number} {what}." for number, what in found if number)]


def fetch(
    asks: Asks,
    ids: Sequence[str],
    first: date,
    last: date,
    *,
    sent_event_id: int | None,
    page_size: int | None = None,
    many: Many = one_by_one,
) -> CampaignSends:
    """Return the sent events of customers, from the campaigns executed from ``first`` to ``last``.

    Rows are in the order of the ids, then of day, campaign, channel and template. A send that the
    API lists twice is there twice. What the interactions table has no column for is in ``extra``:
    SendID, ScheduledTime as it was written, and fields that this package does not know.

    Args:
        asks: how to ask.
        ids: the audience, as text; rows of others are passed over and counted.
        first: the first day of the range.
        last: its last day.
        sent_event_id: the account's event id of a send; None: it is not known, and null.
        page_size: rows a page of sends; None leaves it to the API.
        many: asks many requests: for the caller's threads, progress and the like.

    Raises:
        SchemaError, ResponseError: an answer is not what is documented.
        ApiError: as ``asks`` raises it; also where every campaign is answered 404, or where a
            page is full and the API gives no next one.
    """
    run = _Run(asks)
    answers = many(run.ask, day_lists(first, last))
    numbers, nameless = campaigns_of(answers)
    audience = pl.DataFrame({"customer_id": ids, "_place": range(len(ids))}, AUDIENCE)
    # Repeats: a send that is reported twice is listed twice, for all that is known.
    lists: dict[int, Pages[_Page]] = {
        number: Pages(sends_of(number), page_size, repeats=True) for number in numbers
    }
    found: list[_Page] = []
    while lists:
        requests = [
            Request(SENDS_PATH, dict(sends.next or {}), f"campaign {number}")
            for number, sends in lists.items()
        ]
        for number, answer in zip(list(lists), many(run.ask, requests), strict=True):
            sends = lists[number]
            refusal = run.refusals.pop(number, None)
            if refusal is not None:
                found += sends.refused(refusal)
            else:
                rows = parse_table(SENDS, [(answer.asked, answer.body, {"campaign_id": number})])
                through = pl.lit(data_through(answer, last), pl.Date)
                ours = rows.join(audience, on="customer_id").with_columns(data_through=through)
                page = _Page(ours, rows.height - ours.height)
                found += sends.add(page, rows=rows.height, content=digest(answer))
            if sends.next is None:
                del lists[number]
    run.check(len(numbers))
    frame = sent_interactions([page.ours for page in found], sent_event_id)
    outside = frame.filter(~pl.col("date").is_between(first, last)).height
    others = sum(page.others for page in found)
    return CampaignSends(frame, len(numbers), others, outside, len(run.not_found), nameless)


class _Page(NamedTuple):
    """One page of sends."""

    ours: pl.DataFrame
    """Those to the audience."""
    others: int
    """How many went to others."""


class _Run:
    """Asks, and keeps in mind what was refused; threads may share it."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self.refusals: dict[int, ApiError] = {}
        """Of a campaign, the refusal of its further page."""
        self.not_found: list[ApiError] = []

    def ask(self, request: Request, sleep: Callable[[float], None] | None) -> Answer:
        """Return the answer; for one that may be no failure, an empty one in its place."""
        params, said = request.params, list[ApiError]()
        further = "$skip" in params
        status = _BAD_REQUEST if further else _NOT_FOUND

        def nothing(error: ApiError) -> bool | None:
            if request.function != SENDS_PATH or isinstance(error, ResponseError):
                return None
            said.append(error)
            return False if error.status == status else None  # not kept: it may change

        answer = self._asks.get(request.function, params, sleep=sleep, absent=nothing)
        if not answer.found:  # now, or when the snapshot was made that is replayed
            error = said[0] if said else ApiError(f"{answer.asked}: {status}.", status=status)
            if further:
                self.refusals[int(params["CampaignID"])] = error
            else:
                self.not_found.append(error)
        return answer

    def check(self, campaigns: int) -> None:
        """Raise where no campaign at all was found: then it is the function that is missing."""
        if campaigns and len(self.not_found) == campaigns:
            raise ApiError(
                f"each of the {campaigns} executed campaigns was answered 404 by {SENDS_PATH}: "
                f"does this account have the function? {self.not_found[0]}",
                status=_NOT_FOUND,
            ) from self.not_found[0]
