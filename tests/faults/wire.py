"""The faults that a server, or what stands between, can put on the wire."""

from __future__ import annotations

import gzip
import time
import zlib
from dataclasses import dataclass
from typing import Final

from faults.proxy import Act, Wire, answer
from faults.table import Row

from optimove_analysis.errors import (
    ApiError,
    AuthError,
    ConnectionFailedError,
    OptimoveAnalysisError,
    QuotaError,
    ResponseError,
    SchemaError,
)

WAITED_OUT: Final = (
    "twice: the same frame, each customer answered once; for ever: a clear error after 5 tries, "
    "and called again the same frame"
)
AT_ONCE: Final = "a clear error at the first try; called again the same frame"


@dataclass(frozen=True, slots=True)
class WireFault:
    """What a server does, and how the client must take it."""

    name: str
    done: str
    act: Act
    error: type[OptimoveAnalysisError] = ConnectionFailedError
    """The error if it goes on, or at once where it is not retried."""
    says: str = "no complete answer"
    retried: bool = True
    timeout: float = 10.0
    long: bool = False
    """It takes long to see that it goes on: that is for the full form."""

    @property
    def row(self) -> Row:
        return Row(self.name, self.done, WAITED_OUT if self.retried else AT_ONCE)


def saying(*pieces: bytes) -> Act:
    return lambda wire: wire.say(*pieces)


def _true(wire: Wire) -> bytes:
    return wire.truth()[1]


