"""One customer's year: which messages come, in which order, and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from optimove_analysis.sandbox.chance import number, stream
from optimove_analysis.sandbox.customer import Customer
from optimove_analysis.sandbox.messages import Event, Message
from optimove_analysis.sandbox.plan import Campaign, Plan
from optimove_analysis.sandbox.tenant import (
    IN_APP,
    TARGET_GROUPS,
    TEMPLATE_BASE,
    VARIANT_B,
)
from optimove_analysis.schema import CONTROL_ACTION_ID, EVENT_IDS

__all__ = ["arm_of", "left_out", "set_off", "year_of"]

_SENT: Final = next(i for i, meaning in EVENT_IDS.items() if meaning == "sent")
_FATIGUE_DAYS: Final = 7
_RESENT_AFTER: Final = 3
_GROUP_B: Final = 2
_CONTROL_GROUP: Final = 2
_CONTROL_PERCENT: Final = 10
_LEFT_OUT_PERCENT: Final = 20
"""Of a target group's members, those whom a scheduled send leaves out for some reason."""
_CAP: Final = 4
"""Scheduled sends stop at so many messages in eight days."""
_CONTROL_REPORTED: Final = 20
"""One in so many campaigns reports its control group, as real data has it now and then."""


def arm_of(seed: int, campaign: Campaign, customer_id: str) -> tuple[int, int, float]:
    """Return a customer's recipient group, action and strength of the template.

    In a test/control campaign group 1 is the test group, and a tenth is the control group: group
    2 with the action that marks it. In an A/B campaign, group 2 has the stronger template.
    """
    chance = number(seed, campaign.campaign_id, customer_id)
    if campaign.kind == "Test/Control" and chance % 100 < _CONTROL_PERCENT:
        return _CONTROL_GROUP, CONTROL_ACTION_ID, 0.0
    if campaign.kind == "A/B":
        return (1, campaign.action_id, 0.85) if chance % 2 else (_GROUP_B, campaign.action_id, 1.2)
    return 1, campaign.action_id, 1.0


def left_out(seed: int, day: int, customer_id: str) -> bool:
    """Tell whether a day's scheduled sends, those in the app excepted, leave a customer out."""
    return number(seed, day, customer_id) % 100 < _LEFT_OUT_PERCENT


def year_of(seed: int, who: Customer, plan: Plan) -> list[Event]:
    """Return all rows of a customer, in order of the day, then of the campaign."""
    year = _Year(seed, who, plan)
    for day, campaign, channel in sorted(_sends(seed, who, plan), key=_in_order):
        year.send(day, campaign, channel)
    known = (event for event in year.found if event.day <= plan.last)
    # Stable beyond these four: a template may be None, which cannot be compared.
    return sorted(known, key=lambda event: event[:4])


class _Year:
    """What builds up as the year goes by: rows, the pressure of messages, channels left."""

    def __init__(self, seed: int, who: Customer, plan: Plan) -> None:
        self._seed, self._who, self._plan = seed, who, plan
        self._sends = [0] * (plan.last - plan.first + 1)
        self._left: dict[int, int] = {}
        self.found: list[Event] = []

    def send(self, day: int, campaign: Campaign, channel: int) -> None:
        """Send a campaign, unless a cap, a farewell or a control group is in the way."""
        who = self._who
        capped = not campaign.triggered and self._pressure(day) >= _CAP
        if capped or self._has_left(channel, day):
            return
        group, action, strength = arm_of(self._seed, campaign, who.customer_id)
        if action == CONTROL_ACTION_ID:
            if number(self._seed, "reported", campaign.campaign_id) % _CONTROL_REPORTED == 0:
                self.found.append(_control_row(campaign, group, channel))
            return
        template = TEMPLATE_BASE[channel] + action
        if campaign.kind == "A/B" and group == _GROUP_B:
            template += VARIANT_B
        draw = stream(self._seed, who.customer_id, campaign.campaign_id, channel)
        second = campaign.second + int(900 * draw())
        if campaign.triggered or channel == IN_APP:  # when the customer does the thing
            second = int((8 + 14 * draw()) * 3600)
        last_send = day + _RESENT_AFTER if campaign.resent else day
        for sent_on in range(day, min(last_send, self._plan.last) + 1, _RESENT_AFTER):
            message = Message(
                draw,
                who,
                campaign,
                sent=(sent_on, second),
                channel_id=channel,
                arm=(group, action, template),
                strength=campaign.strength * strength,
                recent=self._pressure(sent_on),
            )
            self.found += message.events()
            self._sends[sent_on - self._plan.first] += 1
            if message.left_on is not None:
                self._left[channel] = min(message.left_on, self._left.get(channel, message.left_on))
            if message.opened or self._has_left(channel, sent_on + _RESENT_AFTER):
                break

    def _has_left(self, channel: int, day: int) -> bool:
        return day > self._left.get(channel, day)

    def _pressure(self, day: int) -> int:
        """Return how many sends this day and the seven before saw."""
        since = day - self._plan.first
        return sum(self._sends[max(0, since - _FATIGUE_DAYS) : since + 1])


