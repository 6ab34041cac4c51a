"""What becomes of one message: its sent row, its deliveries, opens and clicks, and its oddities."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from optimove_analysis.sandbox.chance import DAY_SECONDS, Draw, pick
from optimove_analysis.sandbox.customer import Customer
from optimove_analysis.sandbox.plan import Campaign
from optimove_analysis.sandbox.tenant import CALL_CENTRE, EMAIL, IN_APP, PUSH, SMS, WEB_PUSH
from optimove_analysis.schema import EVENT_IDS, Meaning

__all__ = ["UNKNOWN_EVENT", "Event", "Message"]

_ID: Final[dict[Meaning, int]] = {meaning: i for i, meaning in EVENT_IDS.items()}
_SENT, _DELIVERED, _OPENED, _CLICKED = (
    _ID["sent"],
    _ID["delivered"],
    _ID["opened"],
    _ID["clicked"],
)
_UNSUBSCRIBED, _BOUNCED, _SPAM = _ID["unsubscribed"], _ID["bounced"], _ID["spam_complaint"]
UNKNOWN_EVENT: Final = 17
"""An id that no catalogue knows."""

# Cumulated shares of opens by days after the delivery, 0 to 10; some 3 % come after a week.
_OPEN_DAYS: Final = (0.62, 0.82, 0.88, 0.91, 0.93, 0.95, 0.962, 0.972, 0.982, 0.992)
# Clicks by days after the open, or after the delivery where there are no opens; 0 to 12.
_CLICK_DAYS: Final = (
    0.84,
    0.92,
    0.945,
    0.96,
    0.968,
    0.975,
    0.98,
    0.985,
    0.989,
    0.993,
    0.996,
    0.998,
)

_DELIVERED_SHARE: Final = {SMS: 0.975, PUSH: 0.93, WEB_PUSH: 0.87}
_BOUNCED_SHARE: Final = {SMS: 0.02, PUSH: 0.04, WEB_PUSH: 0.05}
_UNSUBSCRIBES: Final = {EMAIL: 0.0012, SMS: 0.0015, PUSH: 0.0008, WEB_PUSH: 0.001}

# The web push service fails its users from 9 to 11 September 2025: one in ten comes through.
_BREAKDOWN: Final = range(date(2025, 9, 9).toordinal(), date(2025, 9, 11).toordinal() + 1)
_BREAKDOWN_SHARE: Final = 0.1

_WEEKDAY: Final = (0.98, 1.08, 1.06, 1.08, 1.0, 0.84, 0.92)
_MONTH: Final = (1.0, 0.98, 1.0, 1.02, 1.0, 0.98, 0.86, 0.84, 1.0, 1.03, 1.12, 1.1)


class Event(NamedTuple):
    """One row of the API, less what only its rendering adds; rows sort by day, then campaign."""

    day: int
    campaign_id: int
    second: int
    event_id: int
    recipient_group_id: int
    action_id: int
    channel_id: int
    template_id: int | None
    sent_on: int
    """The day of the send, by which a request's range chooses."""
    triggered: bool


