"""The API's functions that the client asks for, and for how long an answer to each is good."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

__all__ = [
    "ACTIONS_PATH",
    "CAMPAIGNS_PATH",
    "CAMPAIGN_PATH",
    "CATALOGUE_LIFETIME",
    "CHANNELS_PATH",
    "CUSTOMERS_PATH",
    "ENGAGEMENT_METRICS_PATH",
    "INTERACTIONS_PATH",
    "LAST_UPDATE_LIFETIME",
    "LAST_UPDATE_PATH",
    "MAX_AGE",
    "SENDS_PATH",
    "SETTLE_AFTER",
    "TARGET_GROUPS_PATH",
    "TEMPLATES_PATH",
]

# Paths beneath /current/. The first and last are in Optimove's public reference; the others are
# as the public client `optimove` 2.0.0 asks for them. Read 2026-11.
INTERACTIONS_PATH: Final = "customers/GetCustomerChannelInteractions"
# Announced as its successor; no public page gives the path, which is therefore a setting.
ENGAGEMENT_METRICS_PATH: Final = "customers/GetCampaignEngagementMetrics"
CHANNELS_PATH: Final = "actions/GetExecutionChannels"
ACTIONS_PATH: Final = "actions/GetAllActions"
TEMPLATES_PATH: Final = "integrations/GetChannelTemplates"
CAMPAIGNS_PATH: Final = "actions/GetExecutedCampaignDetails"
CAMPAIGN_PATH: Final = "actions/GetCampaignDetails"
TARGET_GROUPS_PATH: Final = "groups/GetTargetGroupDetails"
CUSTOMERS_PATH: Final = "customers/GetCustomerActionsByTargetGroup"
SENDS_PATH: Final = "customers/GetCustomerSendDetailsByCampaign"
LAST_UPDATE_PATH: Final = "general/GetLastDataUpdate"

CATALOGUE_LIFETIME: Final = timedelta(days=1)
LAST_UPDATE_LIFETIME: Final = timedelta(minutes=10)

# Events of a range's campaigns still arrive after its end; most within days, and a month is ample.
SETTLE_AFTER: Final = timedelta(days=30)
# The API's data is updated daily (developer.optimove.com, read 2026-11).
MAX_AGE: Final = timedelta(days=1)
