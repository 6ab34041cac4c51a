"""The documented sample: the one customer, two campaigns and two rows that are not invented."""

from __future__ import annotations

from datetime import date
from typing import Final

from optimove_analysis.sandbox.messages import Event
from optimove_analysis.sandbox.plan import Campaign
from optimove_analysis.sandbox.tenant import SAMPLE_CHANNEL

__all__ = ["SAMPLE_CAMPAIGNS", "SAMPLE_EVENTS"]

_FIRST, _SECOND = date(2018, 8, 20).toordinal(), date(2018, 8, 27).toordinal()

# Date, ids and event are those of the sample response on the documentation page of
# GetCustomerChannelInteractions (read 2026-11); the hours and the campaigns' details are ours.
SAMPLE_EVENTS: Final = (
    Event(_FIRST, 422, 36_061, 2, 1, 26, SAMPLE_CHANNEL, 13, _FIRST, triggered=False),
    Event(_SECOND, 428, 36_042, 2, 1, 28, SAMPLE_CHANNEL, 54, _SECOND, triggered=False),
)

SAMPLE_CAMPAIGNS: Final = {
    event.campaign_id: Campaign(
        campaign_id=event.campaign_id,
        day=event.day,
        target_group_id=4,
        action_id=event.action_id,
        channels=(SAMPLE_CHANNEL,),
        kind="Test/Control",
        strength=1.0,
        second=36_000,
        notes="Late summer",
    )
    for event in SAMPLE_EVENTS
}
