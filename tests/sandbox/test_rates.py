"""What the world's rows add up to, reckoned in plain Python: plausible rates, oddities present."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from functools import cache
from typing import NamedTuple

from optimove_analysis.sandbox import World
from optimove_analysis.sandbox.messages import Event
from optimove_analysis.schema import CONTROL_ACTION_ID, EVENT_IDS, KIND_STAGES
from optimove_analysis.schema import TEST_ENVIRONMENT_CHANNELS as CHANNELS

YEAR = (date(2025, 1, 1), date(2025, 12, 31))
SENT, DELIVERED, OPENED, CLICKED, UNSUBSCRIBED, BOUNCED, _SPAM = EVENT_IDS
CHANNEL = {kind: channel for channel, (_, kind) in CHANNELS.items()}


class Key(NamedTuple):
    customer_id: str
    campaign_id: int
    channel_id: int
    sent_on: int


@cache
def events() -> dict[str, list[Event]]:
    world = World()
    return {i: world.events(i, *YEAR) for i in world.customer_ids(500)}


@cache
def messages() -> dict[Key, set[int]]:
    found: dict[Key, set[int]] = defaultdict(set)
    for customer_id, rows in events().items():
        for e in rows:
            if e.action_id != CONTROL_ACTION_ID:
                key = Key(customer_id, e.campaign_id, e.channel_id, e.sent_on)
                found[key].add(e.event_id)
    return found


def rate(kind: str, event: int, of: int = SENT) -> float:
    on_channel = [
        seen for key, seen in messages().items() if key.channel_id == CHANNEL[kind] and of in seen
    ]
    assert len(on_channel) > 100
    return sum(event in seen for seen in on_channel) / len(on_channel)


def test_a_customer_gets_some_60_to_130_messages_a_year():
    counts = sorted(Counter(key.customer_id for key in messages()).values())
    assert 85 < sum(counts) / len(counts) < 120
    assert counts[len(counts) // 10] > 50
    assert counts[len(counts) * 9 // 10] < 150


def test_email_rates_are_plausible():
    assert 0.96 < rate("email", DELIVERED) < 0.985
    assert 0.015 < rate("email", BOUNCED) < 0.03
    assert 0.30 < rate("email", OPENED, DELIVERED) < 0.40
    assert 0.03 < rate("email", CLICKED, DELIVERED) < 0.05
    assert 0.0005 < rate("email", UNSUBSCRIBED, DELIVERED) < 0.004


def test_the_other_channels_rates_are_plausible():
    assert 0.96 < rate("sms", DELIVERED) < 0.99
    assert 0.05 < rate("sms", CLICKED, DELIVERED) < 0.08
    assert 0.90 < rate("push", DELIVERED) < 0.95
    assert 0.03 < rate("push", CLICKED, DELIVERED) < 0.05
    assert 0.02 < rate("web_push", CLICKED, DELIVERED) < 0.05
    assert 0.08 < rate("in_app", CLICKED) < 0.12


def test_a_channel_has_only_the_events_of_its_stages():
    seen: dict[int, set[int]] = defaultdict(set)
    for rows in events().values():
        for event in rows:
            seen[event.channel_id].add(event.event_id)
    for channel, (_, kind) in CHANNELS.items():
        stages = {i for i, meaning in EVENT_IDS.items() if meaning in KIND_STAGES[kind]}
        assert seen[channel] & {SENT, DELIVERED, OPENED, CLICKED} == stages


def test_web_push_breaks_down_for_three_days_in_september():
    def share(days: range) -> float:
        of = [s for k, s in messages().items() if k.channel_id == CHANNEL["web_push"]
              and k.sent_on in days and SENT in s]  # fmt: skip
        assert len(of) > 50
        return sum(DELIVERED in s for s in of) / len(of)

    first = date(2025, 9, 9).toordinal()
    assert share(range(first, first + 3)) < 0.2
    assert share(range(first - 28, first)) > 0.8
    assert share(range(first + 3, first + 31)) > 0.8


def test_most_opens_come_at_once_and_some_late():
    waits = Counter(
        e.day - e.sent_on for rows in events().values() for e in rows if e.event_id == OPENED
    )
    total = waits.total()
    assert (waits[0] + waits[1]) / total > 0.7
    assert 0.005 < sum(n for days, n in waits.items() if days > 7) / total < 0.08


def test_no_open_or_click_comes_before_its_send_but_for_the_orphans():
    early = [e for rows in events().values() for e in rows if e.day < e.sent_on]
    assert {e.event_id for e in early} == {CLICKED}
    assert 0 < len(early) / sum(map(len, events().values())) < 0.004


def test_customers_are_unlike_and_some_never_engage():
    def clicks(kind: str) -> dict[str, int]:
        return Counter(
            k.customer_id
            for k, s in messages().items()
            if k.channel_id == CHANNEL[kind] and CLICKED in s
        )

    email, push = clicks("email"), clicks("push")
    fans_of_push = [i for i in push if push[i] >= 3 and email.get(i, 0) <= 1]
    fans_of_email = [i for i in email if email[i] >= 4 and push.get(i, 0) == 0]
    assert fans_of_push
    assert fans_of_email
    # Orphans are clicks too, so a customer who never engages can still have one.
    silent = sum(email.get(i, 0) + push.get(i, 0) == 0 for i in events())
    assert 0.08 < silent / len(events()) < 0.35


def test_pressure_and_template_tell():
    # More messages in the last seven days, fewer clicks: a world with twice the fatigue would
    # show it more. Template B of an A/B campaign is the stronger one.
    reads: dict[str, list[bool]] = {"A": [], "B": []}
    world = World()
    for rows in events().values():
        for e in rows:
            campaign = world.campaign(e.campaign_id) if e.event_id == SENT else None
            if campaign and campaign.kind == "A/B" and e.channel_id == CHANNEL["email"]:
                seen = {o.event_id for o in rows if o.campaign_id == e.campaign_id}
                reads["AB"[e.recipient_group_id - 1]].append(OPENED in seen)
    a, b = (sum(of) / len(of) for of in reads.values())
    assert b > 1.1 * a


def test_who_leaves_a_channel_gets_nothing_more_there():
    leavers = 0
    for rows in events().values():
        for e in rows:
            if e.event_id == UNSUBSCRIBED:
                leavers += 1
                later = [o for o in rows if o.channel_id == e.channel_id and o.sent_on > e.day]
                assert later == []
    assert leavers > 20


def test_rows_are_in_order_of_date_then_campaign():
    for rows in events().values():
        order = [(e.day, e.campaign_id) for e in rows]
        assert order == sorted(order)


def test_the_oddities_are_there_and_rare():
    rows = [e for of in events().values() for e in of]
    n = len(rows)
    twice = sum(len(of) - len(set(of)) for of in events().values())
    assert 0.01 < twice / n < 0.02
    assert 0.002 < sum(SENT not in seen for seen in messages().values()) / len(messages()) < 0.01
    assert 0 < sum({BOUNCED, DELIVERED} <= seen for seen in messages().values()) < n / 500
    assert 0 < sum(e.event_id == 17 for e in rows) < n / 100
    assert {e.event_id for e in rows} == {*EVENT_IDS, 17}
    control = [e for e in rows if e.action_id == CONTROL_ACTION_ID]
    assert 0 < len(control) < n / 200
    assert {(e.event_id, e.recipient_group_id, e.template_id) for e in control} == {(SENT, 2, None)}
    assert 0 < sum(e.template_id is None for e in rows) - len(control) < n / 100
    sends = Counter(
        (i, e[1], e[3:]) + (e.day, e.second) for i, of in events().items() for e in set(of)
        if e.event_id == SENT
    )  # fmt: skip
    on_a_day = Counter((i, campaign, day) for (i, campaign, _, day, _) in sends)
    assert 0 < sum(k > 1 for k in on_a_day.values())


def test_scheduled_and_triggered_campaigns_are_both_there():
    triggered = sum(World().campaign(k.campaign_id).triggered for k in list(messages())[:3000])  # type: ignore[union-attr] # every event has its campaign: tested elsewhere
    assert 0.02 < triggered / 3000 < 0.15
