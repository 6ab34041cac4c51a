"""Whose a pseudonym is, only who has the key can tell; and ids are found wherever they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimove_analysis.client import ResponseFormat, Secret, new_pseudonym_key, pseudonym
from optimove_analysis.client.convert import loads
from optimove_analysis.client.pseudonyms import Pseudonyms, Rewriter, ids_in
from optimove_analysis.errors import InputError

KEY = "sixteen bytes or more"
IDS = ["7", "422", "A8272", "8D871", "841231", "8412310", "a@b.example", "zwölf", "x y z", "a-b-c"]


def test_a_customer_has_one_pseudonym_under_a_key_and_another_under_another() -> None:
    assert pseudonym(841231, KEY) == pseudonym("841231", KEY)
    assert pseudonym("841231", KEY) != pseudonym("0841231", KEY)
    assert pseudonym("841231", KEY) != pseudonym("841231", KEY + "!")
    assert pseudonym("841231", "k" * 100) != pseudonym("841231", "k" * 101)
    assert re.fullmatch("p-[0-9a-f]{24}", pseudonym("zwölf \ud800", KEY))


def test_a_key_may_be_text_bytes_or_a_secret() -> None:
    assert pseudonym("7", KEY) == pseudonym("7", KEY.encode()) == pseudonym("7", Secret(KEY))
    assert new_pseudonym_key() != new_pseudonym_key()
    assert pseudonym("7", new_pseudonym_key()) != pseudonym("7", KEY)


@pytest.mark.parametrize(
    "key", ["too short to", b"15 bytes of it.", Secret("short one"), "", 10**20]
)
def test_a_key_that_could_be_guessed_is_refused_and_not_quoted(key: Any) -> None:
    with pytest.raises(InputError, match="new_pseudonym_key") as caught:
        pseudonym("7", key)
    for part in ("too short", "15 bytes of", "short one", "0000"):
        assert part not in str(caught.value)


def test_neither_the_key_nor_what_is_made_of_it_shows() -> None:
    pseudonyms = Pseudonyms(KEY)
    assert KEY not in repr(vars(pseudonyms))
    assert pseudonyms.check != pseudonyms.of("")


@given(
    st.lists(st.sampled_from([*IDS, " ", ".", "_", "-", "é", "1", "A8272A8272", "on 841231"])).map(
        "".join
    )
)
def test_in_a_text_the_same_is_replaced_as_by_a_regular_expression(text: str) -> None:
    long = sorted((one for one in IDS if len(one) >= 5), key=len, reverse=True)
    pattern = rf"(?<!\w)({'|'.join(map(re.escape, long))})(?!\w)"
    wanted = re.sub(pattern, lambda found: pseudonym(found[0], KEY), text)
    if text in IDS:
        wanted = pseudonym(text, KEY)
    assert Rewriter(Pseudonyms(KEY), IDS).text(text) == wanted


plain = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=3)
some_id = st.sampled_from(IDS) | st.sampled_from([7, 422, 841231, 8412310])
content = st.recursive(
    plain | some_id,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["CustomerID", "Note", "a"]) | st.sampled_from(IDS), inner
        )
    ),
    max_leaves=12,
)


@given(content)
def test_no_value_or_name_is_an_id_afterwards_and_all_else_is_as_it_was(value: Any) -> None:
    body = json.dumps(value).encode()
    known = {*IDS, *ids_in({}, body)}
    back = {pseudonym(one, KEY): one for one in known}
    hidden = loads(Rewriter(Pseudonyms(KEY), known).body(body))

    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for item in value.items() for each in item for leaf in leaves(each)]
        return (
            [leaf for item in value for leaf in leaves(item)]
            if isinstance(value, list)
            else [value]
        )

    after = leaves(hidden)
    assert not {str(leaf) for leaf in after if not isinstance(leaf, bool)} & known - {"", "None"}
    restored = [back.get(leaf, leaf) if isinstance(leaf, str) else leaf for leaf in after]
    original = leaves(value)
    assert [leaf if type(leaf) is not int else str(leaf) for leaf in restored] == [
        leaf if type(leaf) is not int else str(leaf) for leaf in original
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize(
    "name", ["CustomerID", "\\u0043ustomerID", "Customer\u2009ID", "customer ID"]
)
def test_however_a_name_is_written_it_is_read(name: str, encoding: str) -> None:
    assert ids_in({}, f'[{{"{name}": "Zebra"}}]'.encode(encoding)) == {"Zebra"}


def test_fields_that_are_known_to_be_no_ids_stay_be_they_equal_to_one() -> None:
    row = b'{"ChannelID": 7, "EventID": "7", "Date": "7", "IsRecurrence": "7", "CampaignType": "7"}'
    hidden = Rewriter(Pseudonyms(KEY), {"7"}).body(row)
    assert hidden == row.replace(b'Type": "7"', f'Type": "{pseudonym(7, KEY)}"'.encode())


def test_fields_that_the_accounts_own_format_knows_stay_as_well() -> None:
    form = ResponseFormat("ours", {"Kanal": "channel_id", "Art": "campaign_type"}, frozenset())
    hidden = loads(Rewriter(Pseudonyms(KEY), {"7"}, [form]).body(b'{"Kanal": 7, "Art": "7"}'))
    assert hidden == {"Kanal": 7, "Art": pseudonym(7, KEY)}


def test_numbers_stay_digit_for_digit_and_what_names_nobody_byte_for_byte() -> None:
    rewriter = Rewriter(Pseudonyms(KEY), {"841231"})
    numbers = "[1.10, 1E+400, 0.1000000000000000055, -0.0, 12345678901234567890]"
    hidden = rewriter.body(f'{{"CustomerID": 841231, "a": {numbers}}}'.encode()).decode()
    assert hidden == f'{{"CustomerID": "{pseudonym(841231, KEY)}", "a": {numbers}}}'
    nobody = b'[ {"a":1.10e2,\n "b" : "\\u00e9" } ]'
    assert rewriter.body(nobody) is nobody


@pytest.mark.parametrize("name", ["CustomerID", "customerId", "customer_id", "CUSTOMER-IDS"])
@pytest.mark.parametrize(
    "wrap",
    [lambda one: one, lambda one: [one], lambda one: {"Value": one}],
    ids=["bare", "in a list", "in an object"],
)
def test_fields_of_that_name_are_replaced_at_any_depth_and_make_ids_known(
    name: str, wrap: Callable[[object], object]
) -> None:
    body = json.dumps({"a": [{name: wrap("Zebra")}], "b": "Zebra"}).encode()
    assert ids_in({}, body) == {"Zebra"}
    assert b"Zebra" not in Rewriter(Pseudonyms(KEY), {"Zebra"}).body(body)


def test_what_lies_within_a_field_that_stays_is_looked_at() -> None:
    body = b'{"ChannelID": {"CustomerID": 841231, "ChannelID": 841231}}'
    hidden = loads(Rewriter(Pseudonyms(KEY), {"841231"}).body(body))
    assert hidden["ChannelID"] == {"CustomerID": pseudonym(841231, KEY), "ChannelID": 841231}


def test_parameters_are_replaced_by_their_name_alone() -> None:
    given = {"CustomerID": "50", "$top": "50", "$skip": "50", "TargetGroupID": "50"}
    hidden = Rewriter(Pseudonyms(KEY), {"50"}).params(given)
    assert hidden == {**given, "CustomerID": pseudonym(50, KEY)}
    assert ids_in(given, b"[]") == {"50"}


def test_no_id_is_neither_null_nor_a_flag_nor_blank() -> None:
    body = b'{"CustomerID": [null, true, "", 1e999999999]}'
    assert ids_in({}, body) == set()
    assert Rewriter(Pseudonyms(KEY), {"null", "true", "True", "None"}).body(body) is body
    assert loads(b"1.0") == Decimal("1.0")


def test_one_may_ask_by_id_or_by_pseudonym_and_has_each_customer_once() -> None:
    hidden = pseudonym("841231", KEY)
    assert Pseudonyms(KEY).asked(["841231", hidden]) == {hidden: "841231"}
    assert Pseudonyms(KEY).asked([hidden, "841231"]) == {hidden: hidden}
