"""A chart's picture in few bytes: a palette in the place of four bytes a pixel, packed well.

vl-convert packs fast and not small; a gallery of its pictures would be ten times as large.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np  # scipy brings it
import vl_convert

from optimove_analysis.charts.offline import VEGA_LITE, self_contained

__all__ = ["png", "small_png"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_RGBA: Final = (8, 6)
_SUB: Final = 1
_COLOURS: Final = 256
_SCALE: Final = 1
"""With more, the gallery would be over a megabyte."""


def png(spec: dict[str, Any]) -> bytes:
    """Draw a chart."""
    drawn: bytes = vl_convert.vegalite_to_png(
        self_contained(spec), vl_version=VEGA_LITE, scale=_SCALE, allowed_base_urls=[]
    )
    return small_png(drawn)


def small_png(drawn: bytes) -> bytes:
    """Return the picture with its 256 most frequent colours, others as the nearest of them.

    A chart has some hundred, most of them shades at the edges of letters. A picture that is not
    packed as vl-convert does it (RGBA, each byte as its difference from the pixel before) is
    returned as it is.
    """
    parts = list(_parts(drawn))
    header = next(data for kind, data in parts if kind == b"IHDR")
    width, height, *form = struct.unpack(">IIBB", header[:10])
    packed = b"".join(data for kind, data in parts if kind == b"IDAT")
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    if tuple(form) != _RGBA or (rows[:, 0] != _SUB).any():
        return drawn
    pixels = np.cumsum(rows[:, 1:].reshape(height, width, 4), axis=1, dtype=np.uint8)
    pixels[..., 3] = 255  # a chart has a background
    seen, where, count = np.unique(pixels.view(np.uint32), return_inverse=True, return_counts=True)
    colours = seen.view(np.uint8).reshape(-1, 4)[:, :3]
    palette = colours[np.argsort(-count, kind="stable")[:_COLOURS]]
    apart = colours[:, None].astype(int) - palette[None].astype(int)
    nearest = np.square(apart).sum(axis=2).argmin(axis=1).astype(np.uint8)
    lines = np.zeros((height, width + 1), np.uint8)  # each begins with 0: no filter
    lines[:, 1:] = nearest[where].reshape(height, width)
    return b"".join(
        [
            _SIGNATURE,
            _part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _part(b"PLTE", palette.tobytes()),
            _part(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _part(b"IEND", b""),
        ]
    )


def _parts(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = len(_SIGNATURE)
    while start < len(png):
        (length,) = struct.unpack(">I", png[start : start + 4])
        yield png[start + 4 : start + 8], png[start + 8 : start + 8 + length]
        start += length + 12


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
