"""Whom campaigns were sent to, over real HTTP, against what is asked customer by customer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from client.conftest import MakeClient

from optimove_analysis.client import Cache, Quota, Settings
from optimove_analysis.client.by_campaign import SessionAsks
from optimove_analysis.client.campaign_route import (
    LIMITS,
    MISSING_COLUMNS,
    CampaignSends,
    RouteWarning,
    fetch,
)
from optimove_analysis.client.route_cost import cost
from optimove_analysis.client.session import Session
from optimove_analysis.errors import ApiError, AuthError, InputError, OfflineError, SchemaError
from optimove_analysis.sandbox import Sandbox, sandbox
from optimove_analysis.schema import CONTROL_ACTION_ID, INTERACTIONS

DAYS, LISTS = "actions/GetExecutedCampaignDetails", "GetExecutedCampaignDetails"
SENDS = "GetCustomerSendDetailsByCampaign"
SENT = 1
YEAR = ("2025-01-01", "2025-12-31")
BOTH = ["customer_id", "date", "campaign_id", "channel_id", "template_id", "event_id"]
# The letter of the 11th goes out once more on the 14th, to those who did not open it.
RANGE = (date(2025, 2, 11), date(2025, 2, 12))
LAST_DAYS = (date(2025, 12, 30), date(2025, 12, 31))
DAY = (date(2025, 2, 11),) * 2

MakeSession = Callable[[Sandbox], Session]


@pytest.fixture
def make_session(tmp_path: Path) -> Iterator[MakeSession]:
    made: list[Session] = []

    def make(box: Sandbox) -> Session:
        settings = Settings.of(box.url, box.api_key, cache_dir=tmp_path / "route")
        cache = Cache(settings.cache_dir / settings.cache_name)
        made.append(Session(settings, Quota(10_000, 1.0), cache, sleep=lambda _: None))
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.fixture
def small() -> Iterator[Sandbox]:
    """Serve a world that is small, so that whole days of it are quickly asked for."""
    with sandbox(customers=80, quota=100_000) as started:
        yield started


def asks(session: Session, last_update: date | None = None) -> SessionAsks:
    """Ask by way of a session whose kept answers are all good."""
    return SessionAsks(session, lambda _: True, lambda: last_update)


def route(
    session: Session, ids: list[str], days: tuple[date, date], **options: Any
) -> CampaignSends:
    how: dict[str, Any] = {"sent_event_id": SENT, **options}
    last_update = how.pop("last_update", None)
    return fetch(asks(session, last_update), ids, *days, **how)


def executed(*campaign_ids: int | None) -> bytes:
    """Return a list of executed campaigns, as a public client's tests have them."""
    rest = {
        "TargetGroupID": 15, "CampaignType": "Test/Control", "Duration": 7, "LeadTime": 3,
        "Notes": "", "IsMultiChannel": "false", "IsRecurrence": "false", "Status": "Successful",
        "Error": "",
    }  # fmt: skip
    return json.dumps([{"CampaignID": one, **rest} for one in campaign_ids]).encode()


def send(customer_id: object, **other: object) -> dict[str, object]:
    fixed = {"ChannelID": 4, "ScheduledTime": "2015-12-30 10:30:00", "SendID": "HG65D"}
    return {"CustomerID": customer_id, **fixed, "TemplateID": 12, **other}


def give(box: Sandbox, *pages: list[dict[str, object]]) -> None:
    """Let one campaign be executed on the next day asked for, and give its pages."""
    box.answer(LISTS, body=executed(65874))
    for page in pages:
        box.answer(SENDS, body=json.dumps(page).encode())


def rows_of(frame: pl.DataFrame) -> Counter[tuple[Any, ...]]:
    return Counter(frame.select(BOTH).iter_rows())


def by_customer(
    box: Sandbox, make_client: MakeClient, ids: list[str], days: tuple[date, date]
) -> pl.DataFrame:
    """Return the sent rows of the campaigns executed in a range, asked customer by customer.

    A control group's rows say "sent", and nothing was; their mark is one of the missing columns.
    """
    client = make_client(box)
    campaigns = client.campaigns(pl.date_range(*days, eager=True).to_list())["campaign_id"]
    frame = client.interactions(ids, *YEAR, progress=False)
    return frame.filter(
        pl.col("event_id") == SENT,
        pl.col("action_id") != CONTROL_ACTION_ID,
        pl.col("campaign_id").is_in(campaigns.to_list()),
    )


