"""The invented tenant: whom it writes to, through what, about what. All names are made up."""

from __future__ import annotations

from typing import Final, NamedTuple

from optimove_analysis.schema import TEST_ENVIRONMENT_CHANNELS, Kind

__all__ = [
    "ACTIONS",
    "CALL_CENTRE",
    "EMAIL",
    "IN_APP",
    "PUSH",
    "SAMPLE_CHANNEL",
    "SAMPLE_CUSTOMER",
    "SAMPLE_TEMPLATES",
    "SMS",
    "TARGET_GROUPS",
    "TEMPLATE_BASE",
    "VARIANT_B",
    "WEB_PUSH",
    "TargetGroup",
    "template_names",
]

_ID_OF: Final[dict[Kind, int]] = {kind: i for i, (_, kind) in TEST_ENVIRONMENT_CHANNELS.items()}

CALL_CENTRE: Final = _ID_OF["call_centre"]
EMAIL: Final = _ID_OF["email"]
SMS: Final = _ID_OF["sms"]
PUSH: Final = _ID_OF["push"]
WEB_PUSH: Final = _ID_OF["web_push"]
IN_APP: Final = _ID_OF["in_app"]

# The sample on the documentation page of GetCustomerChannelInteractions (read 2026-11) shows this
# customer, this unnamed channel and these templates. GetExecutionChannels leaves the channel out,
# so that a client has to cope with an id without a name.
SAMPLE_CUSTOMER: Final = "841231"
SAMPLE_CHANNEL: Final = 7
SAMPLE_TEMPLATES: Final = {13: "Late summer letter", 54: "Late summer reminder"}


class TargetGroup(NamedTuple):
    """One target group; a customer is in exactly one, as with Optimove's exclusive targeting."""

    name: str
    share: int
    """How many of 20 customers are in it."""
    lapsed: bool = False
    """Whether its members are wooed back."""


# Optimove gives each a priority; ours is the order of the ids.
TARGET_GROUPS: Final[dict[int, TargetGroup]] = {
    1: TargetGroup("VIP", 1),
    2: TargetGroup("Loyal, frequent", 3),
    3: TargetGroup("Loyal, high basket", 2),
    4: TargetGroup("Active, multi-category", 4),
    5: TargetGroup("Active, bargain hunters", 2),
    6: TargetGroup("Active, one category", 2),
    7: TargetGroup("Active, app first", 1),
    8: TargetGroup("Second purchase due", 1),
    9: TargetGroup("New customers", 1),
    10: TargetGroup("Slowing down", 1, lapsed=True),
    11: TargetGroup("At risk", 1, lapsed=True),
    12: TargetGroup("Dormant", 1, lapsed=True),
}

NEW_CUSTOMERS: Final = 9
"""The one group whose members join in the course of the year."""

# Action 1 is the control group's mark (schema.CONTROL_ACTION_ID), so marketing starts with 2.
# 26 and 28 are those of the documented sample.
ACTIONS: Final[dict[int, str]] = dict(
    enumerate(
        (
            "Weekly newsletter",
            "Welcome",
            "Welcome, second step",
            "Abandoned basket",
            "Birthday greeting",
            "Win-back offer",
            "Daily deal in the app",
            "Free shipping weekend",
            "Ten percent off",
            "Fifteen percent off",
            "Twenty percent off",
            "Bundle offer",
            "Second item at half price",
            "New collection",
            "Back in stock",
            "Members' evening",
            "Bonus points",
            "Loyalty status reminder",
            "Free gift with purchase",
            "Refer a friend",
            "Review request",
            "App download",
            "Size and fit guide",
            "Style advice",
            "Late summer letter",
            "Midweek offer",
            "Late summer reminder",
            "Outlet preview",
            "Easter surprise",
            "Easter, last days",
            "Summer sale",
            "Summer sale, further reduced",
            "Black Friday early access",
            "Black Friday",
            "Cyber Monday",
            "Advent offer",
            "Christmas gift guide",
            "Christmas, last order day",
            "Personal call",
        ),
        start=2,
    )
)

TEMPLATE_BASE: Final[dict[int, int]] = {
    EMAIL: 1000,
    SMS: 2000,
    PUSH: 3000,
    WEB_PUSH: 4000,
    IN_APP: 5000,
    CALL_CENTRE: 6000,
}
"""A template's id is its channel's base plus its action's id."""

VARIANT_B: Final = 500
"""What the second template of an A/B campaign has on top."""


def template_names(channel_id: int) -> dict[int, str]:
    """Return a channel's templates, id to name; empty for a channel that is not the tenant's.

    >>> template_names(EMAIL)[1502]
    'Weekly newsletter, B'
    """
    if channel_id == SAMPLE_CHANNEL:
        return SAMPLE_TEMPLATES
    base = TEMPLATE_BASE.get(channel_id)
    if base is None:
        return {}
    plain = {base + action: name for action, name in ACTIONS.items()}
    return plain | {base + VARIANT_B + action: f"{name}, B" for action, name in ACTIONS.items()}
