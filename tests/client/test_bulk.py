"""Reading in bulk gives what reading one by one gives, value for value and error for error."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import polars as pl
import pytest
from client.test_response_laws import json_values, rows, written
from client.test_responses import DOCUMENTED, HOSTILE, NEW, ROW, THROUGH
from hypothesis import given, settings
from hypothesis import strategies as st

from optimove_analysis.client import ResponseFormat, parse, responses
from optimove_analysis.client.convert import loads, to_json
from optimove_analysis.client.responses import FORMATS, Reader
from optimove_analysis.errors import OptimoveAnalysisError, ResponseError, SchemaError
from optimove_analysis.sandbox.world import World

Body = tuple[str, bytes, date | None]
Outcome = pl.DataFrame | tuple[type[Exception], str]

MANY = 10**12


def outcome(
    batch: Sequence[Body],
    few: int,
    formats: Sequence[ResponseFormat] = FORMATS,
    *,
    repeats: bool | None = None,
) -> tuple[Outcome, int]:
    """Return a frame or an error, and how many responses were read one by one."""
    reader = Reader(formats, few=few, repeats=repeats)
    try:
        return reader.read(batch), reader.exact
    except OptimoveAnalysisError as error:
        return (type(error), str(error)), reader.exact


def assert_same(batch: Sequence[Body], formats: Sequence[ResponseFormat] = FORMATS) -> int:
    """Hold the ways to read against each other; return how many were not plain."""
    exact, _ = outcome(batch, MANY, formats)
    counts = set()
    for repeats in (False, True):
        bulk, not_plain = outcome(batch, 0, formats, repeats=repeats)
        counts.add(not_plain)
        if isinstance(exact, pl.DataFrame):
            assert isinstance(bulk, pl.DataFrame), bulk
            assert bulk.schema == exact.schema
            assert bulk.equals(exact)
        else:
            assert bulk == exact
    (count,) = counts
    return count


def compact(content: object) -> str:
    """Write as the API does."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)


WRITERS: list[Callable[[Any], str]] = [
    compact,
    lambda content: json.dumps(content, default=str),
    lambda content: json.dumps(content, default=str, separators=(",", ":")),
    lambda content: json.dumps(content, default=str, indent=1),
]
PLAIN = [
    ("1", compact([ROW, ROW]).encode(), THROUGH),
    ("2", compact([ROW | NEW] * 3).encode(), None),
    ("3", json.dumps([ROW | NEW, ROW | NEW]).encode(), None),
]
"""So that the looks which a mutated body nearly has are known."""


def beside(*bodies: str | bytes) -> list[Body]:
    """Put bodies among plain ones."""
    others = [
        (f"x{n}", b if isinstance(b, bytes) else b.encode(), None) for n, b in enumerate(bodies)
    ]
    return [*PLAIN[:2], *others, *PLAIN]


def bodies_of(world: World, n: int, *, engagement_metrics: bool) -> list[Body]:
    return [
        (
            customer,
            compact(
                world.interactions(
                    customer, world.first, world.last, engagement_metrics=engagement_metrics
                )
            ).encode(),
            world.last,
        )
        for customer in world.customer_ids(n)
    ]


@pytest.mark.parametrize("engagement_metrics", [False, True])
def test_every_answer_of_the_sandbox_is_plain(engagement_metrics: bool) -> None:  # noqa: FBT001
    bodies = bodies_of(World(), 150, engagement_metrics=engagement_metrics)
    bodies.append(("none", b"[]", None))
    assert assert_same(bodies) == 0
    assert parse(bodies).equals(Reader(few=MANY).read(bodies))


def test_one_answer_that_is_not_plain_makes_no_other_so() -> None:
    old = bodies_of(World(), 40, engagement_metrics=False)
    new = bodies_of(World(), 40, engagement_metrics=True)
    mixed = [body for pair in zip(old, new, strict=True) for body in pair]
    assert assert_same(mixed) == 0
    odd = ("odd", compact([ROW, ROW | {"New": 1}]).encode(), None)
    assert assert_same([*mixed[:33], odd, *mixed[33:]]) == 1