@pytest.mark.parametrize(
    ("seed", "flag", "days"), [(3, True, RANGE), (7, False, RANGE), (8, True, LAST_DAYS)]
)
def test_both_routes_give_the_same_sends(
    seed: int,
    flag: bool,  # noqa: FBT001 - a case
    days: tuple[date, date],
    make_client: MakeClient,
    make_session: MakeSession,
) -> None:
    with sandbox(seed=seed, customers=80, engagement_metrics=flag, quota=100_000) as box:
        ids = [*box.world.customer_ids(60)[::-1], "841231", "nobody"]
        found = route(make_session(box), ids, days)
        wanted = by_customer(box, make_client, ids, days)
    frame = found.frame
    assert frame.schema == INTERACTIONS.schema
    assert rows_of(frame) == rows_of(wanted)
    assert frame.height > 30
    assert found.others > 0
    assert frame["template_id"].n_unique() > 3
    if days == RANGE:
        assert set(frame.filter(pl.col("date") > RANGE[1])["date"]) == {date(2025, 2, 14)}
        assert found.outside == frame.filter(pl.col("date") > RANGE[1]).height > 0
        assert f"{found.outside} rows lie outside the range" in found.notes[len(LIMITS)]
    if flag:
        # Its triggered campaigns too; and the instant is the one that the newer format gives.
        assert set(wanted["campaign_type"]) == {"Scheduled", "Triggered"}
        instants = wanted["event_time"].dt.strftime("%Y-%m-%d %H:%M:%S")
        times = frame["extra"].str.json_path_match("$.ScheduledTime")
        assert sorted(times) == sorted(instants)


def test_rows_come_in_the_order_of_the_ids_then_of_day_and_campaign(
    small: Sandbox, make_session: MakeSession
) -> None:
    ids = small.world.customer_ids(80)[::-1]
    frame = route(make_session(small), ids, RANGE).frame
    keys = frame.select("customer_id", "date", "campaign_id", "channel_id").rows()
    assert keys == sorted(keys, key=lambda key: (ids.index(key[0]), *key[1:]))
    assert frame.select(*MISSING_COLUMNS, "campaign_type", "event_time").null_count().row(0) == (
        (frame.height,) * 4
    )
    assert frame["data_through"].unique().to_list() == [RANGE[1]]


def test_without_triggered_campaigns_in_the_lists_it_is_their_sends_that_are_missing(
    small: Sandbox, make_client: MakeClient, make_session: MakeSession
) -> None:
    ids = small.world.customer_ids(80)
    days = (RANGE[1], RANGE[1])
    scheduled = [c.campaign_id for c in small.world.campaigns(days[0]) if not c.triggered]
    small.answer(LISTS, body=executed(*scheduled))
    found = route(make_session(small), ids, days)
    everything = by_customer(small, make_client, ids, days)
    triggered = everything.filter(~pl.col("campaign_id").is_in(scheduled))
    assert triggered.height > 0
    assert rows_of(found.frame) + rows_of(triggered) == rows_of(everything)
    assert any("triggered campaigns" in note for note in found.notes)


