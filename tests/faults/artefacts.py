"""Everything that a run leaves behind, and the search for a credential in it.

Files are searched as raw bytes: what SQLite has deleted, and what a killed process left half
written, is in them too. What is packed is searched unpacked as well.
"""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import polars as pl


def spellings(secret: str) -> dict[str, bytes]:
    """Return how a secret may be written, by the name of the encoding."""
    plain = secret.encode()
    found = {
        "plain": plain,
        "URL": quote(secret, safe="").encode(),
        "URL, all of it": "".join(f"%{byte:02x}" for byte in plain).encode(),
        "UTF-16 LE": secret.encode("utf-16-le"),
        "UTF-16 BE": secret.encode("utf-16-be"),
        "hex": plain.hex().encode(),
        "backwards": plain[::-1],
    }
    for shift in range(3):
        # Base64 writes three bytes as four characters, so a text looks one of three ways in it;
        # the characters at its ends depend on what stands beside it.
        text = base64.b64encode(bytes(shift) + plain).rstrip(b"=")
        cut = text[(0, 2, 3)[shift] : len(text) - bool((shift + len(plain)) % 3)]
        found[f"Base64, {shift} bytes in"] = cut
        found[f"Base64 for URLs, {shift} bytes in"] = cut.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def layers(content: bytes) -> Iterator[bytes]:
    """Give a file's bytes, and those that are packed in it, where it is a packed file."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from layers(gzip.decompress(content))
    elif content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield from layers(packed.read(name))
    elif content.startswith(b"PAR1") and content.endswith(b"PAR1"):
        yield pl.read_parquet(io.BytesIO(content)).write_json().encode()


def leaks(folder: Path, *secrets: str) -> list[str]:
    """Return where a secret is written in a folder's files and names: nowhere, if all is well.

    A secret's last twelve characters count as the whole: half of a key on disk is a leak, too.
    """
    found: list[str] = []
    parts = {part for secret in secrets for part in (secret, secret[-12:])}
    written = [(how, text) for part in parts for how, text in spellings(part).items()]
    for path in sorted(folder.rglob("*")):
        contents = [str(path.relative_to(folder)).encode()]
        if path.is_file():
            contents += layers(path.read_bytes())
        for content in contents:
            lowered = content.lower()
            found += [
                f"{path.relative_to(folder)}: {how}"
                for how, text in written
                if text in content or (how in {"hex", "URL, all of it"} and text in lowered)
            ]
    return found
