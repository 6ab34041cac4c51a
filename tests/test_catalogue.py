"""What an account's ids mean: names, kinds, events, and the file they are kept in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimove_analysis import Catalogue
from optimove_analysis.catalogue import guess_kind
from optimove_analysis.errors import InputError, SchemaError
from optimove_analysis.schema import TEST_ENVIRONMENT_CHANNELS, Kind, Meaning


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("E-mail", "email"),
        ("EMAIL (Optimail)", "email"),
        ("Newsletter mail", "email"),
        ("SMS", "sms"),
        ("WhatsApp", "sms"),
        ("Push", "push"),
        ("Mobile push (iPhone)", "push"),
        ("Web Push", "web_push"),
        ("Webpush", "web_push"),
        ("In-app", "in_app"),
        ("In-platform message", "in_app"),
        ("On-site pop-up", "in_app"),
        ("Call centre", "call_centre"),
        ("Call center", "call_centre"),
        ("Telesales", "call_centre"),
        ("Facebook audience", "unknown"),
        ("Direct mail", "unknown"),
        ("Voicemail", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_channels_kind_is_guessed_from_its_name(name: str, kind: str) -> None:
    assert guess_kind(name) == kind


def test_the_documented_channels_are_guessed_as_they_are() -> None:
    for channel, (name, kind) in TEST_ENVIRONMENT_CHANNELS.items():
        assert guess_kind(name) == kind
        assert Catalogue().kind(channel) == kind
        assert Catalogue().channel(channel) == name


def test_a_kind_that_is_set_wins_over_the_guess() -> None:
    mine = Catalogue(channels={7: "Carrier pigeon", 8: "Push"}, kinds={7: "sms", 8: "unknown"})
    assert mine.kind(7) == "sms"
    assert mine.kind(8) == "unknown"
    assert mine.stages(7) == ("sent", "delivered", "clicked")
    assert mine.stages(8) == ("sent", "delivered", "opened", "clicked")


def test_an_id_that_nobody_knows_is_called_by_its_number_and_has_all_stages() -> None:
    known = Catalogue()
    assert known.channel(9) == "channel 9 (unnamed)"
    assert known.channel(None) == "channel (no id)"
    assert known.kind(9) == known.kind(None) == "unknown"
    assert known.stages(9) == ("sent", "delivered", "opened", "clicked")
    assert known.event(17) == "event 17 (unknown)"
    assert known.event(None) == "event (no id)"
    assert known.event(7) == "spam complaint"
    assert Catalogue(channels={9: ""}).channel(9) == "channel 9 (unnamed)"


def test_several_ids_may_mean_the_same() -> None:
    mine = Catalogue(events={10: "opened", 11: "opened", 12: "clicked"})
    assert mine.ids("opened") == [10, 11]
    assert mine.ids("sent") == []


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"events": {1: "open"}}, "event meaning='open' is not known; did you mean 'opened'"),
        ({"events": {1: ["sent"]}}, "is not known"),
        ({"events": {"1": "sent"}}, "the id '1' in events must be a whole number"),
        ({"kinds": {1: "e-mail"}}, "channel kind='e-mail' is not known; did you mean 'email'"),
        ({"kinds": {1: ["email"]}}, "is not known"),
        ({"kinds": {"504": "email"}}, "the id '504' in kinds must be a whole number"),
        ({"channels": {"504": "E-mail"}}, "the id '504' in channels must be a whole number"),
        ({"channels": {True: "E-mail"}}, "the id True in channels"),
        ({"channels": {2**63: "E-mail"}}, "the id 9223372036854775808 in channels is too large"),
        ({"events": {-(2**63) - 1: "sent"}}, "in events is too large"),
        ({"channels": {504: None}}, "the channel name None must be text"),
        ({"channels": ["E-mail"]}, "must map ids to names"),
        ({"reports_sent": "yes"}, "it may be 'None', 'True', 'False'"),
    ],
)
def test_what_makes_no_sense_is_answered_with_what_does(given: dict[str, Any], answer: str) -> None:
    with pytest.raises(InputError, match=answer):
        Catalogue(**given)


def test_a_catalogue_is_made_of_the_apis_channels() -> None:
    channels = pl.DataFrame({"channel_id": [7, None, 9], "channel_name": ["Push", "x", None]})
    made = Catalogue.from_channels(channels, reports_sent=True)
    assert made.channels == {7: "Push"}
    assert made.reports_sent is True
    assert made.channel(9) == "channel 9 (unnamed)"
    with pytest.raises(SchemaError, match="needs the column 'channel_name'"):
        Catalogue.from_channels(channels.drop("channel_name"))


PARTS: dict[str, Any] = {
    "channels": {7: "Été push", 15: "SMS"},
    "kinds": {15: "unknown"},
    "events": {100: "sent", 101: "spam_complaint"},
    "reports_sent": False,
}
MINE = Catalogue(**PARTS)


@pytest.mark.parametrize("catalogue", [MINE, Catalogue(), Catalogue(channels={}, events={})])
def test_what_is_saved_is_loaded(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    catalogue.save(path)
    assert Catalogue.load(path) == catalogue
    assert Catalogue.load(str(path)) == catalogue


def test_a_file_may_be_written_by_hand_and_leave_things_out(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text('{"kinds": {"7": "push"}}', encoding="utf-8")
    assert Catalogue.load(path) == Catalogue(kinds={7: "push"})


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ("", "is not a catalogue"),
        ("<html>", "is not a catalogue"),
        ("[1]", "is not a catalogue"),
        ("3", "is not a catalogue"),
        ("null", "is not a catalogue"),
        ('{"channels": {"7": "Push"', "is not a catalogue"),
        ('{"channels": null}', "is not a catalogue"),
        ('{"channels": ["Push"]}', "is not a catalogue"),
        ('{"channels": {"seven": "Push"}}', "seven"),
        ('{"channels": {"7": 5}}', "the channel name 5 must be text"),
        ('{"kinds": {"7": ["push"]}}', "channel kind="),
        ('{"events": {"1": "open"}}', "did you mean 'opened'"),
        ('{"chanels": {}}', "did you mean 'channels'"),
        ('{"reports_sent": "yes"}', "reports_sent='yes'"),
    ],
)
def test_a_file_that_is_no_catalogue_is_named_with_what_is_wrong_with_it(
    content: str, answer: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=answer) as caught:
        Catalogue.load(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_text_is_no_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not a catalogue"):
        Catalogue.load(path)


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    MINE.save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["channels"] == {"7": "Été push", "15": "SMS"}
    assert set(content) == {"channels", "kinds", "events", "reports_sent"}


# The fingerprint: which catalogue a number was counted with


IDS = st.integers(-2, 12)
CATALOGUES = st.builds(
    Catalogue,
    channels=st.dictionaries(IDS, st.text(max_size=3), max_size=3),
    kinds=st.dictionaries(IDS, st.sampled_from(get_args(Kind)), max_size=2),
    events=st.dictionaries(IDS, st.sampled_from(get_args(Meaning)), max_size=3),
    reports_sent=st.sampled_from([None, True, False]),
)


@settings(deadline=None)
@given(one=CATALOGUES, other=CATALOGUES)
def test_catalogues_have_the_same_fingerprint_only_if_they_are_equal(
    one: Catalogue, other: Catalogue
) -> None:
    assert (one.fingerprint() == other.fingerprint()) == (one == other)


@settings(deadline=None)
@given(one=CATALOGUES)
def test_the_order_of_entries_is_no_part_of_the_fingerprint(one: Catalogue) -> None:
    turned = Catalogue(
        channels=dict(reversed(list(one.channels.items()))),
        kinds=dict(reversed(list(one.kinds.items()))),
        events=dict(reversed(list(one.events.items()))),
        reports_sent=one.reports_sent,
    )
    assert turned.fingerprint() == one.fingerprint()


def test_an_id_is_its_number_however_it_was_spelled() -> None:
    class Mine(IntEnum):
        PUSH = 7

    named, plain = Catalogue(channels={Mine.PUSH: "Push"}), Catalogue(channels={7: "Push"})
    assert named == plain
    assert named.fingerprint() == plain.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        lambda: Catalogue(**{**PARTS, "channels": {7: "Été push", 15: "Sms"}}),
        lambda: Catalogue(**{**PARTS, "channels": {8: "Été push", 15: "SMS"}}),
        lambda: Catalogue(**{**PARTS, "channels": {7: "SMS", 15: "Été push"}}),
        lambda: Catalogue(**{**PARTS, "kinds": {15: "sms"}}),
        lambda: Catalogue(**{**PARTS, "kinds": {}}),
        lambda: Catalogue(**{**PARTS, "events": {100: "sent", 101: "bounced"}}),
        lambda: Catalogue(**{**PARTS, "events": {100: "sent"}}),
        lambda: Catalogue(**{**PARTS, "reports_sent": None}),
        lambda: Catalogue(**{**PARTS, "reports_sent": True}),
        Catalogue,
    ],
)
def test_any_change_of_the_content_changes_the_fingerprint(change: Callable[[], Catalogue]) -> None:
    assert change().fingerprint() != MINE.fingerprint()


def test_the_fingerprint_is_the_same_in_each_process_and_after_saving(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    MINE.save(path)
    code = "import sys; from optimove_analysis import Catalogue as C; print(C.load(sys.argv[1])"
    for seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", f"{code}.fingerprint())", str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        )
        assert found.stdout.strip() == MINE.fingerprint()


def test_the_fingerprint_is_short_and_names_nothing() -> None:
    assert set(MINE.fingerprint()) <= set("0123456789abcdef")
    assert len(MINE.fingerprint()) == 12
