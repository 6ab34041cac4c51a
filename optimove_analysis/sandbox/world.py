"""The sandbox's world: an invented tenant of any size, of which nothing is kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any, Final

from optimove_analysis.errors import InputError
from optimove_analysis.sandbox.chance import number
from optimove_analysis.sandbox.customer import Customer, customer
from optimove_analysis.sandbox.life import year_of
from optimove_analysis.sandbox.messages import Event
from optimove_analysis.sandbox.plan import Campaign, Plan
from optimove_analysis.sandbox.sample import SAMPLE_CAMPAIGNS, SAMPLE_EVENTS
from optimove_analysis.sandbox.tenant import SAMPLE_CUSTOMER, TARGET_GROUPS
from optimove_analysis.schema import EVENT_IDS, INTERACTIONS, TEST_ENVIRONMENT_CHANNELS

__all__ = ["WORLD_VERSION", "World"]

WORLD_VERSION: Final = 1
"""Part of the sandbox's key. Raise it when any answer changes: a cache must not mix two worlds."""

_BLOCK: Final = 20
"""Each 20 customers in a row hold every target group in its share."""

_ODD_ID: Final = 40
"""Every so many customers, an id with a letter."""

_FIELDS: Final = tuple(
    INTERACTIONS[name].api
    for name in (
        "date",
        "campaign_id",
        "recipient_group_id",
        "action_id",
        "channel_id",
        "template_id",
        "event_id",
    )
)
_MORE_FIELDS: Final = tuple(
    INTERACTIONS[name].api for name in ("campaign_type", "event_time", "event_name", "channel_name")
)


