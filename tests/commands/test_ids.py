"""Customer ids from files, as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from optimove_analysis.commands.ids import read_ids
from optimove_analysis.errors import InputError


def ids(folder: Path, content: str | bytes, name: str = "ids.csv", **how: Any) -> list[str]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_ids(str(path), **how)


@pytest.mark.parametrize(
    "content",
    [
        "000001\nA8272\n841231\n",
        "customer_id\n000001\nA8272\n841231\n",
        "CustomerID\r\n000001\r\nA8272\r\n841231",
        "ID\n\n000001\n A8272 \n\n841231\n000001\n",
        "e-mail\n000001\nA8272\n841231\n",
        '"Customer Id"\n"000001"\n"A8272"\n"841231"\n',
        "segment,CustomerID\nvip,000001\n,A8272\nvip,841231\n",
        "CustomerID;name\n000001;a, b\nA8272;c\n841231;\n",
        "user_id\tcustomer id\n1\t000001\n2\tA8272\n3\t841231\n",
        b"\xef\xbb\xbfcustomer_id\n000001\nA8272\n841231\n",
        "customer_id\n000001\nA8272\n841231\n".encode("utf-16"),
    ],
)
def test_ids_are_text_whatever_the_file_looks_like(content: str | bytes, tmp_path: Path) -> None:
    assert ids(tmp_path, content) == ["000001", "A8272", "841231"]
    assert ids(tmp_path, content, name="ids.txt") == ["000001", "A8272", "841231"]


def test_a_named_column_is_taken(tmp_path: Path) -> None:
    content = "Kunde,Segment\n007,a\n008,b\n"
    assert ids(tmp_path, content, column="Kunde") == ["007", "008"]
    with pytest.raises(InputError, match="no column 'Kune'; did you mean 'Kunde'"):
        ids(tmp_path, content, column="Kune")


def test_a_first_line_that_may_be_a_name_or_an_id_is_asked_about(tmp_path: Path) -> None:
    content = "Kunde\n007\n008\n"
    with pytest.raises(InputError, match=r"a name or an id.*--id-column.*--no-header"):
        ids(tmp_path, content)
    assert ids(tmp_path, content, column="Kunde") == ["007", "008"]
    assert ids(tmp_path, content, header=False) == ["Kunde", "007", "008"]
    assert ids(tmp_path, "anna\nbob\n") == ["anna", "bob"]
    assert ids(tmp_path, "customer1\nuser-id-2\n") == ["customer1", "user-id-2"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "ids.csv holds no customer id"),
        ("customer_id\n", "ids.csv holds no customer id"),
        (
            "customer_id,name\n1,a\n2\n",
            "line 3: broken CSV: the first line has 2 values, this one 1",
        ),
        ('id\n1\n"2\n3\n', "line 4: broken CSV"),
        ("customer_id,name\n1,a\n,b\n", "line 3: there is no customer id"),
        ("customer_id\n1\n8.41E+05\n", "line 3: 8.41E.05 is a number that a spreadsheet"),
        ("1,a\n2,b\n", "2 columns and no header"),
        ("id,name\n1,a\n", "2 columns .'id', 'name'.: name the one"),
        (b"customer_id\n\xe9\n", "not text in UTF-8"),
        (b"PK\x03\x04\0\0", "not text"),
    ],
)
def test_a_file_that_is_broken_is_refused_with_the_place(
    content: str | bytes, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        ids(tmp_path, content)


def test_a_workbook_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save the ids as CSV"):
        ids(tmp_path, b"PK", name="ids.xlsx")
    with pytest.raises(InputError, match="cannot be read"):
        read_ids(str(tmp_path / "nowhere.csv"))


def test_parquet_keeps_text_and_takes_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "ids.parquet"
    pl.DataFrame({"n": [1.5, 2.5], "CustomerID": ["007", "008"]}).write_parquet(path)
    assert read_ids(str(path)) == ["007", "008"]
    with pytest.raises(InputError, match="not a customer id"):
        read_ids(str(path), column="n")
    with pytest.raises(InputError, match="no column 'x'"):
        read_ids(str(path), column="x")
    pl.DataFrame({"whatever": [7, 8]}).write_parquet(path)
    assert read_ids(str(path)) == ["7", "8"]
    path.write_bytes(b"no Parquet")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_ids(str(path))
