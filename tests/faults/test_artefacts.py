"""The search for a key finds one, however it is written: else to find nothing means nothing."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from faults.artefacts import leaks

KEY = "sandbox-9f/8e+7d=6c5b"


def _sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE kept (said TEXT)")
    connection.execute("INSERT INTO kept VALUES (?)", (f"before {KEY} after",))
    connection.commit()
    connection.execute("DELETE FROM kept")  # its bytes stay
    connection.commit()
    connection.close()


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner.gz", gzip.compress(KEY.encode()))


def _named(path: Path) -> None:
    path.with_name(quote(KEY, safe="")).touch()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text(KEY),
        lambda path: path.write_text(json.dumps({"X-API-KEY": KEY})),
        lambda path: path.write_text(f"?key={quote(KEY, safe='')}"),
        lambda path: path.write_text("".join(f"%{byte:02X}" for byte in KEY.encode())),
        lambda path: path.write_text(KEY, encoding="utf-16"),
        lambda path: path.write_bytes(KEY.encode("utf-16-be")),
        lambda path: path.write_text(KEY.encode().hex().upper()),
        lambda path: path.write_bytes(base64.b64encode(f"u:{KEY}".encode())),
        lambda path: path.write_bytes(base64.urlsafe_b64encode(f"{KEY}:p".encode())),
        lambda path: path.write_bytes(base64.b64encode(f"x{KEY}yz".encode())),
        lambda path: path.write_bytes(bytes(5_000) + KEY[-12:].encode() + bytes(5_000)),
        lambda path: pl.DataFrame({"said": [KEY]}).write_parquet(path, compression="zstd"),
        _sqlite,
        _zip,
        _named,
    ],
    ids=[
        "plain",
        "JSON",
        "URL",
        "URL, all of it",
        "UTF-16",
        "UTF-16 BE",
        "hex",
        "Base64",
        "Base64 for URLs",
        "Base64 within",
        "half",
        "Parquet",
        "deleted from SQLite",
        "packed twice",
        "a file's name",
    ],
)
def test_a_key_is_found_however_it_is_written(
    write: Callable[[Path], object], tmp_path: Path
) -> None:
    write(tmp_path / "it")
    assert leaks(tmp_path, KEY)
    assert not leaks(tmp_path, "sandbox-0123456789abcdef")