class World:
    """An invented tenant: so many customers, and the campaigns of the days ``first`` to ``last``.

    The data goes up to ``last``. A customer's rows follow from the seed, the id and the days
    alone, whatever the number of customers and the requested range, and are computed on request:
    a world of ten million customers takes no longer to make than one of ten.

    >>> World(customers=10).customer_ids(3)
    ['000001', '000004', '000007']

    Raises:
        InputError: no customers, or the last day is before the first.
    """

    def __init__(
        self,
        seed: int = 7,
        customers: int = 5_000,
        *,
        first: date = date(2025, 1, 1),
        last: date = date(2025, 12, 31),
    ) -> None:
        if customers < 1:
            raise InputError(f"customers={customers}: a world needs at least one customer.")
        if last < first:
            raise InputError(f"last={last} lies before first={first}: give the earlier day first.")
        self.seed = seed
        self.customers = customers
        self.first, self.last = first, last
        self.plan = Plan(seed, first, last)

    def __repr__(self) -> str:
        return (
            f"World(seed={self.seed}, customers={self.customers:_}, "
            f"first={self.first}, last={self.last})"
        )

    @property
    def last_data_update(self) -> date:
        """The day up to which the data goes."""
        return self.last

    def customer_ids(self, n: int) -> list[str]:
        """Return the ids of n customers, spread evenly over the world.

        Raises:
            InputError: the world has fewer, or n is negative.
        """
        if not 0 <= n <= self.customers:
            raise InputError(
                f"n={n}: this world has {self.customers} customers; ask for 0 to that."
            )
        return [_id_of(1 + k * self.customers // n) for k in range(n)]

    def exists(self, customer_id: str) -> bool:
        """Tell whether the world has this customer.

        >>> World().exists("000001"), World().exists("1"), World().exists("841231")
        (True, False, True)
        """
        place = _place_of(customer_id)
        return place is not None and (place <= self.customers or customer_id == SAMPLE_CUSTOMER)

    def customer(self, customer_id: str) -> Customer | None:
        """Return what a customer is like, None where the world has no such customer."""
        place = _place_of(customer_id) if self.exists(customer_id) else None
        if place is None:
            return None
        group = _group_at(self.seed, place)
        return customer(self.seed, customer_id, group, self.plan.first)

    def events(self, customer_id: str, start: date, end: date) -> list[Event]:
        """Return a customer's events with messages *sent* from start to end, both included.

        In order of the day, then of the campaign. Events may lie after ``end``, never after
        ``last_data_update``. Empty for a customer whom the world does not have.
        """
        who = self.customer(customer_id)
        if who is None:
            return []
        low, high = start.toordinal(), end.toordinal()
        found = year_of(self.seed, who, self.plan)
        if customer_id == SAMPLE_CUSTOMER:
            found = [*SAMPLE_EVENTS, *found]
        return [event for event in found if low <= event.sent_on <= high]

    def interactions(
        self, customer_id: str, start: date, end: date, *, engagement_metrics: bool = False
    ) -> list[dict[str, Any]]:
        """Return `events` as the API's objects, in its older or its newer response format."""
        found = self.events(customer_id, start, end)
        rows = [dict(zip(_FIELDS, _values(event), strict=True)) for event in found]
        if engagement_metrics:
            for row, event in zip(rows, found, strict=True):
                row.update(zip(_MORE_FIELDS, _more_values(event), strict=True))
        return rows

    def campaign(self, campaign_id: int) -> Campaign | None:
        """Return a campaign, None where there is none of this id."""
        return SAMPLE_CAMPAIGNS.get(campaign_id) or self.plan.campaign(campaign_id)

    def campaigns(self, day: date) -> list[Campaign]:
        """Return the campaigns executed on a day, in order of their ids."""
        sample = [c for c in SAMPLE_CAMPAIGNS.values() if c.day == day.toordinal()]
        return sample + self.plan.on(day.toordinal())

    def members(self, target_group_id: int, skip: int = 0) -> Iterator[str]:
        """Yield the ids of a target group's customers in order, from the skip-th on."""
        share = TARGET_GROUPS[target_group_id].share
        for block in range(skip // share, -(-self.customers // _BLOCK)):
            places = [p for p in _block(block) if _group_at(self.seed, p) == target_group_id]
            if block == skip // share:
                places = places[skip % share :]
            yield from (_id_of(place) for place in places if place <= self.customers)


def _id_of(place: int) -> str:
    return f"A{place:06d}" if place % _ODD_ID == 0 else f"{place:06d}"


def _place_of(customer_id: str) -> int | None:
    digits = customer_id.removeprefix("A")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 18:  # noqa: PLR2004 - no world is that large
        return None
    place = int(digits)
    return place if place and _id_of(place) == customer_id else None


def _block(block: int) -> range:
    return range(1 + block * _BLOCK, 1 + (block + 1) * _BLOCK)


_GROUPS_OF_BLOCK: Final = tuple(i for i, group in TARGET_GROUPS.items() for _ in range(group.share))


def _group_at(seed: int, place: int) -> int:
    """Return a customer's target group: the block's groups, turned by chance.

    So group and members are both found without looking at any other customer.
    """
    block, within = divmod(place - 1, _BLOCK)
    return _GROUPS_OF_BLOCK[(within + number(seed, "block", block)) % _BLOCK]


@lru_cache(maxsize=4096)
def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _values(event: Event) -> tuple[str | int | None, ...]:
    return (
        _iso(event.day),
        event.campaign_id,
        event.recipient_group_id,
        event.action_id,
        event.channel_id,
        event.template_id,
        event.event_id,
    )


def _more_values(event: Event) -> tuple[str | None, ...]:
    minute, second = divmod(event.second, 60)
    hour, minute = divmod(minute, 60)
    name = EVENT_IDS.get(event.event_id)
    channel = TEST_ENVIRONMENT_CHANNELS.get(event.channel_id)
    return (
        "Triggered" if event.triggered else "Scheduled",
        f"{_iso(event.day)}T{hour:02d}:{minute:02d}:{second:02d}Z",
        name and name.replace("_", " ").capitalize(),  # an unnamed event or channel stays so
        channel and channel[0],
    )
