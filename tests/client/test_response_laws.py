"""Laws of reading: what is written is read back, and nothing is ever read as something near it."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from client.test_responses import DOCUMENTED, NEW, ROW
from hypothesis import given
from hypothesis import strategies as st

from optimove_analysis.client import parse
from optimove_analysis.errors import OptimoveAnalysisError, ResponseError, SchemaError
from optimove_analysis.schema import INTERACTIONS

int64 = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
instants = st.datetimes(timezones=st.just(UTC))
rows = st.fixed_dictionaries(
    {"Date": st.none() | st.dates()} | {name: st.none() | int64 for name in ROW if name != "Date"},
    optional={
        "CampaignType": st.none() | texts,
        "EventTime": st.none() | instants,
        "EventName": st.none() | texts,
        "ChannelName": st.none() | texts,
    },
)


@given(st.lists(st.tuples(texts, st.lists(rows, max_size=4), st.none() | st.dates()), max_size=5))
def test_what_is_written_is_read_back(
    responses: list[tuple[str, list[dict[str, Any]], Any]],
) -> None:
    bodies = [
        (customer, json.dumps(content, default=lambda value: value.isoformat()).encode(), through)
        for customer, content, through in responses
    ]
    frame = parse(bodies)
    column_of = {column.api: column.name for column in INTERACTIONS.columns if column.api}
    expected = [
        dict.fromkeys(INTERACTIONS.names)
        | {column_of[name]: value for name, value in row.items()}
        | {"customer_id": customer, "data_through": through}
        for customer, content, through in responses
        for row in content
    ]
    assert frame.schema == INTERACTIONS.schema
    assert frame.rows(named=True) == expected


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.from_regex(r"[+-]?[0-9]{1,22}(\.[0-9]{1,3})?", fullmatch=True)
    | st.dates().map(str)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00)?", fullmatch=True),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


def written(value: object) -> str:
    """Write JSON, decimals digit for digit."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)}: {written(v)}' for k, v in value.items())}}}"
    return json.dumps(value)


@given(field=st.sampled_from([*ROW, *NEW, "Else"]), value=json_values)
def test_a_hostile_value_is_read_exactly_or_refused(field: str, value: object) -> None:
    body = written([ROW | NEW | {field: value}]).encode()
    column_of = {column.api: column.name for column in INTERACTIONS.columns if column.api}
    try:
        frame = parse([("x", body, None)])
    except SchemaError:
        return
    got = frame.item(0, column_of.get(field, "extra"))
    if field == "Else":
        assert json.loads(got, parse_float=Decimal) == json.loads(
            written({"Else": value}), parse_float=Decimal
        )
    elif value is None:
        assert got is None
    elif isinstance(got, int):
        assert isinstance(value, int | str | Decimal)
        assert not isinstance(value, bool)
        assert Decimal(value) == got
        assert not isinstance(value, str) or value == str(got)
    elif isinstance(got, datetime):
        raise AssertionError((value, got))  # no strategy makes an instant
    elif isinstance(got, date):
        assert value in {str(got), f"{got}T00:00:00"}
    else:
        assert got == value


@given(st.integers(0, len(DOCUMENTED) - 1))
def test_a_cut_answer_is_never_taken_for_a_whole_one(length: int) -> None:
    with pytest.raises(ResponseError):
        parse([("x", DOCUMENTED[:length], None)])


@given(st.binary(max_size=60))
def test_any_bytes_at_all_give_a_frame_or_our_error(body: bytes) -> None:
    with contextlib.suppress(OptimoveAnalysisError):
        assert parse([("x", body, None)]).schema == INTERACTIONS.schema
