"""What turns ids into names: the catalogues, as the API gives them."""

from __future__ import annotations

from typing import Final

import polars as pl

from optimove_analysis.schema.rows import ID, IDS, TEXT
from optimove_analysis.schema.table import Column, Table

__all__ = ["ACTIONS", "CAMPAIGNS", "CHANNELS", "CUSTOMERS", "SENDS", "TARGET_GROUPS", "TEMPLATES"]

_CUSTOMER_ID, _CAMPAIGN_ID, _, _ACTION_ID, _CHANNEL_ID, _TEMPLATE_ID = IDS


def _api(dtype: pl.DataType, name: str, field: str, label: str, what: str) -> Column:
    return Column(name, dtype, label, what, "the API gave none", field)


_ITS_NAME: Final = "The account's name of it."
_FLAG: Final = pl.Boolean()
_TARGET_GROUP_ID = _api(
    ID, "target_group_id", "TargetGroupID", "Target group id", "Whom the campaign went to."
)

CHANNELS: Final = Table(
    "channels",
    "One row an execution channel of the account.",
    (_CHANNEL_ID, _api(TEXT, "channel_name", "ChannelName", "Channel", _ITS_NAME)),
)

ACTIONS: Final = Table(
    "actions",
    "One row a marketing action of the account.",
    (_ACTION_ID, _api(TEXT, "action_name", "ActionName", "Action name", _ITS_NAME)),
)

TEMPLATES: Final = Table(
    "templates",
    "One row a template of a channel.",
    (
        _CHANNEL_ID,
        _TEMPLATE_ID,
        _api(TEXT, "template_name", "TemplateName", "Template name", _ITS_NAME),
    ),
)

CAMPAIGNS: Final = Table(
    "campaigns",
    "One row an executed campaign.",
    (
        _CAMPAIGN_ID,
        _TARGET_GROUP_ID,
        _api(TEXT, "campaign_type", "CampaignType", "Type", "Test/Control, A/B, ..."),
        _api(ID, "duration", "Duration", "Duration", "Days for which the campaign is measured."),
        _api(ID, "lead_time", "LeadTime", "Lead time", "Days between targeting and send."),
        _api(TEXT, "notes", "Notes", "Notes", "The marketer's remarks."),
        _api(
            _FLAG,
            "is_multi_channel",
            "IsMultiChannel",
            "Multi-channel",
            'Sent over several channels (the API says "true" or "false").',
        ),
        _api(
            _FLAG,
            "is_recurrence",
            "IsRecurrence",
            "Recurring",
            'One of a series (the API says "true" or "false").',
        ),
        _api(TEXT, "status", "Status", "Status", "How the execution ended."),
        _api(TEXT, "error", "Error", "Error", "What went wrong, if anything."),
    ),
)

TARGET_GROUPS: Final = Table(
    "target groups",
    "One row a target group of the account.",
    (
        _TARGET_GROUP_ID,
        _api(TEXT, "target_group_name", "TargetGroupName", "Target group", _ITS_NAME),
        _api(ID, "target_group_priority", "TargetGroupPriority", "Priority", "1 is the highest."),
    ),
)

CUSTOMERS: Final = Table(
    "customers",
    "One row a customer of a target group, with the action and channel it was given.",
    (_CUSTOMER_ID, _ACTION_ID, _CHANNEL_ID),
)

SENDS: Final = Table(
    "sends",
    "One row a send of a campaign to a customer.",
    (
        _CUSTOMER_ID,
        _CAMPAIGN_ID,
        _CHANNEL_ID,
        _TEMPLATE_ID,
        _api(
            TEXT,
            "scheduled_time",
            "ScheduledTime",
            "Scheduled time",
            "Day and time of the send as the API writes them; the time's zone is not documented.",
        ),
        _api(TEXT, "send_id", "SendID", "Send", "The channel's id of the send."),
    ),
)
