"""The command that makes a report again: what a shell hands on is what the report was made with."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimove_analysis.report.again import command, from_text, named, to_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    TEXT,
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))


@given(VALUES)
def test_a_value_comes_back_from_its_text_as_it_was(value: object) -> None:
    text = to_text(value)
    back = from_text(text)
    assert (back, type(back)) == (value, type(value))
    assert text.isprintable()  # a line break, copied from a page, would be a space


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("000010", "000010"),
        ("1002", 1002),
        ("null", None),
        ("None", None),
        ("True", True),
        ("false", False),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("[" * 100_000, "[" * 100_000),
        ("'Q4'", "'Q4'"),
        ('"Q4"', "Q4"),
    ],
)
def test_a_text_stands_for_json_or_for_itself(text: str, value: object) -> None:
    assert from_text(text) == value
    assert type(from_text(text)) is type(value)


def test_the_command_names_files_where_they_lie_beside_and_leaves_nothing_out() -> None:
    words = shlex.split(
        command(
            "mine.ipynb",
            Path("/home/ann/of 000010/study 'a'.oma"),
            Path("/srv/-r é.html"),
            {
                "start": None,
                "end": "2025-10-31",
                "window": None,
                "catalogue": "/home/ann/names.json",
                "baseline": "1002",
                "customers": ["000010", 'a "b"'],
                "title": "one\n two  three",
            },
        )
    )
    assert words == [
        *("optimove-analysis", "report", "--template", "mine.ipynb"),
        *("--snapshot", "study 'a'.oma", "--out", "./-r é.html", "--to", "2025-10-31"),
        *("--set", "window=null", "--set", "catalogue=names.json", "--set", 'baseline="1002"'),
        *("--set", r'customers=["000010", "a \"b\""]', "--set", r'title="one\n two  three"'),
    ]


def test_what_only_looks_like_a_file_is_left_as_it_is() -> None:
    assert named({"title": "a/b", "catalogue": None}) == {"title": "a/b", "catalogue": None}