class Message:
    """One message to one customer; `events` lets its fate unfold.

    ``recent`` is the number of messages that the customer got that day and in the seven before.
    """

    def __init__(
        self,
        draw: Draw,
        to: Customer,
        campaign: Campaign,
        *,
        sent: tuple[int, int],
        channel_id: int,
        arm: tuple[int, int, int | None],
        strength: float,
        recent: int,
    ) -> None:
        self._draw, self._to, self._campaign = draw, to, campaign
        self._day, self._second = sent
        self._channel = channel_id
        self._group, self._action, self._template = arm
        when = date.fromordinal(self._day)
        self._pull = strength * _WEEKDAY[when.weekday()] * _MONTH[when.month - 1]
        self._pull /= 1 + to.fatigue * recent
        self._tired = 1 + recent / 4
        self._found: list[Event] = []
        self.opened = False
        self.left_on: int | None = None
        """The day on which the customer left the channel."""

    def events(self) -> list[Event]:
        """Return the message's rows, in no order; later ones may lie past the end of the data."""
        self._add(_SENT, (self._day, self._second))
        if self._channel == IN_APP:
            self._maybe_click(self._to.clicks[IN_APP], (self._day, self._second))
        elif self._channel == EMAIL:
            self._email()
        elif self._channel != CALL_CENTRE:
            self._short_message()
        self._oddities()
        return self._found

    def _email(self) -> None:
        draw, to = self._draw, self._to
        if draw() < to.bounces:
            bounced = self._later((self._day, self._second), 0)
            self._add(_BOUNCED, bounced)
            if draw() < 0.03:  # noqa: PLR2004 - some servers report both
                self._add(_DELIVERED, bounced)
            return
        delivered = self._later((self._day, self._second), int(draw() < 0.015))  # noqa: PLR2004
        if draw() > 0.008:  # noqa: PLR2004 - else the delivery goes unreported
            self._add(_DELIVERED, delivered)
        if draw() < to.machine_opens:  # a proxy opens at once, whoever reads
            self._add(_OPENED, (delivered[0], min(delivered[1] + 60, DAY_SECONDS - 1)))
            self.opened = True
        if draw() < min(0.95, to.opens * self._pull):
            opened = self._later(delivered, pick(draw, _OPEN_DAYS))
            if not to.images_blocked:
                self.opened = True
                self._add(_OPENED, opened)
                if draw() < 0.2:  # noqa: PLR2004 - many look twice
                    self._add(_OPENED, self._later(opened, pick(draw, _OPEN_DAYS)))
            self._maybe_click(to.clicks[EMAIL], opened)
        if draw() < 0.0002 * self._tired:
            self._add(_SPAM, self._leave(delivered))
        elif draw() < _UNSUBSCRIBES[EMAIL] * self._tired:
            self._add(_UNSUBSCRIBED, self._leave(delivered))

    def _short_message(self) -> None:
        draw, channel = self._draw, self._channel
        arrives, bounces = _DELIVERED_SHARE[channel], _BOUNCED_SHARE[channel]
        if channel == WEB_PUSH and self._day in _BREAKDOWN:
            arrives, bounces = _BREAKDOWN_SHARE, 0.0
        fate = draw()
        if fate >= arrives:
            if fate < arrives + bounces:
                self._add(_BOUNCED, self._later((self._day, self._second), 0))
            return
        delivered = self._later((self._day, self._second), int(draw() < 0.01))  # noqa: PLR2004
        self._add(_DELIVERED, delivered)
        self._maybe_click(self._to.clicks[channel], delivered)
        if draw() < _UNSUBSCRIBES[channel] * self._tired:
            self._add(_UNSUBSCRIBED, self._leave(delivered))

    def _maybe_click(self, chance: float, after: tuple[int, int]) -> None:
        if self._draw() < min(0.9, chance * self._pull):
            clicked = self._later(after, pick(self._draw, _CLICK_DAYS))
            self._add(_CLICKED, clicked)
            if self._draw() < 0.1:  # noqa: PLR2004 - some click twice
                self._add(_CLICKED, self._later(clicked, 0))

    def _leave(self, after: tuple[int, int]) -> tuple[int, int]:
        left = self._later(after, pick(self._draw, _OPEN_DAYS))
        self.left_on = left[0]
        return left

    def _later(self, after: tuple[int, int], days: int) -> tuple[int, int]:
        """Return an instant so many days on; within a day soon after, else by day."""
        day, second = after
        if days:
            return day + days, int((7 + 15 * self._draw()) * 3600)
        soon = self._draw() * self._draw() * self._draw()
        return day, second + int((DAY_SECONDS - 1 - second) * soon)

    def _oddities(self) -> None:
        """Add what real data has: rare, but no analysis may stumble over it."""
        draw, found = self._draw, self._found
        if draw() < 0.005:  # noqa: PLR2004 - the send goes unreported
            del found[0]
        if draw() < 0.003:  # noqa: PLR2004 - sent once more on the day, by mistake
            again = self._later((self._day, self._second), 0)
            self._add(_SENT, again)
            if any(event.event_id == _DELIVERED for event in found):
                self._add(_DELIVERED, self._later(again, 0))
        if draw() < 0.002 and self._channel != CALL_CENTRE:  # noqa: PLR2004 - an orphan
            self._add(_CLICKED, (self._day - 1 - int(5 * draw()), self._second))
        if draw() < 0.003:  # noqa: PLR2004 - an event that nobody has named
            self._add(UNKNOWN_EVENT, self._later((self._day, self._second), 0))
        if draw() < 0.004:  # noqa: PLR2004 - the template is missing throughout
            found[:] = [event._replace(template_id=None) for event in found]
        found.extend([event for event in found if draw() < 0.015])  # noqa: PLR2004 - twice reported

    def _add(self, event_id: int, at: tuple[int, int]) -> None:
        self._found.append(
            Event(
                at[0],
                self._campaign.campaign_id,
                at[1],
                event_id,
                self._group,
                self._action,
                self._channel,
                self._template,
                self._day,
                self._campaign.triggered,
            )
        )
