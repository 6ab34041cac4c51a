"""What the world's rows add up to, reckoned in plain Python: plausible rates, oddities present."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from functools import cache
from typing import NamedTuple

from optimove_analysis.sandbox import World
from optimove_analysis.sandbox.chance import stream
from optimove_analysis.sandbox.messages import Event, Message
from optimove_analysis.schema import CONTROL_ACTION_ID, EVENT_IDS, KIND_STAGES
from optimove_analysis.schema import TEST_ENVIRONMENT_CHANNELS as CHANNELS

YEAR = (date(2025, 1, 1), date(2025, 12, 31))
SENT, DELIVERED, OPENED, CLICKED, UNSUBSCRIBED, BOUNCED, _SPAM = EVENT_IDS
CHANNEL: dict[str, int] = {kind: channel for channel, (_, kind) in CHANNELS.items()}


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


def test_a_customer_gets_some_60_to_130_messages_a_year() -> None:
    counts = sorted(Counter(key.customer_id for key in messages()).values())
    assert 85 < sum(counts) / len(counts) < 120
    assert counts[len(counts) // 10] > 50
    assert counts[len(counts) * 9 // 10] < 150


def test_email_rates_are_plausible() -> None:
    assert 0.96 < rate("email", DELIVERED) < 0.985
    assert 0.015 < rate("email", BOUNCED) < 0.03
    assert 0.30 < rate("email", OPENED, DELIVERED) < 0.40
    assert 0.03 < rate("email", CLICKED, DELIVERED) < 0.05
    assert 0.0005 < rate("email", UNSUBSCRIBED, DELIVERED) < 0.004


def test_the_other_channels_rates_are_plausible() -> None:
    assert 0.96 < rate("sms", DELIVERED) < 0.99
    assert 0.05 < rate("sms", CLICKED, DELIVERED) < 0.08
    assert 0.90 < rate("push", DELIVERED) < 0.95
    assert 0.03 < rate("push", CLICKED, DELIVERED) < 0.05
    assert 0.02 < rate("web_push", CLICKED, DELIVERED) < 0.05
    assert 0.08 < rate("in_app", CLICKED) < 0.12


def test_a_channel_has_only_the_events_of_its_stages() -> None:
    seen: dict[int, set[int]] = defaultdict(set)
    for rows in events().values():
        for event in rows:
            seen[event.channel_id].add(event.event_id)
    for channel, (_, kind) in CHANNELS.items():
        stages = {i for i, meaning in EVENT_IDS.items() if meaning in KIND_STAGES[kind]}
        assert seen[channel] & {SENT, DELIVERED, OPENED, CLICKED} == stages


def test_web_push_breaks_down_for_three_days_in_september() -> None:
    def share(days: range) -> float:
        of = [s for k, s in messages().items() if k.channel_id == CHANNEL["web_push"]
              and k.sent_on in days and SENT in s]  # fmt: skip
        assert len(of) > 50
        return sum(DELIVERED in s for s in of) / len(of)

    first = date(2025, 9, 9).toordinal()
    assert share(range(first, first + 3)) < 0.2
    assert share(range(first - 28, first)) > 0.8
    assert share(range(first + 3, first + 31)) > 0.8


def test_most_opens_come_at_once_and_some_late() -> None:
    waits = Counter(
        e.day - e.sent_on for rows in events().values() for e in rows if e.event_id == OPENED
    )
    total = waits.total()
    assert (waits[0] + waits[1]) / total > 0.7
    assert 0.005 < sum(n for days, n in waits.items() if days > 7) / total < 0.08


def test_no_open_or_click_comes_before_its_send_but_for_the_orphans() -> None:
    early = [e for rows in events().values() for e in rows if e.day < e.sent_on]
    assert {e.event_id for e in early} == {CLICKED}
    assert 0 < len(early) / sum(map(len, events().values())) < 0.004


def test_customers_are_unlike_and_some_never_engage() -> None:
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


def test_template_b_of_an_a_b_campaign_is_the_stronger_one() -> None:
    world = World()
    opened: dict[int, list[bool]] = {1: [], 2: []}
    for rows in events().values():
        seen: dict[tuple[int, int], set[int]] = defaultdict(set)
        for e in rows:
            if e.channel_id == CHANNEL["email"]:
                seen[e.campaign_id, e.recipient_group_id].add(e.event_id)
        for (campaign_id, group), of in seen.items():
            campaign = world.campaign(campaign_id)
            if campaign and campaign.kind == "A/B" and DELIVERED in of:
                opened[group].append(OPENED in of)
    a, b = (sum(of) / len(of) for of in opened.values())
    assert b > 1.1 * a


def test_many_messages_in_the_last_days_tire_the_reader() -> None:
    world = World()
    campaign = world.plan.of_group(4)[-1]._replace(channels=(CHANNEL["email"],))

    def share_opened(recent: int) -> float:
        opened = []
        for customer_id in events():
            who = world.customer(customer_id)
            assert who is not None
            message = Message(
                stream(customer_id),
                who,
                campaign,
                sent=(campaign.day, 36_000),
                channel_id=CHANNEL["email"],
                arm=(1, campaign.action_id, None),
                strength=1.0,
                recent=recent,
            )
            opened.append(OPENED in {e.event_id for e in message.events()})
        return sum(opened) / len(opened)

    assert share_opened(0) > 1.2 * share_opened(10)


def test_who_leaves_a_channel_gets_nothing_more_there() -> None:
    leavers = 0
    for rows in events().values():
        for e in rows:
            if e.event_id == UNSUBSCRIBED:
                leavers += 1
                later = [o for o in rows if o.channel_id == e.channel_id and o.sent_on > e.day]
                assert later == []
    assert leavers > 20


def test_rows_are_in_order_of_date_then_campaign() -> None:
    for rows in events().values():
        order = [(e.day, e.campaign_id) for e in rows]
        assert order == sorted(order)


def test_the_oddities_are_there_and_rare() -> None:
    rows = [e for of in events().values() for e in of]
    n = len(rows)
    twice = sum(len(of) - len(set(of)) for of in events().values())
    assert 0.01 < twice / n < 0.02
    assert 0.002 < sum(SENT not in seen for seen in messages().values()) / len(messages()) < 0.01
    conflicts = sum(seen >= {BOUNCED, DELIVERED} for seen in messages().values())
    assert 0 < conflicts < n / 500
    assert 0 < sum(e.event_id == 17 for e in rows) < n / 100
    assert {e.event_id for e in rows} == {*EVENT_IDS, 17}
    control = [e for e in rows if e.action_id == CONTROL_ACTION_ID]
    assert 0 < len(control) < n / 200
    assert {(e.event_id, e.recipient_group_id, e.template_id) for e in control} == {(SENT, 2, None)}
    assert 0 < sum(e.template_id is None for e in rows) - len(control) < n / 100
    sends = {
        (i, e.campaign_id, e.channel_id, e.day, e.second)
        for i, of in events().items()
        for e in of
        if e.event_id == SENT
    }
    on_a_day = Counter(send[:4] for send in sends)
    assert sum(k > 1 for k in on_a_day.values()) > 0


def test_scheduled_and_triggered_campaigns_are_both_there() -> None:
    triggered = sum(World().campaign(k.campaign_id).triggered for k in list(messages())[:3000])  # type: ignore[union-attr] # every event has its campaign: tested elsewhere
    assert 0.02 < triggered / 3000 < 0.15
