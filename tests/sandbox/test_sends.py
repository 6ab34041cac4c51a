"""A campaign's sends, asked over real HTTP, against what each customer's interactions say."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import requests

from optimove_analysis.sandbox import Sandbox, World, sandbox
from optimove_analysis.sandbox.sends import SendBook
from optimove_analysis.schema import CONTROL_ACTION_ID

SENDS = "customers/GetCustomerSendDetailsByCampaign"
INTERACTIONS = "customers/GetCustomerChannelInteractions"
SENT = 1


@pytest.fixture(scope="module", params=[3, 7])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    flag = request.param == 3
    with sandbox(
        seed=request.param, customers=80, engagement_metrics=flag, quota=100_000
    ) as shared:
        yield shared


@pytest.fixture(scope="module")
def letter(box: Sandbox) -> int:
    """Return the newsletter of 4 March 2025 to the largest target group."""
    campaigns = box.world.campaigns(date(2025, 3, 4))
    return next(
        c.campaign_id for c in campaigns if c.target_group_id == 4 and "Newsletter" in c.notes
    )


def ask(box: Sandbox, path: str, **given: Any) -> requests.Response:
    url, headers = f"{box.url}/current/{path}", {"X-API-KEY": box.api_key}
    return requests.get(url, params=given, headers=headers, timeout=30)


def sends(box: Sandbox, campaign_id: int, **given: Any) -> list[dict[str, Any]]:
    response = ask(box, SENDS, CampaignID=campaign_id, **given)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()
    return rows


def test_a_campaign_was_sent_to_those_whose_interactions_say_so(box: Sandbox) -> None:
    # Weeks with a newsletter that is sent again, an A/B test, a feast, and the end of the data.
    days = [date(2025, 4, 1) + timedelta(days=n) for n in range(24)] + [date(2025, 12, 31)]
    campaigns = {c.campaign_id for day in days for c in box.world.campaigns(day)}
    said: Counter[tuple[object, ...]] = Counter()
    for customer_id in [*box.world.customer_ids(80), "841231"]:
        rows = ask(
            box, INTERACTIONS, CustomerID=customer_id, StartDate="2025-01-01", EndDate="2025-12-31"
        ).json()
        said.update(
            (customer_id, row["CampaignID"], row["Date"], row["ChannelID"], row["TemplateID"])
            for row in rows
            if row["CampaignID"] in campaigns
            and (row["EventID"], row["ActionID"] != CONTROL_ACTION_ID) == (SENT, True)
        )
    assert len(said) > 400
    assert max(said.values()) > 1  # reported twice, here as there
    found: Counter[tuple[object, ...]] = Counter()
    for campaign_id in campaigns:
        found.update(
            (s["CustomerID"], campaign_id, s["ScheduledTime"][:10], s["ChannelID"], s["TemplateID"])
            for s in sends(box, campaign_id, IncludeTemplateIDs="true")
        )
    assert found == said


def test_a_send_is_told_as_a_public_client_expects_it(box: Sandbox, letter: int) -> None:
    # The fields and types of the example in that client's tests.
    example: dict[str, object] = {
        "CustomerID": "231342", "ChannelID": 4, "ScheduledTime": "2015-12-30 10:30:00",
        "SendID": "HG65D",
    }  # fmt: skip
    rows = sends(box, letter)
    assert rows
    for row in rows:
        assert {k: type(v) for k, v in row.items()} == {k: type(v) for k, v in example.items()}
        assert len(row["ScheduledTime"]) == len("2015-12-30 10:30:00")


@pytest.mark.parametrize("spelled", ["true", "True", "TRUE"])
def test_templates_are_told_where_they_are_asked_for(
    box: Sandbox, letter: int, spelled: str
) -> None:
    plain = sends(box, letter)
    assert sends(box, letter, IncludeTemplateIDs="False") == plain
    templates = sends(box, letter, IncludeTemplateIDs=spelled)
    assert [list(row)[-1] for row in templates] == ["TemplateID"] * len(plain)
    assert [{k: row[k] for k in plain[0]} for row in templates] == plain


def test_sends_can_be_paged(box: Sandbox, letter: int) -> None:
    everything = sends(box, letter)
    paged: list[dict[str, Any]] = []
    while page := sends(box, letter, **{"$top": 3, "$skip": len(paged)}):
        paged += page
    assert paged == everything
    assert sends(box, letter, **{"$top": 0}) == []
    assert sends(box, letter, **{"$skip": len(everything)}) == []


def test_a_page_holds_a_thousand_sends_unless_told_otherwise() -> None:
    with sandbox(customers=8_000) as box:
        friday = box.world.campaigns(date(2025, 11, 28))
        black_friday = max(c.campaign_id for c in friday if c.target_group_id == 4)
        first = sends(box, black_friday)
        assert len(first) == 1_000
        rest = sends(box, black_friday, **{"$skip": 1_000})
        assert first + rest == sends(box, black_friday, **{"$top": 10_000})
        assert rest


def test_nobody_was_sent_what_failed_or_what_the_documented_sample_does_not_say(
    box: Sandbox,
) -> None:
    year = (date(2025, 1, 1) + timedelta(days=n) for n in range(365))
    failed = next(c for day in year for c in box.world.campaigns(day) if c.failed)
    assert sends(box, failed.campaign_id) == sends(box, 422) == []


@pytest.mark.parametrize(
    ("given", "status", "text"),
    [
        ({"CampaignID": "1"}, 404, "Unknown CampaignID 1."),
        ({}, 400, "Missing parameter CampaignID"),
        ({"CampaignID": "422", "IncludeTemplateIDs": "1"}, 400, "give true or false"),
        ({"CampaignID": "422", "$skip": "-1"}, 400, "whole number"),
        ({"CampaignID": "422", "IncludeTemplates": "true"}, 400, "IncludeTemplateIDs"),
    ],
)
def test_a_bad_request_for_sends_is_told_what_is_wrong(
    box: Sandbox, given: dict[str, str], status: int, text: str
) -> None:
    response = ask(box, SENDS, **given)
    assert response.status_code == status
    assert text in response.text


def test_what_is_kept_of_the_customers_has_a_bound() -> None:
    def held(kept: int) -> int:
        world = World(customers=1_000)
        world.plan.of_group(4)  # the campaigns, which are not what is measured
        letter = next(
            c
            for c in world.campaigns(date(2025, 3, 4))
            if c.target_group_id == 4 and c.kind != "Test"
        )
        tracemalloc.start()
        book = SendBook(world, kept=kept)
        assert len(list(book.of(letter))) > 50
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return size

    few, many = held(10), held(1_000)
    assert few < 200_000
    assert 1_000 < (many - few) / 150 < 10_000  # bytes a customer, of some 150 that were looked at
