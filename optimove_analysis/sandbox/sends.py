"""Who was sent a campaign: what the customers' interactions say of it, from the campaign's side."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from optimove_analysis.errors import InputError
from optimove_analysis.sandbox.customer import Customer
from optimove_analysis.sandbox.life import left_out, set_off
from optimove_analysis.sandbox.plan import Campaign
from optimove_analysis.sandbox.sample import SAMPLE_CAMPAIGNS
from optimove_analysis.sandbox.tenant import IN_APP, SAMPLE_CUSTOMER, TARGET_GROUPS
from optimove_analysis.sandbox.world import World
from optimove_analysis.schema import CONTROL_ACTION_ID, EVENT_IDS

__all__ = ["Send", "SendBook"]

_SENT: Final = next(i for i, meaning in EVENT_IDS.items() if meaning == "sent")
_KEPT: Final = 10_000
"""Customers whose sends are kept: some 2 kB each, so some 25 MB at most."""
_KEPT_SENDS: Final = 50_000
"""Sends of whole campaigns that are kept, for their further pages: some 200 bytes each."""
_NO_TEMPLATE: Final = -1
_FIELDS: Final = 5
"""Numbers a kept send: campaign, day, second, channel, template."""


class Send(NamedTuple):
    """One send of a campaign to a customer."""

    customer_id: str
    campaign_id: int
    day: int
    """As ``date.toordinal()``."""
    second: int
    channel_id: int
    template_id: int | None

    @property
    def scheduled_time(self) -> str:
        """Day and time, as ``2015-12-30 10:30:00``."""
        minute, second = divmod(self.second, 60)
        hour, minute = divmod(minute, 60)
        return f"{date.fromordinal(self.day)} {hour:02d}:{minute:02d}:{second:02d}"

    @property
    def send_id(self) -> str:
        """The id of the campaign's execution on a channel and day."""
        return f"S{self.campaign_id}-{self.channel_id}-{self.day}"


class SendBook:
    """The sends of a world's campaigns, found by looking at those whom a campaign may reach.

    Whether a customer gets a message depends on all that came before (caps, farewells), so it
    takes the customer's whole year, some 2 ms; its sends are then kept, for so many customers.
    So are the last campaigns' lists, for their further pages.

    >>> world = World(customers=20)
    >>> letter = [c for c in world.campaigns(date(2025, 3, 4)) if "Newsletter" in c.notes][3]
    >>> [(send.customer_id, send.scheduled_time[:10]) for send in SendBook(world).of(letter)]
    [('000016', '2025-03-04'), ('000017', '2025-03-04'), ('000019', '2025-03-04')]
    """

    def __init__(self, world: World, *, kept: int = _KEPT) -> None:
        self._world = world
        # This book's own, not the class's: two worlds must not share them.
        keep = lru_cache(kept)
        self._reached = keep(self._channels)
        self._triggers = keep(self._set_off)
        self._sends = keep(self._year)
        self._lists: dict[int, list[Send]] = {}

    def of(self, campaign: Campaign) -> Iterator[Send]:
        """Yield a campaign's sends, by target group and customer; one reported twice comes twice.

        As the interactions have them: a send that went unreported is none. A control group was
        sent nothing, even where a row of the interactions says so.
        """
        found = self._lists.get(campaign.campaign_id)
        if found is not None:
            yield from found
            return
        found = []
        for send in self._found(campaign):
            if len(found) <= _KEPT_SENDS:
                found.append(send)
            yield send
        self._lists[campaign.campaign_id] = found
        while sum(map(len, self._lists.values())) > _KEPT_SENDS:
            del self._lists[next(iter(self._lists))]

    def _found(self, campaign: Campaign) -> Iterator[Send]:
        wanted = campaign.campaign_id
        for customer_id in self._candidates(campaign):
            sends = self._sends(customer_id)
            if wanted not in sends[::_FIELDS]:
                continue
            for start in range(0, len(sends), _FIELDS):
                number, day, second, channel, template = sends[start : start + _FIELDS]
                if number == wanted:
                    named = None if template == _NO_TEMPLATE else template
                    yield Send(customer_id, number, day, second, channel, named)

    def _candidates(self, campaign: Campaign) -> Iterator[str]:
        """Yield those who may have got it: what is quick to tell spares most of the years."""
        wanted, seed = campaign.campaign_id, self._world.seed
        if campaign.failed or wanted in SAMPLE_CAMPAIGNS:  # of the sample, no send is reported
            return
        groups = TARGET_GROUPS if campaign.triggered else (campaign.target_group_id,)
        for customer_id in chain.from_iterable(map(self._members, groups)):
            if self._reached(customer_id).isdisjoint(campaign.channels):
                continue
            if campaign.triggered:
                meant = wanted in self._triggers(customer_id)
            else:
                shown = campaign.channels == (IN_APP,)
                meant = shown or not left_out(seed, campaign.day, customer_id)
            if meant:
                yield customer_id

    def _members(self, group: int) -> Iterator[str]:
        yield from self._world.members(group)
        # The documented sample's customer exists in every world, however small.
        if (
            int(SAMPLE_CUSTOMER) > self._world.customers
            and self._who(SAMPLE_CUSTOMER).target_group_id == group
        ):
            yield SAMPLE_CUSTOMER

    def _who(self, customer_id: str) -> Customer:
        who = self._world.customer(customer_id)
        if who is None:
            raise InputError(f"customer_id={customer_id!r}: this world has no such customer.")
        return who

    def _channels(self, customer_id: str) -> frozenset[int]:
        return self._who(customer_id).channels

    def _set_off(self, customer_id: str) -> array[int]:
        """Return the ids of the triggered campaigns that a customer sets off."""
        world = self._world
        found = set_off(world.seed, self._who(customer_id), world.plan)
        return array("i", [campaign.campaign_id for campaign in found])

    def _year(self, customer_id: str) -> array[int]:
        """Return a customer's sends, `_FIELDS` numbers each."""
        world, flat = self._world, array("i")
        for event in world.events(customer_id, world.first, world.last):
            if event.event_id == _SENT and event.action_id != CONTROL_ACTION_ID:
                template = _NO_TEMPLATE if event.template_id is None else event.template_id
                flat.extend(
                    (event.campaign_id, event.day, event.second, event.channel_id, template)
                )
        return flat