@pytest.mark.parametrize("size", [1, 2, "a divisor", "all", "more", None])
def test_all_sends_come_whatever_the_page(
    size: object, small: Sandbox, make_session: MakeSession
) -> None:
    session = make_session(small)
    ids = small.world.customer_ids(80)
    letter = next(
        c.campaign_id
        for c in small.world.campaigns(DAY[0])
        if c.target_group_id == 4 and "Newsletter" in c.notes
    )
    small.answer(LISTS, body=executed(letter))
    whole = route(session, ids, DAY).frame
    n = whole.height
    assert n > 8
    divisor = next(d for d in range(3, n + 1) if n % d == 0)
    sizes = {"a divisor": divisor, "all": n, "more": n + 1}
    page = sizes.get(str(size), size)
    before = small.count(path=SENDS)
    assert route(session, ids, DAY, page_size=page).frame.equals(whole)
    pages = 0 if page is None else -(-n // int(str(page))) + 1  # and an empty one
    assert small.count(path=SENDS) - before >= pages  # a repeated first row asks once more


def test_a_page_that_holds_nothing_is_refused(small: Sandbox, make_session: MakeSession) -> None:
    give(small)
    with pytest.raises(InputError, match="page_size=0"):
        route(make_session(small), ["a"], DAY, page_size=0)


def test_an_api_that_passes_over_skip_gives_each_send_once(
    small: Sandbox, make_session: MakeSession
) -> None:
    page = [send("a"), send("b"), send("b")]
    give(small, page, page, page)
    found = route(make_session(small), ["b", "a"], DAY)
    assert found.frame["customer_id"].to_list() == ["b", "b", "a"]
    assert small.count(path=SENDS) == 3


def test_a_send_that_is_listed_twice_is_no_sign_of_an_api_that_passes_over_skip(
    small: Sandbox, make_session: MakeSession
) -> None:
    a, b = [send("a")], [send("b")]
    # The third question is one far beyond the end.
    give(small, a, a, [], b, [])
    frame = route(make_session(small), ["a", "b"], DAY, page_size=1).frame
    assert frame["customer_id"].to_list() == ["a", "a", "b"]


def test_an_api_that_refuses_to_skip_so_far_does_heed_skip(
    small: Sandbox, make_session: MakeSession
) -> None:
    a, b = [send("a")], [send("b")]
    give(small, a, a)
    small.answer(SENDS, status=400, body=b"$skip is too large")
    for page in (b, []):
        small.answer(SENDS, body=json.dumps(page).encode())
    frame = route(make_session(small), ["a", "b"], DAY, page_size=1).frame
    assert frame["customer_id"].to_list() == ["a", "a", "b"]


def test_a_full_page_with_no_way_to_the_next_is_an_error(
    small: Sandbox, make_session: MakeSession
) -> None:
    page = [send("a"), send("b")]
    session = make_session(small)
    give(small, page, page, page)
    with pytest.raises(ApiError, match="larger page_size"):
        route(session, ["a"], DAY, page_size=2)


def test_an_api_that_knows_no_skip_gave_all_at_once(
    small: Sandbox, make_session: MakeSession
) -> None:
    session = make_session(small)
    give(small, [send("a"), send("b")])
    small.answer(SENDS, status=400, body=b"Unknown $skip")
    assert route(session, ["a", "b"], DAY).frame.height == 2


def test_a_refusal_of_a_later_page_is_an_error(small: Sandbox, make_session: MakeSession) -> None:
    session = make_session(small)
    give(small, [send("a")], [send("b")])
    small.answer(SENDS, status=400, body=b"too far")
    with pytest.raises(ApiError, match="too far"):
        route(session, ["a"], DAY)
    small.answer(SENDS, status=403, body=b"not with this key")
    with pytest.raises(AuthError):
        route(session, ["a"], DAY, page_size=5)


def test_a_failed_campaign_was_sent_to_nobody(small: Sandbox, make_session: MakeSession) -> None:
    year = (date(2025, 1, 1) + timedelta(days=n) for n in range(365))
    failed = next(c for day in year for c in small.world.campaigns(day) if c.failed)
    small.answer(LISTS, body=executed(failed.campaign_id))
    found = route(make_session(small), small.world.customer_ids(80), DAY)
    assert found.frame.equals(INTERACTIONS.empty())
    assert (found.campaigns, found.others, found.not_found) == (1, 0, 0)
    assert found.notes == list(LIMITS)


def test_what_cannot_be_asked_for_is_counted_and_told(
    small: Sandbox, make_session: MakeSession
) -> None:
    session = make_session(small)
    known = small.world.campaigns(DAY[0])[-1].campaign_id
    small.answer(LISTS, body=executed(known, 5, None, known))
    found = route(session, small.world.customer_ids(80), DAY)
    assert found.frame.height > 0
    assert (found.campaigns, found.not_found, found.nameless) == (2, 1, 1)
    assert "404" in found.notes[-2]
    assert "no id" in found.notes[-1]


def test_an_api_without_the_function_is_an_error_and_no_empty_frame(
    small: Sandbox, make_session: MakeSession
) -> None:
    small.answer(LISTS, body=executed(5, 6))
    with pytest.raises(ApiError, match="each of the 2 executed campaigns was answered 404") as told:
        route(make_session(small), ["a"], DAY)
    assert told.value.status == 404


def test_a_range_without_campaigns_gives_an_empty_table(
    small: Sandbox, make_session: MakeSession
) -> None:
    found = route(make_session(small), ["a"], (date(2020, 1, 1), date(2020, 1, 2)))
    assert found.frame.equals(INTERACTIONS.empty())
    assert found.frame.schema == INTERACTIONS.schema


def test_nothing_that_a_row_says_is_dropped(small: Sandbox, make_session: MakeSession) -> None:
    give(
        small,
        [
            send(7, Promo="X, {1}", Rate=1.25),
            send("a", ScheduledTime=None, TemplateID=None, SendID=None),
            send("other", Promo=1),
            send(None),
        ],
        [],
    )
    found = route(make_session(small), ["7", "a"], DAY)
    assert found.others == 2
    assert found.outside == 1
    one, two = found.frame.iter_rows(named=True)
    assert (one["customer_id"], one["date"], one["event_id"]) == ("7", date(2015, 12, 30), SENT)
    assert json.loads(one["extra"]) == {
        "ScheduledTime": "2015-12-30 10:30:00", "SendID": "HG65D", "Promo": "X, {1}", "Rate": 1.25,
    }  # fmt: skip
    assert (two["customer_id"], two["date"], two["template_id"]) == ("a", None, None)
    assert json.loads(two["extra"]) == {"ScheduledTime": None, "SendID": None}


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2015-12-30T23:30:00", 30),
        ("2015-12-30T23:30:00.123Z", 30),
        ("2015-12-30 23:30:00-05:00", 30),  # the day that is written: the account's own
        ("2015-12-30", 30),
        ("30.12.2015 10:30", None),
        ("2015-02-30 10:30:00", None),
        ("2015-12-30 tomorrow", None),
    ],
)
def test_the_day_of_a_send_is_the_one_that_is_written(
    time: str, day: int | None, small: Sandbox, make_session: MakeSession
) -> None:
    give(small, [send("a", ScheduledTime=time)], [])
    session = make_session(small)
    if day is None:
        with pytest.raises(SchemaError, match="campaign 65874: 'ScheduledTime' is '"):
            route(session, ["a"], DAY)
    else:
        assert route(session, ["a"], DAY).frame["date"].to_list() == [date(2015, 12, day)]