LAID_OUT = [
    compact([ROW | {"New": 1, "Other": "x", "Flag": True, "Nil": None}] * 2),
    compact([ROW | {"Price": 1.5, "Tags": [], "Nested": {"a": 1}}] * 2),
    compact([dict(reversed((ROW | NEW).items()))] * 2),
    json.dumps([ROW | NEW | {"ChannelName": "דואר"}]),
    compact([ROW | NEW | {"ChannelName": "דואר", "EventName": "a}"}, ROW | NEW]),
    compact([{**ROW, "CampaignID": "422"}, {**ROW, "CampaignID": None}]),
    compact([{**ROW, "Date": "2018-08-20T00:00:00"}]),
    compact([ROW | NEW | {"EventTime": "2018-08-20T09:30:00.123456+03:00"}]),
    compact([ROW | NEW | {"EventTime": "2018-08-20T09:30:00"}, ROW | NEW]),
]


@pytest.mark.parametrize("body", LAID_OUT)
def test_other_fields_orders_and_ways_to_write_are_read_in_bulk_too(body: str) -> None:
    assert assert_same(beside(body)) == 0


TRAPS = [
    # A separator, or the end of a row, within a text.
    compact([ROW | NEW | {"EventName": 'a","ChannelName":"b'}]),
    compact([ROW | NEW | {"EventName": "a,"}, ROW | NEW]),
    compact([ROW | NEW | {"ChannelName": '"},{"'}]),
    compact([ROW | NEW | {"ChannelName": "},{"}]),
    compact([ROW | NEW | {"ChannelName": "}]"}]),
    compact([ROW | NEW | {"EventName": '"ChannelID":'}]),
    compact([ROW | NEW | {"EventName": "null"}, ROW | NEW | {"EventName": ""}]),
    compact([ROW | NEW | {"EventName": "\\"}]),
    # A name that is written in another way, twice, in another case, elsewhere.
    compact([ROW]).replace("ChannelID", "\\u0043hannelID"),
    compact([ROW]).replace('"ChannelID":7', '"ChannelID":7,"ChannelID":8'),
    compact([ROW]).replace('"ChannelID":7,"TemplateID":13', '"ChannelID":7,"ChannelID":8'),
    compact([ROW]).replace("ChannelID", "channelID"),
    compact([{"Date": ROW, "ChannelID": ROW}]),
    compact([ROW, {name: ROW[name] for name in reversed(ROW)}]),
    compact([ROW, ROW | NEW, ROW]),
    compact([ROW | NEW, ROW, {}]),
    # As many separators as whole rows have.
    compact([ROW, {"Date": ROW["Date"]}]),
    compact([{"Date": ROW["Date"]}, ROW]),
    compact([{**ROW, "More": 1}, dict(list(ROW.items())[:-1])]),
    # Near to a list of objects.
    compact([ROW]) + "]",
    compact([ROW]) + compact([ROW]),
    compact([ROW]) + " ",
    " \t\r\n" + compact([ROW]) + "\n",
    "\ufeff" + compact([ROW]),
    compact([ROW])[:-1] + ",]",
    compact([ROW])[1:-1],
    compact([[ROW]]),
    compact([ROW, [ROW]]),
    compact([ROW]).replace("}]", ",}]"),
    compact([ROW]).replace("{", "{,"),
    compact([ROW]).replace(",", ",\u00a0"),
    compact([ROW]).replace(":7", ":7\n"),
    compact([ROW]).replace(":7", ": 7 "),
    compact([ROW, ROW]).replace("},{", "}{"),
    compact([ROW, ROW]).replace("},{", "},{},{"),
    compact([ROW, ROW]).replace("},{", '},{"Date":1},{'),
    '[{"',
    "}]",
    '[{"}]',
    "[{}]",
    '[{"Date":1}]',
    "[ ]",
    "",
    # No UTF-8, another encoding, half a pair.
    compact([ROW | NEW]).encode().replace(b"E-mail", b"\xff"),
    compact([ROW | NEW]).encode().replace(b"E-mail", b"\xed\xa0\x80"),
    compact([ROW | NEW]).replace("E-mail", "\\ud83d\\ude00").encode(),
    compact([ROW | NEW]).replace("E-mail", "\x00").encode(),
    compact([ROW | NEW]).replace("E-mail", "\x7f\u2028").encode(),
    compact([ROW]).encode("utf-16"),
    compact([ROW]).encode("utf-32-le"),
    # Numbers that are none, or not quite.
    *(
        compact([ROW]).replace(":422", f":{number}")
        for number in (
            *("+422", "0422", "4_2", "422.", ".5", "0x1A6", "422e0", "4.22e2", "422.0", "-0"),
            *("NaN", "Infinity", "-", "٤٢٢", "True", "nul", "1e5", "9" * 18, "9" * 19, "9" * 5000),
            *(str(2**63 - 1), str(2**63), str(-(2**63)), str(-(2**63) - 1)),
        )
    ),
    *(
        compact([ROW]).replace("2018-08-20", day)
        for day in (
            "2018-02-29",
            "2020-02-29",
            "1900-02-29",
            "0000-01-01",
            "0999-12-31",
            "2018-8-1",
        )
    ),
    *(
        compact([ROW | NEW]).replace("09:30:00.25Z", time)
        for time in (
            *("24:00:00Z", "23:59:60Z", "23:60:00Z", "23:59:59.9999999Z", "23:59:59.9999990Z"),
            *("09:30Z", "09:30:00.Z", "09:30:00.1", "09:30:00z", "09:30:00+0000", "09:30:00ZZ"),
        )
    ),
    *(json.dumps([ROW | NEW | {field: "?"}]).replace('"?"', value) for field, value in HOSTILE),
]


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_read_as_by_itself(trap: str | bytes) -> None:
    assert_same(beside(trap))
    assert_same(beside(trap, trap))


