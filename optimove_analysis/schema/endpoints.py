"""The API's functions: where each is, what it takes, and how sure that is.

One source for the client, the sandbox and the form in which a user tries them. Each row says where
it is from: **D** Optimove's public reference (developer.optimove.com), **C** what the public client
`optimove` 2.0.0 and its tests ask for, **I** our inference, which `ApiEndpoint.assumed` tells the
user too. All were read 2026-11.

>>> API_ENDPOINTS["GetLastDataUpdate"].path
'general/GetLastDataUpdate'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optimove_analysis.schema.endpoint import ApiEndpoint, ApiParameter
from optimove_analysis.schema.names import (
    ACTIONS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    SENDS,
    TARGET_GROUPS,
    TEMPLATES,
)
from optimove_analysis.schema.rows import INTERACTIONS

__all__ = ["API_ENDPOINTS"]

_CUSTOMER: Final = ApiParameter(
    "CustomerID", "text", "The customer's id: text, so leading zeros count.", "841231"
)
_START: Final = ApiParameter("StartDate", "day", "The first day of the sends.", "2018-08-19")
_END: Final = ApiParameter("EndDate", "day", "The last day of the sends.", "2018-09-19")
_RANGE: Final = (_CUSTOMER, _START, _END)  # D: all three are in the sample request, and no other

# The examples are the ids of the documented sample (D), which the sandbox knows too, but for the
# target group and the send, which are ours.
_CAMPAIGN: Final = ApiParameter(
    "CampaignID",
    "number",
    "One execution of a campaign, as GetExecutedCampaignDetails has it.",
    "422",
)
_CHANNEL: Final = ApiParameter(
    "ChannelID", "number", "An execution channel, as GetExecutionChannels has it.", "7"
)
_ACTION: Final = ApiParameter(
    "ActionID", "number", "A marketing action, as GetAllActions has it.", "26"
)
_GROUP: Final = ApiParameter(
    "TargetGroupID", "number", "A target group, as GetTargetGroupDetails has it.", "4"
)
_RECIPIENTS: Final = ApiParameter(
    "RecipientGroupID", "number", "1 is the test group, or group A of an A/B campaign.", "1"
)
_EXECUTED: Final = ApiParameter("Date", "day", "The day of the execution.", "2018-08-20")
# C: on functions that list customers. Neither the default page nor its limit is documented.
_PAGE: Final = (
    ApiParameter(
        "$top",
        "number",
        "At most so many customers; the API's default is not documented.",
        "1000",
        required=False,
    ),
    ApiParameter(
        "$skip", "number", "So many customers are left out before the first.", "0", required=False
    ),
)
_ATTRIBUTES: Final = ApiParameter(
    "CustomerAttributes",
    "text",
    "Attributes to give with each customer; how several are written is not documented.",
    "FIRST_NAME",
    required=False,
)

_ALL: Final = (
    ApiEndpoint(  # D
        "customers/GetCustomerChannelInteractions",
        "The details of a customer's interactions with campaigns sent during a range of days.",
        _RANGE,
        INTERACTIONS,
    ),
    ApiEndpoint(  # D that it is announced; I the rest
        "customers/GetCampaignEngagementMetrics",
        "The announced successor: engagement with scheduled and triggered campaigns.",
        _RANGE,
        INTERACTIONS,
        assumed="Its path, parameters and fields are on no public page: they are assumed.",
    ),
    ApiEndpoint(  # C
        "actions/GetExecutionChannels",
        "The account's execution channels, with their names.",
        table=CHANNELS,
    ),
    ApiEndpoint(  # C
        "actions/GetAllActions",
        "The account's marketing actions, with their names.",
        table=ACTIONS,
    ),
    ApiEndpoint(  # C
        "actions/GetActionName",
        "The name of one marketing action.",
        (_ACTION,),
        ACTIONS,
        constants=("ActionID",),
        one=True,
    ),
    ApiEndpoint(  # C
        "actions/GetExecutedCampaignDetails",
        "The campaigns executed on a day.",
        (_EXECUTED,),
        CAMPAIGNS,
    ),
    ApiEndpoint(  # C
        "actions/GetCampaignDetails",
        "One campaign.",
        (_CAMPAIGN,),
        CAMPAIGNS,
        one=True,
    ),
    ApiEndpoint(  # C
        "actions/GetExecutedCampaignsByChannel",
        "The ids of the campaigns executed on a channel and day.",
        (_CHANNEL, _EXECUTED),
    ),
    ApiEndpoint(  # C
        "actions/GetExecutedCampaignChannelDetails",
        "The sends of a campaign on a channel: their template and time.",
        (_CAMPAIGN, _CHANNEL),
    ),
    ApiEndpoint(  # C
        "integrations/GetChannelTemplates",
        "The templates of a channel, with their names.",
        (_CHANNEL,),
        TEMPLATES,
        constants=("ChannelID",),
    ),
    ApiEndpoint(  # C
        "groups/GetTargetGroupDetails",
        "The account's target groups, with their names.",
        table=TARGET_GROUPS,
    ),
    ApiEndpoint(  # C
        "groups/GetTargetGroupsByDate",
        "The ids of the target groups that were targeted on a day.",
        (_EXECUTED,),
    ),
    ApiEndpoint(  # C
        "customers/GetCustomersByAction",
        "The customers who were given a marketing action on a day.",
        (_RECIPIENTS, _ACTION, _EXECUTED, _ATTRIBUTES, *_PAGE),
    ),
    ApiEndpoint(  # C, but for the paging
        "customers/GetCustomerActionsByTargetGroup",
        "The customers of a target group on a day, with their action and channel.",
        (_GROUP, _EXECUTED, *_PAGE),
        CUSTOMERS,
        assumed="Whether it can be paged with $top and $skip is assumed.",
    ),
    ApiEndpoint(  # C
        "customers/GetCustomerSendDetailsByCampaign",
        "Who was sent a campaign, on which channel and when.",
        (
            _CAMPAIGN,
            ApiParameter(
                "IncludeTemplateIDs",
                "flag",
                "Whether to give the template too.",
                "True",
                required=False,
            ),
            *_PAGE,
        ),
        SENDS,
        constants=("CampaignID",),
    ),
    ApiEndpoint(  # C
        "customers/GetCustomerSendDetailsByChannel",
        "Who was sent a campaign on one channel, and when.",
        (_CHANNEL, _CAMPAIGN, _ATTRIBUTES, *_PAGE),
    ),
    ApiEndpoint(  # D that it exists; I the rest
        "customers/GetCampaignInteractionCustomers",
        "The customers who interacted with a campaign in a given way.",
        (
            _CAMPAIGN,
            ApiParameter(
                "EventID", "number", "The kind of interaction; no public page lists them.", "2"
            ),
            _CHANNEL,
            ApiParameter(
                "TemplateID", "number", "A template of the channel.", "13", required=False
            ),
            *_PAGE,
        ),
        assumed="That it exists is documented; its parameters and fields are assumed.",
    ),
    ApiEndpoint(  # D; the field is C
        "general/GetLastDataUpdate",
        "The day through which the account's data is complete.",
        one=True,
    ),
)

API_ENDPOINTS: Final[Mapping[str, ApiEndpoint]] = {one.name: one for one in _ALL}
"""The functions that can be asked with a key, by name, those about one customer first."""