def test_sends_without_their_template_are_an_error_and_not_sends_of_none(
    small: Sandbox, make_session: MakeSession
) -> None:
    row = send("a")
    del row["TemplateID"]
    give(small, [row], [])
    with pytest.raises(SchemaError, match="lacks 'TemplateID'"):
        route(make_session(small), ["a"], DAY)


@pytest.mark.parametrize("updated", [None, date(2025, 2, 9)])
def test_how_far_the_data_reaches_is_the_earliest_of_three_days(
    updated: date | None, small: Sandbox, make_session: MakeSession
) -> None:
    today = datetime.now(UTC).astimezone().date()
    end = today + timedelta(days=2)
    give(small, [send("a")], [])
    found = route(make_session(small), ["a"], (end, end), last_update=updated)
    assert found.frame["data_through"].to_list() == [updated or today]


def test_a_caller_may_ask_by_threads(small: Sandbox, make_session: MakeSession) -> None:
    session = make_session(small)
    ids = small.world.customer_ids(80)
    with ThreadPoolExecutor(8) as pool:
        threaded = route(
            session,
            ids,
            DAY,
            many=lambda ask, requests: pool.map(lambda one: ask(one, None), requests),
        )
    sent = small.count()
    assert route(session, ids, DAY).frame.equals(threaded.frame)
    assert small.count() == sent  # all is kept


