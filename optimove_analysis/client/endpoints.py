"""The API's functions that the client asks for, and for how long an answer to each is good."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from optimove_analysis.schema import API_ENDPOINTS

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

# Paths beneath /current/; schema/endpoints.py says where each is from.
INTERACTIONS_PATH: Final = API_ENDPOINTS["GetCustomerChannelInteractions"].path
# No public page gives this one, which is therefore a setting.
ENGAGEMENT_METRICS_PATH: Final = API_ENDPOINTS["GetCampaignEngagementMetrics"].path
CHANNELS_PATH: Final = API_ENDPOINTS["GetExecutionChannels"].path
ACTIONS_PATH: Final = API_ENDPOINTS["GetAllActions"].path
TEMPLATES_PATH: Final = API_ENDPOINTS["GetChannelTemplates"].path
CAMPAIGNS_PATH: Final = API_ENDPOINTS["GetExecutedCampaignDetails"].path
CAMPAIGN_PATH: Final = API_ENDPOINTS["GetCampaignDetails"].path
TARGET_GROUPS_PATH: Final = API_ENDPOINTS["GetTargetGroupDetails"].path
CUSTOMERS_PATH: Final = API_ENDPOINTS["GetCustomerActionsByTargetGroup"].path
SENDS_PATH: Final = API_ENDPOINTS["GetCustomerSendDetailsByCampaign"].path
LAST_UPDATE_PATH: Final = API_ENDPOINTS["GetLastDataUpdate"].path

CATALOGUE_LIFETIME: Final = timedelta(days=1)
LAST_UPDATE_LIFETIME: Final = timedelta(minutes=10)

# Events of a range's campaigns still arrive after its end; most within days, and a month is ample.
SETTLE_AFTER: Final = timedelta(days=30)
# The API's data is updated daily (developer.optimove.com, read 2026-11).
MAX_AGE: Final = timedelta(days=1)
