"""The table of endpoints: a path, its parameters, and what answers it. A new one is one row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from optimove_analysis.sandbox.access import Tokens
from optimove_analysis.sandbox.life import arm_of
from optimove_analysis.sandbox.parameters import Refusal
from optimove_analysis.sandbox.plan import Campaign
from optimove_analysis.sandbox.sends import SendBook
from optimove_analysis.sandbox.tenant import (
    ACTIONS,
    SAMPLE_CHANNEL,
    TARGET_GROUPS,
    TEMPLATE_BASE,
    template_names,
)
from optimove_analysis.sandbox.world import World
from optimove_analysis.schema import ACTIONS as ACTION_TABLE
from optimove_analysis.schema import (
    API_ENDPOINTS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    SENDS,
    TEMPLATES,
    TEST_ENVIRONMENT_CHANNELS,
    Table,
)
from optimove_analysis.schema import TARGET_GROUPS as TARGET_GROUP_TABLE

__all__ = ["ENDPOINTS", "Endpoint", "Json", "Tenant"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose data is served: the world, the account's compatibility flag, and who may ask."""

    world: World
    engagement_metrics: bool
    api_key: str
    tokens: Tokens
    sends: SendBook


Arguments: TypeAlias = Mapping[str, Any]
Json: TypeAlias = str | dict[str, Any] | list[dict[str, Any]]
Answer: TypeAlias = Callable[[Tenant, Arguments], Json]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table."""

    path: str
    """Below ``/current/``."""
    answer: Answer
    needs: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    method: str = "GET"
    """A POST takes its parameters as one JSON object."""
    open: bool = False
    """Whether it asks for no key."""

    @property
    def url_path(self) -> str:
        """The path as a request has it."""
        return f"/current/{self.path}"

    @property
    def function(self) -> str:
        """The function's name: the path's last part."""
        return self.path.rpartition("/")[2]


def _interactions(tenant: Tenant, given: Arguments, *, always_new: bool = False) -> Json:
    # An unknown customer gets an empty list; what the real API answers is not documented.
    return tenant.world.interactions(
        given["CustomerID"],
        given["StartDate"],
        given["EndDate"],
        engagement_metrics=always_new or tenant.engagement_metrics,
    )


def _engagement_metrics(tenant: Tenant, given: Arguments) -> Json:
    return _interactions(tenant, given, always_new=True)


def _rows(table: Table, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Json:
    fields = [table[column].api for column in columns]
    return [dict(zip(fields, row, strict=True)) for row in rows]


def _channels(_tenant: Tenant, _given: Arguments) -> Json:
    named = [(i, name) for i, (name, _) in TEST_ENVIRONMENT_CHANNELS.items()]
    return _rows(CHANNELS, ("channel_id", "channel_name"), named)


def _actions(_tenant: Tenant, _given: Arguments) -> Json:
    return _rows(ACTION_TABLE, ("action_id", "action_name"), ACTIONS.items())


def _templates(_tenant: Tenant, given: Arguments) -> Json:
    names = template_names(given["ChannelID"])
    if not names:
        known = ", ".join(map(str, (*TEMPLATE_BASE, SAMPLE_CHANNEL)))
        raise Refusal(404, f"Unknown ChannelID {given['ChannelID']}; this account has {known}.")
    return _rows(TEMPLATES, ("template_id", "template_name"), names.items())


def _details(campaign: Campaign) -> dict[str, Any]:
    flag = {False: "false", True: "true"}  # as text, as a public client's tests have them
    return dict(
        zip(
            [CAMPAIGNS[column].api for column in CAMPAIGNS.names],
            (
                campaign.campaign_id,
                campaign.target_group_id,
                campaign.kind,
                7,
                0 if campaign.triggered else 1,
                campaign.notes,
                flag[len(campaign.channels) > 1],
                flag[campaign.recurring],
                "Failed" if campaign.failed else "Successful",
                "The channel did not take the list" if campaign.failed else "",
            ),
            strict=True,
        )
    )


def _campaigns(tenant: Tenant, given: Arguments) -> Json:
    return [_details(campaign) for campaign in tenant.world.campaigns(given["Date"])]


def _known_campaign(tenant: Tenant, given: Arguments) -> Campaign:
    campaign = tenant.world.campaign(given["CampaignID"])
    if campaign is None:
        raise Refusal(404, f"Unknown CampaignID {given['CampaignID']}.")
    return campaign


def _campaign(tenant: Tenant, given: Arguments) -> Json:
    return _details(_known_campaign(tenant, given))


def _last_update(tenant: Tenant, _given: Arguments) -> Json:
    return {"Date": tenant.world.last_data_update.isoformat()}


def _target_groups(_tenant: Tenant, _given: Arguments) -> Json:
    return _rows(
        TARGET_GROUP_TABLE,
        ("target_group_id", "target_group_name", "target_group_priority"),
        ((i, group.name, i) for i, group in TARGET_GROUPS.items()),
    )


_PAGE: Final = 1_000  # customers a page unless $top says otherwise; the real size is not documented


def _customer_actions(tenant: Tenant, given: Arguments) -> Json:
    """Answer with a target group's members as they are at the last update; one row a customer."""
    world, group = tenant.world, given["TargetGroupID"]
    if group not in TARGET_GROUPS:
        known = ", ".join(map(str, TARGET_GROUPS))
        raise Refusal(404, f"Unknown TargetGroupID {group}; this account has {known}.")
    day = world.plan.on(given["Date"].toordinal())
    aimed = [c for c in day if c.target_group_id == group and not c.failed]
    if not aimed:
        return []
    campaign = aimed[-1]  # the day's chief one: a promotion, else the newsletter, else the deal
    members = islice(world.members(group, given.get("$skip", 0)), given.get("$top", _PAGE))
    return _rows(
        CUSTOMERS,
        ("customer_id", "action_id", "channel_id"),
        ((i, arm_of(world.seed, campaign, i)[1], campaign.channels[0]) for i in members),
    )