def _half(wire: Wire) -> bytes:
    body = _true(wire)
    return answer(body)[: -len(body) // 2]


def _reset(wire: Wire) -> None:
    wire.reset()


def _reset_midway(wire: Wire) -> None:
    wire.say(_half(wire))
    time.sleep(0.02)  # a reset overtakes what was sent just before it
    wire.reset()


def _close_midway(wire: Wire) -> None:
    body = _true(wire)
    wire.say(b"HTTP/1.1 200 OK\r\n\r\n", body[: len(body) // 2])


def _stall_midway(wire: Wire) -> None:
    wire.say(_half(wire))
    wire.stall()


def _trickle(wire: Wire) -> None:
    said = answer(_true(wire) + b" " * 10_000)
    for byte in said:
        if wire.closing.wait(0.02):
            return
        wire.say(bytes([byte]))


def _cut(wire: Wire) -> bool:
    wire.say(answer(_true(wire)[:-2]))
    return True


def _cut_packed(wire: Wire) -> bool:
    packed = gzip.compress(_true(wire))
    wire.say(answer(packed[: len(packed) // 2], b"Content-Encoding: gzip"))
    return True


def _too_long(wire: Wire) -> None:
    body = _true(wire)
    wire.say(answer(body, length=len(body) + 100))


def _too_short(wire: Wire) -> bool:
    body = _true(wire)
    wire.say(answer(body, length=len(body) - 10))
    return True


def _wrong_sum(wire: Wire) -> bool:
    packed = gzip.compress(_true(wire))
    wire.say(answer(packed[:-8] + b"\1\2\3\4" + packed[-4:], b"Content-Encoding: gzip"))
    return True


def _packed_in_secret(wire: Wire) -> bool:
    wire.say(answer(gzip.compress(_true(wire))))
    return True


def _bomb(wire: Wire) -> None:
    packer = zlib.compressobj(wbits=31)
    wire.say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    # A server of bombs has them ready: the same block of zeros over and over.
    wire.say(packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH))
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    while not wire.closing.is_set():
        wire.say(block * 16)


def _endless(wire: Wire) -> None:
    wire.say(b"HTTP/1.1 200 OK\r\n\r\n[")
    while not wire.closing.is_set():
        wire.say(b" " * 2**20)


def _echo(wire: Wire) -> None:
    wire.say(wire.request)


def _quoting_page(wire: Wire) -> bool:
    wire.say(answer(b"<pre>" + wire.request + b"</pre>", status=b"500 Oops"))
    return True


def _quoting_cut(wire: Wire) -> None:
    wire.say(answer(b"[" + wire.request, b"X-You-Sent: " + wire.request[-40:-4], length=10_000))


_TOO_MANY: Final = (
    b'{"status": 429, "error": "Too Many Requests", "message": '
    b'"You have exceeded the rate limit for this API group. Please retry later."}'
)
_LOGIN: Final = b"<!DOCTYPE html><title>Sign in to the company network</title>"

WIRE: Final = (
    WireFault(
        "429 storm",
        "429 with the documented body and no Retry-After",
        saying(answer(_TOO_MANY, status=b"429 Too Many Requests")),
        error=QuotaError,
        says="uses the same key",
    ),
    WireFault(
        "429 with Retry-After",
        "429 that asks to wait a second",
        saying(answer(_TOO_MANY, b"Retry-After: 1", status=b"429 Too Many Requests")),
        error=QuotaError,
        says="uses the same key",
        long=True,
    ),
    WireFault(
        "429 until tomorrow",
        "429 that asks to wait a day",
        saying(answer(_TOO_MANY, b"Retry-After: 86400", status=b"429 Too Many Requests")),
        error=QuotaError,
        says="uses the same key",
        retried=False,
    ),
    WireFault(
        "500",
        "500 and a line of text",
        saying(answer(b"broken", status=b"500 Internal Server Error")),
        error=ApiError,
        says="keeps failing .500.: 'broken'",
    ),
    WireFault(
        "503 until a date",
        "503 with a Retry-After that is a date, by a clock years behind",
        saying(
            answer(
                b"",
                b"Date: Wed, 21 Oct 2015 07:28:00 GMT",
                b"Retry-After: Wed, 21 Oct 2015 07:28:01 GMT",
                status=b"503 Service Unavailable",
            )
        ),
        error=ApiError,
        says="keeps failing .503.",
        long=True,
    ),
    WireFault(
        "500 that quotes the key",
        "a debug page that shows the request with its headers",
        _quoting_page,
        error=ApiError,
        says=r"keeps failing .500.",
    ),
    WireFault(
        "401 midway",
        "the key is refused from one request to the next",
        saying(answer(b"Unauthorized", status=b"401 Unauthorized")),
        error=AuthError,
        says="is not accepted",
        retried=False,
    ),
    WireFault("closed before the answer", "the connection ends in place of an answer", saying()),
    WireFault(
        "reset before the answer", "the connection is torn down in place of an answer", _reset
    ),
    WireFault(
        "reset mid-body", "half of the body, then the connection is torn down", _reset_midway
    ),
    WireFault(
        "closed mid-body, no length",
        "half of a body whose end is the connection's",
        _close_midway,
        error=ResponseError,
        says="cut short",
    ),
    WireFault(
        "stall before the headers",
        "nothing is said, for ever",
        lambda wire: wire.stall(),
        says="did not answer within 0.4 s",
        timeout=0.4,
    ),
    WireFault(
        "stall mid-body",
        "half of the body, then nothing, for ever",
        _stall_midway,
        says="did not answer within 0.4 s",
        timeout=0.4,
        long=True,
    ),
    WireFault(
        "trickle",
        "a byte every 20 ms, for minutes",
        _trickle,
        says="not in full within 1.6 s",
        timeout=0.4,
        long=True,
    ),
    WireFault(
        "JSON cut short",
        "a body without its last two bytes, its length right",
        _cut,
        error=ResponseError,
        says="cut short",
    ),
    WireFault(
        "gzip cut short",
        "half of a packed body, its length right",
        _cut_packed,
        error=ResponseError,
        says="cut short",
    ),
    WireFault("Content-Length too long", "100 bytes more are promised than come", _too_long),
    WireFault(
        "Content-Length too short",
        "10 bytes fewer are promised than come, on a connection that stays open",
        _too_short,
        error=ResponseError,
        says="cut short",
    ),
    WireFault(
        "gzip garbage",
        "a body that is said to be packed and is not",
        saying(answer(b"\1\2\3not gzip", b"Content-Encoding: gzip")),
    ),
    WireFault("gzip with a wrong sum", "a packed body whose checksum is another's", _wrong_sum),
    WireFault(
        "packed in secret",
        "a packed body that is not said to be",
        _packed_in_secret,
        error=ResponseError,
        says="not JSON",
        retried=False,
    ),
    WireFault(
        "gzip bomb",
        "a packed body without end, 1,000 times as large unpacked",
        _bomb,
        error=ResponseError,
        says="larger than 256 MB",
        retried=False,
    ),
    WireFault(
        "body without end",
        "spaces without end, as fast as they are read",
        _endless,
        error=ResponseError,
        says="larger than 256 MB",
        retried=False,
        long=True,
    ),
    WireFault(
        "empty body",
        "200 and no body",
        saying(answer(b"")),
        error=ResponseError,
        says="an empty body",
        retried=False,
    ),
    WireFault(
        "HTML login page",
        "200 and the page of a proxy",
        saying(answer(_LOGIN)),
        error=ResponseError,
        says="login page",
        retried=False,
    ),
    WireFault(
        "HTML page with 404",
        "404 and the page of a proxy, which is no unknown customer",
        saying(answer(_LOGIN, status=b"404 Not Found")),
        error=ResponseError,
        says="not the API's",
        retried=False,
    ),
    WireFault(
        "another object",
        "200 and an object where a list is documented",
        saying(answer(b'{"error": "maintenance"}')),
        error=ResponseError,
        says="a list of objects",
        retried=False,
    ),
    WireFault(
        "other rows",
        "200 and a list of something else than interactions",
        saying(answer(b'[{"error": "maintenance"}]')),
        error=SchemaError,
        says="lacks",
        retried=False,
    ),
    WireFault(
        "redirect",
        "a redirect to another host, with a ticket in its address",
        saying(answer(b"", b"Location: https://login.example/in?ticket=1", status=b"302 Found")),
        error=ResponseError,
        says="https://login.example/in, which is not followed",
        retried=False,
    ),
    WireFault("garbage status line", "bytes that are not HTTP", saying(b"\0\xffSSH-2.0\r\n\r\n")),
    WireFault("echo", "the request comes back, key and all", _echo),
    WireFault(
        "echo in an answer", "headers and body quote the key, and the body is cut", _quoting_cut
    ),
    WireFault(
        "chunk of negative length",
        "a chunked body whose chunk has the length -5",
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n[]\r\n"),
    ),
)