def test_the_cost_is_a_lower_bound_and_nothing_is_sent_to_know_it(
    small: Sandbox, make_session: MakeSession
) -> None:
    session = make_session(small)
    ids = small.world.customer_ids(80)
    first, last = RANGE
    before = cost(asks(session), first, last)
    assert (before.requests, before.days, before.known, before.expected) == (2, 2, False, None)
    assert (before.cheaper_than(2), before.cheaper_than(80)) == (False, None)
    assert small.count() == 0

    route(session, ids, (first, first))
    part = cost(asks(session), first, last)
    assert (part.requests, part.campaigns) == (1, 0)  # one more list; of the first day all is kept

    session.get(DAYS, {"Date": last.isoformat()}, lifetime=timedelta(days=1))
    n = len(small.world.campaigns(last))
    known = cost(asks(session), first, last)
    assert (known.requests, known.campaigns, known.expected) == (n, n, 2 * n)
    assert (known.cheaper_than(n), known.cheaper_than(2 * n + 1)) == (False, True)

    sent = small.count()
    route(session, ids, RANGE)
    assert known.requests <= small.count() - sent <= 2 * n
    assert str(cost(asks(session), first, last)) == "no requests: all is kept"
    assert (
        cost(asks(session), first, last, page_size=5).requests > n
    )  # other pages are other answers


# By the client


def test_the_client_gives_the_same_sends_by_either_route_and_warns_of_what_is_missing(
    small: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(small)
    ids = small.world.customer_ids(80)
    with pytest.warns(RouteWarning, match="recipient_group_id and action_id are null") as warned:
        frame = client.interactions(
            ids, *RANGE, route="campaign", sent_event_id=SENT, progress=False
        )
    assert warned[0].filename == __file__, "it points at the line that asked"
    assert rows_of(frame) == rows_of(by_customer(small, make_client, ids, RANGE))
    assert all(frame[name].is_null().all() for name in MISSING_COLUMNS)
    sent, pages = small.count(), small.count(path=SENDS)
    with pytest.warns(RouteWarning):
        again = client.interactions(ids, *RANGE, route="campaign", sent_event_id=SENT, offline=True)
    assert again.equals(frame)
    assert small.count() == sent
    with pytest.warns(RouteWarning):
        client.interactions(ids, *RANGE, route="campaign", refresh=True, progress=False)
    assert small.count(path=LISTS) == 2 * 2
    assert small.count(path=SENDS) == 2 * pages


def test_offline_the_campaign_route_sends_nothing_and_names_what_is_missing(
    small: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(small)
    sent = small.count()
    with pytest.raises(OfflineError, match="campaigns of 2025-02-11") as caught:
        client.interactions("000001", *RANGE, route="campaign", offline=True)
    assert len(caught.value.missing) == 2
    assert small.count() == sent


def test_an_event_id_that_is_not_given_is_not_guessed(
    small: Sandbox, make_client: MakeClient
) -> None:
    with pytest.warns(RouteWarning):
        frame = make_client(small).interactions(
            small.world.customer_ids(80), *DAY, route="campaign", progress=False
        )
    assert frame["event_id"].is_null().all()


def test_a_plan_compares_the_routes_and_auto_takes_the_one_that_gives_everything(
    small: Sandbox, make_client: MakeClient
) -> None:
    client = make_client(small)
    ids = small.world.customer_ids(80)
    assert "by campaign" in str(client.plan(ids, *RANGE))
    assert "by campaign" not in str(client.plan(ids[:1], *RANGE))
    assert client.plan(ids, *RANGE).by_campaign.requests == 2
    assert small.count() == 0
    frame = client.interactions(ids, *RANGE, route="auto")
    assert small.count(path=SENDS) == 0
    assert frame["action_id"].null_count() == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"route": "campain"}, "did you mean 'campaign'"),
        ({"route": "campaign", "on_error": "collect"}, "no one customer's"),
    ],
)
def test_what_the_routes_do_not_know_is_refused(
    options: dict[str, Any], says: str, small: Sandbox, make_client: MakeClient
) -> None:
    with pytest.raises(InputError, match=says):
        make_client(small).interactions("a", *RANGE, **options)