def _send_details(tenant: Tenant, given: Arguments) -> Json:
    """Answer with a campaign's sends; the fields are those of a public client's tests.

    ScheduledTime is written as there, ``2015-12-30 10:30:00``, and no zone is documented: here it
    is the instant of the send on the account's own clock. What a SendID stands for is not
    documented either: here one execution on one channel and day.
    """
    begin, number = given.get("$skip", 0), given.get("$top", _PAGE)
    sends = islice(tenant.sends.of(_known_campaign(tenant, given)), begin, begin + number)
    columns = ("customer_id", "channel_id", "scheduled_time", "send_id")
    rows: list[tuple[Any, ...]] = [
        (send.customer_id, send.channel_id, send.scheduled_time, send.send_id, send.template_id)
        for send in sends
    ]
    if given.get("IncludeTemplateIDs"):
        return _rows(SENDS, (*columns, "template_id"), rows)
    return _rows(SENDS, columns, (row[:-1] for row in rows))


def _login(tenant: Tenant, given: Arguments) -> Json:
    user, password = given.get("Username", ""), given.get("Password", "")
    if (user, password) != ("sandbox", tenant.api_key):
        raise Refusal(
            401,
            "Logins with user and password ended on 2024-02-01: send an API key in the header "
            "X-API-KEY. (For old programs the sandbox knows the user 'sandbox', whose password "
            "is its key.)",
        )
    return tenant.tokens.new()


def _row(function: str, answer: Answer) -> Endpoint:
    """Return a row whose path and parameters are the ones that the client knows too."""
    known = API_ENDPOINTS[function]
    return Endpoint(known.path, answer, known.needs, known.allows, known.method)


ENDPOINTS: Final = (
    _row("GetCustomerChannelInteractions", _interactions),
    # No public page names its path and parameters: these are assumed.
    _row("GetCampaignEngagementMetrics", _engagement_metrics),
    _row("GetCustomerActionsByTargetGroup", _customer_actions),
    _row("GetCustomerSendDetailsByCampaign", _send_details),
    _row("GetExecutionChannels", _channels),
    _row("GetAllActions", _actions),
    _row("GetExecutedCampaignDetails", _campaigns),
    _row("GetCampaignDetails", _campaign),
    _row("GetChannelTemplates", _templates),
    _row("GetTargetGroupDetails", _target_groups),
    _row("GetLastDataUpdate", _last_update),
    Endpoint("general/login", _login, allows=("Username", "Password"), method="POST", open=True),
)
