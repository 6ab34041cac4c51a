"""Channels, actions, templates, campaigns, target groups and their customers."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from optimove_analysis import Catalogue
from optimove_analysis.client import OptimoveClient
from optimove_analysis.errors import ApiError, InputError, SchemaError
from optimove_analysis.sandbox import Sandbox
from optimove_analysis.schema import (
    ACTIONS,
    CAMPAIGNS,
    CHANNELS,
    CUSTOMERS,
    TARGET_GROUPS,
    TEMPLATES,
)


def test_the_catalogues_are_typed_and_asked_for_once(box: Sandbox, client: OptimoveClient) -> None:
    for _ in range(2):
        assert client.channels().schema == CHANNELS.schema
        assert client.actions().schema == ACTIONS.schema
        assert client.target_groups().schema == TARGET_GROUPS.schema
        assert client.templates(504)["channel_id"].unique().to_list() == [504]
    assert box.count() == 4
    assert client.catalogue() == Catalogue()


def test_a_catalogue_takes_what_the_api_does_not_say(client: OptimoveClient) -> None:
    mine = client.catalogue(events={101: "sent"}, kinds={510: "push"}, reports_sent=True)
    assert (mine.event(101), mine.kind(510), mine.reports_sent) == ("sent", "push", True)
    assert mine.channel(504) == "E-mail"
    with pytest.raises(InputError, match="event meaning"):
        client.catalogue(events={101: "seen"})  # type: ignore[dict-item] # no meaning


def test_templates_of_all_channels_are_those_of_each(client: OptimoveClient) -> None:
    channels = client.channels()["channel_id"].to_list()
    everything = client.templates()
    assert everything.schema == TEMPLATES.schema
    assert everything.equals(pl.concat([client.templates(one) for one in channels]))
    assert everything.equals(client.templates(channels))
    with pytest.raises(ApiError, match="404"):
        client.templates(99)
    with pytest.raises(InputError, match="whole numbers"):
        client.templates(["mail"])  # type: ignore[list-item] # what is tested


def test_a_kept_answer_that_does_not_fit_is_asked_for_again(
    box: Sandbox, client: OptimoveClient
) -> None:
    box.answer("GetExecutionChannels", body=b'[{"Message": "back at noon"}]')
    with pytest.raises(SchemaError, match="'Message'"):
        client.channels()
    assert client.channels().height > 1
    assert client.channels().height > 1
    assert box.count() == 2


def test_campaigns_are_those_of_a_day_of_days_or_of_ids(client: OptimoveClient) -> None:
    one, two = client.campaigns("2025-10-01"), client.campaigns(date(2025, 10, 2))
    assert one.schema == CAMPAIGNS.schema
    assert client.campaigns(["2025-10-01", "2025-10-02"]).equals(pl.concat([one, two]))
    ids = one["campaign_id"].head(2).to_list()
    assert client.campaigns(campaign_ids=ids).equals(one.head(2))
    with pytest.raises(InputError, match="one of the two"):
        client.campaigns()
    with pytest.raises(InputError, match="one of the two"):
        client.campaigns("2025-10-01", campaign_ids=1)
    with pytest.raises(InputError, match="no day"):
        client.campaigns([])
    with pytest.raises(InputError, match="None is not a day"):
        client.campaigns(["2025-10-01", None])  # type: ignore[list-item] # what is tested
    with pytest.raises(InputError, match="campaign_ids"):
        client.campaigns(campaign_ids=[])


@pytest.mark.parametrize("page_size", [0, -1])
def test_a_page_that_holds_nobody_is_refused(page_size: int, client: OptimoveClient) -> None:
    with pytest.raises(InputError, match="page_size"):
        client.customers(1, "2025-11-28", page_size=page_size)


@pytest.mark.parametrize("page_size", [None, 300, 1_000, 5_000])
def test_all_customers_of_a_group_come_whatever_the_page(
    page_size: int | None, box: Sandbox, client: OptimoveClient
) -> None:
    frame = client.customers(2, "2025-10-01", page_size=page_size)
    assert frame.schema == CUSTOMERS.schema
    # A group of 3 in 20 customers of 5,000.
    assert frame["customer_id"].n_unique() == frame.height
    assert frame["customer_id"].to_list() == list(box.world.members(2, 0))


@pytest.mark.parametrize("ignored", [True, False])
def test_an_api_that_does_not_page_gives_all_at_once(
    ignored: bool,  # noqa: FBT001 - a case
    box: Sandbox,
    client: OptimoveClient,
) -> None:
    page = b'[{"CustomerID": "a", "ActionID": 2, "ChannelID": 504}]'
    box.answer("GetCustomerActionsByTargetGroup", body=page)
    if ignored:
        box.answer("GetCustomerActionsByTargetGroup", body=page)
    else:
        box.answer("GetCustomerActionsByTargetGroup", status=400, body=b"Unknown $skip")
    assert client.customers(4, "2025-10-01").rows() == [("a", 2, 504)]
