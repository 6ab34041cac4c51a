"""A PNG as pixels, read here: what a picture shows is tested on the picture itself."""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pixels", "colours", "pixels", "written"]

Pixels: TypeAlias = NDArray[np.uint8]
"""Rows of pixels of red, green, blue and how opaque."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS_RGBA: Final = (8, 6, 0, 0, 0)
_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4


def pixels(png: bytes) -> Pixels:
    """Decode a PNG of eight bits a channel, with opacity, not interlaced: as charts are saved.

    By the specification, https://www.w3.org/TR/png-3/ (read 2026-11): each row has a filter, which
    says what was taken off its bytes.
    """
    assert png.startswith(_SIGNATURE)
    width = height = 0
    packed = b""
    place = len(_SIGNATURE)
    while place < len(png):
        (size,) = struct.unpack_from(">I", png, place)
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        (check,) = struct.unpack_from(">I", png, place + 8 + size)
        assert zlib.crc32(kind + body) == check
        if kind == b"IHDR":
            width, height, *how = struct.unpack(">IIBBBBB", body)
            assert tuple(how) == _EIGHT_BITS_RGBA
        elif kind == b"IDAT":
            packed += body
        place += 12 + size
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 4 * width)
    whole = np.zeros((height, width, 4), np.uint8)
    above = np.zeros((width, 4), np.uint8)
    for y, row in enumerate(rows):
        above = whole[y] = _row(int(row[0]), row[1:].reshape(width, 4), above)
    return whole


def _row(kind: int, row: Pixels, above: Pixels) -> Pixels:
    if kind == _SUB:
        return np.cumsum(row, axis=0, dtype=np.uint8)  # modulo 256, as is meant
    if kind == _UP:
        return row + above
    if kind in {_AVERAGE, _PAETH}:
        found = np.zeros_like(row)
        for channel in range(4):
            left = corner = 0
            for x, (raw, up) in enumerate(zip(row[:, channel], above[:, channel], strict=True)):
                guess = (left + int(up)) // 2 if kind == _AVERAGE else _paeth(left, int(up), corner)
                left, corner = (int(raw) + guess) % 256, int(up)
                found[x, channel] = left
        return found
    assert kind == 0
    return row.copy()


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))  # of equals, the first


def colours(picture: Pixels) -> dict[str, int]:
    """Count the pixels of each colour, which is written as ``"#0072B2"``."""
    numbers = picture[..., :3].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    found, times = np.unique(numbers, return_counts=True)
    return {f"#{value:06X}": int(n) for value, n in zip(found, times, strict=True)}


def written(picture: Pixels, filters: Any) -> bytes:
    """Encode pixels with a filter for each row: the other way, to try the decoder by."""
    height, width, _ = picture.shape
    raw = b""
    above = np.zeros((width, 4), np.uint8)
    for row, kind in zip(picture, filters, strict=True):
        left, corner = (np.vstack([np.zeros((1, 4), np.uint8), of[:-1]]) for of in (row, above))
        less: dict[int, Any] = {
            0: 0,
            _SUB: left,
            _UP: above,
            _AVERAGE: ((left.astype(int) + above) // 2).astype(np.uint8),
            _PAETH: np.array(
                [
                    [_paeth(int(a), int(b), int(c)) for a, b, c in zip(*of, strict=True)]
                    for of in zip(left, above, corner, strict=True)
                ],
                np.uint8,
            ),
        }
        raw += bytes([kind]) + (row - less[kind]).astype(np.uint8).tobytes()
        above = row
    head = struct.pack(">IIBBBBB", width, height, *_EIGHT_BITS_RGBA)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
