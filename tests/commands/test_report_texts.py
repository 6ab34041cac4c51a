"""What of a command's words may stand in a report without customer ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimove_analysis import Catalogue
from optimove_analysis.commands.report_texts import refuse_ids_in, refuse_keys_in, texts_of
from optimove_analysis.errors import InputError

IDS = ["000100", "ann@example.org", "<b>x-12</b>", "7", "p-0123456789abcdef01234567"]


@pytest.mark.parametrize(
    "value",
    [
        "Of 000100, and others",
        "mail to ann@example.org.",
        "<b>x-12</b>",
        "7",
        ["7"],
        [7],
        {"of": ["none", "000100"]},
        {"000100": 1},
    ],
)
def test_an_id_is_found_wherever_a_report_would_show_it(value: object) -> None:
    with pytest.raises(InputError, match="title holds a customer's id") as caught:
        refuse_ids_in({"title": value}, IDS)
    assert not any(one in str(caught.value) for one in IDS)


@pytest.mark.parametrize(
    "value",
    [7, 100, "7 days", "2025-07-07", "0001000", "p-0123456789abcdef01234567", None, True, 0.7, []],
)
def test_what_is_no_id_is_let_through(value: object) -> None:
    refuse_ids_in({"window": value}, IDS)


def test_a_catalogues_channels_are_shown_too(tmp_path: Path) -> None:
    Catalogue(channels={1: "Mail of 000100"}).save(tmp_path / "names.json")
    with pytest.raises(InputError, match="--catalogue holds"):
        refuse_ids_in({"--catalogue": texts_of(tmp_path / "names.json")}, IDS)
    with pytest.raises(InputError, match="cannot be read"):
        texts_of(tmp_path / "none.json")
    assert texts_of(None) == []


def test_no_credential_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIMOVE_API_KEY", "a-key-of-mine")
    with pytest.raises(InputError, match="title holds the value of OPTIMOVE_API_KEY") as caught:
        refuse_keys_in({"title": "Q4 a-key-of-mine"})
    assert "a-key-of-mine" not in str(caught.value)
    refuse_keys_in({"title": "Q4"})
