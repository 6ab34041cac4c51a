"""What an invented customer is like: reachable where, fond of what, tired how soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from optimove_analysis.sandbox.chance import beta, stream
from optimove_analysis.sandbox.tenant import (
    CALL_CENTRE,
    EMAIL,
    IN_APP,
    NEW_CUSTOMERS,
    PUSH,
    SMS,
    TARGET_GROUPS,
    WEB_PUSH,
)

__all__ = ["Customer", "customer"]

_HAS_APP: Final = 0.5
_NEVER_ENGAGES: Final = 0.12
# Share of customers whom a channel reaches; those of the app are of the customers with the app.
_REACH: Final = {EMAIL: 0.96, SMS: 0.6, WEB_PUSH: 0.32, CALL_CENTRE: 0.5}
_REACH_IN_APP: Final = {PUSH: 0.85, IN_APP: 1.0}

# A usual customer's chance to click, given what the channel gives it the chance on: an opened
# mail, else a delivered message. Chosen so that the tenant's rates are plausible ones (see
# tests/sandbox/test_rates.py); not taken from any real account.
_USUAL_CLICK: Final = {
    EMAIL: 0.125,
    SMS: 0.085,
    PUSH: 0.044,
    WEB_PUSH: 0.038,
    IN_APP: 0.12,
    CALL_CENTRE: 0.0,
}


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer's character; chances are per message, before weekday, season and fatigue."""

    customer_id: str
    target_group_id: int
    joined: int
    """First day as a customer, as ``date.toordinal()``."""
    channels: frozenset[int]
    """Where the customer can be reached."""
    opens: float
    clicks: dict[int, float]
    fatigue: float
    """How much each message of the last seven days takes away."""
    machine_opens: float
    """Chance that a privacy proxy opens a delivered mail by itself."""
    images_blocked: bool
    """Opens go unreported; clicks do not."""
    bounces: float
    visits: float
    """Chance of a day with a look into the app."""
    baskets: float
    """Chance of a day with an abandoned basket."""
    birthday: int
    """Days from the first of January, 0..364."""


def customer(seed: int, customer_id: str, target_group_id: int, first: int) -> Customer:
    """Return the customer of this id in this world whose first day is ``first``.

    >>> customer(7, "000001", 4, 739252) == customer(7, "000001", 4, 739252)
    True
    """
    draw = stream(seed, customer_id, "character")
    lapsed = TARGET_GROUPS[target_group_id].lapsed
    has_app = draw() < _HAS_APP or target_group_id == 7  # noqa: PLR2004 - "app first"
    reach = _REACH | {c: share if has_app else 0.0 for c, share in _REACH_IN_APP.items()}
    channels = frozenset(channel for channel, share in reach.items() if draw() < share)
    # Four in ten parts of an appetite are the customer's own, six the channel's: some love push
    # and ignore e-mail. Beta(2, 4) has mean 1/3 and Beta(1, 3) mean 1/4, hence the 3 and the 4.
    keen = 0.0 if draw() < _NEVER_ENGAGES else (0.55 if lapsed else 1.05)
    own = 3 * beta(draw, 2, 5)
    appetite = {
        channel: keen * (0.4 * own + 0.6 * 4 * beta(draw, 1, 3)) for channel in _USUAL_CLICK
    }
    opens = keen * (0.4 * own + 0.6 * 3 * beta(draw, 2, 5)) * 0.36
    joined = first - 30 - int(draw() * 1500)
    if target_group_id == NEW_CUSTOMERS:
        joined = first + int(draw() * 240)
    return Customer(
        customer_id=customer_id,
        target_group_id=target_group_id,
        joined=joined,
        channels=channels or frozenset({EMAIL}),
        opens=opens,
        clicks={channel: rate * appetite[channel] for channel, rate in _USUAL_CLICK.items()},
        fatigue=0.02 + 0.1 * draw(),
        machine_opens=0.55 if draw() < 0.2 else 0.0,  # noqa: PLR2004 - a fifth use such a proxy
        images_blocked=draw() < 0.07,  # noqa: PLR2004 - as above: a share
        bounces=0.5 if draw() < 0.02 else 0.012,  # noqa: PLR2004 - few have a full mailbox
        visits=0.02 + 0.09 * beta(draw, 1, 3) * (0.3 + keen),
        baskets=0.03 * beta(draw, 1, 2) * (0.5 + keen),
        birthday=int(draw() * 365),
    )