anything = st.one_of(
    json_values,
    st.none(),
    st.text(st.sampled_from('",:{}[]\\null0a ')),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.integers(-(2**64), 2**64),
)
hostile_rows = st.builds(
    lambda row, field, value: row | {field: value},
    st.sampled_from([ROW, ROW | NEW]),
    st.sampled_from([*ROW, *NEW, "Else", 'e"lse', "\u0393"]),
    anything,
)


@settings(deadline=None)  # other processes may have the cores
@given(st.lists(st.tuples(st.sampled_from(WRITERS), st.lists(rows | hostile_rows, max_size=3))))
def test_rows_of_any_values_are_read_as_by_themselves(
    contents: list[tuple[Callable[[Any], str], list[Any]]],
) -> None:
    assert_same(beside(*(write(content) for write, content in contents)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*ROW, *NEW, "Else"]), anything)
def test_a_whole_column_of_a_value_is_read_as_by_itself(field: str, value: object) -> None:
    body = written([ROW | NEW | {field: value}] * 2)
    assert_same(beside(body))
    assert_same(beside(body.replace(", ", ",").replace(": ", ":")))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_body_with_any_bytes_changed_is_read_as_by_itself(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from([body for _, body, _ in PLAIN]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 12)))
        piece = data.draw(
            st.binary(max_size=3)
            | st.sampled_from([b'"', b",", b'},{"', b'","', b"\\", b"null", b"1e1", b".5", b" "])
            | st.integers(0, len(body)).map(partial(_from, body))
        )
        body = body[:start] + piece + body[end:]
    assert_same(beside(body))


