"""The known words and ids: stages, events, channels and their kinds, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

__all__ = [
    "CONTROL_ACTION_ID",
    "EVENT_IDS",
    "KIND_STAGES",
    "SIDE_EVENTS",
    "SMALL_N",
    "STAGES",
    "TEST_ENVIRONMENT_CHANNELS",
    "Kind",
    "Meaning",
    "Stage",
]

Stage: TypeAlias = Literal["sent", "delivered", "opened", "clicked"]
"""How far a message got."""

Meaning: TypeAlias = Literal[
    "sent", "delivered", "opened", "clicked", "unsubscribed", "bounced", "spam_complaint"
]
"""What an event says of a message: the stage that it reached, or what else happened to it."""

Kind: TypeAlias = Literal["email", "sms", "push", "web_push", "in_app", "call_centre", "unknown"]
"""The kind of a channel, which says what stages its messages have."""

STAGES: Final[tuple[Stage, ...]] = ("sent", "delivered", "opened", "clicked")
"""The stages of a message, in rank order."""

SIDE_EVENTS: Final[tuple[Meaning, ...]] = ("unsubscribed", "bounced", "spam_complaint")
"""What may happen to a message beside its stages."""

# No public page of Optimove's enumerates EventID (looked for 2026-11). These are ours, used by
# the sandbox and as the default; a user gives their account's own as a Catalogue.
EVENT_IDS: Final[Mapping[int, Meaning]] = {
    1: "sent",
    2: "delivered",
    3: "opened",
    4: "clicked",
    5: "unsubscribed",
    6: "bounced",
    7: "spam_complaint",
}
"""What the event ids of the sandbox mean; an account's own are given as a `Catalogue`."""

# Channel ids belong to an account. These are the ones that Optimove documents for its own shared
# test environment (Sandbox guide, github.com/optimove-tech/Optimove-APIs, read 2026-11).
TEST_ENVIRONMENT_CHANNELS: Final[Mapping[int, tuple[str, Kind]]] = {
    502: ("Call centre", "call_centre"),
    504: ("E-mail", "email"),
    505: ("SMS", "sms"),
    506: ("Push", "push"),
    510: ("Web push", "web_push"),
    511: ("In-app", "in_app"),
}
"""Name and kind of each channel id of Optimove's own test environment."""

KIND_STAGES: Final[Mapping[Kind, tuple[Stage, ...]]] = {
    "email": STAGES,
    "sms": ("sent", "delivered", "clicked"),
    "push": ("sent", "delivered", "clicked"),
    "web_push": ("sent", "delivered", "clicked"),
    "in_app": ("sent", "clicked"),
    "call_centre": ("sent",),
    # Not knowing a channel is no reason to drop its events: all four, and the notes say so.
    "unknown": STAGES,
}
"""Which stages a channel of each kind has."""

# "ActionID 1 marks a control-group member" on GetCustomerOneTimeActions* (Optimove's reference).
CONTROL_ACTION_ID: Final = 1
"""The action of who was held back from a campaign, to compare with."""

SMALL_N: Final = 30
"""Below this many messages a rate is marked ``small``."""