def _in_order(send: tuple[int, Campaign, int]) -> tuple[int, int]:
    return send[0], send[1].campaign_id


def _sends(seed: int, who: Customer, plan: Plan) -> Iterator[tuple[int, Campaign, int]]:
    """Yield day, campaign and channel of what is meant for a customer."""
    yield from _scheduled(seed, who, plan)
    for campaign in set_off(seed, who, plan):
        reached = [channel for channel in campaign.channels if channel in who.channels]
        if reached:
            yield campaign.day, campaign, reached[0]


def _scheduled(seed: int, who: Customer, plan: Plan) -> Iterator[tuple[int, Campaign, int]]:
    draw = stream(seed, who.customer_id, "visits")
    has_app = IN_APP in who.channels
    for campaign in plan.of_group(who.target_group_id):
        if campaign.day < who.joined or campaign.failed:
            continue
        if campaign.channels == (IN_APP,):  # shown to who opens the app that day
            if has_app and draw() < who.visits:
                yield campaign.day, campaign, IN_APP
            continue
        if left_out(seed, campaign.day, who.customer_id):
            continue
        for channel in campaign.channels:
            if channel in who.channels:
                yield campaign.day, campaign, channel


def set_off(seed: int, who: Customer, plan: Plan) -> Iterator[Campaign]:
    """Yield the triggered campaigns that a customer sets off, in no order."""
    for day, trigger in _triggered(seed, who, plan):
        if plan.first <= day <= plan.last:
            yield plan.triggered(trigger, day)


def _triggered(seed: int, who: Customer, plan: Plan) -> Iterator[tuple[int, str]]:
    """Yield days and what the customer sets off on them."""
    draw = stream(seed, who.customer_id, "triggers")
    if who.joined >= plan.first:
        yield who.joined, "welcome"
    last_basket = plan.first - _FATIGUE_DAYS
    lapsed = TARGET_GROUPS[who.target_group_id].lapsed
    wooed = {int(draw() * 365) for _ in range(3)} if lapsed else set()
    for since in range(plan.last - plan.first + 1):
        day = plan.first + since
        if draw() < who.baskets and day >= who.joined and day - last_basket >= _FATIGUE_DAYS:
            last_basket = day
            yield day, "abandoned basket"
        if since % 365 in wooed:
            yield day, "win-back"
    for year in range(date.fromordinal(plan.first).year, date.fromordinal(plan.last).year + 1):
        day = date(year, 1, 1).toordinal() + who.birthday
        if day >= who.joined:
            yield day, "birthday"


def _control_row(campaign: Campaign, group: int, channel: int) -> Event:
    """Return the row of a control-group member: nothing was sent, but some systems report it."""
    return Event(
        campaign.day,
        campaign.campaign_id,
        campaign.second,
        _SENT,
        group,
        CONTROL_ACTION_ID,
        channel,
        None,
        campaign.day,
        campaign.triggered,
    )