@pytest.mark.parametrize("fraction", ["", ".5", ".000001", ".123456"])
def test_values_that_hardly_repeat_are_read_as_by_themselves(fraction: str) -> None:
    first = datetime(2018, 8, 20, 9, 30)  # noqa: DTZ001 - written with its zone below
    many = [
        ROW
        | NEW
        | {
            "Date": (first + timedelta(days=n)).date(),
            "CampaignID": n * 10**13,
            "EventTime": f"{(first + timedelta(seconds=n)).isoformat()}{fraction}Z",
            "ChannelName": f"channel {n}" if n % 3 else None,
            "Else": f"{n}",
        }
        for n in range(1_500)
    ]
    assert assert_same(beside(compact(many))) == 0
    for column, odd, plain in [
        ("EventTime", "2018-08-20T09:30:00+03:00", True),
        ("EventTime", "2018-02-30T09:30:00Z", False),
        ("EventTime", "2018-08-20T24:00:00.5Z", False),
        ("Date", "2018-02-30", False),
        ("CampaignID", "422", True),
        ("CampaignID", 2**63, False),
        ("ChannelName", '"', True),
        ("Else", [1, 2], True),
        ("Else", ["1", "2"], False),
        ("Else", 1.50, True),
    ]:
        other = [*many[:700], many[700] | {column: odd}, *many[701:]]
        assert assert_same(beside(compact(many), compact(other))) == (0 if plain else 1)


def _from(body: bytes, at: int) -> bytes:
    return body[at : at + 20]


def test_another_accounts_format_is_read_in_bulk() -> None:
    theirs = ResponseFormat(
        "theirs",
        {"Day": "date", "Campaign": "campaign_id", "Who": "customer_id", "Also": "date"},
        required=frozenset({"Day"}),
        marks=frozenset({"Day"}),
    )
    body = compact([{"Day": "x", "Also": "2018-08-20", "Campaign": 1, "Who": 7, "More": 1.50}])
    only = compact([{"Campaign": 1, "Who": 7}])
    assert assert_same(beside(body), [theirs, *FORMATS]) == 0
    assert assert_same(beside(body, only), [theirs, *FORMATS]) > 0
    assert_same(beside("[]"), [theirs])
    assert_same([("a", b"[]", None), ("b", body.encode(), None)], [theirs])


def test_of_several_wrong_answers_the_first_is_named() -> None:
    later = compact([ROW | {"CampaignID": "x"}])
    for first in (compact([ROW | {"EventID": "x"}]), "nothing", compact([{"Date": None}])):
        for few in (0, MANY):
            with pytest.raises(OptimoveAnalysisError, match="customer x0"):
                Reader(few=few).read(beside(first, later, "<html>"))


def test_bodies_are_let_go_as_the_frame_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "_BATCH", 100_000)
    alive = most = 0

    class Counted(bytes):
        __slots__ = ()

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def bodies() -> Any:
        nonlocal alive, most
        for number in range(200):
            body = Counted(compact([ROW] * 100).encode())
            alive += 1
            most = max(most, alive)
            yield str(number), body, None

    assert parse(bodies()).height == 20_000
    assert most < 30


@pytest.mark.parametrize("few", [0, MANY])
def test_a_field_that_is_nested_deep_is_kept_or_refused_with_our_error(few: int) -> None:
    for depth in (400, 900, 100_000):
        deep = "[" * depth + "]" * depth
        body = compact([ROW]).replace("}", f',"Deep":{deep}}}')
        try:
            frame = Reader(few=few).read(beside(body))
        except ResponseError as error:
            assert "nested too deep" in str(error)  # noqa: PT017 - which depths Python reads differs
        else:
            assert frame["extra"].drop_nulls().to_list() == [f'{{"Deep": {deep}}}']
        with pytest.raises((SchemaError, ResponseError)):
            Reader(few=few).read(beside(body.replace(":7", f":{deep}")))


@given(json_values)
def test_json_is_written_as_it_was_read(value: object) -> None:
    text = written(value)
    assert loads(to_json(loads(text.encode())).encode()) == loads(text.encode())


def test_the_documented_sample_is_plain() -> None:
    assert assert_same([("841231", DOCUMENTED, THROUGH)]) == 0
